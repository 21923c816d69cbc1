//! The application that this workspace was written for. Every command assumes it if there is no `tenancy.toml`.

use std::collections::BTreeMap;

use super::log::LogSection;
use super::model::{
    DatabaseSection, RolesSection, SessionChecks, SessionSection, SourceRule, TableRules, Tenancy, TenantSection,
    TieBreakerRule,
};
use super::platform_rows::PlatformRows;

impl Default for Tenancy {
    fn default() -> Self {
        Self {
            columns: vec!["tenantId".into(), "tenant_id".into()],
            database: DatabaseSection::default(),
            tenant: TenantSection::default(),
            session: SessionSection::default(),
            roles: RolesSection::default(),
            auth: None,
            jobs: BTreeMap::new(),
            log: LogSection::default(),
            tables: tables(),
            reviewed: BTreeMap::new(),
        }
    }
}

impl Default for DatabaseSection {
    fn default() -> Self {
        Self {
            environment: None,
            schema: "public".into(),
            owners: Vec::new(),
            url_variables: vec!["DATABASE_URL".into(), "NETLIFY_DATABASE_URL".into()],
            direct_url_variables: vec![
                "DIRECT_URL".into(),
                "DATABASE_URL_UNPOOLED".into(),
                "NETLIFY_DATABASE_URL_UNPOOLED".into(),
            ],
        }
    }
}

impl Default for TenantSection {
    fn default() -> Self {
        Self {
            table: "Tenant".into(),
            key: "id".into(),
            slug: "slug".into(),
            name: "name".into(),
            status: Some("status".into()),
            active: "ACTIVE".into(),
            on_delete: None,
        }
    }
}

impl Default for SessionSection {
    fn default() -> Self {
        Self {
            variable: "app.current_tenant_id".into(),
            claim: Vec::new(),
            policy: "rls_tenant_isolation".into(),
            checks: SessionChecks::default(),
        }
    }
}

impl Default for SessionChecks {
    fn default() -> Self {
        Self {
            members_only: false,
            active_tenants_only: false,
            session_version: true,
            lowercase_emails: true,
            ip_hash: false,
        }
    }
}

impl Default for RolesSection {
    fn default() -> Self {
        Self { app: "app_user".into(), maintenance: "tenant_maintenance".into(), auditor: "tenant_auditor".into() }
    }
}

fn tables() -> BTreeMap<String, TableRules> {
    let request = ("service request", "serviceRequestId", "ServiceRequest");
    let client = ("client", "clientId", "users");
    let service = ("service", "serviceId", "services");
    let booking = ("booking", "bookingId", "bookings");
    let user = ("user", "userId", "users");
    let sources = [
        ("users", vec![]),
        ("services", vec![]),
        ("ServiceRequest", vec![client, service]),
        ("bookings", vec![request, client, service]),
        ("WorkOrder", vec![request, booking, client]),
        ("invoices", vec![booking, client]),
        ("expenses", vec![user]),
        ("attachments", vec![request, ("uploader", "uploaderId", "users")]),
        ("ScheduledReminder", vec![request]),
        ("booking_settings", vec![]),
        ("IdempotencyKey", vec![user]),
        ("organization_settings", vec![]),
        ("security_settings", vec![]),
        ("service_views", vec![("service", "service_id", "services")]),
    ];
    let rules =
        |sources: Vec<_>| TableRules { sources: sources.into_iter().map(source).collect(), ..Default::default() };
    let platform = || TableRules {
        platform_rows: PlatformRows::Because("events outside of any tenant are the platform's own".to_owned()),
        ..Default::default()
    };
    let with_tenant = sources.into_iter().map(|(table, sources)| (table.to_owned(), rules(sources)));
    let mut tables: BTreeMap<_, _> =
        with_tenant.chain(["audit_logs", "audit_events"].map(|table| (table.to_owned(), platform()))).collect();
    tables.insert("chat_messages".into(), chat_messages());
    tables.insert("tenant_memberships".into(), memberships());
    tables
}

/// A membership is for a user of one tenant in another, so such references are meant.
fn memberships() -> TableRules {
    let reason = "a membership is how a user of one tenant belongs to another";
    TableRules { cross_tenant_references: Some(reason.to_owned()), ..TableRules::default() }
}

/// A message belongs to its author's tenant. If the author has several, what else they wrote in the same room decides.
fn chat_messages() -> TableRules {
    let memberships = ("membership", "userId", "tenant_memberships");
    let memberships = SourceRule { key: "userId".into(), all: true, ..source(memberships) };
    let room = TieBreakerRule {
        name: "room".into(),
        table: "chat_messages".into(),
        equal: ["userId", "room"].map(|column| (column.to_owned(), column.to_owned())).into(),
        tenant: None,
    };
    let sources = vec![memberships, source(("author", "userId", "users"))];
    TableRules { sources, tie_breakers: vec![room], ..TableRules::default() }
}

fn source((name, column, table): (&str, &str, &str)) -> SourceRule {
    SourceRule::new(name, column, table)
}

//! The report of `doctor` for people.

use tenant_inventory::MissingPart;
use tenant_rls::Pooler;

use super::facts::{Facts, TableFacts};
use crate::document::block::{Document, List, Pairs, Value};
use crate::document::report::Report;
use crate::number_format::counted;

impl Report for Facts {
    const NAME: &'static str = "doctor";
    const SCHEMA: Option<&'static str> = Some("doctor/2");

    fn document(&self) -> Document {
        let mut document = Document::new([Pairs::new(database(self)).titled("Database").into()]);
        if let Some(tables) = &self.tables {
            document.push(Pairs::new(tenant_tables(tables)).titled("Tenant tables"));
        }
        document.push(Pairs::new(settings(self)).titled("Settings"));
        document.extend(List::steps("What to look at", self.advice.clone()).unless_empty());
        document
    }
}

fn database(facts: &Facts) -> Vec<(&'static str, String)> {
    let database = &facts.database;
    let mut lines =
        vec![("url", database.url.clone().unwrap_or_else(|| "none".to_owned())), ("from", database.from.clone())];
    match &database.error {
        Some(why) => lines.push(("reachable", format!("no: {why}"))),
        None if database.local => lines.push(("local", "yes: `db up` made it, so writes ask nothing".to_owned())),
        None => {
            let name = database.confirm.as_deref().unwrap_or_default();
            lines.push(("local", format!("no: a write asks for `{name}`, or --confirm {name}")));
        }
    }
    if let Some(session) = &facts.session {
        lines.push(("server", format!("PostgreSQL {}", session.server_version)));
        let login = if session.session_user == session.role {
            String::new()
        } else {
            format!(", logged in as {}", session.session_user)
        };
        lines.push(("role", format!("{}{login}", session.role)));
        lines.push(("rights", rights(session)));
        lines.push((
            "pooler",
            match &session.pooler {
                Pooler::None => "none that shows".to_owned(),
                Pooler::Suspected(why) => format!("probably: {why}"),
            },
        ));
    }
    if let Some(direct) = &facts.direct {
        lines.push(("direct", format!("{} (from {})", direct.url, direct.from)));
    }
    lines
}

fn rights(session: &tenant_rls::SessionFacts) -> String {
    let rights = [
        (session.superuser, "superuser"),
        (session.bypass_rls && !session.superuser, "BYPASSRLS"),
        (session.may_create_schema, "may create schemas"),
        (session.in_recovery, "standby: read only"),
        (session.read_only && !session.in_recovery, "read only by default"),
    ];
    let rights: Vec<&str> = rights.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect();
    if rights.is_empty() { "ordinary; may not create schemas".to_owned() } else { rights.join(", ") }
}

fn tenant_tables(tables: &TableFacts) -> Vec<(&'static str, Value)> {
    let tenants = match &tables.tenant_key_type {
        Some(key) => format!("{} (key: {key})", tables.tenants),
        None => format!("{} is not there", tables.tenants),
    };
    let rls = format!("{} under row level security, {} of them forced", tables.rls_enabled, tables.rls_forced);
    let seen = match (&tables.obstacles, &tables.seen_whole_by) {
        (None, Some(_)) => Value::list(["no: this role sees every row"]),
        (Some(why), Some(role)) => Value::list([format!("yes: {why}"), format!("{role} sees every row")]),
        (why, None) => format!("yes: {}", why.as_deref().unwrap_or("no role sees every row")).into(),
    };
    let mut lines = vec![
        ("tenants", tenants.into()),
        ("found", counted(tables.found as u64, "table", "tables").into()),
        ("protected", rls.into()),
        ("filtered", seen),
    ];
    lines.push(("by class", tables.coverage.to_string().into()));
    if !tables.absent.is_empty() {
        lines.push(("not there", Value::list(&tables.absent)));
    }
    if !tables.misfits.is_empty() {
        let says = tables.misfits.iter().map(|fact| format!("{}; {}", fact.says, fact.hint));
        lines.push(("does not fit", Value::list(says)));
    }
    if let Some(left) = tables.left.as_ref().filter(|left| !left.is_empty()) {
        lines.push(("left over", Value::list(left.iter().map(|fact| &fact.says))));
    }
    if !tables.missing.is_empty() {
        let missing = tables.missing.iter().map(|missing| match missing.what {
            MissingPart::Table => missing.table.to_string(),
            MissingPart::TenantColumn => format!("{} (its tenant column)", missing.table),
            MissingPart::TrustedOwner => format!("{} (an owner to rely on)", missing.table),
        });
        lines.push(("missing", Value::list(missing)));
    }
    lines
}

fn settings(facts: &Facts) -> Vec<(&'static str, String)> {
    let settings = &facts.settings;
    let toml = settings.tenancy_toml.as_ref().map(|path| path.display().to_string());
    let schema_from = settings.schema_from.as_ref().map_or_else(String::new, |from| format!(" (from {from})"));
    let secret = settings.secret.as_ref().map(|secret| format!("{} bytes (from {})", secret.length, secret.from));
    let mut lines = vec![
        ("tenancy.toml", toml.unwrap_or_else(|| "none: the names are the default application's".to_owned())),
        ("schema", format!("{}{schema_from}", settings.schema)),
        ("env files in", settings.app_dir.display().to_string()),
    ];
    if cfg!(feature = "jwt") {
        lines.push(("secret", secret.unwrap_or_else(|| "none".to_owned())));
    }
    lines
}

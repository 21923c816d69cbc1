//! Under row level security: the same result, or a refusal; never a smaller number.

use backfill_engine::Error;
use local_db::Role;
use tenancy_config::UserError;
use tenancy_config::{Ident, TableName};
use tenant_rls::{Sql, Template};
use test_support::TestDb;

use crate::support::{SMALL, backfill, backfill_chat, fast, number, planted, script};

/// Tables that bookings and chat messages draw on.
const TABLES: [&str; 6] = ["bookings", "users", "services", "ServiceRequest", "chat_messages", "tenant_memberships"];

pub(crate) const STRICT: &str = r#"CREATE POLICY rls_tenant_isolation ON :"table"
    USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''));
    ALTER TABLE :"table" ENABLE ROW LEVEL SECURITY; ALTER TABLE :"table" FORCE ROW LEVEL SECURITY"#;

pub(crate) const BRIDGE: &str = r#"CREATE POLICY rls_tenant_isolation ON :"table"
    USING ("tenantId" IS NULL OR "tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''));
    ALTER TABLE :"table" ENABLE ROW LEVEL SECURITY; ALTER TABLE :"table" FORCE ROW LEVEL SECURITY"#;

pub(crate) async fn protect(db: &TestDb, policy: &'static str, maintenance: bool) {
    protect_tables(db, &TABLES, policy, maintenance).await;
}

pub(crate) async fn protect_tables(db: &TestDb, tables: &[&str], policy: &'static str, maintenance: bool) {
    let mut owner = db.owner().await;
    for name in tables {
        let table = TableName::parse(name, "public").unwrap();
        owner.run_script("protecting", Template::new(policy).table("table", &table).build()).await.unwrap();
        if maintenance {
            let role = Ident::new("tenant_maintenance").unwrap();
            let on = |text| Template::new(text).table("table", &table).ident("role", &role);
            let read = on(include_str!("../../../../sql/tenant-rls/read_policy.sql"))
                .ident("policy", &Ident::new("tenant_maintenance_read").unwrap())
                .literal("role_name", "tenant_maintenance");
            let assign = on(include_str!("../../../../sql/tenant-rls/assign_policy.sql"))
                .ident("policy", &Ident::new("tenant_maintenance_assign").unwrap())
                .ident("column", &Ident::new("tenantId").unwrap())
                .fragment("current", Sql::from_static("NULLIF(current_setting('app.current_tenant_id', true), '')"));
            for policy in [read, assign] {
                owner.run_script("giving the maintenance role its policies", policy.build()).await.unwrap();
            }
        }
    }
}

/// Strict policies under FORCE, with those of the maintenance role.
pub(crate) async fn protect_strictly(db: &TestDb) {
    protect(db, STRICT, true).await;
}

#[tokio::test]
async fn under_strict_force_the_maintenance_role_assigns_exactly_what_was_planted() {
    let (db, planted) = planted(&SMALL).await;
    protect(&db, STRICT, true).await;
    let report = backfill(&db, Role::Owner, &fast()).await.unwrap();
    assert_eq!(report.role, "tenant_maintenance");
    assert_eq!(report.assigned, planted.assignable());
    assert_eq!((report.conflicts, report.unresolved), (planted.conflicts, planted.unresolvable));

    let report = backfill_chat(&db, Role::Owner, &fast()).await.unwrap();
    assert_eq!(report.role, "tenant_maintenance");
    assert_eq!(report.assigned, planted.assignable_messages());
    assert_eq!((report.conflicts, report.unresolved), (planted.messages_in_conflict, planted.messages_unresolvable));
}

#[tokio::test]
async fn under_the_bridging_policy_too() {
    let (db, planted) = planted(&SMALL).await;
    protect(&db, BRIDGE, true).await;
    let report = backfill(&db, Role::Owner, &fast()).await.unwrap();
    assert_eq!(report.assigned, planted.assignable());
    let report = backfill_chat(&db, Role::Owner, &fast()).await.unwrap();
    assert_eq!(report.assigned, planted.assignable_messages());
}

#[tokio::test]
async fn where_sources_are_hidden_it_stops_instead_of_calling_rows_unresolved() {
    let (db, _) = planted(&SMALL).await;
    // The bridge shows all rows without a tenant, but of users and services only those.
    protect(&db, BRIDGE, false).await;
    for role in [Role::Owner, Role::AppUser] {
        let error = backfill(&db, role, &fast()).await.unwrap_err();
        assert!(matches!(error, Error::Database(tenant_rls::Error::CannotSee(_))), "{error}");
        assert!(error.hint().is_some());
        let error = backfill_chat(&db, role, &fast()).await.unwrap_err();
        assert!(matches!(error, Error::Database(tenant_rls::Error::CannotSee(_))), "{error}");
    }
    let mut superuser = db.superuser().await;
    assert_eq!(number(&mut superuser, "SELECT count(*) FROM pg_namespace WHERE nspname = 'tenant_ops'").await, 0);
}

#[tokio::test]
async fn where_memberships_alone_are_hidden_an_author_does_not_become_one_of_fewer_tenants() {
    let (db, planted) = planted(&SMALL).await;
    script(
        &mut db.owner().await,
        r#"ALTER TABLE tenant_memberships ENABLE ROW LEVEL SECURITY; ALTER TABLE tenant_memberships FORCE ROW LEVEL SECURITY;
           CREATE POLICY members ON tenant_memberships USING ("isDefault")"#,
    )
    .await;
    for role in [Role::Owner, Role::AppUser] {
        let error = backfill_chat(&db, role, &fast()).await.unwrap_err();
        assert!(error.to_string().contains("public.tenant_memberships"), "{error}");
    }
    let without_tenant = r#"SELECT count(*) FROM chat_messages WHERE "tenantId" IS NULL"#;
    let left = number(&mut db.superuser().await, without_tenant).await;
    assert_eq!(left as u64, planted.tables["chat_messages"].without_tenant);
}

#[tokio::test]
async fn a_policy_that_fails_is_named_and_the_table_is_the_only_one_that_stops() {
    let (db, _) = planted(&SMALL).await;
    protect(&db, STRICT, true).await;
    let raising = r#"CREATE POLICY raising ON bookings USING ("tenantId" = current_setting('app.unset_by_anybody'))"#;
    script(&mut db.owner().await, raising).await;
    let error = backfill(&db, Role::Owner, &fast()).await.unwrap_err();
    let Error::Database(tenant_rls::Error::PolicyFails { table, policy, .. }) = &error else { panic!("{error:?}") };
    assert_eq!((table.to_string().as_str(), policy.as_str()), ("public.bookings", "raising"));
    assert!(error.hint().unwrap().to_string().contains("change the policy \"raising\" of public.bookings"), "{error}");
    let bookings = TableName::parse("bookings", "public").unwrap();
    let failed = backfill_engine::FailedTable::of(&bookings, error).unwrap();
    assert!(failed.error.contains("app.unset_by_anybody"), "{}", failed.error);
}

#[tokio::test]
async fn one_restrictive_policy_stops_it() {
    let (db, _) = planted(&SMALL).await;
    protect(&db, STRICT, true).await;
    script(&mut db.owner().await, "CREATE POLICY hide ON users AS RESTRICTIVE USING (\"sessionVersion\" < 5)").await;
    let error = backfill(&db, Role::Owner, &fast()).await.unwrap_err();
    assert!(error.to_string().contains("\"hide\""), "{error}");
}

#[tokio::test]
async fn an_ordinary_role_may_not_write_tenants_outside_its_scope_with_our_policies() {
    let (db, _) = planted(&SMALL).await;
    protect(&db, STRICT, true).await;
    let mut owner = db.owner().await;
    script(&mut owner, "SET ROLE tenant_maintenance").await;
    script(&mut owner, "SELECT set_config('app.current_tenant_id', 'tenant_primary', false)").await;
    let other = r#"UPDATE bookings SET "tenantId" = 'another' WHERE "tenantId" IS NULL"#;
    let refused = sqlx::query(other).execute(owner.connection()).await.unwrap_err();
    assert!(refused.to_string().contains("row-level security"), "{refused}");
    let read = sqlx::query(r#"SELECT "clientEmail" FROM bookings"#).execute(owner.connection()).await.unwrap_err();
    assert!(read.to_string().contains("permission denied"), "{read}");
}

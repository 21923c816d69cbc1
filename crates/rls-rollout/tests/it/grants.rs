//! What audits and backfills need is granted at every phase, whatever was added since.

use backfill_engine::BackfillPlan;
use local_db::Role;
use tenancy_config::{Ident, Tenancy, UserError};
use tenant_audit::{AuditOptions, AuditReport, audit};
use tenant_inventory::{Catalog, Phase};
use tenant_rls::ActingRole;
use tenant_rls::visibility::acting_role;
use test_support::TestDb;

use crate::support::{after, auto, back, catalog, connect, roll_with, session, small, tables_of};

const SCHEMA: &str = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY, status text); INSERT INTO "Tenant" VALUES ('t1', 'ACTIVE'), ('t2', 'ACTIVE');
    CREATE TABLE parent (id int PRIMARY KEY, "tenantId" text NOT NULL REFERENCES "Tenant"); INSERT INTO parent VALUES (1, 't1');
    CREATE TABLE items (id int PRIMARY KEY, "tenantId" text REFERENCES "Tenant"); INSERT INTO items VALUES (1, 't1'), (2, 't2');"#;

async fn audited(db: &TestDb, tenancy: &Tenancy) -> Result<AuditReport, tenant_audit::Error> {
    let database = connect(db, Role::Owner).await;
    audit(&database, tenancy, &AuditOptions::default(), &mut |_| ()).await
}

async fn rows_counted(db: &TestDb, tenancy: &Tenancy) -> Result<u64, tenant_audit::Error> {
    Ok(audited(db, tenancy).await?.tables.iter().map(|table| table.rows).sum())
}

/// How many foreign keys and the like could not be counted, as a right is missing.
async fn uncounted(db: &TestDb, tenancy: &Tenancy) -> usize {
    audited(db, tenancy).await.unwrap().tables.iter().map(|table| table.uncounted_parts.len()).sum()
}

#[tokio::test]
async fn a_foreign_key_that_came_after_the_last_phase_gets_its_rights() {
    let db = small(SCHEMA).await;
    let tenancy = tables_of("");
    roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    let added = r#"ALTER TABLE items ADD "otherId" int REFERENCES parent"#;
    db.owner().await.run_script("preparing a test", added).await.unwrap();
    assert_eq!(uncounted(&db, &tenancy).await, 1, "the auditor may not read the new column");
    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert!(report.rollout.is_some() && after(&report, "items") == Phase::Enforce, "{report:#?}");
    assert_eq!(uncounted(&db, &tenancy).await, 0);
}

#[tokio::test]
async fn a_tenant_table_with_policies_of_its_own_is_read_whole_by_the_roles() {
    let db = small(&format!(
        r#"{SCHEMA} ALTER TABLE "Tenant" ENABLE ROW LEVEL SECURITY; ALTER TABLE "Tenant" FORCE ROW LEVEL SECURITY;
           CREATE POLICY me ON "Tenant" USING (id = current_setting('app.current_tenant_id', true))"#
    ))
    .await;
    let untouched = catalog(&db).await;
    let tenancy = tables_of("");
    let mut session = session(&db, Role::Superuser).await;
    session.run_script("preparing a test", r#"ALTER TABLE items DROP CONSTRAINT "items_tenantId_fkey""#).await.unwrap();
    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert!(report.tables.iter().all(|table| table.steps > 0), "{report:#?}");
    assert_eq!(rows_counted(&db, &tenancy).await.unwrap(), 3);
    let auditor = "SET ROLE tenant_auditor";
    session.run_script("becoming the auditor", auditor).await.unwrap();
    let tenants: i64 =
        sqlx::query_scalar(r#"SELECT count(id) FROM "Tenant""#).fetch_one(session.connection()).await.unwrap();
    assert_eq!(tenants, 2);
    back(&db, Phase::None).await.unwrap();
    let again = r#"RESET ROLE; ALTER TABLE items ADD CONSTRAINT "items_tenantId_fkey" FOREIGN KEY ("tenantId") REFERENCES "Tenant""#;
    session.run_script("as it was", again).await.unwrap();
    assert_eq!(catalog(&db).await, untouched);
}

#[tokio::test]
async fn the_roles_get_the_tenants_keys_also_where_nothing_is_configured() {
    let db = small(SCHEMA).await;
    let mut tenancy = tables_of("");
    tenancy.tenant.status = Some("status".to_owned());
    roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    let mut superuser = session(&db, Role::Superuser).await;
    let may: Vec<bool> = sqlx::query_scalar(
        r#"SELECT has_column_privilege(role, '"Tenant"', 'id', 'SELECT') FROM unnest(ARRAY['tenant_auditor', 'tenant_maintenance']) AS role
           UNION ALL SELECT has_column_privilege('tenant_auditor', '"Tenant"', 'status', 'SELECT')"#,
    )
    .fetch_all(superuser.connection())
    .await
    .unwrap();
    assert_eq!(may, [true, true, true]);
}

/// A source that is declared for a table at the last phase reads columns that no rollout has granted yet.
#[tokio::test]
async fn the_next_rollout_gives_the_rights_that_a_new_source_needs_and_the_hint_says_so() {
    let made = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1'), ('t2');
        CREATE TABLE invoices (id int PRIMARY KEY, "tenantId" text); INSERT INTO invoices VALUES (1, 't1');
        CREATE TABLE items (id int PRIMARY KEY, number int, "tenantId" text); INSERT INTO items VALUES (1, 1, 't1')"#;
    let db = small(made).await;
    roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    let source = "[[tables.items.sources]]\nname = \"invoice\"\ncolumn = \"number\"\ntable = \"invoices\"\n";
    let tenancy = tables_of(source);
    let owner = connect(&db, Role::Owner).await;
    let catalog = Catalog::load(&owner, &tenancy).await.unwrap();
    let access = BackfillPlan::new(&catalog, &tenancy, "items").unwrap().access();
    let role = [ActingRole::Assumed(Ident::new("tenant_maintenance").unwrap())];
    let error = acting_role(&owner, &access, &role).await.unwrap_err();
    let hint = error.hint().unwrap().to_string();
    assert!(hint.starts_with("`cargo xtask rls rollout` gives its roles what tenancy.toml asks for now"), "{hint}");
    assert!(hint.contains(r#"GRANT SELECT ("number") ON "public"."items" TO "tenant_maintenance";"#), "{hint}");
    roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert_eq!(acting_role(&owner, &access, &role).await.unwrap(), role[0]);
}

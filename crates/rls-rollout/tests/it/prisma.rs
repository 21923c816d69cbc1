//! The migration that a plan writes makes what the rollout makes.

use local_db::Role;
use rls_rollout::{PlanReport, plan, status};
use tenancy_config::Tenancy;
use tenant_inventory::Phase;
use tenant_rls::Sql;

use crate::support::{
    all_at, as_superuser, auto, catalog, clean, connect, roll, roll_with, script, small, tables_of, to,
};

async fn planned(db: &test_support::TestDb, options: &rls_rollout::RolloutOptions) -> PlanReport {
    let database = connect(db, Role::Owner).await;
    let report = plan(&database, &Tenancy::default(), options).await.unwrap();
    database.close().await;
    report
}

#[tokio::test]
async fn the_migration_makes_the_same_catalog_as_the_rollout() {
    let (rolled_out, migrated) = (clean().await, clean().await);
    // So that an index is among what is made.
    for db in [&rolled_out, &migrated] {
        script(&mut db.superuser().await, "DROP INDEX \"bookings_tenantId_idx\"").await;
    }
    let migration = planned(&rolled_out, &auto()).await.prisma_migration(None).unwrap();
    assert!(!migration.statements.contains(" INDEX CONCURRENTLY "), "{}", migration.statements);
    assert!(migration.statements.contains("CREATE INDEX \"bookings_tenantId_idx\""), "{}", migration.statements);
    assert!(all_at(&roll(&rolled_out, &auto()).await.unwrap(), Phase::Enforce));
    let mut owner = migrated.owner().await;
    owner.run_script("migrating", Sql::from_catalog(migration.statements)).await.unwrap();
    owner.close().await;
    assert_eq!(catalog(&migrated).await, catalog(&rolled_out).await);
    assert_eq!(planned(&rolled_out, &auto()).await.prisma_migration(None), None, "no step is left");
}

#[tokio::test]
async fn the_schema_says_what_the_phase_makes_of_each_table() {
    let db = clean().await;
    script(&mut db.superuser().await, "DROP INDEX \"bookings_tenantId_idx\"").await;
    let edit = |report: &PlanReport, name: &str| {
        let edit = report.schema_edits.iter().find(|edit| edit.table.to_string() == name).unwrap();
        (edit.required, edit.default.clone(), edit.indexes.clone())
    };
    let index = |name: &str| vec![format!("{name}_tenantId_idx")];
    let prepared = planned(&db, &to(Phase::Prepare)).await;
    assert_eq!(edit(&prepared, "public.bookings"), (false, None, index("bookings")));
    let enforced = planned(&db, &auto()).await;
    assert_eq!(edit(&enforced, "public.bookings"), (true, None, index("bookings")));
    assert_eq!(edit(&enforced, "public.audit_logs"), (false, None, index("audit_logs")), "its rows may have none");
    // Its unique key leads with the tenant column already.
    assert_eq!(edit(&enforced, "public.services"), (true, None, Vec::new()));
    assert!(all_at(&roll(&db, &auto()).await.unwrap(), Phase::Enforce));
    let afterwards = planned(&db, &auto()).await;
    assert_eq!(afterwards.schema_edits, enforced.schema_edits, "it must not depend on what is done already");
}

/// What the migrations of a small application make, the last of which leaves rows without a tenant.
const APPLICATION: &str = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY);
    CREATE TABLE templates (id int PRIMARY KEY, "tenantId" text, body text DEFAULT '$migration$ $statement$');
    CREATE TABLE notes (id int PRIMARY KEY, "tenantId" text, template int REFERENCES templates ON DELETE CASCADE);
    CREATE TABLE visits (id int, at int, "tenantId" text) PARTITION BY RANGE (at);
    CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (10); CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM (10) TO (20);
    CREATE TABLE lines (id int PRIMARY KEY, template int NOT NULL REFERENCES templates);
    GRANT SELECT, INSERT, UPDATE, DELETE ON templates, notes, visits, lines TO app_user;"#;

const SEEDED: &str =
    "INSERT INTO templates VALUES (1, NULL); INSERT INTO visits VALUES (1, 11, NULL); INSERT INTO lines VALUES (1, 1);";

#[tokio::test]
async fn a_migration_runs_on_an_empty_database_beside_seeded_rows_and_where_the_rollout_is_done() {
    let tenancy = tables_of("[tables.lines]\nthrough = { column = \"template\", table = \"templates\" }\n");
    // Where the application lives, the rows have their tenant.
    let given = r#"INSERT INTO "Tenant" VALUES ('t1'); UPDATE templates SET "tenantId" = 't1'; UPDATE visits SET "tenantId" = 't1';"#;
    let live = small(&format!("{APPLICATION} {SEEDED} {given}")).await;
    let owner = connect(&live, Role::Owner).await;
    let migration = plan(&owner, &tenancy, &auto()).await.unwrap().prisma_migration(None).unwrap().statements;
    let run = async |db: &test_support::TestDb| {
        let mut owner = db.owner().await;
        owner.run_script("migrating", Sql::from_catalog(migration.clone())).await.unwrap();
        owner.close().await;
    };
    assert!(roll_with(&live, &tenancy, &auto(), &mut |_| ()).await.unwrap().is_complete());
    let rolled_out = catalog(&live).await;
    run(&live).await;
    assert_eq!(catalog(&live).await, rolled_out, "it does nothing where the rollout is done");
    assert_eq!(migration.matches("this migration does nothing here").count(), 1, "and says so once");

    let empty = small(APPLICATION).await;
    run(&empty).await;
    assert_eq!(catalog(&empty).await, rolled_out);

    let seeded = small(&format!("{APPLICATION} {SEEDED}")).await;
    run(&seeded).await;
    let status = status(&connect(&seeded, Role::Owner).await, &tenancy, None).await.unwrap();
    let phases: Vec<String> =
        status.tables.iter().map(|table| format!("{} {}", table.table.name(), table.phase)).collect();
    let expected = [
        "notes enforce",
        "templates prepare",
        "visits_1 prepare",
        "visits_2 prepare",
        "visits prepare",
        "lines prepare",
    ];
    assert_eq!(phases, expected);
    as_superuser(&seeded, r#"INSERT INTO "Tenant" VALUES ('t1'); UPDATE templates SET "tenantId" = 't1'; UPDATE visits SET "tenantId" = 't1'"#).await;
    let report = roll_with(&seeded, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(catalog(&seeded).await, rolled_out);
}

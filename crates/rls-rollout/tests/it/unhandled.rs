//! Tables that policies of ours cannot protect: status, plan, preflight and rollout name the same reason, and the others go on.

use local_db::Role;
use rls_rollout::{RolloutReport, Stop, plan, status};
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::class::Unhandled;
use tenant_inventory::coverage::Cover;
use tenant_inventory::{MissingPart, Phase, RegistryState};
use test_support::TestDb;

use crate::support::{auto, connect, roll_with, script, small, tables_of};

/// A table beside `good` that cannot be handled.
async fn beside_a_good_table(made: &'static str) -> TestDb {
    small(&format!("{GOOD}{made}")).await
}

const GOOD: &str = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1');
    CREATE TABLE good (id int PRIMARY KEY, "tenantId" text); INSERT INTO good VALUES (1, 't1');"#;

fn name(table: &str) -> TableName {
    TableName::parse(table, "public").unwrap()
}

/// The reason that each of the four gives for the table; they must agree.
async fn reason(db: &TestDb, table: &str) -> Unhandled {
    let database = connect(db, Role::Owner).await;
    let tenancy = tables_of("");
    let of_status = status(&database, &tenancy, None).await.unwrap();
    let of_status = &of_status.tables.iter().find(|found| found.table == name(table)).unwrap().stopped_by;
    let planned = plan(&database, &tenancy, &auto()).await.unwrap();
    assert!(planned.has_findings() && planned.steps.iter().all(|step| step.table != name(table)));
    let of_plan = &planned.tables.iter().find(|found| found.table == name(table)).unwrap().stopped_by;
    let report = roll_with(db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    let of_rollout = &report.tables.iter().find(|found| found.table == name(table)).unwrap().stopped_by;
    assert!(of_status == of_plan && of_plan == of_rollout, "{of_status:?} {of_plan:?} {of_rollout:?}");
    let [Stop::Unhandled { why }] = of_rollout.as_slice() else { panic!("{of_rollout:?}") };
    let checked = report.preflight.iter().find(|check| check.name == "tables").unwrap();
    assert!(checked.says.contains(&format!("{}: {why}", name(table))), "{checked}");
    assert!(!report.is_complete());
    assert_eq!(phase(&report, "good"), Phase::Enforce, "the other one goes on");
    assert_eq!(report.coverage.covered, [name("good")]);
    why.clone()
}

fn phase(report: &RolloutReport, table: &str) -> Phase {
    report.tables.iter().find(|found| found.table == name(table)).unwrap().after
}

#[tokio::test]
async fn a_tenant_column_that_nobody_can_write_stops_its_table_alone() {
    let db = beside_a_good_table(
        r#"CREATE TABLE bad (id int, raw text, "tenantId" text GENERATED ALWAYS AS (lower(raw)) STORED)"#,
    );
    assert_eq!(reason(&db.await, "bad").await, Unhandled::Generated);
    let db = beside_a_good_table(r#"CREATE TABLE bad (id int, "tenantId" int GENERATED ALWAYS AS IDENTITY)"#);
    assert_eq!(reason(&db.await, "bad").await, Unhandled::Identity);
}

#[tokio::test]
async fn a_tenant_column_of_another_type_than_the_tenants_key_stops_its_table_alone() {
    let db = beside_a_good_table(r#"CREATE TABLE bad (id int, "tenantId" uuid)"#).await;
    let differ = Unhandled::TypesDiffer { column: "uuid".into(), key: "text".into() };
    assert_eq!(reason(&db, "bad").await, differ);
    let db = beside_a_good_table(r#"CREATE TABLE bad (id int, "tenantId" text[])"#).await;
    assert_eq!(reason(&db, "bad").await, Unhandled::Type { type_name: "text[]".into() });
}

#[tokio::test]
async fn a_partition_of_somebody_else_stops_its_whole_table() {
    let db = beside_a_good_table(
        r#"CREATE TABLE bad (id int, "tenantId" text) PARTITION BY RANGE (id);
           CREATE TABLE bad_1 PARTITION OF bad FOR VALUES FROM (0) TO (9)"#,
    )
    .await;
    db.superuser().await.run_script("preparing a test", "ALTER TABLE bad_1 OWNER TO postgres").await.unwrap();
    let other = Unhandled::OtherOwner { table: name("bad_1"), owner: "postgres".into() };
    assert_eq!(reason(&db, "bad").await, other);
    assert_eq!(reason(&db, "bad_1").await, other);
}

#[tokio::test]
async fn a_key_of_the_tenants_that_is_not_unique_stops_every_table_before_the_first_step() {
    let db = small(r#"CREATE TABLE "Tenant" (id text); CREATE TABLE items (id int, "tenantId" text)"#).await;
    let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    let why = Unhandled::KeyNotUnique { table: name("Tenant"), key: "id".into() };
    assert_eq!(report.tables[0].stopped_by, [Stop::Unhandled { why }]);
    assert_eq!((report.tables[0].steps, report.tables[0].after), (0, Phase::None));
}

#[tokio::test]
async fn a_name_of_ours_that_is_taken_is_left_to_its_owner() {
    let db = small(
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1');
           CREATE TABLE parent (id int PRIMARY KEY, "tenantId" text NOT NULL REFERENCES "Tenant", UNIQUE ("tenantId", id));
           CREATE TABLE items (id int PRIMARY KEY, pid int, "tenantId" text,
               CONSTRAINT "items_tenantId_fkey" FOREIGN KEY ("tenantId", pid) REFERENCES parent ("tenantId", id));
           INSERT INTO parent VALUES (1, 't1'); INSERT INTO items VALUES (1, 1, 't1')"#,
    )
    .await;
    let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(phase(&report, "items"), Phase::Enforce);
}

#[tokio::test]
async fn a_key_of_which_the_tenant_is_a_part_gets_no_second_one_beside_it_where_it_proves_the_tenant() {
    let db = small(
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1');
           CREATE TABLE parent (id int PRIMARY KEY, "tenantId" text NOT NULL REFERENCES "Tenant", UNIQUE ("tenantId", id));
           CREATE TABLE items (id int PRIMARY KEY, pid int NOT NULL, "tenantId" text,
               FOREIGN KEY ("tenantId", pid) REFERENCES parent ("tenantId", id));
           CREATE TABLE maybe (id int PRIMARY KEY, pid int, "tenantId" text,
               FOREIGN KEY ("tenantId", pid) REFERENCES parent ("tenantId", id));
           INSERT INTO parent VALUES (1, 't1'); INSERT INTO items VALUES (1, 1, 't1'); INSERT INTO maybe VALUES (1, 1, 't1')"#,
    )
    .await;
    let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!((phase(&report, "items"), phase(&report, "maybe")), (Phase::Enforce, Phase::Enforce));
    let keys = "DO $$ BEGIN
        ASSERT (SELECT count(*) FROM pg_constraint WHERE conrelid = 'items'::regclass AND contype = 'f') = 1;
        ASSERT (SELECT count(*) FROM pg_constraint WHERE conrelid = 'maybe'::regclass AND contype = 'f') = 2; END $$";
    script(&mut db.owner().await, keys).await;
}

#[tokio::test]
async fn two_tables_whose_names_are_the_same_when_cut_get_an_index_each() {
    let long = "x".repeat(62);
    let made = format!(
        r#"{GOOD} CREATE TABLE {long}a (id int PRIMARY KEY, "tenantId" text); CREATE TABLE {long}b (id int PRIMARY KEY, "tenantId" text)"#
    );
    let db = small(&made).await;
    let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert!(report.tables.iter().all(|table| table.after == Phase::Enforce), "{report:#?}");
}

#[tokio::test]
async fn a_foreign_key_that_is_not_enforced_proves_nothing_and_gets_one_beside_it() {
    let Ok(server) = test_support::server_of_version(18).await else { return };
    let made = r#"INSERT INTO "Tenant" (id, slug, name, "updatedAt") VALUES ('t1', 's', 'n', now());
        CREATE TABLE items (id int PRIMARY KEY, "tenantId" text);
        ALTER TABLE items ADD CONSTRAINT fk1 FOREIGN KEY ("tenantId") REFERENCES "Tenant" NOT ENFORCED"#;
    let mut session = crate::support::session(&server, Role::Owner).await;
    session.run_script("preparing a test", made).await.unwrap();
    let options = rls_rollout::RolloutOptions { tables: vec!["items".to_owned()], ..auto() };
    let report = roll_with(&server, &tables_of(""), &options, &mut |_| ()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(phase(&report, "items"), Phase::Enforce);
}

#[tokio::test]
async fn a_tenant_table_that_is_a_view_is_said_with_what_follows() {
    let db = small(
        r#"CREATE TABLE orgs (id text PRIMARY KEY); CREATE VIEW "Tenant" AS SELECT * FROM orgs;
           CREATE TABLE items (id int PRIMARY KEY, "tenantId" text)"#,
    )
    .await;
    let database = connect(&db, Role::Owner).await;
    let planned = plan(&database, &tables_of(""), &auto()).await.unwrap();
    let said: Vec<String> = planned.notices.iter().map(ToString::to_string).collect();
    assert!(said[0].contains("is a view: no foreign key can reference it"), "{said:?}");
    let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    assert_eq!(report.coverage.registry, RegistryState::View);
    assert!(!report.is_complete(), "nothing proves that the tenants exist");
}

#[tokio::test]
async fn a_table_that_lost_its_tenant_column_and_what_hangs_on_others_is_named_in_each_report() {
    let db = beside_a_good_table(
        r#"CREATE TABLE lost (id int PRIMARY KEY); CREATE TABLE items (id int, good int REFERENCES good);
           CREATE TABLE teams (id int, "organizationId" text)"#,
    )
    .await;
    let tenancy = tables_of("[tables.lost]\n[tables.gone]\n");
    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    let database = connect(&db, Role::Owner).await;
    let (planned, found) =
        (plan(&database, &tenancy, &auto()).await.unwrap(), status(&database, &tenancy, None).await.unwrap());
    for coverage in [&report.coverage, &planned.coverage, &found.coverage] {
        let missing: Vec<_> = coverage.missing.iter().map(|missing| (missing.table.clone(), missing.what)).collect();
        assert_eq!(missing, [(name("gone"), MissingPart::Table), (name("lost"), MissingPart::TenantColumn)]);
        let cover =
            |table: &str| &coverage.coverage.tables.iter().find(|found| found.table == name(table)).unwrap().cover;
        assert!(matches!(cover("items"), Cover::Dependent { .. }) && matches!(cover("teams"), Cover::Suspect { .. }));
    }
    assert!(!report.is_complete());
    let one = rls_rollout::RolloutOptions { tables: vec!["good".to_owned()], ..auto() };
    let other = roll_with(&db, &Tenancy { tables: Default::default(), ..tenancy }, &one, &mut |_| ()).await.unwrap();
    assert!(other.is_complete(), "{other:#?}");
}

#[tokio::test]
async fn a_step_that_the_server_refuses_is_the_finding_of_its_table() {
    let db = beside_a_good_table(r#"CREATE TABLE bad (id int PRIMARY KEY, "tenantId" text)"#).await;
    let refuse = "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
            IF current_query() LIKE '%\"bad\"%' THEN RAISE EXCEPTION 'not this one'; END IF; END $$;
        CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE POLICY') EXECUTE FUNCTION refuse()";
    db.superuser().await.run_script("preparing a test", refuse).await.unwrap();
    let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    let bad = report.tables.iter().find(|table| table.table == name("bad")).unwrap();
    assert!(
        matches!(bad.stopped_by.as_slice(), [Stop::StepFailed { message, .. }] if message.contains("not this one"))
    );
    assert_eq!(phase(&report, "good"), Phase::Enforce);
}

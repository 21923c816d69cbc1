//! What decides the form of a policy that asks another table where the two forms cannot be timed: the statistics, and the plan says why.

use std::time::Duration;

use local_db::Role;
use rls_rollout::plan;
use tenancy_config::Tenancy;
use tenancy_config::tenancy::ThroughForm;
use tenant_inventory::{FormChoice, NotMeasured};
use test_support::TestDb;

use crate::support::{as_superuser, auto, connect, script, session, small, tables_of};

/// Without statistics.
const MADE: &str = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1'), ('t2');
    CREATE TABLE invoices (id int PRIMARY KEY, "tenantId" text);
    INSERT INTO invoices SELECT n, 't' || (n % 2 + 1) FROM generate_series(1, 100) AS n;
    CREATE TABLE items (id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoices);
    INSERT INTO items SELECT n, n FROM generate_series(1, 100) AS n;
    GRANT SELECT ON invoices, items TO app_user;"#;

fn through(tables: &[&str]) -> Tenancy {
    let one =
        |table: &&str| format!("[tables.{table}]\nthrough = {{ column = \"invoice_id\", table = \"invoices\" }}\n");
    tables_of(&tables.iter().map(one).collect::<String>())
}

/// The form of each policy that a plan makes, and why it was not measured.
async fn unmeasured(db: &TestDb, tables: &[&str]) -> Vec<(ThroughForm, NotMeasured)> {
    let database = connect(db, Role::Owner).await;
    let report = plan(&database, &through(tables), &auto()).await.unwrap();
    database.close().await;
    let why = |chosen| match chosen {
        FormChoice::Statistics { not_measured, .. } | FormChoice::Unknown { not_measured } => not_measured,
        chosen => panic!("{chosen:?}"),
    };
    report.tables.into_iter().filter_map(|table| table.through).map(|it| (it.form, why(it.chosen))).collect()
}

/// The same of `items` alone.
async fn of_items(db: &TestDb) -> (ThroughForm, NotMeasured) {
    let mut found = unmeasured(db, &["items"]).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[tokio::test]
async fn without_rows_of_a_tenant_there_is_nothing_to_time() {
    let db = small(MADE).await;
    for (emptied, form) in [
        ("UPDATE invoices SET \"tenantId\" = NULL", ThroughForm::Exists),
        // The statistics name the empty string as the tenant with most rows, and by them these are few.
        ("UPDATE invoices SET \"tenantId\" = ''; ANALYZE invoices", ThroughForm::Array),
        ("UPDATE invoices SET \"tenantId\" = 't1'; ANALYZE invoices; TRUNCATE items", ThroughForm::Array),
        ("TRUNCATE invoices CASCADE", ThroughForm::Exists),
    ] {
        as_superuser(&db, emptied).await;
        assert_eq!(of_items(&db).await, (form, NotMeasured::NoRows), "{emptied}");
    }
}

#[tokio::test]
async fn what_the_server_refuses_to_read_is_not_measured_and_the_plan_repeats_what_it_said() {
    let db = small(MADE).await;
    // Who owns a table may give up the right to read it.
    as_superuser(&db, "ANALYZE; REVOKE SELECT ON items FROM app_owner").await;
    let found = of_items(&db).await;
    let (ThroughForm::Array, NotMeasured::Refused { message }) = &found else { panic!("{found:?}") };
    assert!(message.contains("permission denied for table items"), "{message}");
    let said = found.1.to_string();
    assert!(said.starts_with("not measured (") && said.contains(message), "{said}");
}

#[tokio::test]
async fn a_plan_does_not_wait_for_a_lock_to_measure() {
    let db = small(MADE).await;
    let mut other = session(&db, Role::Superuser).await;
    script(&mut other, "BEGIN; LOCK TABLE items").await;
    let found = tokio::time::timeout(Duration::from_secs(5), of_items(&db)).await.unwrap();
    let (ThroughForm::Exists, NotMeasured::Refused { message }) = &found else { panic!("{found:?}") };
    assert!(message.contains("lock timeout"), "{message}");
    script(&mut other, "ROLLBACK").await;
    other.close().await;
    let measured = plan(&connect(&db, Role::Owner).await, &through(&["items"]), &auto()).await.unwrap();
    let chosen = measured.tables.into_iter().find_map(|table| table.through).unwrap().chosen;
    assert!(matches!(chosen, FormChoice::Measured { .. }), "{chosen}");
}

#[tokio::test]
async fn rows_that_take_too_long_to_find_are_given_up_and_so_are_tables_after_the_time_for_all_of_them() {
    let db = small(MADE).await;
    as_superuser(
        &db,
        "ANALYZE;
         DO $$ BEGIN FOR n IN 1..7 LOOP
             EXECUTE format('CREATE TABLE slow_%s (id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoices);
                 ALTER TABLE slow_%1$s OWNER TO app_owner; GRANT SELECT ON slow_%1$s TO app_user;
                 INSERT INTO slow_%1$s VALUES (1, 1);
                 ALTER TABLE slow_%1$s ENABLE ROW LEVEL SECURITY; ALTER TABLE slow_%1$s FORCE ROW LEVEL SECURITY;
                 CREATE POLICY slow ON slow_%1$s USING (pg_sleep(30) IS NOT NULL)', n);
         END LOOP; END $$",
    )
    .await;
    let tables = ["slow_1", "slow_2", "slow_3", "slow_4", "slow_5", "slow_6", "slow_7"];
    let found = unmeasured(&db, &tables).await;
    // A second for each, and five for all.
    assert!(found.len() == 7 && found[..4].iter().all(|(_, why)| *why == NotMeasured::TimedOut), "{found:?}");
    assert_eq!(found[6], (ThroughForm::Array, NotMeasured::OutOfTime), "{found:?}");
}

#[tokio::test]
async fn limits_of_the_login_itself_do_not_keep_a_plan_from_measuring() {
    let db = small(MADE).await;
    as_superuser(
        &db,
        "DO $$ BEGIN EXECUTE format('ALTER ROLE app_owner IN DATABASE %I SET statement_timeout = 1', current_database()); END $$",
    )
    .await;
    let report = plan(&connect(&db, Role::Owner).await, &through(&["items"]), &auto()).await.unwrap();
    let chosen = report.tables.into_iter().find_map(|table| table.through).unwrap().chosen;
    assert!(matches!(chosen, FormChoice::Measured { .. }), "{chosen}");
}

//! Tables that are not simply tables with a tenant column: each is predicted as the rollout will leave it.

use local_db::Role;
use rls_predict::{PredictReport, PredictWay, Source, TableNotTried, predict, statements};
use rls_rollout::{RolloutOptions, rollout};
use tenancy_config::Tenancy;
use test_support::TestDb;
use tokio::sync::watch;

use crate::support::{connect, lost, options, plan, run, searches};

const MADE: &str = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1'), ('t2');
    CREATE TABLE invoices (id int PRIMARY KEY, "tenantId" text);
    INSERT INTO invoices SELECT n, 't' || (n % 2 + 1) FROM generate_series(1, 1000) AS n;
    CREATE TABLE items (id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoices, name text);
    INSERT INTO items SELECT n, n % 1000 + 1, 'Item ' || n FROM generate_series(1, 20000) AS n;
    CREATE INDEX items_lower ON items (lower(name));
    CREATE TABLE notes (id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoices);
    CREATE TABLE visits (id int, "tenantId" text, page text) PARTITION BY RANGE (id);
    CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (15000);
    CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM (15000) TO (30000);
    INSERT INTO visits SELECT n, 't' || (n % 2 + 1), 'Page ' || n FROM generate_series(1, 29000) AS n;
    CREATE INDEX visits_page ON visits (lower(page));
    CREATE INDEX visits_id ON visits (id);
    GRANT SELECT ON invoices, items, notes, visits, visits_1, visits_2 TO app_user; ANALYZE"#;

const STATEMENTS: &str = "SELECT * FROM items WHERE lower(name) = $1; SELECT * FROM items WHERE id = $1; SELECT * FROM visits WHERE lower(page) = $1;
    SELECT * FROM visits WHERE id = $1; SELECT * FROM visits_1 WHERE lower(page) = $1";

fn tenancy(more: &str) -> Tenancy {
    let text = format!(
        "[tenant]\ntable = \"Tenant\"\n[tables.items]\nthrough = {{ column = \"invoice_id\", table = \"invoices\" }}\n{more}"
    );
    Tenancy::from_toml(&text, std::path::Path::new("tenancy.toml")).unwrap()
}

async fn predicted(db: &TestDb, tenancy: &Tenancy, way: PredictWay) -> PredictReport {
    let (owner, app) = (connect(db, Role::Owner).await, connect(db, Role::AppUser).await);
    let source = Source::Given(statements(STATEMENTS).unwrap());
    let report = predict(&owner, &app, tenancy, source, &options(way)).await.unwrap();
    owner.close().await;
    app.close().await;
    report
}

#[tokio::test]
async fn tables_that_hang_on_others_and_partitions_are_predicted_as_they_will_be() {
    let db = test_support::empty_database().await;
    let mut owner = db.owner().await;
    run(&mut owner, MADE).await;
    owner.close().await;
    let tenancy = tenancy("");
    let reports =
        [predicted(&db, &tenancy, PredictWay::Catalog).await, predicted(&db, &tenancy, PredictWay::Trial).await];
    let database = connect(&db, Role::Owner).await;
    let (_go, stop) = watch::channel(false);
    rollout(&database, &tenancy, &RolloutOptions::default(), "a test", stop, &mut |_| ()).await.unwrap();
    database.close().await;
    let mut session = db.superuser().await;
    for (at, statement) in statements(STATEMENTS).unwrap().iter().enumerate() {
        run(&mut session, "BEGIN; SET LOCAL enable_seqscan = off").await;
        let after = searches(&plan(&mut session, &statement.text, Some("t1")).await);
        run(&mut session, "ROLLBACK").await;
        for report in &reports {
            let lost = lost(report, at + 1);
            // By lower() it is lost, and by the key it is not.
            assert_eq!(lost.is_empty(), statement.text.contains("id ="), "{}: {report:#?}", statement.text);
            assert!(lost.is_disjoint(&after), "{}: {lost:?} {after:?}", statement.text);
        }
        assert!(!after.iter().any(|(_, condition)| condition.contains("lower")), "{after:?}");
    }
    session.close().await;
}

#[tokio::test]
async fn a_table_whose_column_is_to_come_is_named_as_not_tried() {
    let db = test_support::empty_database().await;
    let mut owner = db.owner().await;
    run(&mut owner, MADE).await;
    owner.close().await;
    let tenancy = tenancy(
        "[tables.notes]\nadd_column = { through = \"invoice_id\", table = \"invoices\" }\n[tables.visits]\nexempt = \"counted, not read\"\n",
    );
    let report = predicted(&db, &tenancy, PredictWay::Trial).await;
    let of = |name: &str| report.tables.iter().find(|table| table.table.name().as_str() == name);
    assert_eq!(of("notes").unwrap().not_tried, Some(TableNotTried::ColumnToCome), "{report:#?}");
    assert!(of("visits").is_none() && of("items").unwrap().not_tried.is_none(), "{report:#?}");
    assert!(lost(&report, 3).is_empty(), "an exempt table gets no policies: {report:#?}");
}

//! What is said of all tables: also of those that have no source.

use backfill_engine::{AbsentSource, BackfillReport, Error, FailedTable, NotRun, RowsWithoutTenant, TablesReport};
use local_db::Role;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::Catalog;
use tenant_inventory::class::Unhandled;
use test_support::TestDb;

use crate::support::{backfill_table, connect, fast, script};

const TABLES: &str = r#"
    CREATE TABLE orgs (id text PRIMARY KEY);
    CREATE TABLE people (id int PRIMARY KEY, tenant_id text NOT NULL);
    CREATE TABLE notes (id int PRIMARY KEY, person int, tenant_id text);
    CREATE TABLE lonely (id int PRIMARY KEY, tenant_id text);
    CREATE TABLE full_of_tenants (id int PRIMARY KEY, tenant_id text);
    CREATE TABLE platform (id int PRIMARY KEY, tenant_id text);
    CREATE TABLE numbered (id int PRIMARY KEY, tenant_id int);
    CREATE TABLE copies (id int PRIMARY KEY, org_id text);
    INSERT INTO orgs VALUES ('a');
    INSERT INTO people VALUES (1, 'a');
    INSERT INTO notes VALUES (1, 1, NULL), (2, 1, NULL);
    INSERT INTO lonely VALUES (1, NULL), (2, NULL), (3, 'a');
    INSERT INTO full_of_tenants VALUES (1, 'a');
    INSERT INTO platform VALUES (1, NULL);
    INSERT INTO numbered VALUES (1, NULL);
"#;

const RULES: &str = r#"
    columns = ["tenant_id"]
    [tenant]
    table = "orgs"
    [tables.notes]
    sources = [{ name = "person", column = "person", table = "people" }]
    [tables.lonely]
    sources = [{ name = "person", column = "person", table = "nowhere" }]
    [tables.platform]
    platform_rows = true
"#;

fn tenancy() -> Tenancy {
    Tenancy::from_toml(RULES, "tenancy.toml".as_ref()).unwrap()
}

async fn tables() -> TestDb {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, TABLES).await;
    db
}

async fn notes(db: &TestDb) -> BackfillReport {
    backfill_table(db, Role::Owner, "notes", &tenancy(), &fast(), &mut |_| {}).await.unwrap()
}

async fn report(db: &TestDb, tables: Vec<BackfillReport>, failed: Vec<FailedTable>) -> TablesReport {
    let database = connect(db, Role::Owner).await;
    let catalog = Catalog::load(&database, &tenancy()).await.unwrap();
    let report = TablesReport::of(&database, &tenancy(), &catalog, (tables, failed), true).await.unwrap();
    database.close().await;
    report
}

#[tokio::test]
async fn rows_without_a_tenant_in_tables_without_a_source_are_counted_and_the_tables_are_named() {
    let db = tables().await;
    let report = report(&db, vec![notes(&db).await], Vec::new()).await;
    assert_eq!(report.tables[0].remaining, 0);
    let found = report.not_run.iter().map(|table| (table.table.name().as_str(), &table.why, table.rows.counted()));
    let differ = Unhandled::TypesDiffer { column: "integer".into(), key: "text".into() };
    let unhandled = NotRun::Unhandled { column: "tenant_id".into(), why: differ };
    let absent =
        AbsentSource { name: "person".into(), table: TableName::parse("nowhere", "public").unwrap(), closest: None };
    let lacking = NotRun::SourcesAbsent { absent: vec![absent] };
    let expected = [
        ("full_of_tenants", &NotRun::NoSource, 0),
        ("lonely", &lacking, 2),
        ("numbered", &unhandled, 1),
        ("people", &NotRun::NoSource, 0),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
    assert_eq!((report.remaining(), report.is_complete()), (3, false));
    let covered = "5 covered; 1 suspect: public.copies; 1 unhandled: public.numbered";
    assert_eq!(report.coverage.to_string(), covered);
}

#[tokio::test]
async fn where_they_cannot_be_counted_that_is_said_and_the_run_is_not_complete() {
    let db = tables().await;
    let report_of_notes = notes(&db).await;
    let hide = "DELETE FROM lonely WHERE tenant_id IS NULL; DELETE FROM numbered;
                ALTER TABLE lonely ENABLE ROW LEVEL SECURITY; ALTER TABLE lonely FORCE ROW LEVEL SECURITY";
    script(&mut db.owner().await, hide).await;
    let report = report(&db, vec![report_of_notes], Vec::new()).await;
    let lonely = report.not_run.iter().find(|table| table.table.name().as_str() == "lonely").unwrap();
    assert!(matches!(&lonely.rows, RowsWithoutTenant::Unseen { obstacles } if obstacles[0].filters()), "{lonely:?}");
    assert_eq!((report.remaining(), report.is_complete()), (0, false));
}

#[tokio::test]
async fn a_table_that_fails_is_named_and_leaves_the_run_incomplete() {
    let db = tables().await;
    script(&mut db.owner().await, "DELETE FROM lonely WHERE tenant_id IS NULL; DELETE FROM numbered").await;
    let table = TableName::parse("notes", "public").unwrap();
    let failed = FailedTable::of(&table, Error::NoSource { table: table.clone(), absent: Vec::new() }).unwrap();
    let report = report(&db, Vec::new(), vec![failed]).await;
    assert_eq!(report.failed[0].error, "public.notes cannot be backfilled: tenancy.toml names no source for it");
    assert!(!report.is_complete() && report.not_run.iter().all(|table| table.rows.none()));
}

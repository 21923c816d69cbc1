//! Values that stand in the place of a tenant's key become keys, or nothing; and back again.

use backfill_engine::{BackfillPlan, BackfillReport, Error, MapPair, Mapping, RowKind, pairs_of, stray_values, why};
use local_db::Role;
use tenancy_config::{Exit, TableName, Tenancy, UserError};
use tenant_inventory::{CalledBy, Catalog};
use test_support::TestDb;

use crate::row_security::{STRICT, protect_tables};
use crate::support::{by_source, connect, fast, number, run, script};
use crate::undo::undo_with;

const TABLES: &str = r#"
    CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text UNIQUE, name text, status text);
    CREATE TABLE orders (id int PRIMARY KEY, "tenantId" varchar(40));
    CREATE TABLE logs (id int PRIMARY KEY, "tenantId" uuid);
    CREATE TABLE strict (id int PRIMARY KEY, "tenantId" text NOT NULL);
    INSERT INTO "Tenant" VALUES ('t_a', 'acme', 'Acme Inc', 'ACTIVE'), ('t_b', 'bolt', 'Twice', 'ACTIVE'), ('t_c', 'core', 'Twice', 'ACTIVE');
    INSERT INTO orders SELECT n, (ARRAY['acme', 'Acme Inc', 'Twice', 'deploy-preview-12--acme', '', 't_a', NULL, 'it''s "odd" '])[n % 8 + 1]
    FROM generate_series(0, 399) n;
    INSERT INTO strict VALUES (1, 'acme'), (2, 't_a')"#;

const ORDERS: &str =
    r#"SELECT hashtext(string_agg(id || coalesce("tenantId", 'NULL'), ',' ORDER BY id))::bigint FROM orders"#;

async fn shop() -> (TestDb, Tenancy) {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, TABLES).await;
    let rules = "[tenant]\ntable = \"Tenant\"\n[tables]\n";
    (db, Tenancy::from_toml(rules, "tenancy.toml".as_ref()).unwrap())
}

fn pair(from: &str, to: Option<&str>) -> MapPair {
    MapPair { from: from.to_owned(), to: to.map(str::to_owned) }
}

async fn map(db: &TestDb, tenancy: &Tenancy, table: &str, pairs: &[MapPair]) -> Result<BackfillReport, Error> {
    let database = connect(db, Role::Owner).await;
    let catalog = Catalog::load(&database, tenancy).await?;
    let mapping = Mapping::of(&database, tenancy, pairs).await?;
    let plan = BackfillPlan::map(&catalog, tenancy, table, &mapping)?;
    let options = backfill_engine::BackfillOptions { batch_time: std::time::Duration::from_millis(1), ..fast() };
    let report = run(&database, tenancy, &plan, &options, &mut |_| {}).await;
    database.close().await;
    report
}

#[tokio::test]
async fn values_are_listed_with_their_rows_and_the_one_tenant_that_is_called_so() {
    let (db, tenancy) = shop().await;
    let database = connect(&db, Role::Owner).await;
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    let tables: Vec<TableName> = catalog.tables.iter().map(|table| table.name.clone()).collect();
    let report = stray_values(&database, &tenancy, &catalog, &tables).await.unwrap();
    let orders = &report.tables.iter().find(|table| table.table.name().as_str() == "orders").unwrap().stray;
    assert_eq!((orders.values.len(), orders.more_values, orders.rows), (6, 0, 300));
    let proposal = |value: &str| {
        let found = orders.values.iter().find(|stray| stray.value == value).unwrap();
        assert_eq!(found.rows, 50);
        found.proposal.as_ref().map(|called| (called.tenant.as_str(), called.by))
    };
    assert_eq!(proposal("acme"), Some(("t_a", CalledBy::Slug)));
    assert_eq!(proposal("Acme Inc"), Some(("t_a", CalledBy::Name)));
    assert_eq!((proposal("Twice"), proposal("")), (None, None), "two tenants have that name");
    assert!(report.unread.is_empty() && !report.is_clean());
}

#[tokio::test]
async fn values_become_keys_or_nothing_and_an_undo_gives_every_row_what_it_had() {
    let (db, tenancy) = shop().await;
    let before = number(&mut db.superuser().await, ORDERS).await;
    let pairs =
        [pair("acme", Some("t_a")), pair("", None), pair("it's \"odd\" ", Some("bolt")), pair("nowhere", Some("t_b"))];
    let report = map(&db, &tenancy, "orders", &pairs).await.unwrap();
    assert_eq!((report.assigned, report.remaining, report.about), (150, 0, RowKind::Values));
    let by = [
        ("\"acme\" to t_a", 50),
        ("\"\" to NULL", 50),
        ("\"it's \\\"odd\\\" \" to t_b", 50),
        ("\"nowhere\" to t_b", 0),
    ];
    assert_eq!(by_source(&report), by);
    let count = r#"SELECT count(*) FROM orders WHERE "tenantId" = 't_a' OR ("tenantId" IS NULL AND id % 8 IN (4, 6))"#;
    assert_eq!(number(&mut db.superuser().await, count).await, 200);

    let database = connect(&db, Role::Owner).await;
    let table = TableName::parse("orders", "public").unwrap();
    let assignments = why(&database, &tenancy, &table, "0").await.unwrap();
    assert_eq!(assignments[0].before.as_deref(), Some("acme"));
    let taken = undo_with(&db, &tenancy, report.run.unwrap(), false).await.unwrap();
    assert_eq!((taken.undone, taken.kept), (150, 0));
    assert_eq!(number(&mut db.superuser().await, ORDERS).await, before);
}

#[tokio::test]
async fn a_row_that_was_changed_since_is_left_alone_by_the_undo() {
    let (db, tenancy) = shop().await;
    let run = map(&db, &tenancy, "orders", &[pair("acme", Some("t_a")), pair("", None)]).await.unwrap().run.unwrap();
    let change =
        r#"UPDATE orders SET "tenantId" = 't_b' WHERE id = 0; UPDATE orders SET "tenantId" = 't_c' WHERE id = 4"#;
    script(&mut db.superuser().await, change).await;
    let dry = undo_with(&db, &tenancy, run, true).await.unwrap();
    let done = undo_with(&db, &tenancy, run, false).await.unwrap();
    assert_eq!(((dry.undone, dry.kept), (done.undone, done.kept)), ((98, 2), (98, 2)));
}

#[tokio::test]
async fn a_run_into_a_column_that_requires_a_tenant_can_be_undone_and_never_makes_it_null() {
    let (db, tenancy) = shop().await;
    let refused = map(&db, &tenancy, "strict", &[pair("acme", None)]).await.unwrap_err();
    assert!(refused.to_string().contains("NOT NULL"), "{refused}");
    let run = map(&db, &tenancy, "strict", &[pair("acme", Some("acme"))]).await.unwrap().run.unwrap();
    assert_eq!(undo_with(&db, &tenancy, run, false).await.unwrap().undone, 1);
    let back = r#"SELECT count(*) FROM strict WHERE id = 1 AND "tenantId" = 'acme'"#;
    assert_eq!(number(&mut db.superuser().await, back).await, 1);
}

#[tokio::test]
async fn a_tenants_key_is_never_mapped_and_a_column_of_another_type_never_asked() {
    let (db, tenancy) = shop().await;
    let refused = map(&db, &tenancy, "orders", &[pair("t_a", Some("t_b"))]).await.unwrap_err();
    assert_eq!(
        (refused.to_string().as_str(), refused.exit()),
        (r#""t_a" is the key of a tenant, whose rows are not changed"#, Exit::Usage)
    );
    let refused = map(&db, &tenancy, "logs", &[pair("acme", Some("t_b"))]).await.unwrap_err();
    assert!(refused.to_string().contains("tenant"), "{refused}");
    let refused = map(&db, &tenancy, "orders", &[pair("acme", Some("nobody"))]).await.unwrap_err();
    assert!(matches!(refused, Error::Database(tenant_rls::Error::UnknownTenant { .. })), "{refused}");
}

#[tokio::test]
async fn a_value_that_becomes_a_key_before_its_batch_is_no_longer_changed() {
    let (db, tenancy) = shop().await;
    let database = connect(&db, Role::Owner).await;
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    let mapping = Mapping::of(&database, &tenancy, &[pair("acme", Some("t_a")), pair("", Some("t_b"))]).await.unwrap();
    let plan = BackfillPlan::map(&catalog, &tenancy, "orders", &mapping).unwrap();
    script(&mut db.owner().await, r#"INSERT INTO "Tenant" VALUES ('acme', 'new', 'New', 'ACTIVE')"#).await;
    let report = run(&database, &tenancy, &plan, &fast(), &mut |_| {}).await.unwrap();
    assert_eq!(report.assigned, 50);
    assert_eq!(number(&mut db.superuser().await, r#"SELECT count(*) FROM orders WHERE "tenantId" = 'acme'"#).await, 50);
}

#[tokio::test]
async fn under_force_the_owner_is_refused_instead_of_finding_nothing() {
    let (db, tenancy) = shop().await;
    protect_tables(&db, &["orders"], STRICT, true).await;
    let refused = map(&db, &tenancy, "orders", &[pair("acme", Some("t_a"))]).await.unwrap_err();
    assert!(matches!(refused, Error::Filtered { .. } | Error::Database(tenant_rls::Error::CannotSee(_))), "{refused}");
}

#[test]
fn a_file_has_a_tenant_for_each_value_and_an_empty_one_is_null_on_request_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.csv");
    let read = |text: &str, to_null| {
        std::fs::write(&path, text).unwrap();
        pairs_of(&path, to_null).map_err(|error| error.to_string().split(": ").last().unwrap_or_default().to_owned())
    };
    let text = "\u{feff}from,rows,to\nacme,3,t_a\n\"\",5,\nacme,1,t_a\n\"a,\"\"b\",1,bolt\n";
    assert_eq!(read(text, false).unwrap(), [pair("a,\"b", Some("bolt")), pair("acme", Some("t_a"))]);
    assert_eq!(read(text, true).unwrap()[0], pair("", None));
    assert_eq!(read("from,to\nacme,t_a\nacme,t_b\n", false).unwrap_err(), r#"it maps "acme" to two tenants"#);
    assert!(read("value,to\n", false).unwrap_err().starts_with("it has no column `from`"));
    assert!(read("from,to\nacme,\n", false).unwrap_err().starts_with("no line of it names a tenant"));
    assert!(read("from,to\nacme\n", false).is_err(), "a line with a cell too few");
}

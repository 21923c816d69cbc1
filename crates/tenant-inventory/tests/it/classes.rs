//! What each table of a real database is to the tenants.

use std::path::Path;

use local_db::Role;
use tenancy_config::Tenancy;
use tenant_inventory::class::{Class, ClassifiedTable, Suspicion, Unhandled, classify};
use tenant_inventory::{Catalog, MissingPart, RegistryState, read_all_tables};
use test_support::TestDb;

use crate::support::connect;

async fn classes(db: &TestDb, tenancy: &Tenancy) -> Vec<ClassifiedTable> {
    // An ordinary role: no right on any table is needed.
    let database = connect(db, Role::AppUser).await;
    let classified = classify(&read_all_tables(&database, tenancy).await.unwrap(), tenancy).unwrap();
    database.close().await;
    classified
}

fn of<'a>(classified: &'a [ClassifiedTable], name: &str) -> &'a Class {
    let found = classified.iter().find(|table| table.table.to_string() == name);
    &found.unwrap_or_else(|| panic!("{name} is left out: {classified:?}")).class
}

#[tokio::test]
async fn every_table_of_the_default_application_has_a_class() {
    let db = test_support::database().await;
    let classified = classes(&db, &Tenancy::default()).await;
    assert_eq!(*of(&classified, "public.Tenant"), Class::Registry);
    assert_eq!(*of(&classified, "public.bookings"), Class::Tenant { column: "tenantId".into() });
    let tables = "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'public'";
    let count: i64 = sqlx::query_scalar(tables).fetch_one(db.superuser().await.connection()).await.unwrap();
    assert_eq!(classified.len() as i64, count);
}

#[tokio::test]
async fn tables_of_a_foreign_schema_are_told_apart_by_columns_keys_and_kinds() {
    let db = test_support::empty_database().await;
    let made = r#"
        CREATE SCHEMA app;
        CREATE TABLE app.orgs (id uuid PRIMARY KEY, name text);
        CREATE TABLE app.invoices (id int PRIMARY KEY, org_id uuid NOT NULL, total int, sent date);
        CREATE TABLE app.invoice_items (id int PRIMARY KEY, invoice_id int REFERENCES app.invoices);
        CREATE TABLE app.item_notes (id int, item_id int REFERENCES app.invoice_items);
        CREATE TABLE app.members (id int, org uuid REFERENCES app.orgs);
        CREATE TABLE app.teams (id int, "organizationId" uuid);
        CREATE TABLE app.invoices_2023 AS SELECT id, total, sent FROM app.invoices;
        CREATE TABLE app.texts (org_id text);
        CREATE TABLE app.computed (a uuid, org_id uuid GENERATED ALWAYS AS (a) STORED);
        CREATE TABLE app.parts (id int, org_id uuid) PARTITION BY RANGE (id);
        CREATE TABLE app.parts_1 PARTITION OF app.parts FOR VALUES FROM (0) TO (9);
        CREATE TABLE app.old_invoices () INHERITS (app.invoices);
        CREATE TABLE app.countries (code text PRIMARY KEY);
        CREATE TABLE app.posts (id int, org_id uuid);
        CREATE VIEW app.seen AS SELECT * FROM app.invoices;"#;
    db.superuser().await.run_script("preparing a test", made).await.unwrap();
    let toml =
        "columns = [\"org_id\"]\n[database]\nschema = \"app\"\n[tenant]\ntable = \"orgs\"\nkey = \"id\"\n[tables]\n";
    let tenancy = Tenancy::from_toml(toml, Path::new("tenancy.toml")).unwrap();
    let classified = classes(&db, &tenancy).await;
    let tenant = Class::Tenant { column: "org_id".into() };
    let name = |name: &str| tenancy_config::TableName::parse(name, "app").unwrap();
    let suspect = |why| Class::Suspect { why };
    let unhandled = |why| Class::Unhandled { column: "org_id".into(), why };
    for (table, class) in [
        ("app.orgs", Class::Registry),
        ("app.invoices", unhandled(Unhandled::Inherits)),
        ("app.parts", tenant.clone()),
        ("app.posts", tenant),
        ("app.invoice_items", Class::Dependent { through: vec![name("invoices")] }),
        ("app.item_notes", Class::Dependent { through: vec![name("invoice_items"), name("invoices")] }),
        ("app.members", suspect(Suspicion::KeyToRegistry { columns: vec!["org".into()] })),
        ("app.teams", suspect(Suspicion::ColumnName { column: "organizationId".into() })),
        ("app.invoices_2023", suspect(Suspicion::CopyOf { table: name("invoices") })),
        ("app.texts", unhandled(Unhandled::TypesDiffer { column: "text".into(), key: "uuid".into() })),
        ("app.computed", unhandled(Unhandled::Generated)),
        ("app.old_invoices", unhandled(Unhandled::Inherits)),
        ("app.countries", Class::Unrelated),
    ] {
        assert_eq!(*of(&classified, table), class, "{table}");
    }
    // Partitions are their parent's, and a view is no table.
    assert_eq!(classified.len(), 13);
}

#[tokio::test]
async fn a_table_is_not_handled_where_a_part_of_it_belongs_to_somebody_whom_nobody_relies_on() {
    let db = test_support::empty_database().await;
    let made = r#"
        CREATE TABLE "Tenant" (id text PRIMARY KEY);
        CREATE TABLE mine ("tenantId" text);
        CREATE TABLE visits (id int, "tenantId" text) PARTITION BY RANGE (id);
        CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (9);
        CREATE TABLE evil ("tenantId" text);
        CREATE TABLE notes (id int);"#;
    db.owner().await.run_script("preparing a test", made).await.unwrap();
    let given = "ALTER TABLE visits_1 OWNER TO app_user; ALTER TABLE evil OWNER TO app_user; ALTER TABLE notes OWNER TO app_user";
    db.superuser().await.run_script("preparing a test", given).await.unwrap();
    let database = connect(&db, Role::Owner).await;
    let mut tenancy = Tenancy::default();
    tenancy.tables.clear();
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    let read: Vec<String> = catalog.tables.iter().map(|table| table.name.to_string()).collect();
    assert_eq!(read, ["public.mine"], "no statement is made for the others");
    let missing: Vec<(String, MissingPart)> =
        catalog.missing.iter().map(|missing| (missing.table.to_string(), missing.what)).collect();
    let untrusted = |table: &str| (table.to_owned(), MissingPart::TrustedOwner);
    assert_eq!(missing, [untrusted("public.evil"), untrusted("public.visits")]);
    let of = |name: &str| catalog.classified.iter().find(|table| table.table.to_string() == name).unwrap();
    let stranger = |table: &str| {
        let table = tenancy_config::TableName::parse(table, "public").unwrap();
        Class::Unhandled { column: "tenantId".into(), why: Unhandled::Stranger { table, owner: "app_user".into() } }
    };
    assert_eq!(of("public.visits").class, stranger("visits_1"));
    assert_eq!(of("public.evil").class, stranger("evil"));
    assert!(of("public.notes").stranger.is_some(), "it has no tenant column, and is not to be read either");
    let asked = catalog.table(&tenancy_config::TableName::parse("evil", "public").unwrap());
    assert!(matches!(asked, Err(tenant_rls::Error::Strangers(_))), "{asked:?}");
    tenancy.database.owners = vec!["app_user".to_owned()];
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    assert_eq!((catalog.tables.len(), catalog.missing.len()), (3, 0));
}

#[tokio::test]
async fn what_the_tenant_table_is_in_this_database_is_told() {
    for (made, state) in [
        (r#"CREATE TABLE "Tenant" (id text PRIMARY KEY)"#, RegistryState::Table { row_security: false }),
        (
            r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); ALTER TABLE "Tenant" ENABLE ROW LEVEL SECURITY"#,
            RegistryState::Table { row_security: true },
        ),
        (r#"CREATE TABLE "Tenant" (key text PRIMARY KEY)"#, RegistryState::WithoutKey),
        (r#"CREATE VIEW "Tenant" AS SELECT 'a' AS id"#, RegistryState::View),
        ("SELECT", RegistryState::Missing),
    ] {
        let db = test_support::empty_database().await;
        db.owner().await.run_script("preparing a test", made).await.unwrap();
        let database = connect(&db, Role::Owner).await;
        let catalog = Catalog::load(&database, &Tenancy::default()).await.unwrap();
        assert_eq!(catalog.registry, state, "{made}");
    }
}

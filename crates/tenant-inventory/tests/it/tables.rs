//! The tenant tables as PostgreSQL has them.

use local_db::Role;
use tenancy_config::Tenancy;
use tenant_inventory::Catalog;
use tenant_inventory::MissingPart;

use crate::support::connect;

#[tokio::test]
async fn every_table_of_the_application_is_found_with_its_tenant_column() {
    let db = test_support::database().await;
    let database = connect(&db, Role::AppUser).await;
    let catalog = Catalog::load(&database, &Tenancy::default()).await.unwrap();
    assert_eq!(catalog.missing, []);
    assert_eq!(catalog.tenant_key_type.as_deref(), Some("text"));
    let column =
        |name: &str| catalog.tables.iter().find(|t| t.name.name().as_str() == name).map(|t| t.column.name.as_str());
    assert_eq!(column("bookings"), Some("tenantId"));
    assert_eq!(column("service_views"), Some("tenant_id"));
    assert_eq!(column("Tenant"), None);
    let bookings = catalog.tables.iter().find(|t| t.name.to_string() == "public.bookings").unwrap();
    assert_eq!(bookings.key, ["id"]);
    assert!(bookings.tenant_index && !bookings.column.never_null && !bookings.rls_enabled);
    assert_eq!(bookings.foreign_keys.len(), 4);
}

#[tokio::test]
async fn views_are_left_out_and_missing_tables_named() {
    let db = test_support::empty_database().await;
    let made = r#"CREATE TABLE "Tenant" (id uuid PRIMARY KEY); CREATE TABLE users (id int);
                  CREATE TABLE "We""ird" ("tenantId" uuid NOT NULL); CREATE VIEW seen AS SELECT * FROM "We""ird";"#;
    db.owner().await.run_script("preparing a test", made).await.unwrap();
    let database = connect(&db, Role::Owner).await;
    let catalog = Catalog::load(&database, &Tenancy::default()).await.unwrap();
    let names: Vec<String> = catalog.tables.iter().map(|table| table.name.to_string()).collect();
    assert_eq!(names, ["public.We\"ird"]);
    assert!(catalog.tables[0].column.never_null);
    let of = |name: &str| catalog.missing.iter().find(|m| m.table.name().as_str() == name).map(|m| m.what);
    assert_eq!(of("bookings"), Some(MissingPart::Table));
}

//! What tables lack.

use local_db::Role;
use tenancy_config::UserError;
use tenancy_config::{Exit, Tenancy};
use tenant_audit::{Error, MissingPiece};

use crate::support::{audit_as, connect, no_expected_tables, run, table};

#[tokio::test]
async fn a_table_that_is_not_there_and_one_without_the_column_are_reported() {
    let db = test_support::database().await;
    run(&db, r#"DROP TABLE invoices; ALTER TABLE expenses DROP COLUMN "tenantId";"#).await;
    let report = audit_as(&db, Role::Owner, &Tenancy::default(), &[]).await.unwrap();
    let missing = serde_json::to_value(&report.missing).unwrap();
    let expected = serde_json::json!([
        {"table": "public.expenses", "what": "tenant_column"},
        {"table": "public.invoices", "what": "table"},
    ]);
    assert_eq!(missing, expected);
    let only = audit_as(&db, Role::Owner, &Tenancy::default(), &["expenses"]).await.unwrap();
    assert_eq!((only.tables.len(), only.findings()), (0, 1));
}

#[tokio::test]
async fn an_unknown_table_is_an_error_that_names_the_closest() {
    let db = test_support::database().await;
    let error = audit_as(&db, Role::Owner, &Tenancy::default(), &["boking"]).await.unwrap_err();
    assert!(matches!(&error, Error::Database(tenant_rls::Error::NoTable { .. })), "{error}");
    assert_eq!(error.exit(), Exit::Usage);
}

#[tokio::test]
async fn a_table_without_tenants_is_not_said_to_be_missing() {
    let db = test_support::empty_database().await;
    run(
        &db,
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY);
           CREATE TABLE colours (id int PRIMARY KEY);
           CREATE TABLE bare (id int PRIMARY KEY, tenant_id text)"#,
    )
    .await;
    for table in ["Tenant", "colours"] {
        let error = audit_as(&db, Role::Owner, &Tenancy::default(), &[table]).await.unwrap_err();
        assert!(matches!(&error, Error::Database(tenant_rls::Error::NotTenants { .. })), "{error}");
        assert_eq!(error.exit(), Exit::Usage);
    }
}

#[tokio::test]
async fn a_bare_table_lacks_index_not_null_and_foreign_key() {
    let db = test_support::empty_database().await;
    run(
        &db,
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY);
           CREATE TABLE bare (id int PRIMARY KEY, tenant_id text);
           CREATE TABLE half (id int PRIMARY KEY, tenant_id text);
           ALTER TABLE half ADD FOREIGN KEY (tenant_id) REFERENCES "Tenant" NOT VALID;"#,
    )
    .await;
    let report = audit_as(&db, Role::Superuser, &no_expected_tables(), &[]).await.unwrap();
    let bare = [MissingPiece::Index, MissingPiece::NotNull, MissingPiece::ForeignKey];
    assert_eq!(table(&report, "public.bare").missing, bare);
    let half = [MissingPiece::Index, MissingPiece::NotNull, MissingPiece::ForeignKeyValidation];
    assert_eq!(table(&report, "public.half").missing, half);
    assert_eq!(report.findings(), 6);
}

#[tokio::test]
async fn without_a_tenant_table_there_are_no_ghosts_to_look_for() {
    let db = test_support::empty_database().await;
    run(&db, "CREATE TABLE alone (id int PRIMARY KEY, tenant_id text); INSERT INTO alone VALUES (1, 'a'), (2, NULL);")
        .await;
    let report = audit_as(&db, Role::Superuser, &no_expected_tables(), &[]).await.unwrap();
    assert!(!report.tenants_found);
    assert_eq!((table(&report, "public.alone").ghost_rows, report.totals.null_rows), (None, 1));
}

#[tokio::test]
async fn a_database_without_any_tenant_table_is_an_empty_report() {
    let db = test_support::empty_database().await;
    let report = audit_as(&db, Role::AppUser, &no_expected_tables(), &[]).await.unwrap();
    assert_eq!((report.tables.len(), report.role.is_none()), (0, true));
}

#[tokio::test]
async fn a_not_null_that_is_not_validated_is_no_proof() {
    let db = test_support::empty_database().await;
    if connect(&db, Role::Superuser).await.session().server_version_num < 180_000 {
        return; // there, NOT NULL is always validated; PG_VERSION=18 tries this
    }
    run(
        &db,
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY);
           CREATE TABLE claimed (id int PRIMARY KEY, tenant_id text);
           INSERT INTO claimed VALUES (1, NULL);
           ALTER TABLE claimed ADD CONSTRAINT claimed_tenant NOT NULL tenant_id NOT VALID;"#,
    )
    .await;
    let report = audit_as(&db, Role::Superuser, &no_expected_tables(), &[]).await.unwrap();
    let claimed = table(&report, "public.claimed");
    assert_eq!((claimed.null_proven, claimed.null_rows), (false, 1));
    assert!(claimed.missing.contains(&MissingPiece::NotNullValidation));
}

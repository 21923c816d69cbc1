//! What a test gets when it asks for a database.

use local_db::Role;
use sqlx::Row;
use tenant_rls::DirectConnection;

async fn count(session: &mut DirectConnection, table_query: &'static str) -> i64 {
    sqlx::query(table_query).fetch_one(session.connection()).await.unwrap().get(0)
}

const TABLES: &str = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";

#[tokio::test]
async fn a_database_has_the_tables_and_they_are_the_owners() {
    let db = test_support::database().await;
    let mut owner = db.owner().await;
    assert!(count(&mut owner, TABLES).await > 0);
    let others = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner <> 'app_owner'";
    assert_eq!(count(&mut owner, others).await, 0);
}

#[tokio::test]
async fn an_empty_database_has_no_table_and_belongs_to_the_owner() {
    let db = test_support::empty_database().await;
    let mut owner = db.owner().await;
    assert_eq!(count(&mut owner, TABLES).await, 0);
    owner.run_script("creating a table", "CREATE TABLE mine (id int)").await.unwrap();
}

#[tokio::test]
async fn the_application_logs_in_as_an_ordinary_role() {
    let db = test_support::database().await;
    let mut app = db.app_user().await;
    let powers = "SELECT count(*) FROM pg_roles WHERE rolname = session_user \
                  AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)";
    assert_eq!(count(&mut app, powers).await, 0);
}

#[tokio::test]
async fn what_one_test_writes_no_other_sees() {
    let (one, other) = tokio::join!(test_support::database(), test_support::database());
    let insert = r#"INSERT INTO "Tenant" (id, slug, name, "updatedAt") VALUES ('t1', 'one', 'One', now())"#;
    one.owner().await.run_script("adding a tenant", insert).await.unwrap();
    let tenants = r#"SELECT count(*) FROM "Tenant""#;
    assert_eq!(count(&mut one.superuser().await, tenants).await, 1);
    assert_eq!(count(&mut other.superuser().await, tenants).await, 0);
}

#[tokio::test]
async fn a_throwaway_server_comes_back_after_a_crash() {
    let server = test_support::throwaway_server(None).await;
    let mut owner = server.connect(Role::Owner).await;
    server.crash().await;
    sqlx::query("SELECT 1").execute(owner.connection()).await.unwrap_err();
    server.start_again().await;
    assert_eq!(count(&mut server.connect(Role::Owner).await, "SELECT 1::bigint").await, 1);
}

//! An application whose tables are not in the schema `public`. Only its URL says so.

use local_db::Role;
use test_support::TestDb;

use crate::support::Place;

/// The application's tables in the schema `crm`, and the URL that says so.
async fn application() -> (TestDb, String) {
    let db = test_support::database().await;
    let mut session = db.superuser().await;
    session
        .run_script(
            "moving the application",
            "ALTER SCHEMA public RENAME TO crm; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO app_owner",
        )
        .await
        .unwrap();
    session.run_script("looking there", "SET search_path = crm").await.unwrap();
    session.run_script("making tenants", include_str!("tenants.sql")).await.unwrap();
    session.close().await;
    let url = format!("{}?schema=crm", db.url(Role::Owner).expose());
    (db, url)
}

async fn settings_of_acme(db: &TestDb) -> i64 {
    let mut session = db.superuser().await;
    let query = "SELECT count(*) FROM crm.organization_settings WHERE \"tenantId\" = 't_acme'";
    sqlx::query_scalar(query).fetch_one(session.connection()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_goes_where_the_urls_schema_says() {
    let (db, url) = application().await;
    let place = Place::new();
    let ended = place
        .run_with(&["seed-tenant-defaults", "--tenant", "acme", "--confirm", "127.0.0.1"], &[("DATABASE_URL", &url)]);
    assert_eq!(ended.status, 0, "{ended}");
    assert_eq!(settings_of_acme(&db).await, 1, "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn init_writes_the_urls_schema_and_doctor_shows_it() {
    let (_db, url) = application().await;
    let place = Place::new();
    let ended = place.run_with(&["init"], &[("DATABASE_URL", &url)]);
    assert_eq!(ended.status, 0, "{ended}");
    let written = std::fs::read_to_string(place.path().join("tenancy.toml")).unwrap();
    assert!(written.contains("schema = \"crm\"") && written.contains("[tables.bookings]"), "{written}");

    std::fs::remove_file(place.path().join("tenancy.toml")).unwrap();
    let ended = place.run_with(&["doctor"], &[("DATABASE_URL", &url)]);
    assert!(ended.stdout.contains("crm (from DATABASE_URL in the environment)"), "{ended}");
    assert!(ended.stdout.contains("crm.Tenant"), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_tenancy_toml_names_another_schema_nothing_is_written() {
    let (db, url) = application().await;
    let place = Place::new();
    place.write("tenancy.toml", "[database]\nschema = \"public\"\n");
    let ended = place
        .run_with(&["seed-tenant-defaults", "--tenant", "acme", "--confirm", "127.0.0.1"], &[("DATABASE_URL", &url)]);
    assert_eq!(ended.status, 2, "{ended}");
    assert!(ended.stderr.contains("the schema `crm`") && ended.stderr.contains("the schema `public`"), "{ended}");
    assert_eq!(settings_of_acme(&db).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_minted_for_who_is_in_the_urls_schema() {
    let (db, url) = application().await;
    let mut session = db.superuser().await;
    session.run_script("looking there", "SET search_path = crm").await.unwrap();
    session
        .run_script("removing the tenants", "DELETE FROM organization_settings; DELETE FROM \"Tenant\"")
        .await
        .unwrap();
    let people = include_str!("../../../crates/dev-jwt/tests/it/people.sql");
    session.run_script("planting people", people).await.unwrap();
    session.close().await;
    let env = [("DATABASE_URL", url.as_str()), ("NEXTAUTH_SECRET", "hunter2 and more, to be 32 bytes long")];
    let ended = Place::new()
        .run_with(&["jwt", "--email", "staff@example.com", "--format", "token", "--confirm", "127.0.0.1"], &env);
    assert_eq!(ended.status, 0, "{ended}");
    assert!(ended.stdout.starts_with("eyJ"), "{ended}");
}

//! The login of `sql/grants/reader.sql`: the commands that only read work with it, and it can write nothing.

use local_db::Role;
use tenancy_config::DatabaseUrl;
use tenant_rls::DirectConnection;

use crate::support::{Ended, Place};

const SCRIPT: &str = include_str!("../../../sql/grants/reader.sql");
const TRY_TO_WRITE: &str = include_str!("try_to_write.sql");

fn run(url: &DatabaseUrl, arguments: &[&str]) -> Ended {
    let ended = Place::new().run(&[arguments, &["--database-url", url.expose()]].concat());
    assert_eq!(ended.status, 0, "{arguments:?}: {ended}");
    ended
}

#[tokio::test]
async fn under_the_readers_login_doctor_audit_and_verify_work_and_nothing_can_be_written() {
    // Roles belong to the whole server, so this test needs one of its own.
    let server = test_support::throwaway_server(None).await;
    let (owner, app) = (server.url(Role::Owner), server.url(Role::AppUser));
    let mut superuser = server.connect(Role::Superuser).await;
    let rows = include_str!("../../../crates/rls-rollout/tests/it/clean_rows.sql");
    superuser.run_script("planting rows", rows).await.unwrap();
    run(&owner, &["rls", "rollout", "--confirm", "127.0.0.1"]);
    for _ in 0..2 {
        superuser.run_script("making the reader", SCRIPT).await.unwrap();
    }
    superuser.run_script("its password", "ALTER ROLE rowfence_reader PASSWORD 'local'").await.unwrap();
    let reader = owner.with_user("rowfence_reader", Some("local"));

    let doctor = run(&reader, &["doctor"]);
    assert!(doctor.stdout.contains("tenant_auditor sees every row"), "{doctor}");
    let audit = run(&reader, &["audit", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&audit.stdout).unwrap();
    let bookings = report["tables"].as_array().unwrap().iter().find(|table| table["table"] == "public.bookings");
    assert_eq!(bookings.unwrap()["rows"], 2, "{audit}");
    let verify = run(&reader, &["rls", "verify", "--format", "json", "--app-url", app.expose()]);
    let report: serde_json::Value = serde_json::from_str(&verify.stdout).unwrap();
    let bookings = report["tables"].as_array().unwrap().iter().find(|table| table["table"] == "public.bookings");
    let attempts = bookings.unwrap()["attempts"].as_array().unwrap();
    assert!(attempts.iter().any(|attempt| attempt["evidence"] == "held"), "nothing was tried: {verify}");

    for role in ["SET ROLE rowfence_reader", "SET ROLE tenant_auditor"] {
        let mut session = DirectConnection::as_application(&reader, "tests").await.unwrap();
        session.run_script("choosing a role", role).await.unwrap();
        session.run_script("trying to write", TRY_TO_WRITE).await.unwrap_or_else(|error| panic!("{role}: {error}"));
        session.run_script("reading a key", "SELECT id FROM bookings").await.unwrap_or_else(|error| {
            assert!(role.ends_with("rowfence_reader"), "{role}: {error}");
        });
        let content = session.run_script("reading content", r#"SELECT "clientEmail" FROM bookings"#).await.unwrap_err();
        assert_eq!(content.sqlstate(), Some("42501"), "{role}: {content}");
        session.close().await;
    }
    // A role with one right too many is reported.
    superuser.run_script("a right too many", "GRANT DELETE ON bookings TO rowfence_reader").await.unwrap();
    let mut session = DirectConnection::as_application(&reader, "tests").await.unwrap();
    let error = session.run_script("trying to write", TRY_TO_WRITE).await.unwrap_err().to_string();
    assert!(error.contains("DELETE FROM bookings WHERE false"), "{error}");
}

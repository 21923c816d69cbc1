//! Errors say what went wrong, why, and what to do next, and have the exit code that scripts rely on.

use std::os::unix::ffi::OsStrExt;

use insta::assert_snapshot;

use crate::support::Place;

#[test]
fn a_mistyped_command_gets_a_suggestion() {
    assert_snapshot!("mistyped_command", Place::new().run(&["backfill-booking"]));
}

#[test]
fn a_url_of_another_kind_of_database_is_refused_without_showing_it() {
    let ended = Place::new().run(&["audit", "--database-url", "mysql://root:hunter2@db.example.com/app"]);
    assert!(!ended.stderr.contains("hunter2"));
    assert_snapshot!("bad_url", ended);
}

#[test]
fn an_empty_url_is_never_the_local_database() {
    assert_snapshot!("empty_url", Place::new().run_with(&["audit"], &[("DATABASE_URL", "")]));
}

#[test]
fn ci_without_a_url_is_never_the_local_database() {
    assert_snapshot!("ci_without_url", Place::new().run_with(&["audit"], &[("CI", "true")]));
}

#[test]
fn an_unknown_key_in_tenancy_toml_gets_a_suggestion() {
    let place = Place::new();
    place.write("tenancy.toml", "[tenant]\ntabel = \"Tenant\"\n");
    assert_snapshot!("unknown_tenancy_key", place.run(&["doctor"]));
}

#[test]
fn a_tenancy_toml_that_is_not_there_is_an_error() {
    assert_snapshot!("no_such_config", Place::new().run(&["doctor", "--config", "other.toml"]));
}

#[test]
fn a_command_on_the_local_database_takes_no_url() {
    assert_snapshot!(
        "db_with_url",
        Place::new().run(&["db", "seed", "--database-url", "postgresql://db.example.com/app"])
    );
}

#[test]
fn a_server_that_does_not_answer_is_named_without_its_password() {
    // Nothing listens on port 1 of this machine.
    let ended =
        Place::new().run(&["audit", "--database-url", "postgresql://owner:hunter2@127.0.0.1:1/app?sslmode=disable"]);
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.starts_with("error: cannot connect to postgresql://owner:****@127.0.0.1:1/app"), "{ended}");
    assert!(!ended.stderr.contains("hunter2"));
}

#[test]
fn a_duration_without_a_unit_is_a_usage_error() {
    assert_snapshot!("duration_without_unit", Place::new().run(&["backfill-bookings", "--batch-time", "250"]));
}

#[test]
fn a_variable_that_is_not_text_is_never_unset() {
    let not_text = std::ffi::OsStr::from_bytes(b"postgresql://\xFF");
    for (variable, command) in [("DATABASE_URL", "audit"), ("CI", "audit"), ("NODE_ENV", "jwt"), ("USER", "doctor")] {
        let place = Place::new();
        let ended = place.command(&[command], &[]).env(variable, not_text).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{variable}: {said}");
        assert!(said.starts_with(&format!("error: the environment variable {variable} is not UTF-8")), "{said}");
        assert!(!place.path().join(".local-db").exists(), "{variable}: nothing was started");
    }
}

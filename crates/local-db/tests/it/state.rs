//! The state files of a cluster. A file that exists but says nothing is never taken for a missing one.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use local_db::{ClusterChange, ClusterState, Error, Reset, Role, StartOptions};
use tenancy_config::Exit;
use tenancy_config::UserError;
use tenant_rls::DirectConnection;

use crate::scratch::{Scratch, number, owner};

fn state(scratch: &Scratch) -> PathBuf {
    scratch.root().join(".local-db/cluster.json")
}

/// The error of every command that looks for the local database.
async fn refused(scratch: &Scratch) -> Error {
    let error = scratch.db().up(&mut |_| (), StartOptions::default()).await.unwrap_err();
    let db = scratch.db();
    for other in [db.status().unwrap_err(), db.running().unwrap_err()] {
        assert_eq!(other.to_string(), error.to_string());
    }
    assert_eq!(db.down().await.unwrap_err().to_string(), error.to_string());
    assert!(error.hint().is_some(), "{error}");
    error
}

#[tokio::test]
async fn a_state_that_tells_nothing_stops_no_server_and_deletes_no_data() {
    let scratch = Scratch::new();
    let running = scratch.up().await;
    let path = state(&scratch);
    let whole = fs::read(&path).unwrap();
    let truncated = &whole[..whole.len() / 2];
    for text in [&b""[..], truncated, b"\xFF\xFE", br#"{"version": 99}"#] {
        fs::write(&path, text).unwrap();
        let error = refused(&scratch).await;
        assert!(matches!(&error, Error::State { path, .. } if path.ends_with("cluster.json")), "{error}");
        assert!(scratch.db().is_ours(running.system_identifier()).is_err(), "it is not called foreign either");
        assert_eq!(number(&mut owner(&running).await, "SELECT 1::bigint").await, 1, "the server runs on");
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(refused(&scratch).await, Error::State { .. }));
    fs::remove_dir(&path).unwrap();
    fs::write(&path, whole).unwrap();
    assert_eq!(scratch.up().await.change(), ClusterChange::None, "nothing was lost");
}

#[tokio::test]
async fn data_without_the_file_that_tells_of_it_is_kept() {
    let scratch = Scratch::new();
    let running = scratch.up().await;
    let whole = fs::read(state(&scratch)).unwrap();
    fs::remove_file(state(&scratch)).unwrap();
    let error = scratch.db().up(&mut |_| (), StartOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::State { .. }), "{error}");
    assert_eq!(number(&mut owner(&running).await, "SELECT 1::bigint").await, 1);
    fs::write(state(&scratch), whole).unwrap();
    assert_eq!(scratch.up().await.change(), ClusterChange::None);
}

#[tokio::test]
async fn data_that_is_gone_is_missed_and_not_made_anew() {
    let scratch = Scratch::new();
    scratch.up().await;
    scratch.db().down().await.unwrap();
    let data = scratch.db().status().unwrap().data;
    fs::rename(&data, data.with_extension("away")).unwrap();
    let error = scratch.db().up(&mut |_| (), StartOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("its data is gone"), "{error}");
    fs::rename(data.with_extension("away"), &data).unwrap();
    assert_eq!(scratch.up().await.change(), ClusterChange::Started);
}

#[tokio::test]
async fn a_pointer_to_the_data_that_names_nothing_is_an_error() {
    let scratch = Scratch::private();
    fs::create_dir(scratch.root().join(".local-db")).unwrap();
    for text in ["", "server"] {
        fs::write(scratch.root().join(".local-db/elsewhere"), text).unwrap();
        let error = refused(&scratch).await;
        assert!(matches!(&error, Error::State { path, .. } if path.ends_with("elsewhere")), "{error}");
    }
}

#[tokio::test]
async fn a_reset_gets_over_a_state_that_tells_nothing() {
    let scratch = Scratch::new();
    let before = scratch.up().await;
    fs::write(state(&scratch), "").unwrap();
    let loss = scratch.db().loss().await.unwrap().expect("there is data");
    assert!(loss.bytes > 1_000_000 && loss.data.ends_with("server/data"), "{loss:?}");
    let after = scratch.db().reset(&mut |_| (), Reset::default()).await.unwrap();
    assert_ne!(after.system_identifier(), before.system_identifier());
}

#[tokio::test]
async fn the_state_holds_the_password_and_is_its_owners_alone() {
    let scratch = Scratch::new();
    let running = scratch.up().await;
    let url = running.url(Role::Superuser).unwrap();
    assert!(fs::read_to_string(state(&scratch)).unwrap().contains(url.expose_password().unwrap()));
    assert_eq!(state(&scratch).metadata().unwrap().mode() & 0o777, 0o600);
    let left = Path::new(&scratch.db().status().unwrap().data).parent().unwrap().join("password");
    assert!(!left.exists(), "initdb has read it");
}

#[tokio::test]
async fn nobody_logs_in_with_a_password_that_everybody_knows() {
    let scratch = Scratch::new();
    let running = scratch.up().await;
    for role in [Role::Superuser, Role::Owner, Role::AppUser] {
        let url = running.url(role).unwrap();
        DirectConnection::connect(&url, "tests").await.unwrap().close().await;
        for password in [None, Some("local"), Some("postgres"), Some(role.name())] {
            let error = DirectConnection::connect(&url.with_user(role.name(), password), "tests").await.unwrap_err();
            assert_eq!(error.sqlstate(), Some("28P01"), "{} with {password:?}: {error}", role.name());
        }
    }
}

/// A cluster as earlier versions of this program made it, with its server running.
async fn of_the_first_version(scratch: &Scratch) {
    let running = scratch.up().await;
    let mut session = DirectConnection::connect(&running.url(Role::Superuser).unwrap(), "tests").await.unwrap();
    let old = "ALTER ROLE postgres PASSWORD 'local'; ALTER ROLE app_owner PASSWORD 'local'; ALTER ROLE app_user PASSWORD 'local'";
    session.run_script("setting the old passwords", old).await.unwrap();
    session.close().await;
    let mut cluster: serde_json::Value = serde_json::from_slice(&fs::read(state(scratch)).unwrap()).unwrap();
    let mut first = cluster["cluster"].take();
    let fields = first.as_object_mut().unwrap();
    fields.remove("secret");
    fields.remove("next_secret");
    fs::write(state(scratch), first.to_string()).unwrap();
    fs::set_permissions(state(scratch), PermissionsExt::from_mode(0o644)).unwrap();
}

#[tokio::test]
async fn a_cluster_whose_password_was_known_to_all_gets_its_own() {
    let scratch = Scratch::new();
    for stopped in [false, true] {
        of_the_first_version(&scratch).await;
        if stopped {
            scratch.db().down().await.unwrap();
        }
        let mut notes = Vec::new();
        let running = scratch.db().up(&mut |note| notes.push(note.to_owned()), StartOptions::default()).await.unwrap();
        assert!(notes.iter().any(|note| note.contains("now it has its own")), "{notes:?}");
        let url = running.url(Role::AppUser).unwrap();
        DirectConnection::connect(&url, "tests").await.unwrap().close().await;
        let known = url.with_user("postgres", Some("local"));
        assert_eq!(DirectConnection::connect(&known, "tests").await.unwrap_err().sqlstate(), Some("28P01"));
        assert_eq!(state(&scratch).metadata().unwrap().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_change_of_passwords_that_was_cut_off_is_finished() {
    let scratch = Scratch::new();
    of_the_first_version(&scratch).await;
    let first = fs::read_to_string(state(&scratch)).unwrap();
    let url = scratch.up().await.url(Role::Superuser).unwrap();
    // As if it had been killed after the server got the new password, and before the file recorded it.
    let next = serde_json::json!(url.expose_password().unwrap());
    let mut pending: serde_json::Value = serde_json::from_str(&first).unwrap();
    pending["next_secret"] = next;
    fs::write(state(&scratch), pending.to_string()).unwrap();
    let again = scratch.up().await;
    assert_eq!(again.url(Role::Superuser).unwrap(), url);
    assert_eq!(number(&mut owner(&again).await, "SELECT 1::bigint").await, 1);
}

#[tokio::test]
async fn the_port_stays_from_one_reset_to_the_next_unless_somebody_has_it() {
    let scratch = Scratch::new();
    let port = scratch.up().await.port();
    let mut notes = Vec::new();
    let again = scratch.db().reset(&mut |note| notes.push(note.to_owned()), Reset::default()).await.unwrap();
    assert_eq!((again.port(), notes.iter().find(|note| note.contains("port"))), (port, None));

    scratch.db().down().await.unwrap();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let moved = scratch.db().reset(&mut |note| notes.push(note.to_owned()), Reset::default()).await.unwrap();
    assert_ne!(moved.port(), port);
    let said = format!("another program has port {port}: the local database listens on {} now", moved.port());
    assert!(notes.contains(&said), "{notes:?}");
}

#[tokio::test]
async fn a_reset_waits_for_who_is_connected_and_names_who_stays() {
    let scratch = Scratch::new();
    let running = scratch.up().await;
    let url = running.url(Role::Superuser).unwrap();
    let benchmark = DirectConnection::connect(&url, "bench").await.unwrap();

    let loss = scratch.db().loss().await.unwrap().unwrap();
    assert_eq!(loss.databases[0].database, "app");
    assert_eq!(loss.sessions[0].application, "bench");

    let error = scratch.db().reset(&mut |_| (), Reset::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the local database is in use by bench (1 session of postgres in app); nothing was deleted"
    );
    assert_eq!(error.exit(), Exit::Refused);
    assert_eq!(scratch.db().status().unwrap().state, ClusterState::Running);

    // A session that ends meanwhile is waited for.
    let ends = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        benchmark.close().await;
    });
    let after = scratch.db().reset(&mut |_| (), Reset::default()).await.unwrap();
    ends.await.unwrap();
    assert_ne!(after.system_identifier(), running.system_identifier());

    let _stays = DirectConnection::connect(&after.url(Role::Owner).unwrap(), "bench").await.unwrap();
    let reset = Reset { disconnect: true, ..Reset::default() };
    assert_eq!(scratch.db().reset(&mut |_| (), reset).await.unwrap().change(), ClusterChange::Created);
}

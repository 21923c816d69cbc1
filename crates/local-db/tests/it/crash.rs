//! What a crash leaves behind is repaired, and processes of others are never touched.

use std::process::Command;

use local_db::{ClusterChange, ClusterState, LocalDb, LocalOptions, Role, StartOptions};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::scratch::{Scratch, number, owner, wait_for};

/// Ends the server as a power failure would, and returns its pid file.
fn crash(scratch: &Scratch) -> String {
    let status = scratch.db().status().unwrap();
    let file = status.data.join("postmaster.pid");
    let before = std::fs::read_to_string(&file).unwrap();
    kill_process(Pid::from_raw(status.pid.unwrap()).unwrap(), Signal::KILL).unwrap();
    wait_for("the end of the server", || scratch.db().status().unwrap().state == ClusterState::Stopped);
    before
}

#[tokio::test]
async fn a_server_that_was_killed_comes_up_again_with_what_was_committed() {
    let scratch = Scratch::new();
    let first = scratch.up().await;
    let superuser = first.url(Role::Superuser).unwrap();
    let mut session = tenant_rls::DirectConnection::as_application(&superuser, "tests").await.unwrap();
    session.run_script("writing", "CREATE TABLE kept (id int)").await.unwrap();
    session.run_script("flushing", "CHECKPOINT").await.unwrap();
    crash(&scratch);

    let again = scratch.up().await;
    assert_eq!(again.change(), ClusterChange::Started);
    assert_eq!(again.system_identifier(), first.system_identifier());
    assert_eq!(number(&mut owner(&again).await, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'").await, 1);
}

#[tokio::test]
async fn a_pid_file_with_the_number_of_another_program_is_stale() {
    let scratch = Scratch::new();
    scratch.up().await;
    let pid_file = scratch.db().status().unwrap().data.join("postmaster.pid");
    let before = crash(&scratch);

    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    let (_, rest) = before.split_once('\n').unwrap();
    std::fs::write(&pid_file, format!("{}\n{rest}", stranger.id())).unwrap();

    assert_eq!(scratch.db().status().unwrap().state, ClusterState::Stopped);
    assert!(!scratch.db().down().await.unwrap());
    assert_eq!(scratch.up().await.change(), ClusterChange::Started);
    assert_eq!(stranger.try_wait().unwrap(), None, "the other program still runs");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_pid_file_that_tells_nothing_does_not_hide_a_server_that_runs() {
    let scratch = Scratch::new();
    let running = scratch.up().await;
    let pid_file = scratch.db().status().unwrap().data.join("postmaster.pid");
    let pid = scratch.db().status().unwrap().pid;
    let whole = std::fs::read(&pid_file).unwrap();
    for text in [&b""[..], b"\xFF", &whole[..1]] {
        std::fs::write(&pid_file, text).unwrap();
        let status = scratch.db().status().unwrap();
        assert_eq!((status.state, status.pid), (ClusterState::Running, pid), "{text:?}");
        assert_eq!(scratch.up().await.change(), ClusterChange::None, "{text:?}");
    }
    std::fs::remove_file(&pid_file).unwrap();
    assert!(scratch.db().down().await.unwrap(), "it runs without one, too");
    let refused = tenant_rls::DirectConnection::connect(&running.url(Role::Owner).unwrap(), "tests").await;
    assert!(refused.is_err(), "it is down");
}

#[tokio::test]
async fn another_postgresql_is_never_touched() {
    let foreign = test_support::throwaway_server(None).await;
    let mut session = foreign.connect(Role::Superuser).await;
    let foreign_pid_file: String =
        sqlx::query_scalar("SELECT pg_read_file('postmaster.pid')").fetch_one(session.connection()).await.unwrap();
    let pid = Pid::from_raw(foreign_pid_file.lines().next().unwrap().parse().unwrap()).unwrap();

    let scratch = Scratch::new();
    scratch.up().await;
    crash(&scratch);
    std::fs::write(scratch.db().status().unwrap().data.join("postmaster.pid"), &foreign_pid_file).unwrap();

    assert!(!scratch.db().down().await.unwrap());
    let running = scratch.up().await;
    assert_eq!(running.change(), ClusterChange::Started);
    assert_ne!(running.url(Role::Owner).unwrap().port(), foreign.url(Role::Owner).port());
    scratch.db().remove().await.unwrap();

    assert!(test_kill_process(pid).is_ok());
    assert_eq!(number(&mut session, "SELECT 1::bigint").await, 1, "its sessions live, too");
}

#[tokio::test]
async fn a_workspace_that_is_moved_takes_its_running_server_along() {
    let scratch = Scratch::new();
    let (here, there) = (scratch.root().join("here"), scratch.root().join("there"));
    std::fs::create_dir(&here).unwrap();
    let first = LocalDb::at(&here, LocalOptions::default()).up(&mut |_| (), StartOptions::default()).await.unwrap();
    std::fs::rename(&here, &there).unwrap();

    let moved = LocalDb::at(&there, LocalOptions::default());
    let second = moved.up(&mut |_| (), StartOptions::default()).await.unwrap();
    assert_eq!((second.change(), second.port()), (ClusterChange::None, first.port()));
    assert!(moved.down().await.unwrap());
}

#[tokio::test]
async fn a_set_up_that_was_interrupted_is_done_anew() {
    let scratch = Scratch::new();
    let first = scratch.up().await;
    // As if the command had been killed before its last step, while the server ran.
    let state = scratch.root().join(".local-db/cluster.json");
    std::fs::write(state, r#"{"version": 2, "unfinished": {"port": null}}"#).unwrap();

    let second = scratch.up().await;
    assert_eq!(second.change(), ClusterChange::Created);
    assert_ne!(second.system_identifier(), first.system_identifier());
}

#[tokio::test]
async fn a_port_that_somebody_took_meanwhile_is_left_to_them() {
    let scratch = Scratch::new();
    let first = scratch.up().await;
    scratch.db().down().await.unwrap();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", first.port())).unwrap();

    let again = scratch.up().await;
    assert_ne!(again.port(), first.port());
    assert_eq!(number(&mut owner(&again).await, "SELECT 1::bigint").await, 1);
}

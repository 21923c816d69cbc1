//! Ctrl-C at a moment at which a lock on the server holds the command.

use std::io::{BufRead, Write};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use local_db::Role;
use test_support::TestDb;

use crate::support::{Place, interrupt, send};

/// Starts a command on a database whose bookings are locked, and returns once it waits for the lock.
async fn held(db: &TestDb, place: &Place, arguments: &[&str]) -> (Child, tenant_rls::DirectConnection) {
    let mut lock = db.owner().await;
    let take = "BEGIN; LOCK TABLE bookings IN ACCESS EXCLUSIVE MODE";
    lock.run_script("locking the bookings", take).await.unwrap();
    let url = db.url(Role::Owner);
    let all: Vec<&str> = arguments.iter().copied().chain(["--database-url", url.expose()]).collect();
    let mut command = place.command(&all, &[]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    db.until_waiting().await;
    (child, lock)
}

#[tokio::test]
async fn ctrl_c_ends_an_audit_at_once_and_its_statement_on_the_server() {
    let (db, place) = (test_support::database().await, Place::new());
    let (child, lock) = held(&db, &place, &["audit"]).await;
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8(output.stderr).unwrap().ends_with("error: stopped\n"));
    let mut observer = db.superuser().await;
    observer.run_script("waiting until nobody waits", include_str!("until_nobody_waits.sql")).await.unwrap();
    observer.close().await;
    lock.close().await;
}

#[tokio::test]
async fn no_signal_leaves_a_file_half_written() {
    let seed = ["seed-tenant-defaults", "--all", "--confirm", "127.0.0.1", "--format", "csv", "--output", "seeded.csv"];
    for signal in ["INT", "TERM"] {
        let (db, place) = (test_support::database().await, Place::new());
        let mut superuser = db.superuser().await;
        let plant = "INSERT INTO \"Tenant\" (id, slug, name, \"updatedAt\") VALUES ('t_a', 'a', 'A', now())";
        superuser.run_script("planting a tenant", plant).await.unwrap();
        superuser.run_script("locking", "BEGIN; LOCK TABLE security_settings").await.unwrap();
        place.write("seeded.csv", "old");
        let url = db.url(Role::Owner);
        let mut command = place.command(&[&seed[..], &["--database-url", url.expose()]].concat(), &[]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        db.until_waiting().await;
        assert_eq!(place.names().len(), 3, "a file is being written: {:?}", place.names());
        let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
        send(signal, &child);
        assert!(stderr.by_ref().map(Result::unwrap).any(|line| line.starts_with("warning: stopping after")));
        send(signal, &child);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(place.names(), [".git", "seeded.csv"]);
        assert_eq!(std::fs::read_to_string(place.path().join("seeded.csv")).unwrap(), "old");
        superuser.close().await;
    }
}

#[tokio::test]
async fn the_first_ctrl_c_lets_a_backfill_finish_its_batch_and_the_second_ends_it() {
    let (db, place) = (test_support::database().await, Place::new());
    let (mut child, lock) = held(&db, &place, &["backfill-bookings", "--confirm", "127.0.0.1"]).await;
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    interrupt(&child);
    let said = stderr.by_ref().map(Result::unwrap).find(|line| line.starts_with("warning:"));
    assert_eq!(said.unwrap(), "warning: stopping after the running batch; press Ctrl-C again to stop at once");
    assert!(child.try_wait().unwrap().is_none(), "it still waits for its batch");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    lock.close().await;
}

/// A pipe into which nothing can be written, and its end for reading.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    use rustix::fs::{OFlags, fcntl_setfl};
    let (reader, mut writer) = std::io::pipe().unwrap();
    fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    for size in [4096, 1] {
        while writer.write(&vec![b'x'; size]).is_ok() {}
    }
    fcntl_setfl(&writer, OFlags::empty()).unwrap();
    (reader, writer)
}

/// Waits until a process ends, for as long as a command may take to.
fn ended(child: &mut Child) -> Option<ExitStatus> {
    for _ in 0..200 {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

#[tokio::test]
async fn a_signal_ends_a_command_whose_messages_nobody_reads() {
    let (db, place) = (test_support::database().await, Place::new());
    let url = db.url(Role::Owner);
    for (signals, arguments) in [
        (&["INT"][..], &["audit"][..]),
        (&["TERM"], &["audit"]),
        (&["INT", "INT"], &["backfill-bookings", "--confirm", "127.0.0.1"]),
    ] {
        let (unread, stderr) = full_pipe();
        let mut command = place.command(&[arguments, &["--database-url", url.expose()]].concat(), &[]);
        let mut child = command.stderr(stderr).stdout(Stdio::null()).spawn().unwrap();
        drop(command);
        std::thread::sleep(Duration::from_secs(1));
        assert!(child.try_wait().unwrap().is_none(), "{arguments:?} waits for its reader");
        for signal in signals {
            send(signal, &child);
            std::thread::sleep(Duration::from_millis(500));
        }
        let status = ended(&mut child);
        assert_eq!(status.and_then(|status| status.code()), Some(130), "{arguments:?}, {signals:?}");
        drop(unread);
    }
}

//! Backfills during which the process, the server, another process or the disk fails. Each test has a short form here.
//! The long form: `FAULT_ROUNDS=100 KILL_STRIDE=1 cargo test -p xtask --test it faults`.

use std::io::Write;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use local_db::{Role, Seed, demo};
use tenant_rls::DirectConnection;
use test_support::{Limit, Proxy, TestDb, TestServer};

use crate::killed::{ASSIGNED, BROKEN_JOURNAL, expire_lease, text};
use crate::support::{Place, rounds};

const SEED: Seed = Seed { tenants: 5, bookings: 2_000, seed: 11 };

const WRITTEN: &str =
    "SELECT count(*) FROM (SELECT to_regclass('tenant_ops.journal') AS there) AS t WHERE there IS NOT NULL";

fn stride() -> usize {
    tenancy_config::environment::text("KILL_STRIDE").unwrap().and_then(|stride| stride.parse().ok()).unwrap_or(61)
}

fn backfill(place: &Place, url: &str, more: &[&str]) -> Child {
    let arguments =
        ["backfill-bookings", "--full-speed", "--batch-time", "1ms", "--confirm", "127.0.0.1", "--database-url", url];
    let mut command = place.command(&[&arguments, more].concat(), &[]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

async fn number(session: &mut DirectConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(session.connection()).await.unwrap()
}

/// Kills the process at this statement. Returns whether it got that far.
async fn killed_at(place: &Place, db: &TestDb, limit: Limit) -> bool {
    let url = db.url(Role::Owner);
    let proxy = Proxy::before(url.port(), limit);
    let mut child = backfill(place, &proxy.through(&url), &[]);
    loop {
        if proxy.is_reached() {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn killed_at_each_statement_in_turn_it_ends_as_an_uninterrupted_run() {
    let place = Place::new();
    let whole = test_support::seeded(SEED).await;
    let url = whole.url(Role::Owner);
    let endless = Proxy::before(url.port(), Limit { statement: usize::MAX, passes: false });
    assert_eq!(backfill(&place, &endless.through(&url), &[]).wait().unwrap().code(), Some(3));
    let (wanted, statements) = (text(&whole, ASSIGNED).await, endless.statements());
    assert!(statements > 100, "only {statements} statements came through the proxy");
    let (mut killed, mut in_the_middle) = (0, 0);
    // Two moments for each statement, COMMIT included: before the server has it, and while the server runs it.
    for moment in (0..2 * statements).step_by(stride()) {
        let limit = Limit { statement: moment / 2 + 1, passes: moment % 2 == 1 };
        let db = test_support::seeded(SEED).await;
        killed += usize::from(killed_at(&place, &db, limit).await);
        expire_lease(&db).await;
        let mut superuser = db.superuser().await;
        in_the_middle += number(&mut superuser, WRITTEN).await;
        let last = backfill(&place, db.url(Role::Owner).expose(), &[]).wait().unwrap();
        assert_eq!(last.code(), Some(3), "after a kill at {limit:?}");
        assert_eq!(text(&db, ASSIGNED).await, wanted, "killed at {limit:?} of {statements}");
        assert_eq!(number(&mut superuser, BROKEN_JOURNAL).await, 0, "killed at {limit:?} of {statements}");
        superuser.close().await;
    }
    assert!(killed > 3 && in_the_middle > 2, "{killed} were killed, {in_the_middle} of them after they had begun");
}

/// A server of one test with more rows, so that the run is still working when the test stops the server.
async fn server() -> TestServer {
    let server = test_support::throwaway_server(None).await;
    let seed_ = Seed { bookings: 20_000, ..SEED };
    demo::plant(&server.url(Role::Superuser), &seed_, &mut |_| {}).await.unwrap();
    server
}

/// Waits until the run has written more rows than this, or has ended.
async fn written_more_than(server: &TestServer, before: i64, child: &mut Child) -> Option<i64> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        let mut session = server.connect(Role::Superuser).await;
        let there = number(&mut session, WRITTEN).await == 1;
        let written = if there { number(&mut session, "SELECT count(*) FROM tenant_ops.journal").await } else { 0 };
        session.close().await;
        if written > before {
            return Some(written);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the run wrote nothing in 30 s");
}

#[tokio::test]
async fn a_server_that_is_stopped_and_started_again_and_again_finds_the_run_going_on_by_itself() {
    let place = Place::new();
    let server = server().await;
    let mut child = backfill(&place, server.url(Role::Owner).expose(), &["--workers", "1"]);
    let (mut written, mut stops) = (0, 0);
    for round in 0..rounds(3).min(20) {
        let Some(now) = written_more_than(&server, written, &mut child).await else { break };
        written = now;
        if round % 2 == 0 {
            server.stop().await
        } else {
            server.crash().await
        }
        server.start_again().await;
        stops += 1;
    }
    assert!(stops > 1, "the run was over after {stops} stops");
    assert_eq!(child.wait().unwrap().code(), Some(3), "it went on by itself");
    let mut superuser = server.connect(Role::Superuser).await;
    assert_eq!(number(&mut superuser, BROKEN_JOURNAL).await, 0);
    let left = r#"SELECT count(*) FROM bookings WHERE "tenantId" IS NULL"#;
    let left = number(&mut superuser, left).await;
    superuser.close().await;
    let again = backfill(&place, server.url(Role::Owner).expose(), &[]).wait().unwrap();
    assert_eq!(again.code(), Some(3));
    let mut superuser = server.connect(Role::Superuser).await;
    assert_eq!(number(&mut superuser, r#"SELECT count(*) FROM bookings WHERE "tenantId" IS NULL"#).await, left);
}

#[tokio::test]
async fn of_two_processes_the_one_that_is_left_does_the_work_of_the_one_that_was_killed() {
    let place = Place::new();
    let whole = test_support::seeded(SEED).await;
    assert_eq!(backfill(&place, whole.url(Role::Owner).expose(), &[]).wait().unwrap().code(), Some(3));
    let shared = test_support::seeded(SEED).await;
    let url = shared.url(Role::Owner);
    // Neither may finish before the other has begun.
    let mut gate = shared.owner().await;
    gate.run_script("holding the table", "BEGIN; LOCK TABLE bookings IN SHARE MODE").await.unwrap();
    let mut superuser = shared.superuser().await;
    let members = "SELECT CASE WHEN to_regclass('tenant_ops.run_process') IS NULL THEN 0
                   ELSE (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM tenant_ops.run_process', false, true, '')))[1]::text::bigint END";
    let mut first = backfill(&place, url.expose(), &["--join"]);
    while number(&mut superuser, members).await < 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut second = backfill(&place, url.expose(), &["--join"]);
    while number(&mut superuser, members).await < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    first.kill().unwrap();
    first.wait().unwrap();
    gate.close().await;
    // Nobody ends the lease of the dead process; it expires.
    assert_eq!(second.wait().unwrap().code(), Some(3));
    assert_eq!(text(&shared, ASSIGNED).await, text(&whole, ASSIGNED).await);
    assert_eq!(number(&mut superuser, BROKEN_JOURNAL).await, 0);
}

/// A file system of a few megabytes. Only a privileged user can make one; for other users, the test says that it is
/// skipped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("small-disk-").tempdir_in("/tmp").ok()?;
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64M", "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        mounted.then_some(Self(folder))
    }

    /// Fills it so that no more than `room` is free besides what is there.
    fn leave(&self, used: i64, room: i64) {
        let size = format!("remount,size={}", used + room);
        let done = std::process::Command::new("mount").args(["-o", &size]).arg(self.0.path()).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_ends_the_run_with_what_to_do_and_room_lets_it_go_on() {
    let Some(disk) = SmallDisk::mount() else {
        // Not captured by the test harness: it must be seen that nothing was tried.
        let _ = writeln!(std::io::stderr(), "SKIPPED: this user may not mount a file system of a few megabytes");
        return;
    };
    let place = Place::new();
    let server = test_support::throwaway_server(None).await;
    demo::plant(&server.url(Role::Superuser), &Seed { bookings: 6_000, ..SEED }, &mut |_| {}).await.unwrap();
    let mut superuser = server.connect(Role::Superuser).await;
    let data: String = sqlx::query_scalar("SHOW data_directory").fetch_one(superuser.connection()).await.unwrap();
    let path = disk.0.path().to_str().unwrap();
    let given = std::process::Command::new("chown").arg(format!("--reference={data}")).arg(path).status().unwrap();
    assert!(given.success(), "the server must own its disk");
    let space = tenant_rls::Template::new("CREATE TABLESPACE small LOCATION :'path'").literal("path", path).build();
    superuser.run_script("making a small disk", space).await.unwrap();
    superuser.run_script("moving bookings there", "ALTER TABLE bookings SET TABLESPACE small").await.unwrap();
    disk.leave(number(&mut superuser, "SELECT pg_tablespace_size('small')").await, 100_000);
    let arguments = [
        "backfill-bookings",
        "--full-speed",
        "--confirm",
        "127.0.0.1",
        "--workers",
        "1",
        "--batch-time",
        "20ms",
        "--database-url",
    ];
    let url = server.url(Role::Owner);
    let full = place.run(&[&arguments[..], &[url.expose()]].concat());
    assert_eq!(full.status, 1, "{}", full.stderr);
    assert!(
        full.stderr.contains("SQLSTATE 53100") && full.stderr.contains("hint: the server's disk is full"),
        "{full}"
    );
    assert_eq!(number(&mut superuser, BROKEN_JOURNAL).await, 0, "nothing is half written");
    superuser.run_script("moving it to a larger disk", "ALTER TABLE bookings SET TABLESPACE pg_default").await.unwrap();
    let done = place.run(&[&arguments[..], &[url.expose()]].concat());
    assert_eq!(done.status, 3, "{}", done.stderr);
    assert_eq!(number(&mut superuser, BROKEN_JOURNAL).await, 0);
    superuser.run_script("giving the disk back", "DROP TABLESPACE small").await.unwrap();
}

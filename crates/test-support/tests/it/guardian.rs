//! The server of a test run ends with its last process, however that ends, and leaves no file.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use local_db::Role;
use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;

use crate::waiting::{content, wait_for};

/// The variable with the file into which the child writes its server's port.
const REPORT: &str = "LOCAL_DB_TEST_REPORT";

/// A test process of a run of its own: another folder for temporary files means another run.
fn test_process(run: &TempDir, name: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "guardian::child_that_holds_a_database", "--ignored"]);
    child.env("TMPDIR", run.path()).env(REPORT, report(run, name));
    child.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test]
#[ignore = "the process that the tests below kill"]
async fn child_that_holds_a_database() {
    let Some(report) = tenancy_config::environment::path(REPORT).map(PathBuf::from) else { return };
    let db = test_support::database().await;
    let new = report.with_extension("new");
    std::fs::write(&new, db.url(Role::Owner).port().to_string()).unwrap();
    std::fs::rename(new, report).unwrap();
    // Until the parent kills this process, or is gone itself.
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
}

fn run() -> TempDir {
    let run = tempfile::Builder::new().prefix("run-").tempdir().unwrap();
    std::fs::set_permissions(run.path(), PermissionsExt::from_mode(0o777)).unwrap();
    run
}

fn report(run: &TempDir, name: &str) -> PathBuf {
    run.path().join(format!("report-{name}"))
}

/// The folders of servers.
fn servers(run: &TempDir) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(run.path()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

fn server_process(folder: &Path) -> Pid {
    let file = content(&folder.join("data/postmaster.pid"));
    Pid::from_raw(file.lines().next().unwrap().parse().unwrap()).unwrap()
}

/// Waits until a process is gone. One that has ended and was not waited for has no command line.
fn gone(pid: Pid) -> bool {
    let zombie = content(Path::new(&format!("/proc/{}/stat", pid.as_raw_nonzero()))).contains(") Z ");
    test_kill_process(pid).is_err() || zombie
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_test_process_leaves_no_server_and_no_files() {
    let run = run();
    let child = test_process(&run, "a");
    wait_for("the child's database", || report(&run, "a").exists());
    let server = server_process(&servers(&run)[0]);
    assert!(!gone(server));

    kill(child);
    wait_for("the end of the server", || gone(server));
    wait_for("the end of its files", || servers(&run).is_empty());
}

#[test]
fn a_test_process_killed_while_its_server_is_made_leaves_nothing() {
    let run = run();
    let child = test_process(&run, "a");
    wait_for("the first files", || servers(&run).iter().any(|folder| folder.join("data").exists()));

    kill(child);
    wait_for("the end of the files", || servers(&run).is_empty());
}

#[test]
fn the_processes_of_a_run_share_one_server_until_the_last_ends() {
    let run = run();
    let (one, other) = (test_process(&run, "a"), test_process(&run, "b"));
    wait_for("both databases", || report(&run, "a").exists() && report(&run, "b").exists());
    assert_eq!(content(&report(&run, "a")), content(&report(&run, "b")));
    let folders = servers(&run);
    assert_eq!(folders.len(), 1, "{folders:?}");

    let server = server_process(&folders[0]);
    kill(one);
    let third = test_process(&run, "c");
    wait_for("the third database", || report(&run, "c").exists());
    assert_eq!(content(&report(&run, "c")), content(&report(&run, "b")));
    kill(other);
    kill(third);
    wait_for("the end of the server", || gone(server));
    wait_for("the end of its files", || servers(&run).is_empty());
}

#[test]
fn what_a_killed_guardian_left_is_removed_by_the_next_run() {
    let run = run();
    let child = test_process(&run, "a");
    wait_for("the child's database", || report(&run, "a").exists());
    let folder = servers(&run).remove(0);
    let owner = folder.metadata();
    kill(child);
    wait_for("the end of the first server", || servers(&run).is_empty());

    // A folder of the same name whose pipe nobody reads.
    std::fs::create_dir_all(folder.join("data")).unwrap();
    let owner = owner.map(|meta| (meta.uid(), meta.gid())).unwrap();
    std::os::unix::fs::chown(&folder, Some(owner.0), Some(owner.1)).unwrap();
    let next = test_process(&run, "b");
    wait_for("a database in spite of it", || report(&run, "b").exists());
    kill(next);
    wait_for("the end of the second server", || servers(&run).is_empty());
}

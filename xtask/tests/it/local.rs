//! The project's local database through its commands: it is opened whatever variables the shell has, and never deleted
//! by accident.

use std::os::unix::fs::PermissionsExt;

use crate::libpq::HOSTILE;
use crate::support::{Ended, Place};

/// A folder. Its local database ends with it.
struct Workspace(Place);

impl Workspace {
    fn new() -> Self {
        let place = Place::new();
        // The server's user must be able to enter it.
        std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
        Self(place)
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.0.run(arguments)
    }

    fn port(&self) -> serde_json::Value {
        let status = self.run(&["db", "status", "--format", "json"]);
        serde_json::from_str::<serde_json::Value>(&status.stdout).unwrap()["port"].take()
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        self.run(&["db", "down"]);
    }
}

#[test]
fn no_variable_of_libpq_disturbs_the_local_database() {
    let workspace = Workspace::new();
    for command in [&["db", "up"][..], &["db", "psql", "--", "-X", "-A", "-t", "-c", "SELECT 'it is ' || current_user"]]
    {
        let ended = workspace.0.run_with(command, &HOSTILE);
        assert_eq!(ended.status, 0, "{command:?}: {ended}");
        if command.contains(&"psql") {
            assert_eq!(ended.stdout, "it is app_owner\n", "{ended}");
        }
    }
}

#[test]
fn a_reset_that_nobody_confirms_deletes_nothing_and_a_confirmed_one_keeps_the_port() {
    let workspace = Workspace::new();
    assert_eq!(workspace.run(&["db", "up", "--empty"]).status, 0);
    let url = workspace.run(&["db", "url"]).stdout;
    let port = workspace.port();

    let ended = workspace.run(&["db", "reset", "--empty"]);
    assert_eq!(ended.status, 4, "{ended}");
    assert!(ended.stderr.starts_with("a reset deletes [DIR]/.local-db/server/data, "), "{ended}");
    assert!(ended.stderr.contains(", with the databases app ("), "{ended}");
    assert!(ended.stderr.contains("hint: `cargo xtask db reset --yes` asks nothing"), "{ended}");
    assert_eq!(workspace.run(&["db", "url"]).stdout, url, "it is the same one");

    let ended = workspace.run(&["db", "reset", "--empty", "--yes"]);
    assert_eq!(ended.status, 0, "{ended}");
    assert_ne!(workspace.run(&["db", "url"]).stdout, url, "the password is another one");
    assert_eq!(workspace.port(), port);
}

#[test]
fn a_state_that_tells_nothing_is_told_to_every_command_and_none_changes_it() {
    let workspace = Workspace::new();
    assert_eq!(workspace.run(&["db", "up", "--empty"]).status, 0);
    let state = workspace.0.path().join(".local-db/cluster.json");
    let whole = std::fs::read(&state).unwrap();
    std::fs::write(&state, "").unwrap();
    for command in [&["audit"][..], &["doctor"], &["db", "up"], &["db", "down"], &["db", "status"], &["db", "url"]] {
        let ended = workspace.run(command);
        assert_eq!(ended.status, 1, "{command:?}: {ended}");
        let said = "[DIR]/.local-db/cluster.json cannot be used: it is empty; nothing was stopped, deleted or changed";
        assert!(ended.stderr.contains(said), "{command:?}: {ended}");
    }
    std::fs::write(&state, whole).unwrap();
    let status = workspace.run(&["db", "status"]).stdout;
    assert!(status.contains("running"), "{status}");
}

//! No settings are taken from files that other users could have written.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;

use crate::support::Place;

const STRANGER: u32 = 65_534;

/// Gives a file to another user. Only root can do that; if the test cannot, it must say so.
fn given_away(path: &Path) -> bool {
    let given = chown(path, Some(STRANGER), None);
    if let Err(error) = &given {
        let _ = writeln!(std::io::stderr(), "SKIPPED, only root can make another user's file: {error}");
    }
    given.is_ok()
}

/// A folder with a file that makes `doctor` exit with 2 if it is read.
fn place_with(name: &str) -> Place {
    let place = Place::new();
    place.write(name, if name.ends_with(".toml") { "nonsense = 1" } else { "DATABASE_URL=nonsense" });
    place
}

#[test]
fn another_users_configuration_is_refused_until_its_folder_is_trusted() {
    for (name, flags) in [("tenancy.toml", vec![]), ("a.toml", vec!["--config", "a.toml"]), (".env.local", vec![])] {
        let place = place_with(name);
        if !given_away(&place.path().join(name)) {
            return;
        }
        let command = [&["doctor"], &flags[..]].concat();
        let ended = place.run(&command);
        assert_eq!(ended.status, 4, "{name}: {ended}");
        assert!(ended.stderr.contains(&format!("{name} belongs to user {STRANGER}")), "{ended}");
        assert!(ended.stderr.contains("hint: TENANCY_TRUST=[DIR]"), "{ended}");
        let ended = place.run_with(&command, &[("TENANCY_TRUST", ".")]);
        assert_eq!(ended.status, 2, "{name} is read now: {ended}");
    }
}

#[test]
fn a_configuration_that_everybody_may_write_to_is_refused() {
    let place = place_with("tenancy.toml");
    std::fs::set_permissions(place.path().join("tenancy.toml"), PermissionsExt::from_mode(0o666)).unwrap();
    let ended = place.run(&["doctor"]);
    assert_eq!(ended.status, 4, "{ended}");
    assert!(ended.stderr.contains("hint: chmod go-w [DIR]/tenancy.toml; or TENANCY_TRUST="), "{ended}");
}

#[test]
fn an_env_file_cannot_trust_itself() {
    let place = place_with(".env");
    place.write(".env.local", "TENANCY_TRUST=.");
    std::fs::set_permissions(place.path().join(".env"), PermissionsExt::from_mode(0o666)).unwrap();
    assert_eq!(place.run(&["doctor"]).status, 4);
}

#[test]
fn nothing_above_the_working_folder_counts_outside_of_a_repository() {
    let place = place_with("tenancy.toml");
    std::fs::remove_dir(place.path().join(".git")).unwrap();
    let below = place.path().join("below");
    std::fs::create_dir_all(&below).unwrap();
    let ended = place.command(&["doctor"], &[]).current_dir(&below).output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "the local database does not run: {ended:?}");
    assert!(String::from_utf8(ended.stdout).unwrap().contains("tenancy.toml  none"));
}

/// Runs a command as an ordinary user. If this user cannot become another one, it prints a line that says so and
/// returns `None`.
fn run_as(user: u32, place: &Place, arguments: &[&str]) -> Option<(i32, String)> {
    let mut command = place.command(arguments, &[]);
    let ended = command.uid(user).gid(user).output();
    match ended {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            Some((output.status.code().unwrap(), String::from_utf8(said).unwrap()))
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED, not tried as an ordinary user: {error}");
            None
        }
    }
}

#[test]
fn an_ordinary_user_believes_root_and_nobody_else() {
    let place = place_with("tenancy.toml");
    std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let Some((status, said)) = run_as(STRANGER, &place, &["doctor"]) else { return };
    assert_eq!(status, 2, "root's file is read: {said}");
    assert!(given_away(&place.path().join("tenancy.toml")));
    assert_eq!(run_as(STRANGER, &place, &["doctor"]).unwrap().0, 2, "so is one's own");
    let (status, said) = run_as(STRANGER - 1, &place, &["doctor"]).unwrap();
    assert_eq!(status, 4, "{said}");
    assert!(said.contains(&format!("belongs to user {STRANGER}, and this runs as user {}", STRANGER - 1)), "{said}");
}

#[test]
fn an_ordinary_users_local_database_is_theirs_alone() {
    let place = Place::new();
    std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
    if !given_away(place.path()) || !given_away(&place.path().join(".git")) {
        return;
    }
    let Some((status, said)) = run_as(STRANGER, &place, &["db", "up", "--empty"]) else { return };
    assert_eq!(status, 0, "{said}");
    for command in [&["audit"][..], &["db", "url"], &["db", "psql"], &["db", "down"], &["db", "reset", "--yes"]] {
        let (status, said) = run_as(STRANGER - 1, &place, command).unwrap();
        assert_eq!(status, 4, "{command:?}: {said}");
        let ended = place.run(command);
        assert_eq!(ended.status, 4, "root does not take over a user's database: {command:?}: {ended}");
    }
    assert!(run_as(STRANGER, &place, &["db", "status"]).unwrap().1.contains("running"));
    assert_eq!(run_as(STRANGER, &place, &["db", "down"]).unwrap().0, 0);
}

//! What the help says.

use std::process::Command;

use insta::assert_snapshot;

use crate::defined;
use crate::support::Place;

#[test]
fn without_a_command_the_commands_are_listed_in_groups() {
    assert_snapshot!("overview", Place::new().run(&[]));
}

#[test]
fn every_command_explains_itself() {
    let commands = defined::commands().into_iter().map(|command| command.words);
    // The page for the authors of this program has no help of its own to keep.
    let commands = commands.filter(|words| words != &["reference"]);
    for words in std::iter::once(Vec::new()).chain(commands) {
        let name = [&["help".to_owned()], &words[..]].concat().join(" ");
        let arguments: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
        let ended = Place::new().run(&arguments);
        assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{name}");
        assert_snapshot!(name.replace(' ', "_"), ended.stdout);
    }
}

#[test]
fn a_pipe_gets_no_colours() {
    let forced = [("CLICOLOR_FORCE", "1")];
    let escape = '\u{1b}';
    assert!(!Place::new().run(&["nonsense"]).stderr.contains(escape));
    assert!(Place::new().run_with(&["nonsense"], &forced).stderr.contains(escape));
    let no_color = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
    assert!(!Place::new().run_with(&["nonsense"], &no_color).stderr.contains(escape));
}

#[test]
fn installed_as_rowfence_it_names_itself_in_help_errors_and_hints() {
    let place = Place::new();
    let program = place.path().join("rowfence");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_xtask"), &program).unwrap();
    for arguments in
        [&[][..], &["--help"], &["backfill", "undo", "--help"], &["nonsense"], &["audit", "--config", "no"]]
    {
        let output = Command::new(&program).args(arguments).env_clear().current_dir(place.path()).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.contains("rowfence ") && !said.contains("cargo xtask"), "{arguments:?}: {said}");
    }
}

//! Data goes to stdout, everything else to stderr, and a file appears whole or not at all.

use std::process::{Command, Stdio};

use crate::support::Place;

#[test]
fn a_file_gets_the_report_and_stdout_stays_empty() {
    let place = Place::new();
    let ended = place.run(&["reference", "--output", "commands.md"]);
    assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", "wrote commands.md\n"));
    let file = std::fs::read_to_string(place.path().join("commands.md")).unwrap();
    assert_eq!(file, place.run(&["reference"]).stdout);
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_that_says_why() {
    let place = Place::new();
    std::os::unix::fs::symlink("elsewhere.md", place.path().join("link.md")).unwrap();
    for (output, status, said) in [
        ("reports/commands.md", 1, "there is no folder reports\nhint: make the folder first, or give another\n"),
        ("/dev/full", 4, "it is a device\nhint: give a regular file; "),
        ("link.md", 4, "it is a symbolic link\nhint: a link may lead anywhere: give the file that it points to\n"),
        (".", 4, "it is a folder\nhint: give the name of a file in it\n"),
    ] {
        let ended = place.run(&["reference", "--output", output]);
        assert_eq!((ended.status, ended.stdout.as_str()), (status, ""), "{ended}");
        assert!(ended.stderr.starts_with(&format!("error: cannot write {output}: {said}")), "{ended}");
    }
    assert_eq!(place.names(), [".git", "link.md"]);
}

#[test]
fn two_files_of_a_command_are_not_one() {
    let place = Place::new();
    for arguments in [
        ["backfill-bookings", "--review", "x.csv", "--output", "./x.csv"],
        ["assign-chat-messages", "--review", "./x.csv", "--output", "x.csv"],
    ] {
        let ended = place.run(&[&arguments[..], &["--database-url", "postgresql://u@127.0.0.1:1/db"]].concat());
        assert_eq!(ended.status, 2, "{ended}");
        assert!(ended.stderr.contains("--output and --review name the same file, "), "{ended}");
    }
    assert_eq!(place.names(), [".git"]);
}

#[test]
fn a_dash_is_standard_output() {
    let place = Place::new();
    let ended = place.run(&["reference", "--output", "-"]);
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
    assert_eq!((ended.stdout, place.names()), (place.run(&["reference"]).stdout, vec![".git".to_owned()]));
}

#[test]
fn a_disk_that_is_full_leaves_the_old_file_and_nothing_else() {
    let place = Place::new();
    place.write("commands.md", "old");
    // No file may be larger than one block, which looks like a full disk to a program that writes.
    let script = "ulimit -f 1; trap '' XFSZ; exec \"$0\" reference --output commands.md";
    let program = env!("CARGO_BIN_EXE_xtask");
    let output =
        Command::new("sh").args(["-c", script, program]).env_clear().current_dir(place.path()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("error: cannot write commands.md: File too large"), "{stderr}");
    assert_eq!(std::fs::read_to_string(place.path().join("commands.md")).unwrap(), "old");
    assert_eq!(place.names(), [".git", "commands.md"]);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let place = Place::new();
    let mut child = place.command(&["reference"], &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}

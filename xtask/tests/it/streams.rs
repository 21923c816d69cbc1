//! Data goes to stdout, everything else to stderr, and a file appears whole or not at all.

use std::process::Stdio;

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
fn a_folder_that_is_not_there_is_an_error_with_its_cause() {
    insta::assert_snapshot!(Place::new().run(&["reference", "--output", "reports/commands.md"]), @r"
    exit 1
    ----- stderr
    error: cannot write reports/commands.md
      caused by: No such file or directory (os error 2)
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let ended = Place::new().run(&["reference", "--output", "/dev/full"]);
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("No space left on device"), "{ended}");
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

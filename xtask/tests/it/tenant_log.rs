//! What logs tell of tenant trouble, as people and programs get it.

use insta::assert_snapshot;

use crate::support::{Ended, Place};

/// A place with a log of the application and one of its server.
fn place() -> Place {
    let place = Place::new();
    place.write("app.log", include_str!("app.log"));
    place.write("postgresql.csv", include_str!("postgresql.csv"));
    place
}

fn run(arguments: &[&str]) -> Ended {
    let until = ["tenant-log", "app.log", "postgresql.csv", "--since", "1h", "--until", "2026-01-31T12:00:00Z"];
    place().run(&[&until, arguments].concat())
}

#[test]
fn a_report_on_an_hour_in_each_form() {
    assert_snapshot!("tenant_log_table", run(&[]));
    assert_snapshot!("tenant_log_json", run(&["--format", "json", "--top", "2"]));
    assert_snapshot!("tenant_log_csv", run(&["--format", "csv"]));
    assert_snapshot!("tenant_log_md", run(&["--format", "md", "--top", "1"]));
}

#[test]
fn a_gate_ends_with_3_above_the_share_and_where_nobody_tried() {
    for (share, status) in [("0", 3), ("9.9%", 3), ("20%", 0)] {
        let ended = run(&["--max-unresolved", share, "--top", "0"]);
        assert_eq!(ended.status, status, "{share}: {ended}");
    }
    let idle = place().run(&["tenant-log", "app.log", "--since", "1h", "--max-unresolved", "20%"]);
    assert_eq!(idle.status, 3, "{idle}");
    assert!(idle.stdout.contains("no request was served in that time, so silence proves nothing"), "{idle}");
}

#[test]
fn what_cannot_be_read_at_all_is_bad_usage() {
    for (arguments, said) in [
        (&["no.log"][..], "cannot read no.log"),
        (&["."], ". is a folder"),
        (&["app.log", "./app.log"], "named twice"),
        (&["app.log", "--max-unresolved", "0.1"], "write a share with its sign"),
        (&["app.log", "--until", "2026-01-31T12:00:00Z"], "--since"),
    ] {
        let ended = place().run(&[&["tenant-log"], arguments].concat());
        assert_eq!(ended.status, 2, "{ended}");
        assert!(ended.stderr.contains(said), "{ended}");
    }
}

#[test]
fn tenancy_toml_gives_the_names_of_the_fields_and_the_messages() {
    let place = Place::new();
    place.write(
        "tenancy.toml",
        "[log]\nmessage = \"msg\"\ncontext = \"\"\ntenant = \"org\"\n[log.messages]\nunscoped = [\"no org in query\"]\ntraffic = [\"served\"]\n",
    );
    let log = "{\"msg\":\"no org in query: orders\",\"org\":7}\n{\"msg\":\"served\",\"org\":7}\n";
    place.write("own.log", log);
    let ended = place.run(&["tenant-log", "own.log", "--format", "csv"]);
    assert_eq!(ended.status, 0, "{ended}");
    assert!(ended.stdout.contains("no tenant in the query,,7,,1,"), "{ended}");
}

#[test]
fn a_log_comes_by_standard_input_and_nothing_is_not_taken_for_quiet() {
    use std::process::Stdio;
    let place = place();
    let mut command = place.command(&["tenant-log", "--format", "csv"], &[]);
    let log = std::fs::File::open(place.path().join("app.log")).unwrap();
    let output = command.stdin(Stdio::from(log)).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("tenant mismatch,/api/bookings,t_acme,Booking,1,"));
    let empty = place.run(&["tenant-log", "-"]);
    assert_eq!(empty.status, 3, "{empty}");
    assert!(empty.stdout.contains("this says nothing about the application"), "{empty}");
}

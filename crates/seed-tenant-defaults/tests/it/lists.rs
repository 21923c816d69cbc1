//! Files that people make, and what each of their faults is called. Nothing is written for any of them: no database is asked.

use std::path::Path;

use seed_tenant_defaults::{CheckedList, Error};
use tenancy_config::Exit;
use tenancy_config::UserError;

use crate::support::Csv;

fn fault(text: &[u8]) -> String {
    let csv = Csv::new(text);
    let error = CheckedList::check(&csv.path()).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    csv.message(&error)
}

#[test]
fn every_fault_is_told_with_its_line_and_column() {
    let huge = format!("tenant,organization_name\nacme,{}\n", "x".repeat(1 << 20));
    let huge_and_quoted = format!("tenant,organization_name\n\"{}", "x\n".repeat(1 << 19));
    let many_columns = format!("tenant,organization_name\nacme{}\n", ",x".repeat(40_000));
    let faults: [(&str, &[u8]); 23] = [
        ("an empty file", b""),
        ("a file of empty lines", b"\n\n"),
        ("a column that is missing", b"tenant,name\nacme,Acme\n"),
        ("a file without a header", b"acme,Acme\n"),
        ("another separator", b"tenant;organization_name\nacme;Acme\n"),
        ("a column that stands twice", b"tenant,organization_name,tenant\nacme,Acme,acme\n"),
        ("a cell too few", b"tenant,organization_name\nacme\n"),
        ("a cell too many", b"tenant,organization_name\nacme,Acme, Inc.\n"),
        ("a quote inside a cell", b"tenant,organization_name\nacme,Acme \"the\" Corp\n"),
        ("text behind a quote", b"tenant,organization_name\nacme,\"Acme\" Corp\n"),
        ("a quote that is not closed", b"tenant,organization_name\nacme,\"Acme\nglobex,Globex\n"),
        ("UTF-16", b"\xFF\xFEt\0e\0n\0"),
        ("UTF-16 of the other kind", b"\xFE\xFF\0t\0e\0n"),
        ("another encoding", b"tenant,organization_name\nacme,Acm\xE9\n"),
        ("another encoding in quotes", b"tenant,organization_name\nacme,\"Acm\xE9\"\n"),
        ("a tenant twice", b"tenant,organization_name\nacme,\n\nglobex,\nacme,Acme\n"),
        ("no tenant", b"tenant,organization_name\n,Acme\n"),
        ("a name of white space", b"tenant,organization_name\nacme,  \n"),
        ("a control character", b"tenant,organization_name\nacme,Acme\x07\n"),
        ("a lone carriage return", b"tenant,organization_name\racme,Acme\r"),
        ("1 MB in a cell", huge.as_bytes()),
        ("1 MB behind a quote", huge_and_quoted.as_bytes()),
        ("a line without end", many_columns.as_bytes()),
    ];
    let told: Vec<String> = faults.iter().map(|(name, text)| format!("{name}\n{}\n", fault(text))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_spreadsheets_write_is_read() {
    for text in [
        "tenant,organization_name\nacme,Acme\nglobex,",
        "\u{feff}tenant,organization_name\r\nacme,Acme\r\nglobex,\r\n",
        "\"tenant\",\"organization_name\"\n\"acme\",\"Acme, \"\"the\"\" Corp\"\n\n\"globex\",\"\"\n",
        "country,organization_name,tenant\nAT,Österreich,acme\nDE,,globex\n",
    ] {
        assert_eq!(CheckedList::check(&Csv::new(text).path()).unwrap().tenants(), 2, "{text}");
    }
}

#[test]
fn names_that_differ_in_white_space_are_different_tenants() {
    assert_eq!(CheckedList::check(&Csv::new("tenant,organization_name\nacme,\nacme ,\n").path()).unwrap().tenants(), 2);
}

#[test]
fn a_file_without_tenants_is_one() {
    assert_eq!(CheckedList::check(&Csv::new("tenant,organization_name\n").path()).unwrap().tenants(), 0);
}

#[test]
fn what_is_no_file_is_told() {
    let missing = CheckedList::check(Path::new("nowhere.csv")).unwrap_err();
    assert_eq!(missing.to_string(), "cannot read nowhere.csv: No such file or directory (os error 2)");
    let folder = CheckedList::check(Path::new(".")).unwrap_err();
    assert!(matches!(folder, Error::ListFile { .. }) && folder.exit() == Exit::Usage, "{folder}");
}

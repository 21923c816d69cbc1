//! A review reads back as it was written, whatever its cells hold.

use std::io::Write;

use proptest::prelude::*;
use tempfile::NamedTempFile;
use tenancy_config::csv::CsvWriter;

use crate::review::file::{Decision, LineContent};
use crate::review::whole_file::CheckedReview;

const HEADER: [&str; 6] = ["table", "id", "client", "decision", "fingerprint", ""];

fn file(text: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text).unwrap();
    file
}

/// Every record of the file: the line in which it begins, and its decision.
fn read(text: &[u8]) -> Vec<(u64, Result<Option<Decision>, String>)> {
    let file = file(text);
    let mut review = CheckedReview::check(file.path()).unwrap().open().unwrap();
    let mut lines = Vec::new();
    while let Some(line) = review.next().unwrap() {
        let content = match line.content {
            LineContent::Undecided => Ok(None),
            LineContent::Decided(decision) => Ok(Some(decision)),
            LineContent::Malformed(fault) => Err(fault.to_string()),
        };
        lines.push((line.number, content));
    }
    lines
}

fn decision(id: &str, fingerprint: &str) -> Decision {
    let [table, key, tenant, fingerprint] = ["public.bookings", id, "acme", fingerprint].map(str::to_owned);
    Decision { table, key, tenant, fingerprint }
}

/// Text of ids, names and attacks: commas, quotes, line breaks, formulas, other scripts.
fn cell() -> impl Strategy<Value = String> {
    r#"(["',;=+@\-\t\r\n]{0,3}[a-z"',\r\né日🦀]{1,6}|\PC{1,8})"#
}

proptest! {
    #[test]
    fn every_id_comes_back_with_the_line_that_it_stands_in(
        rows in prop::collection::vec((cell(), cell()), 1..20),
        delimiter in prop::sample::select(vec![b',', b';', b'\t']),
        crlf in any::<bool>(),
    ) {
        let mut csv = CsvWriter::with_delimiter(Vec::new(), delimiter);
        csv.record(HEADER).unwrap();
        for (id, name) in &rows {
            csv.record(["public.bookings", id, name, "acme", "v1-0", ""]).unwrap();
        }
        let mut text = String::from_utf8(csv.into_inner().unwrap()).unwrap();
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        let expected = (2..).zip(&rows).map(|(line, (id, _))| (line, Ok(Some(decision(id, "v1-0")))));
        prop_assert_eq!(read(text.as_bytes()), expected.collect::<Vec<_>>());
    }

    #[test]
    fn an_id_that_a_spreadsheet_saved_over_several_lines_comes_back(
        rows in prop::collection::vec("[a-z]{0,3}(\r?\n[a-z]{1,3}){1,3}", 1..8),
    ) {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(HEADER).unwrap();
        let mut expected = Vec::new();
        for id in &rows {
            csv.flush().unwrap();
            let line = 1 + csv.get_ref().iter().filter(|byte| **byte == b'\n').count() as u64;
            csv.write_record(["public.bookings", id, "", "acme", "v1-0", ""]).unwrap();
            expected.push((line, Ok(Some(decision(id, "v1-0")))));
        }
        prop_assert_eq!(read(&csv.into_inner().unwrap()), expected);
    }

    #[test]
    fn nothing_that_a_file_holds_ends_the_reading(text in r#"([a-z"',;\r\n]{0,12}){0,8}"#) {
        let all = format!("{}\n{text}", HEADER.join(","));
        let lines = read(all.as_bytes());
        prop_assert!(lines.iter().all(|(number, _)| *number <= 1 + all.matches('\n').count() as u64));
        prop_assert!(lines.is_sorted_by_key(|(number, _)| *number));
    }
}

#[test]
fn an_open_quote_takes_no_good_line_with_it() {
    let mut text = format!("{}\npublic.bookings,\"b_1,,acme,v1-0,\n", HEADER.join(","));
    let client = "c".repeat(1_000);
    for n in 2..1_200 {
        text.push_str(&format!("public.bookings,b_{n},{client},acme,v1-0,\n"));
    }
    let lines = read(text.as_bytes());
    assert_eq!(lines.len(), 1_199);
    assert_eq!(lines[0], (2, Err("it is longer than 1 MiB; its quote may not be closed".to_owned())));
    assert!(lines[1..].iter().all(|(_, line)| line.is_ok()), "each of the others is read by itself");
}

#[test]
fn a_line_without_an_end_is_not_held() {
    let mut text = format!("{}\n", HEADER.join(",")).into_bytes();
    text.extend(vec![b'x'; 3 << 20]);
    text.extend(b"\npublic.bookings,b_1,,acme,v1-0,");
    let lines = read(&text);
    assert!(matches!(lines[0], (2, Err(_))));
    assert_eq!(lines[1], (3, Ok(Some(decision("b_1", "v1-0")))));
}

#[test]
fn a_file_that_was_changed_since_it_was_checked_is_not_read() {
    let mut file = file(format!("{}\n", HEADER.join(",")).as_bytes());
    let checked = CheckedReview::check(file.path()).unwrap();
    file.write_all(b"public.bookings,b_1,,acme,v1-0,\n").unwrap();
    assert!(matches!(checked.open(), Err(crate::error::Error::ReviewChanged { .. })));
}

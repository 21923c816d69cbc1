//! Each form in which the same record comes.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tenant_log::Kind;

use crate::support::{MISMATCH, SERVED, UNRESOLVED, counted, options, plain, record, report, report_with, unread};

const POLICY: &str = r#"new row violates row-level security policy for table "bookings""#;

#[test]
fn a_record_is_found_behind_the_prefix_of_every_platform() {
    let own = plain(MISMATCH);
    let quoted = serde_json::to_string(&format!("{own}\n")).unwrap();
    for line in [
        own.clone(),
        format!("2026-01-31T11:30:00.123456789Z stdout F {own}"),
        format!("2026-01-31T11:30:00.123Z {own}"),
        format!("2026-01-31T11:30:00.123456+00:00 app[web.1]: {own}"),
        format!("Jan 31 11:30:00 host node[812]: {own}"),
        format!("11:30:00.123  GET 500 {{x}} [lambda] {own}"),
        format!("2026-01-31T11:30:00.123Z\tf3c6-11\tWARN\t{own}"),
        format!("web-1  | {own}"),
        format!("\u{1b}[33mwarn\u{1b}[0m {own} (end)"),
        format!(r#"{{"log":{quoted},"stream":"stdout","time":"2026-01-31T11:30:00.1Z"}}"#),
        format!(r#"{{"id":"1","message":{quoted},"timestamp":1769859000000,"source":"lambda"}}"#),
        format!(r#"{{"MESSAGE":{quoted},"__REALTIME_TIMESTAMP":"1769859000000000"}}"#),
        format!(r#"    "message": {quoted}, "x": {{"a":1}}"#).replace("    \"message\"", "{\"message\"") + "}",
        format!("{own}\r"),
        format!("\u{feff}{own}"),
    ] {
        let report = report(&line);
        assert_eq!((counted(&report), unread(&report)), (vec![(Kind::Mismatch, 1)], vec![]), "{line}");
        let spot = &report.worst[0];
        assert_eq!(spot.route.as_deref(), Some("/api/bookings/:id"), "{line}");
        assert_eq!((spot.tenant.as_deref(), spot.model.as_deref()), (Some("t_a"), Some("Booking")), "{line}");
        assert_eq!(spot.request_ids, ["r1"], "{line}");
        assert_eq!(spot.first.unwrap().to_rfc3339(), "2026-01-31T11:30:00+00:00", "{line}");
    }
}

#[test]
fn a_record_without_a_time_gets_that_of_its_prefix() {
    let own = format!(r#"{{"message":"{MISMATCH}"}}"#);
    let quoted = serde_json::to_string(&own).unwrap();
    for line in [
        format!("2026-01-31T11:30:00.000Z stdout F {own}"),
        format!(r#"{{"log":{quoted},"time":"2026-01-31T11:30:00Z"}}"#),
        format!(r#"{{"MESSAGE":{quoted},"__REALTIME_TIMESTAMP":"1769859000000000"}}"#),
    ] {
        let first = report(&line).worst[0].first.unwrap();
        assert_eq!(first.to_rfc3339(), "2026-01-31T11:30:00+00:00", "{line}");
    }
}

#[test]
fn the_log_of_the_server_is_read_in_each_of_its_forms() {
    let text = format!(
        "2026-01-31 11:30:00.000 UTC [7] ERROR:  {POLICY}\n\
         2026-01-31 11:30:00.000 UTC [7] STATEMENT:  INSERT INTO bookings\n\tVALUES ('ERROR:  {POLICY}')\n\
         2026-01-31 11:30:00 UTC:10.0.0.1(5432):app_user@app:[7]:ERROR:  permission denied for table invoices\n"
    );
    let csv = format!(
        "2026-01-31 11:30:00.000 UTC,\"app_user\",\"app\",7,\"[local]\",6.7,3,\"INSERT\",2026-01-31 11:00:00 UTC,4/2,0,ERROR,42501,\"{}\",,,,,,\"INSERT INTO\n{}\n 'x');\",,,\"web\",\"client backend\",,0\n\
         2026-01-31 11:30:01.000 UTC,\"app_user\",\"app\",7,\"[local]\",6.7,4,\"SELECT\",2026-01-31 11:00:00 UTC,4/2,0,ERROR,42501,\"permission denied for table invoices\",,,,,,\"SELECT\",,,\"web\",\"client backend\",,0\n",
        POLICY.replace('"', "\"\""),
        plain(MISMATCH).replace('"', "\"\""),
    );
    let json = format!(
        "{{\"timestamp\":\"2026-01-31 11:30:00.000 UTC\",\"user\":\"app_user\",\"error_severity\":\"ERROR\",\"state_code\":\"42501\",\"message\":{},\"statement\":\"INSERT\"}}\n\
         {{\"timestamp\":\"2026-01-31 11:30:01.000 UTC\",\"error_severity\":\"ERROR\",\"state_code\":\"42501\",\"message\":\"permission denied for table invoices\"}}\n",
        serde_json::to_string(POLICY).unwrap()
    );
    let in_docker = text
        .lines()
        .map(|line| format!("{{\"log\":{},\"stream\":\"stderr\"}}\n", serde_json::to_string(line).unwrap()));
    let in_kubernetes = text.lines().map(|line| format!("2026-01-31T11:30:00.5Z stderr F {line}\n"));
    for log in [text.clone(), csv, json, in_docker.collect(), in_kubernetes.collect()] {
        let report = report(&log);
        assert_eq!(counted(&report), [(Kind::RefusedByPolicy, 1), (Kind::PermissionDenied, 1)], "{log}");
        let models: Vec<_> = report.by_model.iter().map(|model| model.name.as_deref()).collect();
        assert_eq!(models, [Some("bookings"), Some("invoices")], "{log}");
        assert!(unread(&report).is_empty(), "{log}");
    }
}

#[test]
fn a_refusal_in_another_language_is_counted_as_not_understood() {
    let line = r#"{"timestamp":"2026-01-31 11:30:00.000 UTC","error_severity":"FEHLER","state_code":"42501","message":"neue Zeile verletzt Policy"}"#;
    assert_eq!(unread(&report(line)), [("OtherWords".to_owned(), 1)]);
}

#[test]
fn what_only_mentions_a_message_is_no_record_of_it() {
    for line in [
        format!(r#"{{"message":"somebody searched","context":{{"query":"{MISMATCH}"}}}}"#),
        format!(r#"{{"message":"quoted: {MISMATCH}"}}"#),
        r#"{"message":"booking 42501 made"}"#.to_owned(),
        format!("2026-01-31 11:30:00.000 UTC [7] STATEMENT:  SELECT 'ERROR:  {POLICY}'"),
    ] {
        let report = report(&line);
        assert_eq!((counted(&report), unread(&report)), (vec![], vec![]), "{line}");
    }
}

#[test]
fn several_records_in_a_line_all_count_and_a_torn_one_hides_none_beside_it() {
    let one = plain(MISMATCH);
    assert_eq!(counted(&report(format!("{one}{one} {one}"))), [(Kind::Mismatch, 3)]);
    let torn = format!(r#"{{"timestamp":"2026-01-31T11{one}"#);
    assert_eq!(counted(&report(&torn)), [(Kind::Mismatch, 1)]);
}

#[test]
fn what_cannot_be_read_is_counted_by_reason() {
    let whole = plain(MISMATCH);
    let cut_end = &whole[..whole.len() - 20];
    let cut_begin = &whole[whole.find("Tenant").unwrap()..];
    let broken = whole.replace("\"level\"", "level");
    let long = format!("{{\"message\":\"{}\"}}", "x".repeat(10 << 20));
    let bad = [&whole.as_bytes()[..whole.len() - 3], b"\xff\xfe\"}}"].concat();
    let lines = [cut_begin.as_bytes(), whole.as_bytes(), broken.as_bytes(), long.as_bytes(), &bad, cut_end.as_bytes()];
    let report = report(lines.join(&b'\n'));
    let reasons = [("TooLong", 1), ("Cut", 1), ("NotJson", 1), ("NoRecord", 1), ("NotUtf8", 1)];
    assert_eq!(unread(&report), reasons.map(|(reason, lines)| (reason.to_owned(), lines)));
    assert_eq!(counted(&report), [(Kind::Mismatch, 2)], "one of them with a replacement");
    assert_eq!(report.lines, 6);
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn gzip_is_read_also_in_several_members_and_told_where_it_is_cut() {
    let line = plain(MISMATCH) + "\n";
    let two = [gzip(&line), gzip(&line)].concat();
    let whole = report(&two);
    assert_eq!((counted(&whole), whole.inputs[0].ended_early.clone()), (vec![(Kind::Mismatch, 2)], None));
    let cut = report_with(&[&two[..two.len() - 20], line.as_bytes()], &options(None));
    assert!(cut.inputs[0].ended_early.is_some() && cut.inputs[1].ended_early.is_none());
    assert!(cut.count(Kind::Mismatch) >= 2, "the first member and the other input");
}

#[test]
fn other_forms_are_named_and_not_taken_for_silence() {
    for (begins, what) in [(&b"\x28\xb5\x2f\xfd..."[..], "zstd"), (b"\xff\xfea\0", "UTF-16"), (b"PK\x03\x04", "ZIP")] {
        assert!(report(begins).inputs[0].ended_early.as_ref().unwrap().contains(what));
    }
}

#[test]
fn where_time_goes_back_it_says_so_and_where_lines_are_mixed_it_does_not() {
    let at = |time: &str| record(time, SERVED, "") + "\n";
    let mixed = at("2026-01-31T11:00:00Z") + &at("2026-01-31T10:59:30Z") + &at("2026-01-31T11:00:10Z");
    assert_eq!(report(&mixed).inputs[0].clock, None);
    let clock = report(mixed + &at("2026-01-31T10:00:10Z")).inputs[0].clock.unwrap();
    assert_eq!((clock.times, clock.most_seconds, clock.line), (1, 3600, 4));
}

#[test]
fn an_hour_is_compared_with_the_hour_before() {
    let at = |time: &str, message: &str| record(time, message, r#""pathname":"/a""#) + "\n";
    let log = at("2026-01-31T09:59:59.999Z", MISMATCH)
        + &at("2026-01-31T10:00:00.000Z", MISMATCH)
        + &at("2026-01-31T10:59:59.999Z", MISMATCH)
        + &at("2026-01-31T11:00:00.000Z", UNRESOLVED)
        + &at("2026-01-31T11:59:59.999Z", SERVED)
        + &at("2026-01-31T12:00:00.000Z", MISMATCH)
        + &at("no time", MISMATCH);
    let report = report_with(&[log.as_bytes()], &options(Some(60)));
    let of = |kind| report.kinds.iter().find(|report| report.kind == kind).unwrap();
    let numbers = |kind| (of(kind).count, of(kind).before);
    assert_eq!(numbers(Kind::Mismatch), (0, Some(2)));
    assert_eq!(numbers(Kind::Unresolved), (1, Some(0)));
    assert_eq!((of(Kind::Unresolved).share, report.outside, report.without_time), (Some(1.0), 2, 1));
    assert_eq!(of(Kind::Unresolved).over_time.iter().sum::<u64>(), 1);
    assert_eq!((report.by_route[0].count, report.by_route[0].before), (1, Some(2)));
}

#[test]
fn a_request_that_writes_two_messages_counts_once() {
    let both = plain(SERVED) + "\n" + &plain("Middleware: authenticated request processed") + "\n";
    let report = report(both.repeat(3) + &plain(SERVED));
    assert_eq!(report.requests, 4);
    assert_eq!(report.traffic.iter().map(|traffic| traffic.count).collect::<Vec<_>>(), [4, 3]);
}

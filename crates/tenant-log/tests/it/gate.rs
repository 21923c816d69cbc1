//! Whether a log is quiet enough for a rollout.

use tenancy_config::tenancy::LogSection;
use tenant_log::{Error, GateVerdict, Input, LogOptions, WhyNotTried, judge};

use crate::support::{SERVED, UNRESOLVED, options, plain, record, report_with};

fn verdict(log: &str, most: &str, since: Option<u64>) -> GateVerdict {
    let options = LogOptions { most_unresolved: Some(most.parse().unwrap()), ..options(since) };
    report_with(&[log.as_bytes()], &options).gate.unwrap()
}

fn why(verdict: GateVerdict) -> WhyNotTried {
    match verdict {
        GateVerdict::NotTried { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_share_of_the_requests_decides() {
    let log = (plain(SERVED) + "\n").repeat(1_000) + &plain(UNRESOLVED);
    assert!(verdict(&log, "0.1%", None).is_quiet());
    assert!(matches!(verdict(&log, "0.09%", None), GateVerdict::Exceeded(_)));
    assert!(matches!(verdict(&log, "0", None), GateVerdict::Exceeded(_)));
}

#[test]
fn silence_without_traffic_proves_nothing() {
    assert_eq!(why(verdict("", "1%", None)), WhyNotTried::NoTraffic);
    assert_eq!(why(verdict(&plain(UNRESOLVED), "1%", None)), WhyNotTried::NoTraffic);
    let earlier = record("2026-01-30T11:30:00Z", SERVED, "");
    assert_eq!(why(verdict(&earlier, "1%", Some(60))), WhyNotTried::NoTraffic);
}

#[test]
fn a_log_that_was_not_read_to_its_end_is_not_quiet() {
    let options = LogOptions { most_unresolved: Some("1%".parse().unwrap()), ..options(None) };
    let report = report_with(&[plain(SERVED).as_bytes(), b"\x1f\x8b\x08"], &options);
    assert_eq!(why(report.gate.unwrap()), WhyNotTried::EndedEarly { input: "1.log".to_owned() });
}

#[test]
fn unresolved_records_without_a_time_are_not_taken_for_old_ones() {
    let log = plain(SERVED) + "\n" + &record("yesterday", UNRESOLVED, "");
    assert_eq!(why(verdict(&log, "1%", Some(60))), WhyNotTried::WithoutTime { records: 1 });
}

#[test]
fn a_line_that_cannot_be_read_and_has_the_words_counts_as_unresolved() {
    let torn = &plain(UNRESOLVED)[..135];
    let long = format!("{{\"x\":\"{}\",{}", "x".repeat(3 << 20), &plain(UNRESOLVED)[1..]);
    for line in [torn, long.as_str()] {
        let log = plain(SERVED) + "\n" + line + "\n" + &plain(SERVED);
        assert!(matches!(verdict(&log, "0.1%", None), GateVerdict::Exceeded(_)));
    }
}

#[test]
fn the_gate_is_one_call_and_refuses_files_that_are_not_there_or_there_twice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.log");
    std::fs::write(&file, plain(SERVED)).unwrap();
    let ask = |inputs: &[Input]| judge(inputs, &LogSection::default(), None, "0".parse().unwrap());
    let input = Input::from(file.as_path());
    assert!(ask(std::slice::from_ref(&input)).unwrap().is_quiet());
    assert!(matches!(ask(&[input.clone(), input]), Err(Error::Twice(_))));
    assert!(matches!(ask(&[Input::Stdin, Input::Stdin]), Err(Error::Twice(_))));
    assert!(matches!(ask(&[Input::from(folder.path())]), Err(Error::Folder(_))));
    assert!(matches!(ask(&[Input::File(folder.path().join("no"))]), Err(Error::Open { .. })));
}

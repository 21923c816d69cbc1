//! Whatever bytes a log has, it is read to its end, and memory does not grow with it.

use proptest::prelude::*;
use tenant_log::Kind;

use crate::support::{MISMATCH, UNRESOLVED, counted, options, plain, record, report, report_with};

/// Pieces of records that mean something, in any order, between any bytes.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let known = prop_oneof![
        Just(plain(MISMATCH)),
        Just(plain(UNRESOLVED)[..90].to_owned()),
        Just("2026-01-31 12:00:00.000 UTC,\"a\",b,".to_owned()),
        Just("2026-01-31 12:00:00 UTC [7] ERROR:  ".to_owned()),
        Just("new row violates row-level security policy for table \"".to_owned()),
        Just("permission denied for table x".to_owned()),
        Just(",ERROR,42501,\"".to_owned()),
        Just("{\"log\":\"{\\\"message\\\":\\\"API request completed\\\"".to_owned()),
        Just("{\"message\":".to_owned()),
        Just("\"context\":{".to_owned()),
        Just("}\n".to_owned()),
        Just("\"".to_owned()),
        Just("\u{feff}{".to_owned()),
    ];
    let piece =
        prop_oneof![3 => known.prop_map(String::into_bytes), 1 => proptest::collection::vec(any::<u8>(), 0..12)];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_their_end(bytes in pieces()) {
        let report = report_with(&[&bytes, &bytes], &options(Some(60)));
        prop_assert_eq!(report.lines % 2, 0);
        if !bytes.starts_with(&[0x1f, 0x8b]) && report.inputs[0].ended_early.is_none() {
            prop_assert_eq!(report.bytes, 2 * bytes.len() as u64);
        }
    }

    #[test]
    fn a_record_counts_whatever_surrounds_its_line(before in pieces(), after in pieces()) {
        prop_assume!(report(&before).inputs[0].ended_early.is_none() && !before.starts_with(&[0x1f, 0x8b]));
        // A statement of csvlog that never ends is believed for a while, and a tab begins what belongs to the line before.
        prop_assume!(!before.windows(4).any(|window| window == b" UTC"));
        let own = record("2026-01-31T11:30:00Z", MISMATCH, "");
        let log = [&before[..], b"\n", own.as_bytes(), b"\n", &after].concat();
        let without = [&before[..], b"\n\n", &after].concat();
        prop_assert_eq!(report(log).count(Kind::Mismatch), report(without).count(Kind::Mismatch) + 1);
    }
}

#[test]
fn twenty_thousand_names_are_counted_and_not_all_kept() {
    let records = 20_000;
    let context = |at: u32| format!(r#""pathname":"/p{at}x","tenantId":"t{at}x","requestId":"r{at}""#);
    let log: String = (0..records).map(|at| record("2026-01-31T11:30:00Z", MISMATCH, &context(at)) + "\n").collect();
    let report = report(log);
    assert_eq!(counted(&report), [(Kind::Mismatch, u64::from(records))]);
    assert_eq!(report.worst.iter().map(|spot| spot.count).sum::<u64>() + report.unlisted, u64::from(records));
    assert_eq!(report.by_tenant.last().unwrap().name, None, "the others together");
    assert_eq!(report.by_tenant.last().unwrap().count, 15_000);
}

#[test]
fn a_line_of_open_braces_is_not_tried_at_each_of_them() {
    let deep = "{\"a\":".repeat(100_000) + "\"" + MISMATCH;
    let report = report(deep);
    assert_eq!((report.trouble(), report.unread.len()), (0, 1));
}

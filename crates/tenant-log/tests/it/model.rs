//! For generated logs, the numbers are those of a slow model that knows what was written.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use tenancy_config::tenancy::LogSection;
use tenant_log::Kind;

use crate::support::{noon, options, report_with};

/// A line, and what it tells.
#[derive(Debug, Clone)]
struct Written {
    minutes_ago: i64,
    /// One of all messages of the application, or something else.
    message: usize,
    route: usize,
    tenant: usize,
    form: usize,
}

const ROUTES: [(&str, &str); 3] =
    [("/api/bookings/17?x=1", "/api/bookings/:id"), ("/portal", "/portal"), ("/a/99/b", "/a/:id/b")];

/// All messages, with the kind; `None` for served requests.
fn messages() -> Vec<(String, Option<Kind>)> {
    let messages = LogSection::default().messages;
    let of = |list: Vec<String>, kind| list.into_iter().map(move |message| (message, kind));
    of(messages.mismatch, Some(Kind::Mismatch))
        .chain(of(messages.unscoped, Some(Kind::Unscoped)))
        .chain(of(messages.missing_context, Some(Kind::MissingContext)))
        .chain(of(messages.unresolved, Some(Kind::Unresolved)))
        .chain(of(messages.traffic, None))
        .collect()
}

fn line(written: &Written, all: &[(String, Option<Kind>)]) -> String {
    let Some((message, _)) = all.get(written.message) else { return "something else { \"x\": 1 }".to_owned() };
    let time: DateTime<Utc> = noon() - Duration::minutes(written.minutes_ago) - Duration::seconds(1);
    let time = time.to_rfc3339();
    let own = serde_json::json!({ "level": "warn", "timestamp": time, "message": message, "context": {
        "pathname": ROUTES[written.route].0, "tenantId": format!("t{}", written.tenant), "extra": ["{\"", 1, null],
    }});
    match written.form {
        0 => own.to_string(),
        1 => format!("2020-01-01T00:00:00Z stdout F {own}"),
        2 => serde_json::json!({ "log": format!("{own}\n"), "stream": "stdout" }).to_string(),
        3 => format!("{own}\r"),
        _ => format!("[x] {{y}} {own} z"),
    }
}

fn written() -> impl Strategy<Value = Written> {
    (0i64..200, 0usize..13, 0usize..3, 0usize..3, 0usize..5)
        .prop_map(|(minutes_ago, message, route, tenant, form)| Written { minutes_ago, message, route, tenant, form })
}

proptest! {
    #[test]
    fn the_numbers_are_those_of_the_model(all in proptest::collection::vec(written(), 0..120), minutes in 1i64..120, cut in 0usize..120) {
        let messages = messages();
        let files = all.split_at(cut.min(all.len()));
        let text = |part: &[Written]| part.iter().map(|written| line(written, &messages) + "\n").collect::<String>();
        let (one, two) = (text(files.0), text(files.1));
        let report = report_with(&[one.as_bytes(), two.as_bytes()], &options(Some(minutes as u64)));
        let told = |from: i64, to: i64| all.iter().filter(move |written| (from..to).contains(&written.minutes_ago));
        let kind = |written: &Written| messages.get(written.message).and_then(|(_, kind)| *kind);
        for of in &report.kinds {
            let count = |from, to| told(from, to).filter(|written| kind(written) == Some(of.kind)).count() as u64;
            prop_assert_eq!((of.count, of.before), (count(0, minutes), Some(count(minutes, 2 * minutes))));
            prop_assert_eq!(of.over_time.iter().sum::<u64>(), of.count);
        }
        for (at, traffic) in report.traffic.iter().enumerate() {
            let count = told(0, minutes).filter(|written| written.message == messages.len() - 2 + at).count() as u64;
            prop_assert_eq!(traffic.count, count);
        }
        let by = |name: &dyn Fn(&Written) -> String| {
            let mut names = BTreeMap::<String, (u64, u64)>::new();
            for written in all.iter().filter(|written| kind(written).is_some()) {
                let both = names.entry(name(written)).or_default();
                both.0 += u64::from(written.minutes_ago < minutes);
                both.1 += u64::from((minutes..2 * minutes).contains(&written.minutes_ago));
            }
            names.retain(|_, both| *both != (0, 0));
            names
        };
        let listed = |names: &[tenant_log::NameReport]| -> BTreeMap<String, (u64, u64)> {
            names.iter().map(|name| (name.name.clone().unwrap(), (name.count, name.before.unwrap()))).collect()
        };
        prop_assert_eq!(listed(&report.by_route), by(&|written| ROUTES[written.route].1.to_owned()));
        prop_assert_eq!(listed(&report.by_tenant), by(&|written| format!("t{}", written.tenant)));
        let spots: u64 = report.worst.iter().map(|spot| spot.count).sum();
        prop_assert_eq!(spots + report.unlisted, report.trouble());
        prop_assert!(report.worst.is_sorted_by(|one, other| one.count >= other.count));
    }
}

//! Makes the report of the sums.

use std::cmp::Reverse;
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use tenancy_config::tenancy::LogSection;

use crate::collect::{AtSpot, Both, Spot, Sums};
use crate::counts::ByName;
use crate::gate::{GateVerdict, MeasuredShare, MostUnresolved, WhyNotTried};
use crate::kind::Kind;
use crate::report::{
    InputReport, IntervalsReport, KindReport, LogReport, NameReport, SpotReport, TrafficReport, UnreadReport,
    WindowReport,
};
use crate::time::Millis;
use crate::unread::Unread;
use crate::window::Window;

/// A moment; `None` only for one that no calendar has.
pub(crate) fn moment(time: Millis) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(time)
}

/// The report.
pub(crate) fn report(sums: Sums, inputs: Vec<InputReport>, unread: &Unread, log: &LogSection, top: usize) -> LogReport {
    let Sums { window, all, timeline, spots, routes, tenants, models, without_time, outside, .. } = sums;
    let compares = matches!(window, Window::Last { .. });
    let before = |count: u64| compares.then_some(count);
    let intervals = timeline.shown();
    let requests = all.now.requests();
    let mut kinds: Vec<KindReport> = Kind::ALL
        .into_iter()
        .map(|kind| KindReport {
            kind,
            count: all.now.kinds[kind as usize],
            before: before(all.before.kinds[kind as usize]),
            share: share(all.now.kinds[kind as usize], requests),
            over_time: intervals
                .iter()
                .flat_map(|shown| &shown.counts)
                .map(|counts| counts.kinds[kind as usize])
                .collect(),
        })
        .collect();
    kinds.sort_by_key(|kind| (Reverse(kind.count), Reverse(kind.before), kind.kind));
    let (worst, unlisted) = worst(spots, top, compares);
    let traffic = log.messages.traffic.iter().zip(all.now.served);
    LogReport {
        window: reported(window),
        lines: inputs.iter().map(|input| input.lines).sum(),
        bytes: inputs.iter().map(|input| input.bytes).sum(),
        inputs,
        requests,
        requests_before: before(all.before.requests()),
        traffic: traffic.map(|(message, count)| TrafficReport { message: message.clone(), count }).collect(),
        kinds,
        intervals: intervals.and_then(|shown| {
            let (seconds, count) = (shown.width as f64 / 1e3, shown.counts.len());
            Some(IntervalsReport { since: moment(shown.begin)?, seconds, count })
        }),
        worst,
        unlisted,
        by_route: by_name(routes, top, compares),
        by_tenant: by_name(tenants, top, compares),
        by_model: by_name(models, top, compares),
        outside: outside.trouble() + outside.requests(),
        without_time: without_time.trouble() + without_time.requests(),
        unread: unread.occurred().map(|(reason, lines)| UnreadReport { reason, lines }).collect(),
        gate: None,
    }
}

fn reported(window: Window) -> Option<WindowReport> {
    match window {
        Window::All => None,
        Window::Last { before, since, until } => {
            Some(WindowReport { before_since: moment(before)?, since: moment(since)?, until: moment(until)? })
        }
    }
}

fn share(count: u64, requests: u64) -> Option<f64> {
    (requests > 0).then(|| count as f64 / requests as f64)
}

/// The places with the most records, and how many records the others have.
fn worst(spots: ByName<Spot, AtSpot>, top: usize, compares: bool) -> (Vec<SpotReport>, u64) {
    let mut all: Vec<(Spot, AtSpot)> = spots.named.into_iter().collect();
    all.sort_by(|(spot, at), (other, at_other)| (at_other.now, at_other.before, spot).cmp(&(at.now, at.before, other)));
    let others = all.iter().skip(top).map(|(_, at)| at.now).sum::<u64>() + spots.others.now;
    let listed = all.into_iter().take(top).map(|(spot, at)| SpotReport {
        kind: spot.kind,
        route: spot.route,
        tenant: spot.tenant,
        model: spot.model,
        count: at.now,
        before: compares.then_some(at.before),
        first: at.first.and_then(moment),
        last: at.last.and_then(moment),
        request_ids: at.requests,
    });
    (listed.collect(), others)
}

/// The names with the most records of trouble.
fn by_name(names: ByName<String, Both>, top: usize, compares: bool) -> Vec<NameReport> {
    let report = |name: Option<String>, both: Both| {
        let (count, requests) = (both.now.trouble(), both.now.requests());
        let kinds = Kind::ALL.into_iter().zip(both.now.kinds).filter(|(_, count)| *count > 0).collect();
        let before = compares.then_some(both.before.trouble());
        NameReport { name, count, before, kinds, requests, share: share(count, requests) }
    };
    let has_trouble = |both: &Both| both.now.trouble() + both.before.trouble() > 0;
    let named: HashMap<String, Both> = names.named;
    let mut all: Vec<NameReport> =
        named.into_iter().filter(|(_, both)| has_trouble(both)).map(|(name, both)| report(Some(name), both)).collect();
    all.sort_by(|one, other| (other.count, other.before, &one.name).cmp(&(one.count, one.before, &other.name)));
    all.truncate(top);
    all.extend(has_trouble(&names.others).then(|| report(None, names.others)));
    all
}

/// Whether a log is quiet enough. It says so only if it was read to its end and requests were served.
pub(crate) fn verdict(
    report: &LogReport,
    unresolved_without_time: u64,
    maybe_unresolved: u64,
    most: MostUnresolved,
) -> GateVerdict {
    let measured = MeasuredShare {
        most: most.to_string(),
        unresolved: report.count(Kind::Unresolved) + maybe_unresolved,
        requests: report.requests,
    };
    let not_tried = |why| GateVerdict::NotTried { most: most.to_string(), why };
    let ended_early = report.inputs.iter().find(|input| input.ended_early.is_some());
    if report.requests > 0 && most.is_exceeded_by(measured.unresolved, report.requests) {
        return GateVerdict::Exceeded(measured);
    }
    match (report.requests, ended_early, unresolved_without_time) {
        (_, Some(input), _) => not_tried(WhyNotTried::EndedEarly { input: input.name.clone() }),
        (0, _, _) => not_tried(WhyNotTried::NoTraffic),
        (_, _, 0) => GateVerdict::Quiet(measured),
        (_, _, records) => not_tried(WhyNotTried::WithoutTime { records }),
    }
}

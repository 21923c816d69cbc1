//! The report of `tenant-log`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tenant_log::{InputReport, KindReport, LogReport, NameReport, SpotReport};

use crate::document::block::{Block, Column, Document, List, Table, lines, number, paragraph, text};
use crate::document::report::Report;
use crate::document::sparkline::sparkline;
use crate::number_format::{count, counted, duration};

impl Report for LogReport {
    const NAME: &'static str = "tenant-log";
    const SCHEMA: Option<&'static str> = Some("tenant-log/1");

    fn document(&self) -> Document {
        let mut document = Document::new([paragraph(read(self))]);
        if self.kinds.iter().any(has_any) {
            document.push(kinds(self));
            document.push(spots(self));
            document.extend(names("route", &self.by_route, self));
            document.extend(names("tenant", &self.by_tenant, self));
            document.extend(names("model", &self.by_model, self));
        }
        document.extend(List::new("Not all of it could be read as it should:", faults(self)).unless_empty());
        document.push(lines(conclusions(self)));
        document
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let header = vec!["kind", "route", "tenant", "model", "records", "before", "first", "last", "request_ids"];
        let moment = |at: Option<DateTime<Utc>>| at.map_or_else(String::new, |at| at.to_rfc3339());
        let row = |spot: &SpotReport| {
            vec![
                spot.kind.to_string(),
                spot.route.clone().unwrap_or_default(),
                spot.tenant.clone().unwrap_or_default(),
                spot.model.clone().unwrap_or_default(),
                spot.count.to_string(),
                spot.before.map_or_else(String::new, |before| before.to_string()),
                moment(spot.first),
                moment(spot.last),
                spot.request_ids.join(" "),
            ]
        };
        Some((header, self.worst.iter().map(row).collect()))
    }
}

fn has_any(kind: &KindReport) -> bool {
    kind.count > 0 || kind.before.is_some_and(|before| before > 0)
}

/// What was read, and of which time the report is.
fn read(report: &LogReport) -> String {
    let inputs = match report.inputs.as_slice() {
        [one] => one.name.clone(),
        several => counted(several.len() as u64, "input", "inputs"),
    };
    let first = report.inputs.iter().filter_map(|input| input.first).min();
    let last = report.inputs.iter().filter_map(|input| input.last).max();
    let time = match (report.window, first, last) {
        (Some(window), _, _) => format!("; from {} to {}", time(window.since), time(window.until)),
        (None, Some(first), Some(last)) => format!("; from {} to {}", time(first), time(last)),
        _ => String::new(),
    };
    format!(
        "{inputs}: {}, {}{time}; {} served.",
        counted(report.lines, "line", "lines"),
        size(report.bytes),
        counted(report.requests, "request was", "requests were"),
    )
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => counted(bytes, "byte", "bytes"),
        10_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The column of the time before, if the report compares.
fn before_column(report: &LogReport) -> Option<Column> {
    report.window.map(|_| number("before"))
}

fn kinds(report: &LogReport) -> Block {
    let compared = before_column(report);
    let columns =
        [text("kind"), number("records")].into_iter().chain(compared).chain([number("of requests"), text("over time")]);
    let row = |kind: &KindReport| {
        let (name, records) = (kind.kind.to_string(), count(kind.count));
        let shares = [share(kind.share), sparkline(&kind.over_time)];
        [name, records].into_iter().chain(kind.before.map(count)).chain(shares).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = report.kinds.iter().filter(|kind| has_any(kind)).map(row).collect();
    let table = Table::new(columns, rows);
    match &report.intervals {
        Some(intervals) => {
            let each = duration(Duration::from_secs_f64(intervals.seconds));
            let number = counted(intervals.count as u64, "interval", "intervals");
            table.with_note(format!("Over time: {number} of {each}, from {}.", time(intervals.since)))
        }
        None => table,
    }
    .into()
}

fn spots(report: &LogReport) -> Block {
    let compared = before_column(report);
    let places = [text("kind"), text("route"), text("tenant"), text("model"), number("records")];
    let columns = places.into_iter().chain(compared).chain([text("some requests")]);
    let or_none = |name: &Option<String>| name.clone().unwrap_or_else(|| "–".to_owned());
    let row = |spot: &SpotReport| {
        let place = [spot.kind.to_string(), or_none(&spot.route), or_none(&spot.tenant), or_none(&spot.model)];
        let records = [count(spot.count)].into_iter().chain(spot.before.map(count));
        place.into_iter().chain(records).chain([spot.request_ids.join(" ")]).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = report.worst.iter().map(row).collect();
    let table = Table::new(columns, rows);
    if report.unlisted == 0 {
        return table.into();
    }
    table
        .with_note(format!("{} at other places; --top lists more.", counted(report.unlisted, "record", "records")))
        .into()
}

fn names(what: &str, names: &[NameReport], report: &LogReport) -> Option<Block> {
    let compared = before_column(report);
    let columns = [text(what), number("records")].into_iter().chain(compared);
    let columns = columns.chain([text("kinds"), number("requests"), number("of requests")]);
    let row = |name: &NameReport| {
        let kinds: Vec<String> = name.kinds.iter().map(|(kind, number)| format!("{kind} {}", count(*number))).collect();
        let first = [name.name.clone().unwrap_or_else(|| "(all others)".to_owned()), count(name.count)];
        let last = [kinds.join(", "), count(name.requests), share(name.share)];
        first.into_iter().chain(name.before.map(count)).chain(last).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = names.iter().map(row).collect();
    (!rows.is_empty()).then(|| Table::new(columns, rows).into())
}

/// A share of the requests. Without requests there is none.
fn share(share: Option<f64>) -> String {
    match share.map(|share| share * 100.0) {
        None => "–".to_owned(),
        Some(0.0) => "0%".to_owned(),
        Some(percent) if percent < 0.001 => "<0.001%".to_owned(),
        Some(percent) if percent < 1.0 => format!("{percent:.3}%"),
        Some(percent) => format!("{percent:.1}%"),
    }
}

/// What was not read as it should, and what cannot be true.
fn faults(report: &LogReport) -> Vec<String> {
    let unread =
        report.unread.iter().map(|unread| format!("{}: {}", counted(unread.lines, "line", "lines"), unread.reason));
    let ended =
        |input: &InputReport| Some(format!("{} was not read to its end: {}", input.name, input.ended_early.as_ref()?));
    let clock = |input: &InputReport| {
        let clock = input.clock?;
        let times = counted(clock.times, "time", "times");
        let by = duration(Duration::from_secs(clock.most_seconds));
        Some(format!("{}: time goes back {times}, by up to {by} in line {}", input.name, clock.line))
    };
    let without = (report.without_time > 0).then(|| {
        format!(
            "{} without a time, which may or may not be of this time",
            counted(report.without_time, "record", "records")
        )
    });
    unread
        .chain(report.inputs.iter().filter_map(ended))
        .chain(report.inputs.iter().filter_map(clock))
        .chain(without)
        .collect()
}

fn conclusions(report: &LogReport) -> Vec<String> {
    let trouble = counted(report.trouble(), "record", "records");
    let before = report
        .requests_before
        .map(|before| format!(" The time before had {}.", counted(before, "request", "requests")));
    let outside =
        (report.outside > 0).then(|| format!("{} of other times.", counted(report.outside, "record", "records")));
    let nothing = report.found_nothing().then(|| {
        "No record of trouble and none of a served request was found: this says nothing about the application. [log] in \
         tenancy.toml has the names of the fields and the messages."
            .to_owned()
    });
    let told = format!("{trouble} of tenant trouble.{}", before.unwrap_or_default());
    let gate = report.gate.as_ref().map(|verdict| format!("{verdict}."));
    [Some(told), outside, nothing, gate].into_iter().flatten().collect()
}

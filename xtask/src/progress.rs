//! Progress of a long job: a bar with rate and remaining time on a terminal, a plain line every ten seconds where there
//! is none, nothing with `--quiet` or `--no-progress`.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::printer::Printer;
use crate::text::{count, duration};

/// How often a log that nobody watches gets a line.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// One running count, such as rows of a table.
pub(crate) struct Meter<'a> {
    printer: &'a Printer,
    bar: Option<ProgressBar>,
    label: String,
    unit: &'static str,
    total: Option<u64>,
    /// What was done before this process began, and does not count as speed.
    before: u64,
    started: Instant,
    last_line: Instant,
}

impl<'a> Meter<'a> {
    /// Begins at `before` of `total` (`None`: nobody knows) in `unit`s.
    pub(crate) fn start(
        printer: &'a Printer,
        label: &str,
        unit: &'static str,
        before: u64,
        total: Option<u64>,
    ) -> Self {
        let bar = ProgressBar::hidden();
        if let Some(total) = total {
            bar.set_length(total);
        }
        let bar = printer.add_bar(bar);
        if let Some(bar) = &bar {
            bar.set_style(style(unit, total.is_some(), printer.colours_on_stderr()));
            bar.set_prefix(label.to_owned());
            // Before the first update, so that a resumed run does not count as having been fast.
            bar.set_position(before);
            bar.reset_eta();
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        let now = Instant::now();
        Self { printer, bar, label: label.to_owned(), unit, total, before, started: now, last_line: now }
    }

    /// Tells how many units are done, and a few words on what they were.
    pub(crate) fn set(&mut self, done: u64, words: &str) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(words.to_owned());
        } else if self.printer.shows_progress() && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            self.printer.note(&self.line(done, words, self.started.elapsed()));
        }
    }

    /// Tells what is being done beside counting.
    pub(crate) fn words(&self, words: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(words.to_owned());
        }
    }

    /// Takes the bar away; the report that follows says how it ended.
    pub(crate) fn finish(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, done: u64, words: &str, elapsed: Duration) -> String {
        let rate = per_second(done.saturating_sub(self.before), elapsed);
        let of_total = self.total.map_or_else(String::new, |total| format!(" of {}", count(total)));
        let left = self.total.and_then(|total| remaining(total.saturating_sub(done), rate));
        let left = left.map_or_else(String::new, |left| format!(", about {} left", duration(left)));
        let words = if words.is_empty() { String::new() } else { format!(" ({words})") };
        format!(
            "{}: {}{of_total} {}, {} {}/s{left}{words}",
            self.label,
            count(done),
            self.unit,
            count(rate as u64),
            self.unit
        )
    }
}

fn per_second(done: u64, elapsed: Duration) -> f64 {
    let seconds = elapsed.as_secs_f64();
    if seconds > 0.0 { done as f64 / seconds } else { 0.0 }
}

fn remaining(left: u64, rate: f64) -> Option<Duration> {
    // A rate this low says nothing about the end; `try_from` also refuses what is longer than a Duration.
    (rate > f64::EPSILON).then(|| Duration::try_from_secs_f64(left as f64 / rate).ok()).flatten()
}

fn style(unit: &'static str, bounded: bool, colours: bool) -> ProgressStyle {
    let template = match (bounded, colours) {
        (true, true) => "{prefix} {wide_bar:.cyan/dim} {done} of {all} {unit}, {rate}/s, {eta} left {msg:.dim}",
        (true, false) => "{prefix} {wide_bar} {done} of {all} {unit}, {rate}/s, {eta} left {msg}",
        (false, true) => "{prefix} {spinner} {done} {unit}, {rate}/s {msg:.dim}",
        (false, false) => "{prefix} {spinner} {done} {unit}, {rate}/s {msg}",
    };
    let number = |f: &mut dyn std::fmt::Write, value: u64| {
        // Formatting into indicatif's buffer cannot fail.
        let _ = f.write_str(&count(value));
    };
    ProgressStyle::with_template(template)
        .expect("the template is checked by a test")
        .with_key("done", move |state: &ProgressState, f: &mut dyn std::fmt::Write| number(f, state.pos()))
        .with_key("all", move |state: &ProgressState, f: &mut dyn std::fmt::Write| number(f, state.len().unwrap_or(0)))
        .with_key("rate", move |state: &ProgressState, f: &mut dyn std::fmt::Write| number(f, state.per_sec() as u64))
        .with_key("unit", move |_: &ProgressState, f: &mut dyn std::fmt::Write| {
            let _ = f.write_str(unit);
        })
        .progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_valid() {
        for (bounded, colours) in [(true, true), (true, false), (false, true), (false, false)] {
            style("rows", bounded, colours);
        }
    }

    #[test]
    fn a_resumed_run_counts_only_its_own_rows_as_speed() {
        let printer = Printer::new(true, false, None);
        let meter = Meter::start(&printer, "bookings", "rows", 50_000, Some(100_000));
        let line = meter.line(60_000, "12 conflicts", Duration::from_secs(10));
        assert_eq!(line, "bookings: 60,000 of 100,000 rows, 1,000 rows/s, about 40 s left (12 conflicts)");
    }

    #[test]
    fn without_a_total_there_is_no_guess_about_the_end() {
        let printer = Printer::new(true, false, None);
        let meter = Meter::start(&printer, "bookings", "rows", 0, None);
        assert_eq!(meter.line(0, "", Duration::ZERO), "bookings: 0 rows, 0 rows/s");
    }
}

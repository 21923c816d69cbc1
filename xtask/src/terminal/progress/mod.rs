//! Progress of a long job: a bar with rate and remaining time on a terminal, a plain line every ten seconds where there
//! is none, nothing with `--quiet` or `--no-progress`.

mod pace;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use pace::Pace;
use tenancy_config::plain::plain;

use crate::number_format::{count, duration};
use crate::terminal::printer::Printer;

/// How often a log gets a line where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// One running count, such as rows of a table.
pub(crate) struct Meter<'a> {
    printer: &'a Printer,
    bar: Option<ProgressBar>,
    /// The rate and the time left, as the bar shows them.
    shown: Arc<Shown>,
    label: String,
    unit: &'static str,
    total: Option<u64>,
    done: u64,
    words: String,
    held: Option<Held>,
    pace: Pace,
    started: Instant,
    last_line: Instant,
}

/// Why the job is slower than it could be.
struct Held {
    words: String,
    waits: bool,
    since: Instant,
}

#[derive(Default)]
struct Shown {
    rate: AtomicU64,
    /// The seconds that are left plus one; 0 if that is unknown.
    left: AtomicU64,
}

impl<'a> Meter<'a> {
    /// Begins at `before` of `total` `unit`s; `None` if the total is unknown.
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
        let (bar, shown) = (printer.add_bar(bar), Arc::new(Shown::default()));
        if let Some(bar) = &bar {
            bar.set_style(style(unit, total.is_some(), printer.colours_on_stderr(), &shown));
            bar.set_prefix(plain(label));
            bar.set_position(before);
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        let now = Instant::now();
        Self {
            printer,
            bar,
            shown,
            label: label.to_owned(),
            unit,
            total,
            done: before,
            words: String::new(),
            held: None,
            pace: Pace::from(before),
            started: now,
            last_line: now,
        }
    }

    /// Shows how many units are done, with a few words about them.
    pub(crate) fn set(&mut self, done: u64, words: &str) {
        self.done = done;
        words.clone_into(&mut self.words);
        self.pace.note(self.started.elapsed(), done);
        self.show();
    }

    /// Shows what the job is doing while it counts nothing.
    pub(crate) fn words(&mut self, words: &str) {
        words.clone_into(&mut self.words);
        self.show();
    }

    /// Shows why the job is slow or, with `waits`, stands still; `None` if it no longer is.
    pub(crate) fn hold(&mut self, why: Option<(&str, bool)>) {
        let waits = why.is_some_and(|(_, waits)| waits);
        self.pace.wait(self.started.elapsed(), waits);
        self.held = why.map(|(words, waits)| Held { words: words.to_owned(), waits, since: Instant::now() });
        self.show();
    }

    /// Refreshes the times while no unit is done.
    pub(crate) fn show(&mut self) {
        let now = self.started.elapsed();
        if let Some(bar) = &self.bar {
            self.shown.rate.store(self.pace.rate(now) as u64, Ordering::Relaxed);
            let left = self.left(now).map_or(0, |left| left.as_secs() + 1);
            self.shown.left.store(left, Ordering::Relaxed);
            bar.set_position(self.done);
            bar.set_message(plain(self.held.as_ref().map_or_else(|| self.words.clone(), Held::text)));
        } else if self.printer.shows_progress() && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            self.printer.note(&self.line(now));
        }
    }

    /// Removes the bar. The report that follows says how the job ended.
    pub(crate) fn finish(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn left(&self, now: Duration) -> Option<Duration> {
        self.pace.left(now, self.total?.saturating_sub(self.done))
    }

    fn line(&self, now: Duration) -> String {
        let of_total = self.total.map_or_else(String::new, |total| format!(" of {}", count(total)));
        let mut line = format!("{}: {}{of_total} {}", self.label, count(self.done), self.unit);
        if self.held.as_ref().is_none_or(|held| !held.waits) {
            line.push_str(&format!(", {} {}/s", count(self.pace.rate(now) as u64), self.unit));
            let left = self.left(now).map(|left| format!(", about {} left", duration(left)));
            line.push_str(&left.unwrap_or_default());
        }
        if let Some(held) = &self.held {
            line.push_str(&format!(", {}", held.text()));
        }
        if !self.words.is_empty() {
            line.push_str(&format!(" ({})", self.words));
        }
        line
    }
}

impl Held {
    fn text(&self) -> String {
        let how = if self.waits { "waiting" } else { "slowed" };
        format!("{how} for {}: {}", duration(self.since.elapsed()), self.words)
    }
}

fn style(unit: &'static str, bounded: bool, colours: bool, shown: &Arc<Shown>) -> ProgressStyle {
    let template = match (bounded, colours) {
        (true, true) => "{prefix} {wide_bar:.cyan/dim} {done} of {all} {unit}, {rate}/s, {left} {msg:.dim}",
        (true, false) => "{prefix} {wide_bar} {done} of {all} {unit}, {rate}/s, {left} {msg}",
        (false, true) => "{prefix} {spinner} {done} {unit}, {rate}/s {msg:.dim}",
        (false, false) => "{prefix} {spinner} {done} {unit}, {rate}/s {msg}",
    };
    let number = |f: &mut dyn std::fmt::Write, value: u64| {
        // Formatting into indicatif's buffer cannot fail.
        let _ = f.write_str(&count(value));
    };
    let (rate, left) = (Arc::clone(shown), Arc::clone(shown));
    ProgressStyle::with_template(template)
        .expect("the template is checked by a test")
        .with_key("done", move |state: &ProgressState, f: &mut dyn std::fmt::Write| number(f, state.pos()))
        .with_key("all", move |state: &ProgressState, f: &mut dyn std::fmt::Write| number(f, state.len().unwrap_or(0)))
        .with_key("rate", move |_: &ProgressState, f: &mut dyn std::fmt::Write| {
            number(f, rate.rate.load(Ordering::Relaxed));
        })
        .with_key("left", move |_: &ProgressState, f: &mut dyn std::fmt::Write| {
            let text = match left.left.load(Ordering::Relaxed).checked_sub(1) {
                Some(seconds) => format!("{} left", duration(Duration::from_secs(seconds))),
                None => "nobody knows how much is left".to_owned(),
            };
            let _ = f.write_str(&text);
        })
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
            style("rows", bounded, colours, &Arc::default());
        }
    }

    #[test]
    fn a_line_tells_what_is_done_how_fast_and_how_long_it_takes() {
        let printer = Printer::new(true, false, None);
        let mut meter = Meter::start(&printer, "bookings", "rows", 50_000, Some(100_000));
        meter.set(60_000, "12 conflicts");
        meter.pace = Pace::from(50_000);
        meter.pace.note(Duration::from_secs(10), 60_000);
        let line = meter.line(Duration::from_secs(10));
        assert_eq!(line, "bookings: 60,000 of 100,000 rows, 1,000 rows/s, about 40 s left (12 conflicts)");
    }

    #[test]
    fn without_a_total_there_is_no_guess_about_the_end() {
        let printer = Printer::new(true, false, None);
        let meter = Meter::start(&printer, "bookings", "rows", 0, None);
        assert_eq!(meter.line(Duration::ZERO), "bookings: 0 rows, 0 rows/s");
    }

    #[test]
    fn a_line_says_why_it_waits_and_why_it_is_slow() {
        let printer = Printer::new(true, false, None);
        let mut meter = Meter::start(&printer, "bookings", "rows", 0, Some(100));
        meter.hold(Some(("a standby is behind", true)));
        assert!(meter.line(Duration::ZERO).starts_with("bookings: 0 of 100 rows, waiting for "), "no rate");
        assert!(meter.line(Duration::ZERO).ends_with(": a standby is behind"));
        meter.hold(Some(("others are at work", false)));
        assert!(meter.line(Duration::ZERO).starts_with("bookings: 0 of 100 rows, 0 rows/s, slowed for "));
        meter.hold(None);
        assert_eq!(meter.line(Duration::ZERO), "bookings: 0 of 100 rows, 0 rows/s");
    }
}

//! How long a large log takes, and how much memory: `LOG_MEGABYTES=1000 cargo test --release -p tenant-log --test speed`. The short
//! form only shows that it works.
#![allow(clippy::unwrap_used)] // also in helper functions of tests

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use tenancy_config::environment;
use tenancy_config::tenancy::LogSection;
use tenant_log::{Input, LogOptions, read};

/// Writes a log in which nine of ten lines are served requests or something else. Returns the records of trouble in it.
fn write(mut to: impl Write, megabytes: usize) -> u64 {
    let begin: DateTime<Utc> = "2026-01-31T00:00:00Z".parse().unwrap();
    let mut written = 0;
    for line in 0u64.. {
        if written >= megabytes * 1_000_000 {
            return line / 10;
        }
        let time = (begin + chrono::Duration::milliseconds(line as i64 * 7)).format("%Y-%m-%dT%H:%M:%S%.3fZ");
        let (message, more) = match line % 10 {
            0..=5 => ("API request completed", r#","status":200,"duration":"12ms""#),
            6..=8 => ("Booking saved", r#","note":"a text of some length that nobody looks for, as most of a log is""#),
            _ => ("Tenant guard detected read without tenant constraint", r#","model":"Booking","action":"findMany""#),
        };
        let text = format!(
            "{time} stdout F {{\"timestamp\":\"{time}\",\"level\":\"info\",\"message\":\"{message}\",\"context\":{{\"requestId\":\"req_{line}\",\
             \"pathname\":\"/api/bookings/{line}\",\"method\":\"GET\",\"userId\":\"u_{}\",\"tenantId\":\"t_{}\"{more}}}}}\n",
            line % 9_999,
            line % 299,
        );
        to.write_all(text.as_bytes()).unwrap();
        written += text.len();
    }
    unreachable!()
}

/// The most memory that this process had, in kB, where the system says it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}

/// The CPU time of this thread, where the system says it: other programs may use the machine too.
fn cpu_seconds() -> f64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    spent.split(' ').next().and_then(|text| text.parse::<f64>().ok()).map_or(f64::NAN, |nanoseconds| nanoseconds / 1e9)
}

fn measure(name: &str, file: &Path, trouble: u64) {
    let options = LogOptions { since: None, until: Utc::now(), top: 10, most_unresolved: None };
    let (cpu, began) = (cpu_seconds(), Instant::now());
    let report = read(&[Input::from(file)], &LogSection::default(), &options).unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let megabytes = report.bytes as f64 / 1e6;
    // Unlike printed text, this is shown even if the tests pass.
    let _ = writeln!(
        std::io::stderr(),
        "{name}: {} lines, {megabytes:.0} MB in {seconds:.2} s, {:.2} s of CPU; at most {} of memory",
        report.lines,
        cpu_seconds() - cpu,
        peak()
    );
    assert_eq!(report.trouble(), trouble);
}

#[test]
fn a_large_log_is_read_plain_and_compressed() {
    let megabytes = environment::text("LOG_MEGABYTES").unwrap().map_or(2, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (plain, gzip) = (folder.path().join("app.log"), folder.path().join("app.log.gz"));
    let trouble = write(BufWriter::new(File::create(&plain).unwrap()), megabytes);
    measure("plain", &plain, trouble);
    let mut encoder = GzEncoder::new(BufWriter::new(File::create(&gzip).unwrap()), Compression::fast());
    std::io::copy(&mut File::open(&plain).unwrap(), &mut encoder).unwrap();
    encoder.finish().unwrap().flush().unwrap();
    measure("gzip", &gzip, trouble);
}

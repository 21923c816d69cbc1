//! Minting a session: the built command beside a Node script that does the same with `next-auth`, each in processes of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dev_jwt::{Node, Read, ReadOptions, Secret};
use serde::Serialize;

use crate::error::{Error, Result};

/// What is measured.
#[derive(Debug, Clone)]
pub struct JwtBench {
    /// The built command, `xtask`.
    pub program: PathBuf,
    /// How often each candidate mints.
    pub runs: u32,
}

/// The report of [`jwt`]; its JSON is `bench-jwt/1`.
#[derive(Debug, Clone, Serialize)]
pub struct JwtBenchReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// How often each candidate minted.
    pub runs: u32,
    /// The candidates, in the order in which they ran.
    pub candidates: Vec<JwtCandidate>,
    /// Whether a session of each candidate was readable and had the expected claims.
    pub same_claims: bool,
    /// The version of Node.
    pub node: String,
    /// How this program was built, `debug` or `release`.
    pub build: &'static str,
    /// Processor cores; 0 where the system does not tell.
    pub cores: usize,
}

/// What one candidate took for one session, from the start of its process to its end.
#[derive(Debug, Clone, Serialize)]
pub struct JwtCandidate {
    /// Its name for people.
    pub name: &'static str,
    /// Processor time of user and system, in milliseconds.
    pub cpu_ms: f64,
    /// In milliseconds.
    pub wall_ms: f64,
}

/// The secret of no application.
const SECRET: &str = "the secret of a benchmark, 32 bytes and more";

/// Mints again and again, in a folder of its own.
///
/// # Errors
/// The real library could not be installed, or a candidate failed.
pub fn jwt(bench: &JwtBench, notes: &mut dyn FnMut(&str)) -> Result<JwtBenchReport> {
    let folder = tempfile::tempdir().map_err(|error| failed("making a folder", &error))?;
    notes("npm brings next-auth");
    let node = Node::install(folder.path())?;
    let claims = folder.path().join("claims.json");
    std::fs::write(&claims, CLAIMS).map_err(|error| failed("writing the claims", &error))?;
    let ours = ["jwt", "--offline", "--quiet", "--claims", "claims.json"].map(str::to_owned);
    let candidates: [(&str, PathBuf, Vec<String>); 2] = [
        ("xtask jwt --offline", bench.program.clone(), ours.into()),
        ("node with next-auth", "node".into(), vec!["mint.mjs".to_owned(), "claims.json".to_owned()]),
    ];
    let mut report = JwtBenchReport {
        schema: "bench-jwt/1",
        runs: bench.runs,
        candidates: Vec::new(),
        same_claims: true,
        node: said(node.folder(), Path::new("node"), &["--version".to_owned()])?.trim().to_owned(),
        build: if cfg!(debug_assertions) { "debug" } else { "release" },
        cores: std::thread::available_parallelism().map_or(0, Into::into),
    };
    for (name, program, arguments) in candidates {
        notes(name);
        report.same_claims &= is_right(&said(node.folder(), &program, &arguments)?)?;
        let (cpu, wall) = measure(node.folder(), &program, &arguments, bench.runs)?;
        let each = |time: Duration| time.as_secs_f64() * 1000.0 / f64::from(bench.runs);
        report.candidates.push(JwtCandidate { name, cpu_ms: each(cpu), wall_ms: each(wall) });
    }
    Ok(report)
}

const CLAIMS: &str = r#"{"sub": "u_1", "userId": "u_1", "email": "staff@example.com", "role": "ADMIN", "tenantId": "t_a",
    "tenantSlug": "acme", "availableTenants": [{"id": "t_a", "slug": "acme", "name": "Acme", "role": "OWNER"}]}"#;

fn failed(doing: &str, why: &dyn std::fmt::Display) -> Error {
    Error::Measure { doing: doing.to_owned(), why: why.to_string() }
}

fn prepared(folder: &Path, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    command.env("NEXTAUTH_SECRET", SECRET).env_remove("NODE_ENV").env_remove("NEXTAUTH_URL");
    command
}

/// What a command writes to its standard output.
fn said(folder: &Path, program: &Path, arguments: &[String]) -> Result<String> {
    let name = program.display().to_string();
    let output = prepared(folder, program).args(arguments).output().map_err(|error| failed(&name, &error))?;
    if !output.status.success() {
        return Err(failed(&name, &String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn is_right(cookie: &str) -> Result<bool> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| failed("reading the clock", &error))?;
    let options = ReadOptions { library: None, secure: Some(false), now, naming: dev_jwt::Naming::default() };
    let Read::Session(reading) = dev_jwt::read(cookie, &Secret::new(SECRET)?, &options) else { return Ok(false) };
    let said = |claims: &serde_json::Map<_, _>| claims.get("tenantSlug").is_some_and(|slug| slug == "acme");
    Ok(reading.problems.is_empty() && reading.claims.as_ref().is_some_and(said))
}

/// The shell starts the processes, as its `times` has the time of its children on every system.
const LOOP: &str = r#"i=0; while [ "$i" -lt "$RUNS" ]; do "$@" >/dev/null || exit 1; i=$((i+1)); done; times"#;

/// Processor and wall time of all runs together.
fn measure(folder: &Path, program: &Path, arguments: &[String], runs: u32) -> Result<(Duration, Duration)> {
    let mut shell = prepared(folder, Path::new("sh"));
    shell.args(["-c", LOOP, "sh"]).arg(program).args(arguments).env("RUNS", runs.to_string()).env("LC_ALL", "C");
    let began = Instant::now();
    let output = shell.output().map_err(|error| failed("sh", &error))?;
    let wall = began.elapsed();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let cpu = children(&text).filter(|_| output.status.success());
    let cpu = cpu.ok_or_else(|| failed("measuring", &String::from_utf8_lossy(&output.stderr).trim()))?;
    Ok((cpu, wall))
}

/// The second line of POSIX `times`, user and system of the children: `0m1.25s 0m0.50s`.
fn children(text: &str) -> Option<Duration> {
    let line = text.lines().nth(1)?;
    let times: Option<Vec<Duration>> = line.split_whitespace().map(time).collect();
    Some(times?.into_iter().sum())
}

fn time(text: &str) -> Option<Duration> {
    let (minutes, seconds) = text.strip_suffix('s')?.split_once('m')?;
    let seconds = minutes.parse::<u32>().ok()? as f64 * 60.0 + seconds.parse::<f64>().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shells_times_are_read() {
        let text = "0m0.01s 0m0.02s\n1m2.500000s 0m0.25s\n";
        assert_eq!(children(text), Some(Duration::from_millis(62_750)));
        assert_eq!(children("0m0.01s 0m0.02s\n"), None);
    }

    #[test]
    fn what_says_something_else_is_not_right() {
        assert!(!is_right("next-auth.session-token=a.b.c.d.e").unwrap());
    }
}

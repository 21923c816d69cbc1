//! Hostile inputs: whatever a file, a URL or a token contains, no command panics, hangs, exits with a wrong code,
//! leaves half a file or shows a secret.
//!
//! Inputs are mutations of valid ones. The same `HOSTILE_SEED` gives the same inputs. `HOSTILE_INPUTS=1000000` reads
//! more of them. Inputs that led to a fault are kept in `target/tmp/hostile/`; `HOSTILE_REPLAY=FILE` reads such a file
//! again.
#![allow(clippy::unwrap_used)] // also in helper functions of tests

mod commands;
mod examples;
mod judge;
mod kinds;
mod mutate;
mod programs;
mod random;
mod secrets;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use judge::Faults;
use kinds::KINDS;
use tenancy_config::environment;

/// The number of inputs that are read in each run of the tests.
const INPUTS: usize = 18_000;

fn number(variable: &str) -> Option<u64> {
    environment::text(variable)
        .expect("text")
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is not a number")))
}

fn seed() -> u64 {
    number("HOSTILE_SEED").unwrap_or(1)
}

fn inputs() -> usize {
    number("HOSTILE_INPUTS").map_or(INPUTS, |inputs| inputs.try_into().unwrap())
}

/// Unlike printed text, this is shown even if the tests pass.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "hostile: {text}");
}

#[test]
fn the_libraries_read_whatever_they_are_given() {
    if let Some(file) = environment::path("HOSTILE_REPLAY") {
        return replay(Path::new(&file));
    }
    let (began, each) = (Instant::now(), inputs() / KINDS.len());
    let (faults, open) = (Mutex::new(Faults::default()), Mutex::new(KINDS.iter()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(kind) = { open.lock().unwrap().next() } {
                    let (began, found) = (Instant::now(), judge::read_many(kind, each));
                    say(&format!("{each} inputs of {} in {:.1} s: {found}", kind.name, began.elapsed().as_secs_f64()));
                    faults.lock().unwrap().add(found);
                }
            });
        }
    });
    let (faults, seconds, all) = (faults.into_inner().unwrap(), began.elapsed().as_secs_f64(), each * KINDS.len());
    say(&format!("seed {}, {all} inputs in {seconds:.1} s, {:.0} a second: {faults}", seed(), all as f64 / seconds));
    assert!(faults.none(), "{faults}\n{}", faults.told.join("\n"));
}

/// The inputs of a command are in several files, so `HOSTILE_REPLAY` cannot run it again. Its folder is kept, and the
/// message has its arguments.
#[tokio::test]
async fn the_program_ends_as_it_should_whatever_it_is_given() {
    if environment::path("HOSTILE_REPLAY").is_some() {
        return;
    }
    let db = test_support::database().await;
    let mut superuser = db.superuser().await;
    superuser.run_script("planting a few rows", include_str!("../it/few_rows.sql")).await.unwrap();
    superuser.close().await;
    let live = db.url(local_db::Role::Owner).expose().to_owned();
    let (began, rounds) = (Instant::now(), (inputs() / 400).max(1));
    let (mut faults, mut ends) = (Faults::default(), BTreeMap::<(&str, Option<i32>), usize>::new());
    for number in 0..rounds {
        for run in commands::runs(number, &live) {
            *ends.entry((run.name, run.judge(number, &mut faults))).or_default() += 1;
        }
    }
    let (all, seconds) = (ends.values().sum::<usize>(), began.elapsed().as_secs_f64());
    let ended: Vec<_> =
        ends.iter().map(|((name, end), times)| format!("{name} {} ×{times}", end.unwrap_or(-1))).collect();
    say(&format!("seed {}, {all} runs in {seconds:.1} s: {faults}", seed()));
    say(&format!("they ended with: {}", ended.join(", ")));
    assert!(faults.none(), "{faults}\n{}", faults.told.join("\n"));
}

/// Reads one file again. Its name begins with the kind of input.
fn replay(file: &Path) {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let kind = KINDS.iter().find(|kind| name.split('-').next() == Some(kind.name)).expect("a file of this suite");
    let mut faults = Faults::default();
    let folder = tempfile::tempdir().unwrap();
    judge::read_one(kind, folder.path(), &std::fs::read(file).unwrap(), &mut faults);
    assert!(faults.none(), "{faults}\n{}", faults.told.join("\n"));
}

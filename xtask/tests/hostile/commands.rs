//! Which commands are run on which input. Whatever a mutated URL says, no command reaches a server but the one of these
//! tests; a command that could is not run.

use tenancy_config::UserError;
use tenancy_config::{DatabaseChoice, DatabaseUrl};

use crate::examples;
use crate::kinds::{KINDS, Kind, is_plain, settings};
use crate::mutate::mutated;
use crate::programs::Run;
use crate::random::Random;
use crate::secrets::{PASSWORD, SECRET, of_a_session};
use crate::seed;

/// A URL that leads nowhere: nothing listens on port 1 of this machine.
fn nowhere() -> String {
    format!("postgresql://owner:{PASSWORD}@127.0.0.1:1/app?sslmode=disable")
}

fn leads_nowhere(url: &DatabaseUrl) -> bool {
    url.host() == "127.0.0.1" && url.port() == 1
}

fn kind(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).unwrap()
}

/// The runs for one number; `live` is a database of these tests.
pub(crate) fn runs(number: usize, live: &str) -> Vec<Run> {
    let input = |name| {
        let kind = kind(name);
        mutated(&mut Random::of(seed(), &format!("{name} of a command"), number), &(kind.examples)(), kind.words)
    };
    let there = number.is_multiple_of(2);
    let all = [
        Some(doctor(&input("tenancy"), there)),
        from_env_file(&input("env")),
        on_url(&input("url")),
        decode(&input("token"), there),
        Some(mint(&input("claims"), there)),
        Some(seed_list(&input("list"), there, if there { live } else { "" })),
        Some(seed_defaults(&input("defaults"), there)),
        Some(apply(&input("review"), there, if there { live } else { "" })),
        Some(log(&input("log"), number)),
        Some(state(number)),
        Some(arguments(number)),
    ];
    all.into_iter().flatten().collect()
}

/// The exit codes that a command may have, according to what the library says about its input. Bad input must be
/// reported before anything else is tried.
fn as_read(run: Run, name: &str, input: &[u8], otherwise: &[i32]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    match (kind(name).read)(folder.path(), input).exit {
        Some(exit) => run.ends_with(&[i32::from(exit.code())]),
        None => run.ends_with(otherwise),
    }
}

fn doctor(tenancy: &[u8], there: bool) -> Run {
    let run = Run::new("doctor", &["doctor", "--format", "json"]).file("tenancy.toml", tenancy);
    // Without a database it reports what it knows, and exits with 1.
    let run = Run { writes_with: vec![0, 1, 3], in_urls_only: true, ..run.writes("--output", "out.json", there) };
    // The library takes text; input that is not UTF-8 does not reach it.
    let valid = std::str::from_utf8(tenancy).is_ok();
    if valid { as_read(run, "tenancy", tenancy, &[0, 1, 3]) } else { run.ends_with(&[2]) }
}

fn from_env_file(env: &[u8]) -> Option<Run> {
    let mut run = Run::new("audit", &["audit"]).file(".env.local", env);
    match settings(run.folder.path()).map(|settings| settings.database()) {
        Err(error) => Some(run.ends_with(&[i32::from(error.exit().code())])),
        Ok(DatabaseChoice::Url { url, .. }) if leads_nowhere(&url) => {
            run.shows = !is_plain(&url);
            Some(run.ends_with(&[1, 2, 4]))
        }
        // It would connect to another server, or start the local one.
        Ok(_) => None,
    }
}

fn on_url(url: &[u8]) -> Option<Run> {
    let text = String::from_utf8_lossy(url);
    if url.contains(&0) || url.len() > 100_000 {
        return None; // the system accepts no such argument
    }
    let run = Run::new("url", &["audit", "--format", "json", "--database-url"]).argument(url);
    match DatabaseUrl::parse(&text) {
        Err(error) => Some(run.ends_with(&[2, i32::from(error.exit().code())])),
        Ok(url) if leads_nowhere(&url) => Some(Run { shows: !is_plain(&url), ..run.ends_with(&[1, 2, 4]) }),
        Ok(_) => None,
    }
}

fn decode(token: &[u8], on_stdin: bool) -> Option<Run> {
    let run = Run::new("decode", &["jwt", "decode", "--offline", "--secret-file", "secret"]);
    let private = of_a_session(&String::from_utf8_lossy(token)).map(str::to_owned);
    let run = Run { private, ..run.file("secret", SECRET.as_bytes()).ends_with(&[0, 2, 3]) };
    if on_stdin {
        let run = Run { stdin: token.to_vec(), ..run };
        return Some(Run { shows: token_shows(token), ..run.argument(b"-") });
    }
    let fits = !token.contains(&0) && token.len() < 100_000;
    fits.then(|| Run { shows: token_shows(token), ..run }.argument(b"--").argument(token))
}

/// Whether a token may be shown: the parts of a tenant cookie are, and a password may be in one of them.
fn token_shows(token: &[u8]) -> bool {
    let text = String::from_utf8_lossy(token);
    crate::secrets::found_in(&text).is_some() && text.contains(':')
}

fn mint(claims: &[u8], there: bool) -> Run {
    let run = Run::new("mint", &["jwt", "--offline", "--claims", "claims.json", "--secret-file", "secret"]);
    let run = run.file("secret", SECRET.as_bytes()).file("claims.json", claims);
    // The claims are shown to the person who wrote them.
    let run = Run { shows: true, ..run.writes("--output", "session", there) };
    let valid = std::str::from_utf8(claims).is_ok();
    if valid { as_read(run, "claims", claims, &[0]) } else { run.ends_with(&[2]) }
}

fn seed_list(list: &[u8], there: bool, live: &str) -> Run {
    let url = if live.is_empty() { nowhere() } else { live.to_owned() };
    let arguments =
        ["seed-tenant-defaults", "--csv", "list.csv", "--dry-run", "--format", "json", "--database-url", &url];
    let run = Run::new("list", &arguments).file("list.csv", list).writes("--output", "out.json", there);
    // Cells are shown to the person who wrote them.
    let run = Run { shows: true, ..run };
    as_read(run, "list", list, if live.is_empty() { &[1] } else { &[0, 2, 3] })
}

fn seed_defaults(defaults: &[u8], there: bool) -> Run {
    let url = nowhere();
    let arguments = ["seed-tenant-defaults", "--all", "--dry-run", "--database-url", &url, "--defaults", "own.toml"];
    let run = Run::new("defaults", &arguments).file("own.toml", defaults).writes("--output", "out", there);
    let run = Run { in_urls_only: true, ..run };
    let valid = std::str::from_utf8(defaults).is_ok();
    if valid { as_read(run, "defaults", defaults, &[1]) } else { run.ends_with(&[2]) }
}

fn apply(review: &[u8], there: bool, live: &str) -> Run {
    let url = if live.is_empty() { nowhere() } else { live.to_owned() };
    let arguments = ["backfill", "apply", "review.csv", "--confirm", "127.0.0.1", "--database-url", &url];
    let run = Run::new("apply", &arguments).file("review.csv", review).writes("--refused", "refused.csv", there);
    let run = Run { shows: true, ..run };
    as_read(run, "review", review, if live.is_empty() { &[1] } else { &[0, 2, 3, 4] })
}

fn log(log: &[u8], number: usize) -> Run {
    let arguments = ["tenant-log", "--format", "json", "--max-unresolved", "1%"];
    let run = Run::new("log", &arguments).writes("--output", "out.json", number.is_multiple_of(2));
    // What a log has is shown to the person who has it. Without traffic the gate was not tried.
    let run = Run { shows: true, ..run.ends_with(&[0, 3]) };
    if number.is_multiple_of(3) {
        return Run { stdin: log.to_vec(), ..run };
    }
    run.file("app.log", log).argument(b"app.log")
}

fn state(number: usize) -> Run {
    let mut random = Random::of(seed(), "state", number);
    let mut run = Run::new("state", &["db", "status", "--format", "json"]);
    for (name, example) in examples::STATE {
        if random.once_in(2) {
            let content = mutated(&mut random, &[example.to_vec()], &["port", "major", "bin", "null"]);
            run = run.file(&format!(".local-db/{name}"), &content);
        }
    }
    // A broken file of ours is not a usage error. Other tests show that it is never taken for a missing one.
    Run { shows: true, ..run.ends_with(&[0, 1, 2, 4]) }
}

/// Options that take a number, a time or a name, with arbitrary values.
fn arguments(number: usize) -> Run {
    const OPTIONS: [&str; 9] = [
        "--batch-time",
        "--workers",
        "--max-rate",
        "--on-conflict",
        "--format",
        "--confirm",
        "--config",
        "--app-dir",
        "--unknown",
    ];
    let mut random = Random::of(seed(), "arguments", number);
    let url = nowhere();
    let mut run = Run::new("arguments", &["backfill-bookings", "--database-url", &url]);
    for _ in 0..=random.below(2) {
        let value = mutated(&mut random, &[b"250ms".to_vec(), b"2".to_vec(), b"table".to_vec()], &["1h", "json", "-1"]);
        let mut value: Vec<u8> = value.into_iter().filter(|byte| *byte != 0).take(50_000).collect();
        // The parser of arguments would echo a URL that is given for another value; other tests cover that.
        if crate::secrets::found_in(&String::from_utf8_lossy(&value)).is_some() {
            value = b"10s".to_vec();
        }
        run = run.argument(random.one_of(&OPTIONS).as_bytes()).argument(&value);
    }
    run.ends_with(&[1, 2, 4])
}

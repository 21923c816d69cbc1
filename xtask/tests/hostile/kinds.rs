//! The kinds of input: valid examples, the words that mean something in them, and the library function that reads them.

use std::fmt::{Debug, Display};
use std::path::{Path, PathBuf};
use std::time::Duration;

use backfill_engine::CheckedReview;
use dev_jwt::{Library, MintOptions, Read, ReadOptions, Secret};
use seed_tenant_defaults::{CheckedList, Defaults};
use tenancy_config::UserError;
use tenancy_config::{DatabaseUrl, Exit, Flags, Hint, Settings, Tenancy};

use crate::examples;
use crate::secrets::{SECRET, found_in, of_a_session};

/// The result of reading an input.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Everything of it that a person could see.
    pub(crate) shown: Vec<String>,
    /// The exit code with which a command would end, if it would end with an error.
    pub(crate) exit: Option<Exit>,
    /// A part of the input that must not be shown.
    pub(crate) private: Option<String>,
}

/// One kind of input.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) examples: fn() -> Vec<Vec<u8>>,
    pub(crate) words: &'static [&'static str],
    /// Reads it as a command would; from a file in this folder if it is one.
    pub(crate) read: fn(&Path, &[u8]) -> Outcome,
}

pub(crate) const KINDS: [Kind; 10] = [
    Kind { name: "tenancy", examples: examples::tenancy, words: examples::TENANCY, read: tenancy },
    Kind { name: "env", examples: examples::env_file, words: examples::VARIABLES, read: env_file },
    Kind { name: "url", examples: examples::url, words: examples::PARAMETERS, read: url },
    Kind { name: "token", examples: examples::token, words: examples::COOKIES, read: token },
    Kind { name: "claims", examples: examples::claims, words: examples::CLAIMS, read: claims },
    Kind { name: "list", examples: examples::list, words: &["tenant", "organization_name"], read: list },
    Kind { name: "review", examples: examples::review, words: examples::REVIEW, read: review },
    Kind { name: "refused", examples: examples::refused, words: examples::REVIEW, read: review },
    Kind { name: "log", examples: examples::log, words: examples::LOG, read: log },
    Kind { name: "defaults", examples: examples::defaults, words: examples::DEFAULTS, read: defaults },
];

/// The forms of an error that people or logs can see.
fn failed(error: &(impl Display + Debug), hint: Option<Hint>, exit: Exit) -> Outcome {
    let shown = [error.to_string(), format!("{error:?}"), format!("{error:#?}"), hint.unwrap_or_default().to_string()];
    Outcome { shown: shown.into(), exit: Some(exit), private: None }
}

/// The same as [`failed`], where a name is expected: a URL in it must not be shown.
fn failed_on_a_name(error: &(impl Display + Debug), hint: Option<Hint>, exit: Exit) -> Outcome {
    let mut outcome = failed(error, hint, exit);
    outcome.shown.retain(|text| text.contains("://"));
    outcome
}

fn tenancy(_: &Path, input: &[u8]) -> Outcome {
    match Tenancy::from_toml(&String::from_utf8_lossy(input), Path::new("tenancy.toml")) {
        Ok(_) => Outcome::default(),
        Err(error) => failed_on_a_name(&error, error.hint(), error.exit()),
    }
}

fn env_file(folder: &Path, input: &[u8]) -> Outcome {
    write(&folder.join(".env.local"), input);
    match settings(folder) {
        Ok(settings) if may_show(&settings) => {
            Outcome { shown: vec![format!("{settings:?}")], exit: None, private: None }
        }
        Ok(_) => Outcome::default(),
        Err(error) => failed(&error, error.hint(), error.exit()),
    }
}

/// The settings of a command that is run in this folder, in an empty environment.
pub(crate) fn settings(folder: &Path) -> Result<Settings, tenancy_config::settings::SettingsError> {
    Settings::load(&Flags::default(), &|_: &str| Ok(None), folder)
}

/// Whether no secret is in the place of a role, a host or a database; those are shown.
fn may_show(settings: &Settings) -> bool {
    let database = match settings.database() {
        tenancy_config::DatabaseChoice::Url { url, .. } => Some(url),
        tenancy_config::DatabaseChoice::Local => None,
    };
    database.iter().chain(settings.direct().iter().map(|(url, _)| url)).all(is_plain)
}

/// Whether the parts of a URL that are not secret contain no secret.
pub(crate) fn is_plain(url: &DatabaseUrl) -> bool {
    [url.user(), url.host(), url.database()].iter().all(|part| found_in(part).is_none())
}

fn url(_: &Path, input: &[u8]) -> Outcome {
    match DatabaseUrl::parse(&String::from_utf8_lossy(input)) {
        Ok(url) if is_plain(&url) => {
            let again = DatabaseUrl::parse(url.expose());
            assert!(again.as_ref() == Ok(&url), "written anew it is another URL");
            let mut shown = vec![url.to_string(), format!("{url:?}"), format!("{:?}", url.tls(false).map(drop))];
            shown.extend(url.ignored_parameters().into_iter().map(str::to_owned));
            Outcome { shown, exit: None, private: None }
        }
        Ok(_) => Outcome::default(),
        Err(error) => failed(&error, error.hint(), error.exit()),
    }
}

/// If a session can be read, its claims are shown on purpose; otherwise only our planted secrets are secret.
fn token(_: &Path, input: &[u8]) -> Outcome {
    let secret = Secret::new(SECRET).expect("it is not empty");
    let options = ReadOptions {
        library: None,
        secure: Some(false),
        now: Duration::from_secs(1_700_000_100),
        naming: dev_jwt::Naming::default(),
    };
    let text = String::from_utf8_lossy(input);
    let problems = match dev_jwt::read(&text, &secret, &options) {
        Read::Tenant(_, problems) => problems,
        Read::Session(reading) => reading.problems,
    };
    let mut shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    shown.push(format!("{problems:?} {secret:?}"));
    Outcome { shown, exit: None, private: of_a_session(&text).map(str::to_owned) }
}

fn claims(_: &Path, input: &[u8]) -> Outcome {
    let now = Duration::from_secs(1_700_000_000);
    let claims = match dev_jwt::offline_claims(&String::from_utf8_lossy(input), now) {
        Ok(claims) => claims,
        Err(error) => return failed(&error, error.hint(), error.exit()),
    };
    let options = MintOptions {
        library: Library::AuthJs,
        secure: true,
        max_age: Duration::from_secs(60),
        now,
        naming: dev_jwt::Naming::default(),
    };
    match dev_jwt::mint(claims, &Secret::new(SECRET).expect("it is not empty"), &options) {
        Ok(session) => Outcome { shown: vec![session.cookie_header()], exit: None, private: None },
        Err(error) => failed(&error, error.hint(), error.exit()),
    }
}

fn list(folder: &Path, input: &[u8]) -> Outcome {
    match CheckedList::check(&write(&folder.join("list.csv"), input)) {
        Ok(_) => Outcome::default(),
        // A cell is shown to the person who wrote the file.
        Err(error) => Outcome { exit: Some(error.exit()), ..Outcome::default() },
    }
}

fn review(folder: &Path, input: &[u8]) -> Outcome {
    match CheckedReview::check(&write(&folder.join("review.csv"), input)) {
        Ok(_) => Outcome::default(),
        Err(error) => Outcome { exit: Some(error.exit()), ..Outcome::default() },
    }
}

fn defaults(_: &Path, input: &[u8]) -> Outcome {
    match Defaults::from_toml(&String::from_utf8_lossy(input), "tenant-defaults.toml") {
        Ok(_) => Outcome::default(),
        Err(error) => failed_on_a_name(&error, error.hint(), error.exit()),
    }
}

fn write(path: &Path, input: &[u8]) -> PathBuf {
    std::fs::write(path, input).expect("the folder is ours");
    path.to_owned()
}

/// Names in a log are shown on purpose; whatever a log has, it is read to its end.
fn log(_: &Path, input: &[u8]) -> Outcome {
    let stream: Box<dyn std::io::Read> = Box::new(std::io::Cursor::new(input.to_vec()));
    let options = tenant_log::LogOptions {
        since: Some(Duration::from_secs(3600)),
        until: std::time::UNIX_EPOCH.checked_add(Duration::from_secs(1_769_860_800)).expect("a moment").into(),
        top: 10,
        most_unresolved: None,
    };
    let read = tenant_log::read_streams(vec![("log".to_owned(), stream)], &Tenancy::default().log, &options);
    match read {
        Ok(report) => {
            let listed: u64 = report.worst.iter().map(|spot| spot.count).sum();
            assert_eq!(listed + report.unlisted, report.trouble());
            Outcome::default()
        }
        Err(error) => failed(&error, error.hint(), error.exit()),
    }
}

//! Which setting wins, and what is refused.

mod files;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::sources::VARIABLES;
use super::{DatabaseChoice, Flags, SettingOrigin, Settings, SettingsError, WithoutUrl};
use crate::environment::NotText;
use crate::tenancy::Tenancy;
use crate::url::UrlError;
use crate::user_error::{Exit, UserError};

/// A folder with files, and the environment of a command that is started in it.
struct Machine {
    folder: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    /// Variables that are not UTF-8.
    broken: Vec<&'static str>,
}

impl Machine {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: BTreeMap::new(), broken: Vec::new() }
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn file(self, path: &str, text: &str) -> Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn load_in(&self, cwd: &str, flags: &Flags) -> Result<Settings, SettingsError> {
        let lookup = |name: &str| match self.broken.contains(&name) {
            true => Err(NotText { variable: name.to_owned() }),
            false => Ok(self.environment.get(name).cloned()),
        };
        Settings::load(flags, &lookup, &self.path(cwd))
    }

    fn load(&self, flags: &Flags) -> Result<Settings, SettingsError> {
        self.load_in("", flags)
    }

    fn settings(&self) -> Settings {
        self.load(&Flags::default()).unwrap()
    }

    fn refused(&self) -> SettingsError {
        self.load(&Flags::default()).unwrap_err()
    }
}

/// The host of the URL, by which these tests tell databases apart, and where the URL was set.
fn database(settings: &Settings) -> (String, String) {
    match settings.database() {
        DatabaseChoice::Url { url, origin } => (url.host().to_owned(), origin.to_string()),
        DatabaseChoice::Local => ("local".to_owned(), String::new()),
    }
}

fn direct(settings: &Settings) -> Option<String> {
    settings.direct().map(|(url, _)| url.host().to_owned())
}

fn url(host: &str) -> String {
    format!("postgres://u:hunter2@{host}/d")
}

fn flag(host: &str) -> Flags {
    Flags { database_url: Some(url(host)), ..Flags::default() }
}

fn local() -> Flags {
    Flags { local: true, ..Flags::default() }
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_env_files() {
    let machine = Machine::new().file(".env", &format!("DATABASE_URL={}", url("file")));
    assert_eq!(database(&machine.settings()), ("file".into(), "DATABASE_URL in .env".into()));
    let machine = machine.set("DATABASE_URL", &url("environment"));
    assert_eq!(database(&machine.settings()), ("environment".into(), "DATABASE_URL in the environment".into()));
    let settings = machine.load(&flag("flag")).unwrap();
    assert_eq!(database(&settings), ("flag".into(), "--database-url".into()));
}

#[test]
fn netlifys_variable_is_the_second_choice_wherever_the_first_is() {
    let machine = Machine::new().set("NETLIFY_DATABASE_URL", &url("netlify"));
    assert_eq!(database(&machine.settings()).0, "netlify");
    let machine = machine.file(".env", &format!("DATABASE_URL={}", url("file")));
    assert_eq!(database(&machine.settings()).0, "file", "as process.env looks to the app under `next dev`");
}

#[test]
fn tenancy_toml_says_in_which_order_the_application_reads_its_urls() {
    let order = "[database]\nurl_variables = [\"NETLIFY_DATABASE_URL\", \"POSTGRES_URL\"]\ndirect_url_variables = [\"POSTGRES_URL_NON_POOLING\"]";
    let machine = Machine::new().set("DATABASE_URL", &url("first")).file("tenancy.toml", order);
    assert_eq!(database(&machine.settings()).0, "local", "a variable that the application does not read");
    let machine = machine
        .set("POSTGRES_URL", &url("vercel"))
        .file(".env", &format!("POSTGRES_URL_NON_POOLING={}", url("direct")));
    assert_eq!((database(&machine.settings()).0.as_str(), direct(&machine.settings())), ("vercel", None));
    let machine = machine.set("POSTGRES_URL_NON_POOLING", &url("direct"));
    assert_eq!(direct(&machine.settings()), Some("direct".into()));
    let machine = machine.set("NETLIFY_DATABASE_URL", &url("netlify"));
    assert_eq!(database(&machine.settings()).0, "netlify");
    let machine = Machine { broken: vec!["POSTGRES_URL"], ..machine };
    assert_eq!(machine.refused().to_string(), "the environment variable POSTGRES_URL is not UTF-8");
}

#[test]
fn a_url_of_another_place_that_nothing_reads_is_named() {
    let unused = |machine: &Machine, flags: &Flags| -> Vec<String> {
        let settings = machine.load(flags).unwrap();
        settings.unused_urls().iter().map(|(url, origin)| format!("{origin}: {}", url.host())).collect()
    };
    let machine = Machine::new().set("DATABASE_URL", &url("one")).set("NETLIFY_DATABASE_URL", &url("one"));
    assert!(unused(&machine, &Flags::default()).is_empty(), "both lead to one place");
    let machine = machine.set("NETLIFY_DATABASE_URL", &url("two"));
    assert_eq!(unused(&machine, &Flags::default()), ["NETLIFY_DATABASE_URL in the environment: two"]);
    assert!(unused(&machine, &flag("three")).is_empty(), "a flag was chosen by hand");
    assert!(unused(&machine, &local()).is_empty());
}

#[test]
fn without_a_url_it_is_the_local_database() {
    assert_eq!(Machine::new().settings().database(), DatabaseChoice::Local);
}

#[test]
fn a_command_without_a_default_wants_a_url_or_local() {
    let machine = Machine::new();
    let error = machine.settings().target(WithoutUrl::Nothing).unwrap_err();
    assert!(matches!(error, SettingsError::NoUrl));
    assert_eq!((error.exit(), error.hint().is_some()), (Exit::Usage, true));
    assert_eq!(machine.settings().target(WithoutUrl::Local).unwrap(), DatabaseChoice::Local);
    assert_eq!(machine.load(&local()).unwrap().target(WithoutUrl::Nothing).unwrap(), DatabaseChoice::Local);
    let with_url = machine.load(&flag("h")).unwrap();
    assert!(matches!(with_url.target(WithoutUrl::Nothing), Ok(DatabaseChoice::Url { .. })));
}

#[test]
fn an_empty_url_is_never_the_local_database() {
    for machine in [
        Machine::new().set("DATABASE_URL", ""),
        Machine::new().set("DATABASE_URL", "  ").set("NETLIFY_DATABASE_URL", &url("netlify")),
        Machine::new().set("NETLIFY_DATABASE_URL", ""),
        Machine::new().file(".env", "DATABASE_URL=\n"),
        Machine::new().file(".env", "DATABASE_URL=$NOT_SET\n"),
    ] {
        let error = machine.refused();
        assert!(matches!(error, SettingsError::Url { source: UrlError::Empty, .. }), "{error}");
        assert_eq!((error.exit(), error.hint().is_some()), (Exit::Usage, true));
    }
    let flags = Flags { database_url: Some(String::new()), ..Flags::default() };
    let error = Machine::new().set("DATABASE_URL", &url("h")).load(&flags).unwrap_err();
    assert_eq!(error.to_string(), "--database-url: the database URL is empty");
}

#[test]
fn no_variable_that_is_not_text_counts_as_unset() {
    for name in VARIABLES {
        let machine = Machine { broken: vec![name], ..Machine::new() };
        for flags in [Flags::default(), local(), flag("h")] {
            let error = machine.load(&flags).unwrap_err();
            assert_eq!(error.to_string(), format!("the environment variable {name} is not UTF-8"));
            assert_eq!((error.exit(), error.hint().is_some()), (Exit::Usage, true));
        }
    }
}

#[test]
fn in_ci_no_url_is_an_error_unless_local_is_asked_for() {
    for value in ["true", "1", "woodpecker"] {
        let machine = Machine::new().set("CI", value);
        assert!(matches!(machine.refused(), SettingsError::NoUrlInCi));
        assert_eq!(machine.refused().exit(), Exit::Usage);
        assert_eq!(machine.load(&local()).unwrap().database(), DatabaseChoice::Local);
        assert!(machine.load(&flag("h")).is_ok());
    }
    for value in ["", "false", "0"] {
        assert!(Machine::new().set("CI", value).load(&Flags::default()).is_ok(), "{value:?}");
    }
    assert!(Machine::new().file(".env", "CI=true").load(&Flags::default()).is_ok(), "only the real environment is CI");
}

#[test]
fn local_looks_at_no_url_and_excludes_the_flags() {
    let machine = Machine::new().set("DATABASE_URL", "nonsense").set("DIRECT_URL", "nonsense");
    assert_eq!(machine.load(&local()).unwrap().database(), DatabaseChoice::Local);
    let both = Flags { local: true, ..flag("h") };
    assert_eq!(machine.load(&both).unwrap_err().to_string(), "--local and --database-url exclude each other");
    let both = Flags { direct_url: Some(url("h")), ..local() };
    assert_eq!(machine.load(&both).unwrap_err().to_string(), "--local and --direct-url exclude each other");
}

#[test]
fn a_wrong_url_is_told_by_its_place_and_not_by_its_text() {
    let error = Machine::new().file("apps/web/.env.local", "DATABASE_URL=mysql://u:hunter2@h/d");
    let flags = Flags { app_dir: Some("apps/web".into()), ..Flags::default() };
    let error = error.load(&flags).unwrap_err();
    let place = Path::new("apps/web/.env.local").display().to_string();
    assert!(error.to_string().starts_with(&format!("DATABASE_URL in {place}: ")), "{error}");
    assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("hunter2"));
}

#[test]
fn the_direct_url_has_three_names() {
    let machine = Machine::new().set("DATABASE_URL", &url("h"));
    assert_eq!(direct(&machine.settings()), None);
    let machine = machine.set("NETLIFY_DATABASE_URL_UNPOOLED", &url("third"));
    assert_eq!(direct(&machine.settings()).unwrap(), "third");
    let machine = machine.set("DATABASE_URL_UNPOOLED", &url("second"));
    assert_eq!(direct(&machine.settings()).unwrap(), "second");
    let machine = machine.set("DIRECT_URL", &url("first"));
    assert_eq!(direct(&machine.settings()).unwrap(), "first");
    let machine = machine.set("DIRECT_URL", "");
    assert_eq!(direct(&machine.settings()).unwrap(), "second", "an empty one means that there is none");
}

#[test]
fn a_direct_url_from_a_weaker_place_is_that_of_another_database() {
    let machine =
        Machine::new().file(".env", &format!("DATABASE_URL={}\nDIRECT_URL={}", url("dev"), url("dev-direct")));
    assert_eq!(direct(&machine.settings()).unwrap(), "dev-direct");
    assert_eq!(direct(&machine.load(&flag("production")).unwrap()), None);
    let machine = machine.set("DATABASE_URL", &url("production"));
    assert_eq!(direct(&machine.settings()), None);
    let machine = machine.set("DIRECT_URL", &url("production-direct"));
    assert_eq!(direct(&machine.settings()).unwrap(), "production-direct");
    let flags = Flags { direct_url: Some(url("other")), ..flag("production") };
    assert_eq!(direct(&machine.load(&flags).unwrap()).unwrap(), "other");
}

#[test]
fn a_direct_url_alone_is_not_a_database() {
    let flags = Flags { direct_url: Some(url("h")), ..Flags::default() };
    assert!(matches!(Machine::new().load(&flags).unwrap_err(), SettingsError::OnlyDirect));
    assert_eq!(Machine::new().set("DIRECT_URL", &url("h")).settings().database(), DatabaseChoice::Local);
}

#[test]
fn the_config_is_found_upwards_to_the_root_of_the_repository() {
    let machine = Machine::new()
        .file("tenancy.toml", "[database]\nenvironment = \"outside\"")
        .file("repo/.git/HEAD", "")
        .file("repo/tenancy.toml", "[database]\nenvironment = \"repo\"")
        .file("repo/apps/web/package.json", "{}")
        .file("bare/.git", "gitdir: elsewhere")
        .file("bare/web/package.json", "{}");
    let environment = |cwd| machine.load_in(cwd, &Flags::default()).unwrap().tenancy().database.environment.clone();
    assert_eq!(environment("repo/apps/web").as_deref(), Some("repo"));
    assert_eq!(environment("bare/web"), None, "what lies above a repository belongs to others");
    assert_eq!(environment("").as_deref(), Some("outside"));
    let settings = machine.load_in("repo/apps/web", &Flags::default()).unwrap();
    assert_eq!(settings.config_path(), Some(machine.path("repo/tenancy.toml").as_path()));
}

#[test]
fn without_a_config_the_default_application_is_assumed() {
    let settings = Machine::new().settings();
    assert_eq!((settings.config_path(), settings.tenancy()), (None, &Tenancy::default()));
}

#[test]
fn the_config_flag_beats_its_variable_which_beats_the_search() {
    let named = |name: &str| format!("[database]\nenvironment = \"{name}\"");
    let machine = Machine::new()
        .file(".git/HEAD", "")
        .file("tenancy.toml", &named("found"))
        .file("a.toml", &named("flag"))
        .file("b.toml", &named("variable"))
        .file("web/c.toml", &named("env file"))
        .file("web/.env", "TENANCY_CONFIG=c.toml");
    let environment = |machine: &Machine, flags: &Flags| {
        machine.load(flags).unwrap().tenancy().database.environment.clone().unwrap_or_default()
    };
    assert_eq!(environment(&machine, &Flags::default()), "found");
    let web = Flags { app_dir: Some("web".into()), ..Flags::default() };
    assert_eq!(environment(&machine, &web), "env file", "a path in an env file is meant from there");
    let machine = machine.set("TENANCY_CONFIG", "b.toml");
    assert_eq!(environment(&machine, &web), "variable");
    assert_eq!(environment(&machine, &Flags { config: Some("a.toml".into()), ..web }), "flag");
}

#[test]
fn env_files_are_read_in_the_app_directory() {
    let machine = Machine::new().file("apps/web/.env", &format!("DATABASE_URL={}", url("web")));
    assert_eq!(database(&machine.settings()).0, "local");
    let flags = Flags { app_dir: Some("apps/web".into()), ..Flags::default() };
    let settings = machine.load(&flags).unwrap();
    assert_eq!((database(&settings).0, settings.app_dir()), ("web".into(), machine.path("apps/web").as_path()));
    let flags = Flags { app_dir: Some("apps/wbe".into()), ..Flags::default() };
    assert!(matches!(machine.load(&flags).unwrap_err(), SettingsError::AppDir { .. }));
}

#[test]
fn a_variable_is_told_with_its_place() {
    let machine = Machine::new().set("EMAIL", "1").file(".env.local", "EMAIL=2\nNODE_ENV=3");
    let settings = machine.settings();
    assert_eq!(settings.env("EMAIL"), Some(("1".into(), SettingOrigin::Environment("EMAIL".into()))));
    let origin = SettingOrigin::EnvFile { var: "NODE_ENV".into(), path: ".env.local".into() };
    assert_eq!(settings.env("NODE_ENV"), Some(("3".into(), origin)));
    assert_eq!(settings.env("FORCE_RLS"), None);
}

#[test]
fn the_debug_form_holds_no_secret() {
    let machine = Machine::new().set("DATABASE_URL", &url("h")).set("DIRECT_URL", &url("h")).file(".env", "A=hunter2");
    assert!(!format!("{:#?}", machine.settings()).contains("hunter2"));
}

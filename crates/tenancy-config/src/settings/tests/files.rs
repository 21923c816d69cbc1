//! What `tenancy.toml` and a URL mean together; and files of that name that are missing, wrong, or not regular files.

use super::{Flags, Machine, url};
use crate::name::TableName;
use crate::settings::{SettingOrigin, Settings, SettingsError};
use crate::url::DatabaseUrl;
use crate::user_error::Exit;
use crate::user_error::UserError;

fn schema(settings: &Settings) -> (&str, Option<String>) {
    (settings.tenancy().database.schema.as_str(), settings.schema_from().map(ToString::to_string))
}

#[test]
fn the_urls_schema_is_that_of_the_tables() {
    let machine = Machine::new().set("DATABASE_URL", &format!("{}?schema=app", url("h")));
    assert_eq!(schema(&machine.settings()), ("app", Some("DATABASE_URL in the environment".into())));
    let bookings = TableName::parse("app.bookings", "public").unwrap();
    assert!(machine.settings().tenancy().rules(&bookings).is_some(), "the default application's tables are there");
    let machine = machine.file("tenancy.toml", "[database]\nenvironment = \"production\"");
    assert_eq!(schema(&machine.settings()).0, "app", "the file names none");
    let machine = machine.file("tenancy.toml", "[database]\nschema = \"app\"");
    assert_eq!(schema(&machine.settings()).0, "app");
    assert_eq!(schema(&Machine::new().set("DATABASE_URL", &url("h")).settings()), ("public", None));
}

#[test]
fn two_schemas_for_the_same_tables_are_refused_and_both_named() {
    let machine = Machine::new()
        .set("DATABASE_URL", &format!("{}?schema=app", url("h")))
        .file("tenancy.toml", "[database]\nschema = \"public\"");
    let error = machine.refused();
    let said = error.to_string();
    assert!(said.starts_with("DATABASE_URL in the environment names the schema `app`"), "{said}");
    assert!(said.ends_with("tenancy.toml the schema `public`"), "{said}");
    assert_eq!((error.exit(), error.hint().is_some()), (Exit::Usage, true));
    let machine = Machine::new()
        .set("DATABASE_URL", &format!("{}?schema=app", url("h")))
        .set("DIRECT_URL", &format!("{}?schema=other", url("h")));
    assert!(machine.refused().to_string().contains("`other`"), "{}", machine.refused());
}

#[test]
fn a_table_that_the_urls_schema_would_name_twice_is_refused() {
    let machine = Machine::new()
        .set("DATABASE_URL", &format!("{}?schema=app", url("h")))
        .file("tenancy.toml", "[tables.x]\n[tables.\"app.x\"]");
    assert!(machine.refused().to_string().contains("stands there twice"), "{}", machine.refused());
}

#[test]
fn whatever_is_called_tenancy_toml_is_read_or_an_error() {
    let folder = Machine::new();
    std::fs::create_dir(folder.path("tenancy.toml")).unwrap();
    let nowhere = Machine::new();
    std::os::unix::fs::symlink("gone", nowhere.path("tenancy.toml")).unwrap();
    let bytes = Machine::new();
    std::fs::write(bytes.path("tenancy.toml"), b"\xFF").unwrap();
    for machine in [folder, nowhere, bytes] {
        let error = machine.refused();
        assert!(error.to_string().contains("tenancy.toml"), "{error}");
        assert_eq!(error.exit(), Exit::Usage);
    }
}

#[test]
fn a_config_that_was_asked_for_must_be_there() {
    let error = Machine::new().set("TENANCY_CONFIG", "gone.toml").refused();
    assert!(error.to_string().contains("TENANCY_CONFIG in the environment"), "{error}");
    assert_eq!((error.exit(), error.hint().is_some()), (Exit::Usage, true));
}

#[test]
fn a_config_that_is_to_be_written_is_named_and_need_not_be_there() {
    let new = |machine: Machine| {
        let settings = machine.load(&Flags { config_is_new: true, ..Flags::default() }).unwrap();
        let named = settings.named_config().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
        (named, settings.config_path().is_some())
    };
    let gone = Machine::new().set("TENANCY_CONFIG", "gone.toml");
    assert_eq!(new(gone), (Some("gone.toml".to_owned()), false));
    let there = Machine::new().set("TENANCY_CONFIG", "a.toml").file("a.toml", "[tables]\n");
    assert_eq!(new(there), (Some("a.toml".to_owned()), true));
    // What is only found is not named.
    assert_eq!(new(Machine::new().file("tenancy.toml", "[tables]\n")), (None, true));
}

#[test]
fn a_wrong_config_is_told_with_its_line() {
    let error = Machine::new().file("tenancy.toml", "\n[tenat]\n").refused();
    assert_eq!(error.to_string(), "tenancy.toml:2: unknown key `tenat`");
    assert_eq!((error.exit(), error.hint()), (Exit::Usage, Some("did you mean `tenant`?".into())));
}

/// The URL of the first declared login, if there is one.
fn sign_in_url(settings: &Settings) -> Result<Option<(DatabaseUrl, SettingOrigin)>, SettingsError> {
    settings.tenancy().declared_logins().first().map_or(Ok(None), |login| settings.login_url(login))
}

#[test]
fn the_login_of_sign_in_has_its_url_in_the_variable_that_is_declared() {
    let auth = "[auth]\nrole = \"app_auth\"\n[auth.tables.users]\nwhy = \"sign-in\"\nselect = [\"id\"]\n";
    let read = |machine: &Machine| {
        let found = sign_in_url(&machine.settings()).unwrap();
        found.map(|(url, origin)| (url.host().to_owned(), origin.to_string()))
    };
    let machine = Machine::new().set("AUTH_DATABASE_URL", &url("auth")).set("SIGN_IN_URL", &url("other"));
    assert_eq!(read(&machine), None, "none is declared");
    let machine = machine.file("tenancy.toml", auth);
    assert_eq!(read(&machine), Some(("auth".into(), "AUTH_DATABASE_URL in the environment".into())));
    let machine = machine.file(".env", &format!("AUTH_DATABASE_URL={}", url("file")));
    assert_eq!(read(&machine).unwrap().0, "auth");
    let machine = machine.set("AUTH_DATABASE_URL", " ");
    assert_eq!(read(&machine), None, "an empty one is none");
    let renamed = "[auth]\nurl_variable = \"SIGN_IN_URL\"\n";
    let machine = machine.file("tenancy.toml", &auth.replace("[auth]\n", renamed));
    assert_eq!(read(&machine).unwrap().0, "other");
    let machine = machine.set("SIGN_IN_URL", "mysql://x");
    assert!(matches!(sign_in_url(&machine.settings()), Err(SettingsError::Url { .. })));
    let machine = Machine { broken: vec!["SIGN_IN_URL"], ..machine };
    assert_eq!(machine.refused().to_string(), "the environment variable SIGN_IN_URL is not UTF-8");
}

//! The rules of version 16 of `@next/env`, one by one.

use std::path::Path;

use super::{EnvFiles, parse};
use crate::Trust;
use crate::environment::NotText;
use crate::settings::SettingsError;
use crate::user_error::UserError;

/// An application with these env files, read in an environment with these variables.
fn app(files: &[(&str, &str)], environment: &[(&str, &str)]) -> (tempfile::TempDir, EnvFiles) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let lookup = |name: &str| Ok(environment.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()));
    let trust = Trust::new(None, directory.path());
    let files = EnvFiles::read(directory.path(), &lookup, &trust).unwrap_or_else(|error| panic!("{error}"));
    (directory, files)
}

/// The error from reading a folder in an empty environment.
fn refused(directory: &Path) -> SettingsError {
    match EnvFiles::read(directory, &|_| Ok(None), &Trust::new(None, directory)) {
        Ok(_) => panic!("they were read"),
        Err(error) => error,
    }
}

/// The value of `A` in an `.env` with this text.
fn value(text: &str) -> String {
    let (_directory, files) = app(&[(".env", text)], &[("HOME_DB", "db"), ("EMPTY", "")]);
    files.get("A").map(|(value, _)| value.to_owned()).unwrap_or_default()
}

#[test]
fn the_best_file_wins_and_is_named() {
    let all = [(".env", "A=4\nB=4\nC=4\nD=4"), (".env.development", "A=3\nB=3\nC=3"), (".env.local", "A=2\nB=2")];
    let all = [&all[..], &[(".env.development.local", "A=1")]].concat();
    let (directory, files) = app(&all, &[]);
    let from = |name| files.get(name).map(|(value, path)| (value, path.strip_prefix(directory.path()).unwrap()));
    assert_eq!(from("A"), Some(("1", Path::new(".env.development.local"))));
    assert_eq!(from("B"), Some(("2", Path::new(".env.local"))));
    assert_eq!(from("C"), Some(("3", Path::new(".env.development"))));
    assert_eq!(from("D"), Some(("4", Path::new(".env"))));
    assert_eq!(from("E"), None);
}

#[test]
fn an_app_without_env_files_has_no_variables() {
    assert!(app(&[], &[]).1.get("A").is_none());
}

#[test]
fn quotes_comments_and_blanks_are_not_part_of_a_value() {
    for (text, meant) in [
        ("A=b", "b"),
        ("A = b c  # comment", "b c"),
        ("export A=b", "b"),
        ("A: b", "b"),
        ("A='b # c'# d", "b # c"),
        ("A=\"b\\nc\"", "b\nc"),
        ("A='b\\nc'", "b\\nc"),
        ("A=`it's \"b\"`", "it's \"b\""),
        ("A=b#c", "b"),
        ("A=", ""),
        ("A=\"b\nc\"", "b\nc"),
        ("A=\"b", "\"b"),
        ("A='b\\'c'", "b\\'c"),
        ("A='C:\\'", "C:\\"),
        ("\u{FEFF}A=b", "b"),
        ("Z=1\r\nA=b\r\n", "b"),
        ("nonsense\n=\nA=b", "b"),
        ("A=1\nA=2", "2"),
    ] {
        assert_eq!(value(text), meant, "{text:?}");
    }
}

#[test]
fn variables_are_expanded_from_the_environment_better_files_and_the_file_itself() {
    for (text, meant) in [
        ("A=x/$HOME_DB/y", "x/db/y"),
        ("A='${HOME_DB}2'", "db2"),
        ("A=${EMPTY:-other}", "other"),
        ("A=$NOWHERE.", "."),
        ("A=pa\\$HOME_DB", "pa$HOME_DB"),
        ("A=$B\nB=$C\nC=c", "c"),
        ("A=100$", "100$"),
    ] {
        assert_eq!(value(text), meant, "{text:?}");
    }
    let (_directory, files) = app(&[(".env", "A=$B\nB=worse"), (".env.local", "B=better")], &[]);
    assert_eq!(files.get("A").unwrap().0, "better");
}

#[test]
fn a_variable_that_stands_for_itself_ends() {
    assert!(value("A=x$A").len() < 1000);
}

#[test]
fn what_is_there_and_is_no_file_is_an_error_and_not_absent() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".env");
    std::fs::create_dir(&path).unwrap();
    let error = refused(directory.path());
    assert!(error.to_string().contains(".env") && error.hint().is_some(), "{error}");
    std::fs::remove_dir(&path).unwrap();
    std::os::unix::fs::symlink("gone", &path).unwrap();
    assert!(refused(directory.path()).to_string().contains(".env"), "a link that leads nowhere");
}

#[test]
fn a_variable_that_is_not_text_is_not_empty_in_a_value() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(".env"), "DATABASE_URL=postgres://$HOST_OF_DB/app").unwrap();
    let lookup = |name: &str| match name {
        "HOST_OF_DB" => Err(NotText { variable: name.to_owned() }),
        _ => Ok(None),
    };
    let read = EnvFiles::read(directory.path(), &lookup, &Trust::new(None, directory.path()));
    assert!(matches!(read, Err(SettingsError::Variable(error)) if error.variable == "HOST_OF_DB"));
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_not_quoted() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(".env"), b"A=hunter2\xFF").unwrap();
    let error = refused(directory.path());
    assert!(error.to_string().contains(".env:"), "{error}");
    assert_eq!(error.hint(), Some("save the file as UTF-8".into()));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn references_to_references_do_not_fill_the_memory() {
    let directory = tempfile::tempdir().unwrap();
    let text = (1..12).fold("A0=sixteen letters.\n".to_owned(), |text, n| {
        format!("{text}A{n}={}\n", format!("$A{}", n - 1).repeat(100))
    });
    std::fs::write(directory.path().join(".env"), text).unwrap();
    let trust = Trust::new(None, directory.path());
    let Ok(files) = EnvFiles::read(directory.path(), &|_| Ok(None), &trust) else { panic!("it can be read") };
    assert_eq!(files.get("A1").unwrap().0.len(), 1_600);
    assert!(files.get("A11").unwrap().0.len() < 256 * 1024);
}

#[test]
fn a_file_of_line_breaks_is_read_at_once() {
    let text = format!("{}A=1{}B", "\n".repeat(300_000), " \n".repeat(300_000));
    assert_eq!(parse::pairs(&text), [("A".to_owned(), "1".to_owned())]);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_fail(text in "[AB=:#$'\"`{}\\\\\\-\n é]{0,40}") {
        parse::pairs(&text);
        value(&text);
    }
}

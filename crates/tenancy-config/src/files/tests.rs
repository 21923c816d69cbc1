//! A file or folder appears whole or not at all, and replaces a regular file or nothing.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::user_error::UserError;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn old() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    fs::write(&path, "old").unwrap();
    (folder, path)
}

#[test]
fn a_file_that_was_not_finished_leaves_the_old_one_and_nothing_else() {
    let (folder, path) = old();
    let mut file = NewFile::create(&path, Readers::Usual).unwrap();
    file.write_all(b"half").unwrap();
    drop(file);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(names(folder.path()), ["report.json"]);
}

#[test]
fn a_panic_leaves_nothing_half_written() {
    let (folder, path) = old();
    let panicked = std::panic::catch_unwind(|| {
        let mut file = NewFile::create(&path, Readers::Usual).unwrap();
        file.write_all(b"half").unwrap();
        panic!("on purpose");
    });
    assert!(panicked.is_err());
    assert_eq!(
        (fs::read_to_string(&path).unwrap().as_str(), names(folder.path())),
        ("old", vec!["report.json".to_owned()])
    );
}

#[test]
fn a_finished_file_replaces_the_old_one_and_keeps_its_mode() {
    let (folder, path) = old();
    fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
    write(&path, "new", Readers::Usual).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!((mode(&path), names(folder.path())), (0o664, vec!["report.json".to_owned()]));
}

#[test]
fn what_is_its_owners_alone_is_so_also_where_the_old_file_was_everybodys() {
    let (folder, path) = old();
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    write(&path, "new", Readers::Owner).unwrap();
    write(&folder.path().join("another"), "new", Readers::Owner).unwrap();
    assert_eq!((mode(&path), mode(&folder.path().join("another"))), (0o600, 0o600));
}

#[test]
fn a_new_file_and_a_new_folder_have_the_mode_that_the_umask_gives() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("theirs"), "").unwrap();
    fs::create_dir(folder.path().join("their folder")).unwrap();
    write(&folder.path().join("ours"), "", Readers::Usual).unwrap();
    NewFolder::create(&folder.path().join("our folder")).unwrap().finish().unwrap();
    let [theirs, ours, their_folder, our_folder] =
        ["theirs", "ours", "their folder", "our folder"].map(|name| mode(&folder.path().join(name)));
    assert_eq!((ours, our_folder), (theirs, their_folder));
}

#[test]
fn what_is_no_regular_file_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("target"), "kept").unwrap();
    fs::create_dir(at("folder")).unwrap();
    symlink(at("target"), at("link")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let before = names(folder.path());
    for (name, what) in [
        ("folder", "a folder"),
        ("link", "a symbolic link"),
        ("dangling", "a symbolic link"),
        ("socket", "a socket"),
        ("pipe", "a pipe"),
        ("/dev/null", "a device"),
    ] {
        for refused in [check(&at(name)), write(&at(name), "new", Readers::Owner), append(&at(name), "new")] {
            let error = refused.unwrap_err();
            assert!(matches!(error.problem, FileProblem::NotAFile(found) if found == what), "{name}: {error}");
            assert_eq!(error.exit(), crate::user_error::Exit::Refused);
        }
    }
    assert_eq!((names(folder.path()), fs::read_to_string(at("target")).unwrap().as_str()), (before, "kept"));
    assert!(matches!(check(Path::new("-")).unwrap_err().problem, FileProblem::Dash));
}

#[test]
fn a_link_that_comes_while_the_file_is_written_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (place, target) = (folder.path().join("report"), folder.path().join("target"));
    let mut file = NewFile::create(&place, Readers::Usual).unwrap();
    file.write_all(b"new").unwrap();
    symlink(&target, &place).unwrap();
    assert!(matches!(file.finish().unwrap_err().problem, FileProblem::NotAFile("a symbolic link")));
    assert_eq!(names(folder.path()), ["report"]);
}

#[test]
fn a_folder_that_is_missing_or_closed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = check(&missing.join("x")).unwrap_err().to_string();
    assert!(error.ends_with(&format!("there is no folder {}", missing.display())), "{error}");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(check(&file.join("x")).is_err(), "a file is no folder");
}

#[test]
fn a_folder_is_whole_or_not_there_and_takes_no_place_that_is_taken() {
    let above = tempfile::tempdir().unwrap();
    let place = above.path().join("before");
    let folder = NewFolder::create(&place).unwrap();
    folder.write("a.sql", "SELECT 1;\n").unwrap();
    // A file in a folder that does not exist cannot be made.
    let error = folder.write("missing/b.sql", "").unwrap_err();
    assert!(error.path.ends_with("before/missing/b.sql"), "{error}");
    drop(folder);
    assert!(names(above.path()).is_empty());

    let folder = NewFolder::create(&place).unwrap();
    folder.write("a.sql", "SELECT 1;\n").unwrap();
    fs::create_dir(&place).unwrap();
    assert!(matches!(folder.finish().unwrap_err().problem, FileProblem::Taken));
    assert_eq!(names(above.path()), ["before"]);
    assert!(NewFolder::create(&place).is_err());
}

//! Whose files are trusted. Only root can make files of another user.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use super::{Doubt, ReadError, Trust, Untrusted, folders_of};
use crate::user_error::Exit;
use crate::user_error::UserError;

/// A user who is neither this process's user nor root.
const STRANGER: u32 = 65_534;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    (folder, path)
}

fn file(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, "text").unwrap();
    path
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Gives a file to a stranger. Only root can do that; if the test cannot, it must say so.
fn give_away(path: &Path) -> bool {
    match chown(path, Some(STRANGER), None) {
        Ok(()) => true,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED, only root can make another user's file: {error}");
            false
        }
    }
}

fn read(path: &Path) -> Result<Option<String>, ReadError> {
    Trust::new(None, path).read(path)
}

fn refused(path: &Path) -> Untrusted {
    match read(path) {
        Err(ReadError::Untrusted(untrusted)) => untrusted,
        other => panic!("{}: {other:?}", path.display()),
    }
}

#[test]
fn ones_own_file_is_read_and_one_that_is_not_there_is_none() {
    let (_guard, folder) = folder();
    assert_eq!(read(&file(&folder, "a")).unwrap().as_deref(), Some("text"));
    assert_eq!(read(&folder.join("b")).unwrap(), None);
}

#[test]
fn a_file_of_another_user_is_refused_with_its_owner() {
    let (_guard, folder) = folder();
    let path = file(&folder, "a");
    if give_away(&path) {
        let untrusted = refused(&path);
        assert_eq!(untrusted.why, Doubt::Owner { owner: STRANGER, user: 0 });
        assert_eq!(untrusted.exit(), Exit::Refused);
        assert!(untrusted.hint().unwrap().contains(&format!("TENANCY_TRUST={}", folder.display())));
    }
}

#[test]
fn a_file_in_another_users_folder_is_refused() {
    let (_guard, folder) = folder();
    let path = file(&folder, "a");
    if give_away(&folder) {
        assert_eq!(refused(&path).path, folder);
    }
}

#[test]
fn what_everybody_may_write_to_is_refused() {
    let (_guard, folder) = folder();
    let path = file(&folder, "a");
    mode(&path, 0o666);
    assert_eq!(refused(&path).why, Doubt::Everybody);
    mode(&path, 0o644);
    mode(&folder, 0o777);
    let untrusted = refused(&path);
    assert_eq!((untrusted.path.as_path(), &untrusted.why), (folder.as_path(), &Doubt::Everybody));
    assert!(untrusted.hint().unwrap().to_string().starts_with("chmod go-w"), "{untrusted:?}");
}

#[test]
fn in_a_sticky_folder_only_ones_own_files_count() {
    let (_guard, folder) = folder();
    let path = file(&folder, "a");
    mode(&folder, 0o1777);
    assert!(read(&path).is_ok(), "nobody else can replace it there");
    if give_away(&path) {
        assert_eq!(refused(&path).path, path);
    }
}

#[test]
fn what_a_group_of_others_may_write_to_is_refused() {
    let (_guard, folder) = folder();
    let path = file(&folder, "a");
    if chown(&path, None, Some(STRANGER)).is_ok() {
        mode(&path, 0o660);
        assert_eq!(refused(&path).why, Doubt::Group(STRANGER));
    }
}

#[test]
fn a_link_is_as_good_as_what_it_leads_to() {
    let ((_one, here), (_other, there)) = (folder(), folder());
    let (path, link) = (file(&there, "a"), here.join("link"));
    symlink(&path, &link).unwrap();
    assert!(read(&link).is_ok());
    mode(&there, 0o777);
    assert_eq!(refused(&link).path, there);
    mode(&there, 0o700);
    mode(&here, 0o777);
    assert_eq!(refused(&link).path, here, "the link could be replaced");
}

#[test]
fn in_a_folder_that_is_trusted_everything_counts_and_beside_it_nothing_does() {
    let (_guard, folder) = folder();
    let named = folder.join("named");
    fs::create_dir(&named).unwrap();
    let (inside, beside) = (file(&named, "a"), file(&folder, "a"));
    mode(&inside, 0o666);
    mode(&beside, 0o666);
    for value in ["named".to_owned(), format!("/no/such/folder:{}", named.display())] {
        let trust = Trust::new(Some(&value), &folder);
        assert!(trust.read(&inside).is_ok(), "{value}");
        assert!(matches!(trust.read(&beside), Err(ReadError::Untrusted(_))), "{value}");
    }
    assert!(Trust::new(Some(""), &folder).read(&inside).is_err(), "an empty one names no folder");
}

#[test]
fn a_repository_ends_the_way_up_and_without_one_there_is_no_way_up() {
    let (_guard, folder) = folder();
    let deep = folder.join("repository/apps/web");
    fs::create_dir_all(&deep).unwrap();
    assert_eq!(folders_of(&deep).collect::<Vec<_>>(), [deep.as_path()]);
    file(&folder.join("repository"), ".git"); // a worktree has a file of this name
    let found: Vec<_> = folders_of(&deep).collect();
    assert_eq!(found, [deep.clone(), folder.join("repository/apps"), folder.join("repository")]);
}

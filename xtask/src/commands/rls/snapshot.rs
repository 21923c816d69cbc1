//! `--snapshot`: writes the definitions of the tables into a new folder.

use std::path::Path;

use rls_rollout::Snapshot;
use tenancy_config::FileError;
use tenancy_config::files::NewFolder;

use super::folder;

/// Refuses a folder that exists, as a snapshot overwrites nothing.
///
/// # Errors
/// It exists, even if it is empty.
pub(super) fn refuse_existing(folder: &Path) -> Result<(), FileError> {
    NewFolder::expect_nothing(folder)
}

/// Writes the files, all of them or none.
///
/// # Errors
/// The parent folder does not exist, or it cannot be written. Then nothing is left.
pub(super) fn write(folder: &Path, snapshots: &[Snapshot]) -> Result<(), FileError> {
    let files = snapshots.iter().map(|snapshot| (snapshot.file.as_str(), snapshot.script.as_str()));
    folder::make(folder, files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn snapshot(file: &str) -> Snapshot {
        let table = tenancy_config::TableName::parse("public.bookings", "public").unwrap();
        Snapshot { table, file: file.to_owned(), script: "SELECT 1;\n".to_owned() }
    }

    #[test]
    fn a_snapshot_is_whole_or_not_there() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("before");
        // A file in a folder that does not exist cannot be made.
        write(&folder, &[snapshot("a.sql"), snapshot("missing/b.sql")]).unwrap_err();
        assert_eq!(fs::read_dir(above.path()).unwrap().count(), 0);
        write(&folder, &[snapshot("a.sql"), snapshot("b.sql")]).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        assert_eq!(fs::read_dir(above.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_snapshot_overwrites_nothing_even_an_empty_folder() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(folder.path(), &[snapshot("a.sql")]).unwrap_err();
        assert!(error.to_string().ends_with("it is there already"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

//! `--snapshot`: the folder of definitions, whole or not at all.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context;
use rls_rollout::Snapshot;

use crate::failure::Mistake;
use crate::printer::write_file;

/// Refuses a folder that is there.
///
/// # Errors
/// It is there, whatever it holds.
pub(super) fn refuse_existing(folder: &Path) -> anyhow::Result<()> {
    if folder.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Mistake::refused(
        format!("{} is there already, and a snapshot overwrites nothing", folder.display()),
        "name a folder that does not exist",
    ))
}

/// Writes the files into a folder beside its place, which then gets its name.
///
/// # Errors
/// The folder above does not exist, or it cannot be written to; then nothing is left behind.
pub(super) fn write(folder: &Path, snapshots: &[Snapshot]) -> anyhow::Result<()> {
    refuse_existing(folder)?;
    make(folder, snapshots).with_context(|| format!("cannot write the snapshot {}", folder.display()))
}

fn make(folder: &Path, snapshots: &[Snapshot]) -> io::Result<()> {
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Asked first, as the error of the temporary folder would name that one.
    fs::metadata(above)?;
    let unfinished = tempfile::Builder::new().prefix(".xtask-").suffix(".partial").tempdir_in(above)?;
    for snapshot in snapshots {
        write_file(&unfinished.path().join(&snapshot.file), &snapshot.script)?;
    }
    fs::rename(unfinished.path(), folder)?;
    // It has its name now; there is nothing left to remove.
    let _ = unfinished.keep();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(file: &str) -> Snapshot {
        let table = tenant_rls::TableName::parse("public.bookings", "public").unwrap();
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
        assert!(error.to_string().ends_with("is there already, and a snapshot overwrites nothing"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

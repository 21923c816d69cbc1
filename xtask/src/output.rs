//! A file that appears whole or not at all: written beside its place under another name, then renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The file behind `--output` while it is being written. Dropped without [`finish`](Self::finish), it leaves nothing.
#[derive(Debug)]
pub(crate) struct OutputFile {
    place: PathBuf,
    to: Destination,
}

#[derive(Debug)]
enum Destination {
    Rename(BufWriter<NamedTempFile>),
    /// A device or a pipe: renaming a file over `/dev/null` would destroy it.
    Through(BufWriter<File>),
}

impl OutputFile {
    /// Opens the file for writing; what stands at `path` stays there until the end.
    ///
    /// # Errors
    /// The folder does not exist or cannot be written to.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        // The file that a symbolic link points to is replaced, not the link.
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let existing = fs::metadata(&place).ok();
        if existing.as_ref().is_some_and(|found| !found.is_file() && !found.is_dir()) {
            let file = OpenOptions::new().write(true).open(&place)?;
            return Ok(Self { place, to: Destination::Through(BufWriter::new(file)) });
        }
        if existing.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Asked first, as the error of the temporary file would name that one.
        fs::metadata(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".xtask-").suffix(".partial");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // What a shell redirection would give: the umask takes its bits off. Or what the file had.
            let mode = existing.map_or(0o666, |found| found.permissions().mode() & 0o777);
            builder.permissions(fs::Permissions::from_mode(mode));
        }
        let file = builder.tempfile_in(folder)?;
        Ok(Self { place, to: Destination::Rename(BufWriter::new(file)) })
    }

    /// Puts the finished file in its place.
    ///
    /// # Errors
    /// The disk is full, or the file cannot be renamed; nothing is left behind then, and the old file stands.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self.to {
            Destination::Through(mut writer) => writer.flush(),
            Destination::Rename(writer) => {
                let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
                // A full disk may show only here, and before the rename is the last moment to notice it.
                file.as_file().sync_all()?;
                file.persist(&self.place).map_err(|failed| failed.error)?;
                Ok(())
            }
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            Destination::Rename(writer) => writer.write(bytes),
            Destination::Through(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            Destination::Rename(writer) => writer.flush(),
            Destination::Through(writer) => writer.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_that_was_not_finished_leaves_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::write(&path, "old").unwrap();
        let mut file = OutputFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["report.json"]);
    }

    #[test]
    fn a_finished_file_replaces_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::write(&path, "old").unwrap();
        let mut file = OutputFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(folder.path()), ["report.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        let link = tempfile::tempdir().unwrap();
        let null = link.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &null).unwrap();
        let mut file = OutputFile::create(&null).unwrap();
        file.write_all(b"gone").unwrap();
        file.finish().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let mut file = OutputFile::create(Path::new("/dev/full")).unwrap();
        file.write_all(b"does not fit").unwrap();
        assert_eq!(file.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}

//! The user that runs the server. initdb and postgres refuse to run as root, so root runs them as an unprivileged user
//! of the system.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, fchown, lchown};
use std::path::Path;
use std::process::{Output, Stdio};

use tenancy_config::environment;
use tokio::process::Command;

use crate::error::{Error, Result};

/// The user that server programs run as and that owns their files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    uid: u32,
    /// If we are root: the user and group to switch to.
    step_down: Option<(u32, u32)>,
}

impl Account {
    /// This process's own user; or, if that is root, `postgres` or else `nobody`.
    ///
    /// # Errors
    /// [`Error::NoAccount`]: this is root, and there is neither.
    pub fn current() -> Result<Self> {
        let uid = rustix::process::geteuid().as_raw();
        if uid != 0 {
            return Ok(Self { uid, step_down: None });
        }
        let path = Path::new("/etc/passwd");
        let users = std::fs::read_to_string(path).map_err(Error::file("reading", path))?;
        let (uid, gid) = unprivileged(&users).ok_or(Error::NoAccount)?;
        Ok(Self { uid, step_down: Some((uid, gid)) })
    }

    /// The user id.
    pub fn uid(self) -> u32 {
        self.uid
    }

    /// Writes a file that only this user can read, whole or not at all. If this user put a link there, it is replaced;
    /// root would otherwise follow it.
    ///
    /// # Errors
    /// [`Error::File`]: the file cannot be written.
    pub fn write(self, path: &Path, text: &str) -> Result<()> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            if let Some((uid, gid)) = self.step_down {
                fchown(file.as_file(), Some(uid), Some(gid))?;
            }
            file.persist(path).map_err(|error| error.error)
        });
        written.map(drop).map_err(Error::file("writing", path))
    }

    /// Gives a file or folder to this user.
    ///
    /// # Errors
    /// [`Error::File`]: that is not possible.
    pub fn own(self, path: &Path) -> Result<()> {
        match self.step_down {
            Some((uid, gid)) => lchown(path, Some(uid), Some(gid)).map_err(Error::file("handing over", path)),
            None => Ok(()),
        }
    }

    /// Whether this user can enter a folder.
    pub(crate) async fn can_enter(self, folder: &Path) -> bool {
        self.can("cd \"$0\"", folder).await
    }

    /// Whether this user can create files in a folder.
    pub async fn can_write(self, folder: &Path) -> bool {
        self.can("cd \"$0\" && test -w .", folder).await
    }

    /// Only the system knows, because there are links, access lists and mount options.
    async fn can(self, script: &str, folder: &Path) -> bool {
        let mut shell = self.command("/bin/sh");
        shell.args(["-c", script]).arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
        shell.status().await.is_ok_and(|status| status.success())
    }

    /// Whether a folder belongs to this user and is not a link.
    pub fn owns_folder(self, path: &Path) -> bool {
        path.symlink_metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == self.uid)
    }

    /// A command that runs a program as this user. Its environment has nothing that could lead it to another server.
    pub fn command(self, program: impl AsRef<Path>) -> Command {
        Command::from(self.std_command(program))
    }

    /// The same as [`command`](Self::command), for a process that this one will not wait for.
    pub fn std_command(self, program: impl AsRef<Path>) -> std::process::Command {
        let mut command = std::process::Command::new(program.as_ref());
        environment::strip(&mut command);
        // We read the messages, so they must be in English; and on macOS a server without a locale does not start.
        command.env("LC_ALL", "C").stdin(Stdio::null()).current_dir("/");
        if let Some((uid, gid)) = self.step_down {
            std::os::unix::process::CommandExt::uid(&mut command, uid);
            std::os::unix::process::CommandExt::gid(&mut command, gid);
        }
        command
    }
}

/// Runs a program to its end, and returns its output.
///
/// # Errors
/// [`Error::Program`]: it fails; the error has its output.
pub async fn run(program: &str, command: &mut Command) -> Result<String> {
    let failed = |output: String| Error::Program { program: program.to_owned(), output };
    let output = command.output().await.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(said(&output)))
}

/// The output of a failed program, or how it ended.
fn said(output: &Output) -> String {
    let text = [&output.stderr[..], &output.stdout[..]].concat();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    if text.is_empty() { output.status.to_string() } else { text }
}

/// The user and group id of `postgres`, or else of `nobody`.
fn unprivileged(passwd: &str) -> Option<(u32, u32)> {
    ["postgres", "nobody"].iter().find_map(|wanted| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(wanted))?;
        let mut fields = line.split(':').skip(2).map(number);
        Some((fields.next()??, fields.next()??)).filter(|(uid, _)| *uid != 0)
    })
}

/// Parses a user id. macOS writes that of `nobody` as -2.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:*:-2:-2:Unprivileged:/var/empty:/usr/bin/false\n";

    #[test]
    fn nobody_is_taken_where_there_is_no_postgres() {
        assert_eq!(unprivileged(USERS), Some((4_294_967_294, 4_294_967_294)));
    }

    #[test]
    fn postgres_is_taken_before_nobody() {
        assert_eq!(unprivileged(&format!("{USERS}postgres:x:101:104::/:/bin/sh\n")), Some((101, 104)));
    }

    #[test]
    fn root_by_another_name_is_not_unprivileged() {
        assert_eq!(unprivileged("postgres:x:0:0::/:/bin/sh\n"), None);
    }
}

//! Starts a server for tests under a guardian: a process of its own that ends the server when nobody uses it any more.
//!
//! Invariants:
//! - Each process that uses the server holds the writing end of the named pipe `alive` in its folder. Nothing else
//!   holds it: the end is closed on `exec`, so neither the server nor a program under test keeps it. The kernel closes
//!   it with the process.
//! - The guardian exists before the first file of the server does, so there is no moment at which a SIGKILL would leave
//!   a server or its data behind. It is in a process group of its own, which Ctrl-C in the terminal does not reach.
//! - The guardian runs as the server's user, so it needs no right that the server does not have.
//! - If nobody reads the pipe of a folder, its guardian was killed. The next run removes the folder.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use local_db::server::account::run;
use local_db::server::files::{log_tail, remove_folder};
use local_db::server::shutdown::{self, Shutdown};
use local_db::server::{INCLUDE, Server};
use local_db::{ClusterSecret, Error, Result};
use rustix::fs::OFlags;

/// The settings of a server for tests.
pub(crate) const SETTINGS: &str = include_str!("tests.conf");

/// How long a server may take to become ready on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// Keeps a server alive as long as this value lives.
#[derive(Debug)]
pub(crate) struct ServerHold(File);

/// What was found in a folder.
pub(crate) enum FoundServer {
    /// A server with its guardian. It stays while this is held.
    Guarded(ServerHold),
    /// Leftovers without a guardian.
    Abandoned,
    /// No such folder.
    Nothing,
}

/// Looks into the folder of a server, and holds the server if there is one.
pub(crate) fn find(folder: &Path) -> Result<FoundServer> {
    let pipe = pipe(folder);
    match open(&pipe, Access::Write) {
        // If the guardian moved the folder away just before, the server that we hold is ending.
        Ok(file) if is_at(&file, &pipe) => Ok(FoundServer::Guarded(ServerHold(file))),
        Ok(_) => Ok(FoundServer::Nothing),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
            Ok(FoundServer::Abandoned)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && folder.exists() => Ok(FoundServer::Abandoned),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(FoundServer::Nothing),
        Err(error) => Err(Error::file("opening", &pipe)(error)),
    }
}

/// Starts a guardian, which creates and starts the server in a new folder, and holds the server.
pub(crate) async fn begin(server: &Server, secret: &ClusterSecret, port: u16, grace: Duration) -> Result<ServerHold> {
    let folder = &server.home;
    DirBuilder::new().mode(0o700).create(folder).map_err(Error::file("creating", folder))?;
    server.account.own(folder)?;
    let pipe = pipe(folder);
    run("mkfifo", server.account.command("mkfifo").args(["-m", "600"]).arg(&pipe)).await?;
    let password = server.write_password(secret)?;
    server.configure(SETTINGS, port)?;
    let include = folder.join("include.conf");
    server.account.write(&include, INCLUDE)?;

    // To open one end of a pipe blocks until somebody opens the other. So we open a reader that does not wait, then the
    // writer that stays, then the reader that the guardian gets.
    let opened = |access| open(&pipe, access).map_err(Error::file("opening", &pipe));
    let first = opened(Access::ReadNow)?;
    let hold = opened(Access::Write)?;
    let input = opened(Access::Read)?;
    drop(first);

    let mut guardian = server.account.std_command("/bin/sh");
    guardian.args(["-c", include_str!("guardian.sh"), "guardian"]).arg(folder).arg(server.programs.bin());
    guardian.arg(grace.as_secs().to_string()).args(server.initdb_arguments(&server.data(), &password));
    guardian.stdin(input).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    guardian.spawn().map_err(Error::file("starting", Path::new("/bin/sh")))?;
    Ok(ServerHold(hold))
}

/// Waits until the guardian has started the server, which the caller must hold.
pub(crate) async fn until_ready(server: &Server, hold: &ServerHold) -> Result<()> {
    let begun = Instant::now();
    while !server.home.join("ready").exists() {
        if !is_at(&hold.0, &pipe(&server.home)) {
            let reason = "its guardian was about to end it".to_owned();
            return Err(Error::NotStarted { reason, log: server.log() });
        }
        let failed = server.home.join("failed").exists();
        if failed || begun.elapsed() > READY_WITHIN {
            let logs = [server.log(), server.home.join("initdb.log")];
            let said = logs.iter().find_map(|log| log_tail(log, 0));
            let reason = said.unwrap_or_else(|| format!("it was not ready after {} s", READY_WITHIN.as_secs()));
            return Err(Error::NotStarted { reason, log: server.log() });
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Removes the folder that a guardian left behind when it was killed, and ends the server if it still runs.
pub(crate) async fn bury(folder: &Path) -> Result<()> {
    shutdown::end(&folder.join("data"), Shutdown::Crash).await?;
    remove_folder(folder)
}

/// Removes the abandoned folders whose names begin with that of `folder`.
pub(crate) async fn sweep(folder: &Path) -> Result<()> {
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else { return Ok(()) };
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let related = entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(name.as_encoded_bytes()));
    for path in related.map(|entry| entry.path()).collect::<Vec<PathBuf>>() {
        if matches!(find(&path), Ok(FoundServer::Abandoned)) {
            bury(&path).await?;
        }
    }
    Ok(())
}

fn pipe(folder: &Path) -> PathBuf {
    folder.join("alive")
}

enum Access {
    /// Opens for reading, and waits for a writer.
    Read,
    /// Opens for reading, whether there is a writer or not.
    ReadNow,
    /// Opens for writing. Fails with ENXIO if nobody reads.
    Write,
}

fn open(pipe: &Path, access: Access) -> io::Result<File> {
    let mut options = OpenOptions::new();
    match access {
        Access::Read => options.read(true),
        Access::ReadNow => options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()),
        Access::Write => options.write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()),
    };
    options.open(pipe)
}

/// Whether an open file is still the one at this path.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

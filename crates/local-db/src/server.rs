//! One server process and its data folder: made, started, recognised, stopped.
//!
//! A process is ours only if it works in our data folder: a pid in a file may have been given to somebody else since, and
//! no other process is ever signalled. The server listens on 127.0.0.1 alone and has no Unix-domain
//! socket, so the length of its folder's path does not matter.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use tenancy_config::DatabaseUrl;

use crate::account::{Account, run};
use crate::pid::running_pid;
use crate::secret::Secret;
use crate::{Error, Programs, Result, Role, process};

/// How often a server that does not start is tried again: a port may be taken in between, and the children of one that
/// was killed hold its shared memory for a moment.
const ATTEMPTS: u32 = 5;

/// How long a shutdown may take; what takes long is flushing to a slow disk.
const STOP_LIMIT: Duration = Duration::from_secs(120);
const STEP: Duration = Duration::from_millis(20);

/// The log is begun anew when a start finds it larger than this, in bytes.
const LOG_LIMIT: u64 = 16 << 20;

/// What stands at the end of `postgresql.conf`, so that our settings are a file of their own, written at each start.
pub(crate) const INCLUDE: &str = "include '../server.conf'\n";

/// How a data folder is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The developer's database: it survives a crash of the machine, short of the last commits.
    Development,
    /// Thrown away after the test run: nothing is ever flushed to disk.
    Tests,
}

impl Purpose {
    fn settings(self) -> &'static str {
        match self {
            Self::Development => include_str!("development.conf"),
            Self::Tests => include_str!("tests.conf"),
        }
    }
}

/// A data folder and the programs that run it.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) programs: Programs,
    pub(crate) account: Account,
    /// The folder that holds `data/` and the log.
    pub(crate) home: PathBuf,
}

impl Server {
    pub(crate) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.home.join("server.log")
    }

    /// Writes what `initdb` needs besides its arguments: the file with the superuser's password.
    pub(crate) fn write_password(&self, secret: &Secret) -> Result<PathBuf> {
        let path = password_file(&self.home);
        self.account.write(&path, &secret.password(Role::Superuser))?;
        Ok(path)
    }

    /// The arguments of `initdb` for a data folder.
    pub(crate) fn initdb_arguments(&self, data: &Path, password: &Path) -> Vec<String> {
        [
            &format!("--pgdata={}", data.display()),
            &format!("--pwfile={}", password.display()),
            &format!("--username={}", Role::Superuser.name()),
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]
        .map(str::to_owned)
        .into()
    }

    /// Makes the data folder, whole or not at all.
    pub(crate) async fn init(&self, secret: &Secret) -> Result<()> {
        let unfinished = self.home.join("data.new");
        remove_folder(&unfinished)?;
        let password = self.write_password(secret)?;
        let mut initdb = self.account.command(self.programs.path("initdb"));
        let made = run("initdb", initdb.args(self.initdb_arguments(&unfinished, &password))).await;
        fs::remove_file(&password).map_err(Error::file("removing", &password))?;
        made?;
        let settings = unfinished.join("postgresql.conf");
        // The folder is the server's: no link of its user leads us elsewhere.
        let mut options = fs::OpenOptions::new();
        options.append(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        let mut file = options.open(&settings).map_err(Error::file("opening", &settings))?;
        file.write_all(INCLUDE.as_bytes()).map_err(Error::file("writing", &settings))?;
        fs::rename(&unfinished, self.data()).map_err(Error::file("renaming", &unfinished))
    }

    /// Writes the settings of a server that listens on `port`. What `ALTER SYSTEM` has set goes before them.
    pub(crate) fn configure(&self, purpose: Purpose, port: u16) -> Result<()> {
        let path = self.home.join("server.conf");
        self.account.write(&path, &format!("{}port = {port}\n", purpose.settings()))
    }

    /// Starts the server, on `port` if that is free, and returns the port it listens on.
    pub(crate) async fn start(&self, purpose: Purpose, port: Option<u16>) -> Result<u16> {
        self.drop_stale_pid_file()?;
        let log = self.log();
        if log.metadata().is_ok_and(|meta| meta.len() > LOG_LIMIT) {
            fs::remove_file(&log).map_err(Error::file("removing", &log))?;
        }
        let mut port = match port {
            Some(port) if becomes_free(port).await => Some(port),
            _ => None,
        };
        let mut attempt = 1;
        loop {
            let listen = match port.take() {
                Some(port) => port,
                None => free_port()?,
            };
            self.configure(purpose, listen)?;
            let logged = log.metadata().map_or(0, |meta| meta.len());
            let mut pg_ctl = self.account.command(self.programs.path("pg_ctl"));
            pg_ctl
                .args(["start", "--wait", "--timeout=60", "--silent", "--pgdata"])
                .arg(self.data())
                .arg("--log")
                .arg(&log);
            match run("pg_ctl", &mut pg_ctl).await {
                Ok(_) => return Ok(listen),
                Err(_) if attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                Err(error) => {
                    let reason = log_tail(&log, logged).unwrap_or_else(|| error.to_string());
                    return Err(Error::NotStarted { reason, log });
                }
            }
        }
    }

    /// Removes a pid file whose process is gone or somebody else's, for which the server would refuse to start.
    fn drop_stale_pid_file(&self) -> Result<()> {
        let path = self.data().join("postmaster.pid");
        if path.exists() && running_pid(&self.data()).is_none() {
            fs::remove_file(&path).map_err(Error::file("removing", &path))?;
        }
        Ok(())
    }
}

/// Whether `pg_ctl` can be given this path: it hands it to a shell, in double quotes and as it is.
pub(crate) fn can_name(path: &Path) -> bool {
    path.to_str().is_some_and(|path| !path.contains(['"', '$', '`', '\\', '\n']))
}

/// The file in a server's folder with its superuser's password; a test's server keeps it, for other processes of the run.
pub(crate) fn password_file(home: &Path) -> PathBuf {
    home.join("password")
}

/// How a server is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Sessions are ended, data is flushed (a fast shutdown).
    Shutdown,
    /// No session begins any more, and those that there are end by themselves (a smart shutdown).
    WhenAlone,
    /// As if the machine had lost its power.
    Crash,
}

/// Ends the server on a data folder, if one runs, and waits until it is gone. Returns whether one ran.
pub(crate) async fn end(data: &Path, end: End) -> Result<bool> {
    let Some(pid) = running_pid(data) else { return Ok(false) };
    let failed =
        |output: String| Error::Program { program: format!("stopping process {}", pid.as_raw_nonzero()), output };
    let ended = match end {
        End::Shutdown => signal(pid, Signal::INT).map(|()| Vec::new()),
        End::WhenAlone => signal(pid, Signal::TERM).map(|()| Vec::new()),
        End::Crash => kill_family(pid),
    };
    let sessions = ended.map_err(|error| failed(error.to_string()))?;
    for _ in 0..STOP_LIMIT.as_millis() / STEP.as_millis() {
        if running_pid(data) != Some(pid) && !sessions.iter().any(|session| process::is_alive(*session)) {
            return Ok(true);
        }
        tokio::time::sleep(STEP).await;
    }
    Err(failed(format!("it still runs after {} s", STOP_LIMIT.as_secs())))
}

/// Kills a server with its sessions, which would outlive it for a moment, and returns those.
pub(crate) fn kill_family(server: Pid) -> rustix::io::Result<Vec<Pid>> {
    // Stopped, it can neither start a session nor bury one, whose number would then be free for another program.
    signal(server, Signal::STOP)?;
    let sessions = process::children(server);
    for pid in sessions.iter().chain([&server]) {
        signal(*pid, Signal::KILL)?;
    }
    Ok(sessions)
}

/// Sends a signal; a process that is gone already is no error.
fn signal(pid: Pid, signal: Signal) -> rustix::io::Result<()> {
    match kill_process(pid, signal) {
        Err(rustix::io::Errno::SRCH) => Ok(()),
        sent => sent,
    }
}

/// A port on 127.0.0.1 that nobody listens on now.
pub(crate) fn free_port() -> Result<u16> {
    let bound = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(Error::file("finding a free port on", Path::new("127.0.0.1")))
}

/// The port that the settings in a server's folder name.
pub(crate) fn configured_port(home: &Path) -> Result<u16> {
    let path = home.join("server.conf");
    let settings = fs::read_to_string(&path).map_err(Error::file("reading", &path))?;
    let port = settings.lines().filter_map(|line| line.strip_prefix("port = ")).find_map(|port| port.parse().ok());
    port.ok_or_else(|| Error::file("reading", &path)(std::io::Error::other("it names no port")))
}

/// Whether a port on 127.0.0.1 is free within a moment: the outgoing connection of a short program may have it by chance.
async fn becomes_free(port: u16) -> bool {
    for _ in 0..20 {
        if is_free(port) {
            return true;
        }
        tokio::time::sleep(STEP).await;
    }
    false
}

/// Whether nobody has a port on 127.0.0.1 now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// The lines of trouble in a log, from a position in bytes on.
pub(crate) fn log_tail(log: &Path, from: u64) -> Option<String> {
    let mut file = fs::File::open(log).ok()?;
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let trouble = |line: &&str| line.contains("FATAL:") || line.contains("PANIC:") || line.contains("error:");
    text.lines().rfind(trouble).or_else(|| text.lines().rfind(|line| !line.trim().is_empty())).map(str::to_owned)
}

/// Removes a folder with all that is in it, if it is there.
pub(crate) fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("removing", path)(error)),
        _ => Ok(()),
    }
}

/// The URL of a database on a local server.
pub(crate) fn url(port: u16, secret: &Secret, role: Role, database: &str) -> Result<DatabaseUrl> {
    let (name, password) = (role.name(), secret.password(role));
    let url = format!("postgresql://{name}:{password}@127.0.0.1:{port}/{database}");
    Ok(DatabaseUrl::parse(&url).map_err(tenant_rls::Error::from)?)
}

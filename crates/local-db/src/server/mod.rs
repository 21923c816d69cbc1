//! One server process and its data folder: created, started, recognised, stopped.
//!
//! A process is ours only if its working directory is our data folder, because the pid in a file may meanwhile belong
//! to another process. No other process is ever signalled. The server listens on 127.0.0.1 only and has no Unix-domain
//! socket, so the length of its path does not matter.

pub mod account;
pub mod files;
mod npm;
pub mod pid;
pub mod ports;
mod process;
pub mod programs;
pub mod shutdown;

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;

use crate::error::{Error, Result};
use crate::role::Role;
use crate::secret::ClusterSecret;
use crate::server::account::{Account, run};
use crate::server::files::{log_tail, remove_folder};
use crate::server::pid::running_pid;
use crate::server::ports::{becomes_free, free_port};
use crate::server::programs::Programs;

/// How many times we try to start a server. Its port may be taken meanwhile, and the children of a server that was
/// killed hold its shared memory for a moment.
const ATTEMPTS: u32 = 5;

/// If a start finds a log larger than this, in bytes, it begins a new one.
const LOG_LIMIT: u64 = 16 << 20;

/// The last line of `postgresql.conf`: our settings are in a file of their own, which each start writes.
pub const INCLUDE: &str = "include '../server.conf'\n";

/// A data folder and the programs that run it.
#[derive(Debug, Clone)]
pub struct Server {
    /// The programs that run it.
    pub programs: Programs,
    /// The user that they run as.
    pub account: Account,
    /// The folder with `data/` and the log.
    pub home: PathBuf,
}

impl Server {
    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// The server's log.
    pub fn log(&self) -> PathBuf {
        self.home.join("server.log")
    }

    /// Writes the file with the superuser's password, which `initdb` needs in addition to its arguments.
    ///
    /// # Errors
    /// [`Error::File`]: the file cannot be written.
    pub fn write_password(&self, secret: &ClusterSecret) -> Result<PathBuf> {
        let path = self.password_file();
        self.account.write(&path, &secret.password(Role::Superuser))?;
        Ok(path)
    }

    /// The arguments of `initdb` for a data folder.
    pub fn initdb_arguments(&self, data: &Path, password: &Path) -> Vec<String> {
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

    /// Creates the data folder, whole or not at all.
    pub(crate) async fn init(&self, secret: &ClusterSecret) -> Result<()> {
        let unfinished = self.home.join("data.new");
        remove_folder(&unfinished)?;
        let password = self.write_password(secret)?;
        let mut initdb = self.account.command(self.programs.path("initdb"));
        let made = run("initdb", initdb.args(self.initdb_arguments(&unfinished, &password))).await;
        fs::remove_file(&password).map_err(Error::file("removing", &password))?;
        made?;
        let settings = unfinished.join("postgresql.conf");
        // The folder belongs to the server's user, whose links must not lead us elsewhere.
        let mut options = fs::OpenOptions::new();
        options.append(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        let mut file = options.open(&settings).map_err(Error::file("opening", &settings))?;
        file.write_all(INCLUDE.as_bytes()).map_err(Error::file("writing", &settings))?;
        fs::rename(&unfinished, self.data()).map_err(Error::file("renaming", &unfinished))
    }

    /// Reads what [`write_password`](Self::write_password) wrote. A test's server keeps the file for other processes of
    /// the run.
    ///
    /// # Errors
    /// [`Error::File`]: the file cannot be read.
    pub fn stored_secret(&self) -> Result<ClusterSecret> {
        let path = self.password_file();
        let text = fs::read_to_string(&path).map_err(Error::file("reading", &path))?;
        Ok(ClusterSecret::from_text(&text))
    }

    fn password_file(&self) -> PathBuf {
        self.home.join("password")
    }

    /// The port in the server's settings.
    ///
    /// # Errors
    /// [`Error::File`]: the settings cannot be read, or have no port.
    pub fn configured_port(&self) -> Result<u16> {
        let path = self.settings_file();
        let settings = fs::read_to_string(&path).map_err(Error::file("reading", &path))?;
        let port = settings.lines().filter_map(|line| line.strip_prefix("port = ")).find_map(|port| port.parse().ok());
        port.ok_or_else(|| Error::file("reading", &path)(std::io::Error::other("it names no port")))
    }

    fn settings_file(&self) -> PathBuf {
        self.home.join("server.conf")
    }

    /// Writes the settings of the server, with the port that it will listen on. What `ALTER SYSTEM` has set takes
    /// precedence.
    ///
    /// # Errors
    /// [`Error::File`]: the settings cannot be written.
    pub fn configure(&self, settings: &str, port: u16) -> Result<()> {
        let path = self.settings_file();
        self.account.write(&path, &format!("{settings}port = {port}\n"))
    }

    /// Starts the server, on `port` if that is free, and returns the port that it listens on.
    ///
    /// # Errors
    /// [`Error::NotStarted`]: it does not start; the error has the end of its log.
    pub async fn start(&self, settings: &str, port: Option<u16>) -> Result<u16> {
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
            self.configure(settings, listen)?;
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

    /// Removes a pid file whose process is gone or belongs to somebody else. With it, the server would refuse to start.
    fn drop_stale_pid_file(&self) -> Result<()> {
        let path = self.data().join("postmaster.pid");
        if path.exists() && running_pid(&self.data()).is_none() {
            fs::remove_file(&path).map_err(Error::file("removing", &path))?;
        }
        Ok(())
    }
}

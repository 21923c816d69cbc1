//! Runs the built binary so that nothing on this machine affects it, and shows its output.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use local_db::Role;
use tempfile::TempDir;
use test_support::TestDb;

/// A folder in which commands are run.
pub(crate) struct Place {
    folder: TempDir,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    /// An empty folder. No search for files goes above it.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // This makes it the root of a repository, so that nothing above it is searched.
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// The permission bits of a file.
    pub(crate) fn mode(&self, name: &str) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(self.path().join(name)).unwrap().permissions().mode() & 0o777
    }

    /// The names in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, arguments: &[&str], env: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(arguments).env_clear().envs(env.iter().copied()).current_dir(self.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run_with(&self, arguments: &[&str], env: &[(&str, &str)]) -> Ended {
        let output = self.command(arguments, env).output().unwrap();
        let text = |bytes: Vec<u8>| self.redacted(&String::from_utf8(bytes).unwrap());
        Ended { status: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[])
    }

    /// Replaces what differs from run to run.
    fn redacted(&self, text: &str) -> String {
        let canonical = self.path().canonicalize().unwrap();
        let text = text.replace(&*canonical.to_string_lossy(), "[DIR]");
        text.replace(&*self.path().to_string_lossy(), "[DIR]")
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "exit {}", self.status)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(f, "----- {name}\n{text}")?;
            }
        }
        Ok(())
    }
}

/// How many times a fault is tried: `FAULT_ROUNDS`, or else this.
pub(crate) fn rounds(short: usize) -> usize {
    tenancy_config::environment::text("FAULT_ROUNDS").unwrap().and_then(|rounds| rounds.parse().ok()).unwrap_or(short)
}

/// Sends the signal of Ctrl-C.
pub(crate) fn interrupt(child: &Child) {
    send("INT", child);
}

/// Sends a signal by its name.
pub(crate) fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Replaces what differs from run to run and from server to server.
pub(crate) fn redact<R>(db: &TestDb, check: impl FnOnce() -> R) -> R {
    let name = db.name().to_owned();
    let port = format!(":{}/", db.url(Role::Owner).port());
    let filters = [
        (name.as_str(), "[DATABASE]"),
        (port.as_str(), ":[PORT]/"),
        (r":\d+ \(from", ":[PORT] (from"),
        (r"PostgreSQL \d+[^\n]*", "PostgreSQL [VERSION]"),
        (r"in [\d.]+ (ms|s), [\d,]+ rows/s; \d+ batch(es)?", "in [TIME], [RATE] rows/s; [BATCHES]"),
        (r"(tenants?: [^\n]*) in [\d.]+ (ms|s)\b", "$1 in [TIME]"),
        (r"\[TIME\], [\d,]+ tenants/s", "[TIME], [RATE] tenants/s"),
        (r"the longest [\d.]+ (ms|s)", "the longest [TIME]"),
        (r"It has [\d,]+ dead rows?, about [\d.]+ \w+;", "It has [DEAD ROWS];"),
        (r#""(seconds|rows_per_second|tenants_per_second)": [\d.e-]+"#, r#""$1": "[TIME]""#),
        (r#""(batches|longest_batch_ms|server_version_num)": \d+"#, r#""$1": "[NUMBER]""#),
        (r#""server_version": "[^"]*""#, r#""server_version": "[VERSION]""#),
        (r"steps +time\n─+\n", "steps  time\n[LINE]\n"),
        (r"(prepare|tighten|enforce|none)( +\d+) +[\d.]+ (ms|s)\n", "$1$2  [TIME]\n"),
        (r#""milliseconds": \d+"#, r#""milliseconds": "[NUMBER]""#),
        (r#""system_identifier": "\d+""#, r#""system_identifier": "[NUMBER]""#),
    ];
    let mut settings = insta::Settings::clone_current();
    for (pattern, replacement) in filters {
        settings.add_filter(pattern, replacement);
    }
    settings.bind(check)
}

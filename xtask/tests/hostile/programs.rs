//! Runs the real program on hostile input, and checks its exit code, its output, and what it leaves behind.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::judge::{Faults, kept};
use crate::secrets::{SECRET, found_in, part_of};

/// The longest that a command with next to nothing to do may take on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// The content of a file that `--output`, `--refused` and similar options must overwrite whole, or not at all.
const BEFORE: &[u8] = b"what was there before\n";

/// One run of the program.
pub(crate) struct Run {
    pub(crate) name: &'static str,
    /// The folder in which it is started, with its input.
    pub(crate) folder: TempDir,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) stdin: Vec<u8>,
    /// The file that it writes, if it writes one.
    pub(crate) output: Option<&'static str>,
    /// The exit codes with which this file must be whole. With any other code, nothing may be written.
    pub(crate) writes_with: Vec<i32>,
    /// The exit codes that this input may lead to.
    pub(crate) may_end_with: Vec<i32>,
    /// Whether the password may be shown where something is shown on purpose, such as a role in a URL. The signing
    /// secret is never shown.
    pub(crate) shows: bool,
    /// Whether the password counts only inside a URL. Alone, it cannot be told from a name that it has become part of.
    pub(crate) in_urls_only: bool,
    /// A part of the input that must not be shown.
    pub(crate) private: Option<String>,
}

impl Run {
    pub(crate) fn new(name: &'static str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // This makes it the root of a repository, so that nothing above it is searched.
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        let arguments = arguments.iter().map(Into::into).collect();
        let (stdin, may_end_with) = (Vec::new(), vec![0, 2, 3, 4]);
        Self {
            name,
            folder,
            arguments,
            stdin,
            output: None,
            writes_with: vec![0, 3],
            may_end_with,
            shows: false,
            in_urls_only: false,
            private: None,
        }
    }

    pub(crate) fn file(self, name: &str, content: &[u8]) -> Self {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn argument(mut self, argument: &[u8]) -> Self {
        self.arguments.push(OsStr::from_bytes(argument).to_owned());
        self
    }

    /// Sets the file that it writes. Every other time, that file exists already.
    pub(crate) fn writes(mut self, option: &str, name: &'static str, there: bool) -> Self {
        self.arguments.extend([option.into(), name.into()]);
        self.output = Some(name);
        if there { self.file(name, BEFORE) } else { self }
    }

    pub(crate) fn ends_with(mut self, statuses: &[i32]) -> Self {
        self.may_end_with = statuses.to_vec();
        self
    }

    /// Runs the program, adds what went wrong, and returns its exit code.
    pub(crate) fn judge(self, number: usize, faults: &mut Faults) -> Option<i32> {
        let before = files(self.folder.path());
        let outside = tempfile::tempdir().unwrap();
        let status = self.end(outside.path());
        let read =
            |name: &str| String::from_utf8_lossy(&std::fs::read(outside.path().join(name)).unwrap()).into_owned();
        let (stdout, stderr) = (read("stdout"), read("stderr"));
        let mut wrong = Vec::new();
        match status {
            None => {
                faults.hangs += 1;
                wrong.push(format!("it was not done after {LONGEST:?}"));
            }
            Some(status) if !self.may_end_with.contains(&status) => {
                faults.wrong_exits += 1;
                wrong.push(format!("it ended with {status}, not with one of {:?}", self.may_end_with));
            }
            Some(_) => {}
        }
        if stderr.contains("panicked at") {
            faults.panics += 1;
            wrong.push("a panic".to_owned());
        }
        let all = stdout + &stderr;
        let told_on_purpose = self.shows || self.in_urls_only && !all.contains("://");
        let planted = if told_on_purpose { part_of(SECRET, &all) } else { found_in(&all) };
        let private = || self.private.clone().filter(|part| all.contains(part));
        if let Some(part) = planted.or_else(private) {
            faults.secrets += 1;
            wrong.push(format!("`{part}` is shown"));
        }
        if let Some(left) = self.left_behind(&before, status) {
            faults.half_written += 1;
            wrong.push(left);
        }
        if !wrong.is_empty() {
            let (name, again) = (self.name, self.keep(number));
            let stderr: String = stderr.chars().take(500).collect();
            faults.tell(format!("{name}: {}: {stderr}\n    again: {again}", wrong.join("; ")));
        }
        status
    }

    fn end(&self, outside: &Path) -> Option<i32> {
        let file = |name| std::fs::File::create(outside.join(name)).unwrap();
        std::fs::write(outside.join("stdin"), &self.stdin).unwrap();
        let stdin = std::fs::File::open(outside.join("stdin")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(&self.arguments).env_clear().current_dir(self.folder.path()).stdin(Stdio::from(stdin));
        let mut child = command.stdout(file("stdout")).stderr(file("stderr")).spawn().unwrap();
        let began = Instant::now();
        while began.elapsed() < LONGEST {
            if let Some(status) = child.try_wait().unwrap() {
                // Ending by a signal is not one of our exit codes.
                return Some(status.code().unwrap_or(101));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        None
    }

    /// A file that should not exist, or is not whole.
    fn left_behind(&self, before: &[OsString], status: Option<i32>) -> Option<String> {
        let known = |name: &OsString| before.contains(name) || self.output.is_some_and(|output| name == output);
        if let Some(left) = files(self.folder.path()).iter().find(|name| !known(name)) {
            return Some(format!("{} is left", left.display()));
        }
        let content = std::fs::read(self.folder.path().join(self.output?)).ok();
        let was_there = before.contains(&self.output?.into());
        let what = match (self.writes_with.contains(&status.unwrap_or(-1)), content) {
            (true, Some(content)) if content == BEFORE => "the old file is still there",
            (true, Some(content)) if !content.ends_with(b"\n") => "half a file is there",
            (true, None) => "it wrote no file",
            (false, Some(content)) if was_there && content != BEFORE => "it failed and changed the file",
            (false, Some(_)) if !was_there => "it failed and left a file",
            (false, None) if was_there => "it failed and removed the file",
            _ => return None,
        };
        Some(what.to_owned())
    }

    /// Keeps the folder, and says how to run the command again.
    fn keep(self, number: usize) -> String {
        let place = kept().join(format!("run-{}-{number}", self.name));
        let _ = std::fs::remove_dir_all(&place);
        let folder = self.folder.keep();
        let copied =
            Command::new("cp").arg("-R").arg(&folder).arg(&place).status().is_ok_and(|status| status.success());
        let _ = std::fs::remove_dir_all(if copied { &folder } else { Path::new("") });
        format!("in {}: {:?}", if copied { place } else { folder }.display(), self.arguments)
    }
}

fn files(folder: &Path) -> Vec<OsString> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

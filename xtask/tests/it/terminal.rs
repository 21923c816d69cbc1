//! Commands on a terminal of their own, and how wide they write there.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use local_db::Role;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::support::Place;

/// The width of an ordinary terminal.
const COLUMNS: u16 = 80;
/// How long a question may take to appear; a debug build connects first.
pub(crate) const QUESTION_WITHIN: Duration = Duration::from_secs(60);

/// A command that runs on a terminal of its own.
pub(crate) struct Terminal {
    pub(crate) child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// Starts it on a terminal of 80 columns.
    pub(crate) fn start(place: &Place, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        Self::start_with(COLUMNS, place, arguments, env)
    }

    /// Starts it on a terminal of so many columns.
    pub(crate) fn start_with(columns: u16, place: &Place, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        tcsetwinsize(&controller, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        let terminal = || Stdio::from(OpenOptions::new().read(true).write(true).open(&name).unwrap());
        let mut command = place.command(arguments, env);
        command.env("NO_COLOR", "1");
        let child = command.stdin(terminal()).stdout(terminal()).stderr(terminal()).spawn().unwrap();
        // The command's ends of the terminal must not stay open here, because reading would then never end.
        drop(command);
        let keyboard = File::from(controller);
        let mut output = keyboard.try_clone().unwrap();
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let (mut bytes, mut pending) = ([0; 4096], Vec::new());
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                pending.extend_from_slice(&bytes[..read]);
                // A character may be cut by the end of the buffer.
                let whole = std::str::from_utf8(&pending).map_or_else(|error| error.valid_up_to(), str::len);
                let _ = sender.send(pending.drain(..whole).collect());
            }
        });
        Self { child, keyboard, screen, seen: String::new() }
    }

    /// Reads until this text appears.
    pub(crate) fn until(&mut self, text: &str) {
        let began = Instant::now();
        while !self.seen.contains(text) {
            let left = QUESTION_WITHIN.saturating_sub(began.elapsed());
            let bytes = self.screen.recv_timeout(left).unwrap_or_else(|_| panic!("no `{text}` in:\n{}", self.seen));
            self.seen.push_str(&String::from_utf8(bytes).unwrap());
        }
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Waits for the command to end, and returns what it showed.
    pub(crate) fn end(mut self, limit: Duration) -> (ExitStatus, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > limit {
                self.child.kill().unwrap();
                panic!("it still runs after {limit:?}:\n{}", self.seen);
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        while let Ok(bytes) = self.screen.recv_timeout(Duration::from_millis(200)) {
            self.seen.push_str(&String::from_utf8(bytes).unwrap());
        }
        (status, self.seen.replace("\r\n", "\n"))
    }
}

#[tokio::test]
async fn a_report_is_as_wide_as_the_terminal_and_unbroken_in_a_pipe() {
    let db = test_support::database().await;
    let (place, url) = (Place::new(), db.url(Role::Owner));
    // The sentences about ways past the policies would be wider than any terminal.
    place.write("tenancy.toml", "[roles]\napp = \"nobody_logs_in_as_this\"\n");
    let arguments = ["inventory", "-q", "--database-url", url.expose()];
    let widest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let piped = place.run(&arguments).stdout;
    assert!(widest(&piped) > 100, "the report has lines to break: {piped}");
    let limit = Duration::from_secs(60);
    for columns in [80, 100] {
        let (status, shown) = Terminal::start_with(columns, &place, &arguments, &[]).end(limit);
        assert!(status.success() && widest(&shown) <= columns.into(), "{columns}: {shown}");
        assert!(shown.lines().count() > piped.lines().count(), "cells were broken: {shown}");
    }
    let wide = Terminal::start_with(200, &place, &arguments, &[]).end(limit).1;
    assert_eq!(wide, piped, "there is room for it");
}

//! The printer owns the streams: data goes to stdout (or to the file of `--output`), everything else to stderr. Nothing else in
//! this workspace prints; clippy checks that. It writes only what is [`Harmless`].

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::builder::styling::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use serde::Serialize;
use tenancy_config::files::{self, NewFile, Readers};
use tenancy_config::{FileError, Hint};

use crate::context::command_error::OrFailed;
use crate::context::failure::CommandFailure;
use crate::terminal::colour;
use crate::terminal::harmless::Harmless;
use crate::terminal::secrets::Secrets;
use crate::terminal::width::Width;

/// The style of `error:`.
const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The style of `warning:`.
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// The style of `hint:`.
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Writes what people and scripts read.
#[derive(Debug)]
pub(crate) struct Printer {
    quiet: bool,
    progress: bool,
    output: Option<PathBuf>,
    colours_on_stdout: bool,
    colours_on_stderr: bool,
    /// Notes pass through it, so that they do not break a running bar.
    bars: MultiProgress,
    secrets: Secrets,
    /// Whether the last line is a question that has no answer yet.
    asking: AtomicBool,
}

impl Printer {
    /// A printer for this process's streams.
    pub(crate) fn new(quiet: bool, progress: bool, output: Option<PathBuf>) -> Self {
        let env = tenancy_config::environment::checked;
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        // `-` is stdout, as in other programs.
        let output = output.filter(|path| path != Path::new("-"));
        Self {
            quiet,
            progress: progress && !quiet,
            colours_on_stdout: output.is_none() && colour::wanted(env, io::stdout().is_terminal()),
            colours_on_stderr: colour::wanted(env, io::stderr().is_terminal()),
            output,
            bars,
            secrets: Secrets::default(),
            asking: AtomicBool::new(false),
        }
    }

    /// The same printer, which removes these secrets from everything but reports.
    pub(crate) fn hiding(self, secrets: Secrets) -> Self {
        Self { secrets, ..self }
    }

    /// Checks, before the command begins, that the file of `--output` can be written.
    ///
    /// # Errors
    /// The folder is missing or may not be written to, or something other than a regular file is there.
    pub(crate) fn check_output(&self) -> Result<(), FileError> {
        self.output.as_deref().map_or(Ok(()), files::check)
    }

    /// Writes text for people to stdout or to the file. It is no error if the reader closed the pipe (`| head`).
    ///
    /// # Errors
    /// The stream or the file cannot be written. An incomplete file is removed.
    pub(crate) fn data(&self, text: &str) -> Result<(), CommandFailure> {
        self.report(&Harmless::text(text), Readers::Usual)
    }

    /// Writes a section of `tenancy.toml`.
    ///
    /// # Errors
    /// The stream or the file cannot be written. An incomplete file is removed.
    pub(crate) fn toml(&self, text: &str) -> Result<(), CommandFailure> {
        self.report(&Harmless::toml(text), Readers::Usual)
    }

    /// Writes a secret, such as a session: only the owner can read a file of it.
    ///
    /// # Errors
    /// The stream or the file cannot be written. An incomplete file is removed.
    #[cfg(feature = "jwt")]
    pub(crate) fn secret(&self, text: &str) -> Result<(), CommandFailure> {
        self.report(&Harmless::text(text), Readers::Owner)
    }

    /// How wide the lines of a report may be.
    pub(crate) fn width(&self) -> Width {
        if self.output.is_some() { Width::Unlimited } else { Width::of(io::stdout()) }
    }

    /// Writes a report that has its form already.
    ///
    /// # Errors
    /// The stream or the file cannot be written. An incomplete file is removed.
    pub(crate) fn report(&self, report: &Harmless, readers: Readers) -> Result<(), CommandFailure> {
        if let Some(path) = &self.output {
            files::write(path, report.as_str(), readers)?;
            self.note(&format!("wrote {}", path.display()));
            return Ok(());
        }
        self.to_stdout(report)
    }

    fn to_stdout(&self, text: &Harmless) -> Result<(), CommandFailure> {
        self.bars.suspend(|| {
            let mut stdout = io::stdout().lock();
            let written = stdout.write_all(text.as_str().as_bytes()).and_then(|()| stdout.flush());
            unless_the_reader_left(written).or_failed("cannot write to standard output")
        })
    }

    /// Opens stdout or the file for a report that is written line by line.
    ///
    /// # Errors
    /// The file of `--output` cannot be made.
    pub(crate) fn stream(&self) -> Result<Stream<'_>, CommandFailure> {
        let file = self.output.as_ref().map(|path| NewFile::create(path, Readers::Usual).map(|file| (path, file)));
        Ok(Stream { printer: self, file: file.transpose()? })
    }

    /// Writes a note to stderr, unless there is `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// Writes a warning to stderr.
    pub(crate) fn warning(&self, text: &str) {
        self.say(&self.message(text).labelled(self.label(WARNING, "warning:")));
    }

    /// Writes why the command failed, the causes, and the hint.
    pub(crate) fn error(&self, what: &str, causes: &[String], hint: Option<&Hint>) {
        let mut text = self.message(what).labelled(self.label(ERROR, "error:"));
        for cause in causes {
            text = text.then(self.message(cause).labelled("  caused by:"));
        }
        if let Some(hint) = hint {
            text = text.then(self.message(&hint.to_string()).labelled(self.label(HINT, "hint:")));
        }
        self.say(&text);
    }

    /// Writes what clap says: help and version to stdout, errors to stderr.
    pub(crate) fn clap(&self, message: clap::Error) {
        if message.use_stderr() {
            self.say(&Harmless::usage_error(message, &self.secrets).labelled(self.label(ERROR, "error:")));
            return;
        }
        // It is no failure if nobody reads the help.
        let _ = self.to_stdout(&Harmless::help(&message, self.colours_on_stdout));
    }

    /// Writes a question to the terminal; `false` if there is none.
    pub(crate) fn question(&self, question: &str) -> bool {
        let is_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        if is_terminal {
            self.asking.store(true, Ordering::SeqCst);
            self.bars.suspend(|| {
                let mut stderr = io::stderr().lock();
                // The answer may come even if stderr is closed.
                let _ = write!(stderr, "{} ", Harmless::message(question).as_str()).and_then(|()| stderr.flush());
            });
        }
        is_terminal
    }

    /// Notes that the answer ended the line of the question.
    pub(crate) fn answered(&self) {
        self.asking.store(false, Ordering::SeqCst);
    }

    /// Puts a bar on the terminal; `None` if there is no terminal or no progress is wanted.
    pub(crate) fn add_bar(&self, bar: ProgressBar) -> Option<ProgressBar> {
        (self.progress && io::stderr().is_terminal()).then(|| self.bars.add(bar))
    }

    /// Whether progress is wanted.
    pub(crate) fn shows_progress(&self) -> bool {
        self.progress
    }

    /// Whether progress is wanted and a program reads stderr.
    pub(crate) fn writes_events(&self) -> bool {
        self.progress && !io::stderr().is_terminal()
    }

    /// Whether stderr, where the bars are, gets colours.
    pub(crate) fn colours_on_stderr(&self) -> bool {
        self.colours_on_stderr
    }

    fn label(&self, style: Style, text: &str) -> String {
        if self.colours_on_stderr { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Writes to stderr, whatever `--quiet` says.
    pub(crate) fn line(&self, text: &str) {
        self.say(&self.message(text));
    }

    /// Messages hold no password. Only the report of `db url` does, as the user asks for it.
    fn message(&self, text: &str) -> Harmless {
        Harmless::message(&self.secrets.hidden(text))
    }

    /// Writes an event for programs to stderr.
    pub(crate) fn event(&self, event: &impl Serialize) {
        // Our events have a JSON form.
        if let Ok(line) = Harmless::json_line(event) {
            self.say(&line);
        }
    }

    /// Writes one finding; in a GitHub workflow as an annotation, which is shown beside the log.
    pub(crate) fn finding(&self, in_workflow: bool, title: &str, message: &str) {
        if in_workflow {
            // Workflow commands are read from both streams; stdout is for the report.
            self.say(&Harmless::workflow_error(&self.secrets.hidden(title), &self.secrets.hidden(message)));
        } else {
            self.line(&format!("finding: {title}: {message}"));
        }
    }

    fn say(&self, text: &Harmless) {
        self.bars.suspend(|| {
            let behind_a_question = if self.asking.swap(false, Ordering::SeqCst) { "\n" } else { "" };
            // Where stderr is closed, nothing can report that.
            let _ = writeln!(io::stderr().lock(), "{behind_a_question}{}", text.as_str());
        });
    }
}

/// A report that is written line by line. If it is dropped without [`finish`](Self::finish), its file is removed.
pub(crate) struct Stream<'a> {
    printer: &'a Printer,
    file: Option<(&'a PathBuf, NewFile)>,
}

impl Stream<'_> {
    /// Writes the next lines. It is no error if the reader closed the pipe.
    ///
    /// # Errors
    /// The stream or the file cannot be written.
    pub(crate) fn write(&mut self, text: &Harmless) -> Result<(), CommandFailure> {
        match &mut self.file {
            Some((path, file)) => {
                Ok(file.write_all(text.as_str().as_bytes()).map_err(|source| FileError::io(path, source))?)
            }
            None => self.printer.to_stdout(text),
        }
    }

    /// Puts the complete file in its place.
    ///
    /// # Errors
    /// The file cannot be written to its end, or not put in its place.
    pub(crate) fn finish(self) -> Result<(), CommandFailure> {
        if let Some((path, file)) = self.file {
            file.finish()?;
            self.printer.note(&format!("wrote {}", path.display()));
        }
        Ok(())
    }
}

/// A closed pipe means that the reader has read enough.
fn unless_the_reader_left(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

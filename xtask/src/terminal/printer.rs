//! The printer owns the streams: data goes to stdout (or to the file of `--output`), everything that is said about it
//! to stderr. Nothing else in this workspace prints; clippy sees to it. It writes what is [`Harmless`] and nothing else.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use clap::builder::styling::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use serde::Serialize;
use tenancy_config::FileError;
use tenancy_config::files::{self, NewFile, Readers};

use crate::terminal::colour;
use crate::terminal::harmless::Harmless;
use crate::terminal::secrets::Secrets;

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
    /// Notes pass through it, so that they do not tear a running bar apart.
    bars: MultiProgress,
    secrets: Secrets,
    /// Whether a question stands in the line, without its answer.
    asking: AtomicBool,
}

impl Printer {
    /// A printer for this process's streams.
    pub(crate) fn new(quiet: bool, progress: bool, output: Option<PathBuf>) -> Self {
        let env = tenancy_config::environment::checked;
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        // As elsewhere, `-` is the stream.
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

    /// The same, with these secrets taken out of all that is said beside reports.
    pub(crate) fn hiding(self, secrets: Secrets) -> Self {
        Self { secrets, ..self }
    }

    /// Tells before anything is done whether the file of `--output` can be written.
    ///
    /// # Errors
    /// It cannot.
    pub(crate) fn check_output(&self) -> Result<(), FileError> {
        self.output.as_deref().map_or(Ok(()), files::check)
    }

    /// Writes text for people where the reader wants it. A reader who went away (`| head`) is no error.
    ///
    /// # Errors
    /// The stream or the file cannot be written; then no half file is left.
    pub(crate) fn data(&self, text: &str) -> anyhow::Result<()> {
        self.report(&Harmless::text(text), Readers::Usual)
    }

    /// The same as a part of `tenancy.toml`.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub(crate) fn toml(&self, text: &str) -> anyhow::Result<()> {
        self.report(&Harmless::toml(text), Readers::Usual)
    }

    /// The same of what opens something: a file of it is its owner's alone.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    #[cfg(feature = "jwt")]
    pub(crate) fn secret(&self, text: &str) -> anyhow::Result<()> {
        self.report(&Harmless::text(text), Readers::Owner)
    }

    /// Writes a finished report in whatever form it has.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub(crate) fn report(&self, report: &Harmless, readers: Readers) -> anyhow::Result<()> {
        if let Some(path) = &self.output {
            files::write(path, report.as_str(), readers)?;
            self.note(&format!("wrote {}", path.display()));
            return Ok(());
        }
        self.to_stdout(report)
    }

    fn to_stdout(&self, text: &Harmless) -> anyhow::Result<()> {
        self.bars.suspend(|| {
            let mut stdout = io::stdout().lock();
            let written = stdout.write_all(text.as_str().as_bytes()).and_then(|()| stdout.flush());
            unless_the_reader_left(written).context("cannot write to standard output")
        })
    }

    /// Opens the place for a report that is written line by line while it comes about.
    ///
    /// # Errors
    /// The file of `--output` cannot be made.
    pub(crate) fn stream(&self) -> anyhow::Result<Stream<'_>> {
        let file = self.output.as_ref().map(|path| NewFile::create(path, Readers::Usual).map(|file| (path, file)));
        Ok(Stream { printer: self, file: file.transpose()? })
    }

    /// Says something in passing; `--quiet` silences it.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// Says something that nobody should miss.
    pub(crate) fn warning(&self, text: &str) {
        self.say(&self.message(text).labelled(self.label(WARNING, "warning:")));
    }

    /// Says why the command failed, and what to do next, in this order.
    pub(crate) fn error(&self, what: &str, causes: &[String], hint: Option<&str>) {
        let mut text = self.message(what).labelled(self.label(ERROR, "error:"));
        for cause in causes {
            text = text.then(self.message(cause).labelled("  caused by:"));
        }
        if let Some(hint) = hint {
            text = text.then(self.message(hint).labelled(self.label(HINT, "hint:")));
        }
        self.say(&text);
    }

    /// What clap says: help and version to stdout, mistakes to stderr.
    pub(crate) fn clap(&self, message: clap::Error) {
        if message.use_stderr() {
            self.say(&Harmless::mistake(message, &self.secrets).labelled(self.label(ERROR, "error:")));
            return;
        }
        // Help that nobody reads to its end is no failure.
        let _ = self.to_stdout(&Harmless::help(&message, self.colours_on_stdout));
    }

    /// Asks on the terminal, or tells that there is nobody to answer.
    pub(crate) fn question(&self, question: &str) -> bool {
        let somebody = io::stdin().is_terminal() && io::stderr().is_terminal();
        if somebody {
            self.asking.store(true, Ordering::SeqCst);
            self.bars.suspend(|| {
                let mut stderr = io::stderr().lock();
                // Where stderr is gone, the answer is awaited all the same.
                let _ = write!(stderr, "{} ", Harmless::message(question).as_str()).and_then(|()| stderr.flush());
            });
        }
        somebody
    }

    /// The answer ended the line of the question.
    pub(crate) fn answered(&self) {
        self.asking.store(false, Ordering::SeqCst);
    }

    /// Puts a bar on the terminal, or says that there is none.
    pub(crate) fn add_bar(&self, bar: ProgressBar) -> Option<ProgressBar> {
        (self.progress && io::stderr().is_terminal()).then(|| self.bars.add(bar))
    }

    /// Whether progress is wanted at all.
    pub(crate) fn shows_progress(&self) -> bool {
        self.progress
    }

    /// Whether stderr is read by a program rather than by a person before a bar.
    pub(crate) fn writes_events(&self) -> bool {
        self.progress && !io::stderr().is_terminal()
    }

    /// Whether stderr, where bars stand, gets colours.
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

    /// What is said beside a report holds no password: `db url` alone prints one, as it is asked for.
    fn message(&self, text: &str) -> Harmless {
        Harmless::message(&self.secrets.hidden(text))
    }

    /// Writes an event for programs to stderr.
    pub(crate) fn event(&self, event: &impl Serialize) {
        // Events are structs of ours, which have a JSON form.
        if let Ok(line) = Harmless::json_line(event) {
            self.say(&line);
        }
    }

    /// Says one finding so that nobody has to open the log: in a GitHub workflow as an annotation.
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
            // There is nobody left to tell that stderr is gone.
            let _ = writeln!(io::stderr().lock(), "{behind_a_question}{}", text.as_str());
        });
    }
}

/// A report that grows. Dropped without [`finish`](Self::finish), it leaves no half file.
pub(crate) struct Stream<'a> {
    printer: &'a Printer,
    file: Option<(&'a PathBuf, NewFile)>,
}

impl Stream<'_> {
    /// Writes a part of it. A reader who went away is no error.
    ///
    /// # Errors
    /// The stream or the file cannot be written.
    pub(crate) fn write(&mut self, text: &Harmless) -> anyhow::Result<()> {
        match &mut self.file {
            Some((path, file)) => {
                Ok(file.write_all(text.as_str().as_bytes()).map_err(|source| FileError::io(path, source))?)
            }
            None => self.printer.to_stdout(text),
        }
    }

    /// Puts the finished file in its place.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        if let Some((path, file)) = self.file {
            file.finish()?;
            self.printer.note(&format!("wrote {}", path.display()));
        }
        Ok(())
    }
}

/// A closed pipe means that the reader has what it wanted.
fn unless_the_reader_left(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

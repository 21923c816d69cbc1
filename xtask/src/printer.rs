//! The printer owns the streams: data goes to stdout (or to the file of `--output`), everything that is said about it
//! to stderr. Nothing else in this workspace prints; clippy sees to it.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::builder::styling::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};

use crate::colour;
use crate::output::OutputFile;

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
}

impl Printer {
    /// A printer for this process's streams.
    pub(crate) fn new(quiet: bool, progress: bool, output: Option<PathBuf>) -> Self {
        let env = tenant_rls::environment::checked;
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        Self {
            quiet,
            progress: progress && !quiet,
            colours_on_stdout: output.is_none() && colour::wanted(env, io::stdout().is_terminal()),
            colours_on_stderr: colour::wanted(env, io::stderr().is_terminal()),
            output,
            bars,
        }
    }

    /// Writes a finished report, where the reader wants it. A reader who went away (`| head`) is no error.
    ///
    /// # Errors
    /// The stream or the file cannot be written; then no half file is left.
    pub(crate) fn data(&self, text: &str) -> anyhow::Result<()> {
        if let Some(path) = &self.output {
            write_file(path, text).with_context(|| format!("cannot write {}", path.display()))?;
            self.note(&format!("wrote {}", path.display()));
            return Ok(());
        }
        self.bars.suspend(|| {
            let mut stdout = io::stdout().lock();
            let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
            unless_the_reader_left(written).context("cannot write to standard output")
        })
    }

    /// Opens the place for a report that is written line by line while it comes about.
    ///
    /// # Errors
    /// The file of `--output` cannot be made.
    pub(crate) fn stream(&self) -> anyhow::Result<Stream<'_>> {
        let file = self.output.as_ref().map(|path| {
            OutputFile::create(path)
                .with_context(|| format!("cannot write {}", path.display()))
                .map(|file| (path, file))
        });
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
        self.line(&format!("{} {text}", self.label(WARNING, "warning:")));
    }

    /// Says why the command failed, and what to do next, in this order.
    pub(crate) fn error(&self, what: &str, causes: &[String], hint: Option<&str>) {
        let mut text = format!("{} {what}", self.label(ERROR, "error:"));
        for cause in causes {
            text.push_str(&format!("\n  caused by: {}", cause.replace('\n', "\n    ")));
        }
        if let Some(hint) = hint {
            text.push_str(&format!("\n{} {}", self.label(HINT, "hint:"), hint.replace('\n', "\n      ")));
        }
        self.line(&text);
    }

    /// What clap says: help and version to stdout, mistakes to stderr.
    pub(crate) fn clap(&self, message: &clap::Error) {
        let text = message.render();
        if message.use_stderr() {
            let text = if self.colours_on_stderr { text.ansi().to_string() } else { text.to_string() };
            self.line(text.trim_end());
            return;
        }
        let text = if self.colours_on_stdout { text.ansi().to_string() } else { text.to_string() };
        // Help that nobody reads to its end is no failure.
        let _ = io::stdout().lock().write_all(text.as_bytes());
    }

    /// Asks on the terminal; `None` where there is nobody to answer.
    ///
    /// # Errors
    /// The terminal cannot be read.
    pub(crate) fn ask(&self, question: &str) -> io::Result<Option<String>> {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Ok(None);
        }
        self.bars.suspend(|| {
            let mut stderr = io::stderr().lock();
            write!(stderr, "{question} ")?;
            stderr.flush()?;
            let mut answer = String::new();
            io::stdin().read_line(&mut answer)?;
            Ok(Some(answer.trim().to_owned()))
        })
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
        self.bars.suspend(|| {
            // There is nobody left to tell that stderr is gone.
            let _ = writeln!(io::stderr().lock(), "{text}");
        });
    }
}

/// A report that grows. Dropped without [`finish`](Self::finish), it leaves no half file.
pub(crate) struct Stream<'a> {
    printer: &'a Printer,
    file: Option<(&'a PathBuf, OutputFile)>,
}

impl Stream<'_> {
    /// Writes a part of it. A reader who went away is no error.
    ///
    /// # Errors
    /// The stream or the file cannot be written.
    pub(crate) fn write(&mut self, text: &[u8]) -> anyhow::Result<()> {
        match &mut self.file {
            Some((path, file)) => file.write_all(text).with_context(|| format!("cannot write {}", path.display())),
            None => self.printer.bars.suspend(|| {
                unless_the_reader_left(io::stdout().lock().write_all(text)).context("cannot write to standard output")
            }),
        }
    }

    /// Puts the finished file in its place.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self.file {
            Some((path, file)) => {
                file.finish().with_context(|| format!("cannot write {}", path.display()))?;
                self.printer.note(&format!("wrote {}", path.display()));
                Ok(())
            }
            None => unless_the_reader_left(io::stdout().lock().flush()).context("cannot write to standard output"),
        }
    }
}

/// Writes the whole file or none of it.
pub(crate) fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OutputFile::create(path)?;
    file.write_all(text.as_bytes())?;
    file.finish()
}

/// A closed pipe means that the reader has what it wanted.
fn unless_the_reader_left(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

//! Progress of a seed: a bar, and with `--format csv` a line for each tenant as soon as it is done.

use seed_tenant_defaults::{SeedEvent, TenantLine, TenantResult};

use crate::context::command_error::OrFailed;
use crate::context::failure::CommandFailure;
use crate::number_format::count;
use crate::terminal::harmless::Harmless;
use crate::terminal::printer::{Printer, Stream};
use crate::terminal::progress::Meter;

/// The columns of the CSV.
const COLUMNS: [&str; 7] = ["line", "tenant", "id", "result", "made", "created", "reason"];

/// Draws the events of a run, and writes the CSV if there is one.
pub(super) struct SeedProgress<'a> {
    printer: &'a Printer,
    csv: Option<Stream<'a>>,
    write_error: Option<CommandFailure>,
    meter: Option<Meter<'a>>,
    done: u64,
    failed: u64,
}

impl<'a> SeedProgress<'a> {
    /// With `csv`, each tenant is written as a line.
    ///
    /// # Errors
    /// The file or the stream cannot be written.
    pub(super) fn new(printer: &'a Printer, csv: bool) -> Result<Self, CommandFailure> {
        let csv = csv.then(|| printer.stream()).transpose()?;
        Ok(Self { printer, csv, write_error: None, meter: None, done: 0, failed: 0 })
    }

    /// Takes one event. If its line cannot be written the run goes on, as the tenant has been seeded.
    pub(super) fn event(&mut self, event: SeedEvent<'_>) {
        match event {
            SeedEvent::Started { tenants } => {
                self.meter = Some(Meter::start(self.printer, "defaults", "tenants", 0, tenants));
            }
            SeedEvent::Tenant(line) => {
                self.failed += u64::from(line.result == TenantResult::Failed);
                if let Err(error) = self.write(line) {
                    self.csv = None;
                    self.write_error = Some(error);
                }
                self.done += 1;
                if let Some(meter) = &mut self.meter {
                    meter.set(self.done, &failures(self.failed));
                }
            }
        }
    }

    fn write(&mut self, line: &TenantLine) -> Result<(), CommandFailure> {
        let Some(stream) = &mut self.csv else { return Ok(()) };
        if self.done == 0 {
            stream.write(&header()?)?;
        }
        stream.write(&csv_line(line)?)
    }

    /// Removes the bar, and completes the CSV if the run ended.
    ///
    /// # Errors
    /// The CSV could not be written.
    pub(super) fn finish(self, ended: bool) -> Result<(), CommandFailure> {
        if let Some(meter) = self.meter {
            meter.finish();
        }
        match (self.write_error, self.csv) {
            (Some(error), _) => Err(error.context("the tenants were seeded, and the report of it was not written")),
            (None, Some(mut stream)) if ended => {
                if self.done == 0 {
                    stream.write(&header()?)?;
                }
                stream.finish()
            }
            (None, _) => Ok(()),
        }
    }
}

fn failures(failed: u64) -> String {
    if failed > 0 { format!("{} failed", count(failed)) } else { String::new() }
}

fn header() -> Result<Harmless, CommandFailure> {
    Harmless::csv([COLUMNS]).or_failed("cannot write CSV")
}

fn csv_line(line: &TenantLine) -> Result<Harmless, CommandFailure> {
    let created: Vec<String> = line.created.iter().map(ToString::to_string).collect();
    let cells = [
        line.line.map_or_else(String::new, |line| line.to_string()),
        line.tenant.clone(),
        line.id.as_ref().map_or_else(String::new, ToString::to_string),
        line.result.as_str().to_owned(),
        line.made.to_string(),
        created.join("; "),
        line.reason().unwrap_or_default(),
    ];
    Harmless::csv([cells]).or_failed("cannot write CSV")
}

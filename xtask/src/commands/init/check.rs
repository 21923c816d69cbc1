//! `init --check` and `init --update`: a file that is there, compared with the database.

use std::path::PathBuf;

use serde::Serialize;
use tenancy_config::files::{self, Readers};
use tenancy_config::plain::plain;
use tenancy_config::{CommandRef, Exit, Hint};
use tenancy_init::{FileComparison, compare, refreshed, updated};

use crate::context::command_error::{CommandError, OrFailed};
use crate::context::{CommandResult, Context, stop};
use crate::document::block::{Document, List, paragraph};
use crate::document::report::{Format, Report};
use crate::number_format::counted;

use super::options::Options;

/// What no longer fits.
#[derive(Debug, Serialize)]
struct CheckReport {
    file: PathBuf,
    #[serde(flatten)]
    comparison: FileComparison,
}

impl Report for CheckReport {
    const NAME: &'static str = "init --check";
    const SCHEMA: Option<&'static str> = Some("init-check/1");

    fn document(&self) -> Document {
        if self.comparison.is_empty() {
            let fits = format!("{} fits the database, and every table stands in it.", self.file.display());
            return Document::new([paragraph(fits)]);
        }
        let absent = self.comparison.absent.iter().map(ToString::to_string);
        let misfits = self.comparison.misfits.iter().map(|misfit| format!("{misfit}; {}", misfit.hint()));
        let unlisted = self.comparison.unlisted.iter().map(|new| format!("{}: {}", new.table, new.class));
        let lists = [
            List::new("In the file, and not in the database:", absent),
            List::new("In the file, and not fitting the database:", misfits),
            List::new("In the database, and nowhere in the file:", unlisted),
        ];
        Document::new(lists.into_iter().filter_map(List::unless_empty))
    }
}

/// Compares, and with `--update` adds what is new.
pub(super) async fn run(context: &Context, options: &Options) -> CommandResult {
    if options.update && context.global.format() != Format::Table {
        return Err(CommandError::usage("tenancy.toml is TOML and has no other format", "leave --format out"));
    }
    let settings = context.settings()?;
    let Some(file) = settings.config_path().map(PathBuf::from) else {
        let hint = Hint::quoted(CommandRef::Init).then(" writes one");
        return Err(CommandError::usage("there is no tenancy.toml to compare with the database", hint));
    };
    let text = std::fs::read_to_string(&file).or_failed(format!("cannot read {}", file.display()))?;
    let connected = stop::at_once(context.connect(&settings)).await?;
    let additions = tenancy_init::additions(&connected.database, settings.tenancy()).await?;
    let current = refreshed(&text, &additions);
    let comparison = compare(&connected.database, settings.tenancy(), &current.text).await?;
    if options.check {
        connected.database.close().await;
        let differs = comparison.differs();
        context.report(&CheckReport { file, comparison })?;
        return Ok(differs.then_some(Exit::NotYet));
    }
    connected.database.close().await;
    let new = updated(&current.text, &comparison, &additions)?;
    if options.stdout {
        context.printer.toml(&new)?;
    } else if new != text {
        files::write(&file, new, Readers::Usual)?;
    }
    let added = counted(comparison.unlisted.len() as u64, "table", "tables");
    context.printer.note(&format!("added {added} to {}", file.display()));
    if !current.tables.is_empty() {
        let tables = current.tables.join(", ");
        context.printer.note(&format!("replaced or took away proposals that no longer fit, of {}", plain(&tables)));
    }
    Ok(None)
}

//! `backfill suggest`: suggests sources for each table, as a section of `tenancy.toml`, as a table or as JSON.

mod view;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use crate::context::command_error::CommandError;
use crate::context::{CommandResult, Context, stop};
use crate::document::report::{self, Format};

/// Suggest where the tenant of each table's rows could come from, best first, with the reasons
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill suggest
  cargo xtask backfill suggest --missing
  cargo xtask backfill suggest --format table

It reads foreign keys, the rules of tenancy.toml, and columns whose values are keys of another table (a guess), and asks up
to 10,000 rows without a tenant and as many with one what each source says. What it prints can be put into tenancy.toml, in
place of what stands there for those tables. It only reads, and stops where rows would be hidden from it.")]
pub(super) struct Options {
    /// Only what tenancy.toml lacks
    #[arg(long)]
    missing: bool,
    // It has the id of the global option, which it replaces in this command.
    /// Shape of the suggestions
    #[arg(
        id = "format",
        long,
        default_value = "toml",
        value_parser = PossibleValuesParser::new(["toml", "table", "json"]),
        hide_possible_values = true,
        value_name = "toml|table|json",
        help_heading = "Output options"
    )]
    shape: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    Toml,
    Table,
    Json,
}

/// Suggests sources. It does not write to the database.
///
/// # Errors
/// The engine failed.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    // Before the name of the command, `--format` takes the shapes of reports. CSV is the only one that this command lacks.
    report::refuse_csv("backfill suggest", context.global.format())?;
    let shape = Shape::from_str(&options.shape, false)
        .map_err(|why| CommandError::usage(why, "--format is one of toml, table, json"))?;
    let settings = context.settings()?;
    let suggested = stop::at_once(async {
        let connected = context.connect(&settings).await?;
        context.printer.note(&format!("reading {}", connected.line()));
        let suggested = backfill_engine::suggest(&connected.database, settings.tenancy()).await?;
        connected.database.close().await;
        Ok(suggested)
    })
    .await?;
    match (shape, options.missing) {
        (Shape::Toml, missing) => context.printer.toml(&view::toml(&suggested, settings.tenancy(), missing))?,
        (Shape::Table, false) => report::write(&suggested, Format::Table, &context.printer)?,
        (Shape::Table, true) => report::write(&suggested.missing(), Format::Table, &context.printer)?,
        (Shape::Json, false) => report::write(&suggested, Format::Json, &context.printer)?,
        (Shape::Json, true) => report::write(&suggested.missing(), Format::Json, &context.printer)?,
    }
    Ok(None)
}

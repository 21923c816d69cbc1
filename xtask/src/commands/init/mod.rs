//! `init`: writes an annotated `tenancy.toml` for a database that nobody has described yet.

mod draft;

use std::path::{Path, PathBuf};

use clap::Args;
use tenancy_config::CommandRef;
use tenancy_config::files::{self, Readers};
use tenant_inventory::Catalog;

use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context, stop};
use crate::document::report::Format;
use crate::number_format::counted;

/// Write an annotated tenancy.toml from a database's catalog
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask init
  cargo xtask init --stdout
  cargo xtask init --database-url postgresql://… --output apps/web/tenancy.toml --force")]
pub(crate) struct Options {
    /// Print it instead of writing a file
    #[arg(long, conflicts_with = "output")]
    stdout: bool,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

/// Reads the catalog and writes the file. It does not write to the database.
///
/// # Errors
/// The file exists, or no table seems to belong to tenants.
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    if context.global.format() != Format::Table {
        return Err(CommandError::usage("tenancy.toml is TOML and has no other format", "leave --format out"));
    }
    let stdout = options.stdout || context.global.output.as_deref() == Some(Path::new("-"));
    let file = (!stdout).then(|| context.global.output.clone().unwrap_or_else(|| PathBuf::from("tenancy.toml")));
    // The file is checked before it connects, as that may have to start a server.
    if let Some(file) = file.as_ref().filter(|file| file.exists() && !options.force) {
        let hint = "--force replaces it; --stdout prints what it would be";
        return Err(CommandError::usage(format!("{} is there already", file.display()), hint));
    }
    let tenancy = stop::at_once(read(context)).await?;
    match file {
        None => context.printer.toml(&tenancy.annotated())?,
        Some(file) => {
            files::write(&file, tenancy.annotated(), Readers::Usual)?;
            let tables = counted(tenancy.tables.len() as u64, "table", "tables");
            context.printer.note(&format!(
                "wrote {} with {tables}; `{}` compares it with the database",
                file.display(),
                CommandRef::Doctor
            ));
        }
    }
    Ok(None)
}

async fn read(context: &Context) -> Result<tenancy_config::Tenancy, CommandFailure> {
    let settings = context.settings()?;
    let connected = context.connect(&settings).await?;
    context.printer.note(&format!("reading {}", connected.line()));
    let schema = settings.schema_from().map(|_| settings.tenancy().database.schema.as_str());
    let known = Catalog::load(&connected.database, settings.tenancy()).await?;
    let draft = if known.tenant_key_type.is_some() && !known.tables.is_empty() {
        Some(draft::of_known(settings.tenancy(), &known))
    } else {
        let wide = draft::wide_net(settings.tenancy());
        draft::of_unknown(&wide, &Catalog::load(&connected.database, &wide).await?, schema)
    };
    connected.database.close().await;
    draft.ok_or_else(|| {
        CommandError::failed(
            match schema {
                Some(schema) => format!("no table of the schema `{schema}` looks as if its rows belonged to tenants"),
                None => "no table of this database looks as if its rows belonged to tenants".to_owned(),
            },
            format!("a tenant column is one of {}, with a foreign key to the table of tenants; write a tenancy.toml by hand if yours is another", draft::USUAL_COLUMNS.join(", ")),
        )
    })
}

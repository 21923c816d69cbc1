//! `init`: writes an annotated `tenancy.toml` for a database that nobody has described yet, and keeps one up to date.

mod check;
mod options;

use std::path::{Path, PathBuf};

use tenancy_config::files::{self, Readers};
use tenancy_config::{CommandRef, Hint, Settings};
use tenancy_init::{Answers, Proposal, ProposalOrQuestion, propose};

use crate::context::command_error::{CommandError, OrFailed};
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context, stop};
use crate::document::report::Format;
use crate::number_format::counted;

pub(crate) use options::Options;

/// Reads the catalog and writes the file. It does not write to the database.
///
/// # Errors
/// The file exists, no table seems to belong to tenants, or a question is open that nobody answered.
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    if options.check || options.update {
        return check::run(context, &options).await;
    }
    if context.global.format() != Format::Table {
        return Err(CommandError::usage("tenancy.toml is TOML and has no other format", "leave --format out"));
    }
    let stdout = options.stdout || context.global.output.as_deref() == Some(Path::new("-"));
    let settings = context.settings_for_new_config()?;
    let file = (!stdout).then(|| file(context, &settings));
    // The file is checked before it connects, as that may have to start a server.
    if let Some(file) = file.as_ref().filter(|file| file.exists() && !options.force) {
        let hint = "--output FILE writes another one, --force replaces it, --stdout prints what it would be";
        return Err(CommandError::usage(format!("{} is there already", file.display()), hint));
    }
    let proposal = read(context, &settings, &options).await?;
    match file {
        None => context.printer.toml(&proposal.text())?,
        Some(file) => {
            refuse_to_lose(&file, &proposal.text())?;
            files::write(&file, proposal.text(), Readers::Usual)?;
            let tables = counted(proposal.tenancy.tables.len() as u64, "table", "tables");
            context.printer.note(&format!(
                "wrote {} with {tables}; `{}` compares it with the database",
                file.display(),
                CommandRef::Doctor
            ));
        }
    }
    Ok(None)
}

/// The file that is written: that of `--output`, or the one that the next command reads by `--config` or `TENANCY_CONFIG`.
fn file(context: &Context, settings: &Settings) -> PathBuf {
    let named = || settings.named_config().map(|named| named.strip_prefix(&context.cwd).unwrap_or(named).to_owned());
    context.global.output.clone().or_else(named).unwrap_or_else(|| PathBuf::from("tenancy.toml"))
}

/// Refuses to replace a file that says more than the new one would.
fn refuse_to_lose(file: &Path, new: &str) -> Result<(), CommandFailure> {
    if !file.exists() {
        return Ok(());
    }
    let old = std::fs::read_to_string(file).or_failed(format!("cannot read {}", file.display()))?;
    let lost = tenancy_init::lost(&old, new)?;
    if lost.is_empty() {
        return Ok(());
    }
    let hint = Hint::quoted(CommandRef::InitUpdate)
        .then(" adds what is new and keeps the rest; to begin anew, give the file another name");
    let what = format!("{} says what a new file would not, and was left as it is: {}", file.display(), lost.join(", "));
    Err(CommandError::refused(what, hint))
}

async fn read(context: &Context, settings: &Settings, options: &Options) -> Result<Proposal, CommandFailure> {
    let connected = stop::at_once(context.connect(settings)).await?;
    context.printer.note(&format!("reading {}", connected.line()));
    let schema = settings.schema_from().map(|_| settings.tenancy().database.schema.as_str());
    let mut answers = Answers {
        tenant_table: options.tenant_table.clone(),
        active: options.active.clone(),
        app_role: options.app_role.clone().or_else(|| app_user(settings)),
        variable: options.variable.clone(),
        unanswered: Vec::new(),
    };
    let proposal = loop {
        let outcome = stop::at_once(async {
            Ok::<_, CommandFailure>(propose(&connected.database, settings.tenancy(), &answers, schema).await?)
        });
        match outcome.await? {
            ProposalOrQuestion::Proposed(proposal) => break proposal,
            ProposalOrQuestion::Ask(question) => {
                let answer = context.ask(&question.to_string()).await?;
                answers.give(question, answer);
            }
        }
    };
    connected.database.close().await;
    Ok(proposal)
}

/// The user of the application's own URL, without what a pooler adds to it.
fn app_user(settings: &Settings) -> Option<String> {
    let (url, _) = settings.env("APP_DATABASE_URL").filter(|(url, _)| !url.trim().is_empty())?;
    let url = tenancy_config::DatabaseUrl::parse(url.trim()).ok()?;
    let user = url.user().to_owned();
    (!user.is_empty()).then_some(user)
}

//! `--prisma`: writes a plan as a migration folder.

use std::path::Path;

use chrono::{DateTime, Utc};
use rls_rollout::PlanReport;

use super::folder;
use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::terminal::printer::Printer;

/// Refuses a path that is no folder.
///
/// # Errors
/// The path does not exist, or it is a file.
pub(super) fn expect_folder(migrations: &Path) -> Result<(), CommandFailure> {
    if migrations.is_dir() {
        return Ok(());
    }
    Err(CommandError::usage(
        format!("{} is no folder", migrations.display()),
        "--prisma names the folder of the application's migrations, such as prisma/migrations",
    ))
}

/// Writes the migration under the name that Prisma would give it, and says what to do with it.
///
/// # Errors
/// The folder cannot be written. Then nothing is left.
pub(super) fn write(
    migrations: &Path,
    plan: &PlanReport,
    now: DateTime<Utc>,
    printer: &Printer,
) -> Result<(), CommandFailure> {
    let Some(migration) = plan.prisma_migration() else {
        printer.note("no step is left: no migration was written");
        return Ok(());
    };
    let name = format!("{}_{}", now.format("%Y%m%d%H%M%S"), migration.name);
    let folder = migrations.join(&name);
    let files = [("migration.sql", migration.statements.as_str()), ("schema-edits.md", migration.edits.as_str())];
    folder::make(&folder, files)?;
    printer.note(&format!("wrote {}; edit schema.prisma as its schema-edits.md says", folder.display()));
    printer.note(&format!("where the rollout has been done: npx prisma migrate resolve --applied {name}"));
    Ok(())
}

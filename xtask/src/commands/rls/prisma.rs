//! `--prisma`: writes a plan as a migration folder.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use prisma_schema::Schema;
use rls_rollout::PlanReport;
use tenancy_config::Trust;
use tenancy_config::trust::ReadError;

use super::folder;
use crate::context::command_error::{CommandError, OrFailed as _};
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

/// Reads the schema that the migrations belong to: the file or folder that was named, or else what stands beside their folder.
/// Without any, there is none.
///
/// # Errors
/// A file was named and is not there, cannot be read, is not trusted, or is no schema.
pub(super) fn schema(migrations: &Path, named: Option<&Path>, trust: &Trust) -> Result<Option<Schema>, CommandFailure> {
    let beside = migrations.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = files(named.unwrap_or(beside)).or_failed("cannot list the files of the schema")?;
    if let (Some(named), true) = (named, files.is_empty()) {
        return Err(CommandError::usage(
            format!("{} is no schema of Prisma, and has none", named.display()),
            "--schema names schema.prisma, or the folder with the .prisma files",
        ));
    }
    let mut schema = Schema::default();
    for file in &files {
        let text = match trust.read(file) {
            Ok(text) => text.unwrap_or_default(),
            Err(ReadError::Untrusted(untrusted)) => return Err(untrusted.into()),
            Err(ReadError::Io(error)) => {
                return Err(CommandError::usage(
                    format!("cannot read {}: {error}", file.display()),
                    "--schema names another file",
                ));
            }
        };
        schema.extend(Schema::parse(&text).map_err(|error| {
            CommandError::usage(
                format!("{} is no schema of Prisma: {error}", file.display()),
                "`npx prisma validate` says more; --schema names another file",
            )
        })?);
    }
    Ok((!files.is_empty()).then_some(schema))
}

/// A file itself; of a folder all files of Prisma, in the order of their names.
fn files(place: &Path) -> std::io::Result<Vec<PathBuf>> {
    let is_schema = |path: &Path| path.extension().is_some_and(|extension| extension == "prisma");
    if !place.is_dir() {
        return Ok(if place.exists() { vec![place.to_owned()] } else { Vec::new() });
    }
    let mut files = Vec::new();
    for folder in [place.to_owned(), place.join("schema")].iter().filter(|folder| folder.is_dir()) {
        for entry in std::fs::read_dir(folder)? {
            files.push(entry?.path());
        }
    }
    files.retain(|path| is_schema(path));
    files.sort();
    Ok(files)
}

/// Writes the migration under the name that Prisma would give it, and says what to do with it.
///
/// # Errors
/// The folder cannot be written. Then nothing is left.
pub(super) fn write(
    migrations: &Path,
    schema: Option<&Schema>,
    plan: &PlanReport,
    now: DateTime<Utc>,
    printer: &Printer,
) -> Result<(), CommandFailure> {
    let Some(migration) = plan.prisma_migration(schema) else {
        printer.note("no step is left: no migration was written");
        return Ok(());
    };
    let name = format!("{}_{}", now.format("%Y%m%d%H%M%S"), migration.name);
    let folder = migrations.join(&name);
    let files = [("migration.sql", migration.statements.as_str()), ("schema-edits.md", migration.edits.as_str())];
    folder::make(&folder, files)?;
    if schema.is_none() {
        printer.note("there is no schema.prisma beside the migrations: schema-edits.md lists what every model must say (--schema)");
    }
    printer.note(&format!("wrote {}; edit schema.prisma as its schema-edits.md says", folder.display()));
    printer.note(&format!("where the rollout has been done: npx prisma migrate resolve --applied {name}"));
    Ok(())
}

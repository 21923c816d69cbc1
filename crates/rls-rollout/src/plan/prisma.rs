//! A plan as a Prisma migration, with the edits of `schema.prisma` that belong to it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use prisma_schema::Schema;
use tenancy_config::{CommandRef, TableName};
use tenant_rls::{Sql, Template};

use crate::declared_login::report::PlannedLogin;
use crate::plan::PlanReport;
use crate::plan::schema_edit::SchemaEdit;
use crate::plan::script::{one_line, statement_text};
use crate::plan::step::{Execution, Step};
use crate::plan::unseen::show_unseen;
use crate::stop::sentences;

/// The files of one migration folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrismaMigration {
    /// The part of the folder's name that follows the timestamp.
    pub name: String,
    /// `migration.sql`.
    pub statements: String,
    /// `schema-edits.md`, for people.
    pub edits: String,
}

impl PlanReport {
    /// The plan as a Prisma migration; none where no step is left. If the application's schema is given, the edits are those that
    /// it lacks.
    pub fn prisma_migration(&self, schema: Option<&Schema>) -> Option<PrismaMigration> {
        if self.steps.is_empty() {
            return None;
        }
        let (mut statements, mut edits) = (String::new(), String::new());
        // Writing to a String cannot fail.
        let _ = self.write_migration(&mut statements);
        let _ = self.write_edits(&mut edits, schema);
        Some(PrismaMigration { name: format!("rls_{}", self.goal), statements: show_unseen(&statements), edits })
    }

    fn write_migration(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "-- Row level security, as far as `{}`.", self.goal)?;
        writeln!(
            out,
            "-- Where `{}` has worked, beside a running application, this does nothing, and best only counts as applied:",
            CommandRef::RlsRollout
        )?;
        writeln!(out, "--   npx prisma migrate resolve --applied (the name of this folder)")?;
        writeln!(
            out,
            "-- It is for databases that nobody uses yet: it builds indexes under a lock, tries nothing again, and keeps no journal."
        )?;
        writeln!(
            out,
            "-- A table with rows without a tenant, such as those that an earlier migration wrote, goes no further than `prepare`, with a warning. A"
        )?;
        writeln!(out, "-- migration of the application that gives them their tenant belongs before this one.")?;
        for table in self.tables.iter().filter(|table| !table.stopped_by.is_empty()) {
            let name = one_line(&table.table.to_string());
            writeln!(out, "-- Left out: {name}: {}", one_line(&sentences(&table.stopped_by)))?;
        }
        for sql in &self.every_role {
            let role = Template::new(include_str!("../../../../sql/rls-rollout/migrate_role.sql"))
                .fragment("role", sql.clone())
                .build();
            writeln!(out, "\n{}", statement_text(&role))?;
        }
        for statement in self.logins.iter().flat_map(PlannedLogin::usages) {
            writeln!(out, "\n{statement};")?;
        }
        let mut said = Said::default();
        self.steps.iter().try_for_each(|step| self.write_migrated(out, step, &mut said))
    }

    /// A step that runs on databases of which the plan knows nothing.
    fn write_migrated<'a>(&self, out: &mut String, step: &'a Step, said: &mut Said<'a>) -> std::fmt::Result {
        let unless = step.needs_tenants.as_ref().map(|(table, column)| {
            let message = format!(
                "{} has rows without a tenant, so it stays at `prepare` in this database. Give them their tenant; then `{}` goes on",
                table,
                CommandRef::RlsRollout
            );
            let says = warning(said.stays.insert(&step.table), &message);
            let unless = Template::new(include_str!("../../../../sql/rls-rollout/fragments/migrate_unless_null.sql"))
                .literal("name", &quoted_name(table))
                .table("table", table)
                .ident("column", column)
                .fragment("says", says)
                .build();
            format!("    {}\n", statement_text(&unless))
        });
        // One that is built concurrently cannot stand beside other statements.
        let how = |text: &str| match step.how {
            Execution::Concurrently { .. } => text.replacen(" INDEX CONCURRENTLY ", " INDEX ", 1),
            Execution::Transaction | Execution::Backfill => text.to_owned(),
        };
        // Before they are quoted: what a quote holds may be data, and stays as it is.
        let unless = unless.map(|unless| show_unseen(&unless));
        let shown = step.statements.iter().map(|statement| show_unseen(&how(statement_text(&statement.sql))));
        let texts: Vec<String> = shown.collect();
        let all = texts.concat() + unless.as_deref().unwrap_or_default();
        let (outer, inner) = (dollar_quote("migration", &all), dollar_quote("statement", &all));
        let statements = texts.iter().map(|text| Sql::from_catalog(format!("    EXECUTE {inner}{text}{inner};")));
        let rolled_out = format!(
            "this migration does nothing here, as `{}` has worked in this database; `{}` shows what is protected",
            CommandRef::RlsRollout,
            CommandRef::RlsStatus
        );
        let says = warning(!std::mem::replace(&mut said.rolled_out, true), &rolled_out);
        let block = Template::new(include_str!("../../../../sql/rls-rollout/fragments/migrate_step.sql"))
            .fragment("says", says)
            .literal("lock_timeout", &format!("{}ms", self.lock_timeout_ms))
            .fragment("quote", Sql::from_catalog(outer))
            .fragment("unless", Sql::from_catalog(unless.unwrap_or_default()))
            .fragment("statements", Sql::join(statements, "\n"))
            .build();
        writeln!(out, "\n-- {} ({}): {}", one_line(&step.table.to_string()), step.phase, step.name)?;
        writeln!(out, "{}", statement_text(&block))
    }

    fn write_edits(&self, out: &mut String, schema: Option<&Schema>) -> std::fmt::Result {
        writeln!(out, "# Edits of schema.prisma that belong to this migration\n")?;
        writeln!(out, "Without them the next `prisma db push` or `migrate dev` takes constraints and indexes away.")?;
        let Some(schema) = schema else {
            writeln!(
                out,
                "\nTables and columns are named as in the database; `@@map` and `@map` may have given model and field other names.\n"
            )?;
            return self.schema_edits.iter().try_for_each(|edit| write_edit(out, edit, edit.lines()));
        };
        writeln!(out)?;
        let mut without_model = Vec::new();
        let mut changed = false;
        for edit in &self.schema_edits {
            match schema.of_table(edit.table.schema().as_str(), edit.table.name().as_str()) {
                None => without_model.push(one_line(&edit.table.to_string())),
                Some(model) => {
                    let changes = edit.changes(model, schema);
                    changed |= !changes.is_empty();
                    write_edit(out, edit, changes)?;
                }
            }
        }
        if !changed {
            writeln!(out, "The models say all of it already.")?;
        }
        if !without_model.is_empty() {
            writeln!(
                out,
                "\nThe schema has no model of these tables, so Prisma leaves them alone: {}.",
                without_model.join(", ")
            )?;
        }
        Ok(())
    }
}

/// What a migration has said already, and says once.
#[derive(Default)]
struct Said<'a> {
    /// That a rollout has worked in the database.
    rolled_out: bool,
    /// Of these tables, that they go no further.
    stays: BTreeSet<&'a TableName>,
}

/// The statement of a block that warns, or one that does nothing.
fn warning(is_new: bool, message: &str) -> Sql {
    if is_new {
        Template::new("RAISE WARNING USING MESSAGE = :'message';").literal("message", message).build()
    } else {
        Sql::from_static("NULL;")
    }
}

/// A dollar quote that stands in no text.
fn dollar_quote(word: &str, text: &str) -> String {
    let numbered = (1..).map(|number| format!("${word}_{number}$"));
    let mut quotes = std::iter::once(format!("${word}$")).chain(numbered);
    quotes.find(|quote| !text.contains(quote.as_str())).unwrap_or_default()
}

/// A table as a text that the server reads as its name.
fn quoted_name(table: &TableName) -> String {
    Template::new(":\"table\"").table("table", table).build().as_str().to_owned()
}

fn write_edit(out: &mut String, edit: &SchemaEdit, lines: Vec<String>) -> std::fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "- `{}`, column `{}`", one_line(&edit.table.to_string()), one_line(edit.column.as_str()))?;
    lines.iter().try_for_each(|line| writeln!(out, "  - {}", one_line(line)))
}

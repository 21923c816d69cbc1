//! A plan as a Prisma migration, with the edits of `schema.prisma` that belong to it.

use std::fmt::Write as _;

use prisma_schema::Schema;
use tenancy_config::CommandRef;
use tenant_rls::Template;

use crate::declared_login::report::PlannedLogin;
use crate::plan::PlanReport;
use crate::plan::schema_edit::SchemaEdit;
use crate::plan::script::{one_line, statement_text};
use crate::plan::step::Execution;
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
            "-- Where `{}` has done it, beside a running application, this only counts as applied:",
            CommandRef::RlsRollout
        )?;
        writeln!(out, "--   npx prisma migrate resolve --applied (the name of this folder)")?;
        writeln!(
            out,
            "-- It is for databases that nobody uses yet: it builds indexes under a lock, tries nothing again, and keeps no journal."
        )?;
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
        for step in &self.steps {
            if !matches!(step.how, Execution::Concurrently { .. }) {
                self.write_step(out, step)?;
                continue;
            }
            writeln!(out, "\n-- {} ({}): {}", one_line(&step.table.to_string()), step.phase, step.name)?;
            for statement in &step.statements {
                // One that is built concurrently cannot stand beside other statements.
                writeln!(out, "{};", statement_text(&statement.sql).replacen(" INDEX CONCURRENTLY ", " INDEX ", 1))?;
            }
        }
        Ok(())
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

fn write_edit(out: &mut String, edit: &SchemaEdit, lines: Vec<String>) -> std::fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "- `{}`, column `{}`", one_line(&edit.table.to_string()), one_line(edit.column.as_str()))?;
    lines.iter().try_for_each(|line| writeln!(out, "  - {}", one_line(line)))
}

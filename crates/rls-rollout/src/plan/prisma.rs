//! A plan as a Prisma migration, with the edits of `schema.prisma` that belong to it.

use std::fmt::Write as _;
use tenancy_config::CommandRef;

use tenant_rls::Template;

use crate::plan::PlanReport;
use crate::plan::script::{one_line, statement_text};
use crate::plan::step::Execution;
use crate::plan::unseen::show_unseen;

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
    /// The plan as a Prisma migration; none where no step is left.
    pub fn prisma_migration(&self) -> Option<PrismaMigration> {
        if self.steps.is_empty() {
            return None;
        }
        let (mut statements, mut edits) = (String::new(), String::new());
        // Writing to a String cannot fail.
        let _ = self.write_migration(&mut statements);
        let _ = self.write_edits(&mut edits);
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
            writeln!(out, "-- Left out: {name}: {}", one_line(&table.stopped_by.join("; ")))?;
        }
        for sql in &self.every_role {
            let role = Template::new(include_str!("../../../../sql/rls-rollout/migrate_role.sql"))
                .fragment("role", sql.clone())
                .build();
            writeln!(out, "\n{}", statement_text(&role))?;
        }
        for step in &self.steps {
            if step.how == Execution::Transaction {
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

    fn write_edits(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "# Edits of schema.prisma that belong to this migration\n")?;
        writeln!(
            out,
            "Without them the next `prisma db push` or `migrate dev` takes constraints and indexes away. Tables and columns are \
             named as in the database; `@@map` and `@map` may have given model and field other names.\n"
        )?;
        for edit in &self.schema_edits {
            writeln!(out, "- `{}`, column `{}`", one_line(&edit.table.to_string()), one_line(edit.column.as_str()))?;
            for line in edit.lines() {
                writeln!(out, "  - {}", one_line(&line))?;
            }
        }
        Ok(())
    }
}

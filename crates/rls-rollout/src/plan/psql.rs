//! A plan as a script for psql.

use std::fmt::Write as _;

use tenancy_config::CommandRef;
use tenant_rls::Template;

use crate::declared_login::report::PlannedLogin;
use crate::options::Goal;
use crate::plan::PlanReport;
use crate::plan::script::{one_line, statement_text};
use crate::plan::step::{Execution, Step};
use crate::plan::unseen::show_unseen;
use crate::stop::sentences;

impl PlanReport {
    /// Whether something stops a table of the plan, or is found beside them.
    pub fn has_findings(&self) -> bool {
        let of_tables = self.coverage.has_findings() || !self.not_added.is_empty();
        of_tables && self.goal != Goal::Logins
            || self.tables.iter().any(|table| !table.stopped_by.is_empty())
            || self.logins.iter().any(|login| !login.stopped_by.is_empty())
    }

    /// The plan as a script for psql. It does what a rollout does, without its journal, its retries and its audit.
    pub fn script(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_script(&mut out);
        show_unseen(&out)
    }

    fn write_script(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "-- Row level security for database {}, as far as `{}`.", one_line(&self.database), self.goal)?;
        writeln!(
            out,
            "-- Run it with psql, not in one transaction. A statement that fails on its lock timeout has changed nothing: run"
        )?;
        writeln!(
            out,
            "-- the script again. It keeps no journal: `{}` knows nothing of what it did.",
            CommandRef::RlsRollback
        )?;
        writeln!(out, "\\set ON_ERROR_STOP on")?;
        self.write_edits_of_added(out)?;
        for notice in &self.notices {
            writeln!(out, "-- Note: {}", one_line(&notice.to_string()))?;
        }
        for table in &self.tables {
            let name = one_line(&table.table.to_string());
            for replaced in &table.replaces {
                writeln!(out, "-- {name}: {}", one_line(&replaced.to_string()))?;
            }
            if let Some(key) = &table.foreign_key {
                writeln!(out, "-- {name}: {}", one_line(&key.to_string()))?;
            }
            if let Some(through) = &table.through {
                writeln!(out, "-- {name}: {}", one_line(&through.to_string()))?;
            }
            if let Some(added) = &table.added {
                writeln!(out, "-- {name}: {}", one_line(&added.to_string()))?;
            }
        }
        for table in &self.not_added {
            writeln!(out, "-- No column: {}: {}", one_line(&table.table.to_string()), one_line(&table.sentence()))?;
        }
        if !self.to_declare.is_empty() {
            writeln!(out, "-- For every rollout and backfill from then on, in tenancy.toml:")?;
        }
        for line in self.to_declare.iter().flat_map(|section| section.lines()) {
            writeln!(out, "--   {}", one_line(line))?;
        }
        for table in self.tables.iter().filter(|table| !table.stopped_by.is_empty()) {
            let name = one_line(&table.table.to_string());
            writeln!(out, "-- Left out: {name}: {}", one_line(&sentences(&table.stopped_by)))?;
        }
        if !self.roles.is_empty() {
            writeln!(out, "\n-- The roles as which audits and backfills go on. They belong to the whole cluster.")?;
            for statement in &self.roles {
                writeln!(out, "{statement};")?;
            }
        }
        self.logins.iter().try_for_each(|login| write_login(login, out))?;
        for step in &self.steps {
            self.write_step(out, step)?;
        }
        self.write_left(out)
    }

    /// What is taken last from roles that are named no more.
    fn write_left(&self, out: &mut String) -> std::fmt::Result {
        for left in &self.left {
            let role = one_line(left.left.role.as_str());
            for altered in &left.left.altered {
                writeln!(
                    out,
                    "\n-- Somebody changed {}, which a rollout made for {role}: it stays.",
                    one_line(altered)
                )?;
            }
            if !left.statements.is_empty() {
                writeln!(out, "\n-- The role {role}, which tenancy.toml names no more.")?;
            }
            left.statements.iter().try_for_each(|statement| writeln!(out, "{statement};"))?;
        }
        Ok(())
    }

    /// What `schema.prisma` must say before a column is added.
    fn write_edits_of_added(&self, out: &mut String) -> std::fmt::Result {
        let edits = self.schema_edits.iter().filter(|edit| edit.added.is_some());
        let lines: Vec<String> = edits
            .flat_map(|edit| match &self.schema_prisma {
                None => edit.lines_of_added(None),
                Some(schema) => {
                    let model = schema.of_table(edit.table.schema().as_str(), edit.table.name().as_str());
                    model.map(|model| edit.changes(model, schema)).unwrap_or_default()
                }
            })
            .collect();
        if lines.is_empty() {
            return Ok(());
        }
        let first = match &self.schema_prisma {
            Some(_) => "-- First in schema.prisma, or the next `prisma db push` takes it away again:",
            None => {
                "-- If the application has a schema.prisma, first there, or the next `prisma db push` takes it away again:"
            }
        };
        writeln!(out, "{first}")?;
        lines.iter().try_for_each(|line| writeln!(out, "--   {}", one_line(line)))
    }

    fn write_step(&self, out: &mut String, step: &Step) -> std::fmt::Result {
        let lock = step.lock;
        writeln!(out, "\n-- {} ({}): {}", one_line(&step.table.to_string()), step.phase, step.name)?;
        match lock.mode() {
            None if step.how == Execution::Backfill => writeln!(
                out,
                "-- no lock on the table, only on its rows; `{}` does it in short batches, as a backfill with its journal",
                CommandRef::RlsRollout
            )?,
            Some(mode) => writeln!(out, "-- {mode}; waits for {}", lock.waits_for())?,
            None => writeln!(out, "-- no lock on the table")?,
        }
        if step.how == Execution::Transaction || step.how == Execution::Backfill {
            let begin = Template::new(include_str!("../../../../sql/rls-rollout/begin_step.sql"))
                .literal("lock_timeout", &format!("{}ms", self.lock_timeout_ms))
                .build();
            writeln!(out, "{}", statement_text(&begin))?;
            for statement in &step.statements {
                writeln!(out, "{};", statement_text(&statement.sql))?;
            }
            return writeln!(out, "COMMIT;");
        }
        writeln!(out, "SET lock_timeout = 0;")?;
        for statement in &step.statements {
            writeln!(out, "{};", statement_text(&statement.sql))?;
        }
        Ok(())
    }
}

/// A declared login. A script has no password.
fn write_login(login: &PlannedLogin, out: &mut String) -> std::fmt::Result {
    let (role, purpose) = (one_line(login.role.as_str()), &login.purpose);
    if !login.stopped_by.is_empty() {
        return writeln!(out, "-- Left out: {purpose} as {role}: {}", one_line(&sentences(&login.stopped_by)));
    }
    if login.statements.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n-- The login of {purpose}. It belongs to the whole cluster.")?;
    if login.makes_role {
        writeln!(
            out,
            "-- `{}` gives it a random password, in a file; by hand, after this: \\password {role}",
            CommandRef::RlsRollout
        )?;
    }
    login.statements.iter().try_for_each(|statement| writeln!(out, "{statement};"))
}

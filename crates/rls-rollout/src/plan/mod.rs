//! What a rollout would do, statement by statement: for people to read, and as a script to run by hand.

pub(crate) mod alter;
pub(crate) mod backup_logins;
pub(crate) mod gate;
pub(crate) mod grants;
pub(crate) mod prisma;
pub(crate) mod schema_edit;
pub(crate) mod script;
pub(crate) mod snapshot;
pub(crate) mod step;
pub(crate) mod steps;
pub(crate) mod unseen;

use std::fmt::Write as _;

use serde::Serialize;
use tenancy_config::{CommandRef, TableName, Tenancy, milliseconds};
use tenant_inventory::{AspectKind, Inventory, Phase, Relation};
use tenant_rls::{Database, PolicyForm, Sql, Template};

use crate::error::Result;
use crate::options::RolloutOptions;
use crate::plan::schema_edit::SchemaEdit;
use crate::plan::script::{one_line, statement_text};
use crate::plan::step::{Execution, Step};
use crate::plan::steps::StepBuilder;
use crate::plan::unseen::show_unseen;
use crate::state::State;

/// What a rollout would do; its JSON is `rls-plan/1`.
#[derive(Debug, Clone, Serialize)]
pub struct PlanReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The database's name.
    pub database: String,
    /// How far it is to go.
    pub goal: &'static str,
    /// Statements that make the roles, first of all.
    pub roles: Vec<String>,
    /// The tables and partitions, and what stops them because of the catalog. `audit` tells what stops them because of their rows.
    pub tables: Vec<PlannedTable>,
    /// The steps, in the order in which they would run.
    pub steps: Vec<Step>,
    /// How long each exclusive lock is waited for, in milliseconds.
    pub lock_timeout_ms: u64,
    /// What changes for the application.
    pub notices: Vec<String>,
    /// What `schema.prisma` must say of each table that is not left out.
    pub schema_edits: Vec<SchemaEdit>,
    /// Statements that make the roles wherever they are missing.
    #[serde(skip)]
    pub(crate) every_role: Vec<Sql>,
}

/// One table of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedTable {
    /// The table, or a partition of one.
    pub table: TableName,
    /// How far it is.
    pub phase: Phase,
    /// What stops it from reaching the goal because of the catalog.
    pub stopped_by: Vec<String>,
}

/// Plans a rollout from what the catalog says now; it reads no rows and writes nothing.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn plan(database: &Database, tenancy: &Tenancy, options: &RolloutOptions) -> Result<PlanReport> {
    let state = State::for_rollout(database, tenancy, options).await?;
    let inventory = &state.inventory;
    let mut planned = grants::tenant_table(database, &state).await?;
    // Before the first table is forced.
    let mut others = grants::other_tables(database, &state).await?;
    let mut predicted = inventory.relations.clone();
    let mut stops: Vec<Vec<String>> = vec![Vec::new(); predicted.len()];
    for phase in Phase::ROLLED_OUT.into_iter().filter(|phase| options.goal.wants(*phase)) {
        for (relation, stopped_by) in predicted.iter_mut().zip(&mut stops) {
            if inventory.phase(relation) >= phase || !stopped_by.is_empty() {
                continue;
            }
            let builder = StepBuilder { state: &state, relation, style: options.style() };
            stopped_by.extend(gate::catalog(inventory, relation, phase, builder.style));
            if stopped_by.is_empty() {
                if phase == Phase::Enforce {
                    planned.append(&mut others);
                }
                planned.extend(builder.steps(phase)?);
                let form = builder.first_form();
                predict(inventory, relation, phase, form);
            }
        }
    }
    let mut make = Vec::new();
    for (role, facts) in [&inventory.logins.maintenance, &inventory.logins.auditor] {
        make.extend(grants::statements(database, role, facts)?.iter().map(|sql| sql.as_str().to_owned()));
    }
    let not_left_out = predicted.iter().zip(&stops).filter(|(_, stopped_by)| stopped_by.is_empty());
    let schema_edits = not_left_out.filter_map(|(relation, _)| schema_edit::edit(relation, &planned)).collect();
    let table = |(relation, stopped_by): (&Relation, Vec<String>)| PlannedTable {
        table: relation.name.clone(),
        phase: inventory.phase(relation),
        stopped_by,
    };
    Ok(PlanReport {
        schema: "rls-plan/1",
        database: database.session().database.clone(),
        goal: options.goal.as_str(),
        roles: make,
        tables: inventory.relations.iter().zip(stops).map(table).collect(),
        notices: notices(&planned, inventory, &backup_logins::backup_logins(database, inventory).await?),
        steps: planned,
        schema_edits,
        every_role: [&inventory.logins.maintenance, &inventory.logins.auditor]
            .map(|(role, _)| schema_edit::role(role))
            .into(),
        lock_timeout_ms: milliseconds(options.lock_retry.lock_timeout),
    })
}

/// Changes a relation to what it will be after a phase, as far as the steps of the next phase depend on it.
fn predict(inventory: &Inventory, relation: &mut Relation, phase: Phase, form: PolicyForm) {
    let policy = &inventory.tenancy.session.policy;
    match phase {
        Phase::None => {}
        Phase::Prepare => {
            relation.tenant_index = true;
            relation.definition.expect_policy(policy, relation.comparison.printed(form).swap_remove(0));
            relation.definition.expect(AspectKind::RowSecurity, String::new());
            relation.definition.expect(AspectKind::Default, relation.comparison.printed_default());
        }
        Phase::Tighten => {
            relation.never_null |= !relation.platform_rows;
            relation.foreign_key_valid = true;
            let form = if relation.platform_rows { PolicyForm::Platform } else { PolicyForm::Strict };
            relation.definition.expect_policy(policy, relation.comparison.printed(form).swap_remove(0));
        }
        Phase::Enforce => relation.definition.expect(AspectKind::Forced, String::new()),
    }
}

fn notices(steps: &[Step], inventory: &Inventory, backup_logins: &[String]) -> Vec<String> {
    let any = |phase| steps.iter().any(|step| step.phase == phase);
    let mut notices = Vec::new();
    if any(Phase::Prepare) {
        notices.push(format!(
            "from `prepare` on, a session sees the rows of the tenant in {} and those without one; where it sets none, only the latter",
            inventory.tenancy.session.variable
        ));
    }
    if any(Phase::Tighten) {
        notices.push(
            "`tighten` runs only where an audit finds no row that it would hide. From then on, inserts that set no tenant fail"
                .to_owned(),
        );
    }
    if any(Phase::Enforce) {
        notices.push(backup_logins::notice(backup_logins, inventory));
    }
    notices
}

impl PlanReport {
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
        for notice in &self.notices {
            writeln!(out, "-- Note: {}", one_line(notice))?;
        }
        for table in self.tables.iter().filter(|table| !table.stopped_by.is_empty()) {
            let name = one_line(&table.table.to_string());
            writeln!(out, "-- Left out: {name}: {}", one_line(&table.stopped_by.join("; ")))?;
        }
        if !self.roles.is_empty() {
            writeln!(out, "\n-- The roles as which audits and backfills go on. They belong to the whole cluster.")?;
            for statement in &self.roles {
                writeln!(out, "{statement};")?;
            }
        }
        for step in &self.steps {
            self.write_step(out, step)?;
        }
        Ok(())
    }

    pub(crate) fn write_step(&self, out: &mut String, step: &Step) -> std::fmt::Result {
        let lock = step.lock;
        writeln!(out, "\n-- {} ({}): {}", one_line(&step.table.to_string()), step.phase, step.name)?;
        match lock.mode() {
            Some(mode) => writeln!(out, "-- {mode}; waits for {}", lock.waits_for())?,
            None => writeln!(out, "-- no lock on the table")?,
        }
        if step.how == Execution::Transaction {
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

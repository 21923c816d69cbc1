//! Triggers that would fire. A backfill changes the tenant column and nothing else, so each of them must have been allowed.

use std::fmt;

use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenancy_config::{TableName, Tenancy, closest};
use tenant_rls::{ActingRole, Error as RlsError};

use crate::{BackfillPlan, Error, Result};

/// A trigger that stands for UPDATE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The function that it runs, with its schema.
    pub function: String,
    /// `before` or `after`.
    pub timing: String,
    /// Once a row; else once a statement, which is once for each tenant of a batch.
    pub each_row: bool,
    /// How it is enabled, as `pg_trigger.tgenabled` has it: O origin, D disabled, R replica, A always.
    pub enabled: String,
    /// Only where its WHEN holds.
    pub conditional: bool,
    /// The function runs with its owner's rights; else with those of the role that writes.
    pub security_definer: bool,
    /// It fires where the tenant column is written.
    pub fires: bool,
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, function, timing, .. } = self;
        let each = if self.each_row { "row" } else { "statement" };
        let when = if self.conditional { ", where its WHEN holds" } else { "" };
        write!(f, "the trigger {name} fires {timing} each {each}{when}, and runs {function}")
    }
}

/// Triggers that would fire and that nobody allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedTriggers {
    /// The table.
    pub table: TableName,
    /// The triggers, at least one.
    pub triggers: Vec<Trigger>,
    /// The key of the table's section in `tenancy.toml`.
    pub section: String,
    /// Those that are allowed already.
    pub allowed: Vec<String>,
    /// The role whose rights they run with, where it is not the login's.
    pub acts_as: Option<String>,
}

impl fmt::Display for RefusedTriggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let triggers: Vec<String> = self.triggers.iter().map(ToString::to_string).collect();
        let triggers = triggers.join("; ");
        write!(f, "writing to {} would fire what tenancy.toml does not allow: {triggers}", self.table)
    }
}

impl RefusedTriggers {
    /// The line that allows them, and what else is to be thought of.
    pub(crate) fn hint(&self) -> String {
        let names = self.allowed.iter().chain(self.triggers.iter().map(|trigger| &trigger.name));
        let names: Vec<String> = names.map(|name| format!("{name:?}")).collect();
        let rights = self.acts_as.as_ref().map_or(String::new(), |role| {
            format!(
                "; it runs with the rights of {role}: where it writes to other tables, that role needs rights on these"
            )
        });
        let (section, names) = (&self.section, names.join(", "));
        format!("where that is meant, tenancy.toml says so: [tables.{section}] allow_triggers = [{names}]{rights}")
    }
}

pub(super) async fn find(connection: &mut PgConnection, plan: &BackfillPlan) -> Result<Vec<Trigger>> {
    let rows = sqlx::query(include_str!("../../../../sql/backfill/preflight_triggers.sql"))
        .bind(plan.table.schema().as_str())
        .bind(plan.table.name().as_str())
        .bind(plan.column.as_str())
        .fetch_all(connection)
        .await
        .map_err(RlsError::query(format!("looking for triggers of {}", plan.table)))?;
    let trigger = |row: sqlx::postgres::PgRow| Trigger {
        name: row.get(0),
        function: row.get(1),
        timing: row.get(2),
        each_row: row.get(3),
        enabled: row.get(4),
        conditional: row.get(5),
        security_definer: row.get(6),
        fires: row.get(7),
    };
    Ok(rows.into_iter().map(trigger).collect())
}

/// Refuses triggers that `tenancy.toml` does not allow, and names in it that the table does not have: somebody meant another one.
pub(super) fn check(triggers: &[Trigger], plan: &BackfillPlan, tenancy: &Tenancy, role: &ActingRole) -> Result<()> {
    let allowed = tenancy.rules(&plan.table).map_or(&[][..], |rules| &rules.allow_triggers);
    for name in allowed {
        if !triggers.iter().any(|trigger| trigger.name == *name) {
            let known = triggers.iter().map(|trigger| trigger.name.as_str());
            let closest = closest(name, known).map(str::to_owned);
            return Err(Error::UnknownTrigger { table: plan.table.clone(), trigger: name.clone(), closest });
        }
    }
    let refused = |trigger: &&Trigger| trigger.fires && !allowed.contains(&trigger.name);
    let refused: Vec<Trigger> = triggers.iter().filter(refused).cloned().collect();
    if refused.is_empty() {
        return Ok(());
    }
    let acts_as = role.assumed().filter(|_| refused.iter().any(|trigger| !trigger.security_definer));
    Err(Error::Triggers(Box::new(RefusedTriggers {
        table: plan.table.clone(),
        triggers: refused,
        section: section(plan, tenancy),
        allowed: allowed.to_vec(),
        acts_as: acts_as.map(str::to_owned),
    })))
}

/// The key of the table's section: as it stands in the file, else as short as it can be, in quotes where TOML wants them.
fn section(plan: &BackfillPlan, tenancy: &Tenancy) -> String {
    let (table, schema) = (&plan.table, &tenancy.database.schema);
    let same = |name: &&String| TableName::parse(name, schema).is_ok_and(|parsed| parsed == *table);
    let short = || if table.schema().as_str() == schema { table.name().to_string() } else { table.to_string() };
    let name = tenancy.tables.keys().find(same).cloned().unwrap_or_else(short);
    let bare = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if bare { name } else { format!("{name:?}") }
}

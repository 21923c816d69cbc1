//! Rules ON UPDATE. The server puts what they do into the statement of a batch, so `tenancy.toml` must allow each of them.

use sqlx::{PgConnection, Row};
use tenancy_config::{Tenancy, closest};
use tenant_rls::Error as RlsError;

use crate::error::{Error, Result};
use crate::finding::{RefusedRules, Rule};
use crate::plan::BackfillPlan;
use crate::preflight::triggers::section;
use crate::preflight::write::Write;

pub(super) async fn find(connection: &mut PgConnection, plan: &BackfillPlan, write: Write) -> Result<Vec<Rule>> {
    let rows = sqlx::query(include_str!("../../../../sql/backfill-engine/preflight_rules.sql"))
        .bind(plan.table.schema().as_str())
        .bind(plan.table.name().as_str())
        .bind(event(write))
        .fetch_all(connection)
        .await
        .map_err(RlsError::query(format!("looking for rules of {}", plan.table)))?;
    let rule = |row: sqlx::postgres::PgRow| Rule {
        name: row.get("name"),
        instead: row.get("instead"),
        definition: row.get("definition"),
    };
    Ok(rows.into_iter().map(rule).collect())
}

/// The event in `pg_rewrite.ev_type`.
fn event(write: Write) -> &'static str {
    match write {
        Write::Update => "2",
        Write::Insert => "3",
        Write::Delete => "4",
    }
}

/// Refuses rules that `tenancy.toml` does not allow, and allowed names that the table does not have.
pub(super) fn check(rules: &[Rule], (plan, write): (&BackfillPlan, Write), tenancy: &Tenancy) -> Result<()> {
    let allowed = tenancy.rules(&plan.table).map_or(&[][..], |rules| &rules.allow_rules);
    let unknown = |name: &&String| write == Write::Update && rules.iter().all(|rule| rule.name != **name);
    if let Some(name) = allowed.iter().find(unknown) {
        let closest = closest(name, rules.iter().map(|rule| rule.name.as_str())).map(str::to_owned);
        return Err(Error::UnknownRule { table: plan.table.clone(), rule: name.clone(), closest });
    }
    let refused: Vec<Rule> = rules.iter().filter(|rule| !allowed.contains(&rule.name)).cloned().collect();
    if refused.is_empty() {
        return Ok(());
    }
    let (table, section) = (plan.table.clone(), section(plan, tenancy));
    Err(Error::Rules(Box::new(RefusedRules { table, rules: refused, section, allowed: allowed.to_vec() })))
}

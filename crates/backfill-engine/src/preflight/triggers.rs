//! Triggers that would fire. A backfill changes the tenant column and nothing else, so `tenancy.toml` must allow each
//! of them.

use sqlx::{PgConnection, Row};
use tenancy_config::{TableName, Tenancy, closest};
use tenant_rls::{ActingRole, Error as RlsError};

use crate::error::{Error, Result};
use crate::finding::{RefusedTriggers, Trigger};
use crate::plan::BackfillPlan;
use crate::preflight::write::Write;

pub(super) async fn find(connection: &mut PgConnection, plan: &BackfillPlan, write: Write) -> Result<Vec<Trigger>> {
    let rows = sqlx::query(include_str!("../../../../sql/backfill-engine/preflight_triggers.sql"))
        .bind(plan.table.schema().as_str())
        .bind(plan.table.name().as_str())
        .bind(plan.column.as_str())
        .bind(event(write))
        .fetch_all(connection)
        .await
        .map_err(RlsError::query(format!("looking for triggers of {}", plan.table)))?;
    let trigger = |row: sqlx::postgres::PgRow| Trigger {
        name: row.get("name"),
        function: row.get("function"),
        timing: row.get("timing"),
        each_row: row.get("each_row"),
        enabled: row.get("enabled"),
        conditional: row.get("conditional"),
        security_definer: row.get("security_definer"),
        fires: row.get("fires"),
    };
    Ok(rows.into_iter().map(trigger).collect())
}

/// The bit of the event in `pg_trigger.tgtype`.
fn event(write: Write) -> i32 {
    match write {
        Write::Insert => 4,
        Write::Delete => 8,
        Write::Update => 16,
    }
}

/// Refuses triggers that `tenancy.toml` does not allow, and allowed names that the table does not have.
pub(super) fn check(
    triggers: &[Trigger],
    (plan, write): (&BackfillPlan, Write),
    tenancy: &Tenancy,
    role: &ActingRole,
) -> Result<()> {
    let allowed = tenancy.rules(&plan.table).map_or(&[][..], |rules| &rules.allow_triggers);
    // The names are for updates too, which have other triggers.
    for name in allowed.iter().filter(|_| write == Write::Update) {
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

/// The key of the table's section: as the file spells it, otherwise as short as possible, quoted if TOML requires it.
pub(super) fn section(plan: &BackfillPlan, tenancy: &Tenancy) -> String {
    let (table, schema) = (&plan.table, &tenancy.database.schema);
    let same = |name: &&String| TableName::parse(name, schema).is_ok_and(|parsed| parsed == *table);
    let short = || if table.schema().as_str() == schema { table.name().to_string() } else { table.to_string() };
    let name = tenancy.tables.keys().find(same).cloned().unwrap_or_else(short);
    let bare = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if bare { name } else { format!("{name:?}") }
}

//! What is looked at before the first row: what would surely fail or do more than was asked for, and what the run will cost.

mod replication;
mod space;
mod triggers;
mod unique;
mod unique_statement;

use serde::Serialize;
use tenant_rls::{ActingRole, OwnerTx};

use crate::{Backfill, Result};

pub use replication::{IdleSlot, Replication};
pub use space::Space;
pub use triggers::{RefusedTriggers, Trigger};
pub(crate) use unique::leaving_out;
pub use unique::{UncheckedIndex, UniqueViolation, UniqueViolations};

/// How long a look at the catalog waits for a lock: it takes none that anybody holds for long.
const LOCK_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// What was found before the first row.
#[derive(Debug, Clone, Serialize)]
pub struct Preflight {
    /// Triggers that stand for UPDATE on the table.
    pub triggers: Vec<Trigger>,
    /// Publications that publish what is written.
    pub publications: Vec<String>,
    /// Rows that are left out, as the tenant that they are to get would break a unique key.
    pub unique_breaks: Vec<UniqueViolations>,
    /// Unique keys that could not be looked at; rows that break them are refused by the table.
    pub unchecked_keys: Vec<UncheckedIndex>,
    /// What it will cost; nobody knows before the table's first ANALYZE.
    pub space: Option<Space>,
    /// Who will have to follow.
    pub replication: Replication,
}

impl Preflight {
    /// Looks at everything, for `assignable` rows to be written as `role`.
    ///
    /// # Errors
    /// [`crate::Error::Triggers`], [`crate::Error::UnknownTrigger`], [`crate::Error::NoReplicaIdentity`] and [`crate::Error::TooManyUniqueBreaks`], where nothing
    /// must be written; [`crate::Error::Database`].
    pub async fn look(backfill: &Backfill<'_>, role: &ActingRole, assignable: u64) -> Result<Self> {
        let &Backfill { database, tenancy, plan, options, .. } = backfill;
        let mut tx = OwnerTx::begin(database, LOCK_TIMEOUT).await?;
        let triggers = triggers::find(tx.connection(), plan).await?;
        triggers::check(&triggers, plan, tenancy, role)?;
        let publications = replication::publications(tx.connection(), plan).await?;
        let space = space::estimate(tx.connection(), plan, assignable).await?;
        let replication = replication::look(tx.connection()).await?;
        tx.rollback().await?;
        let (unique_breaks, unchecked_keys) = unique::find(database, tenancy, plan, options.on_conflict).await?;
        Ok(Self { triggers, publications, unique_breaks, unchecked_keys, space, replication })
    }

    /// The keys of rows that are left out, each once, in order.
    pub fn left_out(&self) -> Vec<String> {
        let rows = self.unique_breaks.iter().flat_map(|breaks| &breaks.rows);
        let keys: std::collections::BTreeSet<&String> = rows.map(|row| &row.key).collect();
        keys.into_iter().cloned().collect()
    }

    /// What people should know before the run, a sentence each.
    pub fn says(&self) -> Vec<String> {
        let triggers = self.triggers.iter().filter(|trigger| trigger.fires).map(ToString::to_string);
        let breaks = self.unique_breaks.iter().map(ToString::to_string);
        let unchecked = self.unchecked_keys.iter().map(ToString::to_string);
        let space = self.space.iter().map(ToString::to_string);
        let replication = self.replication.says(self.space.as_ref().map(|space| space.wal_bytes));
        triggers.chain(breaks).chain(unchecked).chain(space).chain(replication).collect()
    }
}

/// Bytes as people read them, in the decimal units of disks.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let step = |(value, at): (f64, usize)| (value >= 1000.0 && at + 1 < UNITS.len()).then(|| (value / 1000.0, at + 1));
    let (value, at) = std::iter::successors(Some((bytes as f64, 0)), |so_far| step(*so_far)).last().unwrap_or_default();
    if at == 0 || value >= 10.0 { format!("{value:.0} {}", UNITS[at]) } else { format!("{value:.1} {}", UNITS[at]) }
}

/// One row of a table whose rows are counted in `bigint`.
pub(crate) fn number(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

/// Names for a sentence.
pub(crate) fn listed<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn bytes_have_the_unit_that_matters() {
        let cases =
            [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 kB"), (399_000_000, "399 MB"), (1_500_000_000, "1.5 GB")];
        for (number, text) in cases {
            assert_eq!(bytes(number), text);
        }
    }
}

//! Checks before the first row: what would surely fail, what would do more than was asked for, and what the run will
//! cost.

mod replication;
mod rules;
pub(crate) mod side_effects;
mod space;
mod triggers;
mod unique;
mod unique_index;
pub(crate) mod write;

use serde::Serialize;
use tenancy_config::Tenancy;
use tenant_rls::{ActingRole, CATALOG_LOCK_TIMEOUT, Database, OwnerTx};

use crate::error::Result;
use crate::finding::{Rule, Trigger};
use crate::options::OnConflict;
use crate::plan::BackfillPlan;
use crate::preflight::side_effects::SideEffects;

pub use replication::{IdleSlot, Replication};
pub use space::Space;
pub use unique::{UncheckedIndex, UniqueViolation, UniqueViolations};

/// What the checks found.
#[derive(Debug, Clone, Serialize)]
pub struct Preflight {
    /// Triggers for UPDATE on the table.
    pub triggers: Vec<Trigger>,
    /// Rules ON UPDATE on the table.
    pub rules: Vec<Rule>,
    /// Publications that publish the updates.
    pub publications: Vec<String>,
    /// Rows that are left out, as their tenant would break a unique key.
    pub unique_breaks: Vec<UniqueViolations>,
    /// Unique keys that could not be checked. The table refuses rows that break them.
    pub unchecked_keys: Vec<UncheckedIndex>,
    /// An estimate of the cost; none before the first ANALYZE of the table.
    pub space: Option<Space>,
    /// Standbys and slots that must follow.
    pub replication: Replication,
}

impl Preflight {
    /// Runs all checks, for `assignable` rows that `role` will write.
    ///
    /// # Errors
    /// [`Error::Unhandled`](crate::Error::Unhandled), [`Error::Triggers`](crate::Error::Triggers),
    /// [`Error::UnknownTrigger`](crate::Error::UnknownTrigger), [`Error::Rules`](crate::Error::Rules),
    /// [`Error::UnknownRule`](crate::Error::UnknownRule),
    /// [`Error::NoReplicaIdentity`](crate::Error::NoReplicaIdentity) and
    /// [`Error::TooManyUniqueBreaks`](crate::Error::TooManyUniqueBreaks), if nothing must be written;
    /// [`Error::Database`](crate::Error::Database) if the database cannot be read.
    pub async fn inspect(
        database: &Database,
        tenancy: &Tenancy,
        plan: &BackfillPlan,
        on_conflict: OnConflict,
        role: &ActingRole,
        assignable: u64,
    ) -> Result<Self> {
        let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
        let SideEffects { triggers, rules } = side_effects::find(tx.connection(), tenancy, plan, role).await?;
        let publications = replication::publications(tx.connection(), plan).await?;
        let space = space::estimate(tx.connection(), plan, assignable).await?;
        let replication = replication::inspect(tx.connection()).await?;
        tx.rollback().await?;
        let (unique_breaks, unchecked_keys) = unique::find(database, tenancy, plan, on_conflict).await?;
        Ok(Self { triggers, rules, publications, unique_breaks, unchecked_keys, space, replication })
    }

    /// The keys of the rows that are left out, sorted and without duplicates.
    pub fn left_out(&self) -> Vec<String> {
        let rows = self.unique_breaks.iter().flat_map(|breaks| &breaks.rows);
        let keys: std::collections::BTreeSet<&String> = rows.map(|row| &row.key).collect();
        keys.into_iter().cloned().collect()
    }

    /// What people should know before the run, one sentence each.
    pub fn says(&self) -> Vec<String> {
        let triggers = self.triggers.iter().filter(|trigger| trigger.fires).map(ToString::to_string);
        let rules = self.rules.iter().map(ToString::to_string);
        let breaks = self.unique_breaks.iter().map(ToString::to_string);
        let unchecked = self.unchecked_keys.iter().map(ToString::to_string);
        let space = self.space.iter().map(ToString::to_string);
        let replication = self.replication.says(self.space.as_ref().map(|space| space.wal_bytes));
        triggers.chain(rules).chain(breaks).chain(unchecked).chain(space).chain(replication).collect()
    }
}

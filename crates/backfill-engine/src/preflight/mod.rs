//! What is looked at before the first row: what would surely fail or do more than was asked for, and what the run will cost.

mod replication;
mod space;
mod triggers;
mod unique;
mod unique_index;

use serde::Serialize;
use tenancy_config::Tenancy;
use tenant_rls::{ActingRole, Database, OwnerTx};

use crate::error::Result;
use crate::finding::Trigger;
use crate::options::{CATALOG_LOCK_TIMEOUT, OnConflict};
use crate::plan::BackfillPlan;

pub use replication::{IdleSlot, Replication};
pub use space::Space;
pub use unique::{UncheckedIndex, UniqueViolation, UniqueViolations};

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
    /// [`crate::error::Error::Triggers`], [`crate::error::Error::UnknownTrigger`], [`crate::error::Error::NoReplicaIdentity`] and [`crate::error::Error::TooManyUniqueBreaks`], where nothing
    /// must be written; [`crate::error::Error::Database`].
    pub async fn inspect(
        database: &Database,
        tenancy: &Tenancy,
        plan: &BackfillPlan,
        on_conflict: OnConflict,
        role: &ActingRole,
        assignable: u64,
    ) -> Result<Self> {
        let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
        let triggers = triggers::find(tx.connection(), plan).await?;
        triggers::check(&triggers, plan, tenancy, role)?;
        let publications = replication::publications(tx.connection(), plan).await?;
        let space = space::estimate(tx.connection(), plan, assignable).await?;
        let replication = replication::inspect(tx.connection()).await?;
        tx.rollback().await?;
        let (unique_breaks, unchecked_keys) = unique::find(database, tenancy, plan, on_conflict).await?;
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

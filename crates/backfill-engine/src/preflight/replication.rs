//! Standbys, slots and publications that must follow the writes.

use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenant_rls::Error as RlsError;

use crate::error::{Error, Result};
use crate::format::{bytes, listed};
use crate::plan::BackfillPlan;
use tenant_rls::row_count::from_bigint;

/// Standbys, slots, and the WAL that the server keeps for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replication {
    /// Standbys, and readers of logical replication.
    pub standbys: u64,
    /// Standbys whose lag this login may not read.
    pub hidden_standbys: u64,
    /// Slots with a reader.
    pub active_slots: u64,
    /// Slots without a reader. The server keeps all WAL for them, and the run adds to it.
    pub idle_slots: Vec<IdleSlot>,
    /// The most WAL that the server keeps for a slot, in bytes (`max_slot_wal_keep_size`); none if there is no limit.
    pub slot_limit_bytes: Option<u64>,
    /// The WAL that the server keeps for standbys without a slot, in bytes (`wal_keep_size`).
    pub kept_bytes: u64,
}

/// A slot without a reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdleSlot {
    /// Its name.
    pub name: String,
    /// The WAL that the server keeps for it, in bytes.
    pub bytes: u64,
}

pub(super) async fn inspect(connection: &mut PgConnection) -> Result<Replication> {
    let row = sqlx::query(include_str!("../../../../sql/backfill-engine/preflight_replication.sql"))
        .fetch_one(connection)
        .await
        .map_err(RlsError::query("asking who follows the WAL"))?;
    let (names, sizes): (Vec<String>, Vec<i64>) = (row.get("idle_slots"), row.get("idle_slot_bytes"));
    Ok(Replication {
        standbys: from_bigint(row.get("standbys")),
        hidden_standbys: from_bigint(row.get("hidden_standbys")),
        active_slots: from_bigint(row.get("active_slots")),
        idle_slots: names
            .into_iter()
            .zip(sizes)
            .map(|(name, bytes)| IdleSlot { name, bytes: from_bigint(bytes) })
            .collect(),
        slot_limit_bytes: u64::try_from(row.get::<i64, _>("slot_limit")).ok(),
        kept_bytes: from_bigint(row.get("kept_bytes")),
    })
}

impl Replication {
    /// What people should know, if the run writes about `wal` bytes of WAL.
    pub(super) fn says(&self, wal: Option<u64>) -> Vec<String> {
        let mut says = Vec::new();
        for slot in &self.idle_slots {
            let until = match self.slot_limit_bytes {
                Some(limit) => format!("until {} are kept, and then invalidates the slot", bytes(limit)),
                None => "until the disk is full".to_owned(),
            };
            says.push(format!(
                "nobody reads from the slot {}: the server keeps {} of WAL for it and adds to that what the run writes, {until}",
                slot.name,
                bytes(slot.bytes)
            ));
        }
        if let (Some(wal), Some(limit)) = (wal, self.slot_limit_bytes)
            && self.active_slots > 0
            && wal > limit
        {
            says.push(format!(
                "the run writes more WAL than is kept for a slot ({}): a reader that falls behind by that much loses its slot",
                bytes(limit)
            ));
        }
        if let Some(wal) = wal
            && self.standbys > self.active_slots
            && wal > self.kept_bytes
        {
            says.push(format!(
                "{} of {} standbys have no slot, and {} are kept for them: one that falls behind further must be made anew",
                self.standbys - self.active_slots,
                self.standbys,
                bytes(self.kept_bytes)
            ));
        }
        says
    }
}

/// Publications of the table. A published table without a replica identity would refuse every update.
pub(super) async fn publications(connection: &mut PgConnection, plan: &BackfillPlan) -> Result<Vec<String>> {
    let rows = sqlx::query(include_str!("../../../../sql/backfill-engine/preflight_publications.sql"))
        .bind(plan.table.schema().as_str())
        .bind(plan.table.name().as_str())
        .fetch_all(connection)
        .await
        .map_err(RlsError::query(format!("looking for publications of {}", plan.table)))?;
    let found: Vec<(String, bool)> = rows.iter().map(|row| (row.get("publication"), row.get("identified"))).collect();
    let lacking = found.iter().filter(|(_, identified)| !identified).map(|(name, _)| name);
    let lacking = listed(lacking);
    if !lacking.is_empty() {
        return Err(Error::NoReplicaIdentity { table: plan.table.clone(), publications: lacking });
    }
    Ok(found.into_iter().map(|(name, _)| name).collect())
}

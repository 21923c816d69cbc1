//! What this process did so far.

use std::time::Duration;

use tenant_ops::BatchCounts;

use crate::finding::FailedRow;

/// So many rows may refuse before the run stops: then it is no longer about rows.
pub(crate) const MOST_FAILURES: u64 = 100;

/// What the workers of this process did.
#[derive(Debug, Default)]
pub(crate) struct ProcessCounts {
    pub(crate) examined: u64,
    pub(crate) assigned: u64,
    pub(crate) assigned_by: Vec<i64>,
    pub(crate) batches: u64,
    pub(crate) longest: Duration,
    /// Rows that were refused in a dry run; `tenant_ops.refused` has those of a run that stays.
    pub(crate) failed: Vec<FailedRow>,
}

impl ProcessCounts {
    /// Adds a batch.
    pub(crate) fn add(&mut self, counts: &BatchCounts, took: Duration) {
        self.examined += counts.examined;
        self.assigned += counts.assigned;
        self.assigned_by.resize(self.assigned_by.len().max(counts.assigned_by.len()), 0);
        for (sum, rows) in self.assigned_by.iter_mut().zip(&counts.assigned_by) {
            *sum += rows;
        }
        self.batches += 1;
        self.longest = self.longest.max(took);
    }
}

//! The counts of this process.

use std::time::Duration;

use tenant_ops::BatchCounts;

use crate::finding::FailedRow;

/// The number of refused rows at which the run stops, as the cause is then not single rows.
pub(crate) const MOST_FAILURES: u64 = 100;

/// The counts of all workers of this process.
#[derive(Debug, Default)]
pub(crate) struct ProcessCounts {
    pub(crate) examined: u64,
    pub(crate) assigned: u64,
    pub(crate) assigned_by: Vec<i64>,
    pub(crate) batches: u64,
    pub(crate) longest: Duration,
    /// Rows that were refused in a dry run. Those of other runs are in `tenant_ops.refused`.
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

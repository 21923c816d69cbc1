//! What to predict, and how.

use rls_rollout::RolloutOptions;

/// What to predict, and how.
#[derive(Debug, Clone)]
pub struct PredictOptions {
    /// The rollout that is to come.
    pub rollout: RolloutOptions,
    /// How it is found out.
    pub way: PredictWay,
    /// It is agreed that a superuser plans the statements in a trial, whom code that they call could become.
    pub trusts_statements: bool,
    /// From how many times the cost on a statement counts as slower.
    pub slower_than: f64,
}

/// How it is found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PredictWay {
    /// From the catalog and the plans of today.
    Catalog,
    /// By giving the tables their policies, in a transaction that is rolled back.
    Trial,
}

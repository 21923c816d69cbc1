//! What both ways of predicting are given, and what they find out.

use std::collections::BTreeSet;

use rls_rollout::{Stop, Trial, TrialTable};
use tenancy_config::{TableName, Tenancy};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, OwnerTx, StatementFailure};

use crate::catalog::indexes::{Indexes, LeakyNames};
use crate::error::Result;
use crate::lost::Judge;
use crate::options::PredictOptions;
use crate::plan::PlanFacts;
use crate::plan::condition::Clause;
use crate::report::{Change, PlannedAs, WhyNotPlanned};
use crate::statements::Statement;

/// What a way of predicting found out.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) planned_as: PlannedAs,
    pub(crate) tenant: Option<String>,
    pub(crate) planned: usize,
    pub(crate) predictions: Vec<(usize, Change)>,
    pub(crate) not_planned: Vec<(usize, WhyNotPlanned)>,
    /// Why the policies of tables were not tried.
    pub(crate) not_tried: Vec<(TableName, StatementFailure)>,
}

/// What both ways are given.
pub(crate) struct Subject<'a> {
    pub(crate) owner: &'a Database,
    pub(crate) app: &'a Database,
    pub(crate) tenancy: &'a Tenancy,
    pub(crate) options: &'a PredictOptions,
    pub(crate) trial: &'a Trial,
    pub(crate) indexes: &'a Indexes,
    /// The tables that get policies.
    pub(crate) protected: &'a [TableName],
    pub(crate) statements: &'a [Statement],
    /// What of each is planned, where that is not its own text.
    pub(crate) with_prefixes: &'a [Option<String>],
}

/// Whether a trial leaves a table out.
pub(crate) fn is_stopped(table: &TrialTable) -> bool {
    table.stopped_by.iter().any(|stop| matches!(stop, Stop::Unhandled { .. }))
}

/// What these plans name, as far as the catalog must be asked for it by name.
pub(crate) async fn names(owner: &Database, plans: impl Iterator<Item = &PlanFacts>) -> Result<LeakyNames> {
    let (mut functions, mut operators) = (BTreeSet::new(), BTreeSet::new());
    for search in plans.flat_map(|plan| &plan.searches) {
        functions.extend(search.conditions.iter().flat_map(Clause::right_functions));
        functions.extend(search.filters.iter().filter_map(|clause| clause.function.clone()));
        operators.extend(search.filters.iter().filter_map(|clause| clause.operator.clone()));
    }
    let mut tx = OwnerTx::begin(owner, CATALOG_LOCK_TIMEOUT).await?;
    let names = LeakyNames::read(tx.connection(), functions, operators).await?;
    tx.rollback().await?;
    Ok(names)
}

impl<'a> Subject<'a> {
    /// The text of a statement that is planned.
    pub(crate) fn text(&self, at: usize) -> &'a str {
        self.with_prefixes[at].as_deref().unwrap_or(&self.statements[at].text)
    }

    pub(crate) fn judge(&self, names: &'a LeakyNames) -> Judge<'a> {
        Judge { inventory: &self.trial.inventory, indexes: self.indexes, names, protected: self.protected }
    }
}

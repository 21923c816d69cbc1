//! What a rollout gives each table in the end, for who only wants to see what that does: nothing of it is kept.

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{AspectKind, Inventory, Phase, Relation, Way};
use tenant_rls::{Database, PolicyForm, Sql};

use crate::error::Result;
use crate::options::RolloutOptions;
use crate::plan::backup_logins::backup_logins;
use crate::plan::gate;
use crate::plan::measured::{largest_tenant, measure_forms};
use crate::plan::sees_less::sees_less;
use crate::plan::steps::StepBuilder;
use crate::state::RolloutState;
use crate::stop::Stop;

/// The end of a rollout with these options, as it can be tried in one transaction.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What the database has, with the tables as they will be.
    pub inventory: Inventory,
    /// Tables and partitions, a partition before its parent.
    pub tables: Vec<TrialTable>,
    /// Logins that can still dump every table once their owner is filtered.
    pub backup_logins: Vec<String>,
    /// Functions and views that will see less.
    pub sees_less: Vec<Way>,
}

/// One table or partition in the end.
#[derive(Debug, Clone)]
pub struct TrialTable {
    /// Its name.
    pub table: TableName,
    /// The form of its policies.
    pub form: PolicyForm,
    /// It has the row level security of the end already.
    pub is_enforced: bool,
    /// What stops it on the way because of the catalog.
    pub stopped_by: Vec<Stop>,
    /// The column that its policies compare is there. One that a rollout adds cannot be tried.
    pub has_column: bool,
    /// The statement that makes its index, where it is given one.
    pub index: Option<Sql>,
    /// The statements that give it its policies.
    pub policies: Vec<Sql>,
    /// The query for the tenant with most of its rows, as `tenant`; none where the rows name none themselves.
    pub largest_tenant: Option<Sql>,
}

/// Reads what there is to try, and writes nothing. It reads rows only to choose how a policy asks another table, as a plan does.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn trial(database: &Database, tenancy: &Tenancy, options: &RolloutOptions) -> Result<Trial> {
    let mut state = RolloutState::for_rollout(database, tenancy, options).await?;
    measure_forms(database, &mut state.inventory).await;
    let tables = state.inventory.relations.iter().map(|relation| table(&state, relation, options));
    let tables = tables.collect::<Result<_>>()?;
    let backup_logins = backup_logins(database, &state.inventory).await?;
    let sees_less = sees_less(database, &state.inventory).await?;
    Ok(Trial { tables, backup_logins, sees_less, inventory: state.inventory })
}

fn table(state: &RolloutState, relation: &Relation, options: &RolloutOptions) -> Result<TrialTable> {
    let builder = StepBuilder { state, relation, style: options.style() };
    let has_column = !state.added().any(|(added, _)| added.table == relation.name && !added.exists);
    Ok(TrialTable {
        table: relation.name.clone(),
        form: state.inventory.policies(relation).declared_form(),
        is_enforced: relation.definition.has(AspectKind::Forced),
        stopped_by: gate::catalog(&state.inventory, relation, Phase::Prepare, options.style()),
        has_column,
        index: if has_column { builder.trial_index()? } else { None },
        policies: if has_column { builder.trial_policies()? } else { Vec::new() },
        largest_tenant: (has_column && relation.parent.is_none())
            .then(|| largest_tenant(&relation.name, &relation.comparison.column)),
    })
}

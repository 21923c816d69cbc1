//! What plan, status, rollout and rollback decide from.

use std::collections::BTreeMap;

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{
    AddedColumn, Adding, AskedColumns, Aspect, AspectKind, CannotAdd, Catalog, Inventory, Relation, adding_columns,
};
use tenant_ops::RecordedStep;
use tenant_rls::Database;

use crate::declared_login::left::{LeftLogin, left};
use crate::error::{Error, Result};
use crate::journal::change::Change;
use crate::journal::{self, Recorded};
use crate::options::RolloutOptions;
use crate::plan::foreign_key::OtherKeys;
use crate::plan::names::index_names;
use crate::rights::RoleGrants;

/// What the database has, and what a rollout has to do with it.
#[derive(Debug, Clone)]
pub(crate) struct RolloutState {
    pub(crate) inventory: Inventory,
    /// What the maintenance role and the auditor must be allowed to read, by table.
    pub(crate) rights: RoleGrants,
    /// The steps of rollouts that were not taken back.
    pub(crate) steps: Vec<RecordedStep<Change>>,
    /// What those changed.
    pub(crate) recorded: Recorded,
    /// What the application's own keys to the tenant table do.
    pub(crate) other_keys: OtherKeys,
    /// The names of the indexes that are to be built. No two are the same.
    pub(crate) index_names: BTreeMap<TableName, String>,
    /// The tables that depend on tenants' rows and get no tenant column, where one was asked for all of them.
    pub(crate) not_added: Vec<(TableName, CannotAdd)>,
    /// What rollouts made for roles that `tenancy.toml` names no more.
    pub(crate) left: Vec<LeftLogin>,
}

impl RolloutState {
    /// Reads what is there; of `tables`, or of every tenant table where that is empty.
    pub(crate) async fn load(
        database: &Database,
        tenancy: &Tenancy,
        app_role: Option<&str>,
        tables: &[String],
    ) -> Result<Self> {
        Self::of(database, tenancy, Catalog::load(database, tenancy).await?, app_role, tables).await
    }

    async fn of(
        database: &Database,
        tenancy: &Tenancy,
        catalog: Catalog,
        app_role: Option<&str>,
        tables: &[String],
    ) -> Result<Self> {
        let rights = RoleGrants::of(&catalog, tenancy)?;
        let inventory = Inventory::of(database, tenancy, catalog, app_role, tables).await?;
        let steps = journal::steps(database, tenancy).await?;
        let recorded = Recorded::of(&steps);
        let other_keys = OtherKeys::read(database, &inventory, &recorded).await?;
        let index_names = index_names(&inventory, &recorded);
        let left = left(database, tenancy, &recorded).await?;
        Ok(Self { inventory, rights, steps, recorded, other_keys, index_names, not_added: Vec::new(), left })
    }

    /// Reads what is there of the tables that a rollout with these options touches, those included that get their tenant column from it.
    ///
    /// # Errors
    /// [`Error::CannotAdd`] where `tenancy.toml` or the options say that a column is added which cannot be.
    pub(crate) async fn for_rollout(database: &Database, tenancy: &Tenancy, options: &RolloutOptions) -> Result<Self> {
        let adding = if options.add_columns.is_empty() && !options.add_all_columns {
            Adding { tenancy: tenancy.clone(), not_added: Vec::new() }
        } else {
            let asked = asked(database, tenancy, options).await?;
            let adding = adding_columns(database, tenancy, &asked).await?;
            adding.map_err(|(table, why)| Error::CannotAdd { table, why: Box::new(why) })?
        };
        let Adding { tenancy, not_added } = &adding;
        let catalog = Catalog::load_planned(database, tenancy).await?;
        if let Some((table, why)) = catalog.not_added.first().cloned() {
            return Err(Error::CannotAdd { table, why: Box::new(why) });
        }
        let state = Self::of(database, tenancy, catalog, options.app_role.as_deref(), &options.tables).await?;
        Ok(Self { not_added: not_added.clone(), ..state })
    }

    /// The tables that a rollout touches and to which it adds a tenant column, or may have added one; each with what is there of it.
    pub(crate) fn added(&self) -> impl Iterator<Item = (&AddedColumn, &Relation)> {
        self.inventory.catalog.added.iter().filter_map(|added| Some((added, self.inventory.relation(&added.table)?)))
    }

    /// The relations whose FORCE a rollout lifted to validate a foreign key, and that was killed before it restored it.
    pub(crate) fn lifted(&self) -> impl Iterator<Item = &Relation> {
        let lifted = journal::lifted(&self.steps);
        let is_lifted =
            move |relation: &&Relation| lifted.contains(&relation.name) && !relation.definition.has(AspectKind::Forced);
        self.inventory.relations.iter().filter(is_lifted)
    }
}

/// The columns that the options ask for. A column that an earlier rollout made may not be filled yet.
async fn asked(database: &Database, tenancy: &Tenancy, options: &RolloutOptions) -> Result<AskedColumns> {
    let begun = if options.add_all_columns {
        let recorded = Recorded::of(&journal::steps(database, tenancy).await?);
        recorded.tables().filter(|table| recorded.made(table, &Aspect::only(AspectKind::Column))).cloned().collect()
    } else {
        Vec::new()
    };
    Ok(AskedColumns { tables: options.add_columns.clone(), all: options.add_all_columns, begun })
}

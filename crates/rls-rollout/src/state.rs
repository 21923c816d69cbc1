//! What plan, status, rollout and rollback decide from.

use std::collections::BTreeSet;

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{AspectKind, Catalog, Inventory, Relation};
use tenant_rls::Database;

use crate::error::Result;
use crate::journal;
use crate::rights::RoleGrants;

/// What the database has, and what a rollout has to do with it.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) inventory: Inventory,
    /// What the maintenance role and the auditor must be allowed to read, by table.
    pub(crate) rights: RoleGrants,
    /// Tables whose FORCE a rollout lifted last.
    lifted: BTreeSet<TableName>,
}

impl State {
    /// Reads what is there; of `tables`, or of every tenant table where that is empty.
    pub(crate) async fn load(
        database: &Database,
        tenancy: &Tenancy,
        app_role: Option<&str>,
        tables: &[String],
    ) -> Result<Self> {
        let catalog = Catalog::load(database, tenancy).await?;
        let rights = RoleGrants::of(&catalog, tenancy)?;
        let inventory = Inventory::of(database, tenancy, catalog, app_role, tables).await?;
        let lifted = journal::lifted(&journal::steps(database, tenancy).await?);
        Ok(Self { inventory, rights, lifted })
    }

    /// The relations whose FORCE a rollout lifted to validate a foreign key, and that was killed before it restored it.
    pub(crate) fn lifted(&self) -> impl Iterator<Item = &Relation> {
        let is_lifted =
            |relation: &&Relation| self.lifted.contains(&relation.name) && !relation.definition.has(AspectKind::Forced);
        self.inventory.relations.iter().filter(is_lifted)
    }
}

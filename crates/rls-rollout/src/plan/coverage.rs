//! What a report is about and what it is not: the tables that are covered, those that are stopped, and everything beside them.

use serde::Serialize;
use tenancy_config::TableName;
use tenant_inventory::class::{Class, ClassifiedTable};
use tenant_inventory::{Inventory, Missing, Phase, RegistryState};

/// What a report covers, and what else the database has.
#[derive(Debug, Clone, Serialize)]
pub struct Coverage {
    /// Tables and partitions under FORCE, with the policies that `tenancy.toml` asks for and nothing in the way.
    pub covered: Vec<TableName>,
    /// Tables and partitions that something stops. Their reasons stand with them.
    pub not_covered: Vec<TableName>,
    /// Tables that belong to tenants or may belong to them, and that no policy of ours protects: dependent and suspect ones, and those that
    /// cannot be handled and are not read at all.
    pub beside: Vec<ClassifiedTable>,
    /// Tables with a tenant column that were not asked for.
    pub not_asked_for: Vec<TableName>,
    /// Tables of `tenancy.toml` that are not there or lost their tenant column, and tables that are not read.
    pub missing: Vec<Missing>,
    /// What the tenant table is.
    pub registry: RegistryState,
}

impl Coverage {
    /// Adds up what is there. `stopped` says of a relation whether something stops it.
    pub(crate) fn of(inventory: &Inventory, stopped: impl Fn(&TableName) -> bool) -> Self {
        let relations = &inventory.relations;
        let covered = relations.iter().filter(|relation| {
            inventory.phase(relation) == Phase::Enforce && relation.unhandled.is_none() && !stopped(&relation.name)
        });
        let covered: Vec<TableName> = covered.map(|relation| relation.name.clone()).collect();
        let rest = relations.iter().filter(|relation| !covered.contains(&relation.name));
        let not_asked_for: Vec<TableName> = inventory.others.iter().map(|(name, _)| name.clone()).collect();
        let listed = |name: &TableName| inventory.relation(name).is_some() || not_asked_for.contains(name);
        let is_beside = |table: &&ClassifiedTable| {
            !listed(&table.table)
                && matches!(table.class, Class::Dependent { .. } | Class::Suspect { .. } | Class::Unhandled { .. })
        };
        Self {
            not_covered: rest.map(|relation| relation.name.clone()).collect(),
            covered,
            beside: inventory.catalog.classified.iter().filter(is_beside).cloned().collect(),
            not_asked_for,
            missing: inventory.catalog.missing.clone(),
            registry: inventory.catalog.registry,
        }
    }

    /// Whether there is a finding beside the tables of the report: one that is missing or not handled, or a tenant table that cannot be
    /// referenced. Whoever asks for some tables is not told so by the exit code.
    pub fn has_findings(&self) -> bool {
        let unhandled = self.beside.iter().any(|table| matches!(table.class, Class::Unhandled { .. }));
        let all = self.not_asked_for.is_empty();
        !self.registry.can_be_referenced() || all && (unhandled || !self.missing.is_empty())
    }
}

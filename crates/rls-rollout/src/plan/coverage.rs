//! What a report is about and what it is not: the tables that are covered, those that are stopped, and everything beside them.

use serde::Serialize;
use tenancy_config::TableName;
use tenant_inventory::coverage::{Cover, Coverage};
use tenant_inventory::{Absence, Inventory, Phase, RegistryState, Relation};

/// What a report covers, and what else the database has.
#[derive(Debug, Clone, Serialize)]
pub struct RolloutCoverage {
    /// Tables and partitions under FORCE, with the policies that `tenancy.toml` asks for and nothing in the way.
    pub covered: Vec<TableName>,
    /// Tables and partitions that are not, or that something stops. Their reasons stand with them.
    pub not_covered: Vec<TableName>,
    /// Tables with a tenant column that were not asked for.
    pub not_asked_for: Vec<TableName>,
    /// Tables of `tenancy.toml` that are not there or lost their tenant column, and tables that are not read.
    pub missing: Vec<Absence>,
    /// What the tenant table is.
    pub registry: RegistryState,
    /// Each table of the database that is a tenant's or may be one's. It counts as covered together with its partitions.
    pub coverage: Coverage,
}

impl RolloutCoverage {
    /// Adds up what is there. `stopped` says of a relation whether something stops it.
    pub(crate) fn of(inventory: &Inventory, stopped: impl Fn(&TableName) -> bool) -> Self {
        let is_covered = |relation: &&Relation| {
            inventory.phase(relation) == Phase::Enforce && relation.unhandled.is_none() && !stopped(&relation.name)
        };
        let (covered, rest): (Vec<&Relation>, Vec<&Relation>) = inventory.relations.iter().partition(is_covered);
        let names = |relations: &[&Relation]| relations.iter().map(|relation| relation.name.clone()).collect();
        let open: Vec<TableName> = rest.iter().map(|relation| inventory.audited_as(relation)).collect();
        let not_asked_for: Vec<TableName> = inventory.others.iter().map(|(name, _)| name.clone()).collect();
        let read = |table: &TableName| !open.contains(table) && !not_asked_for.contains(table);
        Self {
            covered: names(&covered),
            not_covered: names(&rest),
            coverage: Coverage::of(&inventory.catalog.classified, read),
            not_asked_for,
            missing: inventory.catalog.missing.clone(),
            registry: inventory.catalog.registry,
        }
    }

    /// Whether there is a finding beside the tables of the report: one that is missing or not handled, or a tenant table that cannot be
    /// referenced. Whoever asks for some tables is not told of the others by the exit code.
    pub fn has_findings(&self) -> bool {
        let unhandled = self.coverage.tables.iter().any(|table| matches!(table.cover, Cover::Unhandled { .. }));
        let all = self.not_asked_for.is_empty();
        !self.registry.can_be_referenced() || all && (unhandled || !self.missing.is_empty())
    }
}

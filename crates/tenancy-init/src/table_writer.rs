//! The comments about all tables.

use std::collections::BTreeMap;

use backfill_engine::{SourcesBesideKeys, short_name};
use tenancy_config::tenancy::Notes;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::DependentWay;
use tenant_inventory::class::{Class, ClassifiedTable};

use crate::facts::Facts;
use crate::proposed::proposal;
use crate::table_notes;

/// What the comments are made of.
pub(crate) struct TableWriter<'a> {
    /// The tenant table, where there is one.
    pub(crate) registry: Option<&'a TableName>,
    pub(crate) facts: &'a Facts,
    pub(crate) tenancy: &'a Tenancy,
    pub(crate) ways: &'a BTreeMap<TableName, Vec<DependentWay>>,
    pub(crate) beside: &'a [SourcesBesideKeys],
}

impl TableWriter<'_> {
    pub(crate) fn more_sources(&self, table: &TableName) -> Vec<String> {
        self.beside.iter().find(|beside| beside.table == *table).map(table_notes::more_sources).unwrap_or_default()
    }

    pub(crate) fn proposal(&self, table: &ClassifiedTable, called: &str) -> Vec<String> {
        let ways = self.ways.get(&table.table).map(Vec::as_slice).unwrap_or_default();
        proposal(table, called, ways, self.facts, self.tenancy)
    }

    fn of_tenant_table(&self, table: &ClassifiedTable) -> Vec<String> {
        let said = table_notes::of_tenant_table(table, self.registry, self.facts, self.tenancy);
        [said, self.more_sources(&table.table)].concat()
    }

    /// Writes what is said of each table.
    pub(crate) fn describe(&self, classified: &[ClassifiedTable], notes: &mut Notes) {
        let tenancy = self.tenancy;
        let mut unrelated = Vec::new();
        for table in classified {
            let called = short_name(&table.table, tenancy);
            if tenancy.tables.contains_key(&called) {
                notes.tables.insert(called, self.of_tenant_table(table));
                continue;
            }
            match &table.class {
                Class::Registry => {}
                Class::Unrelated | Class::Extension { .. } => {
                    let proposal = self.proposal(table, &called);
                    if proposal.is_empty() {
                        unrelated.push(called);
                    } else {
                        notes.other_tables.push(proposal);
                    }
                }
                class if class.tenant_column().is_some() => {
                    notes
                        .other_tables
                        .push([vec![format!("{called}: {class}.")], self.of_tenant_table(table)].concat());
                }
                _ => notes.other_tables.push(self.proposal(table, &called)),
            }
        }
        let dependent = classified.iter().filter(|table| {
            let is_open = !tenancy.tables.contains_key(&short_name(&table.table, tenancy));
            is_open && matches!(table.class, Class::Dependent { .. })
        });
        if dependent.count() > 1 {
            notes.other_tables.insert(
            0,
            vec![
                "Tables whose rows depend on tenants' rows stand below. `rls plan --add-columns` shows a rollout that gives all of them a tenant \
                 column, a table before those that depend on it, and the lines to declare that here; those that get none are named, and why."
                    .to_owned(),
            ],
        );
        }
        if !unrelated.is_empty() {
            let first = "Nothing leads from these tables to a tenant; `exempt` with a reason says that this is meant:"
                .to_owned();
            let lines = unrelated.chunks(6).map(|chunk| chunk.join(", "));
            notes.other_tables.push(std::iter::once(first).chain(lines).collect());
        }
    }
}

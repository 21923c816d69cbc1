//! Ways over tables without a tenant column to one that has it, by foreign keys.

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::tenancy::{HopRule, SourceRule};
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{Catalog, KeyFacts, TableFacts, TenantTable};

use crate::suggest::keys::{short_name, words};
use crate::suggest::notes::SuggestNote;

/// The most tables on the way to one with a tenant column.
const MOST_HOPS: usize = 4;

/// A way, by the keys that make it: the first one here, the last one to a table with a tenant column.
pub(super) struct Way<'a>(Vec<&'a KeyFacts>);

/// The shortest way of each foreign key that leads to a table without a tenant column. None leads over a table that is not read.
pub(super) fn ways<'a>(
    table: &TenantTable,
    catalog: &Catalog,
    facts: &BTreeMap<&TableName, &'a TableFacts>,
) -> Vec<Way<'a>> {
    let Some(own) = facts.get(&table.name) else { return Vec::new() };
    let has_tenant = |name: &TableName| catalog.table(name).is_ok();
    let readable = |name: &TableName| facts.get(name).is_some_and(|table| table.stranger.is_none());
    let first = |key: &&KeyFacts| key.target != catalog.tenants && !has_tenant(&key.target) && readable(&key.target);
    let mut found = Vec::new();
    for key in own.foreign_keys.iter().filter(first) {
        let mut seen: BTreeSet<&TableName> = [&own.name, &key.target].into();
        let mut ways = vec![vec![key]];
        for _ in 0..MOST_HOPS {
            let mut next = Vec::new();
            for way in &ways {
                let last = way.last().and_then(|last| facts.get(&last.target));
                for onward in last.iter().flat_map(|last| &last.foreign_keys) {
                    let open = onward.target != catalog.tenants && readable(&onward.target);
                    if open && seen.insert(&onward.target) {
                        next.push(way.iter().copied().chain([onward]).collect::<Vec<_>>());
                    }
                }
            }
            ways = next;
            if let Some(way) = ways.iter().find(|way| way.last().is_some_and(|last| has_tenant(&last.target))) {
                found.push(Way(way.clone()));
                break;
            }
        }
    }
    found
}

impl Way<'_> {
    /// The source that it is; none where a key on it has several columns.
    pub(super) fn source(&self, tenancy: &Tenancy) -> Option<SourceRule> {
        let pair = |key: &KeyFacts| match (key.columns.as_slice(), key.references.as_slice()) {
            ([column], [references]) => Some((column.clone(), references.clone())),
            _ => None,
        };
        let pairs: Vec<(String, String)> = self.0.iter().map(|key| pair(key)).collect::<Option<_>>()?;
        let (column, _) = pairs.first()?;
        let (_, key) = pairs.last()?;
        let hop = |(at, reached): (usize, &&KeyFacts)| {
            let (table, key) = (short_name(&reached.target, tenancy), pairs[at].1.clone());
            HopRule { table, key, column: pairs[at + 1].0.clone() }
        };
        let on_the_way = &self.0[..self.0.len() - 1];
        let last = short_name(&self.0.last()?.target, tenancy);
        Some(SourceRule {
            key: key.clone(),
            through: on_the_way.iter().enumerate().map(hop).collect(),
            ..SourceRule::new(&words(column), column, &last)
        })
    }

    /// What is said of it where it is no source.
    pub(super) fn note(&self) -> Option<SuggestNote> {
        let (last, on_the_way) = self.0.split_last()?;
        Some(SuggestNote::Hops {
            columns: self.0.first()?.columns.clone(),
            through: on_the_way.iter().map(|key| key.target.clone()).collect(),
            to: last.target.clone(),
        })
    }
}

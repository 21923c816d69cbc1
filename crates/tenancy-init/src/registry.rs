//! Which table has the tenants: foreign keys, policies and names together.

use std::collections::BTreeSet;
use std::fmt;

use tenancy_config::TableName;
use tenant_inventory::PolicyReading;

use crate::facts::{Facts, Table};
use crate::words;

/// Why a table may be the table of tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryClue {
    /// Columns that are named as tenant columns are have foreign keys to it.
    TenantColumnsReference {
        /// In so many tables.
        tables: usize,
    },
    /// Other columns have.
    OtherColumnsReference {
        /// In so many tables.
        tables: usize,
    },
    /// Policies compare a column that references it with the session.
    PoliciesCompare {
        /// So many policies.
        policies: usize,
    },
    /// Columns are named after it and have no foreign key.
    ColumnsNamedAfterIt {
        /// In so many tables.
        tables: usize,
    },
    /// Its name.
    Name,
}

impl RegistryClue {
    fn weight(&self) -> usize {
        match self {
            Self::TenantColumnsReference { tables } => 4 * tables,
            Self::OtherColumnsReference { .. } => 0,
            Self::PoliciesCompare { policies } => 6 * policies,
            Self::ColumnsNamedAfterIt { tables } => 2 * tables,
            Self::Name => 5,
        }
    }
}

impl fmt::Display for RegistryClue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TenantColumnsReference { tables } => write!(f, "tenant columns of {tables} tables reference it"),
            Self::OtherColumnsReference { tables } => write!(f, "columns of {tables} tables reference it"),
            Self::PoliciesCompare { policies } => {
                write!(f, "{policies} policies compare such a column with the session")
            }
            Self::ColumnsNamedAfterIt { tables } => write!(f, "columns of {tables} tables are named after it"),
            Self::Name => f.write_str("its name"),
        }
    }
}

/// A table that may be the table of tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryCandidate {
    /// The table.
    pub table: TableName,
    /// Why.
    pub reasons: Vec<RegistryClue>,
}

impl RegistryCandidate {
    fn score(&self) -> usize {
        self.reasons.iter().map(RegistryClue::weight).sum()
    }
}

impl fmt::Display for RegistryCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons: Vec<String> = self.reasons.iter().map(ToString::to_string).collect();
        write!(f, "{} ({})", self.table, reasons.join(", "))
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryChoice {
    /// One table stands out.
    Found(RegistryCandidate),
    /// Several may be it, the best first.
    Several(Vec<RegistryCandidate>),
    /// None.
    Missing,
}

/// Finds the table; in one schema only, where that is named.
pub(crate) fn registry(facts: &Facts, schema: Option<&str>) -> RegistryChoice {
    let here = |table: &&Table| schema.is_none_or(|schema| table.name.schema().as_str() == schema);
    let mut candidates: Vec<RegistryCandidate> =
        facts.tables.iter().filter(here).filter_map(|table| candidate(facts, table)).collect();
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.score()));
    let Some(best) = candidates.first().cloned() else { return RegistryChoice::Missing };
    // Whatever has not half of the best one's reasons is there by chance.
    candidates.retain(|candidate| candidate.score() * 2 > best.score());
    if candidates.len() == 1 { RegistryChoice::Found(best) } else { RegistryChoice::Several(candidates) }
}

/// Other tables that tenant columns reference as they do this one: a workspace may be a tenant, and so may its organization.
pub(crate) fn rivals(facts: &Facts, chosen: &TableName) -> Vec<RegistryCandidate> {
    let others = facts.tables.iter().filter(|table| table.name != *chosen);
    let referenced = |clue: &RegistryClue| matches!(clue, RegistryClue::TenantColumnsReference { .. });
    others
        .filter_map(|table| candidate(facts, table))
        .filter(|rival| rival.reasons.iter().any(referenced) && rival.reasons.contains(&RegistryClue::Name))
        .collect()
}

fn candidate(facts: &Facts, table: &Table) -> Option<RegistryCandidate> {
    table.key()?;
    let (mut named, mut other, mut after, mut policies) = (0, 0, 0, 0);
    for one in facts.tables.iter().filter(|one| one.name != table.name) {
        let referencing: BTreeSet<&str> =
            one.foreign_keys.iter().filter(|key| key.leads_to(&table.name)).map(|key| key.column.as_str()).collect();
        let is_usual = |column: &str| {
            words::tenant_column_rank(column).is_some()
                || words::is_named_after(column, table.name.name().as_str())
                    && words::names_a_registry(table.name.name().as_str())
        };
        if referencing.iter().any(|column| is_usual(column)) {
            named += 1;
        } else if !referencing.is_empty() {
            other += 1;
        } else if one.columns.iter().any(|column| {
            is_loose(one, &column.name) && words::is_named_after(&column.name, table.name.name().as_str())
        }) && words::names_a_registry(table.name.name().as_str())
        {
            after += 1;
        }
        let compares = |expression: &String| {
            PolicyReading::of(expression).comparison().is_some_and(|(column, _)| referencing.contains(column))
        };
        policies += one.policies.iter().filter(|policy| policy.expressions.iter().any(compares)).count();
    }
    let counted = [
        (named, RegistryClue::TenantColumnsReference { tables: named }),
        (other, RegistryClue::OtherColumnsReference { tables: other }),
        (policies, RegistryClue::PoliciesCompare { policies }),
        (after, RegistryClue::ColumnsNamedAfterIt { tables: after }),
    ];
    let mut reasons: Vec<RegistryClue> =
        counted.into_iter().filter(|(count, _)| *count > 0).map(|(_, reason)| reason).collect();
    // A name alone is no reason: a table to which nothing leads has no rows of tenants behind it.
    let led_to = named + after + policies > 0 || other > 0 && words::names_a_registry(table.name.name().as_str());
    if words::names_a_registry(table.name.name().as_str()) {
        reasons.push(RegistryClue::Name);
    }
    led_to.then(|| RegistryCandidate { table: table.name.clone(), reasons })
}

/// A column without a foreign key.
pub(crate) fn is_loose(table: &Table, column: &str) -> bool {
    table.foreign_keys.iter().all(|key| key.column != column)
}

/// The names of the tenant columns, the most frequent first.
pub(crate) fn tenant_columns(facts: &Facts, registry: Option<&Table>) -> Vec<String> {
    let mut found: Vec<(String, usize)> = Vec::new();
    for table in facts.tables.iter().filter(|table| registry.is_none_or(|registry| registry.name != table.name)) {
        for column in
            table.columns.iter().filter(|column| is_tenant_column(table, &column.name, &column.type_name, registry))
        {
            match found.iter_mut().find(|(name, _)| *name == column.name) {
                Some((_, count)) => *count += 1,
                None => found.push((column.name.clone(), 1)),
            }
        }
    }
    if registry.is_none() {
        // Without a table of tenants nothing tells which of several names are meant: the clearest one, however it is written.
        let clearest = found.iter().filter_map(|(name, _)| words::tenant_column_rank(name)).min();
        found.retain(|(name, _)| words::tenant_column_rank(name) == clearest);
    }
    found.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), words::tenant_column_rank(name), name.clone()));
    found.into_iter().map(|(name, _)| name).collect()
}

fn is_tenant_column(table: &Table, column: &str, type_name: &str, registry: Option<&Table>) -> bool {
    let usual = words::tenant_column_rank(column).is_some();
    let Some(registry) = registry else { return usual && is_loose(table, column) };
    let named = words::is_named_after(column, registry.name.name().as_str())
        || registry
            .key()
            .is_some_and(|key| words::is_named_after_key(column, registry.name.name().as_str(), &key.name));
    if table.foreign_keys.iter().any(|key| key.column == column && key.leads_to(&registry.name)) {
        return usual || named || compared(table, column);
    }
    let comparable = registry.key().is_some_and(|key| key.type_name == type_name);
    let clearly = words::tenant_column_rank(column) == Some(0);
    is_loose(table, column) && comparable && (named || clearly || compared(table, column))
}

/// A policy compares the column with the session.
fn compared(table: &Table, column: &str) -> bool {
    let mut expressions = table.policies.iter().flat_map(|policy| &policy.expressions);
    expressions.any(|text| PolicyReading::of(text).comparison().is_some_and(|(read, _)| read == column))
}

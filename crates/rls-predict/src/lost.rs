//! Which searches of indexes policies make impossible: those by a condition that is not leakproof. The server would have to call its functions with
//! rows that the policy hides.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;
use tenant_inventory::Inventory;

use crate::catalog::indexes::{Indexes, KeyColumn, LeakyNames};
use crate::plan::condition::Clause;
use crate::plan::{IndexSearch, PlanFacts};

/// A search of an index that is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostIndex {
    /// The table.
    pub table: TableName,
    /// The index.
    pub index: String,
    /// What it was searched for.
    pub condition: String,
    /// The functions and operators that are not leakproof.
    pub not_leakproof: Vec<String>,
    /// The index leads with the column that the policy compares, so that this still narrows the search.
    pub still_narrowed: bool,
    /// What helps.
    #[serde(serialize_with = "rls_rollout::said")]
    pub remedies: Vec<Remedy>,
}

/// What helps where a search is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "remedy", rename_all = "snake_case")]
pub enum Remedy {
    /// An index that leads with the column that the policy compares. The rows of one tenant are searched.
    TenantFirst {
        /// That column.
        column: String,
    },
    /// A column that holds what the index computes, written with the row and compared as it is.
    StoredColumn,
    /// A function that a superuser declares leakproof.
    LeakproofFunction {
        /// What it would call.
        name: String,
    },
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TenantFirst { column } => write!(
                f,
                "an index on ({column}, …) narrows the search to the tenant's rows; the rollout makes one of {column} alone where none leads with it"
            ),
            Self::StoredColumn => f.write_str(
                "store what the index computes in a column of its own (GENERATED ALWAYS AS … STORED), index that, and compare it with =",
            ),
            Self::LeakproofFunction { name } => write!(
                f,
                "where a superuser may: a wrapper of {name} that is LEAKPROOF, as it tells nothing of what it is called with"
            ),
        }
    }
}

/// What is needed to decide.
pub(crate) struct Judge<'a> {
    pub(crate) inventory: &'a Inventory,
    pub(crate) indexes: &'a Indexes,
    pub(crate) names: &'a LeakyNames,
    /// The tables that get policies.
    pub(crate) protected: &'a [TableName],
}

impl Judge<'_> {
    /// The searches of a plan that are lost.
    pub(crate) fn lost(&self, plan: &PlanFacts) -> Vec<LostIndex> {
        let protected = |search: &&IndexSearch| self.protected.contains(&search.table);
        let of_each = |search| (search, self.not_leakproof_of_each(search, plan));
        let searches: Vec<_> = plan.searches.iter().filter(protected).map(of_each).collect();
        let mut lost: Vec<LostIndex> = Vec::new();
        for (search, of_each) in &searches {
            // Where one search of an OR is lost, so are the others.
            let same_or =
                |other: &&IndexSearch| search.alternative.is_some() && other.alternative == search.alternative;
            let others = searches.iter().filter(|(other, _)| same_or(other)).flat_map(|(_, of_each)| of_each);
            let of_others: BTreeSet<String> = others.flatten().cloned().collect();
            for (clause, own) in search.conditions.iter().zip(of_each) {
                let not_leakproof = if own.is_empty() { Vec::from_iter(of_others.clone()) } else { own.clone() };
                let is_known = lost.iter().any(|known| known.index == search.index && known.condition == clause.text);
                if !not_leakproof.is_empty() && !is_known {
                    lost.push(self.loss(search, clause, not_leakproof));
                }
            }
        }
        lost
    }

    /// What of each condition of a search is not leakproof.
    fn not_leakproof_of_each(&self, search: &IndexSearch, plan: &PlanFacts) -> Vec<Vec<String>> {
        search.conditions.iter().map(|clause| self.not_leakproof(search, clause, &plan.parameters)).collect()
    }

    /// What of a condition is not leakproof.
    fn not_leakproof(&self, search: &IndexSearch, clause: &Clause, parameters: &[String]) -> Vec<String> {
        let keys = self.indexes.of(&search.table, &search.index).unwrap_or_default();
        let own: Vec<&KeyColumn> = keys.iter().filter(|key| key.is_left_of(clause)).collect();
        // Where it cannot be told which column it is, none may leak.
        let about: Vec<&KeyColumn> = if own.is_empty() { keys.iter().collect() } else { own };
        let mut found: Vec<String> = about.iter().flat_map(|key| key.leaks.iter().cloned()).collect();
        if let Some(operator) = &clause.operator
            && about.iter().any(|key| key.is_leakproof(clause, parameters) == Some(false))
        {
            found.push(operator.clone());
        }
        found.extend(clause.right_functions().into_iter().filter(|name| self.names.has_function(name)));
        // The server searched for a range that it derived from another condition, which it still checks.
        let others = search.filters.iter().filter(|filter| filter.left == clause.left && filter.text != clause.text);
        found.extend(others.filter_map(|filter| self.names.derived_from(filter)).map(str::to_owned));
        found.sort();
        found.dedup();
        found
    }

    fn loss(&self, search: &IndexSearch, clause: &Clause, not_leakproof: Vec<String>) -> LostIndex {
        let column = self.inventory.relation(&search.table).map(|relation| relation.comparison.column.to_string());
        let leads = |column: &String| {
            let keys = self.indexes.of(&search.table, &search.index).unwrap_or_default();
            keys.first().is_some_and(|key| key.printed.trim_matches('"') == column)
        };
        let still_narrowed = column.as_ref().is_some_and(leads);
        let mut remedies = Vec::new();
        let computes = self.indexes.of(&search.table, &search.index).unwrap_or_default();
        let expression = computes.iter().find(|key| key.is_left_of(clause) && !key.leaks.is_empty());
        if let Some(column) = column.filter(|_| !still_narrowed) {
            remedies.push(Remedy::TenantFirst { column });
        }
        if let Some(key) = expression {
            remedies.push(Remedy::StoredColumn);
            remedies.extend(key.leaks.first().map(|name| Remedy::LeakproofFunction { name: name.clone() }));
        }
        LostIndex {
            table: search.table.clone(),
            index: search.index.clone(),
            condition: clause.text.clone(),
            not_leakproof,
            still_narrowed,
            remedies,
        }
    }
}

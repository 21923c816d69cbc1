//! Guesses: columns whose values are keys of another table.

use tenancy_config::Ident;
use tenancy_config::tenancy::SourceRule;
use tenant_inventory::{Column, TenantTable};
use tenant_rls::{AuditTx, TenantColumnType};

use crate::error::Result;
use crate::suggest::keys::{self, short_name};
use crate::suggest::measure::{self, KeyedTable};
use crate::suggest::notes;
use crate::suggest::reader::TableReader;
use crate::suggest::report::{self, Basis, SourceSuggestion};

/// The least share of matching values for a guess, in percent.
const GUESSED_FROM: u64 = 50;

impl TableReader<'_> {
    /// Columns that are no known source, each with the tables whose keys it could hold.
    pub(super) fn open_columns(
        &self,
        table: &TenantTable,
        known: &[SourceSuggestion],
    ) -> Vec<(Ident, Vec<KeyedTable>)> {
        let is_open = |column: &&Column| {
            let name = column.name.as_str();
            !column.is_key && name != table.column.name && !known.iter().any(|source| source.rule.column == name)
        };
        let columns = self.columns[&table.name].iter().filter(is_open);
        let with_tables = columns.map(|column| (column.name.clone(), self.pointed_to(table, column)));
        with_tables.filter(|(_, tables)| !tables.is_empty()).collect()
    }

    pub(super) fn pointed_to(&self, table: &TenantTable, column: &Column) -> Vec<KeyedTable> {
        let Some(family) = TenantColumnType::of(&column.type_name).map(TenantColumnType::family) else {
            return Vec::new();
        };
        let others = self.catalog.tables.iter().filter(|other| other.name != table.name);
        let fits = |other: &&TenantTable| {
            let key = self.columns[&other.name].iter().find(|key| key.is_key);
            let same =
                key.and_then(|key| TenantColumnType::of(&key.type_name)).map(TenantColumnType::family) == Some(family);
            // A small number is a key of any table, so the name must match as well.
            same && (family != "integer" || is_called_after(column.name.as_str(), other.name.name().as_str()))
        };
        let keyed = |other: &TenantTable| Some((other.name.clone(), Ident::new(other.key.first()?).ok()?));
        others.filter(fits).filter_map(keyed).collect()
    }

    pub(super) async fn guesses(
        &self,
        audit: &mut AuditTx,
        table: &TenantTable,
        open: &[(Ident, Vec<KeyedTable>)],
    ) -> Result<Vec<SourceSuggestion>> {
        let mut guesses = Vec::new();
        let polymorphic = notes::polymorphic(&self.columns[&table.name]);
        for (column, others) in open {
            let asked: Vec<&KeyedTable> = others.iter().collect();
            let (values, matches) = measure::key_matches(audit, &table.name, column, &asked).await?;
            let polymorphic = polymorphic.iter().any(|(_, id)| id == column.as_str());
            let matched: u64 = matches.iter().sum();
            let held: Vec<(&KeyedTable, u64)> =
                others.iter().zip(matches).filter(|(_, matched)| *matched > 0).collect();
            // A key that is random is one of a single table, so that no condition is needed.
            let told: Vec<(&KeyedTable, u64)> = match held.iter().rev().max_by_key(|(_, matched)| *matched) {
                _ if polymorphic => held.into_iter().map(|(table, _)| (table, matched)).collect(),
                best => best.copied().into_iter().collect(),
            };
            for ((other, key), matched) in told {
                if report::percent(matched, values).is_none_or(|share| share < GUESSED_FROM) {
                    continue;
                }
                let rule = SourceRule {
                    name: keys::words(column.as_str()),
                    column: column.to_string(),
                    table: short_name(other, self.tenancy),
                    key: key.to_string(),
                    tenant: None,
                    all: false,
                };
                let guess = self.suggestion(table, rule, Basis::Guess, false);
                guesses.push(SourceSuggestion {
                    values: Some(values),
                    values_matched: Some(matched.min(values)),
                    ..guess
                });
            }
        }
        Ok(guesses)
    }
}

/// Whether a column has the name of a table: `user_id` and `userId` of `users`, `companyId` of `companies`.
fn is_called_after(column: &str, table: &str) -> bool {
    let letters =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let (stem, table) = (letters(&keys::words(column)), letters(table));
    let plurals = [stem.clone(), format!("{stem}s"), format!("{stem}es")];
    let ies = stem.strip_suffix('y').map(|stem| format!("{stem}ies"));
    plurals.contains(&table) || ies.is_some_and(|plural| plural == table)
}

#[cfg(test)]
mod tests {
    use super::is_called_after;

    #[test]
    fn columns_are_called_after_tables() {
        for (column, table) in [
            ("userId", "users"),
            ("user_id", "User"),
            ("companyId", "companies"),
            ("serviceRequestId", "ServiceRequest"),
        ] {
            assert!(is_called_after(column, table), "{column} {table}");
        }
        for (column, table) in [("duration", "users"), ("id", "users"), ("userId", "user_roles")] {
            assert!(!is_called_after(column, table), "{column} {table}");
        }
    }
}

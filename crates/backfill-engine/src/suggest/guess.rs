//! Guesses: columns whose values are keys of another table.

use tenancy_config::tenancy::SourceRule;
use tenancy_config::{Ident, TableName};
use tenant_inventory::{Column, TenantTable};
use tenant_rls::AuditTx;

use crate::error::Result;
use crate::plan::cast::{Cast, Family};
use crate::suggest::keys::{self, short_name};
use crate::suggest::measure::{self, KeyedTable, OpenColumn};
use crate::suggest::notes;
use crate::suggest::reader::TableReader;
use crate::suggest::report::{self, Basis, SourceSuggestion};

/// The least share of matching values for a guess, in percent.
const GUESSED_FROM: u64 = 50;

impl TableReader<'_> {
    /// Columns that are no known source, each with the tables whose keys it could hold. Of a polymorphic pair, a source by one kind
    /// leaves the column open for others.
    pub(super) fn open_columns(&self, table: &TenantTable, known: &[SourceSuggestion]) -> Vec<OpenColumn> {
        let columns = &self.columns[&table.name];
        let pairs = notes::polymorphic(columns);
        let kind_of = |id: &str| {
            let (kind, _) = pairs.iter().find(|(_, other)| other == id)?;
            columns.iter().map(|column| &column.name).find(|name| name.as_str() == kind).cloned()
        };
        let is_open = |column: &&Column| {
            let name = column.name.as_str();
            let told = known.iter().any(|source| source.rule.column == name && source.rule.when.is_empty());
            !column.is_key && name != table.column.name && !told
        };
        let open = |column: &Column| {
            let kind = kind_of(column.name.as_str());
            let tables = self.pointed_to(table, column, kind.is_some());
            (!tables.is_empty()).then(|| OpenColumn { column: column.name.clone(), kind, tables })
        };
        columns.iter().filter(is_open).filter_map(open).collect()
    }

    fn pointed_to(&self, table: &TenantTable, column: &Column, polymorphic: bool) -> Vec<KeyedTable> {
        let others = self.catalog.tables.iter().filter(|other| other.name != table.name);
        let keyed = |other: &TenantTable| {
            let [key] = other.key.as_slice() else { return None };
            let (cast, is_number) = self.key_cast((&table.name, column.name.as_str()), (&other.name, key))?;
            // A small number is a key of any table, so the name must match as well.
            let fits = !is_number || polymorphic || is_called_after(column.name.as_str(), other.name.name().as_str());
            fits.then_some(KeyedTable { table: other.name.clone(), key: Ident::new(key).ok()?, cast, is_number })
        };
        others.filter_map(keyed).collect()
    }

    /// How a column is compared with the key of another table, and whether one of them is a whole number; none where no value of it could be a key.
    fn key_cast(&self, value: (&TableName, &str), key: (&TableName, &str)) -> Option<(Cast, bool)> {
        let type_of = |(table, column)| self.catalog.column(table, column).map(|known| known.base_type.as_str());
        let (value, key) = (type_of(value)?, type_of(key)?);
        let families = [Family::of(value), Family::of(key)];
        let may_be_key = |family| matches!(family, Family::Text | Family::Uuid | Family::Integer);
        let cast = Cast::between(value, key).filter(|_| families.into_iter().all(may_be_key))?;
        Some((cast, families.contains(&Family::Integer)))
    }

    pub(super) async fn guesses(
        &self,
        audit: &mut AuditTx,
        table: &TenantTable,
        open: &[OpenColumn],
    ) -> Result<Vec<SourceSuggestion>> {
        let mut guesses = Vec::new();
        for open in open {
            let Some(kind) = &open.kind else {
                let tables: Vec<&KeyedTable> = open.tables.iter().collect();
                guesses.extend(self.best(audit, table, (&open.column, None), &tables).await?);
                continue;
            };
            for value in measure::kinds(audit, &table.name, kind).await? {
                let called = |other: &&KeyedTable| is_called_after(last_word(&value), other.table.name().as_str());
                // A number is a key of any table, so the kind must name it. A random key is one of a single table.
                let named: Vec<&KeyedTable> = open.tables.iter().filter(called).collect();
                let tables = match named.is_empty() {
                    true => open.tables.iter().filter(|other| !other.is_number).collect(),
                    false => named,
                };
                guesses.extend(self.best(audit, table, (&open.column, Some((kind, &value))), &tables).await?);
            }
        }
        Ok(guesses)
    }

    /// The table of which the most values of a column are keys, if these are enough.
    async fn best(
        &self,
        audit: &mut AuditTx,
        table: &TenantTable,
        (column, kind): (&Ident, Option<(&Ident, &str)>),
        others: &[&KeyedTable],
    ) -> Result<Option<SourceSuggestion>> {
        if others.is_empty() {
            return Ok(None);
        }
        let (values, matches) = measure::key_matches(audit, &table.name, (column, kind), others).await?;
        let best = others.iter().zip(matches).rev().filter(|(_, matched)| *matched > 0);
        let Some((other, matched)) = best.max_by_key(|(_, matched)| *matched) else { return Ok(None) };
        if report::percent(matched, values).is_none_or(|share| share < GUESSED_FROM) {
            return Ok(None);
        }
        let name = kind.map_or_else(|| keys::words(column.as_str()), |(_, value)| keys::words(last_word(value)));
        let rule = SourceRule {
            key: other.key.to_string(),
            when: kind.map(|(kind, value)| (kind.to_string(), value.to_owned())).into_iter().collect(),
            ..SourceRule::new(&name, column.as_str(), &short_name(&other.table, self.tenancy))
        };
        let guess = self.suggestion(table, rule, Basis::Guess, false);
        Ok(Some(SourceSuggestion { values: Some(values), values_matched: Some(matched.min(values)), ..guess }))
    }
}

/// The last word of a kind: of `App\\Models\\Project`, `crm.project` and `Crm::Project` that is the name of the table.
fn last_word(kind: &str) -> &str {
    kind.rsplit(['\\', '.', ':', '/']).next().unwrap_or(kind)
}

/// Whether a column has the name of a table: `user_id` and `userId` of `users`, `companyId` of `companies`.
fn is_called_after(column: &str, table: &str) -> bool {
    let letters =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let (stem, table) = (letters(&keys::words(column)), letters(table));
    if stem.is_empty() {
        return false;
    }
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

//! Sources beside the foreign keys of a table itself, for a file that is only being written: over tables without a tenant column, of polymorphic
//! columns, and by tenants of which several may point at one row.

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::class::polymorphic_pairs;
use tenant_inventory::{Catalog, Column, TableFacts, TenantTable};
use tenant_rls::{Database, Error as RlsError, Fault, fault_of};

use crate::error::{Error, Result};
use crate::plan::BackfillPlan;
use crate::suggest::keys::tenants_pointing_here;
use crate::suggest::measure;
use crate::suggest::notes::{SuggestNote, polymorphic};
use crate::suggest::reader::TableReader;
use crate::suggest::report::{Basis, SourceSuggestion};
use crate::suggest::ways::ways;

/// The timeout of a query: somebody waits for the file.
const TIMEOUT: &str = "5s";

/// What a table has beside the sources by its own foreign keys.
#[derive(Debug, Clone)]
pub struct SourcesBesideKeys {
    /// The table.
    pub table: TableName,
    /// The sources. Of polymorphic columns there is one for each kind of which enough values are keys of a table.
    pub sources: Vec<SourceSuggestion>,
    /// Polymorphic columns without a source.
    pub notes: Vec<SuggestNote>,
}

/// Finds them for the tables of which rows could lack a tenant. Only where a table has polymorphic columns, it reads rows: by a role that is proven
/// to see all of them, where there is one, and for no more than seconds.
///
/// # Errors
/// [`RlsError::Query`] if the database cannot be read.
pub async fn sources_beside_keys(
    database: &Database,
    tenancy: &Tenancy,
    catalog: &Catalog,
    facts: &[TableFacts],
) -> Result<Vec<SourcesBesideKeys>, RlsError> {
    let facts: BTreeMap<&TableName, &TableFacts> = facts.iter().map(|table| (&table.name, table)).collect();
    let has_pair = |table: &TenantTable| {
        let names = facts.get(&table.name).into_iter().flat_map(|table| &table.columns);
        !polymorphic_pairs(names.map(|column| column.name.as_str())).is_empty()
    };
    let wanted = |table: &&TenantTable| {
        let may_lack = !table.null_rows_are_meant() && !table.column.never_null;
        let pointed_to = tenants_pointing_here(table, catalog, tenancy).iter().any(|source| source.all);
        may_lack && (has_pair(table) || pointed_to || !ways(table, catalog, &facts).is_empty())
    };
    let tables: Vec<&TenantTable> = catalog.tables.iter().filter(wanted).collect();
    let mut columns = BTreeMap::new();
    for table in catalog.tables.iter().filter(|_| !tables.is_empty()) {
        columns.insert(table.name.clone(), Column::all(database, &table.name).await?);
    }
    let reader = TableReader { database, tenancy, catalog, columns, facts };
    let mut found = Vec::new();
    for table in tables {
        match reader.beside_keys(table).await {
            Ok(beside) => found.push(beside),
            Err(Error::Database(error)) => return Err(error),
            // A table that cannot be backfilled needs no source, and one that cannot work is no proposal.
            Err(_) => {}
        }
    }
    found.retain(|found| !found.sources.is_empty() || !found.notes.is_empty());
    Ok(found)
}

impl TableReader<'_> {
    async fn beside_keys(&self, table: &TenantTable) -> Result<SourcesBesideKeys> {
        BackfillPlan::bare(self.catalog, self.tenancy, &table.name.to_string())?;
        let known = self.known(table, &ways(table, self.catalog, &self.facts));
        let kinds = self.kinds(table, &known).await?;
        let (over_others, own): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|source| source.basis == Basis::Hops && !source.declared);
        let names: BTreeSet<String> = own.iter().map(|source| source.rule.name.clone()).collect();
        let is_new = |guess: &SourceSuggestion| !own.iter().any(|source| self.same(&source.rule, &guess.rule));
        let tenants = tenants_pointing_here(table, self.catalog, self.tenancy).into_iter().filter(|source| source.all);
        let tenants = tenants.map(|rule| self.suggestion(table, rule, Basis::PointedTo, false));
        let found = over_others.into_iter().chain(kinds.into_iter().chain(tenants).filter(is_new)).collect();
        let (sources, _) = self.usable_beside(table, found, names)?;
        let told = |id: &str| own.iter().chain(&sources).any(|source| source.rule.column == id);
        let pairs = polymorphic(&self.columns[&table.name]).into_iter().filter(|(_, id)| !told(id));
        let notes = pairs.map(|(type_column, id_column)| SuggestNote::Polymorphic { type_column, id_column }).collect();
        Ok(SourcesBesideKeys { table: table.name.clone(), sources, notes })
    }

    /// The sources of polymorphic columns; none where rows are hidden, or there are too many of them.
    async fn kinds(&self, table: &TenantTable, known: &[SourceSuggestion]) -> Result<Vec<SourceSuggestion>> {
        let mut open = self.open_columns(table, known);
        open.retain(|open| open.kind.is_some());
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let guessed = async {
            let mut audit = match self.audit(table, &[], &open).await {
                Err(Error::Database(RlsError::CannotSee(_))) => {
                    open = self.without_hidden(open).await?;
                    self.audit(table, &[], &open).await?
                }
                begun => begun?,
            };
            measure::limit(&mut audit, TIMEOUT).await?;
            let guessed = self.guesses(&mut audit, table, &open).await?;
            audit.close().await?;
            Ok(guessed)
        };
        match guessed.await {
            // What cannot be read is no reason to write no file: its columns are named all the same.
            Err(Error::Database(error)) if fault_of(&error) != Fault::Connection => Ok(Vec::new()),
            done => done,
        }
    }
}

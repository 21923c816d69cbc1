//! The suggestion for one table: its own sources first, then what points at it, and what is no source yet.

use tenancy_config::TableName;
use tenancy_config::tenancy::SourceRule;
use tenant_inventory::TenantTable;
use tenant_rls::Error as RlsError;

use crate::error::{Error, Result};
use crate::plan::BackfillPlan;
use crate::suggest::keys::short_name;
use crate::suggest::measure;
use crate::suggest::notes::{self, SuggestNote};
use crate::suggest::pointing;
use crate::suggest::rank::rank;
use crate::suggest::reader::TableReader;
use crate::suggest::report::{SourceSuggestion, TableSuggestion};
use crate::suggest::ways::{Way, ways};

/// Below this many rows a table that points here is read without an index.
const FEW_ROWS: f32 = 10_000.0;

impl TableReader<'_> {
    pub(super) async fn table(&self, table: &TenantTable, plan: BackfillPlan) -> Result<TableSuggestion> {
        let mut suggestion = TableSuggestion {
            table: table.name.clone(),
            name: short_name(&table.name, self.tenancy),
            rows_without: None,
            rows_with: None,
            sources: Vec::new(),
            notes: notes::several_columns(table, self.catalog),
        };
        let ways = ways(table, self.catalog, &self.facts);
        let (mut found, mut hidden) = self.found(table, &ways).await?;
        let mut told = &ways[..];
        // Rows on a way may be hidden where those of the other sources are not.
        if hidden.is_some() && !ways.is_empty() {
            told = &[];
            (found, hidden) = self.found(table, told).await?;
        }
        let is_told = |way: &Way<'_>| !told.is_empty() && way.source(self.tenancy).is_some();
        suggestion.notes.extend(ways.iter().filter(|way| !is_told(way)).filter_map(Way::note));
        self.add_polymorphic(table, &found, &mut suggestion);
        let sources;
        (found, sources) = self.usable(table, found)?;
        suggestion.sources = found;
        let plan = BackfillPlan { sources, ..plan };
        let measured = match hidden {
            Some(error) => Err(error),
            None if plan.sources.is_empty() => Ok(()),
            None => self.measure(&mut suggestion, &plan, table.estimated_rows).await,
        };
        match measured {
            Ok(()) => self.add_pointing(table, &mut suggestion, &plan).await?,
            Err(Error::Database(RlsError::CannotSee(obstacles))) => {
                suggestion.notes.push(SuggestNote::Hidden { obstacles });
            }
            Err(error) => return Err(error),
        }
        rank(&mut suggestion);
        Ok(suggestion)
    }

    /// The sources that are known, and guesses by what columns hold; without these where rows are hidden, with the reason if rows of
    /// known sources are.
    pub(super) async fn found(
        &self,
        table: &TenantTable,
        ways: &[Way<'_>],
    ) -> Result<(Vec<SourceSuggestion>, Option<Error>)> {
        let mut found = self.known(table, ways);
        let mut asked = self.open_columns(table, &found);
        let mut begun = self.audit(table, &found, &asked).await;
        if let Err(Error::Database(RlsError::CannotSee(_))) = &begun {
            asked = self.without_hidden(asked).await?;
            begun = self.audit(table, &found, &asked).await;
        }
        match begun {
            Ok(mut audit) => {
                measure::limit(&mut audit, measure::TIMEOUT).await?;
                found.extend(self.guesses(&mut audit, table, &asked).await?);
                audit.close().await?;
                Ok((found, None))
            }
            // The auditor may read the columns of plans, and no others.
            Err(Error::Database(RlsError::CannotSee(_))) => match self.audit(table, &found, &[]).await {
                Ok(audit) => {
                    audit.close().await?;
                    Ok((found, None))
                }
                Err(error @ Error::Database(RlsError::CannotSee(_))) => Ok((found, Some(error))),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Says of polymorphic columns that are no source what they need.
    pub(super) fn add_polymorphic(
        &self,
        table: &TenantTable,
        found: &[SourceSuggestion],
        suggestion: &mut TableSuggestion,
    ) {
        let known = |column: &str| found.iter().any(|source| source.rule.column == column);
        let open = notes::polymorphic(&self.columns[&table.name]).into_iter().filter(|(_, id)| !known(id));
        suggestion
            .notes
            .extend(open.map(|(type_column, id_column)| SuggestNote::Polymorphic { type_column, id_column }));
    }

    /// Adds sources by rows that point here and by memberships, where the others leave rows without a tenant.
    pub(super) async fn add_pointing(
        &self,
        table: &TenantTable,
        suggestion: &mut TableSuggestion,
        plan: &BackfillPlan,
    ) -> Result<()> {
        let best = suggestion.sources.iter().filter_map(|source| source.resolves).max().unwrap_or(0);
        if suggestion.rows_without.is_some_and(|rows| rows == best) {
            return Ok(());
        }
        let forward: Vec<SourceRule> = suggestion.sources.iter().map(|source| source.rule.clone()).collect();
        let mut pointing = pointing::memberships(table, &forward, self.catalog, self.tenancy);
        pointing.extend(pointing::pointing_here(table, self.catalog, self.tenancy));
        let mut found = Vec::new();
        for (rule, basis) in
            pointing.into_iter().filter(|(rule, _)| !forward.iter().any(|known| self.same(known, rule)))
        {
            let other = TableName::parse(&rule.table, &self.tenancy.database.schema)?;
            if self.is_slow(&other, &rule.key) {
                let note = SuggestNote::NoIndex { table: other, column: rule.key };
                suggestion.notes.extend((!suggestion.notes.contains(&note)).then_some(note));
                continue;
            }
            // Of the key itself it says nothing that it cannot be NULL.
            found.push(SourceSuggestion { not_null: false, ..self.suggestion(table, rule, basis, false) });
        }
        if found.is_empty() {
            return Ok(());
        }
        let names = suggestion.sources.iter().map(|source| source.rule.name.clone()).collect();
        let (found, sources) = self.usable_beside(table, found, names)?;
        let mut more = TableSuggestion { sources: found, notes: Vec::new(), ..suggestion.clone() };
        let plan = BackfillPlan { sources, tie_breakers: Vec::new(), ..plan.clone() };
        match self.measure(&mut more, &plan, table.estimated_rows).await {
            Ok(()) => {}
            // What is hidden from every role is no proposal.
            Err(Error::Database(RlsError::CannotSee(_))) => return Ok(()),
            Err(error) => return Err(error),
        }
        more.sources.retain(|source| source.resolves.is_some_and(|rows| rows > 0));
        (suggestion.rows_without, suggestion.rows_with) = (more.rows_without, more.rows_with);
        suggestion.sources.extend(more.sources);
        Ok(())
    }

    /// Whether a column of another table has no index that leads with it, and too many rows to be read for each row of this one.
    pub(super) fn is_slow(&self, table: &TableName, column: &str) -> bool {
        let indexed = self
            .columns
            .get(table)
            .is_some_and(|columns| columns.iter().any(|found| found.name.as_str() == column && found.is_indexed));
        !indexed && self.catalog.table(table).is_ok_and(|table| table.estimated_rows > FEW_ROWS)
    }
}

//! Suggests sources for each table: foreign keys, existing rules, and columns whose values are keys.

mod keys;
mod measure;
mod notes;
mod pointing;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::tenancy::SourceRule;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{Catalog, Column, TableFacts, TenantTable, read_all_tables};
use tenant_rls::{Access, AuditTx, Database, Error as RlsError, TenantColumnType, visibility};

use crate::error::{Error, Result};
use crate::plan::BackfillPlan;
use crate::plan::source::{Source, source};
use crate::suggest::measure::KeyedTable;

pub use keys::{short_name, sources_from_keys};
pub use notes::SuggestNote;
pub use report::{Basis, SourceSuggestion, SuggestReport, TableSuggestion, UnsuitableTable};

/// The least share for a proposal, in percent of matching values and of agreeing rows.
const PROPOSED_FROM: u64 = 90;

/// The least number of distinct values for a proposed guess, as one or two can match by chance.
const PROPOSED_FROM_VALUES: u64 = 5;

/// The least share of matching values for a guess, in percent.
const GUESSED_FROM: u64 = 50;

/// Below this many rows a table that points here is read without an index.
const FEW_ROWS: f32 = 10_000.0;

/// Examines every tenant table whose rows could lack a tenant. It reads a bounded sample of each, by a role that is proven to
/// see every row; where there is none for a table, that is said, and its sources are not compared with rows.
///
/// # Errors
/// [`tenant_rls::Error::CannotSee`] if there is no such role for any table; [`Error::Unsuitable`] if a rule of
/// `tenancy.toml` cannot work; [`Error::Database`] if the database cannot be read.
pub async fn suggest(database: &Database, tenancy: &Tenancy) -> Result<SuggestReport> {
    let catalog = Catalog::load(database, tenancy).await?;
    let mut columns = BTreeMap::new();
    for table in &catalog.tables {
        columns.insert(table.name.clone(), Column::all(database, &table.name).await?);
    }
    let facts = read_all_tables(database, tenancy).await?;
    let facts = facts.iter().map(|table| (&table.name, table)).collect();
    let reader = TableReader { database, tenancy, catalog: &catalog, columns, facts };
    let mut report = SuggestReport { schema: "backfill-suggest/1", tables: Vec::new(), unsuitable: Vec::new() };
    let wants_tenants = |table: &&TenantTable| !table.null_rows_are_meant() && !table.column.never_null;
    for table in catalog.tables.iter().filter(wants_tenants) {
        match BackfillPlan::bare(&catalog, tenancy, &table.name.to_string()) {
            Ok(plan) => report.tables.push(reader.table(table, plan).await?),
            Err(Error::Unsuitable { table, why }) => report.unsuitable.push(UnsuitableTable { table, why }),
            Err(error) => return Err(error),
        }
    }
    let hidden = |table: &TableSuggestion| table.notes.iter().any(|note| matches!(note, SuggestNote::Hidden { .. }));
    if let Some(table) = report.tables.first().filter(|_| report.tables.iter().all(hidden)) {
        let plan = BackfillPlan::bare(&catalog, tenancy, &table.table.to_string())?;
        crate::survey::open(database, tenancy, &plan).await?.close().await?;
    }
    Ok(report)
}

struct TableReader<'a> {
    database: &'a Database,
    tenancy: &'a Tenancy,
    catalog: &'a Catalog,
    columns: BTreeMap<TableName, Vec<Column>>,
    facts: BTreeMap<&'a TableName, &'a TableFacts>,
}

impl TableReader<'_> {
    async fn table(&self, table: &TenantTable, plan: BackfillPlan) -> Result<TableSuggestion> {
        let mut suggestion = TableSuggestion {
            table: table.name.clone(),
            name: short_name(&table.name, self.tenancy),
            rows_without: None,
            rows_with: None,
            sources: Vec::new(),
            notes: notes::several_columns(table, self.catalog),
        };
        suggestion.notes.extend(notes::hops(table, self.catalog, &self.facts));
        let (mut found, hidden) = self.found(table).await?;
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
            Err(Error::Database(error @ RlsError::CannotSee(_))) => {
                suggestion.notes.push(SuggestNote::Hidden { why: error.to_string() });
            }
            Err(error) => return Err(error),
        }
        rank(&mut suggestion);
        Ok(suggestion)
    }

    /// The sources that are known, and guesses by what columns hold; without these where rows are hidden, with the reason if rows of
    /// known sources are.
    async fn found(&self, table: &TenantTable) -> Result<(Vec<SourceSuggestion>, Option<Error>)> {
        let mut found = self.known(table);
        let asked = self.open_columns(table, &found);
        match self.audit(table, &found, &asked).await {
            Ok(mut audit) => {
                measure::limit(&mut audit).await?;
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
    fn add_polymorphic(&self, table: &TenantTable, found: &[SourceSuggestion], suggestion: &mut TableSuggestion) {
        let known = |column: &str| found.iter().any(|source| source.rule.column == column);
        let open = notes::polymorphic(&self.columns[&table.name]).into_iter().filter(|(_, id)| !known(id));
        suggestion
            .notes
            .extend(open.map(|(type_column, id_column)| SuggestNote::Polymorphic { type_column, id_column }));
    }

    /// Adds sources by rows that point here and by memberships, where the others leave rows without a tenant.
    async fn add_pointing(
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
    fn is_slow(&self, table: &TableName, column: &str) -> bool {
        let indexed = self
            .columns
            .get(table)
            .is_some_and(|columns| columns.iter().any(|found| found.name.as_str() == column && found.is_indexed));
        !indexed && self.catalog.table(table).is_ok_and(|table| table.estimated_rows > FEW_ROWS)
    }

    /// The sources in `tenancy.toml` and those by foreign keys.
    fn known(&self, table: &TenantTable) -> Vec<SourceSuggestion> {
        let rules = self.tenancy.rules(&table.name).map(|rules| rules.sources.clone()).unwrap_or_default();
        let keys = sources_from_keys(table, self.catalog, self.tenancy);
        let is_key = |rule: &SourceRule| keys.iter().any(|key| self.same(key, rule));
        let mut known: Vec<SourceSuggestion> = rules
            .iter()
            .map(|rule| (rule, if is_key(rule) { Basis::ForeignKey } else { Basis::Rule }, true))
            .map(|(rule, basis, declared)| self.suggestion(table, rule.clone(), basis, declared))
            .collect();
        for key in keys.iter().filter(|key| !rules.iter().any(|rule| self.same(key, rule))) {
            known.push(self.suggestion(table, key.clone(), Basis::ForeignKey, false));
        }
        known
    }

    fn same(&self, one: &SourceRule, other: &SourceRule) -> bool {
        let table = |rule: &SourceRule| TableName::parse(&rule.table, &self.tenancy.database.schema).ok();
        (&one.column, &one.key, table(one)) == (&other.column, &other.key, table(other))
    }

    fn suggestion(&self, table: &TenantTable, rule: SourceRule, basis: Basis, declared: bool) -> SourceSuggestion {
        let column = self.columns[&table.name].iter().find(|column| column.name.as_str() == rule.column);
        SourceSuggestion {
            not_null: column.is_some_and(|column| column.not_null),
            rule,
            basis,
            declared,
            proposed: declared,
            values: None,
            values_matched: None,
            resolves: None,
            compared: None,
            agrees: None,
            reason: String::new(),
        }
    }

    /// Columns that are no known source, each with the tables whose keys it could hold.
    fn open_columns(&self, table: &TenantTable, known: &[SourceSuggestion]) -> Vec<(Ident, Vec<KeyedTable>)> {
        let is_open = |column: &&Column| {
            let name = column.name.as_str();
            !column.is_key && name != table.column.name && !known.iter().any(|source| source.rule.column == name)
        };
        let columns = self.columns[&table.name].iter().filter(is_open);
        let with_tables = columns.map(|column| (column.name.clone(), self.pointed_to(table, column)));
        with_tables.filter(|(_, tables)| !tables.is_empty()).collect()
    }

    fn pointed_to(&self, table: &TenantTable, column: &Column) -> Vec<KeyedTable> {
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

    /// Begins an audit of everything that is queried for a table.
    async fn audit(
        &self,
        table: &TenantTable,
        known: &[SourceSuggestion],
        open: &[(Ident, Vec<KeyedTable>)],
    ) -> Result<AuditTx> {
        let read = open.iter().map(|(column, _)| column.clone()).chain([Ident::new(&table.column.name)?]).collect();
        let mut access = vec![Access { table: table.name.clone(), read, write: None }];
        let others: BTreeSet<&KeyedTable> = open.iter().flat_map(|(_, others)| others).collect();
        for (other, key) in others {
            access.push(Access { table: other.clone(), read: vec![key.clone()], write: None });
        }
        let sources = known.iter().filter_map(|known| self.source(table, &known.rule).ok().flatten());
        access.extend(sources.filter_map(|source| source.pointer().map(|pointer| pointer.access())));
        let readers = visibility::readers(self.database, self.tenancy)?;
        Ok(AuditTx::begin(self.database, &access, &readers, None).await?)
    }

    /// The source of a rule; none if this database does not have its table.
    fn source(&self, table: &TenantTable, rule: &SourceRule) -> Result<Option<Source>> {
        match source(self.catalog, self.tenancy, &table.name, rule) {
            Ok(source) => Ok(Some(source)),
            Err(Error::NoSuchSource { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn guesses(
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

    /// The suggestions whose tables exist, with unique names, and their sources.
    fn usable(
        &self,
        table: &TenantTable,
        found: Vec<SourceSuggestion>,
    ) -> Result<(Vec<SourceSuggestion>, Vec<Source>)> {
        self.usable_beside(table, found, BTreeSet::new())
    }

    /// The same beside sources with these names.
    fn usable_beside(
        &self,
        table: &TenantTable,
        found: Vec<SourceSuggestion>,
        mut names: BTreeSet<String>,
    ) -> Result<(Vec<SourceSuggestion>, Vec<Source>)> {
        let (mut usable, mut sources) = (Vec::<SourceSuggestion>::new(), Vec::new());
        for mut suggestion in found {
            if names.contains(&suggestion.rule.name) {
                suggestion.rule.name = format!("{} in {}", suggestion.rule.name, suggestion.rule.table);
            }
            let Some(source) = self.source(table, &suggestion.rule)? else { continue };
            names.insert(suggestion.rule.name.clone());
            usable.push(suggestion);
            sources.push(source);
        }
        Ok((usable, sources))
    }

    /// Measures the sources, unless that takes too long.
    async fn measure(&self, suggestion: &mut TableSuggestion, plan: &BackfillPlan, estimated_rows: f32) -> Result<()> {
        let mut audit = crate::survey::open(self.database, self.tenancy, plan).await?;
        measure::limit(&mut audit).await?;
        let measured = match measure::sources(&mut audit, plan, estimated_rows).await {
            Ok(measured) => measured,
            Err(Error::Database(error)) if is_timeout(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        audit.close().await?;
        suggestion.rows_without = Some(measured.rows_without);
        suggestion.rows_with = Some(measured.rows_with);
        for (at, source) in suggestion.sources.iter_mut().enumerate() {
            source.resolves = measured.resolves.get(at).copied();
            source.compared = measured.compared.get(at).copied();
            source.agrees = measured.agrees.get(at).copied();
        }
        Ok(())
    }
}

fn is_timeout(error: &RlsError) -> bool {
    error.sqlstate() == Some("57014")
}

/// Marks the sources that are good enough, and sorts the best first.
fn rank(table: &mut TableSuggestion) {
    for source in &mut table.sources {
        let agrees = source.agreement().is_none_or(|share| share >= PROPOSED_FROM);
        let matches = match (source.values_matched, source.values) {
            (Some(matched), Some(values)) => {
                values >= PROPOSED_FROM_VALUES && report::percent(matched, values) >= Some(PROPOSED_FROM)
            }
            _ => true,
        };
        source.proposed = agrees && matches;
        source.reason = source.words(table.rows_without);
    }
    demote(&mut table.sources);
    table.sources.sort_by_key(|source| {
        let worse = (!source.proposed, source.basis == Basis::Guess, 100 - source.agreement().unwrap_or(100));
        (worse, std::cmp::Reverse(source.resolves), !source.not_null)
    });
}

/// Proposes sources by rows that point here, and memberships, only where they tell more than each source of this table itself.
fn demote(sources: &mut [SourceSuggestion]) {
    let is_own = |source: &SourceSuggestion| !matches!(source.basis, Basis::PointedTo | Basis::Membership);
    let own = sources.iter().filter(|source| is_own(source) && source.proposed);
    let most = own.filter_map(|source| source.resolves).max().unwrap_or(0);
    for source in sources.iter_mut().filter(|source| !is_own(source) && !source.declared) {
        source.proposed &= source.resolves > Some(most);
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

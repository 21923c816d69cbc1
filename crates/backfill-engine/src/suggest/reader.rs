//! What is known of a table: its sources by rules and foreign keys, and what they answer.

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::tenancy::SourceRule;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{Catalog, Column, TableFacts, TenantTable};
use tenant_rls::{Access, AuditTx, Database, Error as RlsError, visibility};

use crate::error::{Error, Result};
use crate::plan::BackfillPlan;
use crate::plan::source::{Source, source};
use crate::suggest::keys::sources_from_keys;
use crate::suggest::measure::{self, KeyedTable, OpenColumn};
use crate::suggest::report::{Basis, SourceSuggestion, TableSuggestion};
use crate::suggest::ways::Way;

/// Reads the tables of one database.
pub(super) struct TableReader<'a> {
    pub(super) database: &'a Database,
    pub(super) tenancy: &'a Tenancy,
    pub(super) catalog: &'a Catalog,
    pub(super) columns: BTreeMap<TableName, Vec<Column>>,
    pub(super) facts: BTreeMap<&'a TableName, &'a TableFacts>,
}

impl TableReader<'_> {
    /// The sources in `tenancy.toml` and those by foreign keys, of this table and of those on the `ways` from it.
    pub(super) fn known(&self, table: &TenantTable, ways: &[Way<'_>]) -> Vec<SourceSuggestion> {
        let rules = self.tenancy.rules(&table.name).map(|rules| rules.sources.clone()).unwrap_or_default();
        let keys = sources_from_keys(table, self.catalog, self.tenancy).into_iter().map(|key| (key, Basis::ForeignKey));
        let over_others = ways.iter().filter_map(|way| Some((way.source(self.tenancy)?, Basis::Hops)));
        let keys: Vec<(SourceRule, Basis)> = keys.chain(over_others).collect();
        let basis = |rule: &SourceRule| {
            keys.iter().find(|(key, _)| self.same(key, rule)).map_or(Basis::Rule, |(_, basis)| *basis)
        };
        let mut known: Vec<SourceSuggestion> =
            rules.iter().map(|rule| self.suggestion(table, rule.clone(), basis(rule), true)).collect();
        for (key, basis) in keys.iter().filter(|(key, _)| !rules.iter().any(|rule| self.same(key, rule))) {
            known.push(self.suggestion(table, key.clone(), *basis, false));
        }
        known
    }

    pub(super) fn same(&self, one: &SourceRule, other: &SourceRule) -> bool {
        let table = |name: &str| TableName::parse(name, &self.tenancy.database.schema).ok();
        let same_way = one.through.len() == other.through.len()
            && one.through.iter().zip(&other.through).all(|(one, other)| {
                (table(&one.table), &one.key, &one.column) == (table(&other.table), &other.key, &other.column)
            });
        same_way
            && (&one.column, &one.key, table(&one.table), &one.when)
                == (&other.column, &other.key, table(&other.table), &other.when)
    }

    pub(super) fn suggestion(
        &self,
        table: &TenantTable,
        rule: SourceRule,
        basis: Basis,
        declared: bool,
    ) -> SourceSuggestion {
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

    /// Begins an audit of everything that is queried for a table.
    pub(super) async fn audit(
        &self,
        table: &TenantTable,
        known: &[SourceSuggestion],
        open: &[OpenColumn],
    ) -> Result<AuditTx> {
        let read = open.iter().flat_map(|open| [&open.column].into_iter().chain(&open.kind)).cloned();
        let read = read.chain([Ident::new(&table.column.name)?]).collect();
        let mut access = vec![Access { table: table.name.clone(), read, write: None }];
        let others: BTreeSet<&KeyedTable> = open.iter().flat_map(|open| &open.tables).collect();
        for KeyedTable { table, key, .. } in others {
            access.push(Access { table: table.clone(), read: vec![key.clone()], write: None });
        }
        let sources = known.iter().filter_map(|known| self.source(table, &known.rule).ok().flatten());
        let pointers = sources.filter_map(|source| source.pointer().cloned());
        access.extend(pointers.flat_map(|pointer| pointer.access().collect::<Vec<_>>()));
        let readers = visibility::readers(self.database, self.tenancy)?;
        Ok(AuditTx::begin(self.database, &access, &readers, None).await?)
    }

    /// The columns without the tables whose keys are hidden from every role, if that is why nobody may read all of them.
    pub(super) async fn without_hidden(&self, open: Vec<OpenColumn>) -> Result<Vec<OpenColumn>> {
        let tables: BTreeSet<KeyedTable> = open.iter().flat_map(|open| open.tables.iter().cloned()).collect();
        let mut hidden = BTreeSet::new();
        for KeyedTable { table, key, .. } in tables {
            let access = [Access { table: table.clone(), read: vec![key], write: None }];
            match visibility::reader(self.database, self.tenancy, &access).await {
                Ok(_) => {}
                Err(RlsError::CannotSee(_)) => drop(hidden.insert(table)),
                Err(error) => return Err(error.into()),
            }
        }
        let seen = open.into_iter().map(|mut open| {
            open.tables.retain(|other| !hidden.contains(&other.table));
            open
        });
        Ok(seen.filter(|open| !open.tables.is_empty()).collect())
    }

    /// The source of a rule; none if this database does not have its table.
    pub(super) fn source(&self, table: &TenantTable, rule: &SourceRule) -> Result<Option<Source>> {
        match source(self.catalog, self.tenancy, &table.name, rule) {
            Ok(source) => Ok(Some(source)),
            Err(Error::NoSuchSource { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The suggestions whose tables exist, with unique names, and their sources.
    pub(super) fn usable(
        &self,
        table: &TenantTable,
        found: Vec<SourceSuggestion>,
    ) -> Result<(Vec<SourceSuggestion>, Vec<Source>)> {
        self.usable_beside(table, found, BTreeSet::new())
    }

    /// The same beside sources with these names.
    pub(super) fn usable_beside(
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
            let source = match self.source(table, &suggestion.rule) {
                // What was only found is no proposal where it cannot work.
                Err(Error::Unsuitable { .. }) if !suggestion.declared => None,
                source => source?,
            };
            let Some(source) = source else { continue };
            names.insert(suggestion.rule.name.clone());
            usable.push(suggestion);
            sources.push(source);
        }
        Ok((usable, sources))
    }

    /// Measures the sources, unless that takes too long.
    pub(super) async fn measure(
        &self,
        suggestion: &mut TableSuggestion,
        plan: &BackfillPlan,
        estimated_rows: f32,
    ) -> Result<()> {
        let mut audit = crate::survey::open(self.database, self.tenancy, plan).await?;
        measure::limit(&mut audit, measure::TIMEOUT).await?;
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

//! The whole proposal: the tenancy with its tables, and what is said beside it.

use std::collections::BTreeMap;

use backfill_engine::{short_name, sources_beside_keys, sources_from_keys};
use tenancy_config::tenancy::{LogMessages, Notes, TableRules};
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::class::Class;
use tenant_inventory::{Catalog, TenantTable, dependent_ways, read_all_tables};
use tenant_rls::Database;

use crate::answers::{Answers, Question};
use crate::draft;
use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::proposed::plain;
use crate::registry::{rivals, tenant_columns};
use crate::session::session;
use crate::table_writer::TableWriter;

/// What the file is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its keys.
    pub tenancy: Tenancy,
    /// Its comments.
    pub notes: Notes,
    /// Tables of the database, without those of extensions.
    pub tables: usize,
}

impl Proposal {
    /// The text of the file.
    pub fn text(&self) -> String {
        self.tenancy.annotated_with(&self.notes)
    }
}

/// A proposal, or what must be answered before there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one in a process")]
pub enum ProposalOrQuestion {
    /// Everything that can be known is.
    Proposed(Proposal),
    /// Somebody must say, or leave it unanswered.
    Ask(Question),
}

/// Proposes a file. `base` is the file in use, or the default application, whose rules are kept for tables that are there; `schema` is the one
/// that somebody named.
///
/// # Errors
/// [`Error`]: no table belongs to tenants, a name that was given is not there, or the database cannot be read.
pub async fn propose(
    database: &Database,
    base: &Tenancy,
    answers: &Answers,
    schema: Option<&str>,
) -> Result<ProposalOrQuestion> {
    let facts = Facts::read(database, base).await?;
    let registry = match draft::choose(&facts, answers, base, schema)? {
        Ok(registry) => registry,
        Err(question) => return Ok(ProposalOrQuestion::Ask(question)),
    };
    let (mut tenancy, mut notes) = (base.clone(), Notes::default());
    tenancy.tables.clear();
    tenancy.columns = tenant_columns(&facts, registry);
    if tenancy.columns.is_empty() {
        return Err(no_tenants(schema));
    }
    if base.log.messages == LogMessages::default() && is_another_application(&facts) {
        tenancy.log.messages = LogMessages::none();
    }
    if let Some(table) = registry {
        tenancy.database.schema = table.name.schema().to_string();
        tenancy.tenant.table = short_name(&table.name, &tenancy);
        notes.tenant.extend(rivals(&facts, &table.name).iter().map(|rival| {
            let called = short_name(&rival.table, &tenancy);
            format!("{rival} may be the table of tenants as well. If each of its rows is a tenant: `init --force --tenant-table {called}`.")
        }));
        if let Some(question) = draft::describe(database, table, answers, &mut tenancy, &mut notes).await? {
            return Ok(ProposalOrQuestion::Ask(question));
        }
    } else {
        tenancy.tenant = Tenancy::default().tenant;
        draft::without_registry(&facts, &tenancy, &mut notes)?;
    }
    notes.session = match session(&facts, answers, &mut tenancy) {
        Ok(notes) => notes,
        Err(question) => return Ok(ProposalOrQuestion::Ask(question)),
    };
    if let Some(question) = draft::roles(&facts, answers, &mut tenancy, &mut notes)? {
        return Ok(ProposalOrQuestion::Ask(question));
    }
    let (catalog, all) = (Catalog::load(database, &tenancy).await?, read_all_tables(database, &tenancy).await?);
    if catalog.classified.iter().all(|table| table.class.tenant_column().is_none()) {
        return Err(no_tenants(schema));
    }
    tenancy.tables = tables(&catalog, base, &tenancy, &facts);
    let beside = sources_beside_keys(database, &tenancy, &catalog, &all).await?;
    let registry = registry.map(|table| &table.name);
    let ways = dependent_ways(&all, &tenancy)?;
    TableWriter { registry, facts: &facts, tenancy: &tenancy, ways: &ways, beside: &beside }
        .describe(&catalog.classified, &mut notes);
    Ok(ProposalOrQuestion::Proposed(Proposal { tenancy, notes, tables: facts.tables.len() }))
}

/// What a file lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Additions {
    /// The same file with the rules that foreign keys suggest for tenant tables that it does not name.
    pub tenancy: Tenancy,
    /// Comments about tables, by their names in the file: what is undecided of them.
    pub notes: BTreeMap<String, Vec<String>>,
    /// What is said of each table without a tenant column that has no section.
    pub undecided: BTreeMap<String, Vec<String>>,
}

/// What could be added to a file.
///
/// # Errors
/// The database cannot be read.
pub async fn additions(database: &Database, tenancy: &Tenancy) -> Result<Additions> {
    let (facts, catalog) = (Facts::read(database, tenancy).await?, Catalog::load(database, tenancy).await?);
    let all = read_all_tables(database, tenancy).await?;
    let (ways, beside) =
        (dependent_ways(&all, tenancy)?, sources_beside_keys(database, tenancy, &catalog, &all).await?);
    let writer = TableWriter { registry: None, facts: &facts, tenancy, ways: &ways, beside: &beside };
    let notes = catalog.classified.iter().map(|table| {
        let called = short_name(&table.table, tenancy);
        let lines = match table.class.tenant_column() {
            Some(_) => writer.more_sources(&table.table),
            None => writer.proposal(table, &called),
        };
        (called, lines)
    });
    let notes: BTreeMap<String, Vec<String>> = notes.filter(|(_, lines)| !lines.is_empty()).collect();
    let open = catalog.classified.iter().filter(|table| {
        let counts = !matches!(table.class, Class::Registry | Class::Extension { .. });
        counts && table.class.tenant_column().is_none() && tenancy.rules(&table.table).is_none()
    });
    let undecided = open.map(|table| {
        let called = short_name(&table.table, tenancy);
        let lines = notes.get(&called).cloned().unwrap_or_else(|| vec![plain(&called, &table.class)]);
        (called, lines)
    });
    let undecided = undecided.collect();
    Ok(Additions {
        undecided,
        tenancy: Tenancy { tables: tables(&catalog, tenancy, tenancy, &facts), ..tenancy.clone() },
        notes,
    })
}

/// Whether most tables of the default application are not there: what it writes into its log is then another application's.
fn is_another_application(facts: &Facts) -> bool {
    let default = Tenancy::default();
    let is_here = |name: &&String| {
        let name = TableName::parse(name, &default.database.schema).ok();
        name.is_some_and(|name| facts.table(&name).is_some())
    };
    default.tables.keys().filter(is_here).count() * 2 < default.tables.len()
}

fn no_tenants(schema: Option<&str>) -> Error {
    let place = schema.map_or("of this database".to_owned(), |schema| format!("of the schema `{schema}`"));
    Error::NoTenants { place }
}

/// The rules of each tenant table: those that are known, as far as the database has what they name, else what its foreign keys suggest.
fn tables(catalog: &Catalog, base: &Tenancy, tenancy: &Tenancy, facts: &Facts) -> BTreeMap<String, TableRules> {
    let rules = |table: &TenantTable| {
        let known = base.rules(&table.name).filter(|_| base.database.schema == tenancy.database.schema);
        let mut rules = known.cloned().unwrap_or_default();
        let has = |name: &str, column: &str| {
            let name = TableName::parse(name, &tenancy.database.schema).ok();
            name.and_then(|name| facts.table(&name)).is_some_and(|table| table.column(column).is_some())
        };
        let here = |column: &str| facts.table(&table.name).is_some_and(|table| table.column(column).is_some());
        let is_tenants = |name: &str| {
            let name = TableName::parse(name, &tenancy.database.schema).ok();
            name.is_some_and(|name| name == catalog.tenants || catalog.tables.iter().any(|table| table.name == name))
        };
        rules
            .sources
            .retain(|source| is_tenants(&source.table) && here(&source.column) && has(&source.table, &source.key));
        rules.tie_breakers.retain(|one| {
            is_tenants(&one.table) && one.equal.iter().all(|(mine, theirs)| here(mine) && has(&one.table, theirs))
        });
        if rules.sources.is_empty() {
            rules.sources = sources_from_keys(table, catalog, tenancy);
        }
        rules
    };
    // Decisions of people about tables without a tenant column.
    let decided = facts.tables.iter().filter(|_| base.database.schema == tenancy.database.schema).filter_map(|table| {
        let rules = base.rules(&table.name).filter(decided)?;
        Some((short_name(&table.name, tenancy), rules.clone()))
    });
    catalog.tables.iter().map(|table| (short_name(&table.name, tenancy), rules(table))).chain(decided).collect()
}

/// Whether people decided what a table without a tenant column is.
fn decided(rules: &&TableRules) -> bool {
    rules.exempt.is_some() || rules.through.is_some() || rules.add_column.is_some()
}

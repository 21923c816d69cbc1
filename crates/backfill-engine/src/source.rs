//! Where a row's tenant comes from: what a column points to, one tenant for all, and evidence between several tenants.

use tenancy_config::tenancy::{SourceRule, TableRules, TieBreakerRule};
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{Catalog, TenantTable};
use tenant_rls::{Access, TenantId};

use crate::{Error, Result};

/// One source.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name in reports.
    pub name: String,
    pub(crate) origin: SourceKind,
}

/// What a source asks.
#[derive(Debug, Clone)]
pub(crate) enum SourceKind {
    /// The one row that a column points to.
    Row(Pointer),
    /// All rows that a column points to; they may name several tenants.
    Rows(Pointer),
    /// Nothing: every row gets this tenant.
    Given(TenantId),
}

/// A column that points to rows which have a tenant.
#[derive(Debug, Clone)]
pub(crate) struct Pointer {
    pub(crate) via: Ident,
    pub(crate) table: TableName,
    pub(crate) key: Ident,
    pub(crate) tenant: Ident,
}

/// What decides between several tenants: the one that has a row with equal columns, if only one has.
#[derive(Debug, Clone)]
pub struct TieBreaker {
    /// Its name in reports.
    pub name: String,
    pub(crate) table: TableName,
    pub(crate) tenant: Ident,
    /// The columns that must be equal: the row's own, and that table's.
    pub(crate) equal: Vec<(Ident, Ident)>,
}

impl Source {
    /// One tenant for every row.
    pub(crate) fn given(tenant: &TenantId) -> Self {
        Self { name: format!("tenant {tenant}"), origin: SourceKind::Given(tenant.clone()) }
    }

    pub(crate) fn pointer(&self) -> Option<&Pointer> {
        match &self.origin {
            SourceKind::Row(pointer) | SourceKind::Rows(pointer) => Some(pointer),
            SourceKind::Given(_) => None,
        }
    }
}

impl Pointer {
    pub(crate) fn access(&self) -> Access {
        Access { table: self.table.clone(), read: vec![self.key.clone(), self.tenant.clone()], write: None }
    }
}

impl TieBreaker {
    pub(crate) fn access(&self) -> Access {
        let read = self.equal.iter().map(|(_, there)| there).chain([&self.tenant]).cloned().collect();
        Access { table: self.table.clone(), read, write: None }
    }
}

/// What the rules of a table come to in one database.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) sources: Vec<Source>,
    pub(crate) evidence: Vec<TieBreaker>,
}

impl Found {
    /// Looks the rules of `table` up.
    ///
    /// # Errors
    /// [`Error::NoSuchSource`] for a rule whose table this database does not have; [`Error::Unsuitable`] for one whose answers would not
    /// be one tenant a row, or would depend on the order in which rows are done.
    pub(crate) fn of(catalog: &Catalog, tenancy: &Tenancy, table: &TableName, rules: &TableRules) -> Result<Self> {
        let mut found = Self::default();
        for rule in &rules.sources {
            found.sources.push(source(catalog, tenancy, table, rule)?);
        }
        for rule in &rules.tie_breakers {
            found.evidence.push(evidence(catalog, tenancy, table, rule)?);
        }
        found.check_order(table)?;
        Ok(found)
    }

    /// Evidence in the table itself must not come from the run that reads it. That holds where its columns decide everything else,
    /// which is asked before it: rows that are evidence for each other then have the same sources and the same other evidence,
    /// so the one that is written first gets what the others get.
    fn check_order(&self, table: &TableName) -> Result<()> {
        let pointers = self.sources.iter().filter_map(Source::pointer).map(|pointer| &pointer.via);
        let compared = self.evidence.iter().flat_map(|evidence| &evidence.equal).map(|(here, _)| here);
        let deciding: Vec<&Ident> = pointers.chain(compared).collect();
        for (position, evidence) in (1..).zip(&self.evidence).filter(|(_, evidence)| evidence.table == *table) {
            let unequal = evidence.equal.iter().find(|(here, there)| here != there);
            let lacking = deciding.iter().find(|column| evidence.equal.iter().all(|(here, _)| here != **column));
            let must = match (unequal, lacking) {
                (Some((here, there)), _) => format!("cannot compare {here} with {there}, only with itself"),
                (_, Some(column)) => format!("must also compare {column}, which decides too"),
                _ if position < self.evidence.len() => "must stand last".to_owned(),
                _ => continue,
            };
            let why = format!(
                "the evidence `{}` is in the table itself and {must}: what a run writes would change its answers",
                evidence.name
            );
            return Err(Error::Unsuitable { table: table.clone(), why });
        }
        Ok(())
    }
}

/// The table that a rule asks. Without it rows would get a tenant to which it might have objected.
fn asked<'a>(
    catalog: &'a Catalog,
    tenancy: &Tenancy,
    own: &TableName,
    (name, table): (&str, &str),
) -> Result<&'a TenantTable> {
    catalog.table(&TableName::parse(table, &tenancy.database.schema)?).map_err(|why| Error::NoSuchSource {
        table: own.clone(),
        source_name: name.to_owned(),
        why: Box::new(why),
    })
}

/// The source that a rule describes.
pub(crate) fn source(catalog: &Catalog, tenancy: &Tenancy, own: &TableName, rule: &SourceRule) -> Result<Source> {
    let found = asked(catalog, tenancy, own, (&rule.name, &rule.table))?;
    let table = found.name.clone();
    if rule.all && table == *own {
        let why = format!(
            "the source `{}` asks all rows of the table itself: those that the run writes would change its answers",
            rule.name
        );
        return Err(Error::Unsuitable { table, why });
    }
    // A key that is not unique would count a row several times.
    if !rule.all && found.key != [rule.key.as_str()] {
        let why = format!(
            "the source `{}` refers to {table} by `{}`, which is not its primary key; `all = true` asks all such rows",
            rule.name, rule.key
        );
        return Err(Error::Unsuitable { table, why });
    }
    let pointer = Pointer {
        via: Ident::new(&rule.column)?,
        tenant: Ident::new(rule.tenant.as_deref().unwrap_or(&found.column.name))?,
        key: Ident::new(&rule.key)?,
        table,
    };
    let origin = if rule.all { SourceKind::Rows(pointer) } else { SourceKind::Row(pointer) };
    Ok(Source { name: rule.name.clone(), origin })
}

/// The evidence that a rule describes.
fn evidence(catalog: &Catalog, tenancy: &Tenancy, own: &TableName, rule: &TieBreakerRule) -> Result<TieBreaker> {
    let found = asked(catalog, tenancy, own, (&rule.name, &rule.table))?;
    let table = found.name.clone();
    let tenant = Ident::new(rule.tenant.as_deref().unwrap_or(&found.column.name))?;
    let equal = rule.equal.iter().map(|(here, there)| Ok((Ident::new(here)?, Ident::new(there)?)));
    let equal = equal.collect::<Result<_>>()?;
    Ok(TieBreaker { name: rule.name.clone(), table, tenant, equal })
}

//! The sources of a row's tenant, and the tie-breakers between several tenants.

use tenancy_config::tenancy::{HopRule, SourceRule, TableRules, TieBreakerRule};
use tenancy_config::{Ident, TableName, Tenancy, closest};
use tenant_inventory::Catalog;
use tenant_rls::{Access, TenantId};

use crate::error::{Error, Result};
use crate::finding::AbsentSource;
use crate::plan::cast::Cast;
use crate::plan::target::RuleOf;
use crate::unsuitable::{TieBreakerDuty, Unsuitable};

/// A source of the tenant.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name in reports.
    pub name: String,
    pub(crate) kind: SourceKind,
}

/// How a source finds the tenant.
#[derive(Debug, Clone)]
pub(crate) enum SourceKind {
    /// By the one row that a column points to.
    Row(Pointer),
    /// By all rows that a column points to, which may have several tenants.
    Rows(Pointer),
    /// Not at all: every row gets this tenant.
    Given(TenantId),
    /// By the value that the row itself has in the place of a tenant's key.
    Mapped(Mapping),
}

/// What values that are no tenant's key are to become: a tenant, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping(Vec<(String, Option<TenantId>)>);

impl Mapping {
    /// A mapping of these values, each of which is there once.
    pub fn new(pairs: Vec<(String, Option<TenantId>)>) -> Self {
        Self(pairs)
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(value, _)| value.as_str())
    }

    /// The tenants, in the order of the values; the empty string for nothing.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, tenant)| tenant.as_ref().map_or("", TenantId::as_str))
    }

    /// Whether a value is to become NULL.
    pub(crate) fn has_null(&self) -> bool {
        self.0.iter().any(|(_, tenant)| tenant.is_none())
    }

    fn names(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(value, tenant)| {
            let tenant = tenant.as_ref().map_or_else(|| "NULL".to_owned(), ToString::to_string);
            format!("{value:?} to {tenant}")
        })
    }
}

/// A column that points to rows with a tenant.
#[derive(Debug, Clone)]
pub(crate) struct Pointer {
    pub(crate) via: Ident,
    /// How that column is compared with the key of the first table on the way.
    pub(crate) cast: Cast,
    pub(crate) table: TableName,
    pub(crate) key: Ident,
    pub(crate) tenant: Ident,
    /// How the tenant there is compared with the key of the tenant table.
    pub(crate) tenant_cast: Cast,
    /// Tables on the way, in order.
    pub(crate) through: Vec<Hop>,
    /// What other columns of the row must hold.
    pub(crate) when: Vec<(Ident, String)>,
}

/// A table on the way to a source.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    pub(crate) table: TableName,
    /// Its column that the one before refers to.
    pub(crate) key: Ident,
    /// Its column that points on.
    pub(crate) column: Ident,
    /// How that column is compared with the next table's.
    pub(crate) cast: Cast,
}

/// A rule that decides between several tenants: the one tenant that has a row with equal columns there wins, if it is
/// the only one.
#[derive(Debug, Clone)]
pub struct TieBreaker {
    /// Its name in reports.
    pub name: String,
    pub(crate) table: TableName,
    pub(crate) tenant: Ident,
    /// How a tenant's key is compared with that column.
    pub(crate) tenant_cast: Cast,
    pub(crate) equal: Vec<Equal>,
}

/// Two columns that must be equal for a tie-breaker.
#[derive(Debug, Clone)]
pub(crate) struct Equal {
    /// The column of the row.
    pub(crate) here: Ident,
    /// The column of the other table.
    pub(crate) there: Ident,
    /// How the former is compared with the latter.
    pub(crate) cast: Cast,
}

impl Source {
    /// A source that gives every row the same tenant.
    pub(crate) fn given(tenant: &TenantId) -> Self {
        Self { name: format!("tenant {tenant}"), kind: SourceKind::Given(tenant.clone()) }
    }

    /// A source that reads the row's own value.
    pub(crate) fn mapped(mapping: &Mapping) -> Self {
        Self { name: "value".to_owned(), kind: SourceKind::Mapped(mapping.clone()) }
    }

    /// Its names in the journal: one, but for a mapping one for each value.
    pub(crate) fn names(&self) -> Vec<String> {
        match &self.kind {
            SourceKind::Mapped(mapping) => mapping.names().collect(),
            _ => vec![self.name.clone()],
        }
    }

    pub(crate) fn pointer(&self) -> Option<&Pointer> {
        match &self.kind {
            SourceKind::Row(pointer) | SourceKind::Rows(pointer) => Some(pointer),
            SourceKind::Given(_) | SourceKind::Mapped(_) => None,
        }
    }
}

impl Pointer {
    /// What must be read of other tables.
    pub(crate) fn access(&self) -> impl Iterator<Item = Access> {
        let of_hop = |hop: &Hop| (hop.table.clone(), [hop.key.clone(), hop.column.clone()]);
        let last = (self.table.clone(), [self.key.clone(), self.tenant.clone()]);
        let all = self.through.iter().map(of_hop).chain([last]);
        all.map(|(table, columns)| Access { table, read: columns.into(), write: None })
    }

    /// The columns of the row itself that its answer depends on.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Ident> {
        [&self.via].into_iter().chain(self.when.iter().map(|(column, _)| column))
    }
}

impl TieBreaker {
    pub(crate) fn access(&self) -> Access {
        let read = self.equal.iter().map(|equal| &equal.there).chain([&self.tenant]).cloned().collect();
        Access { table: self.table.clone(), read, write: None }
    }
}

/// The rules of a table, as they apply to one database.
#[derive(Debug, Default)]
pub(crate) struct ResolvedRules {
    pub(crate) sources: Vec<Source>,
    pub(crate) tie_breakers: Vec<TieBreaker>,
    /// Rules about tables that this database lacks.
    pub(crate) absent: Vec<AbsentSource>,
}

impl ResolvedRules {
    /// Resolves the rules of `table`. Those about tables that this database lacks are left out, and told.
    ///
    /// # Errors
    /// [`Error::NoSuchSource`] if the table of a rule has no tenant column; [`Error::Unsuitable`] if the answers of a rule would
    /// not be one tenant for each row, or would depend on the order in which rows are done; [`Error::Database`] if a
    /// name is no identifier.
    pub(crate) fn of(catalog: &Catalog, tenancy: &Tenancy, table: &TableName, rules: &TableRules) -> Result<Self> {
        let mut resolved = Self::default();
        for rule in &rules.sources {
            match absent(catalog, tenancy, &rule.name, tables_of(rule))? {
                Some(absent) => resolved.absent.push(absent),
                None => resolved.sources.push(source(catalog, tenancy, table, rule)?),
            }
        }
        for rule in &rules.tie_breakers {
            match absent(catalog, tenancy, &rule.name, [rule.table.as_str()])? {
                Some(absent) => resolved.absent.push(absent),
                None => resolved.tie_breakers.push(tie_breaker(catalog, tenancy, table, rule)?),
            }
        }
        resolved.check_order(table)?;
        Ok(resolved)
    }

    /// Refuses a tie-breaker in the table itself whose answers the run could change. Its answers stay the same if its
    /// columns include all columns that decide before it. Rows that decide for each other then have the same sources
    /// and the same other tie-breakers, so that the row which is written first gets what the others get.
    fn check_order(&self, table: &TableName) -> Result<()> {
        let pointers = self.sources.iter().filter_map(Source::pointer).flat_map(Pointer::columns);
        let compared = self.tie_breakers.iter().flat_map(|tie_breaker| &tie_breaker.equal).map(|equal| &equal.here);
        let deciding: Vec<&Ident> = pointers.chain(compared).collect();
        for (position, tie_breaker) in
            (1..).zip(&self.tie_breakers).filter(|(_, tie_breaker)| tie_breaker.table == *table)
        {
            let unequal = tie_breaker.equal.iter().find(|equal| equal.here != equal.there);
            let lacking = deciding.iter().find(|column| tie_breaker.equal.iter().all(|equal| equal.here != ***column));
            let must = match (unequal, lacking) {
                (Some(Equal { here, there, .. }), _) => {
                    TieBreakerDuty::CompareWithItself { column: here.to_string(), with: there.to_string() }
                }
                (_, Some(column)) => TieBreakerDuty::CompareToo { column: column.to_string() },
                _ if position < self.tie_breakers.len() => TieBreakerDuty::StandLast,
                _ => continue,
            };
            let why = Unsuitable::TieBreaker { tie_breaker: tie_breaker.name.clone(), must };
            return Err(Error::Unsuitable { table: table.clone(), why: Box::new(why) });
        }
        Ok(())
    }
}

/// The tables that a source reads.
fn tables_of(rule: &SourceRule) -> impl Iterator<Item = &str> {
    rule.through.iter().map(|hop| hop.table.as_str()).chain([rule.table.as_str()])
}

/// The first of these tables that this database lacks.
fn absent<'a>(
    catalog: &Catalog,
    tenancy: &Tenancy,
    name: &str,
    tables: impl IntoIterator<Item = &'a str>,
) -> Result<Option<AbsentSource>> {
    let there = |table: &TableName| {
        catalog.table(table).is_ok() || catalog.classified.iter().any(|classified| classified.table == *table)
    };
    for table in tables {
        let table = TableName::parse(table, &tenancy.database.schema)?;
        if !there(&table) {
            let known = catalog.classified.iter().map(|known| known.table.name().as_str());
            let closest = closest(table.name().as_str(), known).map(str::to_owned);
            return Ok(Some(AbsentSource { name: name.to_owned(), table, closest }));
        }
    }
    Ok(None)
}

/// Whether each source of a table is about a table that this database lacks, with what they are about.
pub(crate) fn all_absent(
    catalog: &Catalog,
    tenancy: &Tenancy,
    rules: &TableRules,
) -> Result<Option<Vec<AbsentSource>>> {
    let mut found = Vec::new();
    for rule in &rules.sources {
        match absent(catalog, tenancy, &rule.name, tables_of(rule))? {
            Some(absent) => found.push(absent),
            None => return Ok(None),
        }
    }
    Ok((!found.is_empty()).then_some(found))
}

/// The source that a rule describes.
pub(crate) fn source(catalog: &Catalog, tenancy: &Tenancy, own: &TableName, rule: &SourceRule) -> Result<Source> {
    let of = RuleOf { catalog, tenancy, table: own, name: &rule.name };
    let target = of.target(&rule.table)?;
    let table = target.name.clone();
    if (rule.all || !rule.through.is_empty()) && table == *own {
        return Err(of.unsuitable(Unsuitable::AsksItself { source: rule.name.clone() }));
    }
    // A key that is not unique would count a row several times. On a way over other tables, all rows are asked anyway.
    if !rule.all && rule.through.is_empty() && !target.is_unique(&rule.key, catalog) {
        let (source, column) = (rule.name.clone(), rule.key.clone());
        return Err(of.unsuitable(Unsuitable::NotByKey { source, table, column }));
    }
    let tenant = rule.tenant.as_deref().unwrap_or(&target.tenant);
    let hops = rule.through.iter().map(|hop| TableName::parse(&hop.table, &tenancy.database.schema));
    let hops = hops.collect::<Result<Vec<_>, _>>()?;
    // Each table on the way with the column by which it is found, from the first to the last.
    let found_by: Vec<(&TableName, &str)> =
        hops.iter().zip(rule.through.iter().map(|hop| hop.key.as_str())).chain([(&table, rule.key.as_str())]).collect();
    let through = rule.through.iter().zip(&hops).zip(&found_by[1..]);
    let through = through.map(|((rule, table), next)| hop(of, rule, table, *next)).collect::<Result<_>>()?;
    let pointer = Pointer {
        via: Ident::new(&rule.column)?,
        cast: of.cast((own, &rule.column), found_by[0])?,
        tenant: Ident::new(tenant)?,
        tenant_cast: of.cast((&table, tenant), (&catalog.tenants, &tenancy.tenant.key))?,
        key: Ident::new(&rule.key)?,
        through,
        when: rule
            .when
            .iter()
            .map(|(column, value)| Ok((Ident::new(column)?, value.clone())))
            .collect::<Result<_>>()?,
        table,
    };
    let many = rule.all || !rule.through.is_empty();
    let kind = if many { SourceKind::Rows(pointer) } else { SourceKind::Row(pointer) };
    Ok(Source { name: rule.name.clone(), kind })
}

/// A table on the way to a source, which points to the `next` one. One of a role that nobody relies on is not read.
fn hop(of: RuleOf<'_>, hop: &HopRule, table: &TableName, next: (&TableName, &str)) -> Result<Hop> {
    let known = of.catalog.classified.iter().find(|known| known.table == *table);
    if let Some(stranger) = known.and_then(|known| known.stranger.as_ref()) {
        let (table, owner) = (stranger.table.clone(), stranger.owner.clone());
        return Err(of.unsuitable(Unsuitable::OverStranger { source: of.name.to_owned(), table, owner }));
    }
    Ok(Hop {
        table: table.clone(),
        key: Ident::new(&hop.key)?,
        column: Ident::new(&hop.column)?,
        cast: of.cast((table, &hop.column), next)?,
    })
}

/// The tie-breaker that a rule describes.
fn tie_breaker(catalog: &Catalog, tenancy: &Tenancy, own: &TableName, rule: &TieBreakerRule) -> Result<TieBreaker> {
    let of = RuleOf { catalog, tenancy, table: own, name: &rule.name };
    let target = of.target(&rule.table)?;
    let tenant = rule.tenant.as_deref().unwrap_or(&target.tenant);
    let equal = |(here, there): (&String, &String)| {
        let cast = of.cast((own, here), (&target.name, there))?;
        Ok(Equal { here: Ident::new(here)?, there: Ident::new(there)?, cast })
    };
    Ok(TieBreaker {
        name: rule.name.clone(),
        tenant: Ident::new(tenant)?,
        tenant_cast: of.cast((&catalog.tenants, &tenancy.tenant.key), (&target.name, tenant))?,
        equal: rule.equal.iter().map(equal).collect::<Result<_>>()?,
        table: target.name,
    })
}

//! What is to be backfilled: the table, and the sources of its rows' tenant, checked against the catalog.

use tenant_rls::tenancy::SourceRule;
use tenant_rls::{Access, Catalog, Ident, TableName, Tenancy, TenantTable};

use crate::{Error, Result};

/// A backfill that fits this database.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The table.
    pub table: TableName,
    pub(crate) key: Ident,
    pub(crate) column: Ident,
    pub(crate) column_type: ColumnType,
    pub(crate) tenants: TableName,
    pub(crate) tenant_key: Ident,
    /// Where the tenant comes from, best first.
    pub sources: Vec<Source>,
    /// Names of sources in `tenancy.toml` that this database does not have.
    pub missing: Vec<String>,
    /// A validated NOT NULL: there is nothing to do.
    pub(crate) never_null: bool,
}

/// Types that a tenant column may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Text,
    Varchar,
    Uuid,
    Integer,
    Bigint,
}

/// One source: a column that points to a row which has a tenant.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name in reports.
    pub name: String,
    pub(crate) via: Ident,
    pub(crate) table: TableName,
    pub(crate) key: Ident,
    pub(crate) tenant: Ident,
}

impl Plan {
    /// Checks the table and its sources against the catalog.
    ///
    /// # Errors
    /// [`tenant_rls::Error::NoTable`] where there is no such tenant table; [`Error::Unsuitable`] where it cannot be
    /// backfilled: partitioned, no single-column key, a type that is not supported, no source left.
    pub fn new(catalog: &Catalog, tenancy: &Tenancy, table: &str) -> Result<Self> {
        let name = TableName::parse(table, &tenancy.database.schema)?;
        let found = catalog.table(&name)?;
        let unsuitable = |why: String| Error::Unsuitable { table: name.clone(), why };
        if found.partitioned {
            return Err(unsuitable("it is partitioned, which this version does not backfill".into()));
        }
        let column_type = ColumnType::of(&found.column.type_name)
            .ok_or_else(|| unsuitable(format!("its tenant column has the type {}", found.column.type_name)))?;
        if catalog.tenant_key_type.as_deref().and_then(ColumnType::of).map(ColumnType::family)
            != Some(column_type.family())
        {
            let key = catalog.tenant_key_type.as_deref().unwrap_or("missing");
            return Err(unsuitable(format!(
                "its tenant column is {} and the key of {} is {key}",
                found.column.type_name, catalog.tenants
            )));
        }
        let rules = tenancy
            .tables
            .iter()
            .find(|(key, _)| TableName::parse(key, &tenancy.database.schema).is_ok_and(|key| key == name));
        let (mut sources, mut missing) = (Vec::new(), Vec::new());
        for rule in rules.map(|(_, rules)| rules.sources.as_slice()).unwrap_or_default() {
            match source(catalog, tenancy, rule)? {
                Some(source) => sources.push(source),
                None => missing.push(rule.name.clone()),
            }
        }
        if sources.is_empty() {
            return Err(unsuitable("tenancy.toml names no source for it that this database has".into()));
        }
        Ok(Self {
            key: single_key(found).map_err(unsuitable)?,
            column: Ident::new(&found.column.name)?,
            column_type,
            tenants: catalog.tenants.clone(),
            tenant_key: Ident::new(&tenancy.tenant.key)?,
            sources,
            missing,
            never_null: found.column.never_null,
            table: name,
        })
    }

    /// What the role that writes needs, of every table that a batch touches.
    pub fn access(&self) -> Vec<Access> {
        let ctid = Ident::new("ctid").expect("ctid is an identifier");
        let mut read = vec![ctid, self.key.clone(), self.column.clone()];
        read.extend(self.sources.iter().map(|source| source.via.clone()));
        let mut access = vec![Access { table: self.table.clone(), read, write: Some(self.column.clone()) }];
        for source in &self.sources {
            let read = vec![source.key.clone(), source.tenant.clone()];
            access.push(Access { table: source.table.clone(), read, write: None });
        }
        access.push(Access { table: self.tenants.clone(), read: vec![self.tenant_key.clone()], write: None });
        access
    }
}

fn single_key(table: &TenantTable) -> Result<Ident, String> {
    match table.key.as_slice() {
        [key] => Ident::new(key).map_err(|error| error.to_string()),
        [] => Err("it has no primary key, by which a row could be named in journal and review".into()),
        _ => Err("its primary key has several columns, which this version does not backfill".into()),
    }
}

/// The source that a rule describes, or `None` where this database has no such table.
fn source(catalog: &Catalog, tenancy: &Tenancy, rule: &SourceRule) -> Result<Option<Source>> {
    let table = TableName::parse(&rule.table, &tenancy.database.schema)?;
    let Ok(found) = catalog.table(&table) else { return Ok(None) };
    // A key that is not unique would count a row several times.
    if found.key != [rule.key.as_str()] {
        let why =
            format!("the source `{}` refers to {table} by `{}`, which is not its primary key", rule.name, rule.key);
        return Err(Error::Unsuitable { table, why });
    }
    Ok(Some(Source {
        name: rule.name.clone(),
        via: Ident::new(&rule.column)?,
        tenant: Ident::new(rule.tenant.as_deref().unwrap_or(&found.column.name))?,
        key: Ident::new(&rule.key)?,
        table,
    }))
}

impl ColumnType {
    fn of(name: &str) -> Option<Self> {
        match name {
            "text" => Some(Self::Text),
            "uuid" => Some(Self::Uuid),
            "integer" => Some(Self::Integer),
            "bigint" => Some(Self::Bigint),
            _ if name.starts_with("character varying") => Some(Self::Varchar),
            _ => None,
        }
    }

    /// The type to cast to, for a bind parameter that is text.
    pub(crate) fn cast(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Varchar => "varchar",
            Self::Uuid => "uuid",
            Self::Integer => "integer",
            Self::Bigint => "bigint",
        }
    }

    /// Types of one family compare by index, without a cast.
    fn family(self) -> &'static str {
        match self {
            Self::Text | Self::Varchar => "text",
            Self::Uuid => "uuid",
            Self::Integer | Self::Bigint => "integer",
        }
    }
}

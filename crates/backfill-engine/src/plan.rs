//! What is to be backfilled: the table, and the sources of its rows' tenant, checked against the catalog.

use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{Catalog, TenantTable};
use tenant_rls::{Access, Sql, Template, TenantColumnType, TenantId};

use crate::key::RowKey;
use crate::source::{Found, Source, TieBreaker};
use crate::{Error, Result};

/// A backfill that fits this database.
#[derive(Debug, Clone)]
pub struct BackfillPlan {
    /// The table.
    pub table: TableName,
    /// What is written to: the leaves of a partitioned table, else the table itself.
    pub(crate) leaves: Vec<TableName>,
    pub(crate) partitioned: bool,
    pub(crate) key: RowKey,
    pub(crate) column: Ident,
    pub(crate) column_type: TenantColumnType,
    pub(crate) tenants: TableName,
    pub(crate) tenant_key: Ident,
    /// Where the tenant comes from, best first.
    pub sources: Vec<Source>,
    /// What decides where they name several tenants, best first.
    pub evidence: Vec<TieBreaker>,
    /// A validated NOT NULL: there is nothing to do.
    pub(crate) never_null: bool,
}

impl BackfillPlan {
    /// Checks the table and its sources against the catalog.
    ///
    /// # Errors
    /// [`tenant_rls::Error::NoTable`] where there is no such tenant table; [`Error::NoSource`] where it has no source;
    /// [`Error::NoSuchSource`] where this database lacks one; [`Error::Unsuitable`] where it cannot be backfilled: partitioned by its
    /// tenant, no primary key, a type that is not supported.
    pub fn new(catalog: &Catalog, tenancy: &Tenancy, table: &str) -> Result<Self> {
        let plan = Self::bare(catalog, tenancy, table)?;
        let found = match tenancy.rules(&plan.table) {
            Some(rules) => Found::of(catalog, tenancy, &plan.table, rules)?,
            None => Found::default(),
        };
        if found.sources.is_empty() {
            return Err(Error::NoSource { table: plan.table });
        }
        Ok(Self { sources: found.sources, evidence: found.evidence, ..plan })
    }

    /// A plan that asks no source: every row gets this tenant.
    ///
    /// # Errors
    /// As [`BackfillPlan::new`], but for the sources.
    pub fn given(catalog: &Catalog, tenancy: &Tenancy, table: &str, tenant: &TenantId) -> Result<Self> {
        let plan = Self::bare(catalog, tenancy, table)?;
        Ok(Self { sources: vec![Source::given(tenant)], ..plan })
    }

    /// A plan that only knows the table.
    pub(crate) fn bare(catalog: &Catalog, tenancy: &Tenancy, table: &str) -> Result<Self> {
        let name = TableName::parse(table, &tenancy.database.schema)?;
        let found = catalog.table(&name)?;
        let unsuitable = |why: String| Error::Unsuitable { table: name.clone(), why };
        if found.partitioned_by_tenant {
            return Err(unsuitable(format!(
                "it is partitioned by {}, so that a row without a tenant stands in a partition of which its tenant is not; \
                 move such rows out by hand",
                found.column.name
            )));
        }
        if let Some(foreign) = found.leaves.iter().find(|leaf| leaf.foreign) {
            return Err(unsuitable(format!("its partition {} is a foreign table", foreign.name)));
        }
        let leaves = if found.partitioned {
            found.leaves.iter().map(|leaf| leaf.name.clone()).collect()
        } else {
            vec![name.clone()]
        };
        let column_type = TenantColumnType::of(&found.column.type_name)
            .ok_or_else(|| unsuitable(format!("its tenant column has the type {}", found.column.type_name)))?;
        if catalog.tenant_key_type.as_deref().and_then(TenantColumnType::of).map(TenantColumnType::family)
            != Some(column_type.family())
        {
            let key = catalog.tenant_key_type.as_deref().unwrap_or("missing");
            return Err(unsuitable(format!(
                "its tenant column is {} and the key of {} is {key}",
                found.column.type_name, catalog.tenants
            )));
        }
        Ok(Self {
            key: key(found).map_err(unsuitable)?,
            column: Ident::new(&found.column.name)?,
            column_type,
            tenants: catalog.tenants.clone(),
            tenant_key: Ident::new(&tenancy.tenant.key)?,
            sources: Vec::new(),
            evidence: Vec::new(),
            never_null: found.column.never_null,
            partitioned: found.partitioned,
            leaves,
            table: name,
        })
    }

    /// What statements over all its rows read: a table without those that inherit from it, or a partitioned one with its leaves.
    pub(crate) fn whole(&self) -> Sql {
        let text = if self.partitioned { ":\"table\"" } else { "ONLY :\"table\"" };
        Template::new(text).table("table", &self.table).build()
    }

    /// The names of what can decide, in the order in which the journal counts them: sources, then evidence.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let sources = self.sources.iter().map(|source| source.name.as_str());
        sources.chain(self.evidence.iter().map(|evidence| evidence.name.as_str()))
    }

    /// What the role that writes needs, of every table that a batch touches.
    pub fn access(&self) -> Vec<Access> {
        let ctid = Ident::new("ctid").expect("ctid is an identifier");
        let mut read: Vec<Ident> = [ctid, self.column.clone()].into_iter().chain(self.key.columns()).collect();
        read.extend(self.sources.iter().filter_map(Source::pointer).map(|pointer| pointer.via.clone()));
        read.extend(self.evidence.iter().flat_map(|evidence| &evidence.equal).map(|(here, _)| here.clone()));
        let written =
            |table: &TableName| Access { table: table.clone(), read: read.clone(), write: Some(self.column.clone()) };
        let mut access = vec![written(&self.table)];
        access.extend(self.leaves.iter().filter(|leaf| **leaf != self.table).map(written));
        access.extend(self.sources.iter().filter_map(Source::pointer).map(|pointer| pointer.access()));
        // Evidence in the table itself reads no more of it than was just asked for.
        let elsewhere = self.evidence.iter().filter(|evidence| evidence.table != self.table);
        access.extend(elsewhere.map(TieBreaker::access));
        access.push(Access { table: self.tenants.clone(), read: vec![self.tenant_key.clone()], write: None });
        access
    }
}

fn key(table: &TenantTable) -> Result<RowKey, String> {
    if table.key.is_empty() {
        return Err("it has no primary key, by which a row could be named in journal and review".into());
    }
    let column = |(name, kind): (&String, &String)| Ok((Ident::new(name)?, kind.clone()));
    let columns = table.key.iter().zip(&table.key_types).map(column).collect::<Result<_, tenant_rls::Error>>();
    columns.map(RowKey::new).map_err(|error| error.to_string())
}

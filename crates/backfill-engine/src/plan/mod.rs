//! The plan of a backfill: a table and the sources of its rows' tenant, checked against the catalog.

pub(crate) mod cast;
pub(crate) mod order;
pub(crate) mod row_key;
pub(crate) mod selection;
pub(crate) mod source;
mod target;

use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::class::Class;
use tenant_inventory::{Catalog, TenantTable};
use tenant_rls::{Access, KeyFamily, SessionSetting, Sql, Template, TenantColumnType, TenantId};

use crate::error::{Error, Result};
use crate::finding::AbsentSource;
use crate::plan::row_key::RowKey;
use crate::plan::selection::Selection;
use crate::plan::source::{Mapping, Pointer, ResolvedRules, Source, TieBreaker};
use crate::unsuitable::{MeantRows, Unsuitable};

/// A backfill that fits this database.
#[derive(Debug, Clone)]
pub struct BackfillPlan {
    /// The table.
    pub table: TableName,
    /// The tables that are written to: the leaves of a partitioned table, otherwise the table itself.
    pub(crate) leaves: Vec<TableName>,
    pub(crate) partitioned: bool,
    pub(crate) key: RowKey,
    pub(crate) column: Ident,
    pub(crate) column_type: TenantColumnType,
    /// The type in which tenants are compared: that of the column, or where the column is a text and the key of the tenant table another type, that one.
    pub(crate) tenant_type: TenantColumnType,
    pub(crate) tenants: TableName,
    pub(crate) tenant_key: Ident,
    /// Where a session has its tenant.
    pub(crate) setting: SessionSetting,
    /// The sources of the tenant, best first.
    pub sources: Vec<Source>,
    /// What decides if the sources name several tenants, best first.
    pub tie_breakers: Vec<TieBreaker>,
    /// Sources and tie-breakers of `tenancy.toml` about tables that this database lacks.
    pub absent: Vec<AbsentSource>,
    /// Who gets the rows for which neither decides.
    pub(crate) rest: Option<TenantId>,
    pub(crate) selection: Selection,
    /// A validated NOT NULL constraint proves that no row lacks a tenant.
    pub(crate) never_null: bool,
}

impl BackfillPlan {
    /// Checks the table and its sources against the catalog.
    ///
    /// # Errors
    /// [`tenant_rls::Error::NoTable`] if there is no such tenant table; [`Error::NoSource`] if `tenancy.toml` names no
    /// source for it, or only sources about tables that are not there; [`Error::NoSuchSource`] if the table of a source or
    /// tie-breaker has no tenant column; [`Error::Unsuitable`]
    /// if the table cannot be backfilled, such as one that is partitioned by its tenant, has no primary key, or has a
    /// tenant column of an unsupported type; [`Error::Database`] if a name is no identifier.
    pub fn new(catalog: &Catalog, tenancy: &Tenancy, table: &str) -> Result<Self> {
        let plan = Self::for_review(catalog, tenancy, table)?;
        if plan.sources.is_empty() {
            return Err(Error::NoSource { table: plan.table, absent: plan.absent });
        }
        Ok(plan)
    }

    /// The same for a table that may have no source: then people decide all of its rows.
    ///
    /// # Errors
    /// Those of [`BackfillPlan::new`], without [`Error::NoSource`].
    pub fn for_review(catalog: &Catalog, tenancy: &Tenancy, table: &str) -> Result<Self> {
        let plan = Self::bare(catalog, tenancy, table)?;
        let resolved = match tenancy.rules(&plan.table) {
            Some(rules) => ResolvedRules::of(catalog, tenancy, &plan.table, rules)?,
            None => ResolvedRules::default(),
        };
        let ResolvedRules { sources, tie_breakers, absent } = resolved;
        Ok(Self { sources, tie_breakers, absent, ..plan })
    }

    /// A plan without sources: every row gets this tenant.
    ///
    /// # Errors
    /// [`tenant_rls::Error::NoTable`] if there is no such tenant table; [`Error::Unsuitable`] if the table cannot be
    /// backfilled; [`Error::Database`] if a name is no identifier.
    pub fn given(catalog: &Catalog, tenancy: &Tenancy, table: &str, tenant: &TenantId) -> Result<Self> {
        let plan = Self::bare(catalog, tenancy, table)?;
        Ok(Self { sources: vec![Source::given(tenant)], ..plan })
    }

    /// A plan that gives the rows for which sources and tie-breakers do not decide to one tenant; with `gone`, also rows whose
    /// tenant does not exist.
    ///
    /// # Errors
    /// Those of [`BackfillPlan::for_review`]; [`Error::Unsuitable`] too if `tenancy.toml` says that rows of this table are
    /// meant to have no tenant.
    pub fn rest_to(catalog: &Catalog, tenancy: &Tenancy, table: &str, tenant: &TenantId, gone: bool) -> Result<Self> {
        let plan = Self::for_review(catalog, tenancy, table)?;
        plan.refuse_meant(catalog)?;
        let selection = if gone { Selection::WithoutOrGone } else { Selection::WithoutTenant };
        Ok(Self { rest: Some(tenant.clone()), selection, ..plan })
    }

    /// Refuses a table whose rows without a tenant are meant.
    pub(crate) fn refuse_meant(&self, catalog: &Catalog) -> Result<()> {
        if !catalog.table(&self.table)?.null_rows_are_meant() {
            return Ok(());
        }
        let class = catalog.classified.iter().find(|table| table.table == self.table).map(|table| &table.class);
        let (declared, why) = match class {
            Some(Class::Platform { why: Some(why), .. }) => (Some(MeantRows::PlatformRows), Some(why.clone())),
            Some(Class::Shared { why, .. }) => (Some(MeantRows::SharedRows), Some(why.clone())),
            _ => (None, None),
        };
        Err(unsuitable(&self.table, Unsuitable::Meant { declared, why }))
    }

    /// A plan that changes values which are no tenant's key.
    ///
    /// # Errors
    /// Those of [`BackfillPlan::given`]; [`Error::Unsuitable`] too if the tenant column cannot hold such values, or is NOT NULL and
    /// a value is to become NULL.
    pub fn map(catalog: &Catalog, tenancy: &Tenancy, table: &str, mapping: &Mapping) -> Result<Self> {
        let plan = Self::bare(catalog, tenancy, table)?;
        let column = || plan.column.to_string();
        if plan.column_type.family() != KeyFamily::Text {
            return Err(unsuitable(&plan.table, Unsuitable::NoText { column: column() }));
        }
        if mapping.has_null() && catalog.table(&plan.table)?.column.not_null {
            return Err(unsuitable(&plan.table, Unsuitable::NotNull { column: column() }));
        }
        let selection = Selection::Values(mapping.values().map(str::to_owned).collect());
        Ok(Self { sources: vec![Source::mapped(mapping)], selection, ..plan })
    }

    /// A plan of the table alone, without sources.
    pub(crate) fn bare(catalog: &Catalog, tenancy: &Tenancy, table: &str) -> Result<Self> {
        let name = TableName::parse(table, &tenancy.database.schema)?;
        let tenant_table = catalog.table(&name)?;
        let unsuitable = |why: Unsuitable| unsuitable(&name, why);
        if tenant_table.partitioned_by_tenant {
            return Err(unsuitable(Unsuitable::PartitionedByTenant { column: tenant_table.column.name.clone() }));
        }
        if let Some(foreign) = tenant_table.leaves.iter().find(|leaf| leaf.foreign) {
            return Err(unsuitable(Unsuitable::ForeignPartition { partition: foreign.name.clone() }));
        }
        let leaves = if tenant_table.partitioned {
            tenant_table.leaves.iter().map(|leaf| leaf.name.clone()).collect()
        } else {
            vec![name.clone()]
        };
        let column_type = TenantColumnType::of(&tenant_table.column.type_name)
            .ok_or_else(|| unsuitable(Unsuitable::Type { type_name: tenant_table.column.type_name.clone() }))?;
        let tenant_type = match catalog.tenant_key_type.as_deref().and_then(TenantColumnType::of) {
            Some(key) if key.family() == column_type.family() => column_type,
            // A text can hold any key, until the column gets its type.
            Some(key) if column_type.family() == KeyFamily::Text => key,
            _ => {
                return Err(unsuitable(Unsuitable::TypesDiffer {
                    column: tenant_table.column.type_name.clone(),
                    tenants: catalog.tenants.clone(),
                    key: catalog.tenant_key_type.clone(),
                }));
            }
        };
        Ok(Self {
            key: key(tenant_table).map_err(unsuitable)?,
            column: Ident::new(&tenant_table.column.name)?,
            column_type,
            tenant_type,
            tenants: catalog.tenants.clone(),
            tenant_key: Ident::new(&tenancy.tenant.key)?,
            setting: SessionSetting::of(tenancy),
            sources: Vec::new(),
            tie_breakers: Vec::new(),
            absent: Vec::new(),
            rest: None,
            selection: Selection::WithoutTenant,
            never_null: tenant_table.column.never_null,
            partitioned: tenant_table.partitioned,
            leaves,
            table: name,
        })
    }

    /// Whether the tenant column is a text, and the key of the tenant table is not.
    pub(crate) fn holds_keys_as_texts(&self) -> bool {
        self.column_type.family() != self.tenant_type.family()
    }

    /// The FROM item of statements over all rows: a table without those that inherit from it, or a partitioned table
    /// with its leaves.
    pub(crate) fn whole(&self) -> Sql {
        let text = if self.partitioned { ":\"table\"" } else { "ONLY :\"table\"" };
        Template::new(text).table("table", &self.table).build()
    }

    /// The names of sources, then tie-breakers, and what takes the rest, in the order in which the journal counts them.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        let sources = self.sources.iter().flat_map(Source::names);
        let tie_breakers = self.tie_breakers.iter().map(|tie_breaker| tie_breaker.name.clone());
        sources.chain(tie_breakers).chain(self.rest.iter().map(|tenant| format!("rest to {tenant}")))
    }

    /// The rights that the writing role needs, on every table that a batch touches.
    pub fn access(&self) -> Vec<Access> {
        let ctid = Ident::new("ctid").expect("ctid is an identifier");
        let mut read: Vec<Ident> = [ctid, self.column.clone()].into_iter().chain(self.key.columns()).collect();
        read.extend(self.sources.iter().filter_map(Source::pointer).flat_map(Pointer::columns).cloned());
        read.extend(
            self.tie_breakers.iter().flat_map(|tie_breaker| &tie_breaker.equal).map(|equal| equal.here.clone()),
        );
        let written =
            |table: &TableName| Access { table: table.clone(), read: read.clone(), write: Some(self.column.clone()) };
        let mut access = vec![written(&self.table)];
        access.extend(self.leaves.iter().filter(|leaf| **leaf != self.table).map(written));
        access.extend(self.sources.iter().filter_map(Source::pointer).flat_map(Pointer::access));
        // A tie-breaker in the table itself reads only columns that are in the list already.
        let elsewhere = self.tie_breakers.iter().filter(|tie_breaker| tie_breaker.table != self.table);
        access.extend(elsewhere.map(TieBreaker::access));
        access.push(Access { table: self.tenants.clone(), read: vec![self.tenant_key.clone()], write: None });
        access
    }

    /// The rights that a reader needs, on every table.
    pub(crate) fn read_access(&self) -> Vec<Access> {
        let mut access = self.access();
        for need in &mut access {
            need.write = None;
            // Only batches read positions.
            need.read.retain(|column| column.as_str() != "ctid");
        }
        access
    }
}

fn unsuitable(table: &TableName, why: Unsuitable) -> Error {
    Error::Unsuitable { table: table.clone(), why: Box::new(why) }
}

fn key(table: &TenantTable) -> Result<RowKey, Unsuitable> {
    if table.key.is_empty() {
        return Err(Unsuitable::NoKey);
    }
    let column = |(name, kind): (&String, &String)| Ok((Ident::new(name)?, kind.clone()));
    let columns = table.key.iter().zip(&table.key_types).map(column).collect::<Result<_, tenant_rls::Error>>();
    columns.map(RowKey::new).map_err(|error| Unsuitable::KeyName { message: error.to_string() })
}

//! The rest to one tenant: who that is, and how many rows of which kind there are.

pub(crate) mod create;

use serde::Serialize;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::Catalog;
use tenant_rls::{Database, Error as RlsError, Registry, Tenant, TenantId};

use crate::error::Result;
use crate::options::OnConflict;
use crate::plan::BackfillPlan;
use crate::plan::selection::Selection;
use crate::statements::Statements;
use crate::survey::{self, Survey};

/// Who takes the rest.
#[derive(Debug, Clone)]
pub enum RestTenant {
    /// A tenant that is there.
    There(Tenant),
    /// There is none of this name.
    Missing {
        /// The name.
        name: String,
        /// The most similar id or slug.
        closest: Option<String>,
    },
}

impl RestTenant {
    /// Looks for the tenant with this id or slug.
    ///
    /// # Errors
    /// [`RlsError::CannotSee`] if tenants are hidden from every role that may be used; [`RlsError::AmbiguousTenant`] if the
    /// name is one tenant's id and another's slug; [`RlsError::TenantId`] if it is empty or not usable;
    /// [`RlsError::Query`] if the tenant table cannot be read.
    pub async fn find(database: &Database, tenancy: &Tenancy, name: &str) -> Result<Self> {
        let mut registry = Registry::open(database, tenancy).await?;
        let found = match registry.find(name).await {
            Ok(tenant) => Self::There(tenant),
            Err(RlsError::UnknownTenant { name, closest }) => Self::Missing { name, closest },
            Err(error) => return Err(error.into()),
        };
        registry.close().await?;
        Ok(found)
    }
}

/// The rows of a table that one tenant would take, by kind, and those that its sources decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestRows {
    /// The table.
    pub table: TableName,
    /// Rows without a tenant of which the sources tell the tenant: these get that one.
    pub decided: u64,
    /// Rows without a tenant whose sources name several.
    pub conflicts: u64,
    /// Rows without a tenant of which no source tells it.
    pub unresolved: u64,
    /// Rows whose tenant does not exist, and of which the sources tell the tenant.
    pub gone_decided: u64,
    /// Rows whose tenant does not exist, and of which they do not.
    pub gone: u64,
}

impl RestRows {
    /// Counts them in one snapshot, by a role that is proven to see every row.
    ///
    /// # Errors
    /// [`RlsError::NoTable`] if there is no such tenant table; the errors of [`BackfillPlan::for_review`];
    /// [`Error::Unsuitable`](crate::Error::Unsuitable) too if rows without a tenant are meant; [`RlsError::CannotSee`] if no
    /// role sees every row.
    pub async fn count(
        database: &Database,
        tenancy: &Tenancy,
        catalog: &Catalog,
        table: &str,
        on_conflict: OnConflict,
    ) -> Result<Self> {
        let without = BackfillPlan::for_review(catalog, tenancy, table)?;
        without.refuse_meant(catalog)?;
        let all = BackfillPlan { selection: Selection::WithoutOrGone, ..without.clone() };
        let mut audit = survey::open(database, tenancy, &all).await?;
        let null = Survey::take(&mut audit, &Statements::new(&without, on_conflict)?).await?;
        let all = Survey::take(&mut audit, &Statements::new(&all, on_conflict)?).await?;
        audit.close().await?;
        let gone_decided = all.assignable - null.assignable;
        Ok(Self {
            table: without.table,
            decided: null.assignable,
            conflicts: null.conflicts,
            unresolved: null.unresolved,
            gone_decided,
            gone: all.remaining() - null.remaining() - gone_decided,
        })
    }

    /// Rows whose tenant does not exist.
    pub fn all_gone(&self) -> u64 {
        self.gone + self.gone_decided
    }

    /// Rows that the one tenant takes.
    pub fn rest(&self) -> u64 {
        self.conflicts + self.unresolved + self.gone
    }

    /// The plan that gives them to `tenant`. Where every tenant exists, no row with a value is touched, so that the maintenance
    /// role may do it.
    ///
    /// # Errors
    /// The errors of [`BackfillPlan::rest_to`].
    pub fn plan(&self, catalog: &Catalog, tenancy: &Tenancy, tenant: &TenantId) -> Result<BackfillPlan> {
        BackfillPlan::rest_to(catalog, tenancy, &self.table.to_string(), tenant, self.all_gone() > 0)
    }
}

/// What would be given to whom. The JSON shape is `backfill-rest/1`.
#[derive(Debug, Clone, Serialize)]
pub struct RestReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The tenant, as it was named.
    pub tenant: String,
    /// It is not there, and would be created.
    pub creates: bool,
    /// The tables.
    pub tables: Vec<RestRows>,
}

impl RestReport {
    /// The report of a dry run for a tenant that is not there yet.
    pub fn of_missing(tenant: &str, tables: Vec<RestRows>) -> Self {
        Self { schema: "backfill-rest/1", tenant: tenant.to_owned(), creates: true, tables }
    }
}

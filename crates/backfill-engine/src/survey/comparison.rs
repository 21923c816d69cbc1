//! Compares one tenant for all rows of a table with what the table's sources say.

use serde::Serialize;
use sqlx::Row;
use tenancy_config::Tenancy;
use tenant_rls::row_count::from_bigint;
use tenant_rls::{Database, Error as RlsError, TenantId};

use crate::error::Result;
use crate::options::OnConflict;
use crate::plan::BackfillPlan;
use crate::statements::Statements;
use crate::survey;

/// How one tenant for all rows compares with the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SourceComparison {
    /// Rows without a tenant.
    pub rows: u64,
    /// Of these, rows whose tenant sources or tie-breakers tell.
    pub told: u64,
    /// Of these, rows for which they tell another tenant.
    pub told_another: u64,
}

impl BackfillPlan {
    /// Compares `tenant` with what the sources say, by a role that is proven to see every row.
    ///
    /// # Errors
    /// [`tenant_rls::Error::CannotSee`] if rows or sources are hidden; [`tenant_rls::Error::Query`] if they cannot be
    /// read.
    pub async fn compare(&self, database: &Database, tenancy: &Tenancy, tenant: &TenantId) -> Result<SourceComparison> {
        let statements = Statements::new(self, OnConflict::Report)?;
        let mut audit = survey::open(database, tenancy, self).await?;
        let row = sqlx::query(&statements.compare)
            .bind(tenant.as_str())
            .fetch_one(audit.connection())
            .await
            .map_err(RlsError::query("comparing the sources with one tenant"))?;
        audit.close().await?;
        let count = |name: &str| from_bigint(row.get(name));
        Ok(SourceComparison { rows: count("rows"), told: count("told"), told_another: count("told_another") })
    }
}

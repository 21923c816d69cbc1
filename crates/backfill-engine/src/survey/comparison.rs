//! What the sources of a table would say beside one tenant that is to be given to all of its rows.

use serde::Serialize;
use sqlx::Row;
use tenancy_config::Tenancy;
use tenant_rls::{Database, Error as RlsError, TenantId};

use crate::error::Result;
use crate::options::OnConflict;
use crate::plan::BackfillPlan;
use crate::statements::Statements;
use crate::survey;

/// Rows without a tenant, as one tenant for all of them and their own sources see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Rows without a tenant.
    pub rows: u64,
    /// Of these: the sources, or evidence, tell the tenant.
    pub told: u64,
    /// Of these: they tell another tenant.
    pub told_another: u64,
}

impl BackfillPlan {
    /// Counts what the sources say beside `tenant`, by a role that is proven to see every row.
    ///
    /// # Errors
    /// [`tenant_rls::Error::CannotSee`] where rows or sources are hidden.
    pub async fn compare(&self, database: &Database, tenancy: &Tenancy, tenant: &TenantId) -> Result<Comparison> {
        let statements = Statements::new(self, OnConflict::Report)?;
        let mut audit = survey::open(database, tenancy, self).await?;
        let row = sqlx::query(&statements.compare)
            .bind(tenant.as_str())
            .fetch_one(audit.connection())
            .await
            .map_err(RlsError::query("comparing the sources with one tenant"))?;
        audit.close().await?;
        let count = |at: usize| u64::try_from(row.get::<i64, _>(at)).unwrap_or_default();
        Ok(Comparison { rows: count(0), told: count(1), told_another: count(2) })
    }
}

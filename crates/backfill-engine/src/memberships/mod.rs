//! Memberships: users without one, and those of users and tenants that are gone.

pub(crate) mod create;
pub(crate) mod created;
mod making;
pub(crate) mod plan;
mod recorder;
mod tables;

use serde::Serialize;
use sqlx::Row;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::Catalog;
use tenant_rls::row_count::from_bigint;
use tenant_rls::{AuditTx, Database, Error as RlsError, visibility};

use crate::error::Result;
use crate::memberships::tables::MembershipTables;

/// Users and memberships of a database. The JSON shape is `backfill-memberships/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MembershipReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The table of the memberships.
    pub memberships_table: TableName,
    /// Its column with the user.
    pub user_column: String,
    /// The table of the users.
    pub users_table: TableName,
    /// Memberships.
    pub memberships: u64,
    /// Users.
    pub users: u64,
    /// Users without a membership.
    pub without: u64,
    /// Of these, users whose own tenant exists.
    pub without_known: u64,
    /// Users with memberships, none of which is in their own tenant. It is no finding.
    pub elsewhere: u64,
    /// Memberships whose user is gone.
    pub user_gone: u64,
    /// Memberships whose tenant is gone, or that have none.
    pub tenant_gone: u64,
}

impl MembershipReport {
    /// Users without a membership, and memberships of what is gone.
    pub fn findings(&self) -> u64 {
        self.without + self.user_gone + self.tenant_gone
    }

    /// Counts in one snapshot, by a role that is proven to see every row. Without a name, the table is the one whose name speaks of members
    /// and that points to users.
    ///
    /// # Errors
    /// [`Error::NoMemberships`](crate::Error::NoMemberships) if there is no such table, or several; [`RlsError::NoTable`] if there is none of this name;
    /// [`Error::Unsuitable`](crate::Error::Unsuitable) if it does not point to one table of users; [`RlsError::CannotSee`] if no role sees every row;
    /// [`RlsError::Query`] if they cannot be read.
    pub async fn count(database: &Database, tenancy: &Tenancy, table: Option<&str>) -> Result<Self> {
        let catalog = Catalog::load(database, tenancy).await?;
        let found = MembershipTables::find(&catalog, tenancy, table)?;
        let access = found.access(&catalog, tenancy)?;
        let mut audit = AuditTx::begin(database, &access, &visibility::readers(database, tenancy)?, None).await?;
        let text = include_str!("../../../../sql/backfill-engine/memberships.sql");
        let sql = found
            .statement(text, &catalog, tenancy)?
            .ident("member_tenant", &Ident::new(&found.memberships.column.name)?)
            .build();
        let row = sqlx::query(&sql)
            .fetch_one(audit.connection())
            .await
            .map_err(RlsError::query("counting users and memberships"))?;
        audit.close().await?;
        let count = |name: &str| from_bigint(row.get(name));
        Ok(Self {
            schema: "backfill-memberships/1",
            memberships_table: found.memberships.name.clone(),
            user_column: found.user.to_string(),
            users_table: found.users.name.clone(),
            memberships: count("memberships"),
            users: count("users"),
            without: count("without"),
            without_known: count("without_known"),
            elsewhere: count("elsewhere"),
            user_gone: count("user_gone"),
            tenant_gone: count("tenant_gone"),
        })
    }
}

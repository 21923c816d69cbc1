//! Scopes as guards: each is one transaction with the settings that make it safe, and ends with its guard.

mod audit;
mod batch;
mod guard;
mod insert;
mod owner;
mod probe;
mod tenant;

use sqlx::PgConnection;

pub use audit::AuditTx;
pub use batch::{BatchOptions, BatchTx, TenantScope};
pub use insert::{InsertInto, TenantInsert};
pub use owner::OwnerTx;
pub use probe::ProbeTx;
pub use tenant::TenantTx;

use crate::session::SearchPath;
use crate::{ActingRole, Database, Result, Sql};
use guard::Guard;

/// A transaction that only looks into the catalog.
pub(crate) async fn begin_read_only(database: &Database) -> Result<Guard> {
    Guard::begin(database, Sql::from_static("BEGIN READ ONLY"), SearchPath::Pinned).await
}

/// Acts as another role until the transaction ends.
pub(crate) async fn set_role(connection: &mut PgConnection, role: &ActingRole) -> Result<()> {
    match role.assumed() {
        Some(role) => tenant::set_local(connection, "role", role).await,
        None => Ok(()),
    }
}

//! Acting as the role that owns the book-keeping, so that a superuser can do no more there than the owner. It does not protect against the
//! owner, whose code could go back to the superuser's role: that role owns the application's tables, so its code runs anyway.

use std::time::Duration;

use sqlx::{PgConnection, Row};
use tenant_rls::{Database, Error as RlsError, OwnerTx};

/// How long a statement waits for a lock of the book-keeping, which is held as long as a batch takes.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The role to go back to in a transaction that continues with something else.
#[must_use]
#[derive(Debug)]
pub(crate) struct RoleBefore(Option<String>);

/// Opens a transaction of the book-keeping alone, as its owner. The caller has called
/// [`crate::trust::verified`], or has a run or a lease, which begin with that.
pub(crate) async fn begin(database: &Database, lock_timeout: Duration) -> Result<OwnerTx, RlsError> {
    let mut tx = OwnerTx::begin(database, lock_timeout).await?;
    // The transaction ends with the book-keeping.
    let _ = act(tx.connection()).await?;
    Ok(tx)
}

/// Acts as the owner of the book-keeping until [`RoleBefore::again`], at the longest to the end of the transaction. A login that only
/// inherits the owner's rights keeps its role.
pub(crate) async fn act(connection: &mut PgConnection) -> Result<RoleBefore, RlsError> {
    let row = sqlx::query(include_str!("../../../sql/tenant-ops/act_as_owner.sql"))
        .fetch_optional(connection)
        .await
        .map_err(RlsError::query("acting as the owner of the schema tenant_ops"))?;
    let before = |row: sqlx::postgres::PgRow| row.get::<Option<String>, _>("role_now").map(|_| row.get("role_before"));
    Ok(RoleBefore(row.and_then(before)))
}

impl RoleBefore {
    /// What a login acts as that owns the book-keeping itself.
    pub(crate) fn same() -> Self {
        Self(None)
    }

    /// Whether the login did not have to act as another role.
    pub(crate) fn is_same(&self) -> bool {
        self.0.is_none()
    }

    /// Goes back to that role.
    pub(crate) async fn again(self, connection: &mut PgConnection) -> Result<(), RlsError> {
        let Some(role) = self.0 else { return Ok(()) };
        sqlx::query("SELECT pg_catalog.set_config('role', $1, true)")
            .bind(role)
            .execute(connection)
            .await
            .map_err(RlsError::query("going back to the role before"))?;
        Ok(())
    }
}

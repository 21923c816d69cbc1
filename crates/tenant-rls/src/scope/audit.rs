//! Reading everything, honestly.

use sqlx::PgConnection;

use crate::access::{Access, ActingRole};
use crate::connection::database::Database;
use crate::connection::session::SearchPath;
use crate::connection::transaction::Transaction;
use crate::connection::transaction::{begin_read_only, set_local, set_role};
use crate::error::{Error, Result};
use crate::sql::template::Template;
use crate::sql::text::Sql;
use crate::visibility::{self, examine};

/// One read-only snapshot that sees every row of the tables it was opened for, or was never opened.
pub struct AuditTx {
    guard: Transaction,
    /// Holds ACCESS SHARE from before the snapshot on, so that no policy changes after it was proven.
    _locks: Option<Transaction>,
    role: ActingRole,
}

impl AuditTx {
    /// Opens an audit of these tables as the first of `candidates` that sees all of their rows, on a snapshot of its
    /// own or on one that [`AuditTx::export`] gave.
    ///
    /// # Errors
    /// [`Error::CannotSee`] where no role can be proven to see every row: better no number than a smaller one.
    pub async fn begin(
        database: &Database,
        access: &[Access],
        candidates: &[ActingRole],
        snapshot: Option<&str>,
    ) -> Result<Self> {
        let role = visibility::acting_role(database, access, candidates).await?;
        let mut locks = begin_read_only(database).await?;
        set_local(locks.connection(), "idle_in_transaction_session_timeout", "0").await?;
        set_role(locks.connection(), &role).await?;
        locks.follow(SearchPath::Application).await?;
        for need in access {
            let touch = Template::new("SELECT FROM :\"table\" LIMIT 0").table("table", &need.table).build();
            sqlx::query(touch)
                .execute(locks.connection())
                .await
                .map_err(Error::query(format!("locking {} against changes of its policies", need.table)))?;
        }
        // Here and not in the snapshot, which may be older than the locks: these are the policies that will apply.
        let visibility = examine(locks.follow(SearchPath::Pinned).await?, &role, access).await?;
        if !visibility.obstacles.is_empty() {
            return Err(Error::CannotSee(visibility.obstacles));
        }
        let locks = if visibility.by_policy {
            Some(locks)
        } else {
            // What would hide rows is an error from here on. Ended first, so that a login of few connections gets on with one.
            locks.rollback().await?;
            None
        };
        let mut guard = Transaction::begin(database, begin_snapshot(snapshot), SearchPath::Application).await?;
        set_role(guard.connection(), &role).await?;
        if locks.is_none() {
            set_local(guard.connection(), "row_security", "off").await?;
        }
        Ok(Self { guard, _locks: locks, role })
    }

    /// The transaction, for queries. Names resolve as the application's code expects it: statements write each with its schema.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.guard.connection()
    }

    /// The transaction for the rest of its life with names that resolve to `pg_catalog` alone: for what the catalog holds, and for expressions
    /// that it printed.
    ///
    /// # Errors
    /// [`Error::Query`] where the connection is lost.
    pub async fn pinned(&mut self) -> Result<&mut PgConnection> {
        self.guard.follow(SearchPath::Pinned).await
    }

    /// The role that was proven to see everything.
    pub fn role(&self) -> &ActingRole {
        &self.role
    }

    /// Gives the name of this snapshot, for other audits to read the same state of the database while this one is open.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn export(&mut self) -> Result<String> {
        sqlx::query_scalar("SELECT pg_catalog.pg_export_snapshot()")
            .fetch_one(self.guard.connection())
            .await
            .map_err(Error::query("sharing the snapshot"))
    }

    /// Ends the audit.
    ///
    /// # Errors
    /// [`Error::Query`] where the connection is lost.
    pub async fn close(self) -> Result<()> {
        if let Some(locks) = self._locks {
            locks.rollback().await?;
        }
        self.guard.rollback().await
    }
}

fn begin_snapshot(snapshot: Option<&str>) -> Sql {
    const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    match snapshot {
        None => Sql::from_static(BEGIN),
        Some(name) => {
            Template::new("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT :'name'")
                .literal("name", name)
                .build()
        }
    }
}

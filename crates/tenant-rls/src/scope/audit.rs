//! The scope that sees every row of its tables, or fails.

use sqlx::PgConnection;

use crate::access::{Access, ActingRole};
use crate::connection::database::Database;
use crate::connection::session::SearchPath;
use crate::connection::transaction::Transaction;
use crate::connection::transaction::{begin_read_only, set_local, set_role};
use crate::error::{Error, Result};
use crate::policy::raising::with_policy;
use crate::sql::template::Template;
use crate::sql::text::Sql;
use crate::visibility::{self, examine};

/// One read-only snapshot that sees every row of its tables. If that cannot be proven, it is not opened.
pub struct AuditTx {
    transaction: Transaction,
    /// Holds ACCESS SHARE since before the snapshot, so that no policy changes after the proof.
    _locks: Option<Transaction>,
    role: ActingRole,
}

impl AuditTx {
    /// Opens an audit of these tables, as the first of `candidates` that sees all of their rows. It has a snapshot of
    /// its own, or one from [`AuditTx::export`].
    ///
    /// # Errors
    /// [`Error::CannotSee`]: no role can be proven to see every row. No number is better than one that is too small.
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
            let touched = sqlx::query(touch).execute(locks.connection()).await;
            if let Err(error) = touched {
                let doing = format!("locking {} against changes of its policies", need.table);
                locks.rollback().await?;
                return Err(with_policy(database, &need.table, Error::query(doing)(error)).await);
            }
        }
        // Examined here and not in the snapshot, which may be older than the locks: these are the policies that will
        // apply.
        let visibility = examine(locks.follow(SearchPath::Pinned).await?, &role, access).await?;
        if !visibility.obstacles.is_empty() {
            return Err(Error::CannotSee(visibility.obstacles));
        }
        let locks = if visibility.by_policy {
            Some(locks)
        } else {
            // From here on, hiding rows is an error. The transaction is ended first, because a login may have only one
            // connection.
            locks.rollback().await?;
            None
        };
        let mut transaction = Transaction::begin(database, begin_snapshot(snapshot), SearchPath::Application).await?;
        set_role(transaction.connection(), &role).await?;
        if locks.is_none() {
            set_local(transaction.connection(), "row_security", "off").await?;
        }
        Ok(Self { transaction, _locks: locks, role })
    }

    /// The transaction, for queries. Names resolve to the application's path, so statements must write each name with
    /// its schema.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.transaction.connection()
    }

    /// The transaction for the rest of its life, with names that resolve to `pg_catalog` only: for the catalog, and for
    /// expressions that it printed.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost.
    pub async fn pinned(&mut self) -> Result<&mut PgConnection> {
        self.transaction.follow(SearchPath::Pinned).await
    }

    /// The role that is proven to see every row.
    pub fn role(&self) -> &ActingRole {
        &self.role
    }

    /// Exports this snapshot and returns its name, so that other audits can read the same state of the database while
    /// this one is open.
    ///
    /// # Errors
    /// [`Error::Query`]: the statement fails.
    pub async fn export(&mut self) -> Result<String> {
        sqlx::query_scalar("SELECT pg_catalog.pg_export_snapshot()")
            .fetch_one(self.transaction.connection())
            .await
            .map_err(Error::query("sharing the snapshot"))
    }

    /// Ends the audit.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost.
    pub async fn close(self) -> Result<()> {
        if let Some(locks) = self._locks {
            locks.rollback().await?;
        }
        self.transaction.rollback().await
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

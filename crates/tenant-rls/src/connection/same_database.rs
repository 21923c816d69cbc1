//! Proves that two URLs lead to one database. A name and an address prove nothing: `localhost` may be a tunnel, and a
//! restored copy has the system identifier of its original. So a lock that is taken on one connection must be visible
//! on the other.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection, Row};

use tenancy_config::DatabaseUrl;

use super::database::Database;
use super::session::{self, OLDEST_SERVER, Place, one_message, pinned_locally};
use super::transaction::begin_read_only;
use crate::error::{Error, Result};
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// An advisory lock, as `pg_locks` shows it.
struct Lock {
    class: i64,
    object: i64,
}

const TAKE: &str = include_str!("../../../../sql/tenant-rls/take_proof_lock.sql");
const SEE: &str = include_str!("../../../../sql/tenant-rls/see_proof_lock.sql");

impl Database {
    /// Proves that the direct URL, if there is one, leads to this database. The proof is made once, before any other
    /// statement is sent there.
    ///
    /// # Errors
    /// [`Error::OtherDatabase`]: it leads to another database. [`Error::Connect`]: nothing can be reached there.
    pub async fn prove_direct(&self) -> Result<()> {
        let Some(direct) = self.direct() else { return Ok(()) };
        let prove = async || prove(self, &direct.url, &direct.options).await;
        direct.proven.get_or_try_init(prove).await.map(|&()| ())
    }

    /// The options of a session that lasts: those of the direct URL, if there is one, once it is proven.
    ///
    /// # Errors
    /// [`Error::OtherDatabase`]: the URL leads to another database. [`Error::Connect`]: nothing can be reached there.
    pub(crate) async fn direct_options(&self) -> Result<&PgConnectOptions> {
        self.prove_direct().await?;
        Ok(self.unproven_direct_options())
    }
}

/// Proves that another URL leads to the database of this handle, before any other statement is sent there.
///
/// # Errors
/// [`Error::OtherDatabase`]: it leads to another database. [`Error::Connect`]: nothing can be reached there.
async fn prove(database: &Database, url: &DatabaseUrl, options: &PgConnectOptions) -> Result<()> {
    let doing = || Error::query("proving that the direct URL leads to the same database");
    let mut ours = begin_read_only(database).await?;
    let lock = take(ours.connection()).await.map_err(doing())?;
    let mut other =
        options.connect().await.map_err(|source| Error::Connect { target: url.to_string(), source: source.into() })?;
    let seen = one_message(&mut other, Sql::join([pinned_locally(OLDEST_SERVER), see(&lock)], ";\n")).await;
    session::close(other).await;
    let seen = seen.map_err(doing())?;
    ours.rollback().await?;
    match seen.first() {
        Some(row) if row.get("seen") => Ok(()),
        Some(row) => {
            let there = Place { database_oid: row.get("database_oid"), server_since: row.get("server_since") };
            Err(Error::OtherDatabase { ours: here(database), other: place(url, row.get("database"), &there) })
        }
        None => Err(doing()(sqlx::Error::RowNotFound)),
    }
}

/// Proves that two handles lead to one database.
///
/// # Errors
/// [`Error::OtherDatabase`]: they lead to two. [`Error::Connect`]: no connection can be made. [`Error::Query`]: a
/// statement fails.
pub async fn same_database(one: &Database, other: &Database) -> Result<()> {
    let doing = || Error::query("proving that both URLs lead to the same database");
    let mut ours = begin_read_only(one).await?;
    let lock = take(ours.connection()).await.map_err(doing())?;
    let mut theirs = begin_read_only(other).await?;
    let seen = sqlx::raw_sql(see(&lock)).fetch_one(theirs.connection()).await.map_err(doing())?;
    theirs.rollback().await?;
    ours.rollback().await?;
    if seen.get("seen") { Ok(()) } else { Err(Error::OtherDatabase { ours: here(one), other: here(other) }) }
}

async fn take(connection: &mut PgConnection) -> sqlx::Result<Lock> {
    let taken = sqlx::raw_sql(TAKE).fetch_one(connection).await?;
    Ok(Lock { class: taken.get("class"), object: taken.get("object") })
}

fn see(lock: &Lock) -> Sql {
    let see = Template::new(SEE).literal("class", &lock.class.to_string());
    see.literal("object", &lock.object.to_string()).build()
}

fn here(database: &Database) -> String {
    place(database.url(), &database.session().database, &database.session().place)
}

fn place(url: &DatabaseUrl, database: &str, place: &Place) -> String {
    format!("{database} at {}:{} (a server up since {} UTC)", url.host(), url.port(), place.server_since)
}

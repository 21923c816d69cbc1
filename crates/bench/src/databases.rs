//! The databases of a benchmark: a template that is planted once, and a fresh copy of it for each candidate.

use std::path::PathBuf;

use local_db::{Planted, Role, Seed, demo};
use sqlx::Row as _;
use tenancy_config::{DatabaseUrl, Ident};
use tenant_rls::{DirectConnection, Sql, Template};

use crate::error::{Error, Result, query};
use crate::report::ServerFacts;
use crate::watch::SessionWatch;

const TEMPLATE: &str = "bench_template";
const COPY: &str = "bench_copy";

/// The lock was not granted in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Servers from this version on copy files on request; older ones always do.
const COPY_STRATEGY: i32 = 150_000;

/// A superuser's session that holds the lock and makes and removes the databases.
#[derive(Debug)]
pub(crate) struct Databases {
    session: DirectConnection,
    superuser: DatabaseUrl,
    version: i32,
}

impl Databases {
    /// Waits for the lock, and removes what a killed benchmark left.
    pub(crate) async fn open(superuser: &DatabaseUrl) -> Result<Self> {
        let mut session = DirectConnection::as_application(&superuser.with_database("postgres"), "bench").await?;
        let lock = include_str!("../../../sql/bench/lock.sql");
        session.run_script("waiting for other benchmarks", lock).await.map_err(|error| match error.sqlstate() {
            Some(LOCK_NOT_AVAILABLE) => Error::Busy,
            _ => error.into(),
        })?;
        let version = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
            .fetch_one(session.connection())
            .await
            .map_err(query("asking the server for its version"))?;
        let mut databases = Self { session, superuser: superuser.clone(), version };
        databases.remove().await?;
        Ok(databases)
    }

    /// Makes the template and plants its data.
    pub(crate) async fn plant(&mut self, seed: &Seed, progress: &mut (dyn FnMut(&str) + Send)) -> Result<Planted> {
        let superuser = self.create_template().await?;
        let planted = demo::plant(&superuser, seed, progress).await?;
        vacuum(&superuser).await?;
        Ok(planted)
    }

    /// Makes the template with this number of tenants, which have no settings, and strict policies on the tables of settings.
    pub(crate) async fn plant_tenants(&mut self, tenants: u32) -> Result<()> {
        let superuser = self.create_template().await?;
        let mut session = DirectConnection::as_application(&superuser, "bench").await?;
        sqlx::query(include_str!("../../../sql/bench/tenants.sql"))
            .bind(i64::from(tenants))
            .execute(session.connection())
            .await
            .map_err(query("making the tenants"))?;
        let protect = include_str!("../../../sql/bench/protect_settings.sql");
        session.run_script("protecting the settings", protect).await?;
        session.close().await;
        vacuum(&superuser).await
    }

    /// Makes the template with these numbers of tenants and of bookings, which all have a tenant.
    pub(crate) async fn plant_bookings(&mut self, tenants: u32, bookings: u32) -> Result<()> {
        let superuser = self.create_template().await?;
        let mut session = DirectConnection::as_application(&superuser, "bench").await?;
        sqlx::query(include_str!("../../../sql/bench/bookings.sql"))
            .bind(i64::from(tenants))
            .bind(i64::from(bookings))
            .execute(session.connection())
            .await
            .map_err(query("planting the bookings"))?;
        session.close().await;
        vacuum(&superuser).await
    }

    /// Makes the template with empty tables, and returns how its superuser logs in.
    async fn create_template(&mut self) -> Result<DatabaseUrl> {
        self.create(TEMPLATE, "template0").await?;
        local_db::schema::create_tables(&self.url(TEMPLATE, Role::Owner)).await?;
        Ok(self.url(TEMPLATE, Role::Superuser))
    }

    /// Makes the copy anew, file by file. The server has no other, so all candidates have equal space and equal caches: the system's has
    /// every page of it, as it was just copied, and the server's own has none.
    pub(crate) async fn fresh_copy(&mut self) -> Result<()> {
        self.drop(COPY).await?;
        self.create(COPY, TEMPLATE).await?;
        let durable = Template::new(include_str!("../../../sql/bench/durable.sql")).ident("name", &Ident::new(COPY)?);
        self.session.run_script("setting up the copy", durable.build()).await?;
        // Otherwise a candidate would also write out what its predecessor, or the copying, left in memory.
        self.session.run_script("writing a checkpoint", "CHECKPOINT").await?;
        Ok(())
    }

    /// How to log in to the copy.
    pub(crate) fn copy_url(&self, role: Role) -> DatabaseUrl {
        self.url(COPY, role)
    }

    /// How a superuser logs in to the template, which nobody may use while it is copied.
    pub(crate) fn template_url(&self) -> DatabaseUrl {
        self.url(TEMPLATE, Role::Superuser)
    }

    /// Where the server keeps its data.
    pub(crate) async fn data_directory(&mut self) -> Result<PathBuf> {
        let path: String = sqlx::query_scalar("SHOW data_directory")
            .fetch_one(self.session.connection())
            .await
            .map_err(query("asking where the server keeps its data"))?;
        Ok(PathBuf::from(path))
    }

    /// Watches the sessions of the copy, from one in another database.
    pub(crate) async fn watch(&self) -> Result<SessionWatch> {
        SessionWatch::begin(&self.superuser.with_database("postgres"), COPY).await
    }

    /// Removes every database of the benchmark.
    pub(crate) async fn remove(&mut self) -> Result<()> {
        self.drop(COPY).await?;
        self.drop(TEMPLATE).await
    }

    /// Removes every database and ends the session, whether or not the measurement succeeded.
    ///
    /// # Errors
    /// The first error: that of the measurement, else that of the removal.
    pub(crate) async fn clean_up<T>(mut self, measured: Result<T>) -> Result<T> {
        let removed = self.remove().await;
        self.close().await;
        let report = measured?;
        removed?;
        Ok(report)
    }

    /// Ends the session, and with it the lock.
    pub(crate) async fn close(self) {
        self.session.close().await;
    }

    fn url(&self, database: &str, role: Role) -> DatabaseUrl {
        local_db::login(&self.superuser.with_database(database), role)
    }

    async fn create(&mut self, name: &str, template: &str) -> Result<()> {
        let sql = Template::new(include_str!("../../../sql/bench/create_database.sql"))
            .ident("name", &Ident::new(name)?)
            .ident("owner", &Ident::new(Role::Owner.name())?)
            .ident("template", &Ident::new(template)?)
            .fragment(
                "strategy",
                Sql::from_static(if self.version < COPY_STRATEGY { "" } else { "STRATEGY file_copy" }),
            );
        Ok(self.session.run_script(&format!("creating the database {name}"), sql.build()).await?)
    }

    async fn drop(&mut self, name: &str) -> Result<()> {
        let sql = Template::new(include_str!("../../../sql/bench/drop_database.sql")).ident("name", &Ident::new(name)?);
        Ok(self.session.run_script(&format!("removing the database {name}"), sql.build()).await?)
    }
}

/// The settings of the server in a session of a candidate.
pub(crate) async fn server_facts(owner: &DatabaseUrl) -> Result<ServerFacts> {
    let mut session = DirectConnection::as_application(owner, "bench").await?;
    let row = sqlx::query(include_str!("../../../sql/bench/server_facts.sql"))
        .fetch_one(session.connection())
        .await
        .map_err(query("asking the server for its settings"))?;
    session.close().await;
    Ok(ServerFacts {
        version: row.get("version"),
        fsync: row.get("fsync"),
        synchronous_commit: row.get("synchronous_commit"),
        full_page_writes: row.get("full_page_writes"),
        wal_level: row.get("wal_level"),
        shared_buffers: row.get("shared_buffers"),
        max_wal_size: row.get("max_wal_size"),
    })
}

/// Otherwise the first candidate of each copy would also mark rows as committed.
async fn vacuum(superuser: &DatabaseUrl) -> Result<()> {
    let mut session = DirectConnection::as_application(superuser, "bench").await?;
    session.run_script("vacuuming the template", "VACUUM (ANALYZE)").await?;
    session.close().await;
    Ok(())
}

/// Removes what a benchmark left whose future was dropped: what was cancelled cannot clean up after itself.
///
/// # Errors
/// [`Error::Busy`] while another benchmark runs; [`Error::Database`] where the server refuses a statement.
pub async fn remove(superuser: &DatabaseUrl) -> Result<()> {
    Databases::open(superuser).await?.close().await;
    Ok(())
}

//! The database that leaks are planted in, and a copy of it for each.
//!
//! Cases change roles, which belong to the whole server: a server is needed on which nobody else works.

use local_db::Role;
use rls_rollout::{RolloutOptions, rollout};
use sqlx::{PgConnection, Row as _};
use tenancy_config::{DatabaseUrl, Ident, TableName, Tenancy};
use tenant_rls::{ConnectOptions, Database, DirectConnection, Sql, Template};
use tokio::sync::watch;

use crate::error::{Error, Result, query};

const BASE: &str = "leaks_base";
const COPY: &str = "leaks_copy";

/// The tables of the default application that it has.
const TABLES: [&str; 10] = [
    "users",
    "services",
    "bookings",
    "WorkOrder",
    "invoices",
    "expenses",
    "chat_messages",
    "organization_settings",
    "audit_logs",
    "service_views",
];

/// The tenant as which the application's login acts.
pub const TENANT: &str = "t_a";

/// The database in which nothing is wrong, and the copies of it.
#[derive(Debug)]
pub struct Planting {
    session: DirectConnection,
    superuser: DatabaseUrl,
    major: u32,
    tables: Vec<(TableName, Ident)>,
}

impl Planting {
    /// Makes the database and rolls out to `enforce`.
    ///
    /// # Errors
    /// [`Error`]: the server refuses a statement, or the rollout does not reach its end.
    pub async fn prepare(superuser: &DatabaseUrl) -> Result<Self> {
        let mut session = DirectConnection::as_application(&superuser.with_database("postgres"), "bench").await?;
        let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
            .fetch_one(session.connection())
            .await
            .map_err(query("asking the server for its version"))?;
        let major = u32::try_from(version / 10_000).unwrap_or_default();
        let mut planting = Self { session, superuser: superuser.clone(), major, tables: Vec::new() };
        planting.remove().await?;
        planting.create(BASE, "template0").await?;
        let owner = planting.url(BASE, Role::Owner);
        local_db::schema::create_tables(&owner).await?;
        let mut owner_session = DirectConnection::as_application(&owner, "bench").await?;
        owner_session.run_script("planting rows", include_str!("../../../../sql/bench/leaks/base.sql")).await?;
        let calendar = include_str!("../../../../sql/bench/leaks/calendar.sql");
        owner_session.run_script("letting a view read as whoever asks", calendar).await?;
        owner_session.close().await;
        roll_out(&owner).await?;
        planting.tables = planting.tenant_tables().await?;
        Ok(planting)
    }

    /// The server's major version.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// A fresh copy of the database, and the roles as they were.
    ///
    /// # Errors
    /// [`Error::Database`]: the server refuses a statement.
    pub async fn fresh(&mut self) -> Result<()> {
        self.drop(COPY).await?;
        let reset = include_str!("../../../../sql/bench/leaks/reset_roles.sql");
        self.session.run_script("resetting the roles", reset).await?;
        self.create(COPY, BASE).await
    }

    /// How a role logs in to the copy.
    pub fn copy(&self, role: Role) -> DatabaseUrl {
        self.url(COPY, role)
    }

    /// A session in the copy, with the login's own settings.
    ///
    /// # Errors
    /// [`Error::Database`]: no connection can be made.
    pub async fn session(&self, role: Role) -> Result<DirectConnection> {
        Ok(DirectConnection::as_application(&self.copy(role), "bench").await?)
    }

    /// The tables with a tenant column, and that column.
    pub fn tables(&self) -> &[(TableName, Ident)] {
        &self.tables
    }

    /// Digests of the rows of the copy that are not the tenant's, a table each. A table that is gone has none.
    ///
    /// # Errors
    /// [`Error::Database`]: no connection can be made.
    pub async fn foreign_rows(&self) -> Result<Vec<Option<String>>> {
        let mut superuser = self.session(Role::Superuser).await?;
        let mut digests = Vec::new();
        for (table, column) in &self.tables {
            digests.push(foreign_rows(superuser.connection(), table, column).await);
        }
        superuser.close().await;
        Ok(digests)
    }

    /// Removes the databases, brings the roles back, and ends the session.
    ///
    /// # Errors
    /// [`Error::Database`]: the server refuses a statement.
    pub async fn clean_up(mut self) -> Result<()> {
        self.remove().await?;
        self.session.close().await;
        Ok(())
    }

    async fn remove(&mut self) -> Result<()> {
        self.drop(COPY).await?;
        self.drop(BASE).await?;
        let reset = include_str!("../../../../sql/bench/leaks/reset_roles.sql");
        Ok(self.session.run_script("resetting the roles", reset).await?)
    }

    async fn tenant_tables(&self) -> Result<Vec<(TableName, Ident)>> {
        let url = self.url(BASE, Role::Superuser);
        let mut session = DirectConnection::as_application(&url, "bench").await?;
        let rows = sqlx::query(include_str!("../../../../sql/bench/leaks/tenant_tables.sql"))
            .fetch_all(session.connection())
            .await
            .map_err(query("listing the tables"))?;
        session.close().await;
        let ident = |text: String| Ident::new(text).map_err(Error::from);
        let table = |row: &sqlx::postgres::PgRow| {
            let name = TableName::new(ident(row.get("schema"))?, ident(row.get("name"))?);
            Ok((name, ident(row.get("column"))?))
        };
        rows.iter().map(table).collect()
    }

    fn url(&self, database: &str, role: Role) -> DatabaseUrl {
        local_db::login(&self.superuser.with_database(database), role)
    }

    async fn create(&mut self, name: &str, template: &str) -> Result<()> {
        let sql = Template::new(include_str!("../../../../sql/bench/create_database.sql"))
            .ident("name", &Ident::new(name)?)
            .ident("owner", &Ident::new(Role::Owner.name())?)
            .ident("template", &Ident::new(template)?)
            .fragment("strategy", Sql::from_static(""));
        Ok(self.session.run_script(&format!("creating the database {name}"), sql.build()).await?)
    }

    async fn drop(&mut self, name: &str) -> Result<()> {
        let sql =
            Template::new(include_str!("../../../../sql/bench/drop_database.sql")).ident("name", &Ident::new(name)?);
        Ok(self.session.run_script(&format!("removing the database {name}"), sql.build()).await?)
    }
}

async fn foreign_rows(superuser: &mut PgConnection, table: &TableName, column: &Ident) -> Option<String> {
    let sql = Template::new(include_str!("../../../../sql/bench/leaks/foreign_rows.sql"))
        .table("table", table)
        .ident("column", column)
        .literal("tenant", TENANT)
        .build();
    // An error means that the table is no longer what it was, which is a change, too.
    sqlx::query_scalar(sql).fetch_one(superuser).await.ok()
}

/// What is declared of the database: the tables that it has, and nothing of where rows get their tenant from.
pub fn tenancy() -> Tenancy {
    let mut tenancy = Tenancy::default();
    tenancy.tables.retain(|name, _| TABLES.contains(&name.as_str()));
    for rules in tenancy.tables.values_mut() {
        rules.sources.clear();
        rules.tie_breakers.clear();
    }
    tenancy
}

/// Rolls out as the owner, as far as it goes.
///
/// # Errors
/// [`Error::Rollout`]; [`Error::Measure`] where tables are left behind.
pub async fn roll_out(owner: &DatabaseUrl) -> Result<()> {
    let database = Database::connect(owner, &ConnectOptions::default()).await?;
    let (_go, stop) = watch::channel(false);
    let report = rollout(&database, &tenancy(), &RolloutOptions::default(), "bench", stop, &mut |_| ()).await?;
    database.close().await;
    if report.is_complete() {
        return Ok(());
    }
    Err(Error::Measure { doing: "rolling out".to_owned(), why: "not all tables reached `enforce`".to_owned() })
}

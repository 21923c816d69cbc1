//! Inserts one tenant's rows in one autocommit statement: a whole scope in a single round trip.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use sqlx::pool::PoolConnection;
use sqlx::types::Json;
use sqlx::{PgConnection, Postgres};

use super::tenant::TenantTx;
use crate::connection::database::Database;
use crate::connection::session::SearchPath;
use crate::connection::transaction::Transaction;
use crate::error::{Error, Result, fault_of};
use crate::policy::setting::SessionSetting;
use crate::server_error::Fault;
use crate::sql::template::Template;
use crate::sql::text::Sql;
use crate::tenant_id::TenantId;
use tenancy_config::{Ident, TableName, Tenancy};

/// A value that the database generates for a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratedValue {
    /// Text that looks like that of Prisma's `cuid()`: `c` and 24 characters, here from 90 random bits.
    Cuid,
    /// A random UUID.
    Uuid,
    /// The transaction's time.
    Now,
    /// The transaction's time in UTC, for columns without a time zone, as the ORM writes and reads them.
    NowUtc,
}

impl GeneratedValue {
    /// The expression that generates the value; valid under any search path.
    pub fn sql(self) -> Sql {
        Sql::from_static(match self {
            Self::Cuid => include_str!("../../../../sql/tenant-rls/fragments/cuid.sql"),
            Self::Uuid => "pg_catalog.gen_random_uuid()",
            Self::Now => "pg_catalog.now()",
            Self::NowUtc => "pg_catalog.now() AT TIME ZONE 'UTC'",
        })
    }
}

/// The row that each tenant gets in one table, unless it has one there.
#[derive(Debug, Clone)]
pub struct TenantRow {
    /// The table.
    pub table: TableName,
    /// Its tenant column. A unique key on this column alone decides whether the tenant has a row.
    pub tenant: Ident,
    /// Columns whose values the caller gives for each tenant.
    pub given: Vec<Ident>,
    /// Columns that the database fills.
    pub generated: Vec<(Ident, GeneratedValue)>,
}

/// Checks that the values of a record fit the types of their columns. It writes nothing.
///
/// # Errors
/// [`Error::Connect`]: no connection can be made. [`Error::Query`]: a value does not fit, of [`Fault::Data`]; or the statement fails.
pub async fn values_fit(database: &Database, table: &TableName, record: &Value) -> Result<()> {
    let begin = Sql::from_static("BEGIN READ ONLY");
    let mut transaction = Transaction::begin(database, begin, SearchPath::Application).await?;
    let fits = Template::new(include_str!("../../../../sql/tenant-rls/fits.sql")).table("table", table).build();
    sqlx::query(&fits)
        .bind(Json(record))
        .execute(transaction.connection())
        .await
        .map_err(Error::query(format!("fitting the values to the columns of {table}")))?;
    transaction.rollback().await
}

/// Inserts the rows that a tenant lacks, in one autocommit statement that sets its own scope.
///
/// The implicit transaction of the statement belongs to the tenant: the session variable is local to it, the tenant of
/// each row is the result of `set_config`, and an error keeps nothing. The statement contains no text from a caller, so
/// a caller cannot leave the scope out. It only inserts: the rows that an UPDATE or a SELECT reads could be filtered
/// before the variable is set.
pub struct TenantInsert {
    database: Database,
    setting: SessionSetting,
    statement: Sql,
    tables: Vec<TableName>,
    /// Connections between two statements. If they went back to the pool each time, it would test them with an extra
    /// round trip.
    idle: Mutex<Vec<PoolConnection<Postgres>>>,
}

impl TenantInsert {
    /// Prepares the statement for these tables.
    pub fn new(database: &Database, tenancy: &Tenancy, rows: &[TenantRow]) -> Self {
        let steps: Vec<Ident> = (1..=rows.len())
            .map(|step| Ident::new(format!("step_{step}")).expect("a short name without NUL is an identifier"))
            .collect();
        let inserts = rows.iter().zip(&steps).map(|(row, step)| insert(row, step));
        let count = |step| Template::new("(SELECT pg_catalog.count(*) FROM :\"step\")").ident("step", step).build();
        let setting = SessionSetting::of(tenancy);
        let tenant = setting.tenant_of(Sql::from_static("pg_catalog.set_config($1, $2, true)"));
        let statement = Template::new(include_str!("../../../../sql/tenant-rls/tenant_insert.sql"))
            .fragment("tenant", tenant)
            .fragment("inserts", Sql::join(inserts, ",\n"))
            .fragment("counts", Sql::join(steps.iter().map(count), ", "))
            .build();
        Self {
            database: database.clone(),
            setting,
            statement,
            tables: rows.iter().map(|row| row.table.clone()).collect(),
            idle: Mutex::default(),
        }
    }

    /// Inserts the tenant's rows. Returns for each table, in the order of [`new`](Self::new), whether a row was
    /// inserted; if not, there was one. `values` has an object for each table, under its name with the schema.
    ///
    /// If the future is dropped, its connection is closed, and it is not known whether the server kept the rows.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made. [`Error::Query`]: the statement fails. Nothing is kept in either
    /// case, unless the connection was lost during the commit.
    pub async fn run(&self, tenant: &TenantId, values: &Value) -> Result<Vec<bool>> {
        if self.database.is_pooled() {
            return self.run_pooled(tenant, values).await;
        }
        let idle = self.idle().pop();
        let mut lent = match idle {
            Some(connection) => Lent(Some(connection)),
            None => self.lend().await?,
        };
        let inserted = self.execute(lent.connection(), tenant, values).await;
        let connection = lent.0.take().expect("it was lent until here");
        match inserted.as_ref().map_err(fault_of) {
            // What ended this connection has most likely ended the others too, so the caller should not have to try
            // each of them.
            Err(Fault::Connection) => {
                drop(Lent(Some(connection)));
                self.end_idle();
            }
            // What the server refused, it has rolled back.
            Ok(_) | Err(Fault::Contention | Fault::Data) => self.idle().push(connection),
            // After any other error, the state of the session is not known.
            Err(Fault::Other) => drop(Lent(Some(connection))),
        }
        inserted
    }

    /// Takes a connection from the pool. Its session has the application's search path as long as it is lent.
    async fn lend(&self) -> Result<Lent> {
        let mut lent = Lent(Some(self.database.acquire().await?));
        let path = sqlx::query("SELECT pg_catalog.set_config('search_path', $1, false)");
        let set = path.bind(self.database.application_path()).execute(lent.connection()).await;
        set.map_err(Error::query("setting the search path of the application"))?;
        Ok(lent)
    }

    /// Inserts in a transaction. Behind a pooler, a statement may be executed in another session than the one it was
    /// prepared in, where its name may belong to another client's statement; a transaction keeps the two together.
    async fn run_pooled(&self, tenant: &TenantId, values: &Value) -> Result<Vec<bool>> {
        let mut transaction =
            Transaction::begin(&self.database, Sql::from_static("BEGIN"), SearchPath::Application).await?;
        match self.execute(transaction.connection(), tenant, values).await {
            Ok(inserted) => transaction.commit().await.map(|()| inserted),
            Err(error) => {
                if fault_of(&error) != Fault::Connection {
                    transaction.rollback().await?;
                }
                Err(error)
            }
        }
    }

    /// Inserts the tenant's rows inside a longer scope, whose end decides whether they are kept.
    ///
    /// # Errors
    /// [`Error::Query`]: the statement fails. The scope has then failed too, and keeps nothing.
    pub async fn run_in(&self, scope: &mut TenantTx, values: &Value) -> Result<Vec<bool>> {
        let tenant = scope.tenant().clone();
        self.execute(scope.connection(), &tenant, values).await
    }

    /// Checks that values fit the types of their columns, before any tenant's rows are inserted. Tables without values
    /// are skipped.
    ///
    /// # Errors
    /// [`Error::Query`]: a value does not fit; the error is about the first such table.
    pub async fn check(&self, values: &Value) -> Result<()> {
        for table in &self.tables {
            if let Some(record) = values.get(table.to_string()) {
                values_fit(&self.database, table, record).await?;
            }
        }
        Ok(())
    }

    async fn execute(&self, connection: &mut PgConnection, tenant: &TenantId, values: &Value) -> Result<Vec<bool>> {
        let inserted: Vec<i64> = sqlx::query_scalar(&self.statement)
            .bind(self.setting.variable())
            .bind(self.setting.value(tenant.as_str()))
            .bind(Json(values))
            .fetch_one(connection)
            .await
            .map_err(Error::query("inserting the tenant's rows"))?;
        Ok(inserted.into_iter().map(|rows| rows > 0).collect())
    }

    /// Closes the lent connections that are not in use. They cannot go back to the pool, because their sessions have
    /// another search path.
    fn end_idle(&self) {
        for connection in self.idle().drain(..) {
            drop(Lent(Some(connection)));
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<PoolConnection<Postgres>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn insert(row: &TenantRow, step: &Ident) -> Sql {
    let name = |column: &Ident| Template::new(":\"column\"").ident("column", column).build();
    let given = |column: &Ident| Template::new("given.:\"column\"").ident("column", column).build();
    let taken = || row.given.iter().chain([&row.tenant]);
    let columns = taken().chain(row.generated.iter().map(|(column, _)| column)).map(name);
    let values = taken().map(given).chain(row.generated.iter().map(|(_, generated)| generated.sql()));
    Template::new(include_str!("../../../../sql/tenant-rls/fragments/tenant_insert_row.sql"))
        .ident("step", step)
        .table("table", &row.table)
        .fragment("columns", Sql::join(columns, ", "))
        .fragment("values", Sql::join(values, ", "))
        .literal("name", &row.table.to_string())
        .literal("tenant_name", row.tenant.as_str())
        .ident("tenant", &row.tenant)
        .build()
}

impl Drop for TenantInsert {
    fn drop(&mut self) {
        self.end_idle();
    }
}

/// A connection on which a statement runs. If it is dropped meanwhile, the connection is closed and not used again.
struct Lent(Option<PoolConnection<Postgres>>);

impl Lent {
    fn connection(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("taken only when the statement is over")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}

//! One tenant's rows in one autocommit statement: a whole scope in a single round trip.

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
use crate::server_error::Fault;
use crate::sql::template::Template;
use crate::sql::text::Sql;
use crate::tenant_id::TenantId;
use tenancy_config::{Ident, TableName, Tenancy};

/// A value that the database makes for a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratedValue {
    /// Text as Prisma's `cuid()` looks: `c` and 24 characters, here 90 random bits.
    Cuid,
    /// A random UUID.
    Uuid,
    /// The transaction's time.
    Now,
    /// The transaction's time as UTC, for columns without a time zone: so the ORM writes and reads them.
    NowUtc,
}

impl GeneratedValue {
    /// The expression that makes the value, under any search path.
    pub fn sql(self) -> Sql {
        Sql::from_static(match self {
            Self::Cuid => include_str!("../../../../sql/tenant-rls/fragments/cuid.sql"),
            Self::Uuid => "pg_catalog.gen_random_uuid()",
            Self::Now => "pg_catalog.now()",
            Self::NowUtc => "pg_catalog.now() AT TIME ZONE 'UTC'",
        })
    }
}

/// The row that each tenant gets in one table, unless it has one.
#[derive(Debug, Clone)]
pub struct TenantRow {
    /// The table.
    pub table: TableName,
    /// Its tenant column. A unique key of this column alone decides whether the tenant has a row.
    pub tenant: Ident,
    /// Columns whose values are given for each tenant.
    pub given: Vec<Ident>,
    /// Columns that the database fills.
    pub generated: Vec<(Ident, GeneratedValue)>,
}

/// Inserts what a tenant lacks, in one autocommit statement that sets its own scope.
///
/// The implicit transaction of the statement is the tenant's: the session variable is local to it, the tenant of each row is what
/// `set_config` answered, and an error keeps nothing. No text of a caller gets into the statement, so none can leave the scope out.
/// It only inserts: the rows that an UPDATE or a SELECT reads could be filtered before the variable is set.
pub struct TenantInsert {
    database: Database,
    variable: String,
    statement: Sql,
    checks: Vec<(TableName, Sql)>,
    /// Connections between two statements. Taken from the pool each time, they would be tried with a round trip of their own.
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
        let statement = Template::new(include_str!("../../../../sql/tenant-rls/tenant_insert.sql"))
            .fragment("inserts", Sql::join(inserts, ",\n"))
            .fragment("counts", Sql::join(steps.iter().map(count), ", "))
            .build();
        let check = |row: &TenantRow| {
            let fits = Template::new(include_str!("../../../../sql/tenant-rls/fits.sql")).table("table", &row.table);
            (row.table.clone(), fits.build())
        };
        Self {
            database: database.clone(),
            variable: tenancy.session.variable.clone(),
            statement,
            checks: rows.iter().map(check).collect(),
            idle: Mutex::default(),
        }
    }

    /// Inserts the tenant's rows and tells for each table, in the order of [`new`](Self::new), whether one was inserted; if not,
    /// it was there. `values` holds an object for each table, by its name with the schema.
    ///
    /// A future that is dropped throws its connection away; whether the server kept the rows is then not known.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Query`]; nothing is kept then, unless the connection was lost while it committed.
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
            // What ended this connection has most likely ended the others: none of them is worth a try of the caller's.
            Err(Fault::Connection) => {
                drop(Lent(Some(connection)));
                self.end_idle();
            }
            // What the server refused it has rolled back.
            Ok(_) | Err(Fault::Contention | Fault::Data) => self.idle().push(connection),
            // What is left in a session after anything else is not known.
            Err(Fault::Other) => drop(Lent(Some(connection))),
        }
        inserted
    }

    /// A connection whose session has the path that the application's code expects, for as long as it is lent.
    async fn lend(&self) -> Result<Lent> {
        let mut lent = Lent(Some(self.database.acquire().await?));
        let path = sqlx::query("SELECT pg_catalog.set_config('search_path', $1, false)");
        let set = path.bind(self.database.application_path()).execute(lent.connection()).await;
        set.map_err(Error::query("setting the search path of the application"))?;
        Ok(lent)
    }

    /// Behind a pooler a statement is prepared in one session and may be executed in another, where its name is somebody else's: a
    /// transaction keeps the two together.
    async fn run_pooled(&self, tenant: &TenantId, values: &Value) -> Result<Vec<bool>> {
        let mut guard = Transaction::begin(&self.database, Sql::from_static("BEGIN"), SearchPath::Application).await?;
        match self.execute(guard.connection(), tenant, values).await {
            Ok(inserted) => guard.commit().await.map(|()| inserted),
            Err(error) => {
                if fault_of(&error) != Fault::Connection {
                    guard.rollback().await?;
                }
                Err(error)
            }
        }
    }

    /// The same inside a longer scope, whose end decides whether the rows are kept.
    ///
    /// # Errors
    /// [`Error::Query`]; the scope has failed then, and keeps nothing.
    pub async fn run_in(&self, scope: &mut TenantTx, values: &Value) -> Result<Vec<bool>> {
        let tenant = scope.tenant().clone();
        self.execute(scope.connection(), &tenant, values).await
    }

    /// Checks that values fit the types of their columns, before any tenant is touched. A table without values is passed over.
    ///
    /// # Errors
    /// [`Error::Query`] for the first table with one that does not.
    pub async fn check(&self, values: &Value) -> Result<()> {
        let begin = Sql::from_static("BEGIN READ ONLY");
        let mut guard = Transaction::begin(&self.database, begin, SearchPath::Application).await?;
        for (table, sql) in &self.checks {
            let Some(record) = values.get(table.to_string()) else { continue };
            sqlx::query(sql)
                .bind(Json(record))
                .execute(guard.connection())
                .await
                .map_err(Error::query(format!("fitting the values to the columns of {table}")))?;
        }
        guard.rollback().await
    }

    async fn execute(&self, connection: &mut PgConnection, tenant: &TenantId, values: &Value) -> Result<Vec<bool>> {
        let inserted: Vec<i64> = sqlx::query_scalar(&self.statement)
            .bind(&self.variable)
            .bind(tenant.as_str())
            .bind(Json(values))
            .fetch_one(connection)
            .await
            .map_err(Error::query("inserting the tenant's rows"))?;
        Ok(inserted.into_iter().map(|rows| rows > 0).collect())
    }

    /// Ends the connections that are lent and not in use: their sessions have another path than those of the pool.
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

/// A connection on which a statement runs. Dropped with it, the connection is closed and never used again.
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

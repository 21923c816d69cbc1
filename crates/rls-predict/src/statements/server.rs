//! The statements that the server counted, from `pg_stat_statements`.

use sqlx::Row;
use tenancy_config::{Ident, TableName};
use tenant_rls::{CatalogTx, Database, Error as RlsError, Template};

use crate::error::{Error, Result};
use crate::statements::{Origin, Statement};

/// How many statements are looked at: those that took longest altogether.
const MOST: i64 = 500;

/// Statements, and whose they are.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    pub(crate) statements: Vec<Statement>,
    /// The application's login; none where it ran nothing, and these are all roles'.
    pub(crate) of: Option<String>,
}

/// Reads what took longest. The statements of `login` where there are any, else those of every role.
///
/// # Errors
/// [`Error::NoStatistics`], [`Error::HiddenStatistics`] or [`Error::Statistics`].
pub(crate) async fn read(database: &Database, login: &str) -> Result<Counted> {
    let mut tx = CatalogTx::begin(database).await?;
    let schema: Option<String> = sqlx::query_scalar(include_str!("../../../../sql/rls-predict/extension.sql"))
        .fetch_optional(tx.connection())
        .await
        .map_err(RlsError::query("looking for pg_stat_statements"))?;
    let schema = schema.ok_or(Error::NoStatistics)?;
    let view = TableName::new(Ident::new(schema)?, Ident::new("pg_stat_statements")?);
    let mut hidden = 0;
    for of in [Some(login), None] {
        let statement = Template::new(include_str!("../../../../sql/rls-predict/statements.sql")).table("view", &view);
        let rows = sqlx::query(statement.build())
            .bind(of.map(|login| vec![login]))
            .bind(MOST)
            .persistent(false)
            .fetch_all(tx.connection())
            .await
            .map_err(RlsError::query("reading pg_stat_statements"))
            .map_err(Error::Statistics)?;
        let (closed, open): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.get::<bool, _>("hidden"));
        hidden = closed.len();
        let statement = |row: &sqlx::postgres::PgRow| Statement {
            text: row.get("text"),
            origin: Origin::Server {
                calls: row.get("calls"),
                mean_ms: row.get("mean_ms"),
                total_ms: row.get("total_ms"),
            },
        };
        let statements: Vec<Statement> = open.into_iter().map(statement).collect();
        if !statements.is_empty() {
            tx.rollback().await?;
            return Ok(Counted { statements, of: of.map(str::to_owned) });
        }
        if hidden > 0 {
            break;
        }
    }
    tx.rollback().await?;
    match hidden {
        0 => Ok(Counted { statements: Vec::new(), of: None }),
        statements => Err(Error::HiddenStatistics { statements, login: database.session().role.clone() }),
    }
}

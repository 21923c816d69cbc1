//! The attempts on one table: each is taken back, and each write is made on a row that the same transaction inserted.

use serde_json::{Value, json};
use sqlx::postgres::PgDatabaseError;
use sqlx::{PgConnection, SqlSafeStr};
use tenant_rls::{Database, Error as RlsError, Ident, ProbeTx, Sql, Template, Tenancy};

use super::report::{Attempt, Outcome, What};
use super::rows::{Columns, Rows};
use crate::Result;
use crate::policy::ColumnType;
use crate::site::Relation;

/// What is needed to try one table.
pub(crate) struct Attempts<'a> {
    pub(crate) tenancy: &'a Tenancy,
    pub(crate) relation: &'a Relation,
    pub(crate) key: &'a Ident,
    pub(crate) rows: &'a Rows,
    pub(crate) columns: &'a Columns,
    /// Rows of nobody are seen under the bridge, and of the platform where no tenant is set.
    pub(crate) nobodys_are_seen: bool,
}

impl Attempts<'_> {
    /// Tries to read, under each value of the session variable.
    pub(crate) async fn read(&self, database: &Database) -> Result<Vec<Attempt>> {
        let login = database.session().role.clone();
        let [(own, own_keys), others @ ..] = self.rows.tenants.as_slice() else {
            return Ok(vec![not_tried(What::ReadOwn, &login, "no row of a tenant is there")]);
        };
        let mut tx = ProbeTx::begin(database, self.tenancy, false).await?;
        let mut attempts = Vec::new();
        let unset = self.seen(&mut tx, own_keys).await;
        attempts.push(self.none(What::ReadUnset, &login, unset));
        tx.set("").await?;
        let empty = self.seen(&mut tx, own_keys).await;
        attempts.push(self.none(What::ReadEmpty, &login, empty));
        tx.set(unknown(self.relation.scope.column_type)).await?;
        let unknown = self.seen(&mut tx, own_keys).await;
        attempts.push(self.none(What::ReadUnknown, &login, unknown));
        tx.set(own).await?;
        let seen = self.seen(&mut tx, own_keys).await;
        attempts.push(match seen {
            Ok(seen) if seen == own_keys.len() as i64 => as_expected(What::ReadOwn, &login),
            Ok(seen) => {
                let detail = format!("of {} own rows {seen} are seen", own_keys.len());
                Attempt { what: What::ReadOwn, login: login.clone(), result: Outcome::Hidden, detail: Some(detail) }
            }
            Err(error) => not_tried(What::ReadOwn, &login, &error.to_string()),
        });
        match others.first() {
            Some((_, keys)) => {
                let other = self.seen(&mut tx, keys).await;
                attempts.push(self.none(What::ReadOther, &login, other));
            }
            None => attempts.push(not_tried(What::ReadOther, &login, "only one tenant has rows")),
        }
        if !self.nobodys_are_seen && !self.rows.nobodys.is_empty() {
            let nobodys = self.seen(&mut tx, &self.rows.nobodys).await;
            attempts.push(self.none(What::ReadOther, &login, nobodys));
        }
        tx.rollback().await?;
        Ok(attempts)
    }

    async fn seen(&self, tx: &mut ProbeTx, keys: &[String]) -> Result<i64, RlsError> {
        let see = self.with_names(include_str!("../../../../sql/rls/probe_see.sql")).build();
        let seen = sqlx::query_scalar(&see).bind(keys).fetch_one(tx.connection()).await;
        let seen = seen.map_err(RlsError::query("reading rows by key"));
        if seen.is_err() {
            tx.back().await?;
        }
        seen
    }

    fn none(&self, what: What, login: &str, seen: Result<i64, RlsError>) -> Attempt {
        match seen {
            Ok(0) => as_expected(what, login),
            Ok(seen) => leak(what, login, &format!("{seen} rows of others are seen")),
            // A policy without NULLIF fails on an empty uuid: nothing is seen, but nothing works either.
            Err(error) => not_tried(what, login, &error.to_string()),
        }
    }

    /// Tries to write, on copies of an own row.
    pub(crate) async fn write(&self, database: &Database) -> Result<Vec<Attempt>> {
        let login = database.session().role.clone();
        let [(own, keys), rest @ ..] = self.rows.tenants.as_slice() else { return Ok(Vec::new()) };
        let (Some(pattern), Some((other, _))) = (keys.first(), rest.first()) else {
            return Ok(vec![not_tried(What::InsertOwn, &login, "rows of two tenants are needed")]);
        };
        let mut tx = ProbeTx::begin(database, self.tenancy, true).await?;
        let mut attempts = Vec::new();
        tx.set(own).await?;
        let fetch = self.with_names(include_str!("../../../../sql/rls/probe_pattern.sql")).build();
        let pattern: Option<Value> =
            match sqlx::query_scalar(&fetch).bind(pattern).fetch_optional(tx.connection()).await {
                Ok(pattern) => pattern,
                Err(error) => return Ok(vec![not_tried(What::InsertOwn, &login, &error.to_string())]),
            };
        let Some(pattern) = pattern else {
            return Ok(vec![not_tried(What::InsertOwn, &login, "the row to copy is not seen by its own tenant")]);
        };
        match self.copy_own(tx.connection(), &pattern, own).await {
            Ok(key) => {
                attempts.push(as_expected(What::InsertOwn, &login));
                attempts.extend(self.on_own_row(&mut tx, &login, &key, (own, other)).await?);
            }
            Err(error) => {
                attempts.push(not_tried(What::InsertOwn, &login, &error.to_string()));
                let rest = [What::UpdateAway, What::UpdateOther, What::DeleteOther];
                attempts.extend(rest.map(|what| not_tried(what, &login, "no row could be inserted to try it on")));
            }
        }
        tx.back().await?;
        tx.set(own).await?;
        let given = self.copy(tx.connection(), &pattern, other).await;
        attempts.push(refused(What::InsertOther, &login, given));
        tx.back().await?;
        tx.set("").await?;
        let unset = self.copy(tx.connection(), &pattern, own).await;
        attempts.push(refused(What::InsertUnset, &login, unset));
        tx.rollback().await?;
        Ok(attempts)
    }

    /// What another tenant can do to the row that was just inserted, and what its own can give away.
    async fn on_own_row(
        &self,
        tx: &mut ProbeTx,
        login: &str,
        key: &str,
        (own, other): (&str, &str),
    ) -> Result<Vec<Attempt>> {
        let mut attempts = Vec::new();
        let mark = "SAVEPOINT own_row";
        execute(tx.connection(), Sql::from_static(mark)).await?;
        let give = self.with_names(include_str!("../../../../sql/rls/probe_give.sql"));
        let give = give.ident("column", &self.relation.scope.column).fragment("type", self.type_of_tenant()).build();
        let given = sqlx::query(&give).bind(key).bind(other).execute(tx.connection()).await;
        attempts.push(refused(What::UpdateAway, login, given.map(|done| done.rows_affected())));
        execute(tx.connection(), Sql::from_static("ROLLBACK TO SAVEPOINT own_row")).await?;
        tx.set(other).await?;
        let touch = self.with_names(include_str!("../../../../sql/rls/probe_touch.sql"));
        let touch = touch.ident("column", &self.relation.scope.column);
        let touched = sqlx::query(touch.build()).bind(key).execute(tx.connection()).await;
        attempts.push(refused(What::UpdateOther, login, touched.map(|done| done.rows_affected())));
        execute(tx.connection(), Sql::from_static("ROLLBACK TO SAVEPOINT own_row")).await?;
        tx.set(other).await?;
        let delete = self.with_names(include_str!("../../../../sql/rls/probe_delete.sql"));
        let deleted = sqlx::query(delete.build()).bind(key).execute(tx.connection()).await;
        attempts.push(refused(What::DeleteOther, login, deleted.map(|done| done.rows_affected())));
        execute(tx.connection(), Sql::from_static("ROLLBACK TO SAVEPOINT own_row")).await?;
        tx.set(own).await?;
        Ok(attempts)
    }

    /// Inserts a copy of a row for a tenant, and tells how many rows that were.
    async fn copy(&self, connection: &mut PgConnection, pattern: &Value, tenant: &str) -> sqlx::Result<u64> {
        // No RETURNING: it would hold the row to the policies for reading too, and hide what those for writing let through.
        let copy = self.copying().fragment("returning", Sql::from_static("")).build();
        let copied = sqlx::query(&copy).bind(pattern).bind(self.changed(tenant));
        Ok(copied.execute(connection).await?.rows_affected())
    }

    /// Inserts a copy of an own row, and tells its key: proof that there is a row for what is tried next.
    async fn copy_own(&self, connection: &mut PgConnection, pattern: &Value, tenant: &str) -> sqlx::Result<String> {
        let returning = Template::new(r#"RETURNING :"key"::text"#).ident("key", self.key).build();
        let copy = self.copying().fragment("returning", returning).build();
        sqlx::query_scalar(&copy).bind(pattern).bind(self.changed(tenant)).fetch_one(connection).await
    }

    fn copying(&self) -> Template {
        let names = |text: &'static str| {
            Sql::join(self.columns.insertable().map(|column| Template::new(text).ident("column", column).build()), ", ")
        };
        Template::new(include_str!("../../../../sql/rls/probe_copy.sql"))
            .table("target", &self.relation.name)
            .fragment("columns", names(r#":"column""#))
            .fragment("values", names(r#"given.:"column""#))
    }

    /// What a copy has that its pattern has not.
    fn changed(&self, tenant: &str) -> Value {
        let mut changed: serde_json::Map<String, Value> =
            self.columns.fresh().map(|(column, value)| (column.as_str().to_owned(), json!(value))).collect();
        changed.insert(self.relation.scope.column.as_str().to_owned(), json!(tenant));
        changed.into()
    }

    fn key_type(&self) -> Sql {
        self.columns.type_of(self.key).unwrap_or_else(|| Sql::from_static("text"))
    }

    fn type_of_tenant(&self) -> Sql {
        self.columns.type_of(&self.relation.scope.column).unwrap_or_else(|| Sql::from_static("text"))
    }

    fn with_names(&self, text: &'static str) -> Template {
        Template::new(text)
            .table("target", &self.relation.name)
            .ident("key", self.key)
            .fragment("key_type", self.key_type())
    }
}

async fn execute(connection: &mut PgConnection, sql: impl SqlSafeStr) -> Result<()> {
    let done = sqlx::Executor::execute(connection, sqlx::raw_sql(sql)).await;
    done.map_err(RlsError::query("going on with the attempts"))?;
    Ok(())
}

/// A tenant that no table has.
fn unknown(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Text | ColumnType::Varchar => "no such tenant",
        ColumnType::Cast("uuid") => "00000000-0000-4000-8000-0123456789ab",
        ColumnType::Cast(_) => "-2147483000",
    }
}

fn as_expected(what: What, login: &str) -> Attempt {
    Attempt { what, login: login.to_owned(), result: Outcome::AsExpected, detail: None }
}

fn leak(what: What, login: &str, detail: &str) -> Attempt {
    Attempt { what, login: login.to_owned(), result: Outcome::Leak, detail: Some(detail.to_owned()) }
}

pub(crate) fn not_tried(what: What, login: &str, why: &str) -> Attempt {
    Attempt { what, login: login.to_owned(), result: Outcome::NotTried, detail: Some(why.to_owned()) }
}

/// Functions of the server that complain about a row after the policies let it in.
const AFTER_POLICIES: [&str; 4] =
    ["ExecConstraints", "ReportNotNullViolationError", "_bt_check_unique", "ri_ReportViolation"];

/// An attempt that must be refused by a policy, or reach no row.
fn refused(what: What, login: &str, done: sqlx::Result<u64>) -> Attempt {
    let error = match done {
        Ok(0) => return as_expected(what, login),
        Ok(rows) => return leak(what, login, &format!("{rows} rows were written")),
        Err(error) => error,
    };
    let database_error = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    // A missing right has the same SQLSTATE as a policy's refusal, and says nothing of the policy.
    match database_error.and_then(PgDatabaseError::routine) {
        Some("ExecWithCheckOptions") => as_expected(what, login),
        Some(routine) if AFTER_POLICIES.contains(&routine) => {
            leak(what, login, &format!("the policies let the row in, and only a constraint refused it: {error}"))
        }
        _ => not_tried(what, login, &error.to_string()),
    }
}

//! Asks the server how it would run a statement of the application. The statement never runs: only its plan is made.

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use tenancy_config::Ident;

use crate::connection::database::set_path;
use crate::error::{Error, Result};
use crate::policy::setting::SessionSetting;
use crate::scope::owner::OwnerTx;
use crate::scope::probe::ProbeTx;
use crate::sql::template::Template;
use crate::sql::text::Sql;
use crate::statement_failure::StatementFailure;

/// What a plan is made under, until it is made.
#[derive(Debug, Clone, Default)]
pub struct PlanSettings {
    /// The role that would run the statement, where it is not that of the transaction.
    pub role: Option<Ident>,
    /// The search path that the statement expects, where it is not that of the transaction.
    pub search_path: Option<String>,
    /// The session variable and its value.
    pub tenant: Option<(String, String)>,
    /// What plans may use.
    pub scans: Scans,
}

/// What a plan may use to find rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scans {
    /// Everything that the server's settings allow.
    #[default]
    Any,
    /// No index, where there is another way.
    WithoutIndexes,
}

impl PlanSettings {
    /// Sets the session variable to this tenant.
    #[must_use]
    pub fn of_tenant(self, setting: &SessionSetting, tenant: &str) -> Self {
        Self { tenant: Some((setting.variable().to_owned(), setting.value(tenant))), ..self }
    }

    /// The statements that set them. The role is last, as it may set nothing for itself.
    fn statements(&self) -> Vec<Sql> {
        let set = |name: &str, value: &str| {
            let set = Template::new("SELECT pg_catalog.set_config(:'name', :'value', true)");
            set.literal("name", name).literal("value", value).build()
        };
        let mut all = vec![
            Sql::from_static("SAVEPOINT planning"),
            Sql::from_static("SET LOCAL row_security = on"),
            Sql::from_static("SET LOCAL statement_timeout = '5s'"),
            // The plan of any value, as none is known.
            Sql::from_static("SET LOCAL plan_cache_mode = force_generic_plan"),
        ];
        if self.scans == Scans::WithoutIndexes {
            let off = ["enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"];
            all.extend(off.map(|setting| set(setting, "off")));
        }
        all.extend(self.tenant.iter().map(|(variable, value)| set(variable, value)));
        all.extend(self.search_path.as_deref().map(set_path));
        let become_role = Template::new("SET LOCAL ROLE :\"role\"");
        all.extend(self.role.iter().map(|role| become_role.clone().ident("role", role).build()));
        // Whatever the planner evaluates writes nothing.
        all.push(Sql::from_static("SET LOCAL transaction_read_only = on"));
        all
    }
}

/// The plan of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// As the server writes it with `EXPLAIN (VERBOSE, FORMAT JSON)`.
    pub explained: Value,
    /// The types of the parameters.
    pub parameters: Vec<String>,
}

/// A plan, or what the server says against the statement.
pub type Planned = std::result::Result<Plan, StatementFailure>;

impl ProbeTx {
    /// Asks for the plan of a statement of the application, which is not run.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost. What the server says against the statement is the inner error.
    pub async fn plan(&mut self, text: &str, settings: &PlanSettings) -> Result<Planned> {
        plan(self.connection(), text, settings).await
    }
}

impl OwnerTx {
    /// Asks for the plan of a statement of the application, which is not run.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost. What the server says against the statement is the inner error.
    pub async fn plan(&mut self, text: &str, settings: &PlanSettings) -> Result<Planned> {
        plan(self.connection(), text, settings).await
    }
}

async fn plan(connection: &mut PgConnection, text: &str, settings: &PlanSettings) -> Result<Planned> {
    let doing = || Error::query("planning a statement");
    let mut is_prepared = false;
    let planned = explain(connection, text, settings, &mut is_prepared).await;
    run(connection, Sql::from_static("ROLLBACK TO SAVEPOINT planning")).await.map_err(doing())?;
    if is_prepared {
        // A prepared statement outlives its transaction.
        run(connection, Sql::from_static("DEALLOCATE planned")).await.map_err(doing())?;
    }
    Ok(planned.map_err(|error| StatementFailure::from(&doing()(error))))
}

async fn explain(
    connection: &mut PgConnection,
    text: &str,
    settings: &PlanSettings,
    is_prepared: &mut bool,
) -> sqlx::Result<Plan> {
    run(connection, Sql::join(settings.statements(), ";\n")).await?;
    // PREPARE takes a SELECT, INSERT, UPDATE, DELETE, MERGE or VALUES and nothing else, and a message of this protocol has one statement.
    let prepare = AssertSqlSafe(format!("PREPARE planned AS {text}"));
    sqlx::query(prepare).persistent(false).execute(&mut *connection).await?;
    *is_prepared = true;
    let types = include_str!("../../../../sql/tenant-rls/parameters_of_planned.sql");
    let row = sqlx::query(types).persistent(false).fetch_one(&mut *connection).await?;
    let parameters: Vec<String> = row.try_get("parameters")?;
    let nulls = Sql::join(parameters.iter().map(|_| Sql::from_static("NULL")), ", ");
    let explain = if parameters.is_empty() {
        Template::new("EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE planned").build()
    } else {
        Template::new("EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE planned(:nulls)").fragment("nulls", nulls).build()
    };
    let row = sqlx::raw_sql(explain).fetch_one(&mut *connection).await?;
    let Json(explained) = row.try_get("QUERY PLAN")?;
    Ok(Plan { explained, parameters })
}

async fn run(connection: &mut PgConnection, statements: Sql) -> sqlx::Result<()> {
    sqlx::Executor::execute(connection, sqlx::raw_sql(statements)).await?;
    Ok(())
}

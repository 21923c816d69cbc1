//! The attempts on one table: what they have in common, and those to read.

pub(crate) mod columns;
mod hanging;
pub(crate) mod key;
pub(crate) mod outcome;
pub(crate) mod rows;
mod unqualified;
mod writes;

use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::types::Json;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::Relation;
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::breach::Whose;
use tenant_inventory::claim::examined::Attempt;
use tenant_inventory::claim::untried::Untried;
use tenant_rls::{ProbeSessions, ProbeTx, SessionSetting, Sql, Template, TenantColumnType, VariableBefore};

use crate::attempts::columns::Columns;
use crate::attempts::key::PrimaryKey;
use crate::attempts::outcome::{ExpectedRows, none_tried};
use crate::attempts::rows::{Keys, Rows, only};
use crate::error::Result;

/// What the attempts on one table need.
pub(crate) struct Attempts<'a> {
    pub(crate) tenancy: &'a Tenancy,
    pub(crate) relation: &'a Relation,
    pub(crate) key: &'a PrimaryKey,
    pub(crate) rows: &'a Rows,
    pub(crate) columns: &'a Columns,
    /// Under the bridge rows without a tenant are everybody's.
    pub(crate) shows_without_tenant: bool,
    /// And each tenant may take, change and delete them.
    pub(crate) gives_without_tenant: bool,
    /// The tenant table, for tenants that an attempt makes for itself.
    pub(crate) tenants: (&'a TableName, &'a Columns),
    /// The columns of the table on which the rows hang, for rows there that an attempt makes for such tenants.
    pub(crate) parent: Option<&'a Columns>,
    /// Also write where that makes triggers fire.
    pub(crate) fire_triggers: bool,
}

/// A statement of an attempt. The server counts the rows that it reaches.
pub(crate) type AttemptStatement<'q> = Query<'q, Postgres, PgArguments>;

/// What a session says of its tenant, whose rows are read, and how many of them must be seen.
type Reading<'a> = (AttemptKind, Says<'a>, &'a Keys, ExpectedRows);

/// What a session says of its tenant.
enum Says<'a> {
    /// Nothing was ever set.
    Nothing,
    /// This tenant; the empty string is none.
    Tenant(&'a str),
    /// A document that names no tenant.
    Document(String),
}

/// Runs one statement, as a tenant or before any was set, takes it back, and returns how many rows it reached.
pub(crate) async fn attempt(
    tx: &mut ProbeTx,
    tenant: Option<&str>,
    statement: AttemptStatement<'_>,
) -> Result<sqlx::Result<u64>> {
    if let Some(tenant) = tenant {
        tx.set(tenant).await?;
    }
    let done = statement.execute(tx.connection()).await.map(|done| done.rows_affected());
    tx.rollback_to().await?;
    Ok(done)
}

impl Attempts<'_> {
    /// Tries to read, under each value of the session variable.
    pub(crate) async fn read(&self, sessions: &ProbeSessions) -> Result<Vec<Attempt>> {
        let login = &sessions.database().session().role;
        let see = self.on_given(include_str!("../../../../sql/rls-verify/probe_see.sql")).build();
        let mut attempts = Vec::new();
        let is_first = |reading: &Reading<'_>| matches!(reading.1, Says::Nothing);
        let (unset, set): (Vec<Reading<'_>>, Vec<Reading<'_>>) = self.readings().into_iter().partition(is_first);
        for (before, readings) in [(VariableBefore::NeverSet, unset), (VariableBefore::Any, set)] {
            if readings.is_empty() {
                continue;
            }
            let mut tx = sessions.begin(false, before).await?;
            for (what, says, keys, expected) in readings {
                let tenant = match says {
                    Says::Nothing => None,
                    Says::Tenant(tenant) => Some(tenant),
                    Says::Document(document) => {
                        tx.set_value(&document).await?;
                        None
                    }
                };
                let seen = attempt(&mut tx, tenant, sqlx::query(&see).bind(Json(keys))).await?;
                attempts.push(outcome::read(what, login, expected, seen));
            }
            tx.rollback().await?;
        }
        let because = if self.rows.tenants.is_empty() { Untried::NoRows } else { Untried::OneTenant };
        let left = AttemptKind::required().filter(|what| !what.writes());
        let left = left.filter(|what| !attempts.iter().any(|attempt| attempt.what == *what)).collect::<Vec<_>>();
        attempts.extend(none_tried(left, login, &because));
        Ok(attempts)
    }

    /// The readings, those before any tenant was set first.
    fn readings(&self) -> Vec<Reading<'_>> {
        let without_tenant = &self.rows.without_tenant;
        let mut readings = Vec::new();
        if self.relation.platform_rows && !without_tenant.is_empty() {
            let all = ExpectedRows::All(without_tenant.len());
            let nobody = [Says::Nothing, Says::Tenant("")];
            readings.extend(nobody.map(|says| (AttemptKind::ReadPlatform, says, without_tenant, all)));
        }
        let Some((own, keys)) = self.rows.tenants.first() else { return readings };
        let unknown = self.unknown();
        let none = ExpectedRows::None(Whose::OtherTenants);
        readings.insert(0, (AttemptKind::ReadUnset, Says::Nothing, keys, none));
        readings.extend([
            (AttemptKind::ReadEmpty, Says::Tenant(""), keys, none),
            (AttemptKind::ReadUnknown, Says::Tenant(unknown), keys, none),
            (AttemptKind::ReadOwn, Says::Tenant(own), keys, ExpectedRows::All(keys.len())),
        ]);
        let documents = SessionSetting::of(self.tenancy).documents_of_nobody(own);
        readings.extend(documents.into_iter().map(|it| (AttemptKind::ReadEmpty, Says::Document(it), keys, none)));
        let others = self.rows.tenants.get(1).map(|(_, keys)| (keys, none));
        let without_tenant = (!self.shows_without_tenant && !without_tenant.is_empty())
            .then_some((without_tenant, ExpectedRows::None(Whose::Nobody)));
        let not_own = others.into_iter().chain(without_tenant);
        readings.extend(not_own.map(|(keys, expected)| (AttemptKind::ReadOther, Says::Tenant(own), keys, expected)));
        readings
    }

    /// The id of a tenant that does not exist.
    pub(crate) fn unknown(&self) -> &'static str {
        unknown(self.relation.comparison.column_type)
    }

    /// A statement on the rows whose keys are $1.
    pub(crate) fn on_given(&self, text: &'static str) -> Template {
        Template::new(text)
            .table("target", &self.relation.name)
            .fragment("only", only(self.relation))
            .fragment("given", self.key.is_given())
    }

    pub(crate) fn type_of_tenant(&self) -> Sql {
        self.columns.type_of(&self.relation.comparison.column).unwrap_or_else(|| Sql::from_static("pg_catalog.text"))
    }
}

/// The id of a tenant that does not exist.
fn unknown(column_type: TenantColumnType) -> &'static str {
    match column_type {
        TenantColumnType::Text | TenantColumnType::Varchar => "no such tenant",
        TenantColumnType::Uuid => "00000000-0000-4000-8000-0123456789ab",
        TenantColumnType::Integer | TenantColumnType::Bigint => "-2147483000",
    }
}

//! Decides whether a role sees every row. A role that row level security filters counts less, without an error: under
//! FORCE, the owner of a table counted 0 rows without a tenant where there was 1 (docs/decisions.md, 5). So nothing is
//! counted, and no batch runs, before its role is proven to see everything that it must.
//!
//! There are two proofs. Either row level security is not active for the role on any of the tables, and `row_security =
//! off` turns a later change into an error; or our own policy for exactly this role is there unaltered, and no
//! restrictive policy applies.

use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row, types::Json};

use tenancy_config::{Ident, Tenancy};

use crate::access::{Access, ActingRole, Obstacle, Why};
use crate::connection::database::Database;
use crate::connection::transaction::{begin_read_only, can_act_as, set_role};
use crate::error::{Error, Result};
use crate::policy::isolation::printed_is_null;
use crate::policy::role_policy::printed_current_user;
use crate::sql::quote::Quoted;

/// How a role sees a set of tables.
#[derive(Debug, Default)]
pub(crate) struct Visibility {
    pub(crate) obstacles: Vec<Obstacle>,
    /// Whether some of the tables are under policies for this role, and our own policy shows it every row.
    pub(crate) by_policy: bool,
}

impl Visibility {
    /// One obstacle that concerns no table in particular.
    pub(crate) fn of_obstacle(role: &ActingRole, why: Why) -> Self {
        let of_rollout = role.assumed().is_some();
        Self { obstacles: vec![Obstacle { role: role.to_string(), table: None, of_rollout, why }], by_policy: false }
    }

    /// How the role sees these tables and those of `other`.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.obstacles.extend(other.obstacles);
        Self { by_policy: self.by_policy || other.by_policy, ..self }
    }
}

/// The roles that may read everything, in the order in which they are tried. A login that sees every row needs no
/// policies of ours. If the login is filtered, the auditor or the maintenance role may not be.
///
/// # Errors
/// [`Error::Name`]: `tenancy.toml` has a name that no role can have.
pub fn readers(database: &Database, tenancy: &Tenancy) -> Result<Vec<ActingRole>> {
    let mut readers = vec![ActingRole::Login(database.session().role.clone())];
    for role in [&tenancy.roles.auditor, &tenancy.roles.maintenance] {
        readers.push(ActingRole::Assumed(Ident::new(role)?));
    }
    Ok(readers)
}

/// Finds the first of `candidates` that sees every row of every table and has the necessary rights.
///
/// # Errors
/// [`Error::CannotSee`]: there is none; the error has the obstacles of each.
pub async fn acting_role(database: &Database, access: &[Access], candidates: &[ActingRole]) -> Result<ActingRole> {
    let mut obstacles = Vec::new();
    for candidate in candidates {
        let mut transaction = begin_read_only(database).await?;
        if !can_act_as(transaction.connection(), candidate).await? {
            transaction.rollback().await?;
            obstacles.extend(Visibility::of_obstacle(candidate, Why::CannotAssume).obstacles);
            continue;
        }
        let visibility = examine(transaction.connection(), candidate, access).await?;
        transaction.rollback().await?;
        if visibility.obstacles.is_empty() {
            return Ok(candidate.clone());
        }
        obstacles.extend(visibility.obstacles);
    }
    Err(Error::CannotSee(obstacles))
}

/// Finds the first of the [`readers`] that sees every row of every table and has the necessary rights. An audit reads
/// as this role, and a command that predicts what an audit will do asks for it.
///
/// # Errors
/// [`Error::CannotSee`]: there is none; the error has the obstacles of each.
pub async fn reader(database: &Database, tenancy: &Tenancy, access: &[Access]) -> Result<ActingRole> {
    acting_role(database, access, &readers(database, tenancy)?).await
}

/// Whether a role that sees every row of these tables does so by our policy, and not because nothing filters it.
///
/// # Errors
/// [`Error::Query`]: a statement fails.
pub async fn reads_by_policy(database: &Database, access: &[Access], role: &ActingRole) -> Result<bool> {
    let mut transaction = begin_read_only(database).await?;
    set_role(transaction.connection(), role).await?;
    let by_policy = examine(transaction.connection(), role, access).await?.by_policy;
    transaction.rollback().await?;
    Ok(by_policy)
}

/// The obstacles for `role`, which the connection already acts as.
pub(crate) async fn examine(connection: &mut PgConnection, role: &ActingRole, access: &[Access]) -> Result<Visibility> {
    let each = examine_each(connection, role, access).await?;
    Ok(each.into_iter().fold(Visibility::default(), Visibility::and))
}

/// The same table by table, in the order of `access`.
pub(crate) async fn examine_each(
    connection: &mut PgConnection,
    role: &ActingRole,
    access: &[Access],
) -> Result<Vec<Visibility>> {
    let asked: Vec<Asked<'_>> = access.iter().map(Asked::of).collect();
    // In one statement, because there may be hundreds of tables, and each would cost a round trip.
    let rows = sqlx::query(include_str!("../../../sql/tenant-rls/visibility.sql"))
        .bind(Json(asked))
        .fetch_all(&mut *connection)
        .await
        .map_err(Error::query(format!("asking what {role} may see")))?;
    Ok(access.iter().zip(rows).map(|(need, row)| of_table(role, need, &row)).collect())
}

/// How a role sees one table, from its row of the answer.
fn of_table(role: &ActingRole, need: &Access, row: &PgRow) -> Visibility {
    let mut visibility = Visibility::default();
    let mut add = |why| {
        let (role, table, of_rollout) = (role.to_string(), Some(need.table.clone()), role.assumed().is_some());
        visibility.obstacles.push(Obstacle { role, table, of_rollout, why });
    };
    if !row.get::<bool, _>("found") {
        add(Why::NoTable);
        return visibility;
    }
    let (unreadable, writable): (Vec<String>, bool) = (row.get("unreadable"), row.get("writable"));
    if !unreadable.is_empty() {
        add(Why::NoRight { verb: "select", columns: unreadable });
    }
    if let Some(column) = need.write.as_ref().filter(|_| !writable) {
        add(Why::NoRight { verb: "update", columns: vec![column.to_string()] });
    }
    if row.get::<bool, _>("filtered") {
        let Json(policies): Json<Vec<Policy>> = row.get("policies");
        if let Some(why) = hidden_by(&policies, role.name(), need.write.as_ref()) {
            add(why);
        }
        visibility.by_policy = true;
    }
    visibility
}

/// What we ask about one table.
#[derive(Debug, Serialize)]
struct Asked<'a> {
    schema: &'a str,
    name: &'a str,
    columns: Vec<&'a str>,
    written: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn of(need: &'a Access) -> Self {
        Self {
            schema: need.table.schema().as_str(),
            name: need.table.name().as_str(),
            columns: need.read.iter().map(Ident::as_str).collect(),
            written: need.write.as_ref().map(Ident::as_str),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Policy {
    name: String,
    permissive: bool,
    command: String,
    using: Option<String>,
}

/// Whether policies that apply to `role` may hide a row from it when it reads or, if `write` is given, when it fills a
/// tenant column that is NULL.
fn hidden_by(policies: &[Policy], role: &str, write: Option<&Ident>) -> Option<Why> {
    if let Some(policy) = policies.iter().find(|p| !p.permissive && (p.command != "w" || write.is_some())) {
        return Some(Why::Restricted { policy: policy.name.clone() });
    }
    let ours = printed_current_user(role);
    let opens = |command: &str, expressions: &[&str]| {
        policies.iter().any(|p| {
            (p.command == command || p.command == "*")
                && p.using.as_deref().is_some_and(|using| expressions.contains(&using))
        })
    };
    if !opens("r", &["true", &ours]) {
        return Some(Why::Filtered { verb: "select" });
    }
    let column = write?;
    let (plain, quoted) = (printed_is_null(column.as_str()), printed_is_null(&column.quoted()));
    (!opens("w", &["true", &ours, &plain, &quoted])).then_some(Why::Filtered { verb: "update" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(permissive: bool, command: &str, using: &str) -> Policy {
        Policy { name: "p".into(), permissive, command: command.into(), using: Some(using.into()) }
    }

    #[test]
    fn our_own_policy_opens_the_table_and_a_similar_one_does_not() {
        let ours = policy(true, "r", "(CURRENT_USER = 'tenant_auditor'::name)");
        assert_eq!(hidden_by(&[ours], "tenant_auditor", None), None);
        let narrower = policy(true, "r", "((CURRENT_USER = 'tenant_auditor'::name) AND (id > 3))");
        assert_eq!(hidden_by(&[narrower], "tenant_auditor", None), Some(Why::Filtered { verb: "select" }));
    }

    #[test]
    fn one_restrictive_policy_spoils_the_proof() {
        let policies = [policy(true, "r", "true"), policy(false, "*", "true")];
        assert_eq!(hidden_by(&policies, "r", None), Some(Why::Restricted { policy: "p".into() }));
    }

    #[test]
    fn reading_everything_is_not_yet_writing() {
        let column = Ident::new("tenantId").unwrap();
        let mut policies = vec![policy(true, "r", "true")];
        assert_eq!(hidden_by(&policies, "r", Some(&column)), Some(Why::Filtered { verb: "update" }));
        policies.push(policy(true, "w", "(\"tenantId\" IS NULL)"));
        assert_eq!(hidden_by(&policies, "r", Some(&column)), None);
    }
}

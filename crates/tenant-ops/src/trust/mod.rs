//! Whether what is in the schema `tenant_ops` may be relied on. Everything that touches it begins here: another role can have made the schema
//! first, and what it put there would run with the rights of whoever writes to it.

pub(crate) mod finding;
pub(crate) mod layout;
pub(crate) mod right;

use std::collections::BTreeSet;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use tenancy_config::{TableName, Tenancy, operators_of};
use tenant_rls::Error as RlsError;

use crate::error::{Error, Result};
use crate::owner::act;
use crate::trust::finding::{TrustFinding, by_object};
use crate::trust::layout::{Definition, Known, Layout, VERSION};
use crate::trust::right::Right;

/// Roles of the server whose members need no rights of their own.
const READERS_AND_WRITERS: [&str; 2] = ["pg_read_all_data", "pg_write_all_data"];

/// What the book-keeping is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To read it, which a login that may not act as its owner may be allowed.
    Read,
    /// To write to it.
    Write,
}

/// A schema that may be relied on.
#[derive(Debug)]
pub(crate) struct Verified {
    /// Its layout; none where nothing was installed in it yet.
    pub(crate) version: Option<i32>,
    /// The names of its objects.
    pub(crate) objects: BTreeSet<String>,
}

/// Makes sure that the book-keeping, if there is one, is what this program made and belongs to a role that this login may act as.
///
/// # Errors
/// [`Error::Untrusted`]; [`Error::Newer`].
pub(crate) async fn verified(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<Option<Verified>> {
    examine_twice(connection, tenancy, Purpose::Write).await
}

/// The same for a login that only reads: it need not be able to act as the owner, where that owns the database or its tenant table, and so
/// decides what is in the application's tables as well.
///
/// # Errors
/// [`Error::Untrusted`]; [`Error::Newer`].
pub(crate) async fn readable(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<Option<Verified>> {
    examine_twice(connection, tenancy, Purpose::Read).await
}

async fn examine_twice(connection: &mut PgConnection, tenancy: &Tenancy, purpose: Purpose) -> Result<Option<Verified>> {
    match examine(connection, tenancy, purpose).await {
        // Another process may be installing it, and holds a lock until it is complete.
        Err(Error::Untrusted { .. }) => {
            lock(connection).await?;
            examine(connection, tenancy, purpose).await
        }
        verified => verified,
    }
}

/// The same as [`verified`], for a caller that holds the lock of installations.
pub(crate) async fn verified_behind_lock(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<Option<Verified>> {
    examine(connection, tenancy, Purpose::Write).await
}

async fn examine(connection: &mut PgConnection, tenancy: &Tenancy, purpose: Purpose) -> Result<Option<Verified>> {
    let Some((owner, login, mut findings)) = owner(connection, tenancy, purpose).await? else { return Ok(None) };
    let there = definitions(connection).await?;
    // The number of the layout is read only from a table, and as a role that can do no more than its owner.
    let may_act = !findings.iter().any(|finding| matches!(finding, TrustFinding::NotOurs { .. }));
    let layout = Layout::ours();
    let version = match may_act && layout.has_version_table(&there) {
        true => match version(connection).await? {
            InstalledVersion::Is(version) => version,
            InstalledVersion::Hidden => {
                return Err(Error::Untrusted { findings: vec![TrustFinding::NotOurs { owner, login }] });
            }
        },
        false => None,
    };
    if let Some(version) = version.filter(|version| *version > VERSION) {
        return Err(Error::Newer { version });
    }
    let known = if version == Some(VERSION) { Known::Now } else { Known::Earlier };
    findings.extend(there.iter().filter_map(|object| object.belongs_to_another(&owner)));
    findings.extend(layout.compare(&there, known));
    findings
        .extend(rights(connection, tenancy).await?.into_iter().filter_map(|right| layout.compare_right(right, known)));
    findings.extend(role_members(connection, tenancy).await?);
    if !findings.is_empty() {
        return Err(Error::Untrusted { findings: by_object(findings) });
    }
    let objects = there.iter().filter(|object| object.owner.is_some()).map(|object| object.name.clone()).collect();
    Ok(Some(Verified { version, objects }))
}

/// Whose it is, who asks, and what is wrong with that.
async fn owner(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    purpose: Purpose,
) -> Result<Option<(String, String, Vec<TrustFinding>)>, RlsError> {
    let tenants = TableName::parse(&tenancy.tenant.table, &tenancy.database.schema)?;
    let row = sqlx::query(include_str!("../../../../sql/tenant-ops/owner.sql"))
        .bind(&tenancy.roles.app)
        .bind(tenants.schema().as_str())
        .bind(tenants.name().as_str())
        .fetch_optional(connection)
        .await
        .map_err(RlsError::query("asking whose the schema tenant_ops is"))?;
    let Some(row) = row else { return Ok(None) };
    let (owner, login): (String, String) = (row.get("owner"), row.get("login"));
    let mut findings = Vec::new();
    if row.get("of_application") {
        findings.push(TrustFinding::OfApplication { owner: owner.clone(), app: tenancy.roles.app.clone() });
        return Ok(Some((owner, login, findings)));
    }
    let (may_act, owns_the_rest): (bool, bool) = (row.get("may_act"), row.get("owns_the_rest"));
    if may_act && row.get("of_superuser") && !owns_the_rest {
        findings.push(TrustFinding::Stranger { owner: owner.clone() });
    } else if !may_act && (purpose == Purpose::Write || !owns_the_rest) {
        findings.push(TrustFinding::NotOurs { owner: owner.clone(), login: login.clone() });
    }
    Ok(Some((owner, login, findings)))
}

async fn definitions(connection: &mut PgConnection) -> Result<Vec<Definition>, RlsError> {
    let rows = sqlx::query(include_str!("../../../../sql/tenant-ops/definitions.sql"))
        .fetch_all(connection)
        .await
        .map_err(RlsError::query("reading the definitions in the schema tenant_ops"))?;
    let definition = |row: &PgRow| Definition {
        kind: row.get("kind"),
        name: row.get("name"),
        owner: row.get("owner"),
        of_event_triggers: row.get("of_event_triggers"),
        text: row.get("definition"),
    };
    Ok(rows.iter().map(definition).collect())
}

/// Every right of a role other than the owner.
pub(crate) async fn rights(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<Vec<Right>, RlsError> {
    let rows = sqlx::query(include_str!("../../../../sql/tenant-ops/rights.sql"))
        .bind(&tenancy.roles.app)
        .fetch_all(connection)
        .await
        .map_err(RlsError::query("reading who has rights in the schema tenant_ops"))?;
    let right = |row: &PgRow| Right {
        kind: row.get("kind"),
        object: row.get("object"),
        column: row.get("column"),
        privilege: row.get("privilege"),
        maintenance: row.get::<Option<&str>, _>("role") == Some(&tenancy.roles.maintenance),
        role: row.get("role"),
        of_application: row.get("of_application"),
        statement_right: row.get("statement_right"),
        statement_rest: row.get("statement_rest"),
    };
    Ok(rows.iter().map(right).collect())
}

async fn role_members(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<Vec<TrustFinding>, RlsError> {
    let (maintenance, auditor) = (&tenancy.roles.maintenance, &tenancy.roles.auditor);
    let roles = [&[maintenance.as_str(), auditor], READERS_AND_WRITERS.as_slice()].concat();
    let between = roles.iter().map(|role| operators_of(role).map(|between| between.as_str().to_owned()));
    let rows = sqlx::query(include_str!("../../../../sql/tenant-ops/role_members.sql"))
        .bind(&roles)
        .bind(&tenancy.roles.app)
        .bind(between.collect::<Vec<_>>())
        .fetch_all(connection)
        .await
        .map_err(RlsError::query("reading who may act as the roles of this tool"))?;
    let mut findings = Vec::new();
    for row in rows {
        let (role, member): (String, String) = (row.get("role"), row.get("member"));
        // A team may let others read, and may trust others with everything.
        let writes = role == *maintenance;
        if row.get("of_application") || (writes && !row.get::<bool, _>("expected")) {
            findings.push(TrustFinding::Member { role, member, granted: row.get("granted") });
        }
    }
    Ok(findings)
}

/// The number of the layout.
enum InstalledVersion {
    /// None where nothing was installed yet.
    Is(Option<i32>),
    /// Its owner lets this login read it neither as itself nor as a member.
    Hidden,
}

/// The number of the layout, from the table that was compared before.
async fn version(connection: &mut PgConnection) -> Result<InstalledVersion, RlsError> {
    let before = act(connection).await?;
    let may_read: Option<bool> = sqlx::query_scalar(include_str!("../../../../sql/tenant-ops/may_read_layout.sql"))
        .fetch_optional(&mut *connection)
        .await
        .map_err(RlsError::query("asking who may read the schema tenant_ops"))?;
    if may_read == Some(false) {
        before.again(connection).await?;
        return Ok(InstalledVersion::Hidden);
    }
    let version = sqlx::query_scalar("SELECT version FROM tenant_ops.installed")
        .fetch_optional(&mut *connection)
        .await
        .map_err(RlsError::query("reading which layout the schema tenant_ops has"))?;
    before.again(connection).await?;
    Ok(InstalledVersion::Is(version))
}

/// Waits for a process that installs or upgrades the schema, and keeps others from doing so until the transaction ends.
pub(crate) async fn lock(connection: &mut PgConnection) -> Result<(), RlsError> {
    sqlx::Executor::execute(connection, sqlx::raw_sql(include_str!("../../../../sql/tenant-ops/lock_layout.sql")))
        .await
        .map_err(RlsError::query("waiting for whoever installs the schema tenant_ops"))?;
    Ok(())
}

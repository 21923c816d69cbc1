//! Whether a session that can be read is still valid: the user, their session version, the membership and the tenant, as they are now.

use serde_json::{Map, Value};
use tenancy_config::Tenancy;
use tenant_rls::{Database, Error as SqlError, Registry, Tenant, TenantId};

use crate::error::Result;
use crate::people::PeopleReader;
use crate::problem::Problem;

/// What the database says of a session.
#[derive(Debug, Default)]
pub struct SessionCheck {
    /// Why the application does not accept it any more.
    pub problems: Vec<Problem>,
    /// What could not be checked, and why.
    pub unknown: Vec<String>,
}

/// Compares the claims of a session with the database.
///
/// # Errors
/// [`Error::Database`](crate::Error::Database): the server refused a query, or row level security hides the tenants.
pub async fn check(database: &Database, tenancy: &Tenancy, claims: &Map<String, Value>) -> Result<SessionCheck> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let mut check = SessionCheck::default();
    let Some(id) = text("userId").or_else(|| text("sub")) else {
        check.unknown.push("it names no user (`sub`), so nothing was compared with the database".to_owned());
        return Ok(check);
    };
    let mut tenants = Registry::open(database, tenancy).await?;
    let active = match text("tenantId") {
        Some(name) => tenant(&mut tenants, name, &mut check).await?,
        None => None,
    };
    let mut people = PeopleReader::open(database, tenancy).await?;
    if !people.sees_all() {
        people.set_scopes(scopes(&mut tenants, claims).await?);
    }
    tenants.close().await?;
    let hidden = (!people.sees_all()).then(|| database.session().role.clone());
    match (people.user(id).await?, &hidden) {
        (Some(user), _) => {
            let version = claims.get("sessionVersion").and_then(Value::as_i64);
            if let Some(version) = version.filter(|version| *version != i64::from(user.session_version)) {
                check.problems.push(Problem::SessionEnded { token: version, user: user.session_version.into() });
            }
        }
        (None, None) => check.problems.push(Problem::UserGone { id: id.to_owned() }),
        (None, Some(role)) => check.unknown.push(format!(
            "{role} does not see the user {id} in the scopes of the session's tenants: row level security may hide them"
        )),
    }
    if let Some(tenant) = active {
        // Every role sees a membership in the scope of its own tenant.
        let memberships = people.memberships(&[id.to_owned()]).await?;
        if !memberships.iter().any(|membership| membership.tenant_id == tenant.id.as_str()) {
            check.problems.push(Problem::MembershipGone { tenant: tenant.slug });
        }
    }
    people.close().await?;
    Ok(check)
}

async fn tenant(tenants: &mut Registry, name: &str, check: &mut SessionCheck) -> Result<Option<Tenant>> {
    match tenants.find_all(&[name]).await?.pop() {
        Some(Ok(tenant)) if tenant.id.as_str() == name => {
            if !tenant.active {
                let status = tenant.status.clone().unwrap_or_default();
                check.problems.push(Problem::TenantInactive { tenant: tenant.slug.clone(), status });
            }
            Ok(Some(tenant))
        }
        Some(Err(error)) if !matches!(error, SqlError::UnknownTenant { .. } | SqlError::TenantId { .. }) => {
            Err(error.into())
        }
        _ => {
            check.problems.push(Problem::TenantGone { id: name.to_owned() });
            Ok(None)
        }
    }
}

/// The tenants that the session names and that exist.
async fn scopes(tenants: &mut Registry, claims: &Map<String, Value>) -> Result<Vec<TenantId>> {
    let listed = claims.get("availableTenants").and_then(Value::as_array).into_iter().flatten();
    let ids = claims.get("tenantId").into_iter().chain(listed.filter_map(|tenant| tenant.get("id")));
    let mut names: Vec<&str> = Vec::new();
    for id in ids.filter_map(Value::as_str) {
        if !names.contains(&id) {
            names.push(id);
        }
    }
    let answers = tenants.find_all(&names).await?;
    Ok(answers.into_iter().flatten().map(|tenant| tenant.id).collect())
}

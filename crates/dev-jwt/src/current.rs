//! Whether a session that opens is still one: the user, their session version, the membership and the tenant, as they are now.

use serde_json::{Map, Value};
use tenancy_config::Tenancy;
use tenant_rls::{Database, Error as SqlError, Registry, Tenant, TenantId};

use crate::eyes::PeopleReader;
use crate::{Problem, Result};

/// What the database says of a session.
#[derive(Debug, Default)]
pub struct SessionCheck {
    /// Why the application does not accept it any more.
    pub problems: Vec<Problem>,
    /// What could not be told, and why.
    pub unknown: Vec<String>,
}

/// Compares the claims of a session with the database.
///
/// # Errors
/// The database said no, or the tenants are hidden.
pub async fn check(database: &Database, tenancy: &Tenancy, claims: &Map<String, Value>) -> Result<SessionCheck> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let mut currency = SessionCheck::default();
    let Some(id) = text("userId").or_else(|| text("sub")) else {
        currency.unknown.push("it names no user (`sub`), so nothing was compared with the database".to_owned());
        return Ok(currency);
    };
    let mut tenants = Registry::open(database, tenancy).await?;
    let active = match text("tenantId") {
        Some(name) => tenant(&mut tenants, name, &mut currency).await?,
        None => None,
    };
    let mut eyes = PeopleReader::open(database, tenancy).await?;
    if !eyes.sees_all() {
        eyes.look_into(scopes(&mut tenants, claims).await?);
    }
    tenants.close().await?;
    let hidden = (!eyes.sees_all()).then(|| database.session().role.clone());
    match (eyes.user(id).await?, &hidden) {
        (Some(user), _) => {
            let version = claims.get("sessionVersion").and_then(Value::as_i64);
            if let Some(version) = version.filter(|version| *version != i64::from(user.session_version)) {
                currency.problems.push(Problem::SessionEnded { token: version, user: user.session_version.into() });
            }
        }
        (None, None) => currency.problems.push(Problem::UserGone { id: id.to_owned() }),
        (None, Some(role)) => currency.unknown.push(format!(
            "{role} does not see the user {id} in the scopes of the session's tenants: row level security may hide them"
        )),
    }
    if let Some(tenant) = active {
        // In the scope of its own tenant a membership is seen by every role.
        let memberships = eyes.memberships(&[id.to_owned()]).await?;
        if !memberships.iter().any(|membership| membership.tenant_id == tenant.id.as_str()) {
            currency.problems.push(Problem::MembershipGone { tenant: tenant.slug });
        }
    }
    eyes.close().await?;
    Ok(currency)
}

async fn tenant(tenants: &mut Registry, name: &str, currency: &mut SessionCheck) -> Result<Option<Tenant>> {
    match tenants.find_all(&[name]).await?.pop() {
        Some(Ok(tenant)) if tenant.id.as_str() == name => {
            if !tenant.active {
                let status = tenant.status.clone().unwrap_or_default();
                currency.problems.push(Problem::TenantInactive { tenant: tenant.slug.clone(), status });
            }
            Ok(Some(tenant))
        }
        Some(Err(error)) if !matches!(error, SqlError::UnknownTenant { .. } | SqlError::TenantId { .. }) => {
            Err(error.into())
        }
        _ => {
            currency.problems.push(Problem::TenantGone { id: name.to_owned() });
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

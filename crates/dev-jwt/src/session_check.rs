//! Whether a session that can be read is still valid: the user, their session version, the membership and the tenant, as they are now.

use serde_json::{Map, Value};
use tenancy_config::{SessionChecks, Tenancy};
use tenant_rls::{Database, Error as SqlError, Registry, Tenant, TenantId};

use crate::error::Result;
use crate::people::PeopleReader;
use crate::problem::Problem;

/// What the database says of a session.
#[derive(Debug, Default)]
pub struct SessionCheck {
    /// Why the application does not accept it any more.
    pub problems: Vec<Problem>,
    /// What has changed since and does not keep the application from accepting it.
    pub facts: Vec<Problem>,
    /// What could not be checked, and why.
    pub unknown: Vec<String>,
}

impl SessionCheck {
    /// Tells what has changed; it is a refusal if the application checks it.
    fn tell(&mut self, problem: Problem, refuses: bool) {
        if refuses { self.problems.push(problem) } else { self.facts.push(problem) }
    }
}

/// What the application asks of the claims alone.
pub fn check_claims(tenancy: &Tenancy, claims: &Map<String, Value>) -> Vec<Problem> {
    let has_hash = claims.get("sessionIpHash").and_then(Value::as_str).is_some_and(|hash| !hash.is_empty());
    let missing = tenancy.session.checks.ip_hash && !has_hash;
    missing.then(|| Problem::MissingClaim { claim: "sessionIpHash".to_owned() }).into_iter().collect()
}

/// Compares the claims of a session with the database.
///
/// # Errors
/// [`Error::Database`](crate::Error::Database): the server refused a query, or row level security hides the tenants.
pub async fn check(database: &Database, tenancy: &Tenancy, claims: &Map<String, Value>) -> Result<SessionCheck> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let mut check = SessionCheck::default();
    let checks = tenancy.session.checks;
    let Some(id) = text("userId").or_else(|| text("sub")) else {
        check.unknown.push("it names no user (`sub`), so nothing was compared with the database".to_owned());
        return Ok(check);
    };
    let mut tenants = Registry::open(database, tenancy).await?;
    let active = match text("tenantId") {
        Some(name) => tenant(&mut tenants, name, checks, &mut check).await?,
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
                let ended = Problem::SessionEnded { token: version, user: user.session_version.into() };
                check.tell(ended, checks.session_version);
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
            check.tell(Problem::MembershipGone { tenant: tenant.slug }, checks.members_only);
        }
    }
    people.close().await?;
    Ok(check)
}

async fn tenant(
    tenants: &mut Registry,
    name: &str,
    checks: SessionChecks,
    check: &mut SessionCheck,
) -> Result<Option<Tenant>> {
    match tenants.find_all(&[name]).await?.pop() {
        Some(Ok(tenant)) if tenant.id.as_str() == name => {
            if !tenant.active {
                let status = tenant.status.clone().unwrap_or_default();
                let inactive = Problem::TenantInactive { tenant: tenant.slug.clone(), status };
                check.tell(inactive, checks.active_tenants_only);
            }
            Ok(Some(tenant))
        }
        Some(Err(error)) if !matches!(error, SqlError::UnknownTenant { .. } | SqlError::TenantId { .. }) => {
            Err(error.into())
        }
        _ => {
            check.tell(Problem::TenantGone { id: name.to_owned() }, checks.members_only || checks.active_tenants_only);
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

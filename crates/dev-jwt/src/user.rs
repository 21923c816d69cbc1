//! Finding the user and their memberships by email, whether or not row level security hides them from this login.

use serde::Serialize;
use tenancy_config::Tenancy;
use tenant_rls::{Database, Error as SqlError, Registry, Tenant, TenantId};

use crate::error::{Error, Result};
use crate::people::{MembershipRow, PeopleReader, PeopleStatements};
use crate::person::{Choice, Membership, Person, User};

/// The user that is looked for.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// The email, exactly.
    pub email: String,
    /// The slug or id of the active tenant.
    pub tenant: Option<String>,
    /// Without a tenant and without a default membership it is an error, as in the application.
    pub strict: bool,
    /// Accept a tenant that is out of use, too.
    pub include_inactive: bool,
    /// The most tenants in whose scopes it looks where no role sees every user.
    pub max_scopes: u32,
}

impl Lookup {
    /// Looks for this email.
    pub fn of(email: impl Into<String>) -> Self {
        Self { email: email.into(), tenant: None, strict: false, include_inactive: false, max_scopes: 5_000 }
    }
}

/// Where the user was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookupScope {
    /// 0 where a role saw every row, else the number of tenants in whose scopes it looked.
    pub scopes: usize,
    /// There are tenants that were not asked: the list of memberships may lack some.
    pub more: bool,
    /// Tenants that memberships name and that do not exist.
    pub ghosts: Vec<String>,
}

/// Tenants read at once.
const PAGE: u32 = 500;

/// Finds a user and what a session of theirs says.
///
/// # Errors
/// [`Error::UnknownEmail`] and [`Error::SeveralUsers`]; [`Error::NotSeen`] and [`Error::TooManyTenants`] where no role sees every user;
/// [`Error::NoMembership`], [`Error::NotAMember`], [`Error::Unresolved`] and [`Error::Inactive`] where there is no tenant for the session;
/// [`Error::Database`].
pub async fn find(
    database: &Database,
    tenancy: &Tenancy,
    lookup: &Lookup,
    notes: &mut (dyn FnMut(&str) + Send),
) -> Result<(Person, LookupScope)> {
    let checks = tenancy.session.checks;
    let email = if checks.lowercase_emails { lookup.email.to_lowercase() } else { lookup.email.clone() };
    let lookup = &Lookup { email, ..lookup.clone() };
    let mut tenants = Registry::open(database, tenancy).await?;
    let asked = match &lookup.tenant {
        Some(name) => Some(tenants.find(name).await?),
        None => None,
    };
    let mut people = PeopleReader::open(database, tenancy).await?;
    let mut more = false;
    if !people.sees_all() {
        let (scopes, rest) = scopes(&mut tenants, asked.as_ref(), lookup.max_scopes).await?;
        let role = &database.session().role;
        if rest && asked.is_none() {
            return Err(Error::TooManyTenants { role: role.clone(), limit: lookup.max_scopes });
        }
        notes(&format!("{role} does not see every user: asking in the scopes of {} tenants, one by one", scopes.len()));
        people.set_scopes(scopes);
        more = rest;
    }
    let candidates = people.users(&lookup.email).await?;
    let (users, similar): (Vec<User>, Vec<User>) = candidates.into_iter().partition(|user| user.email == lookup.email);
    if users.is_empty() {
        return Err(nobody(lookup, database, &people, similar));
    }
    let ids: Vec<String> = users.iter().map(|user| user.id.clone()).collect();
    let rows = people.memberships(&ids).await?;
    let scopes = people.scopes();
    people.close().await?;
    let (memberships, ghosts) = with_tenants(&mut tenants, rows).await?;
    let homes = if checks.members_only { Vec::new() } else { homes(&mut tenants, &users).await? };
    tenants.close().await?;
    let choice = Choice {
        email: &lookup.email,
        asked: asked.as_ref(),
        strict: lookup.strict,
        include_inactive: lookup.include_inactive || !checks.active_tenants_only,
        homes: &homes,
    };
    let person = Person::choose(users, memberships, &ghosts, &choice)?;
    Ok((person, LookupScope { scopes, more, ghosts }))
}

/// The tenants that these users belong to.
async fn homes(tenants: &mut Registry, users: &[User]) -> Result<Vec<Tenant>> {
    let names: Vec<&str> = users.iter().filter_map(|user| user.home.as_deref()).collect();
    let found = tenants.find_all(&names).await?;
    Ok(names
        .into_iter()
        .zip(found)
        .filter_map(|(name, tenant)| tenant.ok().filter(|t| t.id.as_str() == name))
        .collect())
}

fn nobody(lookup: &Lookup, database: &Database, people: &PeopleReader<'_>, similar: Vec<User>) -> Error {
    let email = lookup.email.clone();
    let mut similar: Vec<String> = similar.into_iter().map(|user| user.email).collect();
    similar.sort();
    similar.dedup();
    if people.sees_all() {
        return Error::UnknownEmail { email, similar };
    }
    Error::NotSeen { email, role: database.session().role.clone(), asked: people.scopes(), similar }
}

/// The tenants to ask, the one that was named first, and whether there are more.
async fn scopes(tenants: &mut Registry, first: Option<&Tenant>, limit: u32) -> Result<(Vec<TenantId>, bool)> {
    let mut scopes: Vec<TenantId> = first.map(|tenant| tenant.id.clone()).into_iter().collect();
    let limit = limit as usize;
    let mut after = None;
    loop {
        let page = tenants.page(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok((scopes, false)) };
        after = Some(last.id.clone());
        for tenant in page {
            if first.is_some_and(|first| first.id == tenant.id) {
                continue;
            }
            if scopes.len() >= limit {
                return Ok((scopes, true));
            }
            scopes.push(tenant.id);
        }
    }
}

/// Looks up the tenants of memberships. The second list has the tenants that do not exist.
pub(crate) async fn with_tenants(
    tenants: &mut Registry,
    rows: Vec<MembershipRow>,
) -> Result<(Vec<Membership>, Vec<String>)> {
    let names: Vec<&str> = rows.iter().map(|row| row.tenant_id.as_str()).collect();
    let answers = tenants.find_all(&names).await?;
    let (mut memberships, mut ghosts) = (Vec::new(), Vec::new());
    for (row, answer) in rows.into_iter().zip(answers) {
        match answer {
            Ok(tenant) if tenant.id.as_str() == row.tenant_id => memberships.push(Membership {
                user_id: row.user_id,
                tenant,
                role: row.role,
                is_default: row.is_default,
            }),
            Ok(_) | Err(SqlError::UnknownTenant { .. } | SqlError::TenantId { .. }) => ghosts.push(row.tenant_id),
            Err(error) => return Err(error.into()),
        }
    }
    Ok((memberships, ghosts))
}

/// The email of a user of an active tenant who has the most memberships, for a demonstration; `None` where there are no memberships.
///
/// # Errors
/// [`tenant_rls::Error::CannotSee`] where no role sees every user.
pub async fn someone(database: &Database, tenancy: &Tenancy) -> Result<Option<String>> {
    let mut tenants = Registry::open(database, tenancy).await?;
    let page = tenants.page(None, PAGE).await?;
    tenants.close().await?;
    let active: Vec<&str> = page.iter().filter(|tenant| tenant.active).map(|tenant| tenant.id.as_str()).collect();
    let statements = PeopleStatements::new(tenancy)?;
    let mut whole = statements.whole(database, tenancy).await?;
    let email = sqlx::query_scalar(&statements.someone).bind(active).fetch_optional(whole.connection()).await;
    let email = email.map_err(SqlError::query("looking for a user"))?;
    whole.close().await?;
    Ok(email)
}

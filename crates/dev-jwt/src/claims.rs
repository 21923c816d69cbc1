//! What a session says: the claims that the application's middleware reads.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::person::Person;

/// The claims of a user in their active tenant. `iat`, `exp` and `jti` are added when the token is minted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    name: Option<String>,
    email: String,
    picture: Option<String>,
    sub: String,
    user_id: String,
    role: String,
    tenant_id: Option<String>,
    tenant_slug: Option<String>,
    tenant_role: Option<String>,
    available_tenants: Vec<AvailableTenant>,
    /// The user's; a different one in the database ends the session.
    session_version: i32,
    /// Of the shape of these claims.
    version: u32,
    /// In milliseconds.
    session_issued_at: u64,
}

/// A tenant that the user may switch to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AvailableTenant {
    /// Its id.
    pub id: String,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The user's role in it.
    pub role: String,
}

impl Claims {
    /// The claims of this person from now, in milliseconds since 1970, on.
    pub fn of(person: &Person, now: u64) -> Self {
        let (user, tenant) = (&person.user, person.tenant());
        let available = person.memberships.iter().map(|membership| AvailableTenant {
            id: membership.tenant.id.to_string(),
            slug: membership.tenant.slug.clone(),
            name: membership.tenant.name.clone(),
            role: membership.role.clone(),
        });
        Self {
            name: user.name.clone(),
            email: user.email.clone(),
            picture: user.image.clone(),
            sub: user.id.clone(),
            user_id: user.id.clone(),
            role: user.role.clone(),
            tenant_id: tenant.map(|tenant| tenant.id.to_string()),
            tenant_slug: tenant.map(|tenant| tenant.slug.clone()),
            tenant_role: person.active().map(|membership| membership.role.clone()),
            available_tenants: available.collect(),
            session_version: user.session_version,
            version: 1,
            session_issued_at: now,
        }
    }

    /// As the object that a token carries.
    pub fn into_map(self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            other => unreachable!("a struct of strings and numbers is an object: {other:?}"),
        }
    }
}

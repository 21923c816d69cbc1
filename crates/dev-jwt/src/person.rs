//! A user, their memberships, and which of them the session is in.

use serde::Serialize;
use tenant_rls::Tenant;

use crate::error::{Error, Result};

/// A row of `users`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// Its id.
    pub id: String,
    /// The tenant that the row belongs to.
    pub home: Option<String>,
    /// Unique in that tenant only.
    pub email: String,
    /// The display name.
    pub name: Option<String>,
    /// The picture's address.
    pub image: Option<String>,
    /// The role in the application.
    pub role: String,
    /// A session with another value is over.
    pub session_version: i32,
}

/// A tenant that a user is a member of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// The user.
    pub user_id: String,
    /// The tenant.
    pub tenant: Tenant,
    /// The role in it.
    pub role: String,
    /// Whether it is used where no tenant is named.
    pub is_default: bool,
}

/// A user, and the tenant that their session is in: of one of their memberships, or without any the one that the user belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The user.
    pub user: User,
    /// The default first, then the oldest.
    pub memberships: Vec<Membership>,
    active: Option<usize>,
    /// The tenant that a user without memberships belongs to.
    home: Option<Tenant>,
}

/// What decides between several users and several memberships.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice<'a> {
    pub(crate) email: &'a str,
    pub(crate) asked: Option<&'a Tenant>,
    pub(crate) strict: bool,
    pub(crate) include_inactive: bool,
    /// The tenants that users without memberships belong to, where the application lets those in.
    pub(crate) homes: &'a [Tenant],
}

impl Person {
    /// The membership that the session is in; `None` if the user has none.
    pub fn active(&self) -> Option<&Membership> {
        self.active.map(|active| &self.memberships[active])
    }

    /// The tenant that the session is in.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.active().map(|membership| &membership.tenant).or(self.home.as_ref())
    }

    /// Chooses the user, and their active tenant: the one that was asked for, else the default, else the oldest membership.
    ///
    /// # Errors
    /// [`Error::SeveralUsers`], [`Error::NoMembership`], [`Error::NotAMember`], [`Error::Unresolved`] and [`Error::Inactive`].
    pub(crate) fn choose(
        users: Vec<User>,
        memberships: Vec<Membership>,
        ghosts: &[String],
        choice: &Choice<'_>,
    ) -> Result<Self> {
        let user = user(users, &memberships, choice)?;
        let mut memberships: Vec<_> = memberships.into_iter().filter(|m| m.user_id == user.id).collect();
        // A stable sort: the oldest stay first.
        memberships.sort_by_key(|membership| !membership.is_default);
        let Some(first) = memberships.first() else {
            return Self::at_home(user, ghosts, choice);
        };
        let candidates = || memberships.iter().map(|m| m.tenant.slug.clone()).collect::<Vec<_>>();
        let active = match choice.asked {
            Some(tenant) => memberships.iter().position(|m| m.tenant.id == tenant.id).ok_or_else(|| {
                Error::NotAMember { email: user.email.clone(), tenant: tenant.slug.clone(), candidates: candidates() }
            })?,
            None if first.is_default || !choice.strict => 0,
            None => return Err(Error::Unresolved { email: user.email, candidates: candidates() }),
        };
        let tenant = &memberships[active].tenant;
        if !tenant.active && !choice.include_inactive {
            let others = memberships.iter().filter(|m| m.tenant.active).map(|m| m.tenant.slug.clone()).collect();
            let status = tenant.status.clone().unwrap_or_default();
            return Err(Error::Inactive { tenant: tenant.slug.clone(), status, others });
        }
        Ok(Self { user, memberships, active: Some(active), home: None })
    }

    /// A user without memberships, in the tenant that their row names.
    fn at_home(user: User, ghosts: &[String], choice: &Choice<'_>) -> Result<Self> {
        let home = choice.homes.iter().find(|tenant| user.home.as_deref() == Some(tenant.id.as_str()));
        let Some(home) = home else {
            return Err(Error::NoMembership { email: user.email, ghosts: ghosts.to_vec() });
        };
        if let Some(asked) = choice.asked.filter(|asked| asked.id != home.id) {
            let candidates = vec![home.slug.clone()];
            return Err(Error::NotAMember { email: user.email, tenant: asked.slug.clone(), candidates });
        }
        if !home.active && !choice.include_inactive {
            let status = home.status.clone().unwrap_or_default();
            return Err(Error::Inactive { tenant: home.slug.clone(), status, others: Vec::new() });
        }
        Ok(Self { user, memberships: Vec::new(), active: None, home: Some(home.clone()) })
    }
}

/// The user of the session. Of several with one email, the member of the tenant that was asked for; of several members, the
/// one who belongs to it.
fn user(mut users: Vec<User>, memberships: &[Membership], choice: &Choice<'_>) -> Result<User> {
    if let Some(tenant) = choice.asked.filter(|_| users.len() > 1) {
        let is_member = |user: &User| memberships.iter().any(|m| m.user_id == user.id && m.tenant.id == tenant.id);
        let is_home = |user: &User| user.home.as_deref() == Some(tenant.id.as_str());
        let members: Vec<User> = users.iter().filter(|user| is_member(user)).cloned().collect();
        let at_home = members.iter().find(|user| is_home(user)).cloned();
        users = at_home.map(|user| vec![user]).unwrap_or(if members.is_empty() { users } else { members });
    }
    match users.len() {
        1 => Ok(users.remove(0)),
        _ => {
            let homes = users.into_iter().map(|user| user.home.unwrap_or_else(|| "no tenant".to_owned())).collect();
            Err(Error::SeveralUsers { email: choice.email.to_owned(), homes })
        }
    }
}

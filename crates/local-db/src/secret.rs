//! The passwords of a server. They are random, and kept in a file that only its owner can read.
//!
//! A user who logs in as `postgres` can run programs as the server's user, and every user of the machine can reach
//! 127.0.0.1.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tenancy_config::DatabaseUrl;

use crate::error::{Error, Result};
use crate::role::Role;

/// The password of every login before they were random.
const OLD: &str = "local";

/// The superuser's password. The other passwords are derived from it. It cannot be derived from them, because an
/// application's `.env` contains one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSecret(String);

impl ClusterSecret {
    /// A new random secret.
    ///
    /// # Errors
    /// [`Error::Random`]: the system returned no random numbers.
    pub fn random() -> Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(Error::Random)?;
        Ok(Self(hex::encode(bytes)))
    }

    /// The secret of a server that was created before passwords were random.
    pub(crate) fn old() -> Self {
        Self(OLD.to_owned())
    }

    pub(crate) fn is_old(&self) -> bool {
        self.0 == OLD
    }

    /// The secret from the text of a file.
    pub(crate) fn from_text(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The password of a login.
    pub fn password(&self, role: Role) -> String {
        if role == Role::Superuser || self.is_old() {
            return self.0.clone();
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("HMAC takes keys of any size");
        mac.update(role.name().as_bytes());
        hex::encode(&mac.finalize().into_bytes()[..16])
    }

    /// The URL of a database of the server on this port, for a role.
    ///
    /// # Errors
    /// A URL cannot express the name of the database.
    pub fn url(&self, port: u16, role: Role, database: &str) -> Result<DatabaseUrl> {
        let (name, password) = (role.name(), self.password(role));
        let url = format!("postgresql://{name}:{password}@127.0.0.1:{port}/{database}");
        Ok(DatabaseUrl::parse(&url).map_err(tenant_rls::Error::from)?)
    }
}

impl fmt::Debug for ClusterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(****)")
    }
}

/// The URL for another role, from the URL of a local server's superuser.
pub fn login(superuser: &DatabaseUrl, role: Role) -> DatabaseUrl {
    let secret = ClusterSecret(superuser.expose_password().unwrap_or_default().to_owned());
    superuser.with_user(role.name(), Some(&secret.password(role)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_servers_and_no_two_logins_have_one_password() {
        let (one, other) = (ClusterSecret::random().unwrap(), ClusterSecret::random().unwrap());
        let passwords: std::collections::BTreeSet<String> = [&one, &other]
            .into_iter()
            .flat_map(|secret| [Role::Superuser, Role::Owner, Role::AppUser].map(|role| secret.password(role)))
            .collect();
        assert_eq!(passwords.len(), 6);
        assert!(passwords.iter().all(|password| password.len() == 32));
    }

    #[test]
    fn its_debug_form_shows_nothing_of_it() {
        let secret = ClusterSecret::random().unwrap();
        assert!(!format!("{secret:?}").contains(&secret.password(Role::Superuser)));
    }

    #[test]
    fn a_login_follows_from_the_superusers_url() {
        let secret = ClusterSecret::random().unwrap();
        let url = format!("postgresql://postgres:{}@127.0.0.1:1/app", secret.password(Role::Superuser));
        let superuser = DatabaseUrl::parse(&url).unwrap();
        assert_eq!(login(&superuser, Role::Superuser), superuser);
        let owner = login(&superuser, Role::Owner);
        assert_eq!(owner.expose_password(), Some(secret.password(Role::Owner).as_str()));
        assert_eq!((owner.user(), owner.database()), ("app_owner", "app"));
    }
}

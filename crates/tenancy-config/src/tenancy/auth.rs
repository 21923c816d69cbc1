//! `[auth]`: the login with which the application signs users in, before a tenant is known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `[auth]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSection {
    /// The role that the application logs in as to sign users in. A rollout makes it if it is missing.
    pub role: String,
    /// The variable with the URL of this login. A verification tries with it.
    #[serde(default = "default_url_variable")]
    pub url_variable: String,
    /// What the role may do, by table: nothing else.
    pub tables: BTreeMap<String, AuthTable>,
    /// What the application's own login reads of its user's memberships, before a tenant is known.
    #[serde(default)]
    pub memberships: Option<AuthMemberships>,
}

/// `[auth.memberships]`: the application's login reads the memberships of the user whose id a second session variable has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthMemberships {
    /// Why the application needs them. Reports repeat it.
    pub why: String,
    /// The table of memberships.
    pub table: String,
    /// Its column with the id of the user.
    pub user: String,
    /// The session variable with the id of the user.
    #[serde(default = "default_user_setting")]
    pub setting: String,
}

/// `[auth.tables.NAME]`: what sign-in does with one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthTable {
    /// Why sign-in needs it. Reports repeat it.
    pub why: String,
    /// The columns that it reads.
    #[serde(default)]
    pub select: Vec<String>,
    /// The columns that it fills in a new row.
    #[serde(default)]
    pub insert: Vec<String>,
    /// The columns that it changes.
    #[serde(default)]
    pub update: Vec<String>,
    /// It deletes rows.
    #[serde(default)]
    pub delete: bool,
}

/// Something that sign-in may do with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AuthRight {
    /// Read columns.
    Select,
    /// Fill columns of new rows.
    Insert,
    /// Change columns.
    Update,
    /// Delete rows.
    Delete,
}

impl AuthRight {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Select, Self::Insert, Self::Update, Self::Delete];

    /// As SQL spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

impl AuthTable {
    /// The columns on which it has a right. Rows are deleted as a whole.
    pub fn columns(&self, right: AuthRight) -> &[String] {
        match right {
            AuthRight::Select => &self.select,
            AuthRight::Insert => &self.insert,
            AuthRight::Update => &self.update,
            AuthRight::Delete => &[],
        }
    }

    /// Whether it may do this with the table.
    pub fn may(&self, right: AuthRight) -> bool {
        if right == AuthRight::Delete { self.delete } else { !self.columns(right).is_empty() }
    }

    /// What it may do.
    pub fn rights(&self) -> impl Iterator<Item = AuthRight> + use<'_> {
        AuthRight::ALL.into_iter().filter(|right| self.may(*right))
    }
}

fn default_user_setting() -> String {
    "app.current_user_id".to_owned()
}

pub(super) fn default_url_variable() -> String {
    "AUTH_DATABASE_URL".to_owned()
}

//! `[auth]`: the login with which the application signs users in, before a tenant is known; `[jobs]`: logins of jobs that work for every tenant.

use std::collections::BTreeMap;
use std::fmt;

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
    pub tables: BTreeMap<String, LoginTable>,
    /// What the application's own login reads of its user's memberships, before a tenant is known.
    #[serde(default)]
    pub memberships: Option<AuthMemberships>,
}

/// `[jobs.NAME]`: the login of a job that works on rows of every tenant at once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSection {
    /// The role that the job logs in as. A rollout makes it if it is missing.
    pub role: String,
    /// The variable with the URL of this login; `NAME_DATABASE_URL`, in capitals, where it is left out.
    #[serde(default)]
    pub url_variable: Option<String>,
    /// What the role may do, by table: nothing else.
    pub tables: BTreeMap<String, LoginTable>,
}

/// What a declared login is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum LoginPurpose {
    /// To sign users in: `[auth]`.
    SignIn,
    /// A job: `[jobs.NAME]`.
    Job {
        /// The name of the job.
        job: String,
    },
}

impl LoginPurpose {
    /// Where it is declared in `tenancy.toml`.
    pub fn key(&self) -> String {
        match self {
            Self::SignIn => "auth".to_owned(),
            Self::Job { job } => format!("jobs.{job}"),
        }
    }
}

impl fmt::Display for LoginPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn => f.write_str("sign-in"),
            Self::Job { job } => write!(f, "the job {job}"),
        }
    }
}

/// A login that `tenancy.toml` declares beside the application's own: it works without a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginDeclaration<'a> {
    /// What it is for.
    pub purpose: LoginPurpose,
    /// The role.
    pub role: &'a str,
    /// The variable with its URL.
    pub url_variable: String,
    /// What it may do, by table as the file names it.
    pub tables: &'a BTreeMap<String, LoginTable>,
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

/// `[auth.tables.NAME]`, `[jobs.NAME.tables.NAME]`: what a declared login does with one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginTable {
    /// Why it needs that. Reports repeat it.
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

/// Something that a declared login may do with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LoginRight {
    /// Read columns.
    Select,
    /// Fill columns of new rows.
    Insert,
    /// Change columns.
    Update,
    /// Delete rows.
    Delete,
}

impl LoginRight {
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

impl LoginTable {
    /// The columns on which it has a right. Rows are deleted as a whole.
    pub fn columns(&self, right: LoginRight) -> &[String] {
        match right {
            LoginRight::Select => &self.select,
            LoginRight::Insert => &self.insert,
            LoginRight::Update => &self.update,
            LoginRight::Delete => &[],
        }
    }

    /// Whether it may do this with the table.
    pub fn may(&self, right: LoginRight) -> bool {
        if right == LoginRight::Delete { self.delete } else { !self.columns(right).is_empty() }
    }

    /// What it may do.
    pub fn rights(&self) -> impl Iterator<Item = LoginRight> + use<'_> {
        LoginRight::ALL.into_iter().filter(|right| self.may(*right))
    }
}

fn default_user_setting() -> String {
    "app.current_user_id".to_owned()
}

pub(super) fn default_url_variable() -> String {
    "AUTH_DATABASE_URL".to_owned()
}

//! What is planned, was done and is there for the declared logins.

use std::path::PathBuf;

use serde::Serialize;
use tenancy_config::tenancy::{LoginPurpose, LoginRight};
use tenancy_config::{Ident, TableName};
use tenant_inventory::{DeclaredLogin, LoginProblem, Memberships, create_login};

use crate::declared_login::left::{LeftLogin, LeftRole};
use crate::declared_login::role::usages;
use crate::error::Result;
use crate::plan::script::statement_text;
use crate::stop::{Stop, said};

/// What a plan does for a declared login, before the first table. The steps of its tables are among the others.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedLogin {
    /// What it is for.
    #[serde(flatten)]
    pub purpose: LoginPurpose,
    /// The role.
    pub role: Ident,
    /// Statements that make the role, and let it use schemas and sequences.
    pub statements: Vec<String>,
    /// Whether the role is made, so that it needs a password.
    pub makes_role: bool,
    /// What stops it.
    #[serde(serialize_with = "said")]
    pub stopped_by: Vec<Stop>,
}

/// What a rollout did for a declared login.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoginOutcome {
    /// What it is for.
    #[serde(flatten)]
    pub purpose: LoginPurpose,
    /// The role.
    pub role: Ident,
    /// The file with the password of the role, where the rollout made the role.
    pub password_file: Option<PathBuf>,
    /// Steps that were done.
    pub steps: usize,
    /// Why it does not have what is declared.
    #[serde(serialize_with = "said")]
    pub stopped_by: Vec<Stop>,
}

/// How a declared login stands.
#[derive(Debug, Clone, Serialize)]
pub struct LoginStatus {
    /// What it is for.
    #[serde(flatten)]
    pub purpose: LoginPurpose,
    /// The role.
    pub role: Ident,
    /// It exists.
    pub exists: bool,
    /// What it does, by table.
    pub flows: Vec<LoginFlow>,
    /// What the application's own login reads of its user's memberships, where that is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memberships: Option<MembershipsFlow>,
    /// What is not as it is declared.
    #[serde(serialize_with = "said")]
    pub problems: Vec<LoginProblem>,
}

/// What a declared login does with one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoginFlow {
    /// The table.
    pub table: TableName,
    /// What it does there.
    pub rights: Vec<LoginRight>,
    /// The declared reason.
    pub why: String,
    /// It can do all of that without a tenant.
    pub covered: bool,
    /// No policy keeps the application's own login from its rows, and that login has rights there.
    pub open_to_app: bool,
}

/// What a plan takes at its end from a role that `tenancy.toml` names no more. The steps of its tables are among the others.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedLeft {
    /// The role.
    #[serde(flatten)]
    pub left: LeftRole,
    /// Statements that take what it may use, and drop it where a rollout made it.
    pub statements: Vec<String>,
}

impl PlannedLeft {
    pub(crate) fn of(login: &LeftLogin) -> Result<Self> {
        let statements = login.statements()?.iter().map(|sql| statement_text(sql).to_owned()).collect();
        Ok(Self { left: login.told(), statements })
    }
}

/// What the application's own login reads of its user's memberships.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MembershipsFlow {
    /// The table.
    pub table: TableName,
    /// Its column with the user.
    pub user: String,
    /// The session variable with the user.
    pub setting: String,
    /// The declared reason.
    pub why: String,
    /// The policy is there.
    pub covered: bool,
}

impl MembershipsFlow {
    fn of(memberships: &Memberships) -> Self {
        let rules = &memberships.rules;
        Self {
            table: memberships.table.clone(),
            user: rules.user.clone(),
            setting: rules.setting.clone(),
            why: rules.why.clone(),
            covered: memberships.is_made(),
        }
    }
}

impl PlannedLogin {
    pub(crate) fn of(login: &DeclaredLogin, stopped_by: Vec<Stop>) -> Result<Self> {
        let makes_role = login.id.is_none();
        let create = makes_role.then(|| create_login(&login.role));
        let usages = usages(login)?.into_iter().map(|(_, sql)| sql);
        let statements = create.into_iter().chain(usages).map(|sql| statement_text(&sql).to_owned()).collect();
        Ok(Self { purpose: login.purpose.clone(), role: login.role.clone(), statements, makes_role, stopped_by })
    }

    /// The statements without the one that makes the role.
    pub(crate) fn usages(&self) -> impl Iterator<Item = &String> {
        self.statements.iter().skip(usize::from(self.makes_role))
    }
}

impl LoginStatus {
    pub(crate) fn of(login: &DeclaredLogin) -> Self {
        let flows = login.tables.iter().map(|table| LoginFlow {
            table: table.table.clone(),
            rights: table.rules.rights().collect(),
            why: table.rules.why.clone(),
            covered: login.covers(&table.table),
            open_to_app: table.open_to_app,
        });
        Self {
            purpose: login.purpose.clone(),
            role: login.role.clone(),
            exists: login.id.is_some(),
            flows: flows.collect(),
            memberships: login.memberships.as_ref().map(MembershipsFlow::of),
            problems: login.problems.clone(),
        }
    }
}

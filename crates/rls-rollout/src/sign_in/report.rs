//! What is planned, was done and is there for sign-in.

use std::path::PathBuf;

use serde::Serialize;
use tenancy_config::tenancy::AuthRight;
use tenancy_config::{Ident, TableName};
use tenant_inventory::{Memberships, SignIn, SignInProblem, create_sign_in};

use crate::error::Result;
use crate::plan::script::statement_text;
use crate::sign_in::left::{LeftLogin, LeftRole};
use crate::sign_in::login::usages;
use crate::stop::{Stop, said};

/// What a plan does for sign-in, before the first table. The steps of its tables are among the others.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedSignIn {
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

/// What a rollout did for sign-in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SignInOutcome {
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

/// How sign-in stands.
#[derive(Debug, Clone, Serialize)]
pub struct SignInStatus {
    /// The role.
    pub role: Ident,
    /// It exists.
    pub exists: bool,
    /// What sign-in does, by table.
    pub flows: Vec<SignInFlow>,
    /// What the application's own login reads of its user's memberships, where that is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memberships: Option<MembershipsFlow>,
    /// What is not as it is declared.
    #[serde(serialize_with = "said")]
    pub problems: Vec<SignInProblem>,
}

/// What sign-in does with one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignInFlow {
    /// The table.
    pub table: TableName,
    /// What it does there.
    pub rights: Vec<AuthRight>,
    /// The declared reason.
    pub why: String,
    /// It can do all of that without a tenant.
    pub covered: bool,
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

impl PlannedSignIn {
    pub(crate) fn of(sign_in: &SignIn, stopped_by: Vec<Stop>) -> Result<Self> {
        let makes_role = sign_in.id.is_none();
        let create = makes_role.then(|| create_sign_in(&sign_in.role));
        let usages = usages(sign_in)?.into_iter().map(|(_, sql)| sql);
        let statements = create.into_iter().chain(usages).map(|sql| statement_text(&sql).to_owned()).collect();
        Ok(Self { role: sign_in.role.clone(), statements, makes_role, stopped_by })
    }

    /// The statements without the one that makes the role.
    pub(crate) fn usages(&self) -> impl Iterator<Item = &String> {
        self.statements.iter().skip(usize::from(self.makes_role))
    }
}

impl SignInStatus {
    pub(crate) fn of(sign_in: &SignIn) -> Self {
        let flows = sign_in.tables.iter().map(|table| SignInFlow {
            table: table.table.clone(),
            rights: table.rules.rights().collect(),
            why: table.rules.why.clone(),
            covered: sign_in.covers(&table.table),
        });
        Self {
            role: sign_in.role.clone(),
            exists: sign_in.id.is_some(),
            flows: flows.collect(),
            memberships: sign_in.memberships.as_ref().map(MembershipsFlow::of),
            problems: sign_in.problems.clone(),
        }
    }
}

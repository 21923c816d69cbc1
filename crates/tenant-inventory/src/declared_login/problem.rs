//! What is not as `[auth]` and `[jobs]` declare it, as values; the sentences are made here.

use std::fmt;

use serde::Serialize;
use tenancy_config::tenancy::{LoginPurpose, LoginRight};
use tenancy_config::{Ident, TableName};
use tenant_rls::{MembershipPolicy, quoted_role};

use super::statement::create_login;
use crate::ways::roles::RoleStep;

/// Something about a declared login that is not as it is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoginProblem {
    /// What the login is for.
    #[serde(flatten)]
    pub purpose: LoginPurpose,
    /// The role.
    pub role: Ident,
    /// What it is.
    #[serde(flatten)]
    pub what: LoginProblemKind,
}

/// What is not as it is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum LoginProblemKind {
    /// There is no such role.
    NoRole {
        /// This login may make it.
        may_create: bool,
    },
    /// Nobody can log in as it.
    CannotLogIn,
    /// It has an attribute with which it is more than a login that policies filter.
    Powerful {
        /// The attribute.
        attribute: &'static str,
    },
    /// It owns a table or view.
    Owns {
        /// The first of them.
        table: String,
    },
    /// It has the rights of another role, or can become it.
    MemberOf {
        /// That role.
        of: String,
    },
    /// The application's login has its rights, or can become it.
    HeldByApplication {
        /// The application's login.
        login: String,
        /// How it becomes the role; no step where it has its rights anyway.
        steps: Vec<RoleStep>,
        /// It is the login that asks, too: whoever makes a role can become it.
        is_this_login: bool,
    },
    /// A table is not there.
    NoTable {
        /// The table.
        table: TableName,
    },
    /// A column is not there.
    NoColumns {
        /// The table.
        table: TableName,
        /// The columns.
        columns: Vec<String>,
    },
    /// This login may not grant rights on a table.
    NotOwned {
        /// The table.
        table: TableName,
        /// Its owner.
        owner: String,
    },
    /// The role lacks what is declared.
    Missing {
        /// The table.
        table: TableName,
        /// What.
        parts: Vec<LoginPart>,
    },
    /// The column with the user of a membership has a type that no policy of ours compares.
    UserType {
        /// The table.
        table: TableName,
        /// The column.
        column: String,
        /// Its type.
        type_name: String,
    },
    /// There is no login of the application's to which memberships could be shown.
    NoApplication {
        /// The login that is declared.
        login: String,
    },
    /// The table of memberships has no row level security and gets none: every membership is seen anyway.
    OpenMemberships {
        /// The table.
        table: TableName,
    },
    /// The policy that shows the memberships of a user is not there.
    MembershipPolicy {
        /// The table.
        table: TableName,
        /// One of its name is, and somebody altered it.
        altered: bool,
    },
    /// The role has what is not declared.
    Undeclared {
        /// The table.
        table: TableName,
        /// What.
        parts: Vec<LoginPart>,
    },
}

/// Something that the role needs, or has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum LoginPart {
    /// A right on the whole table, or on one column.
    Right {
        /// The right, as SQL spells it.
        privilege: String,
        /// The column.
        column: Option<String>,
    },
    /// A policy that lets it through.
    Policy {
        /// The policy.
        policy: String,
    },
    /// The right to use a schema.
    Schema {
        /// The schema.
        schema: Ident,
    },
    /// The right to draw numbers from a sequence.
    Sequence {
        /// The sequence.
        sequence: TableName,
    },
}

impl LoginPart {
    /// A right on a column, or on the whole table.
    pub(crate) fn right(right: LoginRight, column: Option<&str>) -> Self {
        Self::Right { privilege: right.as_str().to_owned(), column: column.map(str::to_owned) }
    }
}

impl LoginProblemKind {
    /// Whether somebody reaches more by it than is declared.
    pub fn reaches_more(&self) -> bool {
        match self {
            Self::Powerful { .. }
            | Self::Owns { .. }
            | Self::MemberOf { .. }
            | Self::HeldByApplication { .. }
            | Self::OpenMemberships { .. }
            | Self::MembershipPolicy { altered: true, .. }
            | Self::Undeclared { .. } => true,
            Self::NoRole { .. }
            | Self::CannotLogIn
            | Self::NoTable { .. }
            | Self::NoColumns { .. }
            | Self::NotOwned { .. }
            | Self::UserType { .. }
            | Self::NoApplication { .. }
            | Self::MembershipPolicy { altered: false, .. }
            | Self::Missing { .. } => false,
        }
    }

    /// Whether a rollout makes what is missing.
    pub fn is_made_by_rollout(&self) -> bool {
        matches!(self, Self::NoRole { may_create: true } | Self::Missing { .. } | Self::MembershipPolicy { .. })
    }

    /// Whether it is about what the login that asks may do, and says nothing about the login itself.
    pub fn is_of_this_login(&self) -> bool {
        matches!(self, Self::NotOwned { .. })
    }

    /// Whether a rollout can give the role what is declared in spite of it.
    pub fn lets_rollout_go_on(&self) -> bool {
        self.is_made_by_rollout() || matches!(self, Self::HeldByApplication { is_this_login: true, .. })
    }

    /// Whether it is about what the application's own login reads of memberships.
    pub fn is_of_memberships(&self) -> bool {
        matches!(
            self,
            Self::UserType { .. }
                | Self::NoApplication { .. }
                | Self::OpenMemberships { .. }
                | Self::MembershipPolicy { .. }
        )
    }

    /// The table that it is about.
    pub fn table(&self) -> Option<&TableName> {
        match self {
            Self::NoTable { table }
            | Self::NoColumns { table, .. }
            | Self::NotOwned { table, .. }
            | Self::Missing { table, .. }
            | Self::UserType { table, .. }
            | Self::OpenMemberships { table }
            | Self::MembershipPolicy { table, .. }
            | Self::Undeclared { table, .. } => Some(table),
            _ => None,
        }
    }
}

impl LoginProblem {
    /// What to do about it.
    pub fn hint(&self) -> String {
        let Self { role, purpose, .. } = self;
        let quoted = quoted_role(role.as_str());
        match &self.what {
            LoginProblemKind::NoRole { may_create: true }
            | LoginProblemKind::Missing { .. }
            | LoginProblemKind::MembershipPolicy { .. } => "the next rollout makes it".to_owned(),
            LoginProblemKind::UserType { .. } => {
                "make it text, varchar, uuid, integer or bigint, or take [auth.memberships] away".to_owned()
            }
            LoginProblemKind::NoApplication { .. } => "correct roles.app, or make that login".to_owned(),
            LoginProblemKind::OpenMemberships { .. } => {
                "give it a tenant column, or take [auth.memberships] away".to_owned()
            }
            LoginProblemKind::NoRole { may_create: false } => {
                format!("as a role with CREATEROLE: {}; then \\password {quoted}", create_login(role).as_str())
            }
            LoginProblemKind::CannotLogIn => format!("ALTER ROLE {quoted} LOGIN, with a password"),
            LoginProblemKind::Powerful { attribute } => {
                format!("ALTER ROLE {quoted} NO{attribute}, or declare a role of its own for {purpose}")
            }
            LoginProblemKind::Owns { .. } => format!("declare a role of its own for {purpose}: a rollout makes it"),
            LoginProblemKind::MemberOf { of } => format!("REVOKE {} FROM {quoted}", quoted_role(of)),
            LoginProblemKind::HeldByApplication { login, .. } => {
                format!("REVOKE {quoted} FROM {}, or from the role through which it is a member", quoted_role(login))
            }
            LoginProblemKind::NoTable { .. } | LoginProblemKind::NoColumns { .. } => {
                "correct the name, or run the application's migrations".to_owned()
            }
            LoginProblemKind::NotOwned { owner, .. } => format!("roll out as {owner}, or as one of its members"),
            LoginProblemKind::Undeclared { .. } => {
                format!("REVOKE it, from PUBLIC where everybody has it, or declare it in [{}.tables]", purpose.key())
            }
        }
    }
}

impl fmt::Display for LoginProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, purpose, .. } = self;
        match &self.what {
            LoginProblemKind::NoRole { may_create } => {
                let cannot = if *may_create { "" } else { ", and this login may not make it" };
                write!(f, "there is no role {role}, as which {purpose} is to log in{cannot}")
            }
            LoginProblemKind::CannotLogIn => write!(f, "nobody can log in as {role} (NOLOGIN)"),
            LoginProblemKind::Powerful { attribute } => {
                write!(f, "{role} has {attribute}, and {purpose} needs a login that policies filter")
            }
            LoginProblemKind::Owns { table } => write!(f, "{role} owns {table}, and can do anything with it"),
            LoginProblemKind::MemberOf { of } => write!(f, "{role} is a member of {of}, and has or gets its rights"),
            LoginProblemKind::HeldByApplication { login, steps, .. } => {
                let how = match steps.last() {
                    None => "has the rights of",
                    Some(RoleStep::Set { .. }) => "can become (SET ROLE)",
                    Some(RoleStep::Grant { .. }) => "has ADMIN on, and so can become,",
                };
                write!(f, "the application's login {login} {how} {role}, which reaches rows of every tenant")
            }
            LoginProblemKind::NoTable { table } => write!(f, "there is no table {table}"),
            LoginProblemKind::NoColumns { table, columns } => {
                write!(f, "{table} has no column {}", columns.join(", "))
            }
            LoginProblemKind::NotOwned { table, owner } => {
                write!(f, "{table} belongs to {owner}, and this login may grant nothing on it")
            }
            LoginProblemKind::Missing { table, parts } => {
                write!(f, "{table}: {role} lacks {}", Parts(parts))
            }
            LoginProblemKind::UserType { table, column, type_name } => {
                write!(f, "{table}: the user of a membership, {column}, is of type {type_name}")
            }
            LoginProblemKind::NoApplication { login } => {
                write!(f, "there is no role {login}, to which memberships are to be shown")
            }
            LoginProblemKind::OpenMemberships { table } => {
                write!(f, "{table} has no row level security and gets none: whoever may read it reads every membership")
            }
            LoginProblemKind::MembershipPolicy { table, altered } => {
                let what = if *altered { "altered" } else { "not there" };
                write!(
                    f,
                    "{table}: the policy \"{}\", which shows a user's own memberships, is {what}",
                    MembershipPolicy::NAME
                )
            }
            LoginProblemKind::Undeclared { table, parts } => {
                write!(f, "{table}: {role} has {}, which [{}] does not declare", Parts(parts), purpose.key())
            }
        }
    }
}

/// The parts in words: the columns of one right together.
struct Parts<'a>(&'a [LoginPart]);

impl fmt::Display for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said: Vec<String> = Vec::new();
        let mut columns: Vec<(&str, Vec<&str>)> = Vec::new();
        for part in self.0 {
            match part {
                LoginPart::Right { privilege, column: Some(column) } => {
                    match columns.iter_mut().find(|(known, _)| known == privilege) {
                        Some((_, named)) => named.push(column),
                        None => columns.push((privilege, vec![column])),
                    }
                }
                LoginPart::Right { privilege, column: None } => said.push(privilege.clone()),
                LoginPart::Policy { policy } => said.push(format!("the policy \"{policy}\"")),
                LoginPart::Schema { schema } => said.push(format!("USAGE of the schema {schema}")),
                LoginPart::Sequence { sequence } => said.push(format!("USAGE of the sequence {sequence}")),
            }
        }
        let of_columns = columns.into_iter().map(|(privilege, named)| format!("{privilege} ({})", named.join(", ")));
        f.write_str(&of_columns.chain(said).collect::<Vec<_>>().join(", "))
    }
}

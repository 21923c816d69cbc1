//! A declared login and its tables, as they are.

use std::collections::BTreeSet;

use tenancy_config::tenancy::{LoginPurpose, LoginTable};
use tenancy_config::{Ident, TableName};

use super::memberships::Memberships;
use super::problem::{LoginPart, LoginProblem};
use crate::catalog::definition::{Aspect, AspectKind, Definition};

/// A login that `tenancy.toml` declares beside the application's own, compared with what is declared.
#[derive(Debug, Clone)]
pub struct DeclaredLogin {
    /// What it is for.
    pub purpose: LoginPurpose,
    /// The role.
    pub role: Ident,
    /// The variable with its URL.
    pub url_variable: String,
    /// Its number, where it exists.
    pub id: Option<i64>,
    /// Its tables, in the order of the file.
    pub tables: Vec<DeclaredTable>,
    /// What the application's own login reads of its user's memberships, if that is declared. It stands with the login of sign-in.
    pub memberships: Option<Memberships>,
    /// What is not as it is declared.
    pub problems: Vec<LoginProblem>,
}

/// A table of a declared login.
#[derive(Debug, Clone)]
pub struct DeclaredTable {
    /// The table.
    pub table: TableName,
    /// What is declared.
    pub rules: LoginTable,
    /// It is there.
    pub is_there: bool,
    /// It has row level security or is to get it, so that the role needs policies there.
    pub needs_policies: bool,
    /// No policy is to keep the application's own login from its rows, and that login has rights there.
    pub open_to_app: bool,
    /// Its tenant column; where it has none, the name that one would have.
    pub column: Ident,
    /// Its definition.
    pub definition: Definition,
    /// The schema and the sequences on which the role lacks a right.
    pub needs: BTreeSet<LoginPart>,
}

impl DeclaredLogin {
    /// What the journal of rollouts calls the declared logins, in the place of a table.
    ///
    /// # Panics
    /// Never: both are names.
    pub fn subject() -> TableName {
        let name = |name| Ident::new(name).expect("a short name is a name");
        TableName::new(name("tenant_ops"), name("login"))
    }

    /// The role as an aspect of that.
    pub fn role_aspect(role: &Ident) -> Aspect {
        Aspect::named(AspectKind::Role, role.as_str())
    }

    /// The right to use a schema or a sequence, as an aspect of that. Other parts are aspects of their table.
    pub fn usage_aspect(role: &Ident, part: &LoginPart) -> Option<Aspect> {
        let (kind, name) = match part {
            LoginPart::Schema { schema } => (AspectKind::SchemaUsage, schema.to_string()),
            LoginPart::Sequence { sequence } => (AspectKind::SequenceUsage, sequence.to_string()),
            LoginPart::Right { .. } | LoginPart::Policy { .. } => return None,
        };
        Some(Aspect { role: role.to_string(), ..Aspect::named(kind, &name) })
    }

    /// What is not as it is declared, of one table.
    pub fn problems_of(&self, table: &TableName) -> impl Iterator<Item = &LoginProblem> {
        self.problems.iter().filter(move |problem| problem.what.table() == Some(table))
    }

    /// Whether it can do with a table what is declared, and what stands in the way concerns no other table.
    pub fn covers(&self, table: &TableName) -> bool {
        let concerns = |problem: &LoginProblem| problem.what.table().is_none_or(|of| of == table);
        self.id.is_some()
            && !self
                .problems
                .iter()
                .any(|problem| concerns(problem) && !problem.what.reaches_more() && !problem.what.is_of_this_login())
    }
}

//! The login of sign-in and its tables, as they are.

use std::collections::BTreeSet;

use tenancy_config::tenancy::AuthTable;
use tenancy_config::{Ident, TableName};

use super::memberships::Memberships;
use super::problem::{SignInPart, SignInProblem};
use crate::catalog::definition::{Aspect, AspectKind, Definition};

/// The login of sign-in, compared with what is declared.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The role.
    pub role: Ident,
    /// Its number, where it exists.
    pub id: Option<i64>,
    /// Its tables, in the order of the file.
    pub tables: Vec<SignInTable>,
    /// What the application's own login reads of its user's memberships, if that is declared.
    pub memberships: Option<Memberships>,
    /// What is not as it is declared.
    pub problems: Vec<SignInProblem>,
}

/// A table of sign-in.
#[derive(Debug, Clone)]
pub struct SignInTable {
    /// The table.
    pub table: TableName,
    /// What is declared.
    pub rules: AuthTable,
    /// It is there.
    pub is_there: bool,
    /// It has row level security or is to get it, so that the role needs policies there.
    pub needs_policies: bool,
    /// Its tenant column; where it has none, the name that one would have.
    pub column: Ident,
    /// Its definition.
    pub definition: Definition,
    /// The schema and the sequences on which the role lacks a right.
    pub needs: BTreeSet<SignInPart>,
}

impl SignIn {
    /// What the journal of rollouts calls the login, in the place of a table.
    ///
    /// # Panics
    /// Never: both are names.
    pub fn subject() -> TableName {
        let name = |name| Ident::new(name).expect("a short name is a name");
        TableName::new(name("tenant_ops"), name("sign_in"))
    }

    /// The role as an aspect of that.
    pub fn role_aspect(role: &Ident) -> Aspect {
        Aspect::named(AspectKind::Role, role.as_str())
    }

    /// The right to use a schema or a sequence, as an aspect of that. Other parts are aspects of their table.
    pub fn usage_aspect(role: &Ident, part: &SignInPart) -> Option<Aspect> {
        let (kind, name) = match part {
            SignInPart::Schema { schema } => (AspectKind::SchemaUsage, schema.to_string()),
            SignInPart::Sequence { sequence } => (AspectKind::SequenceUsage, sequence.to_string()),
            SignInPart::Right { .. } | SignInPart::Policy { .. } => return None,
        };
        Some(Aspect { role: role.to_string(), ..Aspect::named(kind, &name) })
    }

    /// What is not as it is declared, of one table.
    pub fn problems_of(&self, table: &TableName) -> impl Iterator<Item = &SignInProblem> {
        self.problems.iter().filter(move |problem| problem.what.table() == Some(table))
    }

    /// Whether sign-in can do with a table what is declared, and what stands in the way concerns no other table.
    pub fn covers(&self, table: &TableName) -> bool {
        let concerns = |problem: &SignInProblem| problem.what.table().is_none_or(|of| of == table);
        self.id.is_some()
            && !self
                .problems
                .iter()
                .any(|problem| concerns(problem) && !problem.what.reaches_more() && !problem.what.is_of_this_login())
    }
}

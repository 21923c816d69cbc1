//! The policies that let the login of sign-in reach the rows of every tenant, in the tables that are declared.

use tenancy_config::tenancy::AuthRight;
use tenancy_config::{Ident, NameError, TableName};

use super::role_policy::printed_current_user;
use crate::sql::quote::Quoted;
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// A policy that lets the login of sign-in do one thing with every row of a table. It holds for that role only, not for roles that inherit from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthPolicy(pub AuthRight);

impl AuthPolicy {
    /// The policy of a name, if it is one of these.
    pub fn named(name: &str) -> Option<Self> {
        AuthRight::ALL.into_iter().map(Self).find(|policy| policy.name() == name)
    }

    /// Its name, which is the same on every table.
    pub fn name(self) -> &'static str {
        match self.0 {
            AuthRight::Select => "tenant_auth_select",
            AuthRight::Insert => "tenant_auth_insert",
            AuthRight::Update => "tenant_auth_update",
            AuthRight::Delete => "tenant_auth_delete",
        }
    }

    /// The statement that creates it for a role.
    ///
    /// # Errors
    /// [`NameError`]: its name is not valid, which the names of these policies rule out.
    pub fn create(self, table: &TableName, role: &Ident) -> Result<Sql, NameError> {
        let is_role = Template::new("(current_user = :'role_name')").literal("role_name", role.as_str()).build();
        let clauses = match self.0 {
            AuthRight::Select | AuthRight::Delete => "USING :is_role",
            AuthRight::Insert => "WITH CHECK :is_role",
            AuthRight::Update => "USING :is_role WITH CHECK :is_role",
        };
        Ok(Template::new(include_str!("../../../../sql/tenant-rls/auth_policy.sql"))
            .ident("policy", &Ident::new(self.name())?)
            .table("table", table)
            .ident("role", role)
            .fragment("command", Sql::from_static(self.0.as_str()))
            .fragment("clauses", Template::new(clauses).fragment("is_role", is_role).build())
            .build())
    }

    /// The role that a policy lets through which the catalog prints as `text`, if it is this one and unaltered.
    pub fn role_in(self, text: &str) -> Option<Ident> {
        let (_, name) = text.split_once("(CURRENT_USER = '")?;
        let (name, _) = name.split_once("'::name)")?;
        let role = Ident::new(name.replace("''", "'")).ok()?;
        self.is_printed_as(text, &role).then_some(role)
    }

    /// Whether a policy that the catalog prints as `text` is this one, for this role and unaltered.
    pub fn is_printed_as(self, text: &str, role: &Ident) -> bool {
        let is_role = printed_current_user(role.as_str());
        let clauses = match self.0 {
            AuthRight::Select | AuthRight::Delete => format!("USING ({is_role})"),
            AuthRight::Insert => format!("WITH CHECK ({is_role})"),
            AuthRight::Update => format!("USING ({is_role}) WITH CHECK ({is_role})"),
        };
        let command = self.0.as_str();
        let for_role = |role: &str| *text == format!("AS PERMISSIVE FOR {command} TO {role} {clauses}");
        for_role(role.as_str()) || for_role(&role.quoted())
    }
}

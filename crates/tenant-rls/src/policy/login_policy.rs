//! The policies that let a declared login reach the rows of every tenant, in the tables that are declared.

use tenancy_config::tenancy::{LoginPurpose, LoginRight};
use tenancy_config::{Ident, NameError, TableName};

use super::role_policy::printed_current_user;
use crate::sql::quote::Quoted;
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// A policy that lets a declared login do one thing with every row of a table. It holds for that role only, not for roles that inherit from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginPolicy {
    /// What the login is for.
    pub purpose: LoginPurpose,
    /// What it may do.
    pub right: LoginRight,
}

impl LoginPolicy {
    /// The policy of a name, if it is one of these.
    pub fn named(name: &str) -> Option<Self> {
        let (of, right) = name.strip_prefix("tenant_")?.rsplit_once('_')?;
        let right = LoginRight::ALL.into_iter().find(|known| known.as_str().to_ascii_lowercase() == right)?;
        let purpose = match of {
            "auth" => LoginPurpose::SignIn,
            _ => LoginPurpose::Job { job: of.strip_prefix("job_").filter(|job| !job.is_empty())?.to_owned() },
        };
        Some(Self { purpose, right })
    }

    /// Its name, which is the same on every table.
    pub fn name(&self) -> String {
        let right = self.right.as_str().to_ascii_lowercase();
        match &self.purpose {
            LoginPurpose::SignIn => format!("tenant_auth_{right}"),
            LoginPurpose::Job { job } => format!("tenant_job_{job}_{right}"),
        }
    }

    /// The statement that creates it for a role.
    ///
    /// # Errors
    /// [`NameError`]: its name is not valid, which the names of these policies rule out.
    pub fn create(&self, table: &TableName, role: &Ident) -> Result<Sql, NameError> {
        let is_role = Template::new("(current_user = :'role_name')").literal("role_name", role.as_str()).build();
        let clauses = match self.right {
            LoginRight::Select | LoginRight::Delete => "USING :is_role",
            LoginRight::Insert => "WITH CHECK :is_role",
            LoginRight::Update => "USING :is_role WITH CHECK :is_role",
        };
        Ok(Template::new(include_str!("../../../../sql/tenant-rls/login_policy.sql"))
            .ident("policy", &Ident::new(self.name())?)
            .table("table", table)
            .ident("role", role)
            .fragment("command", Sql::from_static(self.right.as_str()))
            .fragment("clauses", Template::new(clauses).fragment("is_role", is_role).build())
            .build())
    }

    /// The role that a policy lets through which the catalog prints as `text`, if it is this one and unaltered.
    pub fn role_in(&self, text: &str) -> Option<Ident> {
        let (_, name) = text.split_once("(CURRENT_USER = '")?;
        let (name, _) = name.split_once("'::name)")?;
        let role = Ident::new(name.replace("''", "'")).ok()?;
        self.is_printed_as(text, &role).then_some(role)
    }

    /// Whether a policy that the catalog prints as `text` is this one, for this role and unaltered.
    pub fn is_printed_as(&self, text: &str, role: &Ident) -> bool {
        let is_role = printed_current_user(role.as_str());
        let clauses = match self.right {
            LoginRight::Select | LoginRight::Delete => format!("USING ({is_role})"),
            LoginRight::Insert => format!("WITH CHECK ({is_role})"),
            LoginRight::Update => format!("USING ({is_role}) WITH CHECK ({is_role})"),
        };
        let command = self.right.as_str();
        let for_role = |role: &str| *text == format!("AS PERMISSIVE FOR {command} TO {role} {clauses}");
        for_role(role.as_str()) || for_role(&role.quoted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_found_by_its_name() {
        let jobs = ["billing", "a_b", "auth", "job_x", "select"].map(|job| LoginPurpose::Job { job: job.to_owned() });
        for purpose in jobs.into_iter().chain([LoginPurpose::SignIn]) {
            for right in LoginRight::ALL {
                let policy = LoginPolicy { purpose: purpose.clone(), right };
                assert_eq!(LoginPolicy::named(&policy.name()), Some(policy));
            }
        }
        for other in [
            "tenant_isolation",
            "tenant_auth",
            "tenant_job_select",
            "tenant_job__select",
            "tenant_auditor_select",
            "auth_select",
        ] {
            assert_eq!(LoginPolicy::named(other), None, "{other}");
        }
    }
}

//! The policies that let audits and backfills continue, each for one role.

use tenancy_config::{Ident, NameError, TableName};

use super::column_type::TenantColumnType;
use super::isolation::{TenantComparison, printed_is_null};
use crate::sql::quote::Quoted;
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// A policy that lets one role of the rollout continue. It holds for that role only, not for roles that inherit from
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolePolicy {
    /// The auditor reads every row.
    AuditorRead,
    /// The maintenance role reads every row.
    MaintenanceRead,
    /// The maintenance role may give a tenant to rows that have none.
    MaintenanceAssign,
}

impl RolePolicy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AuditorRead, Self::MaintenanceRead, Self::MaintenanceAssign];

    /// The policies that a table gets. `can_be_backfilled` says that rows without a tenant are to be given theirs.
    pub fn of(can_be_backfilled: bool) -> &'static [Self] {
        if can_be_backfilled {
            &[Self::AuditorRead, Self::MaintenanceRead, Self::MaintenanceAssign]
        } else {
            &[Self::AuditorRead]
        }
    }

    /// Its name, which is the same on every table.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuditorRead => "tenant_auditor_read",
            Self::MaintenanceRead => "tenant_maintenance_read",
            Self::MaintenanceAssign => "tenant_maintenance_assign",
        }
    }

    /// The statement that creates it for a role.
    ///
    /// # Errors
    /// [`NameError`]: its name is not valid, which the names of these policies rule out.
    pub fn create(self, table: &TableName, role: &Ident, comparison: &TenantComparison) -> Result<Sql, NameError> {
        let on = |text: &'static str| -> Result<Template, NameError> {
            Ok(Template::new(text).ident("policy", &Ident::new(self.name())?).table("table", table).ident("role", role))
        };
        Ok(match self {
            Self::AuditorRead | Self::MaintenanceRead => {
                on(include_str!("../../../../sql/tenant-rls/read_policy.sql"))?
                    .literal("role_name", role.as_str())
                    .build()
            }
            Self::MaintenanceAssign => on(include_str!("../../../../sql/tenant-rls/assign_policy.sql"))?
                .ident("column", &comparison.column)
                .fragment("current", comparison.setting.current())
                .build(),
        })
    }

    /// The role of a policy of such a name that the catalog prints as `text`.
    pub fn role_in(text: &str) -> Option<Ident> {
        let (_, role) = text.split_once(" TO ")?;
        let (role, _) = role.split_once(" USING (")?;
        let quoted = role.strip_prefix('"').and_then(|role| role.strip_suffix('"'));
        Ident::new(quoted.map_or_else(|| role.to_owned(), |role| role.replace("\"\"", "\""))).ok()
    }

    /// Whether a policy that the catalog prints as `text` is this one, for this role and unaltered.
    pub fn is_printed_as(self, text: &str, role: &Ident, comparison: &TenantComparison) -> bool {
        let column = &comparison.printed_column;
        let is_text = comparison.column_type == TenantColumnType::Text;
        let compared = if is_text { column.clone() } else { format!("({column})::text") };
        let (command, clauses) = match self {
            Self::AuditorRead | Self::MaintenanceRead => {
                ("SELECT", format!("USING ({})", printed_current_user(role.as_str())))
            }
            Self::MaintenanceAssign => {
                let check = format!("({compared} = {})", comparison.setting.printed());
                ("UPDATE", format!("USING ({}) WITH CHECK ({check})", printed_is_null(column)))
            }
        };
        let for_role = |role: &str| *text == format!("AS PERMISSIVE FOR {command} TO {role} {clauses}");
        for_role(role.as_str()) || for_role(&role.quoted())
    }
}

/// The condition of the policies that let a role read every row, as the catalog prints it.
pub(crate) fn printed_current_user(role: &str) -> String {
    format!("(CURRENT_USER = '{}'::name)", role.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tenancy_config::tenancy::{FIXED_POLICIES, LoginPurpose, LoginRight, is_fixed_policy};

    use super::*;
    use crate::policy::login_policy::LoginPolicy;
    use crate::policy::membership_policy::MembershipPolicy;

    #[test]
    fn no_policy_of_a_rollout_is_left_out_of_the_names_that_the_isolation_policy_cannot_have() {
        let of_roles = RolePolicy::ALL.map(RolePolicy::name).into_iter();
        let of = |purpose: &LoginPurpose| {
            LoginRight::ALL.map(|right| LoginPolicy { purpose: purpose.clone(), right }.name()).into_iter()
        };
        let others = of_roles.chain([MembershipPolicy::NAME]).map(str::to_owned);
        let names: BTreeSet<String> = others.chain(of(&LoginPurpose::SignIn)).collect();
        assert_eq!(names, FIXED_POLICIES.map(str::to_owned).into());
        assert!(of(&LoginPurpose::Job { job: "mails".to_owned() }).all(|name| is_fixed_policy(&name)));
    }
}

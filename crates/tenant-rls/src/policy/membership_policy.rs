//! The policy that shows the application's login the memberships of the user whose id a second session variable has.

use tenancy_config::tenancy::TenantSetting;
use tenancy_config::{Ident, NameError, TableName};

use super::column_type::TenantColumnType;
use super::isolation::TenantComparison;
use super::setting::SessionSetting;
use crate::sql::quote::Quoted;
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// The policy for reading on the table of memberships: rows whose user column equals the setting. Where that is not set, or empty, no row does, and neither
/// does a row without a user.
#[derive(Debug, Clone)]
pub struct MembershipPolicy(TenantComparison);

impl MembershipPolicy {
    /// Its name.
    pub const NAME: &str = "tenant_own_memberships";

    /// Makes the policy from the setting, and from the names of the column and of its type; none where we do not support that type. `printed_column`
    /// is the column's name as the catalog prints it.
    ///
    /// # Errors
    /// [`NameError`]: PostgreSQL could not hold the name of the column.
    pub fn new(setting: &str, column: &str, printed_column: &str, type_name: &str) -> Result<Option<Self>, NameError> {
        if TenantColumnType::of(type_name).is_none() {
            return Ok(None);
        }
        let setting = SessionSetting::from(TenantSetting::plain(setting));
        Ok(Some(Self(TenantComparison::new(setting, column, printed_column, type_name)?)))
    }

    /// The column with the id of the user.
    pub fn column(&self) -> &Ident {
        &self.0.column
    }

    /// The statement that creates it for the application's login.
    ///
    /// # Errors
    /// [`NameError`]: its name is not valid, which that of this policy rules out.
    pub fn create(&self, table: &TableName, role: &Ident) -> Result<Sql, NameError> {
        Ok(Template::new(include_str!("../../../../sql/tenant-rls/membership_policy.sql"))
            .ident("policy", &Ident::new(Self::NAME)?)
            .table("table", table)
            .ident("role", role)
            .ident("column", &self.0.column)
            .fragment("current", self.0.current())
            .build())
    }

    /// Whether a policy that the catalog prints as `text` is this one, for this role and unaltered.
    pub fn is_printed_as(&self, text: &str, role: &Ident) -> bool {
        let condition = self.0.printed_own();
        let for_role = |role: &str| *text == format!("AS PERMISSIVE FOR SELECT TO {role} USING ({condition})");
        for_role(role.as_str()) || for_role(&role.quoted())
    }

    /// The role of a policy of this name that the catalog prints as `text`.
    pub fn role_in(text: &str) -> Option<Ident> {
        let (_, role) = text.split_once(" FOR SELECT TO ")?;
        let (role, _) = role.split_once(" USING (")?;
        let quoted = role.strip_prefix('"').and_then(|role| role.strip_suffix('"'));
        Ident::new(quoted.map_or_else(|| role.to_owned(), |role| role.replace("\"\"", "\""))).ok()
    }
}

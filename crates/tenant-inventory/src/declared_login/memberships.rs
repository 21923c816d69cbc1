//! The memberships that the application's login reads by a second session variable, compared with `[auth.memberships]`.

use sqlx::{PgConnection, Row};
use tenancy_config::tenancy::AuthMemberships;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{Error, MembershipPolicy, Result};

use super::problem::LoginProblemKind;
use crate::catalog::definition::{Aspect, AspectKind, Definition, read_definitions};
use crate::catalog::relations::Relation;

/// The table of memberships, and the policy that it is to have.
#[derive(Debug, Clone)]
pub struct Memberships {
    /// The table.
    pub table: TableName,
    /// What is declared.
    pub rules: AuthMemberships,
    /// The application's login.
    pub app: Ident,
    /// Its tenant column; where it has none, the name that one would have.
    pub column: Ident,
    /// The policy; none where the table could not have it.
    pub policy: Option<MembershipPolicy>,
    /// The definition of the table.
    pub definition: Definition,
}

impl Memberships {
    /// The text of the policy of this name that is there.
    pub fn text(&self) -> Option<&str> {
        self.definition.get(&Aspect::named(AspectKind::Policy, MembershipPolicy::NAME))
    }

    /// Whether the policy is there, unaltered.
    pub fn is_made(&self) -> bool {
        self.policy.as_ref().zip(self.text()).is_some_and(|(policy, text)| policy.is_printed_as(text, &self.app))
    }
}

/// Reads it; none where `tenancy.toml` declares none. `app` is the application's login.
pub(super) async fn read_memberships(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    app: &str,
    relations: &[Relation],
    problems: &mut Vec<LoginProblemKind>,
) -> Result<Option<Memberships>> {
    let Some((table, rules)) = tenancy.auth_memberships()? else { return Ok(None) };
    let row = sqlx::query(include_str!("../../../../sql/tenant-inventory/declared_login/memberships.sql"))
        .bind(table.schema().as_str())
        .bind(table.name().as_str())
        .bind(&rules.user)
        .bind(app)
        .fetch_optional(&mut *connection)
        .await
        .map_err(Error::query("looking for the table of memberships"))?;
    let relation = relations.iter().find(|relation| relation.name == table);
    let column = match relation {
        Some(relation) => relation.comparison.column.clone(),
        None => Ident::new(&tenancy.columns[0])?,
    };
    let definition = read_definitions(connection, &[(&table, column.as_str())]).await?.pop().unwrap_or_default();
    let mut found =
        Memberships { rules: rules.clone(), app: Ident::new(app)?, column, policy: None, definition, table };
    let table = &found.table;
    let problem = match &row {
        None => Some(LoginProblemKind::NoTable { table: table.clone() }),
        Some(row) => match row.get::<Option<String>, _>("type_name") {
            None => Some(LoginProblemKind::NoColumns { table: table.clone(), columns: vec![rules.user.clone()] }),
            Some(type_name) => {
                let printed: String = row.get("printed_column");
                found.policy = MembershipPolicy::new(&rules.setting, &rules.user, &printed, &type_name)?;
                let is_protected = relation.is_some_and(|relation| relation.unhandled.is_none())
                    || found.definition.has(AspectKind::RowSecurity);
                match &found.policy {
                    None => {
                        let column = rules.user.clone();
                        Some(LoginProblemKind::UserType { table: table.clone(), column, type_name })
                    }
                    Some(_) if !row.get::<bool, _>("app_exists") => {
                        Some(LoginProblemKind::NoApplication { login: app.to_owned() })
                    }
                    Some(_) if !is_protected => Some(LoginProblemKind::OpenMemberships { table: table.clone() }),
                    Some(_) if found.is_made() => None,
                    Some(_) => {
                        let altered = found.text().is_some();
                        Some(LoginProblemKind::MembershipPolicy { table: table.clone(), altered })
                    }
                }
            }
        },
    };
    if let Some(row) = row.filter(|row| !row.get::<bool, _>("may_alter")) {
        let not_owned = LoginProblemKind::NotOwned { table: table.clone(), owner: row.get("owner") };
        if !problems.contains(&not_owned) {
            problems.push(not_owned);
        }
    }
    problems.extend(problem);
    Ok(Some(found))
}

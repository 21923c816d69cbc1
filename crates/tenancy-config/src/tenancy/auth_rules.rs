//! `[auth]` by table, and what is checked of it.

use std::collections::BTreeSet;

use super::auth::{AuthMemberships, AuthRight, AuthTable};
use super::checks::{Wrong, environment_variables, ident, reason, table, unique, variable};
use super::model::Tenancy;
use crate::name::{NameError, TableName};

impl Tenancy {
    /// The tables of sign-in, each with its schema.
    ///
    /// # Errors
    /// [`NameError`] for a name that no table can have, which reading the file rules out.
    pub fn auth_tables(&self) -> Result<Vec<(TableName, &AuthTable)>, NameError> {
        let tables = self.auth.iter().flat_map(|auth| &auth.tables);
        tables.map(|(name, rules)| Ok((TableName::parse(name, &self.database.schema)?, rules))).collect()
    }

    /// The table of memberships whose rows the application reads by their user, with what is declared of it.
    ///
    /// # Errors
    /// [`NameError`] for a name that no table can have, which reading the file rules out.
    pub fn auth_memberships(&self) -> Result<Option<(TableName, &AuthMemberships)>, NameError> {
        let declared = self.auth.as_ref().and_then(|auth| auth.memberships.as_ref());
        declared.map(|rules| Ok((TableName::parse(&rules.table, &self.database.schema)?, rules))).transpose()
    }

    /// Whether it names this role, as one of `[roles]` or as a login of its own.
    pub fn names_role(&self, role: &str) -> bool {
        let roles = [&self.roles.app, &self.roles.maintenance, &self.roles.auditor];
        roles.into_iter().chain(self.auth.as_ref().map(|auth| &auth.role)).any(|known| known == role)
    }

    /// What sign-in may do with a table, if it is one of its tables.
    pub fn auth_table(&self, table: &TableName) -> Option<&AuthTable> {
        self.auth_tables().ok()?.into_iter().find(|(name, _)| name == table).map(|(_, rules)| rules)
    }
}

/// Checks `[auth]`: a login of its own, that could do something.
pub(super) fn check_auth(tenancy: &Tenancy) -> Result<(), Wrong> {
    let Some(auth) = &tenancy.auth else { return Ok(()) };
    ident("auth.role", &auth.role)?;
    let roles = &tenancy.roles;
    if [&roles.app, &roles.maintenance, &roles.auditor].contains(&&auth.role) {
        let why = "sign-in needs a login of its own, and this one is in [roles]";
        return Err(("auth.role".to_owned(), why.to_owned()));
    }
    environment_variables("auth.url_variable", std::slice::from_ref(&auth.url_variable))?;
    let mut urls = tenancy.database.url_variables.iter().chain(&tenancy.database.direct_url_variables);
    if auth.url_variable == "APP_DATABASE_URL" || urls.any(|known| *known == auth.url_variable) {
        let why = format!("{} is the URL of another login", auth.url_variable);
        return Err(("auth.url_variable".to_owned(), why));
    }
    if let Some(memberships) = &auth.memberships {
        check_memberships(tenancy, memberships)?;
    }
    if auth.tables.is_empty() {
        return Err(("auth.tables".to_owned(), "it is empty: the login could do nothing".to_owned()));
    }
    let mut names = BTreeSet::new();
    for (name, rules) in &auth.tables {
        let key = format!("auth.tables.{name}");
        if !names.insert(table(&key, name, &tenancy.database.schema)?) {
            return Err((key, "the table stands there twice, with and without its schema".to_owned()));
        }
        check_table(&key, rules)?;
    }
    Ok(())
}

fn check_memberships(tenancy: &Tenancy, memberships: &AuthMemberships) -> Result<(), Wrong> {
    reason("auth.memberships.why", Some(&memberships.why))?;
    let name = table("auth.memberships.table", &memberships.table, &tenancy.database.schema)?;
    ident("auth.memberships.user", &memberships.user)?;
    let own = tenancy.rules(&name).and_then(|rules| rules.column.as_ref());
    if own.map_or(&tenancy.columns[..], std::slice::from_ref).contains(&memberships.user) {
        let why = format!("{} is the tenant column: the members of a whole tenant would be shown", memberships.user);
        return Err(("auth.memberships.user".to_owned(), why));
    }
    let key = "auth.memberships.setting";
    variable(key, &memberships.setting)?;
    // PostgreSQL finds a setting however its name is written.
    if memberships.setting.eq_ignore_ascii_case(&tenancy.session.variable) {
        let why = format!("{} has the tenant: who sets a tenant would be the user of that id", memberships.setting);
        return Err((key.to_owned(), why));
    }
    Ok(())
}

fn check_table(key: &str, rules: &AuthTable) -> Result<(), Wrong> {
    reason(&format!("{key}.why"), Some(&rules.why))?;
    for (name, columns) in [("select", &rules.select), ("insert", &rules.insert), ("update", &rules.update)] {
        let key = format!("{key}.{name}");
        columns.iter().try_for_each(|column| ident(&key, column))?;
        unique(&key, columns.iter())?;
    }
    if rules.rights().next().is_none() {
        let why = "nothing is said of what sign-in does there: select, insert, update or delete";
        return Err((key.to_owned(), why.to_owned()));
    }
    if rules.select.is_empty() && (rules.may(AuthRight::Update) || rules.delete) {
        let why = "rows that are changed or deleted are found by columns that may be read, and `select` names none";
        return Err((key.to_owned(), why.to_owned()));
    }
    Ok(())
}

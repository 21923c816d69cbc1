//! The declared logins, `[auth]` and `[jobs]`, by table, and what is checked of them.

use std::collections::BTreeSet;

use super::auth::{AuthMemberships, LoginDeclaration, LoginPurpose, LoginRight, LoginTable};
use super::checks::{Wrong, environment_variables, ident, reason, table, unique, variable};
use super::model::Tenancy;
use crate::name::{NameError, TableName};

/// How long the name of a job may be, in bytes: its policies have it in their names.
const JOB_NAME: usize = 40;

impl Tenancy {
    /// The logins that are declared beside the application's own: the one of sign-in first, then those of jobs by name.
    pub fn declared_logins(&self) -> Vec<LoginDeclaration<'_>> {
        let sign_in = self.auth.iter().map(|auth| LoginDeclaration {
            purpose: LoginPurpose::SignIn,
            role: &auth.role,
            url_variable: auth.url_variable.clone(),
            tables: &auth.tables,
        });
        let jobs = self.jobs.iter().map(|(name, job)| LoginDeclaration {
            purpose: LoginPurpose::Job { job: name.clone() },
            role: &job.role,
            url_variable: job.url_variable.clone().unwrap_or_else(|| default_job_url_variable(name)),
            tables: &job.tables,
        });
        sign_in.chain(jobs).collect()
    }

    /// The table of memberships whose rows the application reads by their user, with what is declared of it.
    ///
    /// # Errors
    /// [`NameError`] for a name that no table can have, which reading the file rules out.
    pub fn auth_memberships(&self) -> Result<Option<(TableName, &AuthMemberships)>, NameError> {
        let declared = self.auth.as_ref().and_then(|auth| auth.memberships.as_ref());
        declared.map(|rules| Ok((TableName::parse(&rules.table, &self.database.schema)?, rules))).transpose()
    }

    /// Whether it names this role, as one of `[roles]` or as a declared login.
    pub fn names_role(&self, role: &str) -> bool {
        let roles = [&self.roles.app, &self.roles.maintenance, &self.roles.auditor];
        roles.into_iter().any(|known| known == role) || self.declared_logins().iter().any(|login| login.role == role)
    }
}

impl LoginDeclaration<'_> {
    /// Its tables, each with its schema.
    ///
    /// # Errors
    /// [`NameError`] for a name that no table can have, which reading the file rules out.
    pub fn tables(&self, tenancy: &Tenancy) -> Result<Vec<(TableName, &LoginTable)>, NameError> {
        let tables = self.tables.iter();
        tables.map(|(name, rules)| Ok((TableName::parse(name, &tenancy.database.schema)?, rules))).collect()
    }

    /// What it may do with a table, if it is one of its tables.
    pub fn table(&self, tenancy: &Tenancy, table: &TableName) -> Option<&LoginTable> {
        self.tables(tenancy).ok()?.into_iter().find(|(name, _)| name == table).map(|(_, rules)| rules)
    }
}

fn default_job_url_variable(job: &str) -> String {
    format!("{}_DATABASE_URL", job.to_ascii_uppercase())
}

/// Checks `[auth]` and `[jobs]`: each is a login of its own, that could do something.
pub(super) fn check_logins(tenancy: &Tenancy) -> Result<(), Wrong> {
    for name in tenancy.jobs.keys() {
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !starts || !name.chars().all(is_name) || name.len() > JOB_NAME {
            let why = format!("the name of a job has small letters, digits and `_`, {JOB_NAME} at most");
            return Err((format!("jobs.{name}"), why));
        }
    }
    let logins = tenancy.declared_logins();
    for (position, login) in logins.iter().enumerate() {
        check_login(tenancy, login, &logins[..position])?;
    }
    match tenancy.auth.as_ref().and_then(|auth| auth.memberships.as_ref()) {
        Some(memberships) => check_memberships(tenancy, memberships),
        None => Ok(()),
    }
}

fn check_login(tenancy: &Tenancy, login: &LoginDeclaration<'_>, before: &[LoginDeclaration<'_>]) -> Result<(), Wrong> {
    let (section, purpose) = (login.purpose.key(), &login.purpose);
    let key = format!("{section}.role");
    ident(&key, login.role)?;
    let roles = &tenancy.roles;
    if [&roles.app, &roles.maintenance, &roles.auditor].into_iter().any(|role| role == login.role) {
        return Err((key, format!("{purpose} needs a login of its own, and this one is in [roles]")));
    }
    if let Some(other) = before.iter().find(|other| other.role == login.role) {
        return Err((key, format!("{purpose} needs a login of its own, and this one is of {}", other.purpose)));
    }
    let key = format!("{section}.url_variable");
    environment_variables(&key, std::slice::from_ref(&login.url_variable))?;
    let mut urls = tenancy.database.url_variables.iter().chain(&tenancy.database.direct_url_variables);
    let of_others = before.iter().any(|other| other.url_variable == login.url_variable);
    if of_others || login.url_variable == "APP_DATABASE_URL" || urls.any(|known| *known == login.url_variable) {
        return Err((key, format!("{} is the URL of another login", login.url_variable)));
    }
    let key = format!("{section}.tables");
    if login.tables.is_empty() {
        return Err((key, "it is empty: the login could do nothing".to_owned()));
    }
    let mut names = BTreeSet::new();
    for (name, rules) in login.tables {
        let key = format!("{key}.{name}");
        if !names.insert(table(&key, name, &tenancy.database.schema)?) {
            return Err((key, "the table stands there twice, with and without its schema".to_owned()));
        }
        check_table(&key, purpose, rules)?;
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

fn check_table(key: &str, purpose: &LoginPurpose, rules: &LoginTable) -> Result<(), Wrong> {
    reason(&format!("{key}.why"), Some(&rules.why))?;
    for (name, columns) in [("select", &rules.select), ("insert", &rules.insert), ("update", &rules.update)] {
        let key = format!("{key}.{name}");
        columns.iter().try_for_each(|column| ident(&key, column))?;
        unique(&key, columns.iter())?;
    }
    if rules.rights().next().is_none() {
        let why = format!("nothing is said of what {purpose} does there: select, insert, update or delete");
        return Err((key.to_owned(), why));
    }
    if rules.select.is_empty() && (rules.may(LoginRight::Update) || rules.delete) {
        let why = "rows that are changed or deleted are found by columns that may be read, and `select` names none";
        return Err((key.to_owned(), why.to_owned()));
    }
    Ok(())
}

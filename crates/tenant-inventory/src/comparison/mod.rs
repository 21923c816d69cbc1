//! `tenancy.toml` compared with the database, name by name.

pub(crate) mod declared;
pub(crate) mod misfit;
mod names;
pub(crate) mod report;

use std::collections::BTreeSet;

use tenancy_config::tenancy::TableRules;
use tenancy_config::{TableName, Tenancy, closest};
use tenant_rls::{Database, Result};

use self::names::Names;
use self::report::{Absent, AbsentObject};
use crate::catalog::all_tables::{TableFacts, read_all_tables};
use crate::reading::settings_read;

/// Everything that `tenancy.toml` names and the database does not have, in the order of the file. Any role may read it. The roles of backfill and
/// audit are not asked for: a rollout makes them.
///
/// # Errors
/// [`tenant_rls::Error::Connect`] or [`tenant_rls::Error::Query`] if the server does not answer; [`tenant_rls::Error::Name`] for a name in
/// `tenancy.toml` that no table can have.
pub async fn absent(database: &Database, tenancy: &Tenancy) -> Result<Vec<Absent>> {
    let (tables, names) = (read_all_tables(database, tenancy).await?, Names::read(database).await?);
    let mut comparison = Comparison { tenancy, tables: &tables, names: &names, absent: Vec::new() };
    comparison.sections()?;
    for (name, rules) in &tenancy.tables {
        comparison.table(name, rules)?;
    }
    comparison.logins()?;
    comparison.reviews();
    Ok(comparison.absent)
}

struct Comparison<'a> {
    tenancy: &'a Tenancy,
    tables: &'a [TableFacts],
    names: &'a Names,
    absent: Vec<Absent>,
}

impl<'a> Comparison<'a> {
    fn sections(&mut self) -> Result<()> {
        let Tenancy { columns, database, tenant, roles, .. } = self.tenancy;
        let named = |table: &TableFacts| table.columns.iter().any(|column| columns.contains(&column.name));
        let ruled = self.tenancy.tables.values().any(|rules| rules.column.is_some());
        if !ruled && !self.tables.iter().any(named) {
            let known: Vec<&str> = self.tables.iter().flat_map(columns_of).collect();
            let closest = columns.iter().find_map(|name| closest(name, known.iter().copied()));
            self.add("columns", &columns.join(", "), AbsentObject::TenantColumns, closest);
        }
        let schemas = || self.names.schemas.iter().map(String::as_str);
        self.name("database.schema", &database.schema, AbsentObject::Schema, schemas().collect());
        for owner in &database.owners {
            self.role("database.owners", owner);
        }
        if let Some(table) = self.find("tenant.table", &tenant.table)? {
            let columns = [("key", Some(&tenant.key)), ("slug", Some(&tenant.slug)), ("name", Some(&tenant.name))];
            for (key, column) in columns.into_iter().chain([("status", tenant.status.as_ref())]) {
                self.column(&format!("tenant.{key}"), table, column);
            }
        }
        self.variable();
        self.role("roles.app", &roles.app);
        Ok(())
    }

    /// Policies of the configured name must read the configured setting: else a session that sets that sees no row.
    fn variable(&mut self) {
        let (session, ours) = (&self.tenancy.session, self.tenancy.tenant_setting());
        for (table, policies) in &self.names.policies {
            let condition = policies.get(&session.policy);
            let read = condition.and_then(|condition| settings_read(condition)).unwrap_or_default();
            if read.is_empty() || read.iter().any(|read| read.setting.is(&ours)) {
                continue;
            }
            let same_variable = read.iter().any(|read| read.setting.variable.eq_ignore_ascii_case(&ours.variable));
            let key = if same_variable { "session.claim" } else { "session.variable" };
            let reads: BTreeSet<String> = read.iter().map(|read| read.setting.to_string()).collect();
            let reads: Vec<String> = reads.into_iter().collect();
            let name = ours.to_string();
            let closest = closest(&name, reads.iter().map(String::as_str)).map(str::to_owned);
            let what = AbsentObject::Variable { table: table.clone(), policy: session.policy.clone(), reads };
            self.add(key, &name, what, closest.as_deref());
        }
    }

    fn table(&mut self, name: &str, rules: &TableRules) -> Result<()> {
        let key = format!("tables.{name}");
        let Some(table) = self.find(&key, name)? else { return Ok(()) };
        self.column(&format!("{key}.column"), table, rules.column.as_ref());
        if let Some(through) = &rules.through {
            let key = format!("{key}.through");
            self.column(&format!("{key}.column"), table, Some(&through.column));
            if let Some(other) = self.find(&format!("{key}.table"), &through.table)? {
                self.column(&format!("{key}.key"), other, through.key.as_ref());
            }
        }
        for source in &rules.sources {
            let key = format!("{key}.sources.{}", source.name);
            self.column(&format!("{key}.column"), table, Some(&source.column));
            source.when.keys().for_each(|column| self.column(&format!("{key}.when"), table, Some(column)));
            for hop in &source.through {
                if let Some(hop_table) = self.find(&format!("{key}.through"), &hop.table)? {
                    self.column(&format!("{key}.through"), hop_table, Some(&hop.key));
                    self.column(&format!("{key}.through"), hop_table, Some(&hop.column));
                }
            }
            if let Some(other) = self.find(&format!("{key}.table"), &source.table)? {
                self.column(&format!("{key}.key"), other, Some(&source.key));
                self.tenant_of(&key, other, source.tenant.as_ref());
            }
        }
        for tie_breaker in &rules.tie_breakers {
            let key = format!("{key}.tie_breakers.{}", tie_breaker.name);
            let other = self.find(&format!("{key}.table"), &tie_breaker.table)?;
            for (here, there) in &tie_breaker.equal {
                self.column(&format!("{key}.equal"), table, Some(here));
                if let Some(other) = other {
                    self.column(&format!("{key}.equal"), other, Some(there));
                }
            }
            if let Some(other) = other {
                self.tenant_of(&key, other, tie_breaker.tenant.as_ref());
            }
        }
        self.objects(&key, &table.name, rules);
        Ok(())
    }

    /// The tables of declared logins, with their columns. The roles are none of it: a rollout makes them.
    fn logins(&mut self) -> Result<()> {
        let tenancy = self.tenancy;
        for login in tenancy.declared_logins() {
            for (name, rules) in login.tables {
                let key = format!("{}.tables.{name}", login.purpose.key());
                let Some(table) = self.find(&key, name)? else { continue };
                for (name, columns) in [("select", &rules.select), ("insert", &rules.insert), ("update", &rules.update)]
                {
                    columns.iter().for_each(|column| self.column(&format!("{key}.{name}"), table, Some(column)));
                }
            }
        }
        if let Some(rules) = tenancy.auth.as_ref().and_then(|auth| auth.memberships.as_ref())
            && let Some(table) = self.find("auth.memberships.table", &rules.table)?
        {
            self.column("auth.memberships.user", table, Some(&rules.user));
        }
        Ok(())
    }

    /// The column from which a source or tie breaker reads the tenant: the one that it names, else the table's tenant column.
    fn tenant_of(&mut self, key: &str, table: &TableFacts, named: Option<&String>) {
        let key = format!("{key}.tenant");
        if named.is_some() {
            return self.column(&key, table, named);
        }
        // The rows of the tenant table are the tenants.
        let registry = TableName::parse(&self.tenancy.tenant.table, &self.tenancy.database.schema);
        if registry.is_ok_and(|registry| registry == table.name) {
            return;
        }
        let rules = self.tenancy.rules(&table.name);
        // The next rollout adds it.
        if rules.is_some_and(|rules| rules.add_column.is_some()) {
            return;
        }
        let own = rules.and_then(|rules| rules.column.as_ref());
        let names: Vec<&str> =
            own.map_or(&self.tenancy.columns[..], std::slice::from_ref).iter().map(String::as_str).collect();
        // Where no table at all has one, that is told once.
        let none = own.is_none() && self.absent.iter().any(|absent| absent.what == AbsentObject::TenantColumns);
        if !none && !columns_of(table).any(|column| names.contains(&column)) {
            let closest = names.iter().find_map(|name| closest(name, columns_of(table)));
            self.add(&key, &names.join(", "), AbsentObject::TenantColumn { table: table.name.clone() }, closest);
        }
    }

    /// What a review is of.
    fn reviews(&mut self) {
        let foreign = self.tables.iter().filter(|table| table.foreign).map(|table| table.name.to_string());
        let views = self.names.views.iter().map(ToString::to_string);
        let triggers = self.names.triggers.iter();
        let triggers = triggers.flat_map(|(table, names)| names.iter().map(move |name| format!("{table}.{name}")));
        let known: Vec<String> =
            views.chain(foreign).chain(triggers).chain(self.names.reviewable.iter().cloned()).collect();
        let tenancy = self.tenancy;
        for name in tenancy.reviewed.keys().filter(|name| !known.contains(name)) {
            let whole = |known: &&String| {
                known.split_once('.').is_some_and(|(_, without_schema)| without_schema == name.as_str())
            };
            let closest = known.iter().find(whole).map(String::as_str);
            let closest = closest.or_else(|| closest_of(name, &known)).map(str::to_owned);
            self.add(&format!("reviewed.{name}"), name, AbsentObject::Reviewed, closest.as_deref());
        }
    }

    /// What is declared of triggers, rules and policies.
    fn objects(&mut self, key: &str, table: &TableName, rules: &TableRules) {
        let names = self.names;
        let of = || table.clone();
        for name in &rules.allow_triggers {
            let known = names.triggers.get(table).into_iter().flatten().map(String::as_str).collect();
            self.name(&format!("{key}.allow_triggers"), name, AbsentObject::Trigger { table: of() }, known);
        }
        for name in &rules.allow_rules {
            let known = names.rules.get(table).into_iter().flatten().map(String::as_str).collect();
            self.name(&format!("{key}.allow_rules"), name, AbsentObject::Rule { table: of() }, known);
        }
        for name in rules.allow_policies.keys() {
            let known = names.policies.get(table).into_iter().flat_map(|policies| policies.keys().map(String::as_str));
            self.name(&format!("{key}.allow_policies"), name, AbsentObject::Policy { table: of() }, known.collect());
        }
    }

    /// The table of this name, or that there is none.
    fn find(&mut self, key: &str, name: &str) -> Result<Option<&'a TableFacts>> {
        let wanted = TableName::parse(name, &self.tenancy.database.schema)?;
        let found = self.tables.iter().find(|table| table.name == wanted);
        if found.is_none() {
            let what = if self.names.views.contains(&wanted) { AbsentObject::View } else { AbsentObject::Table };
            let known = self.tables.iter().map(|table| table.name.name().as_str());
            let closest = closest(wanted.name().as_str(), known).map(str::to_owned);
            let closest = closest.filter(|_| what == AbsentObject::Table);
            self.add(key, &wanted.to_string(), what, closest.as_deref());
        }
        Ok(found)
    }

    fn column(&mut self, key: &str, table: &TableFacts, name: Option<&String>) {
        if let Some(name) = name {
            let what = AbsentObject::Column { table: table.name.clone() };
            self.name(key, name, what, columns_of(table).collect());
        }
    }

    fn role(&mut self, key: &str, name: &str) {
        self.name(key, name, AbsentObject::Role, self.names.roles.iter().map(String::as_str).collect());
    }

    /// Notes the name if it is not one of those that are `known`.
    fn name(&mut self, key: &str, name: &str, what: AbsentObject, known: Vec<&str>) {
        if !known.contains(&name) {
            self.add(key, name, what, closest(name, known));
        }
    }

    fn add(&mut self, key: &str, name: &str, what: AbsentObject, closest: Option<&str>) {
        let absent = Absent { key: key.to_owned(), name: name.to_owned(), what, closest: closest.map(str::to_owned) };
        self.absent.push(absent);
    }
}

fn closest_of<'k>(name: &str, known: &'k [String]) -> Option<&'k str> {
    closest(name, known.iter().map(String::as_str))
}

fn columns_of(table: &TableFacts) -> impl Iterator<Item = &str> {
    table.columns.iter().map(|column| column.name.as_str())
}

//! Checks what serde cannot: names that PostgreSQL could not hold, and names that are given twice.

use std::collections::BTreeSet;

use super::auth_rules::check_logins;
use super::checks::{Wrong, environment_variables, ident, reason, table, unique, variable};
use super::fixed_policies::is_fixed_policy;
use super::log::{LogMessages, LogSection};
use super::model::{AddColumnRule, SourceRule, TableRules, Tenancy, ThroughRule, TieBreakerRule};

impl Tenancy {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        if self.columns.is_empty() {
            return Err(("columns".into(), "at least one tenant column is needed".into()));
        }
        for (position, column) in self.columns.iter().enumerate() {
            ident(&format!("columns[{position}]"), column)?;
        }
        unique("columns", self.columns.iter())?;
        if self.database.environment.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return Err(("database.environment".into(), "it is empty; leave it out to be asked for the host".into()));
        }
        ident("database.schema", &self.database.schema)?;
        environment_variables("database.url_variables", &self.database.url_variables)?;
        environment_variables("database.direct_url_variables", &self.database.direct_url_variables)?;
        let both = self.database.url_variables.iter().chain(&self.database.direct_url_variables);
        unique("database.direct_url_variables", both)?;
        let tenant = &self.tenant;
        table("tenant.table", &tenant.table, &self.database.schema)?;
        let status = tenant.status.iter().map(|status| ("status", status));
        for (key, column) in
            [("key", &tenant.key), ("slug", &tenant.slug), ("name", &tenant.name)].into_iter().chain(status)
        {
            ident(&format!("tenant.{key}"), column)?;
        }
        variable("session.variable", &self.session.variable)?;
        claim("session.claim", &self.session.claim)?;
        ident("session.policy", &self.session.policy)?;
        if is_fixed_policy(&self.session.policy) {
            let why =
                format!("`{}` is the name of another policy of a rollout: choose one of its own", self.session.policy);
            return Err(("session.policy".into(), why));
        }
        let roles =
            [("app", &self.roles.app), ("maintenance", &self.roles.maintenance), ("auditor", &self.roles.auditor)];
        for (key, role) in roles {
            ident(&format!("roles.{key}"), role)?;
        }
        unique("roles", roles.into_iter().map(|(_, role)| role))?;
        check_logins(self)?;
        log(&self.log)?;
        let mut tables = BTreeSet::new();
        for (name, rules) in &self.tables {
            let key = format!("tables.{name}");
            if !tables.insert(table(&key, name, &self.database.schema)?) {
                return Err((key, "the table stands there twice, with and without its schema".into()));
            }
            self.check_rules(&key, rules)?;
        }
        for (name, review) in &self.reviewed {
            reason(&format!("reviewed.{name}.why"), Some(&review.why))?;
            reason(&format!("reviewed.{name}.hash"), Some(&review.hash))?;
        }
        Ok(())
    }

    fn check_rules(&self, key: &str, rules: &TableRules) -> Result<(), Wrong> {
        if let Some(column) = &rules.column {
            ident(&format!("{key}.column"), column)?;
        }
        reason(&format!("{key}.cross_tenant_references"), rules.cross_tenant_references.as_deref())?;
        reason(&format!("{key}.exempt"), rules.exempt.as_deref())?;
        reason(&format!("{key}.platform_rows"), rules.platform_rows.why())?;
        for (policy, why) in &rules.allow_policies {
            let key = format!("{key}.allow_policies.{policy}");
            ident(&key, policy)?;
            reason(&key, Some(why))?;
        }
        reason(&format!("{key}.shared_rows"), rules.shared_rows.as_deref())?;
        if rules.shared_rows.is_some() && rules.platform_rows.are_meant() {
            let why = "rows without a tenant are either the platform's or shared; the table has `platform_rows` too";
            return Err((format!("{key}.shared_rows"), why.to_owned()));
        }
        if let Some(rule) = &rules.through {
            self.check_through(&format!("{key}.through"), rule, rules)?;
        }
        if let Some(rule) = &rules.add_column {
            self.check_add_column(&format!("{key}.add_column"), rule, rules)?;
        }
        let triggers = format!("{key}.allow_triggers");
        rules.allow_triggers.iter().try_for_each(|trigger| ident(&triggers, trigger))?;
        unique(&triggers, rules.allow_triggers.iter())?;
        let names = format!("{key}.allow_rules");
        rules.allow_rules.iter().try_for_each(|rule| ident(&names, rule))?;
        unique(&names, rules.allow_rules.iter())?;
        for (position, source) in rules.sources.iter().enumerate() {
            self.check_source(&format!("{key}.sources[{position}]"), source)?;
        }
        for (position, tie_breaker) in rules.tie_breakers.iter().enumerate() {
            self.check_tie_breaker(&format!("{key}.tie_breakers[{position}]"), tie_breaker)?;
        }
        // Reports and the journal have both in one list.
        let names = rules.sources.iter().map(|source| &source.name);
        unique(&format!("{key}.sources"), names.clone())?;
        unique(
            &format!("{key}.tie_breakers"),
            names.chain(rules.tie_breakers.iter().map(|tie_breaker| &tie_breaker.name)),
        )
    }

    fn check_source(&self, key: &str, source: &SourceRule) -> Result<(), Wrong> {
        named(key, &source.name)?;
        ident(&format!("{key}.column"), &source.column)?;
        table(&format!("{key}.table"), &source.table, &self.database.schema)?;
        ident(&format!("{key}.key"), &source.key)?;
        for (position, hop) in source.through.iter().enumerate() {
            let key = format!("{key}.through[{position}]");
            table(&format!("{key}.table"), &hop.table, &self.database.schema)?;
            ident(&format!("{key}.key"), &hop.key)?;
            ident(&format!("{key}.column"), &hop.column)?;
        }
        source.when.keys().try_for_each(|column| ident(&format!("{key}.when"), column))?;
        source.tenant.iter().try_for_each(|column| ident(&format!("{key}.tenant"), column))
    }

    fn check_through(&self, key: &str, rule: &ThroughRule, rules: &TableRules) -> Result<(), Wrong> {
        ident(&format!("{key}.column"), &rule.column)?;
        table(&format!("{key}.table"), &rule.table, &self.database.schema)?;
        rule.key.iter().try_for_each(|column| ident(&format!("{key}.key"), column))?;
        let others = [
            ("column", rules.column.is_some()),
            ("platform_rows", rules.platform_rows.are_meant()),
            ("shared_rows", rules.shared_rows.is_some()),
            ("exempt", rules.exempt.is_some()),
            ("sources", !rules.sources.is_empty()),
        ];
        match others.into_iter().find(|(_, given)| *given) {
            Some((other, _)) => Err((
                key.to_owned(),
                format!("its rows belong to tenants through another table; the table has `{other}` too"),
            )),
            None => Ok(()),
        }
    }

    fn check_add_column(&self, key: &str, rule: &AddColumnRule, rules: &TableRules) -> Result<(), Wrong> {
        ident(&format!("{key}.through"), &rule.through)?;
        table(&format!("{key}.table"), &rule.table, &self.database.schema)?;
        ident(&format!("{key}.key"), &rule.key)?;
        let others = [
            ("through", rules.through.is_some()),
            ("platform_rows", rules.platform_rows.are_meant()),
            ("shared_rows", rules.shared_rows.is_some()),
            ("exempt", rules.exempt.is_some()),
        ];
        match others.into_iter().find(|(_, given)| *given) {
            Some((other, _)) => Err((
                key.to_owned(),
                format!("each of its rows gets the tenant of another table's row; the table has `{other}` too"),
            )),
            None => Ok(()),
        }
    }

    fn check_tie_breaker(&self, key: &str, tie_breaker: &TieBreakerRule) -> Result<(), Wrong> {
        named(key, &tie_breaker.name)?;
        table(&format!("{key}.table"), &tie_breaker.table, &self.database.schema)?;
        if tie_breaker.equal.is_empty() {
            return Err((format!("{key}.equal"), "it is empty: any row of a tenant would decide".into()));
        }
        for (here, there) in &tie_breaker.equal {
            ident(&format!("{key}.equal"), here)?;
            ident(&format!("{key}.equal"), there)?;
        }
        tie_breaker.tenant.iter().try_for_each(|column| ident(&format!("{key}.tenant"), column))
    }
}

/// Checks that a source or a tie-breaker has a name. Reports need one for what decided.
fn named(key: &str, name: &str) -> Result<(), Wrong> {
    if name.trim().is_empty() {
        return Err((format!("{key}.name"), "it is empty; reports need a name for it".into()));
    }
    Ok(())
}

/// Checks that the fields of the log have names, and that its messages can be told from each other and found in a line.
fn log(log: &LogSection) -> Result<(), Wrong> {
    for (key, name) in log.fields() {
        if name.is_empty() && key != "context" {
            return Err((format!("log.{key}"), "it is empty; leave it out for the default".into()));
        }
    }
    unique("log", log.fields().into_iter().map(|(_, name)| name))?;
    let lists = log.messages.lists();
    for (kind, messages) in lists {
        for message in messages {
            if LogMessages::plain_part(message).len() < 4 {
                let why =
                    format!("`{message}` has no four letters, digits or spaces in a row by which a line is found");
                return Err((format!("log.messages.{kind}"), why));
            }
        }
    }
    if log.messages.traffic.len() > LogMessages::MOST_TRAFFIC {
        return Err(("log.messages.traffic".into(), format!("at most {} are counted", LogMessages::MOST_TRAFFIC)));
    }
    unique("log.messages", lists.into_iter().flat_map(|(_, messages)| messages))
}

/// Checks the names that lead to a claim. JSON allows an empty one; nobody means it.
fn claim(key: &str, path: &[String]) -> Result<(), Wrong> {
    for (position, name) in path.iter().enumerate() {
        let why = match name.as_str() {
            "" => "it is empty; leave `claim` out where the setting is the tenant's id itself",
            name if name.contains('\0') => "no name in a document of PostgreSQL has a NUL",
            _ => continue,
        };
        return Err((format!("{key}[{position}]"), why.to_owned()));
    }
    Ok(())
}

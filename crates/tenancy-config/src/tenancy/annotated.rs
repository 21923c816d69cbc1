//! Writes a [`Tenancy`] as the commented `tenancy.toml` that a newcomer can edit.

use crate::command_ref::CommandRef;
use crate::program;
use std::fmt::Write;

use super::annotated_auth::{write_auth, write_jobs};
use super::annotated_log::write_log;
use super::annotated_session::write_session;
use super::model::{
    AddColumnRule, HopRule, OnDelete, SourceRule, TableRules, Tenancy, ThroughRule, TieBreakerRule, default_key,
};
use super::notes::{Notes, comments, one_line};
use super::platform_rows::PlatformRows;
use super::toml_text::{key, list, string};

impl Tenancy {
    /// The text of a `tenancy.toml` that reads back as this value, with a comment at each key.
    pub fn annotated(&self) -> String {
        self.annotated_with(&Notes::default())
    }

    /// The same, with what is to be said of this database.
    pub fn annotated_with(&self, notes: &Notes) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut out, notes);
        out
    }

    fn write(&self, out: &mut String, notes: &Notes) -> std::fmt::Result {
        let (doctor, init) = (CommandRef::Doctor, CommandRef::Init);
        writeln!(
            out,
            "# Which schema this is, for `{}`. Names are exact: \"tenantId\" is not \"tenantid\".",
            program::name()
        )?;
        writeln!(
            out,
            "# A section that is left out is the default application's. `{doctor}` compares all of this with"
        )?;
        writeln!(
            out,
            "# the database, `{init}` writes it anew. No URLs and no secrets here: this file is committed.\n"
        )?;
        writeln!(out, "# Names of tenant columns: a table's is the first of these that it has.")?;
        comments(out, &notes.columns)?;
        writeln!(out, "columns = [{}]\n", list(&self.columns))?;

        writeln!(out, "[database]")?;
        writeln!(
            out,
            "# What a write must be confirmed with (`--confirm`), except on the local database; else the host's name."
        )?;
        match &self.database.environment {
            Some(name) => writeln!(out, "environment = {}", string(name))?,
            None => writeln!(out, "# environment = \"production\"")?,
        }
        writeln!(out, "# The schema of tables that are named without one.")?;
        writeln!(out, "schema = {}", string(&self.database.schema))?;
        writeln!(
            out,
            "# Roles whose tables are relied on, beside the owners of the database and of the tenant table."
        )?;
        writeln!(out, "owners = [{}]", list(&self.database.owners))?;
        writeln!(
            out,
            "# Variables with the URL of the database, and with that of the same database without a pooler, in the order in"
        )?;
        writeln!(out, "# which the application reads them: the first that is set counts.")?;
        writeln!(out, "url_variables = [{}]", list(&self.database.url_variables))?;
        writeln!(out, "direct_url_variables = [{}]\n", list(&self.database.direct_url_variables))?;

        self.write_tenant(out, notes)?;

        write_session(out, &self.session, &notes.session)?;
        writeln!(out, "[roles]")?;
        comments(out, &notes.roles)?;
        let off = if notes.no_app_role { "# " } else { "" };
        writeln!(
            out,
            "{off}app = {}   # what the application logs in as; policies filter it",
            string(&self.roles.app)
        )?;
        writeln!(out, "maintenance = {}   # NOLOGIN; backfills act as it", string(&self.roles.maintenance))?;
        writeln!(
            out,
            "auditor = {}   # NOLOGIN; audits act as it where no role is unfiltered\n",
            string(&self.roles.auditor)
        )?;

        write_auth(out, self.auth.as_ref())?;
        write_jobs(out, &self.jobs)?;
        write_log(out, &self.log)?;
        writeln!(
            out,
            "# Tables that must be there (`table` or `schema.table`), with their rules. Others that have a tenant column are"
        )?;
        writeln!(out, "# found by it. The rules of a table:")?;
        writeln!(out, "#   column = \"…\"          its tenant column, where it is not one of `columns`")?;
        writeln!(
            out,
            "#   platform_rows = \"why\" rows without a tenant are meant: they belong to the whole platform"
        )?;
        writeln!(
            out,
            "#   shared_rows = \"why\"   rows without a tenant are read by every tenant and written by none"
        )?;
        writeln!(out, "#   on_delete = \"cascade\"   as in [tenant], for this table's key alone")?;
        writeln!(
            out,
            "#   cross_tenant_references = \"why\"   its rows may reference other tenants' rows, for this reason"
        )?;
        writeln!(out, "#   exempt = \"why\"        its rows need no tenant, for this reason: it is left alone")?;
        writeln!(
            out,
            "#   through = {{ column = \"…\", table = \"…\" }}   it has no tenant column: a row's tenant is the one"
        )?;
        writeln!(out, "#                         of the row in `table` that `column` points to by a foreign key;")?;
        writeln!(out, "#                         `key` names the column there, `form` how the policy asks:")?;
        writeln!(out, "#                         \"array\" or \"exists\", else as the size of `table` says")?;
        writeln!(
            out,
            "#   add_column = {{ through = \"…\", table = \"…\" }}   the next rollout adds a tenant column: a row gets"
        )?;
        writeln!(out, "#                         the tenant of the row in `table` that `through` points to by a")?;
        writeln!(out, "#                         foreign key; `key` if that is not id")?;
        writeln!(
            out,
            "#   allow_policies = {{ policy = \"why\" }}   its policies that are intended beside the rollout's"
        )?;
        writeln!(
            out,
            "#   allow_triggers = [ … ]   its triggers that may fire when a backfill gives a row its tenant"
        )?;
        writeln!(out, "#   allow_rules = [ … ]   the same for its rules ON UPDATE")?;
        writeln!(
            out,
            "#   sources = [ … ]       where a row's tenant follows from, best source first: the tenant of the row in `table`"
        )?;
        writeln!(
            out,
            "#                         whose `key` (default \"id\") equals this table's `column`; `tenant` names the tenant"
        )?;
        writeln!(
            out,
            "#                         column there, where it is not one of `columns`; `all = true`: many rows there may have"
        )?;
        writeln!(out, "#                         that `key`, which needs an index, and each of them names a tenant;")?;
        writeln!(
            out,
            "#                         `through = [{{ table = \"…\", column = \"…\" }}]`: the way leads over these"
        )?;
        writeln!(
            out,
            "#                         tables, which need no tenant column; `when = {{ kind = \"…\" }}`: only of"
        )?;
        writeln!(out, "#                         rows whose column `kind` holds that")?;
        writeln!(
            out,
            "#   tie_breakers = [ … ]  what decides where sources name several tenants: the one of them that has a row in"
        )?;
        writeln!(
            out,
            "#                         `table` with `equal` columns (here = there), if only one has; `table` may be this one"
        )?;
        if self.tables.is_empty() {
            // If the section were missing, it would be taken from the default application.
            writeln!(out, "[tables]")?;
        }
        for (name, rules) in &self.tables {
            write_table(out, name, rules, notes.tables.get(name).map_or(&[], Vec::as_slice), &|_| None)?;
        }
        for block in &notes.other_tables {
            writeln!(out)?;
            comments(out, block)?;
        }
        writeln!(
            out,
            "\n# Views and functions that lead past the policies and that somebody has reviewed: the report of a\n# verification has the hash."
        )?;
        if self.reviewed.is_empty() {
            writeln!(
                out,
                "# [reviewed.\"public.total(text)\"]\n# why = \"it counts rows and shows none\"\n# hash = \"…\""
            )?;
        }
        for (name, review) in &self.reviewed {
            writeln!(
                out,
                "\n[reviewed.{}]\nwhy = {}\nhash = {}",
                key(name),
                string(&review.why),
                string(&review.hash)
            )?;
        }
        Ok(())
    }

    fn write_tenant(&self, out: &mut String, notes: &Notes) -> std::fmt::Result {
        let tenant = &self.tenant;
        // A key that is left out is the default application's.
        let off = if notes.no_tenant_table { "# " } else { "" };
        writeln!(out, "# The table with one row for each tenant.")?;
        comments(out, &notes.tenant)?;
        writeln!(out, "{off}[tenant]\n{off}table = {}", string(&tenant.table))?;
        writeln!(out, "{off}key = {}   # what tenant columns reference", string(&tenant.key))?;
        writeln!(
            out,
            "{off}slug = {}   # unique and readable: `--tenant` takes it as well as the key",
            string(&tenant.slug)
        )?;
        writeln!(out, "{off}name = {}", string(&tenant.name))?;
        match &tenant.status {
            Some(column) => {
                writeln!(out, "{off}status = {}   # leave it out where tenants have no state", string(column))?
            }
            None => writeln!(out, "# status = \"…\"   # no column of the tenant table is known to say its state")?,
        }
        writeln!(out, "{off}active = {}   # the state of a tenant that is in use", string(&tenant.active))?;
        writeln!(
            out,
            "# What foreign keys that a rollout adds do where a tenant is deleted: \"no_action\", \"restrict\" or \"cascade\"."
        )?;
        writeln!(out, "# Without it they do what the other keys to this table do, or nothing where those differ.")?;
        match tenant.on_delete {
            Some(action) => writeln!(out, "on_delete = {}\n", string(on_delete(action))),
            None => writeln!(out, "# on_delete = \"no_action\"\n"),
        }
    }
}

/// The part of a `tenancy.toml` with the rules of one table. `comment` gives the comment that follows a source.
pub fn fragment(name: &str, rules: &TableRules, comment: &dyn Fn(&SourceRule) -> Option<String>) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_table(&mut out, name, rules, &[], comment);
    out
}

fn write_table(
    out: &mut String,
    name: &str,
    rules: &TableRules,
    notes: &[String],
    comment: &dyn Fn(&SourceRule) -> Option<String>,
) -> std::fmt::Result {
    writeln!(out)?;
    comments(out, notes)?;
    writeln!(out, "[tables.{}]", key(name))?;
    if let Some(column) = &rules.column {
        writeln!(out, "column = {}", string(column))?;
    }
    match &rules.platform_rows {
        PlatformRows::None => {}
        PlatformRows::Unexplained => {
            writeln!(out, "platform_rows = true   # no reason: a text in place of true says why")?
        }
        PlatformRows::Because(reason) => writeln!(out, "platform_rows = {}", string(reason))?,
    }
    if let Some(reason) = &rules.shared_rows {
        writeln!(out, "shared_rows = {}", string(reason))?;
    }
    if let Some(action) = rules.on_delete {
        writeln!(out, "on_delete = {}", string(on_delete(action)))?;
    }
    if let Some(reason) = &rules.cross_tenant_references {
        writeln!(out, "cross_tenant_references = {}", string(reason))?;
    }
    if let Some(reason) = &rules.exempt {
        writeln!(out, "exempt = {}", string(reason))?;
    }
    if let Some(rule) = &rules.through {
        writeln!(out, "through = {}", through(rule))?;
    }
    if let Some(rule) = &rules.add_column {
        writeln!(out, "add_column = {}", add_column(rule))?;
    }
    if !rules.allow_policies.is_empty() {
        let policies = rules.allow_policies.iter().map(|(policy, why)| format!("{} = {}", key(policy), string(why)));
        writeln!(out, "allow_policies = {{ {} }}", policies.collect::<Vec<_>>().join(", "))?;
    }
    if !rules.allow_triggers.is_empty() {
        writeln!(out, "allow_triggers = [{}]", list(&rules.allow_triggers))?;
    }
    if !rules.allow_rules.is_empty() {
        writeln!(out, "allow_rules = [{}]", list(&rules.allow_rules))?;
    }
    write_list(out, "sources", rules.sources.iter().map(|rule| (inline_source(rule), comment(rule))))?;
    write_list(out, "tie_breakers", rules.tie_breakers.iter().map(|rule| (tie_breaker(rule), None)))
}

fn on_delete(action: OnDelete) -> &'static str {
    match action {
        OnDelete::NoAction => "no_action",
        OnDelete::Restrict => "restrict",
        OnDelete::Cascade => "cascade",
    }
}

fn write_list(
    out: &mut String,
    key: &str,
    items: impl ExactSizeIterator<Item = (String, Option<String>)>,
) -> std::fmt::Result {
    if items.len() == 0 {
        return Ok(());
    }
    let line = |(item, comment): (String, Option<String>)| match comment {
        Some(comment) => format!("    {item},   # {}\n", one_line(&comment)),
        None => format!("    {item},\n"),
    };
    let lines: String = items.map(line).collect();
    writeln!(out, "{key} = [\n{lines}]")
}

/// A source as an inline table of TOML.
pub fn inline_source(source: &SourceRule) -> String {
    let mut pairs = vec![("name", &source.name), ("column", &source.column), ("table", &source.table)];
    if source.key != default_key() {
        pairs.push(("key", &source.key));
    }
    pairs.extend(source.tenant.iter().map(|column| ("tenant", column)));
    let mut pairs: Vec<String> = pairs.into_iter().map(|(key, value)| pair(key, value)).collect();
    pairs.extend(source.all.then(|| "all = true".to_owned()));
    if !source.through.is_empty() {
        let hops: Vec<String> = source.through.iter().map(hop).collect();
        pairs.push(format!("through = [{}]", hops.join(", ")));
    }
    if !source.when.is_empty() {
        let when = inline(source.when.iter().map(|(column, value)| pair(&key(column), value)));
        pairs.push(format!("when = {when}"));
    }
    inline(pairs.into_iter())
}

fn hop(hop: &HopRule) -> String {
    let mut pairs = vec![pair("table", &hop.table), pair("column", &hop.column)];
    pairs.extend((hop.key != default_key()).then(|| pair("key", &hop.key)));
    inline(pairs.into_iter())
}

fn through(rule: &ThroughRule) -> String {
    let mut pairs = vec![pair("column", &rule.column), pair("table", &rule.table)];
    pairs.extend(rule.key.iter().map(|column| pair("key", column)));
    pairs.extend(rule.form.iter().map(|form| pair("form", form.as_str())));
    inline(pairs.into_iter())
}

fn add_column(rule: &AddColumnRule) -> String {
    let mut pairs = vec![pair("through", &rule.through), pair("table", &rule.table)];
    pairs.extend((rule.key != default_key()).then(|| pair("key", &rule.key)));
    inline(pairs.into_iter())
}

fn tie_breaker(tie_breaker: &TieBreakerRule) -> String {
    let equal = inline(tie_breaker.equal.iter().map(|(here, there)| pair(&key(here), there)));
    let pairs = [pair("name", &tie_breaker.name), pair("table", &tie_breaker.table), format!("equal = {equal}")];
    inline(pairs.into_iter().chain(tie_breaker.tenant.iter().map(|column| pair("tenant", column))))
}

fn pair(key: &str, value: &str) -> String {
    format!("{key} = {}", string(value))
}

/// An inline table in TOML.
fn inline(pairs: impl Iterator<Item = String>) -> String {
    format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
}

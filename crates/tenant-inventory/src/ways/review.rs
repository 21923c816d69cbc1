//! What a review of a way is pinned to: a hash of everything that decides what it does.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row};
use tenant_rls::{Error, Result};

use super::facts::{Facts, FunctionFacts};
use super::roles::Roles;
use super::texts::{Text, Texts};
use super::way::Reviewable;

/// The text of a view, rule or trigger.
#[derive(Debug, Clone, Default)]
pub(crate) struct ObjectText {
    pub(crate) text: String,
    /// Of a view: what it lets through to the table behind it, as `pg_relation_is_updatable` says.
    pub(crate) passes_on: i32,
    /// Of a view: the tenant column that it shows.
    pub(crate) tenant_column: Option<String>,
}

/// The texts of the views, rules and triggers that lead past the policies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Definitions(BTreeMap<(String, i64), ObjectText>);

impl Definitions {
    /// Reads them. `columns` are the names that tenant columns have; the relations that are `foreign` show tables of other servers.
    pub(crate) async fn read(
        connection: &mut PgConnection,
        relations: &[i64],
        foreign: &[i64],
        rules: &[i64],
        triggers: &[i64],
        columns: &[String],
    ) -> Result<Self> {
        if relations.is_empty() && rules.is_empty() && triggers.is_empty() {
            return Ok(Self::default());
        }
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/definitions.sql"))
            .bind(relations)
            .bind(rules)
            .bind(triggers)
            .bind(columns)
            .bind(foreign)
            .fetch_all(connection)
            .await
            .map_err(Error::query("reading views, rules and triggers that lead past the policies"))?;
        let definition = |row: &sqlx::postgres::PgRow| {
            let text = row.get::<Option<String>, _>("definition").unwrap_or_default();
            let of = ObjectText { text, passes_on: row.get("passes_on"), tenant_column: row.get("tenant_column") };
            ((row.get("kind"), row.get("id")), of)
        };
        Ok(Self(rows.iter().map(definition).collect()))
    }

    pub(crate) fn relation(&self, id: i64) -> ObjectText {
        self.of("relation", id)
    }

    pub(crate) fn rule(&self, id: i64) -> ObjectText {
        self.of("rule", id)
    }

    pub(crate) fn trigger(&self, id: i64) -> ObjectText {
        self.of("trigger", id)
    }

    fn of(&self, kind: &str, id: i64) -> ObjectText {
        self.0.get(&(kind.to_owned(), id)).cloned().unwrap_or_default()
    }
}

/// What a review of a view or rule is pinned to.
pub(crate) fn review_of_text(name: &str, owner: &str, text: &str) -> Reviewable {
    Reviewable::Hash { hash: short(&[name, owner, text]) }
}

/// What reviews of functions are pinned to.
pub(crate) struct FunctionReviews<'a> {
    facts: &'a Facts,
    roles: &'a Roles,
    texts: &'a Texts,
    by_name: BTreeMap<&'a str, Vec<i64>>,
}

impl<'a> FunctionReviews<'a> {
    pub(crate) fn new(facts: &'a Facts, roles: &'a Roles, texts: &'a Texts) -> Self {
        let mut by_name: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for function in facts.functions.values() {
            by_name.entry(&function.name).or_default().push(function.id);
        }
        Self { facts, roles, texts, by_name }
    }

    /// Of one function; `beside` is hashed with it, such as the definition of the trigger that calls it.
    pub(crate) fn of(&self, function: &FunctionFacts, beside: &str) -> Reviewable {
        let pinned = function.settings.iter().any(|setting| setting.starts_with("search_path="));
        // A body that was analysed when it was made, and what an extension brings, name the same things for everybody.
        let needs_path = function.definer && !function.atomic && function.extension.is_none();
        if needs_path && !pinned {
            return Reviewable::NoPinnedPath;
        }
        let called = self.called(function.id);
        let mut texts: Vec<String> =
            called.iter().filter_map(|id| self.facts.functions.get(id)).map(|called| self.text(called)).collect();
        // A restored database has the same functions under other numbers.
        texts.sort();
        let parts: Vec<&str> =
            [beside, &function.signature].into_iter().chain(texts.iter().map(String::as_str)).collect();
        Reviewable::Hash { hash: short(&parts) }
    }

    /// Everything that decides what a function does, apart from what it calls.
    fn text(&self, function: &FunctionFacts) -> String {
        let mut settings = function.settings.clone();
        settings.sort();
        let owner = self.roles.name(function.owner);
        let definer = if function.definer { "definer" } else { "invoker" };
        [
            function.kind.as_str(),
            &function.signature,
            &function.language,
            function.body.as_deref().unwrap_or_default(),
            &owner,
            &settings.join("\n"),
            definer,
            &function.rights,
            function.extension.as_deref().unwrap_or_default(),
        ]
        .join("\0")
    }

    /// The function, and those that it calls by name, transitively.
    fn called(&self, id: i64) -> BTreeSet<i64> {
        let mut called = BTreeSet::from([id]);
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            let atomic = self.facts.references.iter().filter(|r| r.to_function && r.kind != "rule" && r.id == next);
            let atomic = atomic.filter(|r| ["function", "aggregate"].contains(&r.kind.as_str())).map(|r| r.target);
            let named = match self.texts.get(&next) {
                Some(Text::Read(body)) => {
                    body.names.iter().filter_map(|name| self.by_name.get(name.as_str())).collect()
                }
                _ => Vec::new(),
            };
            let all: Vec<i64> = atomic.chain(named.into_iter().flatten().copied()).collect();
            open.extend(all.into_iter().filter(|id| called.insert(*id)));
        }
        called
    }
}

/// The first 16 hexadecimal digits of a SHA-256 over these parts.
fn short(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // With its length, so that two lists of parts never look the same.
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_sixteen_digits_and_depends_on_where_a_part_ends() {
        assert_eq!(short(&["ab", "c"]).len(), 16);
        assert_ne!(short(&["ab", "c"]), short(&["a", "bc"]));
        assert_eq!(short(&["ab", "c"]), short(&["ab", "c"]));
    }
}

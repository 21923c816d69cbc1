//! What a rollout may change of a table, as text that makes it again: two of these tell a change, and a change undoes itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, Row};
use tenancy_config::{Ident, TableName};
use tenant_rls::{Error as RlsError, Sql, Template};

use crate::Result;

/// The kind of thing that a rollout may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AspectKind {
    /// ENABLE ROW LEVEL SECURITY.
    RowSecurity,
    /// FORCE ROW LEVEL SECURITY.
    Forced,
    /// A policy, by its name.
    Policy,
    /// The default of the tenant column.
    Default,
    /// NOT NULL on the tenant column.
    NotNull,
    /// A check or foreign key of the tenant column, by its name.
    Constraint,
    /// An index that leads with the tenant column, by its name.
    Index,
    /// A right on the table or on one of its columns.
    Grant,
}

/// One aspect of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Aspect {
    /// What it is.
    pub kind: AspectKind,
    /// The name of a policy, constraint or index; of a grant the privilege, such as `SELECT`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Who has a grant.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub role: String,
    /// The column of a grant; empty for the whole table.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub column: String,
}

/// One change of a definition; `None` is absence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What was changed.
    #[serde(flatten)]
    pub aspect: Aspect,
    /// The text that made it before.
    pub before: Option<String>,
    /// The text that makes it now.
    pub after: Option<String>,
}

/// Stands for the text of an index that is still being built.
pub(crate) const PENDING: &str = "PENDING";

/// The aspects that a table has, each with the text that makes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definition(BTreeMap<Aspect, String>);

impl Aspect {
    /// An aspect of which a table has one at most.
    pub(crate) fn only(kind: AspectKind) -> Self {
        Self::named(kind, "")
    }

    pub(crate) fn named(kind: AspectKind, name: &str) -> Self {
        Self { kind, name: name.to_owned(), role: String::new(), column: String::new() }
    }

    /// A right on a column.
    pub(crate) fn column_grant(privilege: &str, column: &Ident, role: &Ident) -> Self {
        let (role, column) = (role.as_str().to_owned(), column.as_str().to_owned());
        Self { kind: AspectKind::Grant, name: privilege.to_owned(), role, column }
    }
}

impl Definition {
    /// Whether the table has a flag.
    pub(crate) fn has(&self, kind: AspectKind) -> bool {
        self.0.contains_key(&Aspect::only(kind))
    }

    /// The text of the one aspect of a kind.
    pub(crate) fn text(&self, kind: AspectKind) -> Option<&str> {
        self.get(&Aspect::only(kind))
    }

    pub(crate) fn get(&self, aspect: &Aspect) -> Option<&str> {
        self.0.get(aspect).map(String::as_str)
    }

    /// Every aspect with its text.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Aspect, &str)> {
        self.0.iter().map(|(aspect, text)| (aspect, text.as_str()))
    }

    /// Names and texts of a kind, by name.
    pub(crate) fn all(&self, kind: AspectKind) -> impl Iterator<Item = (&str, &str)> {
        let of_kind = self.0.iter().filter(move |(aspect, _)| aspect.kind == kind);
        of_kind.map(|(aspect, text)| (aspect.name.as_str(), text.as_str()))
    }

    /// Assumes what a statement that was not run yet will make.
    pub(crate) fn expect(&mut self, kind: AspectKind, text: String) {
        self.0.insert(Aspect::only(kind), text);
    }

    /// The same for a policy.
    pub(crate) fn expect_policy(&mut self, name: &str, text: String) {
        self.0.insert(Aspect::named(AspectKind::Policy, name), text);
    }

    /// What became different, by aspect.
    pub(crate) fn changes_to(&self, after: &Self) -> Vec<Change> {
        let mut aspects: Vec<&Aspect> = self.0.keys().chain(after.0.keys()).collect();
        aspects.sort();
        aspects.dedup();
        let change = |aspect: &Aspect| Change {
            aspect: aspect.clone(),
            before: self.0.get(aspect).cloned(),
            after: after.0.get(aspect).cloned(),
        };
        aspects.into_iter().map(change).filter(|change| change.before != change.after).collect()
    }
}

/// Reads the definitions of tables, each with its tenant column, in the given order. A table that is not there has an empty one.
pub(crate) async fn read(connection: &mut PgConnection, tables: &[(&TableName, &str)]) -> Result<Vec<Definition>> {
    let doing = || RlsError::query("reading the definitions of the tables");
    let rows = sqlx::query(include_str!("../../../sql/rls/definition.sql"))
        .bind(tables.iter().map(|(table, _)| table.schema().as_str()).collect::<Vec<_>>())
        .bind(tables.iter().map(|(table, _)| table.name().as_str()).collect::<Vec<_>>())
        .bind(tables.iter().map(|(_, column)| *column).collect::<Vec<_>>())
        .fetch_all(connection)
        .await
        .map_err(doing())?;
    let mut definitions = vec![Definition::default(); tables.len()];
    for row in rows {
        let position = usize::try_from(row.get::<i64, _>(0)).unwrap_or_default();
        let kind = kind(row.get(1));
        let aspect = Aspect { kind, name: row.get(2), role: row.get(3), column: row.get(4) };
        definitions[position - 1].0.insert(aspect, row.get(5));
    }
    Ok(definitions)
}

fn kind(text: &str) -> AspectKind {
    match text {
        "row_security" => AspectKind::RowSecurity,
        "forced" => AspectKind::Forced,
        "policy" => AspectKind::Policy,
        "default" => AspectKind::Default,
        "not_null" => AspectKind::NotNull,
        "constraint" => AspectKind::Constraint,
        "index" => AspectKind::Index,
        "grant" => AspectKind::Grant,
        other => unreachable!("sql/rls/definition.sql gives no kind `{other}`"),
    }
}

/// Every right on a table that can be granted. Nothing else may take its place in a GRANT, which also makes roles members of others.
const RIGHTS: [&str; 8] = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"];

/// How it may be granted on.
const OPTIONS: [&str; 2] = ["", " WITH GRANT OPTION"];

/// The statements that turn one aspect of a table from `from` into `to`. An index is dropped, never made: see [`drop_index`].
pub(crate) fn statements(
    table: &TableName,
    column: &Ident,
    aspect: &Aspect,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Vec<Sql>> {
    let alter = |rest: &'static str| Template::new(rest).table("table", table);
    let text = |text: &str| Sql::from_catalog(text.to_owned());
    let name = |template: Template| -> Result<Template> { Ok(template.ident("name", &Ident::new(&aspect.name)?)) };
    let mut out = Vec::new();
    match aspect.kind {
        AspectKind::RowSecurity if to.is_some() => {
            out.push(alter("ALTER TABLE :\"table\" ENABLE ROW LEVEL SECURITY").build())
        }
        AspectKind::RowSecurity => out.push(alter("ALTER TABLE :\"table\" DISABLE ROW LEVEL SECURITY").build()),
        AspectKind::Forced if to.is_some() => {
            out.push(alter("ALTER TABLE :\"table\" FORCE ROW LEVEL SECURITY").build())
        }
        AspectKind::Forced => out.push(alter("ALTER TABLE :\"table\" NO FORCE ROW LEVEL SECURITY").build()),
        AspectKind::NotNull => {
            let set = |verb: &'static str| {
                let template =
                    alter("ALTER TABLE :\"table\" ALTER COLUMN :\"column\" :verb NOT NULL").ident("column", column);
                template.fragment("verb", Sql::from_static(verb)).build().running_application_code()
            };
            match to {
                Some("") => out.push(set("SET")),
                None => out.push(set("DROP")),
                // One that was never validated, which only takes the place of none.
                Some(constraint) => {
                    out.push(set("DROP"));
                    out.push(
                        alter("ALTER TABLE :\"table\" ADD :constraint")
                            .fragment("constraint", text(constraint))
                            .build(),
                    );
                }
            }
        }
        AspectKind::Default => {
            let template = alter("ALTER TABLE :\"table\" ALTER COLUMN :\"column\" :action").ident("column", column);
            let action = match to {
                Some(expression) => Template::new("SET DEFAULT :to").fragment("to", text(expression)).build(),
                None => Sql::from_static("DROP DEFAULT"),
            };
            out.push(template.fragment("action", action).build());
        }
        AspectKind::Policy => {
            if from.is_some() {
                out.push(name(alter("DROP POLICY :\"name\" ON :\"table\""))?.build());
            }
            if let Some(to) = to {
                let create = name(alter("CREATE POLICY :\"name\" ON :\"table\" :to"))?;
                out.push(create.fragment("to", text(to)).build());
            }
        }
        AspectKind::Constraint => {
            if from.is_some() {
                out.push(name(alter("ALTER TABLE :\"table\" DROP CONSTRAINT :\"name\""))?.build());
            }
            if let Some(to) = to {
                let add = name(alter("ALTER TABLE :\"table\" ADD CONSTRAINT :\"name\" :to"))?;
                out.push(add.fragment("to", text(to)).build());
            }
        }
        AspectKind::Grant => {
            let role = Ident::new(&aspect.role)?;
            let known = RIGHTS.contains(&aspect.name.as_str()) && to.is_none_or(|option| OPTIONS.contains(&option));
            if !known {
                return Err(crate::Error::UnknownRight { table: table.clone(), right: aspect.name.clone() });
            }
            let of = |template: Template| -> Result<Template> {
                let right = text(&aspect.name);
                let right = if aspect.column.is_empty() {
                    right
                } else {
                    let column = Ident::new(&aspect.column)?;
                    Template::new(":right (:\"column\")").fragment("right", right).ident("column", &column).build()
                };
                Ok(template.table("table", table).fragment("right", right).ident("role", &role))
            };
            if from.is_some() {
                out.push(of(Template::new("REVOKE :right ON :\"table\" FROM :\"role\""))?.build());
            }
            if let Some(option) = to {
                let grant = of(Template::new("GRANT :right ON :\"table\" TO :\"role\":option"))?;
                out.push(grant.fragment("option", text(option)).build());
            }
        }
        AspectKind::Index => {}
    }
    Ok(out)
}

/// The statement that drops an index without shutting anybody out; it cannot stand in a transaction.
pub(crate) fn drop_index(table: &TableName, index: &str) -> Result<Sql> {
    let index = TableName::new(table.schema().clone(), Ident::new(index)?);
    Ok(Template::new("DROP INDEX CONCURRENTLY IF EXISTS :\"index\"").table("index", &index).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(aspects: &[(AspectKind, &str, &str)]) -> Definition {
        Definition(aspects.iter().map(|(kind, name, text)| (Aspect::named(*kind, name), (*text).to_owned())).collect())
    }

    #[test]
    fn a_change_names_what_came_what_went_and_what_became_different() {
        let before = definition(&[
            (AspectKind::Policy, "mine", "a"),
            (AspectKind::Policy, "old", "b"),
            (AspectKind::Index, "i", "c"),
        ]);
        let after = definition(&[
            (AspectKind::Policy, "mine", "A"),
            (AspectKind::RowSecurity, "", ""),
            (AspectKind::Index, "i", "c"),
        ]);
        let changes = before.changes_to(&after);
        let seen: Vec<_> =
            changes.iter().map(|c| (c.aspect.name.as_str(), c.before.as_deref(), c.after.as_deref())).collect();
        assert_eq!(seen, [("", None, Some("")), ("mine", Some("a"), Some("A")), ("old", Some("b"), None)]);
    }

    #[test]
    fn a_change_reads_back_from_the_journal() {
        let change =
            Change { aspect: Aspect::named(AspectKind::Policy, "We\"ird"), before: None, after: Some("x".into()) };
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(text, r#"{"kind":"policy","name":"We\"ird","before":null,"after":"x"}"#);
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), change);
    }
}

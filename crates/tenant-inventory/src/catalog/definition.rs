//! What a rollout may change of a table, as text that makes it again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, Row};
use tenancy_config::{Ident, TableName};
use tenant_rls::{Error, Result};

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
    /// The comment of a policy, by the policy's name. It is lost with the policy.
    PolicyComment,
    /// The comment of a constraint, by the constraint's name. It is lost with the constraint.
    ConstraintComment,
    /// The event trigger that closes new tables, by its name. It belongs to the database and to no table.
    EventTrigger,
    /// The role of sign-in, by its name; the text is its number. It belongs to the server and to no table.
    Role,
    /// The right of that role to use a schema.
    SchemaUsage,
    /// The right of that role to draw numbers from a sequence.
    SequenceUsage,
    /// The tenant column itself, with its type. It is the last, as the others go before their column does.
    Column,
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

/// The aspects that a table has, each with the text that makes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definition(BTreeMap<Aspect, String>);

impl Aspect {
    /// An aspect of which a table has one at most.
    pub fn only(kind: AspectKind) -> Self {
        Self::named(kind, "")
    }

    /// One of several of its kind.
    pub fn named(kind: AspectKind, name: &str) -> Self {
        Self { kind, name: name.to_owned(), role: String::new(), column: String::new() }
    }

    /// A right on a column.
    pub fn column_grant(privilege: &str, column: &Ident, role: &Ident) -> Self {
        let (role, column) = (role.as_str().to_owned(), column.as_str().to_owned());
        Self { kind: AspectKind::Grant, name: privilege.to_owned(), role, column }
    }
}

impl FromIterator<(Aspect, String)> for Definition {
    fn from_iter<I: IntoIterator<Item = (Aspect, String)>>(aspects: I) -> Self {
        Self(aspects.into_iter().collect())
    }
}

impl Definition {
    /// Whether the table has an aspect of which it has one at most.
    pub fn has(&self, kind: AspectKind) -> bool {
        self.0.contains_key(&Aspect::only(kind))
    }

    /// The text of the one aspect of a kind.
    pub fn text(&self, kind: AspectKind) -> Option<&str> {
        self.get(&Aspect::only(kind))
    }

    /// The text of an aspect; `None` where the table lacks it.
    pub fn get(&self, aspect: &Aspect) -> Option<&str> {
        self.0.get(aspect).map(String::as_str)
    }

    /// Every aspect with its text.
    pub fn iter(&self) -> impl Iterator<Item = (&Aspect, &str)> {
        self.0.iter().map(|(aspect, text)| (aspect, text.as_str()))
    }

    /// Names and texts of a kind, by name.
    pub fn all(&self, kind: AspectKind) -> impl Iterator<Item = (&str, &str)> {
        let of_kind = self.0.iter().filter(move |(aspect, _)| aspect.kind == kind);
        of_kind.map(|(aspect, text)| (aspect.name.as_str(), text.as_str()))
    }

    /// Adds what a statement will make that was not run yet.
    pub fn expect(&mut self, kind: AspectKind, text: String) {
        self.0.insert(Aspect::only(kind), text);
    }

    /// Removes a policy that a statement will drop.
    pub fn forget_policy(&mut self, name: &str) {
        self.0.remove(&Aspect::named(AspectKind::Policy, name));
    }

    /// Adds a policy that a statement will make.
    pub fn expect_policy(&mut self, name: &str, text: String) {
        self.0.insert(Aspect::named(AspectKind::Policy, name), text);
    }
}

/// Reads the definitions of tables, each with its tenant column, in the given order. A table that is not there has an empty one.
///
/// # Errors
/// [`Error::Query`].
pub async fn read_definitions(connection: &mut PgConnection, tables: &[(&TableName, &str)]) -> Result<Vec<Definition>> {
    let (schemas, names) = TableName::apart(tables.iter().map(|(table, _)| *table));
    let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/definition.sql"))
        .bind(schemas)
        .bind(names)
        .bind(tables.iter().map(|(_, column)| *column).collect::<Vec<_>>())
        .fetch_all(connection)
        .await
        .map_err(Error::query("reading the definitions of the tables"))?;
    let mut definitions = vec![Definition::default(); tables.len()];
    for row in rows {
        let position = usize::try_from(row.get::<i64, _>("position")).unwrap_or_default();
        let kind = kind(row.get("kind"));
        let aspect = Aspect { kind, name: row.get("name"), role: row.get("role"), column: row.get("column_name") };
        definitions[position - 1].0.insert(aspect, row.get("text"));
    }
    Ok(definitions)
}

/// Reads of a definition one index alone. The definition is empty where the table has no such index on its tenant column.
///
/// # Errors
/// [`Error::Query`].
pub async fn read_index(
    connection: &mut PgConnection,
    table: &TableName,
    column: &str,
    index: &str,
) -> Result<Definition> {
    let text = sqlx::query_scalar(include_str!("../../../../sql/tenant-inventory/index_definition.sql"))
        .bind(table.schema().as_str())
        .bind(table.name().as_str())
        .bind(column)
        .bind(index)
        .fetch_optional(connection)
        .await
        .map_err(Error::query("reading the definition of an index"))?;
    let aspect = Aspect::named(AspectKind::Index, index);
    Ok(Definition(text.map(|text| (aspect, text)).into_iter().collect()))
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
        "policy_comment" => AspectKind::PolicyComment,
        "constraint_comment" => AspectKind::ConstraintComment,
        "column" => AspectKind::Column,
        other => unreachable!("sql/tenant-inventory/definition.sql gives no kind `{other}`"),
    }
}

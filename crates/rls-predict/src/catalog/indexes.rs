//! The indexes of the tables that get policies, and what of them is leakproof.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use tenancy_config::{Ident, TableName};
use tenant_rls::{Error as RlsError, Result as RlsResult};

use crate::catalog::node_tree::{Calls, expressions};
use crate::plan::condition::{Clause, comparable};

/// The indexes of some tables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Indexes {
    columns: BTreeMap<(TableName, String), Vec<KeyColumn>>,
}

/// A column or expression by which an index finds rows.
#[derive(Debug, Clone)]
pub(crate) struct KeyColumn {
    /// As it is printed, comparable with a plan.
    pub(crate) printed: String,
    /// What of its expression is not leakproof, by its name.
    pub(crate) leaks: Vec<String>,
    operators: Vec<SearchOperator>,
}

/// An operator with which an index can be searched.
#[derive(Debug, Clone, Deserialize)]
struct SearchOperator {
    name: String,
    right: String,
    same_type: bool,
    leakproof: bool,
}

impl KeyColumn {
    /// Whether a condition is about this column. The server writes a column of another type of characters as a cast.
    pub(crate) fn is_left_of(&self, clause: &Clause) -> bool {
        clause.left == self.printed
            || clause
                .left
                .strip_prefix("( ")
                .is_some_and(|cast| cast.strip_prefix(&self.printed).is_some_and(|rest| rest.starts_with(" ) : : ")))
    }

    /// Whether the operator of a condition is leakproof. None where the index has none of that name.
    pub(crate) fn is_leakproof(&self, clause: &Clause, parameters: &[String]) -> Option<bool> {
        let name = clause.operator.as_deref()?;
        let named: Vec<&SearchOperator> = self.operators.iter().filter(|operator| operator.name == name).collect();
        let of_type =
            clause.right_type(parameters).and_then(|kind| named.iter().find(|operator| operator.right == kind));
        let same = || named.iter().find(|operator| operator.same_type);
        Some(of_type.or_else(same).or_else(|| named.first())?.leakproof)
    }
}

impl Indexes {
    /// Reads those of these tables.
    pub(crate) async fn read(connection: &mut PgConnection, tables: &[&TableName]) -> RlsResult<Self> {
        let (schemas, names) = TableName::apart(tables.iter().copied());
        let rows = sqlx::query(include_str!("../../../../sql/rls-predict/indexes.sql"))
            .bind(schemas)
            .bind(names)
            .fetch_all(&mut *connection)
            .await
            .map_err(RlsError::query("reading the indexes"))?;
        let mut found = Vec::new();
        for row in &rows {
            let table = TableName::new(
                Ident::new(row.get::<String, _>("schema"))?,
                Ident::new(row.get::<String, _>("table_name"))?,
            );
            let position: Option<i64> = row.get("expression");
            let tree: Option<String> = row.get("expressions");
            let calls = position.map(|position| {
                let all = tree.as_deref().map(expressions).unwrap_or_default();
                let position = usize::try_from(position).unwrap_or_default();
                all.into_iter().nth(position).unwrap_or_else(Calls::unread)
            });
            let Json(operators) = row.get("operators");
            let printed: String = row.get("printed");
            let column = KeyColumn { printed: comparable(&printed), leaks: Vec::new(), operators };
            found.push(((table, row.get::<String, _>("index_name")), column, calls.unwrap_or_default()));
        }
        let leaky = Leaky::read(connection, found.iter().map(|(_, _, calls)| calls)).await?;
        let mut columns: BTreeMap<_, Vec<KeyColumn>> = BTreeMap::new();
        for (index, mut column, calls) in found {
            column.leaks = leaky.of(&calls);
            columns.entry(index).or_default().push(column);
        }
        Ok(Self { columns })
    }

    /// The key columns of an index of one of the tables.
    pub(crate) fn of(&self, table: &TableName, index: &str) -> Option<&[KeyColumn]> {
        self.columns.get(&(table.clone(), index.to_owned())).map(Vec::as_slice)
    }
}

/// Functions and operators that are not leakproof, by their oids.
struct Leaky {
    functions: BTreeMap<i64, String>,
    operators: BTreeMap<i64, String>,
}

impl Leaky {
    async fn read<'a>(connection: &mut PgConnection, calls: impl Iterator<Item = &'a Calls>) -> RlsResult<Self> {
        let (mut functions, mut operators) = (BTreeSet::new(), BTreeSet::new());
        for calls in calls {
            functions.extend(calls.functions.iter().copied());
            operators.extend(calls.operators.iter().copied());
        }
        let rows = sqlx::query(include_str!("../../../../sql/rls-predict/calls.sql"))
            .bind(Vec::from_iter(functions))
            .bind(Vec::from_iter(operators))
            .fetch_all(connection)
            .await
            .map_err(RlsError::query("reading what indexes call"))?;
        let leaky = |kind: &str| {
            let of_kind =
                rows.iter().filter(|row| row.get::<&str, _>("kind") == kind && !row.get::<bool, _>("leakproof"));
            of_kind.map(|row| (row.get("called"), row.get("name"))).collect()
        };
        Ok(Self { functions: leaky("function"), operators: leaky("operator") })
    }

    fn of(&self, calls: &Calls) -> Vec<String> {
        let functions = calls.functions.iter().filter_map(|oid| self.functions.get(oid));
        let operators = calls.operators.iter().filter_map(|oid| self.operators.get(oid));
        let mut names: Vec<String> = functions.chain(operators).cloned().collect();
        names.extend(calls.opaque.iter().map(|tag| tag.to_ascii_lowercase()));
        names.dedup();
        names
    }
}

/// What is known of functions and operators by their names alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeakyNames {
    /// Functions of which some are not leakproof.
    functions: BTreeSet<String>,
    /// Functions and operators that are not leakproof, and from which the planner derives conditions that an index can be searched for.
    deriving: BTreeSet<(bool, String)>,
}

impl LeakyNames {
    /// Asks for those that plans name.
    pub(crate) async fn read(
        connection: &mut PgConnection,
        functions: BTreeSet<String>,
        operators: BTreeSet<String>,
    ) -> RlsResult<Self> {
        let rows = sqlx::query(include_str!("../../../../sql/rls-predict/names.sql"))
            .bind(Vec::from_iter(functions))
            .bind(Vec::from_iter(operators))
            .fetch_all(connection)
            .await
            .map_err(RlsError::query("reading what conditions call"))?;
        let mut found = Self::default();
        for row in rows {
            let (is_function, name) = (row.get::<&str, _>("kind") == "function", row.get::<String, _>("name"));
            if is_function && !row.get::<bool, _>("leakproof") {
                found.functions.insert(name.clone());
            }
            if row.get("derives") {
                found.deriving.insert((is_function, name));
            }
        }
        Ok(found)
    }

    /// Whether a function of this name may tell what it is called with.
    pub(crate) fn has_function(&self, name: &str) -> bool {
        self.functions.contains(name.trim_matches('"'))
    }

    /// The function or operator of a condition that is not leakproof, if the planner derives others from it.
    pub(crate) fn derived_from<'a>(&self, clause: &'a Clause) -> Option<&'a str> {
        let operator = clause.operator.as_deref().map(|name| (false, name));
        let function = clause.function.as_deref().map(|name| (true, name));
        let known = |(is_function, name): &(bool, &str)| self.deriving.contains(&(*is_function, (*name).to_owned()));
        operator.or(function).filter(known).map(|(_, name)| name)
    }
}

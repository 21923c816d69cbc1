//! What leads to a tenant and is no source yet, with what it needs.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;
use tenant_inventory::class::polymorphic_pairs;
use tenant_inventory::{Catalog, Column, TenantTable};
use tenant_rls::Obstacle;

use crate::unseen::{sentence, why_and_obstacles};

/// What leads to a tenant, and why it is no source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum SuggestNote {
    /// One column says of which table another one holds a key.
    Polymorphic {
        /// The column with the kind.
        type_column: String,
        /// The column with the key.
        id_column: String,
    },
    /// A foreign key compares several columns besides the tenant.
    SeveralColumns {
        /// The constraint.
        constraint: String,
        /// Its columns.
        columns: Vec<String>,
        /// The table that it points to.
        table: TableName,
    },
    /// A foreign key leads to rows with a tenant, over tables that have no tenant column.
    Hops {
        /// The columns here.
        columns: Vec<String>,
        /// The tables on the way, in order.
        through: Vec<TableName>,
        /// The table with a tenant column.
        to: TableName,
    },
    /// A table points here, and no index leads with its column.
    NoIndex {
        /// That table.
        table: TableName,
        /// Its column.
        column: String,
    },
    /// Rows are hidden from every role that may be used, so that the sources were not compared with rows.
    Hidden {
        /// What is in the way of each role.
        #[serde(flatten, serialize_with = "why_and_obstacles")]
        obstacles: Vec<Obstacle>,
    },
}

impl fmt::Display for SuggestNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Polymorphic { type_column, id_column } => write!(
                f,
                "polymorphic: {type_column} says of which table {id_column} is a key; a source for each of them has a condition, \
                 such as `when = {{ {type_column} = \"…\" }}`"
            ),
            Self::SeveralColumns { constraint, columns, table } => write!(
                f,
                "the foreign key {constraint} points to {table} by several columns ({}), and a source has one: give {table} a key of one \
                 column, or decide in a review",
                columns.join(", ")
            ),
            Self::Hops { columns, through, to } => {
                let way: Vec<String> = through.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "{} leads to {to} over {}, by a key of several columns or over rows that are hidden; with a tenant column in {}, filled \
                     first, it is a source",
                    columns.join(", "),
                    way.join(", then "),
                    way.first().map_or("it", String::as_str)
                )
            }
            Self::NoIndex { table, column } => {
                write!(f, "{table} points here by {column}; an index on that column makes it a source")
            }
            Self::Hidden { obstacles } => {
                write!(f, "its sources were not compared with rows: {}", sentence(obstacles))
            }
        }
    }
}

/// Pairs of columns such as `entityType` and `entityId`: first the kind, then the key.
pub(super) fn polymorphic(columns: &[Column]) -> Vec<(String, String)> {
    polymorphic_pairs(columns.iter().map(|column| column.name.as_str()))
}

/// Foreign keys of several columns besides the tenant columns, to tables with a tenant column.
pub(super) fn several_columns(table: &TenantTable, catalog: &Catalog) -> Vec<SuggestNote> {
    let note = |key: &tenant_inventory::ForeignKey| {
        let target = catalog.table(&key.target().ok()?).ok()?;
        let pairs = key.columns.iter().zip(&key.references);
        let other = |(here, there): &(&String, &String)| **here != table.column.name || **there != target.column.name;
        let several = pairs.filter(other).count() > 1;
        several.then(|| SuggestNote::SeveralColumns {
            constraint: key.name.clone(),
            columns: key.columns.clone(),
            table: target.name.clone(),
        })
    };
    table.foreign_keys.iter().filter_map(note).collect()
}

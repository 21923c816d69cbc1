//! The plan of a statement, as far as policies change it.

pub(crate) mod condition;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use tenancy_config::{Ident, TableName};
use tenant_rls::Plan;

use crate::plan::condition::{Clause, all_clauses, clauses};

/// A plan.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlanFacts {
    /// What the planner expects it to cost.
    pub(crate) cost: f64,
    /// Its nodes that read a table or an index.
    pub(crate) nodes: Vec<PlanNode>,
    /// The indexes that it searches, with their conditions.
    pub(crate) searches: Vec<IndexSearch>,
    /// The tables that it reads or writes.
    pub(crate) tables: BTreeSet<TableName>,
    /// The types of its parameters.
    pub(crate) parameters: Vec<String>,
}

/// A node of a plan that reads a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanNode {
    /// What it is, as the server names it: `Index Scan`.
    pub node: String,
    /// The table.
    pub table: TableName,
    /// The index, if it reads one.
    pub index: Option<String>,
}

/// A search of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexSearch {
    pub(crate) table: TableName,
    pub(crate) index: String,
    /// What the index is searched for.
    pub(crate) conditions: Vec<Clause>,
    /// What the rows are checked for afterwards.
    pub(crate) filters: Vec<Clause>,
    /// The searches of one OR have the same number: none of them is of use without the others.
    pub(crate) alternative: Option<usize>,
}

/// The nodes above one, as far as they matter to it.
#[derive(Default)]
struct Above {
    /// The table that a bitmap belongs to.
    reading: Option<Reading>,
    alternative: Option<usize>,
}

/// The table to which a part of a plan belongs, and the filters of the node that reads it.
#[derive(Clone)]
struct Reading {
    table: TableName,
    filters: Vec<Clause>,
}

impl PlanFacts {
    /// Reads what the server said. None where that has no plan.
    pub(crate) fn read(plan: &Plan) -> Option<Self> {
        let top = plan.explained.get(0)?.get("Plan")?;
        let mut facts = Self {
            cost: top.get("Total Cost")?.as_f64()?,
            nodes: Vec::new(),
            searches: Vec::new(),
            tables: BTreeSet::new(),
            parameters: plan.parameters.clone(),
        };
        facts.walk(top, &Above::default());
        Some(facts)
    }

    fn walk(&mut self, node: &Value, above: &Above) {
        let text = |key: &str| node.get(key).and_then(Value::as_str);
        let here = table(text("Schema"), text("Relation Name")).map(|table| {
            let filters = ["Filter", "Recheck Cond"].into_iter().filter_map(text).flat_map(all_clauses).collect();
            Reading { table, filters }
        });
        let reading = here.as_ref().or(above.reading.as_ref());
        let kind = text("Node Type").unwrap_or_default();
        let alternative = above.alternative.or((kind == "BitmapOr").then_some(self.searches.len()));
        if let Some(here) = &here {
            self.tables.insert(here.table.clone());
        }
        if let Some(reading) = reading {
            let index = text("Index Name");
            if (here.is_some() || index.is_some()) && kind != "ModifyTable" {
                let (node, table) = (kind.to_owned(), reading.table.clone());
                self.nodes.push(PlanNode { node, table, index: index.map(str::to_owned) });
            }
            if let (Some(index), Some(searched)) = (index, text("Index Cond")) {
                self.searches.push(IndexSearch {
                    table: reading.table.clone(),
                    index: index.to_owned(),
                    conditions: clauses(searched),
                    filters: reading.filters.clone(),
                    alternative,
                });
            }
        }
        // The index below a bitmap belongs to the table above; another node's table is its own.
        let is_bitmap = kind.starts_with("Bitmap");
        let passed =
            Above { reading: reading.filter(|_| is_bitmap).cloned(), alternative: alternative.filter(|_| is_bitmap) };
        for below in node.get("Plans").and_then(Value::as_array).into_iter().flatten() {
            self.walk(below, &passed);
        }
    }

    /// Whether an index is searched for something here.
    pub(crate) fn searches_for(&self, index: &str, clause: &Clause) -> bool {
        let same = |search: &&IndexSearch| search.index == index;
        self.searches.iter().filter(same).flat_map(|search| &search.conditions).any(|other| other.left == clause.left)
    }
}

fn table(schema: Option<&str>, name: Option<&str>) -> Option<TableName> {
    Some(TableName::new(Ident::new(schema?).ok()?, Ident::new(name?).ok()?))
}

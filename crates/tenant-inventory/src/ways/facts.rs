//! What the catalog says of everything that may lead past the policies.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tenancy_config::TableName;

use super::object::LargeObjectsHeld;

/// A table, partition, view, materialized view or foreign table.
#[derive(Debug, Clone)]
pub(crate) struct RelationFacts {
    pub(crate) id: i64,
    pub(crate) name: TableName,
    /// The name as a statement has it.
    pub(crate) printed: String,
    pub(crate) kind: String,
    pub(crate) owner: i64,
    pub(crate) row_security: bool,
    pub(crate) forced: bool,
    pub(crate) security_invoker: bool,
    pub(crate) check_option: bool,
    /// The table that it is a partition or a child of.
    pub(crate) parent: Option<i64>,
    /// Of a foreign table: what it is foreign by.
    pub(crate) wrapper: Option<String>,
    /// A user mapping lets the login through to the other server.
    pub(crate) mapped: bool,
    pub(crate) mapped_for_any: bool,
}

/// What one role may do with a relation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    pub(crate) role: String,
    pub(crate) in_sight: bool,
    pub(crate) selects: bool,
    pub(crate) inserts: bool,
    pub(crate) updates: bool,
    pub(crate) deletes: bool,
    pub(crate) truncates: bool,
    pub(crate) triggers: bool,
    pub(crate) refers: bool,
}

/// What something was granted on, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GrantedOn {
    Relation(i64),
    Function(i64),
    Schema(i64),
}

/// A right that somebody was granted.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// The role; 0 is everybody.
    pub(crate) to: i64,
    /// The right, as the server names it.
    pub(crate) right: String,
}

/// A view that passes DELETE or UPDATE on to one relation.
#[derive(Debug, Clone)]
pub(crate) struct PassingView {
    pub(crate) base: i64,
    pub(crate) definition: String,
    /// The login's roles for which it passes DELETE on.
    pub(crate) deletes_for: Vec<String>,
    /// The columns that pass UPDATE on.
    pub(crate) columns: Vec<PassingColumn>,
}

/// A column of a view, which changes one of the relation behind it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PassingColumn {
    pub(crate) number: i16,
    /// The name as a statement has it.
    pub(crate) printed: String,
    /// The column behind it, by number.
    pub(crate) behind: i16,
    /// The login's roles that have UPDATE on it.
    pub(crate) holders: Vec<String>,
    /// The login's roles for which it passes that on.
    pub(crate) passes_for: Vec<String>,
}

/// A function, procedure or aggregate.
#[derive(Debug, Clone)]
pub(crate) struct FunctionFacts {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) signature: String,
    /// Its schema, as a statement has it.
    pub(crate) schema: String,
    pub(crate) kind: String,
    pub(crate) fires: Option<String>,
    pub(crate) definer: bool,
    /// The server may call it with rows before it asks a policy whether they are to be seen.
    pub(crate) leakproof: bool,
    pub(crate) owner: i64,
    pub(crate) language: String,
    pub(crate) atomic: bool,
    pub(crate) body: Option<String>,
    pub(crate) settings: Vec<String>,
    pub(crate) rights: String,
    /// Name and version of the extension that brought it.
    pub(crate) extension: Option<String>,
    /// The first of the login's roles that may call it by name.
    pub(crate) caller: Option<String>,
    /// The first of the login's roles that may execute it.
    pub(crate) executor: Option<String>,
}

/// Something that refers to a relation or a function.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) kind: String,
    pub(crate) id: i64,
    pub(crate) relation: Option<i64>,
    pub(crate) name: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) to_function: bool,
    pub(crate) target: i64,
}

/// A trigger that fires; without a relation, on changes of definitions.
#[derive(Debug, Clone)]
pub(crate) struct TriggerFacts {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// The name as a statement has it.
    pub(crate) printed: String,
    pub(crate) relation: Option<i64>,
    pub(crate) function: i64,
    /// `tgtype`.
    pub(crate) events: i32,
}

/// A permissive policy.
#[derive(Debug, Clone)]
pub(crate) struct PolicyFacts {
    pub(crate) relation: i64,
    pub(crate) policy: String,
    /// The roles; 0 is everybody.
    pub(crate) roles: Vec<i64>,
    pub(crate) expressions: String,
}

/// A foreign key between tenant tables that changes rows by itself.
#[derive(Debug, Clone)]
pub(crate) struct ActingKey {
    pub(crate) name: String,
    pub(crate) printed: String,
    pub(crate) child: i64,
    pub(crate) parent: i64,
    pub(crate) child_tenant: String,
    pub(crate) parent_tenant: String,
    pub(crate) validated: bool,
    pub(crate) on_delete: bool,
    pub(crate) columns: Vec<String>,
    pub(crate) referenced: Vec<String>,
    pub(crate) keeps_tenant: bool,
    /// A valid key that references the same row together with its tenant.
    pub(crate) kept_by: Option<String>,
}

/// A foreign key that acts by itself, whatever the tables are.
#[derive(Debug, Clone)]
pub(crate) struct Cascade {
    pub(crate) child: i64,
    pub(crate) parent: i64,
    pub(crate) on_delete: bool,
    pub(crate) on_update: bool,
    /// It deletes rows of the child, where it does not only change them.
    pub(crate) deletes: bool,
    /// Its columns in the child, by number.
    pub(crate) columns: Vec<i16>,
    /// The columns of the parent that it references, by number.
    pub(crate) referenced: Vec<i16>,
    /// It came with the key of the child's parent table.
    pub(crate) of_partition: bool,
    /// Its definition, as a statement has it.
    pub(crate) definition: String,
    /// The columns of the parent that it does not reference and the login may change, as a statement has them.
    pub(crate) others: Vec<String>,
    /// The roles of the login's that may change what the key references.
    pub(crate) updaters: Vec<String>,
}

/// A function of the book-keeping that a role of the login's may execute.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct OpsFunction {
    pub(crate) id: i64,
    pub(crate) owner: i64,
    pub(crate) signature: String,
    pub(crate) role: String,
}

/// The schema of the book-keeping.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct OpsSchema {
    pub(crate) id: i64,
    pub(crate) owner: i64,
}

/// What a right on something of the server's is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServerObject {
    Function,
    /// A table or view, or one column of it.
    Relation {
        column: Option<String>,
    },
    /// A setting: SET, or else ALTER SYSTEM.
    Parameter {
        sets: bool,
    },
    /// A foreign server that a user mapping lets the role through to.
    ForeignServer {
        wrapper: String,
    },
}

/// A right on something of the server's or of an extension's, beyond those that it came with.
#[derive(Debug, Clone)]
pub(crate) struct ServerRightFacts {
    pub(crate) name: String,
    /// The name as a statement has it, of a function with its arguments.
    pub(crate) printed: String,
    pub(crate) on: ServerObject,
    pub(crate) role: String,
    /// From whom the right is to be taken, as a statement has it.
    pub(crate) grantee: String,
    /// Name and version of the extension that brought it.
    pub(crate) extension: Option<String>,
}

/// Large objects that a role of the login's may read.
#[derive(Debug, Clone)]
pub(crate) struct LargeObjectFacts {
    pub(crate) held: LargeObjectsHeld,
    pub(crate) role: String,
    pub(crate) objects: i64,
    /// The number of one of them.
    pub(crate) example: i64,
}

/// A schema of tables that policies protect.
#[derive(Debug, Clone)]
pub(crate) struct SchemaFacts {
    pub(crate) name: String,
    /// The name as a statement has it.
    pub(crate) printed: String,
    pub(crate) owner: i64,
}

/// What the login can make.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The role that makes functions and tables, if only temporary ones.
    pub(crate) makes_anything: Option<String>,
    /// The role that makes permanent tables.
    pub(crate) makes_tables: Option<String>,
    /// The schemas in which it makes permanent objects, as a statement has them.
    pub(crate) makes_in: Vec<String>,
    pub(crate) makes_in_ops: Option<String>,
    /// The schema of the book-keeping, and its owner.
    pub(crate) ops: Option<OpsSchema>,
    pub(crate) ops_functions: Vec<OpsFunction>,
}

/// All of it.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) relations: BTreeMap<i64, RelationFacts>,
    /// What the login's roles may do with each relation.
    pub(crate) rights: BTreeMap<i64, Vec<Held>>,
    pub(crate) grants: BTreeMap<GrantedOn, Vec<Grant>>,
    /// Views through which rows of the relation behind them are deleted or changed.
    pub(crate) passing: BTreeMap<i64, PassingView>,
    pub(crate) functions: BTreeMap<i64, FunctionFacts>,
    pub(crate) references: Vec<Reference>,
    pub(crate) triggers: Vec<TriggerFacts>,
    pub(crate) policies: Vec<PolicyFacts>,
    pub(crate) keys: Vec<ActingKey>,
    /// Foreign keys that change rows of a table when rows of another one are deleted or changed.
    pub(crate) cascades: Vec<Cascade>,
    pub(crate) places: Places,
    pub(crate) schemas: Vec<SchemaFacts>,
    pub(crate) server_rights: Vec<ServerRightFacts>,
    pub(crate) large_objects: Vec<LargeObjectFacts>,
    /// The roles whose objects the login may replace: those that it can act as, and whose rights it has.
    pub(crate) replaces: BTreeSet<i64>,
}

impl Facts {
    /// What the first of the login's roles may do with a relation for which this holds.
    pub(crate) fn held(&self, relation: i64, counts: impl Fn(&Held) -> bool) -> Option<&Held> {
        self.rights.get(&relation)?.iter().find(|held| counts(held))
    }
}

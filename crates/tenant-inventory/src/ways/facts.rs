//! What the catalog says of everything that may lead past the policies, in a few statements over the whole database.

use std::collections::BTreeMap;

use serde::Deserialize;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row, types::Json};
use tenancy_config::{Ident, TableName};
use tenant_rls::{Error, Result};

use super::options::is_on;

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

/// A function, procedure or aggregate.
#[derive(Debug, Clone)]
pub(crate) struct FunctionFacts {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) signature: String,
    pub(crate) kind: String,
    pub(crate) fires: Option<String>,
    pub(crate) definer: bool,
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
    pub(crate) by_everybody: bool,
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
pub(crate) struct KeyAction {
    pub(crate) name: String,
    pub(crate) printed: String,
    pub(crate) child: i64,
    pub(crate) parent: i64,
    pub(crate) child_tenant: String,
    pub(crate) parent_tenant: String,
    pub(crate) on_delete: bool,
    pub(crate) columns: Vec<String>,
    pub(crate) referenced: Vec<String>,
    pub(crate) keeps_tenant: bool,
}

/// A function of the book-keeping that a role of the login's may execute.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct OpsFunction {
    pub(crate) signature: String,
    pub(crate) role: String,
    pub(crate) everybody: bool,
}

/// What the login can make.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The role that makes functions and tables, if only temporary ones.
    pub(crate) makes_anything: Option<String>,
    /// The role that makes permanent tables.
    pub(crate) makes_tables: Option<String>,
    pub(crate) makes_in_ops: Option<String>,
    pub(crate) ops_functions: Vec<OpsFunction>,
}

/// All of it.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) relations: BTreeMap<i64, RelationFacts>,
    /// What the login's roles, and then everybody, may do with each relation.
    pub(crate) rights: BTreeMap<i64, Vec<Held>>,
    pub(crate) functions: BTreeMap<i64, FunctionFacts>,
    pub(crate) references: Vec<Reference>,
    pub(crate) triggers: Vec<TriggerFacts>,
    pub(crate) policies: Vec<PolicyFacts>,
    pub(crate) keys: Vec<KeyAction>,
    /// Foreign keys that change rows of the first table when rows of the second are deleted.
    pub(crate) cascades: Vec<(i64, i64)>,
    pub(crate) places: Places,
}

/// The name that the server has for everybody.
pub(crate) const EVERYBODY: &str = "public";

impl Facts {
    /// Reads them for a login that can act as `roles`. `tables` are those that policies protect, `tenants` those with a tenant column.
    pub(crate) async fn read(
        connection: &mut PgConnection,
        roles: &[String],
        tables: &[TableName],
        tenants: &[(TableName, Ident)],
    ) -> Result<Self> {
        let (schemas, names) = TableName::apart(tables);
        let with_everybody: Vec<&str> = roles.iter().map(String::as_str).chain([EVERYBODY]).collect();
        let (tenant_schemas, tenant_names) = TableName::apart(tenants.iter().map(|(table, _)| table));
        let columns: Vec<&str> = tenants.iter().map(|(_, column)| column.as_str()).collect();
        let doing = || Error::query("reading what may lead past the policies");

        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/relations.sql")).bind(roles);
        let rows = rows.fetch_all(&mut *connection).await.map_err(doing())?;
        let relations = rows.iter().map(relation).collect::<Result<Vec<_>>>()?;

        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/rights.sql")).bind(with_everybody);
        let mut rights: BTreeMap<i64, Vec<Held>> = BTreeMap::new();
        for row in rows.fetch_all(&mut *connection).await.map_err(doing())? {
            rights.entry(row.get("id")).or_default().push(held(&row));
        }

        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/functions.sql")).bind(roles);
        let functions = rows.fetch_all(&mut *connection).await.map_err(doing())?.iter().map(function).collect();
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/references.sql"));
        let references = rows.fetch_all(&mut *connection).await.map_err(doing())?.iter().map(reference).collect();
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/triggers.sql"));
        let triggers = rows.fetch_all(&mut *connection).await.map_err(doing())?.iter().map(trigger).collect();
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/policies.sql"));
        let rows = rows.bind(schemas).bind(names).fetch_all(&mut *connection).await.map_err(doing())?;
        let policies = rows.iter().map(policy).collect();
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/keys.sql"));
        let rows = rows.bind(tenant_schemas).bind(tenant_names).bind(columns);
        let keys = rows.fetch_all(&mut *connection).await.map_err(doing())?.iter().map(key).collect();
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/cascades.sql"));
        let rows = rows.fetch_all(&mut *connection).await.map_err(doing())?;
        let cascades = rows.iter().map(|row| (row.get("child"), row.get("parent"))).collect();
        let row = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/places.sql")).bind(roles);
        let row = row.fetch_one(connection).await.map_err(doing())?;
        Ok(Self {
            relations: relations.into_iter().map(|relation| (relation.id, relation)).collect(),
            rights,
            functions,
            references,
            triggers,
            policies,
            keys,
            cascades,
            places: places(&row),
        })
    }

    /// What the first of the login's roles may do with a relation for which this holds.
    pub(crate) fn held(&self, relation: i64, counts: impl Fn(&Held) -> bool) -> Option<&Held> {
        self.rights.get(&relation)?.iter().find(|held| held.role != EVERYBODY && counts(held))
    }

    /// Whether everybody has what `counts`.
    pub(crate) fn is_everybodys(&self, relation: i64, counts: impl Fn(&Held) -> bool) -> bool {
        self.rights.get(&relation).is_some_and(|all| all.iter().any(|held| held.role == EVERYBODY && counts(held)))
    }
}

fn relation(row: &PgRow) -> Result<RelationFacts> {
    let name = TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?);
    Ok(RelationFacts {
        id: row.get("id"),
        name,
        printed: row.get("printed"),
        kind: row.get("kind"),
        owner: row.get("owner"),
        row_security: row.get("row_security"),
        forced: row.get("forced"),
        security_invoker: row.get::<Option<String>, _>("security_invoker").is_some_and(|value| is_on(&value)),
        check_option: row.get("check_option"),
        parent: row.get("parent"),
        wrapper: row.get("wrapper"),
        mapped: row.get("mapped"),
        mapped_for_any: row.get("mapped_for_any"),
    })
}

fn held(row: &PgRow) -> Held {
    Held {
        role: row.get("role"),
        in_sight: row.get("in_sight"),
        selects: row.get("selects"),
        inserts: row.get("inserts"),
        updates: row.get("updates"),
        deletes: row.get("deletes"),
        truncates: row.get("truncates"),
        triggers: row.get("triggers"),
        refers: row.get("refers"),
    }
}

fn function(row: &PgRow) -> (i64, FunctionFacts) {
    let function = FunctionFacts {
        id: row.get("id"),
        name: row.get("name"),
        signature: row.get("signature"),
        kind: row.get("kind"),
        fires: row.get("fires"),
        definer: row.get("definer"),
        owner: row.get("owner"),
        language: row.get("language"),
        atomic: row.get("atomic"),
        body: row.get("body"),
        settings: row.get("settings"),
        rights: row.get("rights"),
        extension: row.get("extension"),
        caller: row.get("caller"),
        executor: row.get("executor"),
        by_everybody: row.get("by_everybody"),
    };
    (function.id, function)
}

fn reference(row: &PgRow) -> Reference {
    Reference {
        kind: row.get("kind"),
        id: row.get("id"),
        relation: row.get("relation"),
        name: row.get("name"),
        event: row.get("event"),
        to_function: row.get("to_function"),
        target: row.get("target"),
    }
}

fn trigger(row: &PgRow) -> TriggerFacts {
    TriggerFacts {
        id: row.get("id"),
        name: row.get("name"),
        relation: row.get("relation"),
        function: row.get("function"),
        events: row.get("events"),
    }
}

fn policy(row: &PgRow) -> PolicyFacts {
    PolicyFacts {
        relation: row.get("relation"),
        policy: row.get("policy"),
        roles: row.get("roles"),
        expressions: row.get("expressions"),
    }
}

fn key(row: &PgRow) -> KeyAction {
    let deletes: String = row.get("on_delete");
    KeyAction {
        name: row.get("name"),
        printed: row.get("printed"),
        child: row.get("child"),
        parent: row.get("parent"),
        child_tenant: row.get("child_tenant"),
        parent_tenant: row.get("parent_tenant"),
        on_delete: ["c", "n", "d"].contains(&deletes.as_str()),
        columns: row.get("columns"),
        referenced: row.get("referenced"),
        keeps_tenant: row.get("keeps_tenant"),
    }
}

fn places(row: &PgRow) -> Places {
    let Json(ops_functions) = row.get("ops_functions");
    Places {
        makes_anything: row.get("makes_anything"),
        makes_tables: row.get("makes_tables"),
        makes_in_ops: row.get("makes_in_ops"),
        ops_functions,
    }
}

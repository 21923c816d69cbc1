//! Reads what the catalog says, in a few statements over the whole database.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row, types::Json};
use tenancy_config::{Ident, TableName};
use tenant_rls::{Error, Result};

use super::facts::{
    ActingKey, Cascade, Facts, FunctionFacts, Grant, GrantedOn, Held, LargeObjectFacts, PassingView, Places,
    PolicyFacts, Reference, RelationFacts, SchemaFacts, ServerObject, ServerRightFacts, TriggerFacts,
};
use super::object::LargeObjectsHeld;
use super::options::is_on;

/// The first version in which somebody can be given a right on a setting.
const HAS_PARAMETER_RIGHTS: i32 = 150_000;

impl Facts {
    /// Reads them for a login that can act as `roles`. `tables` are those that policies protect, `tenants` those with a tenant column.
    pub(crate) async fn read(
        connection: &mut PgConnection,
        roles: &[String],
        tables: &[TableName],
        tenants: &[(TableName, Ident)],
        version: i32,
    ) -> Result<Self> {
        let (schemas, names) = TableName::apart(tables);
        let (tenant_schemas, tenant_names) = TableName::apart(tenants.iter().map(|(table, _)| table));
        let columns: Vec<&str> = tenants.iter().map(|(_, column)| column.as_str()).collect();
        let doing = || Error::query("reading what may lead past the policies");

        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/relations.sql")).bind(roles);
        let rows = rows.fetch_all(&mut *connection).await.map_err(doing())?;
        let relations = rows.iter().map(relation).collect::<Result<Vec<_>>>()?;

        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/rights.sql")).bind(roles);
        let mut rights: BTreeMap<i64, Vec<Held>> = BTreeMap::new();
        for row in rows.fetch_all(&mut *connection).await.map_err(doing())? {
            rights.entry(row.get("id")).or_default().push(held(&row));
        }

        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/grants.sql"));
        let mut grants: BTreeMap<GrantedOn, Vec<Grant>> = BTreeMap::new();
        for row in rows.fetch_all(&mut *connection).await.map_err(doing())? {
            grants
                .entry(granted_on(&row))
                .or_default()
                .push(Grant { to: row.get("grantee"), right: row.get("privilege") });
        }
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/updatable_views.sql")).bind(roles);
        let passing = rows.fetch_all(&mut *connection).await.map_err(doing())?.iter().map(passing).collect();
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/functions.sql")).bind(roles);
        let functions = rows.fetch_all(&mut *connection).await.map_err(doing())?.iter().map(function).collect();
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/references.sql"));
        let references = rows.fetch_all(&mut *connection).await.map_err(doing())?.iter().map(reference).collect();
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/triggers.sql"));
        let triggers = rows.fetch_all(&mut *connection).await.map_err(doing())?.iter().map(trigger).collect();
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/policies.sql"));
        let rows = rows.bind(schemas.clone()).bind(names).fetch_all(&mut *connection).await.map_err(doing())?;
        let policies = rows.iter().map(policy).collect();
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/keys.sql"));
        let rows = rows.bind(tenant_schemas).bind(tenant_names).bind(columns);
        let keys = rows.fetch_all(&mut *connection).await.map_err(doing())?.iter().map(key).collect();
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/cascades.sql")).bind(roles);
        let rows = rows.fetch_all(&mut *connection).await.map_err(doing())?;
        let cascades = rows.iter().map(cascade).collect();
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/schemas.sql")).bind(schemas);
        let schemas = rows.fetch_all(&mut *connection).await.map_err(doing())?.iter().map(schema).collect();
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/server_rights.sql")).bind(roles);
        let rows = rows.fetch_all(&mut *connection).await.map_err(doing())?;
        let mut server_rights: Vec<ServerRightFacts> = rows.iter().map(server_right).collect();
        if version >= HAS_PARAMETER_RIGHTS {
            let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/parameters.sql")).bind(roles);
            server_rights.extend(rows.fetch_all(&mut *connection).await.map_err(doing())?.iter().map(parameter));
        }
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/servers.sql")).bind(roles);
        server_rights.extend(rows.fetch_all(&mut *connection).await.map_err(doing())?.iter().map(server));
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/large_objects.sql")).bind(roles);
        let rows = rows.bind(roles.first()).fetch_all(&mut *connection).await.map_err(doing())?;
        let large_objects = rows.iter().map(large_object).collect();
        let row = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/places.sql")).bind(roles);
        let row = row.fetch_one(connection).await.map_err(doing())?;
        Ok(Self {
            relations: relations.into_iter().map(|relation| (relation.id, relation)).collect(),
            rights,
            grants,
            passing,
            functions,
            references,
            triggers,
            policies,
            keys,
            cascades,
            places: places(&row),
            schemas,
            server_rights,
            large_objects,
            replaces: BTreeSet::new(),
        })
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

fn granted_on(row: &PgRow) -> GrantedOn {
    let id = row.get("id");
    match row.get::<String, _>("kind").as_str() {
        "function" => GrantedOn::Function(id),
        "schema" => GrantedOn::Schema(id),
        _ => GrantedOn::Relation(id),
    }
}

fn passing(row: &PgRow) -> (i64, PassingView) {
    let Json(columns) = row.get("columns");
    let (base, definition) = (row.get("base"), row.get("definition"));
    (row.get("id"), PassingView { base, definition, deletes_for: row.get("deletes_for"), columns })
}

fn function(row: &PgRow) -> (i64, FunctionFacts) {
    let function = FunctionFacts {
        id: row.get("id"),
        name: row.get("name"),
        signature: row.get("signature"),
        schema: row.get("schema"),
        kind: row.get("kind"),
        fires: row.get("fires"),
        definer: row.get("definer"),
        leakproof: row.get("leakproof"),
        owner: row.get("owner"),
        language: row.get("language"),
        atomic: row.get("atomic"),
        body: row.get("body"),
        settings: row.get("settings"),
        rights: row.get("rights"),
        extension: row.get("extension"),
        caller: row.get("caller"),
        executor: row.get("executor"),
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
        printed: row.get("printed"),
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

fn key(row: &PgRow) -> ActingKey {
    let deletes: String = row.get("on_delete");
    ActingKey {
        name: row.get("name"),
        printed: row.get("printed"),
        child: row.get("child"),
        parent: row.get("parent"),
        child_tenant: row.get("child_tenant"),
        parent_tenant: row.get("parent_tenant"),
        validated: row.get("validated"),
        on_delete: ["c", "n", "d"].contains(&deletes.as_str()),
        columns: row.get("columns"),
        referenced: row.get("referenced"),
        keeps_tenant: row.get("keeps_tenant"),
        kept_by: row.get("kept_by"),
    }
}

fn cascade(row: &PgRow) -> Cascade {
    Cascade {
        child: row.get("child"),
        parent: row.get("parent"),
        on_delete: row.get("on_delete"),
        on_update: row.get("on_update"),
        deletes: row.get("deletes"),
        columns: row.get("columns"),
        referenced: row.get("referenced"),
        of_partition: row.get("of_partition"),
        definition: row.get("definition"),
        others: row.get("others"),
        updaters: row.get("updaters"),
    }
}

fn schema(row: &PgRow) -> SchemaFacts {
    SchemaFacts { name: row.get("name"), printed: row.get("printed"), owner: row.get("owner") }
}

fn server_right(row: &PgRow) -> ServerRightFacts {
    let on = match row.get::<String, _>("privilege").as_str() {
        "EXECUTE" => ServerObject::Function,
        _ => ServerObject::Relation { column: row.get("column") },
    };
    ServerRightFacts {
        name: row.get("name"),
        printed: row.get("printed"),
        on,
        role: row.get("role"),
        grantee: row.get("grantee"),
        extension: row.get("extension"),
    }
}

fn parameter(row: &PgRow) -> ServerRightFacts {
    let name: String = row.get("name");
    ServerRightFacts {
        printed: name.clone(),
        name,
        on: ServerObject::Parameter { sets: row.get("sets") },
        role: row.get("role"),
        grantee: row.get("grantee"),
        extension: None,
    }
}

fn server(row: &PgRow) -> ServerRightFacts {
    ServerRightFacts {
        name: row.get("name"),
        printed: row.get("printed"),
        on: ServerObject::ForeignServer { wrapper: row.get("wrapper") },
        role: row.get("role"),
        grantee: row.get("grantee"),
        extension: None,
    }
}

fn large_object(row: &PgRow) -> LargeObjectFacts {
    let grantee = row.get("grantee");
    let held = match row.get::<String, _>("by").as_str() {
        "owner" => LargeObjectsHeld::Owner { owner: grantee },
        "setting" => LargeObjectsHeld::Setting,
        _ => LargeObjectsHeld::Right { grantee },
    };
    LargeObjectFacts { held, role: row.get("role"), objects: row.get("objects"), example: row.get("example") }
}

fn places(row: &PgRow) -> Places {
    let Json(ops_functions) = row.get("ops_functions");
    Places {
        makes_anything: row.get("makes_anything"),
        makes_tables: row.get("makes_tables"),
        makes_in: row.get("makes_in"),
        makes_in_ops: row.get("makes_in_ops"),
        ops: row.get::<Option<Json<_>>, _>("ops").map(|Json(ops)| ops),
        ops_functions,
    }
}

//! The statements that make the role of a declared login, and let it use schemas and sequences.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use tenancy_config::{Ident, TableName};
use tenant_inventory::{Aspect, AspectKind, DeclaredLogin, LoginPart, create_login};
use tenant_rls::{Error as RlsError, Sql, Template};

use crate::error::Result;

/// What the role may use beside its tables and may not use yet, each with the statement.
pub(crate) fn usages(login: &DeclaredLogin) -> Result<Vec<(Aspect, Sql)>> {
    let needs: BTreeSet<&LoginPart> = login.tables.iter().flat_map(|table| &table.needs).collect();
    let mut usages = Vec::new();
    for aspect in needs.into_iter().filter_map(|part| DeclaredLogin::usage_aspect(&login.role, part)) {
        usages.extend(usage(&aspect, "GRANT USAGE ON :kind :\"object\" TO :\"role\"")?.map(|sql| (aspect, sql)));
    }
    Ok(usages)
}

/// The statement that takes such a right back.
pub(crate) fn revoke(aspect: &Aspect) -> Result<Option<Sql>> {
    usage(aspect, "REVOKE USAGE ON :kind :\"object\" FROM :\"role\"")
}

fn usage(aspect: &Aspect, text: &'static str) -> Result<Option<Sql>> {
    let role = match aspect.kind {
        AspectKind::SchemaUsage | AspectKind::SequenceUsage => Ident::new(&aspect.role)?,
        _ => return Ok(None),
    };
    let template = Template::new(text).ident("role", &role);
    let template = if aspect.kind == AspectKind::SchemaUsage {
        template.fragment("kind", Sql::from_static("SCHEMA")).ident("object", &Ident::new(&aspect.name)?)
    } else {
        let sequence = TableName::parse(&aspect.name, "public")?;
        template.fragment("kind", Sql::from_static("SEQUENCE")).table("object", &sequence)
    };
    Ok(Some(template.build()))
}

/// The statement that makes the role with a password. The server gets a verifier of it.
pub(crate) fn create_with(role: &Ident, verifier: &str) -> Sql {
    let create = Template::new(":create PASSWORD :'verifier'").fragment("create", create_login(role));
    create.literal("verifier", verifier).build()
}

/// The statement that drops the role.
pub(crate) fn drop_role(role: &Ident) -> Sql {
    Template::new("DROP ROLE :\"role\"").ident("role", role).build()
}

/// The number of a role as the journal has it: another role of the same name is told by it.
pub(crate) async fn role_id(connection: &mut PgConnection, role: &Ident) -> Result<Option<String>> {
    let id: Option<String> =
        sqlx::query_scalar("SELECT oid::text FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1")
            .bind(role.as_str())
            .fetch_optional(connection)
            .await
            .map_err(RlsError::query("looking for a declared login"))?;
    Ok(id)
}

//! The statements that make an auditor, for managed servers: there the owner is filtered under FORCE and may not create a
//! role with BYPASSRLS.

use std::collections::{BTreeMap, BTreeSet};

use tenant_rls::{Access, ActingRole, AuditTx, Catalog, Database, Ident, Result, Sql, TableName, Template, Tenancy};

use crate::plan::Plan;

/// From here on membership can leave out inheritance.
const INHERIT_OPTION: i32 = 160_000;

/// The statements, each with its reason, after which this login can audit every tenant table as the role that
/// `roles.auditor` names. They need CREATEROLE and the ownership of the tables, not a superuser; nothing is run here.
///
/// # Errors
/// [`tenant_rls::Error::Query`], as [`Catalog::load`].
pub async fn auditor_statements(database: &Database, tenancy: &Tenancy) -> Result<Sql> {
    let catalog = Catalog::load(database, tenancy).await?;
    let role = Ident::new(&tenancy.roles.auditor)?;
    let mut columns: BTreeMap<TableName, BTreeSet<Ident>> = BTreeMap::new();
    for need in access(&catalog, tenancy)? {
        columns.entry(need.table).or_default().extend(need.read);
    }
    let mut statements = Vec::new();
    if !exists(database, &role).await? {
        let create = Template::new(include_str!("../../../sql/audit/auditor_role.sql"));
        statements.push(create.ident("role", &role).build());
    }
    let separate = database.session().server_version_num >= INHERIT_OPTION;
    statements.push(
        Template::new(include_str!("../../../sql/audit/auditor_member.sql"))
            .ident("role", &role)
            .ident("login", &Ident::new(&database.session().role)?)
            .fragment("options", Sql::from_static(if separate { "WITH INHERIT FALSE, SET TRUE" } else { "" }))
            .build(),
    );
    statements.extend(columns.iter().map(|(table, columns)| grant(table, columns, &role)));
    statements.extend(catalog.tables.iter().map(|table| policy(&table.name, &role)));
    Ok(Sql::join(statements, "\n"))
}

/// What an audit of every tenant table reads; a table may stand there several times.
///
/// # Errors
/// [`tenant_rls::Error::Identifier`] for a name in `tenancy.toml` that no column can have.
pub fn access(catalog: &Catalog, tenancy: &Tenancy) -> Result<Vec<Access>> {
    let tenant_key = Ident::new(&tenancy.tenant.key)?;
    let mut access = Vec::new();
    for table in &catalog.tables {
        access.extend(Plan::new(catalog, &tenant_key, table)?.access);
    }
    Ok(access)
}

fn grant(table: &TableName, columns: &BTreeSet<Ident>, role: &Ident) -> Sql {
    let columns = columns.iter().map(|column| Template::new(":\"column\"").ident("column", column).build());
    Template::new(include_str!("../../../sql/audit/auditor_grant.sql"))
        .ident("schema", table.schema())
        .table("table", table)
        .fragment("columns", Sql::join(columns, ", "))
        .ident("role", role)
        .build()
}

fn policy(table: &TableName, role: &Ident) -> Sql {
    Template::new(include_str!("../../../sql/audit/auditor_policy.sql"))
        .table("table", table)
        .ident("role", role)
        .literal("role_name", role.as_str())
        .build()
}

async fn exists(database: &Database, role: &Ident) -> Result<bool> {
    let login = ActingRole::Login(database.session().role.clone());
    let mut look = AuditTx::begin(database, &[], &[login], None).await?;
    let exists = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(role.as_str())
        .fetch_one(look.connection())
        .await
        .map_err(tenant_rls::Error::query("looking for the auditor"))?;
    look.close().await?;
    Ok(exists)
}

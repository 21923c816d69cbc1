//! Views and functions that read tenants' rows as somebody else: whether the application's login can use them.

pub(crate) mod logins;

use std::time::Duration;

use sqlx::Row;
use tenancy_config::{Ident, TableName};
use tenant_inventory::{Inventory, LoginReach, Way};
use tenant_rls::{Database, Error as RlsError, OwnerTx, ProbeTx, Template};

use crate::error::Result;

/// How long the catalog is waited for, where the handle does not allow less.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// Whether the login can use a way past the policies.
pub(crate) enum WayResult {
    /// The login reaches tenants' rows through it.
    Open {
        /// What it is, by kind and name.
        object: String,
        /// How it leads there.
        way: String,
    },
    /// It does not.
    Closed {
        /// What it is, by kind and name.
        object: String,
        /// Why not.
        way: String,
    },
}

/// What is known of a view.
struct View {
    name: TableName,
    tenant_column: Option<String>,
    reader: Option<String>,
}

/// Finds out whether the login may use the way, and as whom that reads; a view with a tenant column is read.
pub(crate) async fn inspect(
    owner: &Database,
    app: &Database,
    inventory: &Inventory,
    reach: &LoginReach,
    way: &Way,
) -> Result<WayResult> {
    let said = format!("the {} {} reads {} as {}", way.kind, way.name, way.tables, way.owner);
    let object = || format!("the {} {}", way.kind, way.name);
    let open = |how: &str| WayResult::Open { object: object(), way: format!("{said}, past the policies: {how}") };
    let closed = |why: &str| WayResult::Closed { object: object(), way: format!("{said}: {why}") };
    let login = &app.session().role;
    let materialized = way.kind == "materialized view";
    if !materialized && !unfiltered(owner, inventory, &way.owner).await? {
        return Ok(closed(&format!("policies filter {}", way.owner)));
    }
    if way.kind == "SECURITY DEFINER function" {
        return Ok(match function(owner, way, reach).await? {
            (true, _) => closed("nobody can call a trigger's function"),
            (false, None) => closed(&format!("{login} may not call it")),
            (false, Some(role)) => open(&format!("{role} may call it")),
        });
    }
    let Some(view) = view(owner, inventory, way, reach).await? else { return Ok(closed("it is gone")) };
    let Some(reader) = &view.reader else { return Ok(closed(&format!("{login} may not read it"))) };
    let Some(column) = view.tenant_column.as_ref().filter(|_| reader == login) else {
        return Ok(open(&format!("{reader} may read it")));
    };
    Ok(match shows_tenants(app, inventory, &view.name, &Ident::new(column)?).await? {
        Ok(true) => open(&format!("{login} sees tenants' rows in it without a tenant")),
        Ok(false) => closed(&format!("{login} sees no tenant's rows in it without a tenant")),
        Err(error) => open(&format!("{login} may read it, and reading it failed: {error}")),
    })
}

/// Whether the policies of some tenant table do not hold for a role.
async fn unfiltered(database: &Database, inventory: &Inventory, role: &str) -> Result<bool> {
    let mut tx = OwnerTx::begin(database, LOCK_TIMEOUT).await?;
    let unfiltered = sqlx::query_scalar(include_str!("../../../../sql/rls-verify/probe_unfiltered.sql"))
        .bind(role)
        .bind(inventory.schemas())
        .bind(inventory.names())
        .fetch_optional(tx.connection())
        .await
        .map_err(RlsError::query(format!("asking whether policies filter {role}")))?;
    tx.rollback().await?;
    Ok(unfiltered.unwrap_or(true))
}

/// Whether only triggers call a function, and which of the login's roles may call it.
async fn function(database: &Database, way: &Way, reach: &LoginReach) -> Result<(bool, Option<String>)> {
    let mut tx = OwnerTx::begin(database, LOCK_TIMEOUT).await?;
    let row = sqlx::query(include_str!("../../../../sql/rls-verify/probe_function.sql"))
        .bind(&way.name)
        .bind(&reach.roles)
        .fetch_one(tx.connection())
        .await
        .map_err(RlsError::query(format!("asking who may call {}", way.name)))?;
    tx.rollback().await?;
    Ok((row.get("only_triggers"), row.get("caller")))
}

async fn view(database: &Database, inventory: &Inventory, way: &Way, reach: &LoginReach) -> Result<Option<View>> {
    let mut tx = OwnerTx::begin(database, LOCK_TIMEOUT).await?;
    let found = sqlx::query(include_str!("../../../../sql/rls-verify/probe_view.sql"))
        .bind(&way.name)
        .bind(&inventory.tenancy.columns)
        .bind(&reach.roles)
        .fetch_optional(tx.connection())
        .await
        .map_err(RlsError::query(format!("asking who may read {}", way.name)))?;
    tx.rollback().await?;
    let Some(row) = found else { return Ok(None) };
    let name = TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?);
    Ok(Some(View { name, tenant_column: row.get("tenant_column"), reader: row.get("reader") }))
}

/// Whether rows of tenants are seen in a view where no tenant is set.
async fn shows_tenants(
    app: &Database,
    inventory: &Inventory,
    view: &TableName,
    column: &Ident,
) -> Result<sqlx::Result<bool>> {
    let mut tx = ProbeTx::begin(app, &inventory.tenancy, false).await?;
    let see = Template::new(r#"SELECT EXISTS (SELECT FROM :"view" AS v WHERE v.:"column" IS NOT NULL)"#)
        .table("view", view)
        .ident("column", column)
        .build();
    let seen = sqlx::query_scalar(&see).fetch_one(tx.connection()).await;
    tx.rollback_to().await?;
    tx.rollback().await?;
    Ok(seen)
}

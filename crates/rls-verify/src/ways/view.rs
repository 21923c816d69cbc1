//! Reads a view as the application's login: whether it keeps tenants apart itself.

use sqlx::Row;
use tenancy_config::{Ident, TableName};
use tenant_inventory::Inventory;
use tenant_inventory::claim::untried::Untried;
use tenant_rls::{Database, ProbeTx, SessionSetting, Template};

use crate::error::Result;
use crate::ways::untried;

/// What reading a view showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// No row of another tenant, under any value of the session variable.
    Apart,
    /// Rows of other tenants, under this value; none where none was set.
    Others {
        /// The value.
        value: Option<String>,
    },
    /// It could not be tried.
    Untried(Untried),
}

/// Values of the session variable that name no tenant, and under which a careless condition shows rows: a pattern, a mark for everybody.
const NO_TENANTS: [&str; 4] = ["", "no such tenant", "%", "*"];

/// The id of a tenant that does not exist, where ids are uuid and where they are numbers.
const TYPED_NO_TENANTS: [&str; 2] = ["00000000-0000-4000-8000-0123456789ab", "-2147483000"];

/// Reads the view before any tenant is set, under values that name none, and as each of a few tenants.
pub(crate) async fn read(
    app: &Database,
    inventory: &Inventory,
    view: &TableName,
    column: &str,
    tenants: &[String],
) -> Result<Reading> {
    let mut tx = ProbeTx::begin(app, &inventory.tenancy, false).await?;
    let see = Template::new(include_str!("../../../../sql/rls-verify/probe_view.sql"))
        .table("view", view)
        .ident("column", &Ident::new(column)?)
        .build();
    // Before any tenant is set comes first: a variable that was set stays known.
    let no_tenants = NO_TENANTS.iter().chain(&TYPED_NO_TENANTS).map(|value| Some((*value).to_owned()));
    let first_letters = tenants.iter().filter_map(|tenant| tenant.chars().next()).map(|first| Some(first.to_string()));
    let values = [None].into_iter().chain(no_tenants).chain(first_letters).chain(tenants.iter().cloned().map(Some));
    let (mut as_tenant, mut failed) = (false, None);
    for value in values {
        if let Some(value) = &value {
            tx.set(value).await?;
        }
        let seen = sqlx::query(&see).bind(value.as_deref().unwrap_or_default()).fetch_one(tx.connection()).await;
        tx.rollback_to().await?;
        match seen.map(|row| row.get::<bool, _>("shown")) {
            Ok(true) => {
                tx.rollback().await?;
                return Ok(Reading::Others { value });
            }
            Ok(false) => as_tenant |= value.as_ref().is_some_and(|value| tenants.contains(value)),
            // A value that no tenant column can hold fails, and shows nothing.
            Err(error) => {
                let counts = value.as_ref().is_none_or(|value| tenants.contains(value));
                failed = failed.or(counts.then(|| untried::of_server(&error)));
            }
        }
    }
    let documents = tenants.first().map(|tenant| SessionSetting::of(&inventory.tenancy).documents_of_nobody(tenant));
    for document in documents.into_iter().flatten() {
        tx.set_value(&document).await?;
        let seen = sqlx::query(&see).bind("").fetch_one(tx.connection()).await.map(|row| row.get::<bool, _>("shown"));
        tx.rollback_to().await?;
        // One that the view's own condition cannot read fails, and shows nothing.
        if let Ok(true) = seen {
            tx.rollback().await?;
            return Ok(Reading::Others { value: Some(document) });
        }
    }
    tx.rollback().await?;
    Ok(match failed {
        Some(why) => Reading::Untried(why),
        None if as_tenant => Reading::Apart,
        None => Reading::Untried(Untried::NoRows),
    })
}

/// A few tenants to read as; none where this login cannot see the tenant table.
pub(crate) async fn some_tenants(owner: &Database, inventory: &Inventory) -> Result<Vec<String>> {
    let list = Template::new(include_str!("../../../../sql/rls-verify/some_tenants.sql"))
        .ident("key", &Ident::new(&inventory.tenancy.tenant.key)?)
        .table("tenants", &inventory.catalog.tenants)
        .build();
    let mut tx = ProbeTx::begin(owner, &inventory.tenancy, false).await?;
    let found = sqlx::query(&list).fetch_all(tx.connection()).await;
    tx.rollback_to().await?;
    tx.rollback().await?;
    Ok(found.unwrap_or_default().iter().map(|row| row.get("tenant")).collect())
}

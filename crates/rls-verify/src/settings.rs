//! What the settings of the application's login do to policies.

use tenancy_config::Tenancy;
use tenant_inventory::claim::breach::Breach;
use tenant_rls::{Database, ProbeTx};

use crate::error::Result;

/// What the login's own settings do to policies: a tenant before the application sets one, and `row_security`.
pub(crate) async fn inspect(app: &Database, tenancy: &Tenancy) -> Result<Vec<Breach>> {
    let login = app.session().role.clone();
    let mut tx = ProbeTx::begin(app, tenancy, false).await?;
    let mut found = Vec::new();
    if let Some(value) = tx.preset_tenant() {
        let variable = tenancy.tenant_setting().to_string();
        found.push(Breach::Preset { variable, value, login: login.clone() });
    }
    let row_security: String = sqlx::query_scalar("SELECT pg_catalog.current_setting('row_security')")
        .fetch_one(tx.connection())
        .await
        .map_err(tenant_rls::Error::query("reading the settings of the application's login"))?;
    if row_security != "on" {
        found.push(Breach::RowSecuritySetting { login });
    }
    tx.rollback().await?;
    Ok(found)
}

//! The candidates: ways to give tenants their settings.

use std::ops::RangeInclusive;
use std::time::Instant;

use seed_tenant_defaults::{Defaults, SeedOptions, seed_tenant_defaults};
use serde_json::{Value, json};
use sqlx::types::Json;
use sqlx::{Connection as _, PgConnection};
use tenancy_config::{DatabaseUrl, Tenancy};
use tenant_rls::{ConnectOptions, Database, DirectConnection};
use tokio::sync::watch;

use crate::error::{Result, query};
use crate::measured::Measured;

/// The job. The time includes reading the catalog and the file, and looking the tenants up twice.
pub(crate) async fn job(login: &DatabaseUrl, options: &SeedOptions) -> Result<Measured> {
    let connections = u32::try_from(options.connections + 2).expect("a few connections");
    let connect = ConnectOptions { max_connections: connections, ..ConnectOptions::default() };
    let database = Database::connect(login, &connect).await?;
    let (_go, stop) = watch::channel(false);
    let started = Instant::now();
    let report =
        seed_tenant_defaults(&database, &Tenancy::default(), &Defaults::default(), options, stop, &mut |_| ()).await?;
    let time = started.elapsed();
    database.close().await;
    Ok(Measured { done: report.created, time })
}

/// A transaction of five statements for each tenant, one after the other, as scripts do it; it knows the ids already.
pub(crate) async fn round_trips(login: &DatabaseUrl, tenants: RangeInclusive<u32>) -> Result<Measured> {
    let mut session = DirectConnection::as_application(login, "bench").await?;
    let (started, mut done) = (Instant::now(), 0);
    for n in tenants {
        let (tenant, name) = (format!("tenant_{n}"), format!("Tenant {n}, Inc."));
        insert(session.connection(), &tenant, &name).await.map_err(query("inserting one tenant's settings"))?;
        done += 1;
    }
    let time = started.elapsed();
    session.close().await;
    Ok(Measured { done, time })
}

async fn insert(session: &mut PgConnection, tenant: &str, name: &str) -> sqlx::Result<()> {
    let mut transaction = session.begin().await?;
    sqlx::query("SELECT set_config('app.current_tenant_id', $1, true)").bind(tenant).execute(&mut *transaction).await?;
    sqlx::query(include_str!("../../../../sql/bench/insert_organization.sql"))
        .bind(tenant)
        .bind(name)
        .execute(&mut *transaction)
        .await?;
    let mut security = sqlx::query(include_str!("../../../../sql/bench/insert_security.sql")).bind(tenant);
    for value in security_settings() {
        security = security.bind(Json(value));
    }
    security.execute(&mut *transaction).await?;
    transaction.commit().await
}

/// The values of `tenant-defaults.toml`, as a script would have them in its code; the benchmark compares the results.
fn security_settings() -> [Value; 6] {
    [
        json!({ "minLength": 12, "requireUppercase": true, "requireLowercase": true, "requireNumber": true,
                "requireSymbol": false, "rotationDays": 0 }),
        json!({ "idleTimeoutMinutes": 30, "maxSessionDays": 30 }),
        json!({ "enabled": false }),
        json!({}),
        json!({ "retentionYears": 7 }),
        json!({ "policies": [] }),
    ]
}

//! The whole story, once on each version of PostgreSQL.

use local_db::{Role, testing};
use rls_rollout::{Patience, Phase, RollbackOptions, rollback, rollout};
use sqlx::Row;
use tenant_rls::{ConnectOptions, Database, DirectConnection, Tenancy};
use tokio::sync::watch;

use crate::support::{all_at, auto, script};

const PARTITIONED: &str = r#"CREATE TABLE visits (id int, "tenantId" text, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    INSERT INTO visits VALUES (1, 't_a', '2025-05-05')"#;

async fn catalog(superuser: &mut DirectConnection) -> Vec<String> {
    let rows = sqlx::query(include_str!("catalog.sql")).fetch_all(superuser.connection()).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// From none to the last phase and back, on a server of its own.
#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
async fn story(version: u32) {
    if let Some(why) = testing::version_is_missing(version).await {
        eprintln!("SKIPPED: the story on PostgreSQL {version}: {why}");
        return;
    }
    let server = testing::throwaway_server(Some(version)).await;
    assert_eq!(server.major(), version);
    let mut superuser = server.connect(Role::Superuser).await;
    script(&mut superuser, include_str!("clean_rows.sql")).await;
    script(&mut server.connect(Role::Owner).await, PARTITIONED).await;
    let untouched = catalog(&mut superuser).await;
    let database = Database::connect(&server.url(Role::Owner), &ConnectOptions::default()).await.unwrap();
    let tenancy = Tenancy::default();
    let (_go, stop) = watch::channel(false);
    let report = rollout(&database, &tenancy, &auto(), "a test", stop.clone(), &mut |_| ()).await.unwrap();
    assert!(all_at(&report, Phase::Enforce), "PostgreSQL {version}: {report:#?}");
    let again = rollout(&database, &tenancy, &auto(), "a test", stop.clone(), &mut |_| ()).await.unwrap();
    assert!(again.tables.iter().all(|table| table.steps == 0), "PostgreSQL {version}: {again:#?}");
    let mut app = server.connect(Role::AppUser).await;
    script(&mut app, "SELECT set_config('app.current_tenant_id', 't_a', false)").await;
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM bookings").fetch_one(app.connection()).await.unwrap();
    assert_eq!(seen, 1, "PostgreSQL {version}: its own booking, of two");
    let all = RollbackOptions { to: Phase::None, rollout: None, tables: Vec::new(), patience: Patience::default() };
    rollback(&database, &tenancy, &all, "a test", stop, &mut |_| ()).await.unwrap();
    assert_eq!(catalog(&mut superuser).await, untouched, "PostgreSQL {version}");
}

#[tokio::test]
async fn from_none_to_the_last_phase_and_back_on_14() {
    story(14).await;
}

#[tokio::test]
async fn from_none_to_the_last_phase_and_back_on_16() {
    story(16).await;
}

#[tokio::test]
async fn from_none_to_the_last_phase_and_back_on_17() {
    story(17).await;
}

#[tokio::test]
async fn from_none_to_the_last_phase_and_back_on_18() {
    story(18).await;
}

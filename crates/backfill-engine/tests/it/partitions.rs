//! Partitioned tables, leaf by leaf, and keys of several columns.

use backfill_engine::{BackfillOptions, Error, OnConflict, RunOutcome, why};
use local_db::Role;
use tenancy_config::{TableName, Tenancy};
use test_support::TestDb;

use crate::row_security::{STRICT, protect_tables};
use crate::support::{backfill_table, connect, fast, number, script};
use crate::undo::undo_with;

/// Visits by month, of two levels, and rows of each kind in both leaves.
const VISITS: &str = r#"
    CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text);
    INSERT INTO "Tenant" VALUES ('t1', 'one', ''), ('t2', 'two', '');
    CREATE TABLE clients (id text PRIMARY KEY, "tenantId" text);
    INSERT INTO clients VALUES ('c1', 't1'), ('c2', 't2'), ('c0', NULL);
    CREATE TABLE visits (id text, day date, "clientId" text, "hostId" text, "tenantId" text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE "visits '; DROP" PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE visits_rest PARTITION OF visits DEFAULT PARTITION BY LIST (id);
    CREATE TABLE visits_rest_all PARTITION OF visits_rest DEFAULT;
    INSERT INTO visits SELECT 'v "' || n, date '2026-01-01' + (n % 60), 'c' || n % 3, 'c' || (n / 3) % 3 FROM generate_series(1, 900) AS n"#;

fn tenancy() -> Tenancy {
    Tenancy::from_toml(
        r#"
        [tables.visits]
        sources = [
            { name = "client", column = "clientId", table = "clients" },
            { name = "host", column = "hostId", table = "clients" },
        ]
        "#,
        "tenancy.toml".as_ref(),
    )
    .unwrap()
}

async fn visits() -> TestDb {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, VISITS).await;
    db
}

/// What the sources say, the slow way, beside what the rows have.
const WRONG: &str = r#"
    SELECT count(*) FROM visits AS v
    JOIN clients AS c ON c.id = v."clientId" JOIN clients AS h ON h.id = v."hostId"
    WHERE v."tenantId" IS DISTINCT FROM CASE WHEN coalesce(c."tenantId", h."tenantId") = coalesce(h."tenantId", c."tenantId")
                                        THEN coalesce(c."tenantId", h."tenantId") END"#;

const LEFT: &str = r#"SELECT count(*) FROM visits WHERE "tenantId" IS NULL"#;

#[tokio::test]
async fn every_leaf_gets_its_tenants_and_a_row_is_named_by_all_of_its_key() {
    let db = visits().await;
    let report = backfill_table(&db, Role::Owner, "visits", &tenancy(), &fast(), &mut |_| {}).await.unwrap();
    let mut owner = db.owner().await;
    assert_eq!(number(&mut owner, WRONG).await, 0);
    assert_eq!(report.outcome, RunOutcome::Done);
    assert_eq!((report.assigned, report.conflicts, report.unresolved), (600, 200, 100));
    assert_eq!(number(&mut owner, LEFT).await, 300);
    let leaves = "SELECT count(DISTINCT tableoid) FROM visits WHERE \"tenantId\" IS NOT NULL";
    assert_eq!(number(&mut owner, leaves).await, 2);
    let key: String = sqlx::query_scalar(r#"SELECT jsonb_build_array(id, day)::text FROM visits WHERE id = 'v "1'"#)
        .fetch_one(owner.connection())
        .await
        .unwrap();
    assert_eq!(key, r#"["v \"1", "2026-01-02"]"#);
    let database = connect(&db, Role::Owner).await;
    let found =
        why(&database, &Tenancy::default(), &TableName::parse("visits", "public").unwrap(), &key).await.unwrap();
    assert_eq!(found.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>(), ["t1"]);
}

/// The least that the maintenance role needs of these tables.
const GRANTS: &str = r#"
    GRANT SELECT (id) ON "Tenant" TO tenant_maintenance;
    GRANT SELECT (id, "tenantId") ON clients TO tenant_maintenance;
    GRANT SELECT (ctid, id, day, "clientId", "hostId", "tenantId"), UPDATE ("tenantId")
        ON visits, "visits '; DROP", visits_rest, visits_rest_all TO tenant_maintenance"#;

#[tokio::test]
async fn under_strict_force_the_maintenance_role_does_every_leaf_and_a_leaf_that_hides_rows_stops_it() {
    let db = visits().await;
    script(&mut db.owner().await, GRANTS).await;
    let tables = ["clients", "visits", "visits_rest", "visits_rest_all"];
    protect_tables(&db, &tables, STRICT, true).await;
    // Its policy, but none for the maintenance role: this leaf alone hides its rows.
    let hiding = "visits '; DROP";
    protect_tables(&db, &[hiding], STRICT, false).await;
    let error = backfill_table(&db, Role::Owner, "visits", &tenancy(), &fast(), &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::Database(tenant_rls::Error::CannotSee(_))), "{error}");
    assert_eq!(number(&mut db.superuser().await, LEFT).await, 900, "nothing was written");
    script(&mut db.owner().await, r#"DROP POLICY rls_tenant_isolation ON "visits '; DROP""#).await;
    protect_tables(&db, &[hiding], STRICT, true).await;
    let report = backfill_table(&db, Role::Owner, "visits", &tenancy(), &fast(), &mut |_| {}).await.unwrap();
    assert_eq!(report.role, "tenant_maintenance");
    assert_eq!((report.assigned, report.conflicts, report.unresolved), (600, 200, 100));
    assert_eq!(number(&mut db.superuser().await, WRONG).await, 0);
}

#[tokio::test]
async fn a_run_over_leaves_is_taken_back() {
    let db = visits().await;
    let run = backfill_table(&db, Role::Owner, "visits", &tenancy(), &fast(), &mut |_| {}).await.unwrap().run.unwrap();
    for dry_run in [true, false] {
        let undone = undo_with(&db, &tenancy(), run, dry_run).await.unwrap();
        assert_eq!((undone.undone, undone.kept), (600, 0));
    }
    assert_eq!(number(&mut db.owner().await, LEFT).await, 900);
}

#[tokio::test]
async fn a_dry_run_and_a_limit_go_through_the_leaves_too() {
    let db = visits().await;
    let dry = BackfillOptions { dry_run: true, on_conflict: OnConflict::First, ..fast() };
    let report = backfill_table(&db, Role::Owner, "visits", &tenancy(), &dry, &mut |_| {}).await.unwrap();
    assert_eq!((report.assigned, report.remaining), (800, 100));
    assert_eq!(number(&mut db.owner().await, LEFT).await, 900);
    let some = BackfillOptions { limit: Some(450), ..fast() };
    let report = backfill_table(&db, Role::Owner, "visits", &tenancy(), &some, &mut |_| {}).await.unwrap();
    assert_eq!((report.outcome, report.assigned), (RunOutcome::LimitReached, 450));
    let report = backfill_table(&db, Role::Owner, "visits", &tenancy(), &fast(), &mut |_| {}).await.unwrap();
    assert_eq!((report.resumed, report.assigned), (true, 600));
}

#[tokio::test]
async fn a_table_that_is_partitioned_by_its_tenant_is_refused() {
    let db = test_support::empty_database().await;
    let by_tenant = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text);
        CREATE TABLE clients (id text PRIMARY KEY, "tenantId" text);
        CREATE TABLE visits (id text, day date, "clientId" text, "hostId" text, "tenantId" text) PARTITION BY LIST ("tenantId");
        CREATE TABLE visits_all PARTITION OF visits DEFAULT"#;
    script(&mut db.owner().await, by_tenant).await;
    let error = backfill_table(&db, Role::Owner, "visits", &tenancy(), &fast(), &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::Unsuitable { .. }), "{error}");
    assert!(error.to_string().contains("it is partitioned by tenantId"), "{error}");
}

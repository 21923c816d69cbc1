//! Behind a real PgBouncer in transaction mode, where one session of the server serves many of ours, one transaction
//! each.

use local_db::Role;
use tenancy_config::{DatabaseUrl, Tenancy};
use tenant_rls::{AuditTx, ConnectOptions, Database, Pooler, TenantId, TenantTx, visibility};
use test_support::{TestDb, TestPooler};

use crate::support::{access, left_behind, notes, tenant};

const COUNT: &str = "SELECT count(*) FROM note WHERE id > $1";

async fn open(url: &DatabaseUrl, connections: u32) -> Database {
    let options = ConnectOptions { max_connections: connections, ..ConnectOptions::default() };
    Database::connect(url, &options).await.unwrap()
}

/// The id of a tenant. It is looked up past the pooler, because an audit needs two sessions.
async fn id(db: &TestDb, name: &str) -> TenantId {
    tenant(&open(&db.url(Role::AppUser), 2).await, name).await
}

async fn count(tx: &mut TenantTx) -> i64 {
    sqlx::query_scalar(COUNT).bind(0).fetch_one(tx.connection()).await.unwrap()
}

/// The two ways to write the URL.
fn urls(pooler: &TestPooler, role: Role) -> [DatabaseUrl; 2] {
    [pooler.url(role), pooler.silent_url(role)]
}

async fn pooled_notes(sessions: u32) -> Option<(TestDb, TestPooler)> {
    let db = notes().await;
    let pooler = TestPooler::before(&db, sessions).await?;
    Some((db, pooler))
}

#[tokio::test]
async fn a_pooler_is_noticed_whether_the_url_tells_of_it_or_not() {
    let Some((db, pooler)) = pooled_notes(1).await else { return };
    for url in urls(&pooler, Role::AppUser) {
        let database = open(&url, 1).await;
        assert!(matches!(database.session().pooler, Pooler::Suspected(_)), "{:?}", database.session());
    }
    assert_eq!(open(&db.url(Role::AppUser), 1).await.session().pooler, Pooler::None);
}

#[tokio::test]
async fn a_scope_does_not_reach_the_next_client_of_the_same_session() {
    let Some((db, pooler)) = pooled_notes(1).await else { return };
    for url in urls(&pooler, Role::AppUser) {
        let (first, second) = (open(&url, 1).await, open(&url, 1).await);
        let (acme, globex) = (id(&db, "acme").await, id(&db, "globex").await);
        for _ in 0..3 {
            for (database, tenant) in [(&first, &acme), (&second, &globex)] {
                let mut tx = TenantTx::begin(database, &Tenancy::default(), tenant).await.unwrap();
                let own: Vec<String> = sqlx::query_scalar(r#"SELECT DISTINCT "tenantId" FROM note"#)
                    .fetch_all(tx.connection())
                    .await
                    .unwrap();
                assert_eq!(own, [tenant.as_str()]);
                tx.commit().await.unwrap();
                assert_eq!(left_behind(&first).await, "");
                assert_eq!(left_behind(&second).await, "");
            }
        }
    }
}

#[tokio::test]
async fn statements_of_one_client_are_never_run_for_another() {
    let Some((db, pooler)) = pooled_notes(1).await else { return };
    for url in urls(&pooler, Role::AppUser) {
        let (first, second) = (open(&url, 1).await, open(&url, 1).await);
        let acme = id(&db, "acme").await;
        // The same number of statements in another order, so that their names do not tell them apart.
        for _ in 0..3 {
            let mut tx = TenantTx::begin(&first, &Tenancy::default(), &acme).await.unwrap();
            assert_eq!(count(&mut tx).await, 2);
            let one: i32 = sqlx::query_scalar("SELECT $1 + 1").bind(0).fetch_one(tx.connection()).await.unwrap();
            assert_eq!(one, 1);
            tx.commit().await.unwrap();
            let mut tx = TenantTx::begin(&second, &Tenancy::default(), &acme).await.unwrap();
            let one: i32 = sqlx::query_scalar("SELECT $1 + 1").bind(0).fetch_one(tx.connection()).await.unwrap();
            assert_eq!(one, 1);
            assert_eq!(count(&mut tx).await, 2);
            tx.rollback().await.unwrap();
        }
    }
}

#[tokio::test]
async fn nothing_is_left_in_a_session_and_what_others_left_there_stays() {
    let Some((db, pooler)) = pooled_notes(1).await else { return };
    let database = open(&pooler.url(Role::AppUser), 1).await;
    let mut other = tenant_rls::DirectConnection::as_application(&pooler.url(Role::AppUser), "tests").await.unwrap();
    other.run_script("preparing a test", "PREPARE theirs AS SELECT 1").await.unwrap();
    let acme = id(&db, "acme").await;
    let mut tx = TenantTx::begin(&database, &Tenancy::default(), &acme).await.unwrap();
    assert_eq!(count(&mut tx).await, 2);
    tx.commit().await.unwrap();
    let left = "SELECT string_agg(name, ', ') FROM pg_prepared_statements";
    let left: String = sqlx::Row::get(&sqlx::raw_sql(left).fetch_one(other.connection()).await.unwrap(), 0);
    assert_eq!(left, "theirs");
}

#[tokio::test]
async fn a_dropped_scope_keeps_nothing_and_its_statement_is_cancelled() {
    let Some((db, pooler)) = pooled_notes(2).await else { return };
    let database = open(&pooler.url(Role::AppUser), 1).await;
    let acme = id(&db, "acme").await;
    let mut tx = TenantTx::begin(&database, &Tenancy::default(), &acme).await.unwrap();
    sqlx::query("INSERT INTO note (id) VALUES ($1)").bind(9).execute(tx.connection()).await.unwrap();
    let sleeping = tokio::time::timeout(
        std::time::Duration::from_millis(300),
        sqlx::query("SELECT pg_sleep(600)").execute(tx.connection()),
    );
    sleeping.await.unwrap_err();
    drop(tx);
    let mut superuser = db.superuser().await;
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()";
    while sqlx::query_scalar::<_, i64>(sleeps).fetch_one(superuser.connection()).await.unwrap() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM note").fetch_one(superuser.connection()).await.unwrap();
    assert_eq!(kept, 5);
}

#[tokio::test]
async fn an_audit_counts_in_one_snapshot() {
    let Some((_db, pooler)) = pooled_notes(4).await else { return };
    let database = open(&pooler.url(Role::Superuser), 4).await;
    let readers = visibility::readers(&database, &Tenancy::default()).unwrap();
    let mut audit = AuditTx::begin(&database, &[access("note", &["id"])], &readers, None).await.unwrap();
    let snapshot = audit.export().await.unwrap();
    let mut second = AuditTx::begin(&database, &[access("note", &["id"])], &readers, Some(&snapshot)).await.unwrap();
    for tx in [&mut audit, &mut second] {
        let seen: i64 = sqlx::query_scalar(COUNT).bind(0).fetch_one(tx.connection()).await.unwrap();
        assert_eq!(seen, 5);
    }
}

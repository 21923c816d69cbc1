//! The four guards: tenant, batch, audit and owner transactions.

use std::time::Duration;

use local_db::Role;
use tenancy_config::Tenancy;
use tenancy_config::UserError;
use tenant_rls::{ActingRole, AuditTx, BatchOptions, BatchTx, CatalogTx, Error, Limits, OwnerTx, Sql, TenantTx};

use crate::support::{access, connect, left_behind, notes, tenant};

const COUNT: &str = "SELECT count(*) FROM public.note";

#[tokio::test]
async fn a_tenant_scope_sees_and_writes_one_tenant_only() {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let acme = tenant(&database, "acme").await;
    let mut tx = TenantTx::begin(&database, &Tenancy::default(), &acme).await.unwrap();
    let seen: Vec<String> =
        sqlx::query_scalar("SELECT body FROM note ORDER BY id").fetch_all(tx.connection()).await.unwrap();
    assert_eq!(seen, ["a1", "a2"]);
    let others = sqlx::query("UPDATE note SET body = 'mine' WHERE id = 3").execute(tx.connection()).await.unwrap();
    assert_eq!(others.rows_affected(), 0);
    let moved = sqlx::query("INSERT INTO note (id, \"tenantId\") VALUES (9, 't_b')").execute(tx.connection()).await;
    assert!(moved.unwrap_err().to_string().contains("row-level security"));
}

#[tokio::test]
async fn a_scope_ends_with_its_transaction_however_that_ends() {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 1).await;
    let (tenancy, wide) = (Tenancy::default(), connect(&db, Role::AppUser, 2).await);
    let acme = tenant(&wide, "acme").await;

    let tx = TenantTx::begin(&database, &tenancy, &acme).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(left_behind(&database).await, "", "after a commit");

    let mut tx = TenantTx::begin(&database, &tenancy, &acme).await.unwrap();
    sqlx::query("SELECT 1 / 0").execute(tx.connection()).await.unwrap_err();
    drop(tx);
    assert_eq!(left_behind(&database).await, "", "after an error");

    let (shared, scope) = (database.clone(), acme.clone());
    let panicked = tokio::spawn(async move {
        let _tx = TenantTx::begin(&shared, &Tenancy::default(), &scope).await.unwrap();
        panic!("in the scope");
    });
    assert!(panicked.await.unwrap_err().is_panic());
    assert_eq!(left_behind(&database).await, "", "after a panic");

    let mut tx = TenantTx::begin(&database, &tenancy, &acme).await.unwrap();
    let sleep = sqlx::query("SELECT pg_sleep(60)").execute(tx.connection());
    assert!(tokio::time::timeout(Duration::from_millis(200), sleep).await.is_err());
    drop(tx);
    assert_eq!(left_behind(&database).await, "", "after a cancelled future");
}

#[tokio::test]
async fn cancelling_a_future_cancels_its_statement_on_the_server() {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let acme = tenant(&database, "acme").await;
    let mut tx = TenantTx::begin(&database, &Tenancy::default(), &acme).await.unwrap();
    let sleep = sqlx::query("SELECT pg_sleep(60)").execute(tx.connection());
    assert!(tokio::time::timeout(Duration::from_millis(200), sleep).await.is_err());
    drop(tx);
    let mut superuser = db.superuser().await;
    let running = "SELECT count(*) FROM pg_stat_activity
                   WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..100 {
        let left: i64 = sqlx::query_scalar(running).fetch_one(superuser.connection()).await.unwrap();
        if left == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the statement still runs after 5 s");
}

#[tokio::test]
async fn a_dropped_scope_keeps_nothing() {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let acme = tenant(&database, "acme").await;
    let mut tx = TenantTx::begin(&database, &Tenancy::default(), &acme).await.unwrap();
    sqlx::query("INSERT INTO note (id) VALUES (9)").execute(tx.connection()).await.unwrap();
    drop(tx);
    let mut tx = TenantTx::begin(&database, &Tenancy::default(), &acme).await.unwrap();
    let count: i64 = sqlx::query_scalar(COUNT).fetch_one(tx.connection()).await.unwrap();
    assert_eq!(count, 2);
}

#[tokio::test]
async fn a_scope_that_was_left_does_not_commit() {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let acme = tenant(&database, "acme").await;
    let mut tx = TenantTx::begin(&database, &Tenancy::default(), &acme).await.unwrap();
    sqlx::query("INSERT INTO note (id) VALUES (9)").execute(tx.connection()).await.unwrap();
    sqlx::query("SELECT set_config('app.current_tenant_id', 't_b', true)").execute(tx.connection()).await.unwrap();
    let error = tx.commit().await.unwrap_err();
    assert!(matches!(error, Error::ScopeLeft { .. }), "{error}");
    let mut superuser = db.superuser().await;
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM note WHERE id = 9").fetch_one(superuser.connection()).await.unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn a_batch_lends_one_scope_after_the_other_and_none_outside_of_them() {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let (acme, globex) = (tenant(&database, "acme").await, tenant(&database, "globex").await);
    let mut batch = BatchTx::begin(&database, &Tenancy::default(), &BatchOptions::default()).await.unwrap();
    for (id, owner) in [(11, &acme), (12, &globex)] {
        let mut scope = batch.tenant(owner).await.unwrap();
        assert_eq!(scope.tenant(), owner);
        sqlx::query("INSERT INTO note (id) VALUES ($1)").bind(id).execute(scope.connection()).await.unwrap();
        let seen: i64 = sqlx::query_scalar(COUNT).fetch_one(scope.connection()).await.unwrap();
        assert_eq!(seen, 3, "the two that were there, and its own");
    }
    let seen: i64 = sqlx::query_scalar(COUNT).fetch_one(batch.connection().await.unwrap()).await.unwrap();
    assert_eq!(seen, 0, "outside of a scope no tenant is seen");
    batch.commit().await.unwrap();
    let mut superuser = db.superuser().await;
    let written: Vec<String> = sqlx::query_scalar("SELECT \"tenantId\" FROM note WHERE id > 10 ORDER BY id")
        .fetch_all(superuser.connection())
        .await
        .unwrap();
    assert_eq!(written, ["t_a", "t_b"]);
}

#[tokio::test]
async fn an_audit_that_would_see_less_does_not_begin() {
    let db = notes().await;
    for role in [Role::AppUser, Role::Owner] {
        let database = connect(&db, role, 2).await;
        let login = ActingRole::Login(database.session().role.clone());
        let error = AuditTx::begin(&database, &[access("note", &["id"])], &[login], None).await.err().unwrap();
        assert!(matches!(error, Error::CannotSee(_)), "{error}");
        assert!(error.hint().unwrap().contains("BYPASSRLS"), "{error}");
    }
    let database = connect(&db, Role::Superuser, 2).await;
    let login = ActingRole::Login(database.session().role.clone());
    let mut audit = AuditTx::begin(&database, &[access("note", &["id"])], &[login], None).await.unwrap();
    let seen: i64 = sqlx::query_scalar(COUNT).fetch_one(audit.connection()).await.unwrap();
    assert_eq!(seen, 5);
    let write = sqlx::query("DELETE FROM public.note").execute(audit.connection()).await.unwrap_err();
    assert!(write.to_string().contains("read-only"), "{write}");
}

#[tokio::test]
async fn audits_on_one_exported_snapshot_see_the_same_rows() {
    let db = notes().await;
    let database = connect(&db, Role::Superuser, 4).await;
    let login = [ActingRole::Login(database.session().role.clone())];
    let mut first = AuditTx::begin(&database, &[access("note", &["id"])], &login, None).await.unwrap();
    let snapshot = first.export().await.unwrap();
    db.superuser().await.run_script("changing rows", "DELETE FROM public.note").await.unwrap();
    let mut second = AuditTx::begin(&database, &[access("note", &["id"])], &login, Some(&snapshot)).await.unwrap();
    let seen: i64 = sqlx::query_scalar(COUNT).fetch_one(second.connection()).await.unwrap();
    assert_eq!(seen, 5);
}

#[tokio::test]
async fn the_owner_under_force_gets_an_error_and_not_a_smaller_number() {
    let db = notes().await;
    let database = connect(&db, Role::Owner, 1).await;
    let mut tx = OwnerTx::begin(&database, Duration::from_secs(1)).await.unwrap();
    let error = sqlx::query(COUNT).execute(tx.connection()).await.unwrap_err();
    assert!(error.to_string().contains("row-level security"), "{error}");
}

#[tokio::test]
async fn ddl_behind_a_lock_gives_up_in_time_and_is_tried_again() {
    let db = notes().await;
    let database = connect(&db, Role::Owner, 2).await;
    let mut reader = db.superuser().await;
    reader.run_script("holding a lock", "BEGIN; SELECT FROM note LIMIT 1").await.unwrap();
    let mut tries = 0;
    let backoff = tenant_rls::Backoff::new(Duration::from_millis(10), Duration::from_millis(20), 3);
    let done = tenant_rls::retry_locks(backoff, async || {
        tries += 1;
        if tries == 3 {
            reader.run_script("letting go", "COMMIT").await?;
        }
        let mut tx = OwnerTx::begin(&database, Duration::from_millis(50)).await?;
        tx.run_script("disabling row security", "ALTER TABLE public.note DISABLE ROW LEVEL SECURITY").await?;
        tx.commit().await
    });
    done.await.unwrap();
    assert_eq!(tries, 3);
}

#[tokio::test]
async fn a_limited_handle_waits_for_nobody_and_leaves_the_others_alone() {
    let db = notes().await;
    let database = connect(&db, Role::Superuser, 2).await;
    let limits = Limits { lock_timeout: Duration::from_millis(50), statement_timeout: Duration::from_millis(80) };
    let limited = database.limited(limits);
    let set = "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')";
    let of = async |database| -> (String, String) {
        let mut tx = OwnerTx::begin(database, Duration::from_secs(5)).await.unwrap();
        sqlx::query_as(set).fetch_one(tx.connection()).await.unwrap()
    };
    assert_eq!(of(&limited).await, ("50ms".to_owned(), "80ms".to_owned()));
    assert_eq!(of(&database).await, ("5s".to_owned(), "0".to_owned()));
    let mut holder = db.owner().await;
    holder.run_script("holding a lock", "BEGIN; LOCK TABLE note IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let login = [ActingRole::Login(database.session().role.clone())];
    let refused = AuditTx::begin(&limited, &[access("note", &["id"])], &login, None).await.err().unwrap();
    assert_eq!(refused.sqlstate(), Some("55P03"), "{refused}");
}

#[tokio::test]
async fn who_gives_up_while_a_transaction_opens_leaves_none_open_to_the_next_one() {
    let db = notes().await;
    let database = connect(&db, Role::Owner, 1).await;
    let mut other = db.superuser().await;
    let open =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'";
    for step in 0..30 {
        CatalogTx::begin(&database).await.unwrap().rollback().await.unwrap();
        let begun = tokio::time::timeout(Duration::from_micros(step * 100), CatalogTx::begin(&database)).await;
        if let Ok(begun) = begun {
            begun.unwrap().rollback().await.unwrap();
            continue;
        }
        let mut left: i64 = 1;
        for _ in 0..100 {
            left = sqlx::query_scalar(open).fetch_one(other.connection()).await.unwrap();
            if left == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(left, 0, "after {step}");
    }
    other.close().await;
}

#[tokio::test]
async fn a_connection_that_was_cut_since_its_last_transaction_is_replaced() {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
               WHERE usename = 'app_user' AND datname = current_database()";
    let mut superuser = db.superuser().await;
    for _ in 0..3 {
        CatalogTx::begin(&database).await.unwrap().rollback().await.unwrap();
        superuser.run_script("cutting connections", cut).await.unwrap();
    }
    CatalogTx::begin(&database).await.unwrap().rollback().await.unwrap();
    superuser.close().await;
}

#[tokio::test]
async fn a_pool_that_is_closed_waits_for_its_last_transaction_and_no_longer() {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let tx = CatalogTx::begin(&database).await.unwrap();
    let closing = tokio::spawn(database.clone().close());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!closing.is_finished(), "the transaction is open");
    tx.rollback().await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), closing).await.expect("its connection is closed too").unwrap();
}

#[tokio::test]
async fn statements_run_together_keep_their_search_paths_and_a_printed_one_takes_no_second_along() {
    let db = notes().await;
    let database = connect(&db, Role::Owner, 1).await;
    let mut tx = OwnerTx::begin(&database, Duration::from_secs(1)).await.unwrap();
    let ours = |text: &'static str| Sql::from_static(text);
    let keep = "CREATE TABLE public.path AS SELECT pg_catalog.current_setting('search_path') AS path";
    let add = "INSERT INTO public.path SELECT pg_catalog.current_setting('search_path')";
    // The server printed it, or so it seems.
    let printed = Sql::from_catalog(format!("{add} || '; printed'"));
    let together = [ours(keep), ours(add).running_application_code(), printed, ours(add)];
    tx.run_all("keeping paths", &together).await.unwrap();
    let paths: Vec<String> =
        sqlx::query_scalar("SELECT path FROM public.path").fetch_all(tx.connection()).await.unwrap();
    let pinned = "pg_catalog, pg_temp";
    assert_eq!(paths, [pinned, r#""$user", public"#, "pg_catalog, pg_temp; printed", pinned]);
    let second = Sql::from_catalog("DELETE FROM public.note; DELETE FROM public.path".to_owned());
    let error = tx.run_all("taking another along", &[second]).await.unwrap_err();
    assert!(error.to_string().contains("multiple commands"), "{error}");
    tx.rollback().await.unwrap();
}

//! Transactions that cannot be committed.

use local_db::Role;
use tenancy_config::Tenancy;
use tenant_rls::{ProbeSessions, ProbeTx, VariableBefore};

use crate::support::{connect, notes};

const COUNT: &str = "SELECT count(*) FROM note";

#[tokio::test]
async fn nothing_of_a_probe_stays() {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 2).await;
    for dropped in [false, true] {
        let mut tx = ProbeTx::begin(&database, &Tenancy::default(), true).await.unwrap();
        tx.set("t_a").await.unwrap();
        sqlx::query("INSERT INTO note (id) VALUES (9)").execute(tx.connection()).await.unwrap();
        if dropped {
            drop(tx)
        } else {
            tx.rollback().await.unwrap()
        }
        let mut superuser = db.superuser().await;
        let count: i64 = sqlx::query_scalar(COUNT).fetch_one(superuser.connection()).await.unwrap();
        assert_eq!(count, 5, "dropped: {dropped}");
    }
}

#[tokio::test]
async fn a_probe_begins_where_nothing_was_set_and_goes_on_after_an_error() {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 1).await;
    // The second one would find an empty variable if it got the session of the first.
    for _ in 0..2 {
        let mut tx = ProbeTx::begin(&database, &Tenancy::default(), true).await.unwrap();
        assert_eq!(tx.preset(), None);
        tx.set("t_b").await.unwrap();
        let seen: i64 = sqlx::query_scalar(COUNT).fetch_one(tx.connection()).await.unwrap();
        assert_eq!(seen, 2);
        sqlx::query("SELECT 1 / 0").execute(tx.connection()).await.unwrap_err();
        tx.rollback_to().await.unwrap();
        let seen: i64 = sqlx::query_scalar(COUNT).fetch_one(tx.connection()).await.unwrap();
        assert_eq!(seen, 0, "the scope was taken back as well");
        tx.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn a_variable_that_the_login_brings_is_found() {
    let db = notes().await;
    let mut superuser = db.superuser().await;
    // For this database only, because other tests share the role.
    let set = "DO $$ BEGIN EXECUTE format('ALTER ROLE app_user IN DATABASE %I SET app.current_tenant_id = ''t_b''', current_database()); END $$";
    superuser.run_script("preparing a test", set).await.unwrap();
    let database = connect(&db, Role::AppUser, 1).await;
    let tx = ProbeTx::begin(&database, &Tenancy::default(), false).await.unwrap();
    assert_eq!(tx.preset(), Some("t_b"));
}

#[tokio::test]
async fn without_writes_a_probe_is_read_only_and_it_waits_for_nobody() {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let mut tx = ProbeTx::begin(&database, &Tenancy::default(), false).await.unwrap();
    tx.set("t_a").await.unwrap();
    let refused = sqlx::query("INSERT INTO note (id) VALUES (9)").execute(tx.connection()).await.unwrap_err();
    assert!(refused.to_string().contains("read-only"), "{refused}");
    tx.rollback_to().await.unwrap();
    let limits: (String, String) =
        sqlx::query_as("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
            .fetch_one(tx.connection())
            .await
            .unwrap();
    assert_eq!(limits, ("100ms".to_owned(), "2s".to_owned()));
}

async fn backend(tx: &mut ProbeTx) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(tx.connection()).await.unwrap()
}

#[tokio::test]
async fn probes_take_over_sessions_and_one_that_set_the_variable_is_never_taken_for_an_untouched_one() {
    let db = notes().await;
    let sessions = ProbeSessions::new(&connect(&db, Role::AppUser, 1).await, &Tenancy::default());
    let mut untouched = Vec::new();
    let mut touched = Vec::new();
    for _ in 0..2 {
        let mut tx = sessions.begin(true, VariableBefore::NeverSet).await.unwrap();
        assert_eq!(tx.preset(), None);
        untouched.push(backend(&mut tx).await);
        tx.rollback().await.unwrap();
        let mut tx = sessions.begin(true, VariableBefore::Any).await.unwrap();
        tx.set("t_a").await.unwrap();
        touched.push(backend(&mut tx).await);
        sqlx::query("INSERT INTO note (id) VALUES (9)").execute(tx.connection()).await.unwrap();
        tx.rollback().await.unwrap();
    }
    assert!(untouched[0] == untouched[1] && touched[0] == touched[1], "{untouched:?} {touched:?}");
    assert_ne!(untouched[0], touched[0]);
    let tx = sessions.begin(false, VariableBefore::Any).await.unwrap();
    assert_eq!(tx.preset(), Some(""), "PostgreSQL forgets no variable");
    let mut superuser = db.superuser().await;
    let count: i64 = sqlx::query_scalar(COUNT).fetch_one(superuser.connection()).await.unwrap();
    assert_eq!(count, 5);
}

#[tokio::test]
async fn where_code_of_the_application_set_the_variable_another_session_is_opened() {
    let db = notes().await;
    let sessions = ProbeSessions::new(&connect(&db, Role::AppUser, 1).await, &Tenancy::default());
    let mut tx = sessions.begin(true, VariableBefore::NeverSet).await.unwrap();
    let first = backend(&mut tx).await;
    let set = "SELECT set_config('app.current_tenant_id', 't_a', true)";
    sqlx::query(set).execute(tx.connection()).await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = sessions.begin(true, VariableBefore::NeverSet).await.unwrap();
    assert_eq!(tx.preset(), None);
    assert_ne!(backend(&mut tx).await, first);
}

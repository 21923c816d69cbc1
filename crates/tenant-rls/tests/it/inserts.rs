//! `TenantInsert`, the statement that sets its own scope, run as `app_user` under FORCE ROW LEVEL SECURITY.

use std::time::Duration;

use local_db::Role;
use serde_json::{Value, json};
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{Database, GeneratedValue, TenantInsert, TenantRow, TenantTx};
use test_support::TestDb;

use crate::support::{connect, left_behind, notes, tenant};

async fn settings() -> TestDb {
    let db = notes().await;
    db.owner().await.run_script("preparing a test", include_str!("settings.sql")).await.unwrap();
    db
}

fn ident(name: &str) -> Ident {
    Ident::new(name).unwrap()
}

/// One row in each of the two tables.
fn insert(database: &Database) -> TenantInsert {
    let row = |table: &str, given: &str, generated: &[(&str, GeneratedValue)]| TenantRow {
        table: TableName::parse(table, "public").unwrap(),
        tenant: ident("tenantId"),
        given: vec![ident(given)],
        generated: generated.iter().map(|(column, generated)| (ident(column), *generated)).collect(),
    };
    let rows = [
        row("setting", "name", &[("id", GeneratedValue::Cuid), ("updatedAt", GeneratedValue::NowUtc)]),
        row("limits", "most", &[("id", GeneratedValue::Uuid)]),
    ];
    TenantInsert::new(database, &Tenancy::default(), &rows)
}

fn values(name: &str) -> Value {
    json!({ "public.setting": { "name": name }, "public.limits": { "most": 5 } })
}

async fn number(db: &TestDb, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(db.superuser().await.connection()).await.unwrap()
}

#[tokio::test]
async fn one_statement_sees_and_writes_one_tenant_and_only_what_is_missing() {
    let db = settings().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let acme = tenant(&database, "acme").await;
    let insert = insert(&database);
    assert_eq!(insert.run(&acme, &values("first")).await.unwrap(), [true, true]);
    assert_eq!(insert.run(&acme, &values("second")).await.unwrap(), [false, false]);
    let row = r#"SELECT count(*) FROM setting WHERE "tenantId" = 't_a' AND name = 'first' AND seen = 2
                 AND id ~ '^c[0-9a-f]{24}$' AND abs(extract(epoch FROM "updatedAt" - (now() AT TIME ZONE 'UTC'))) < 300"#;
    assert_eq!(number(&db, row).await, 1, "seen: the two notes of its own, of five");
    assert_eq!(number(&db, "SELECT count(*) FROM setting").await, 1);
    assert_eq!(number(&db, "SELECT count(*) FROM limits WHERE most = 5").await, 1);
}

#[tokio::test]
async fn values_cannot_name_another_tenant() {
    let db = settings().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let acme = tenant(&database, "acme").await;
    let mut foreign = values("mine");
    foreign["public.setting"]["tenantId"] = "t_b".into();
    insert(&database).run(&acme, &foreign).await.unwrap();
    assert_eq!(number(&db, r#"SELECT count(*) FROM setting WHERE "tenantId" = 't_a'"#).await, 1);
    assert_eq!(number(&db, "SELECT count(*) FROM setting").await, 1);
    // The policy is really in force: without a scope, the same login may not insert anything.
    let plain = r#"INSERT INTO limits (id, "tenantId") VALUES (gen_random_uuid(), 't_b')"#;
    let refused = sqlx::query(plain).execute(db.app_user().await.connection()).await.unwrap_err();
    assert!(refused.to_string().contains("row-level security"), "{refused}");
}

#[tokio::test]
async fn nothing_remains_in_the_session_variable() {
    let db = settings().await;
    let wide = connect(&db, Role::AppUser, 2).await;
    let acme = tenant(&wide, "acme").await;
    let database = connect(&db, Role::AppUser, 1).await;
    for values in [values("fits"), json!({ "public.limits": { "most": "many" } })] {
        let insert = insert(&database);
        let ended = insert.run(&acme, &values).await.map_err(|error| error.to_string());
        drop(insert);
        assert_eq!(left_behind(&database).await, "", "after {ended:?}");
    }
}

#[tokio::test]
async fn an_error_keeps_nothing_of_any_table_and_the_next_tenant_goes_on() {
    let db = settings().await;
    let refuse = "ALTER TABLE limits ADD CHECK (most < 10)";
    db.owner().await.run_script("refusing a value", refuse).await.unwrap();
    let database = connect(&db, Role::AppUser, 2).await;
    let (acme, globex) = (tenant(&database, "acme").await, tenant(&database, "globex").await);
    let insert = insert(&database);
    let mut wrong = values("half");
    wrong["public.limits"]["most"] = 10.into();
    let error = insert.run(&acme, &wrong).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("23514"), "{error}");
    assert_eq!(number(&db, "SELECT count(*) FROM setting").await, 0);
    assert_eq!(insert.run(&globex, &values("whole")).await.unwrap(), [true, true]);
}

#[tokio::test]
async fn a_dropped_future_throws_its_connection_away() {
    let db = settings().await;
    let wide = connect(&db, Role::AppUser, 2).await;
    let acme = tenant(&wide, "acme").await;
    let database = connect(&db, Role::AppUser, 1).await;
    let insert = insert(&database);
    let mut lock = db.superuser().await;
    lock.run_script("holding the row back", "BEGIN; LOCK TABLE setting").await.unwrap();
    let values = values("dropped");
    let waiting = insert.run(&acme, &values);
    assert!(tokio::time::timeout(Duration::from_millis(300), waiting).await.is_err());
    drop(insert);
    // The pool has one connection: the next user waits for the old one, or gets a new one.
    assert_eq!(left_behind(&database).await, "");
    lock.run_script("letting go", "ROLLBACK").await.unwrap();
}

#[tokio::test]
async fn inside_a_longer_scope_its_end_decides() {
    let db = settings().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let acme = tenant(&database, "acme").await;
    let insert = insert(&database);
    let mut scope = TenantTx::begin(&database, &Tenancy::default(), &acme).await.unwrap();
    assert_eq!(insert.run_in(&mut scope, &values("tried")).await.unwrap(), [true, true]);
    scope.rollback().await.unwrap();
    assert_eq!(number(&db, "SELECT count(*) FROM setting").await, 0);
}

#[tokio::test]
async fn values_that_fit_no_column_are_found_before_any_tenant() {
    let db = settings().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let insert = insert(&database);
    insert.check(&values("fits")).await.unwrap();
    let error = insert.check(&json!({ "public.setting": {}, "public.limits": { "most": "many" } })).await.unwrap_err();
    assert!(error.to_string().contains("public.limits") && error.sqlstate() == Some("22P02"), "{error}");
}

#[tokio::test]
async fn connections_that_were_cut_cost_one_try_however_many_they_were() {
    let db = settings().await;
    let database = connect(&db, Role::AppUser, 4).await;
    let acme = tenant(&database, "acme").await;
    let insert = insert(&database);
    let values = values("first");
    let (one, two, three) =
        tokio::join!(insert.run(&acme, &values), insert.run(&acme, &values), insert.run(&acme, &values));
    for inserted in [one, two, three] {
        inserted.unwrap();
    }
    let cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
               WHERE usename = 'app_user' AND datname = current_database()";
    db.superuser().await.run_script("cutting connections", cut).await.unwrap();
    insert.run(&acme, &values).await.unwrap_err();
    assert_eq!(insert.run(&acme, &values).await.unwrap(), [false, false]);
}

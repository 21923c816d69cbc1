//! What the tests share: the fixture, predictions, rollouts, and the plans that the server makes behind real policies.

use std::collections::BTreeSet;

use local_db::Role;
use rls_predict::{Change, Error, LostIndex, PredictOptions, PredictReport, PredictWay, Source, predict, statements};
use rls_rollout::{RolloutOptions, rollout};
use serde_json::Value;
use sqlx::Row;
use sqlx::types::Json;
use tenancy_config::Tenancy;
use tenant_rls::{ConnectOptions, Database, DirectConnection, Sql};
use test_support::TestDb;
use tokio::sync::watch;

pub(crate) const STATEMENTS: &str = include_str!("statements.sql");

pub(crate) async fn connect(db: &TestDb, role: Role) -> Database {
    Database::connect(&db.url(role), &ConnectOptions::default()).await.unwrap()
}

pub(crate) async fn fixture() -> TestDb {
    let db = test_support::database().await;
    as_superuser(&db, include_str!("fixture.sql")).await;
    db
}

pub(crate) async fn as_superuser(db: &TestDb, sql: &'static str) {
    let mut superuser = db.superuser().await;
    run(&mut superuser, sql).await;
    superuser.close().await;
}

pub(crate) async fn run(session: &mut DirectConnection, sql: &str) {
    session.run_script("preparing a test", Sql::from_catalog(sql.to_owned())).await.unwrap();
}

pub(crate) fn options(way: PredictWay) -> PredictOptions {
    PredictOptions { rollout: RolloutOptions::default(), way, slower_than: 2.0, trusts_statements: true }
}

pub(crate) async fn predicted(db: &TestDb, way: PredictWay, text: &str) -> PredictReport {
    predicted_as(db, (Role::Owner, Role::AppUser), way, text).await.unwrap()
}

pub(crate) async fn predicted_as(
    db: &TestDb,
    (owner, app): (Role, Role),
    way: PredictWay,
    text: &str,
) -> Result<PredictReport, Error> {
    let (owner, app) = (connect(db, owner).await, connect(db, app).await);
    let source = Source::Given(statements(text).unwrap());
    let report = predict(&owner, &app, &Tenancy::default(), source, &options(way)).await;
    owner.close().await;
    app.close().await;
    report
}

pub(crate) async fn roll_out(db: &TestDb) {
    let database = connect(db, Role::Owner).await;
    let (_go, stop) = watch::channel(false);
    let options = RolloutOptions::default();
    rollout(&database, &Tenancy::default(), &options, "a test", stop, &mut |_| ()).await.unwrap();
    database.close().await;
}

/// The searches of indexes that a prediction says are lost: index and condition.
pub(crate) fn lost(report: &PredictReport, number: usize) -> BTreeSet<(String, String)> {
    let all = report.predictions.iter().filter(|prediction| prediction.number == number);
    let of = |change: &Change| -> Vec<LostIndex> {
        match change {
            Change::LosesIndex { lost, .. } | Change::Replanned { lost, .. } => lost.clone(),
            other => panic!("{other:?}"),
        }
    };
    all.flat_map(|prediction| of(&prediction.change)).map(|lost| (lost.index, lost.condition)).collect()
}

/// The plan of a statement for the application's login, as a tenant if one is given.
pub(crate) async fn plan(session: &mut DirectConnection, statement: &str, tenant: Option<&str>) -> Value {
    run(session, "SET LOCAL ROLE app_user; SET LOCAL plan_cache_mode = force_generic_plan").await;
    let scope = "SELECT set_config('app.current_tenant_id', $1, true)";
    if let Some(tenant) = tenant {
        sqlx::query(scope).bind(tenant).execute(session.connection()).await.unwrap();
    }
    run(session, &format!("PREPARE tried AS {statement}")).await;
    let count = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'tried'";
    let count: i32 = sqlx::query_scalar(count).fetch_one(session.connection()).await.unwrap();
    let nulls = vec!["NULL"; count as usize].join(", ");
    let nulls = if count == 0 { String::new() } else { format!("({nulls})") };
    let explain = Sql::from_catalog(format!("EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE tried{nulls}"));
    let row = sqlx::query(explain).persistent(false).fetch_one(session.connection()).await.unwrap();
    run(session, "DEALLOCATE tried; RESET ROLE").await;
    let Json(plan) = row.get(0);
    plan
}

/// What a plan searches indexes for: index and condition.
pub(crate) fn searches(plan: &Value) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut open = vec![&plan[0]["Plan"]];
    while let Some(node) = open.pop() {
        if let (Some(index), Some(condition)) = (node["Index Name"].as_str(), node["Index Cond"].as_str()) {
            let inner = &condition[1..condition.len() - 1];
            let parts = inner.split(") AND (");
            found.extend(parts.map(|part| (index.to_owned(), unwrapped(part))));
        }
        open.extend(node["Plans"].as_array().into_iter().flatten());
    }
    found
}

fn unwrapped(part: &str) -> String {
    let (mut part, opened, closed) = (part, part.matches('(').count(), part.matches(')').count());
    if opened > closed {
        part = &part[1..];
    } else if closed > opened {
        part = &part[..part.len() - 1];
    }
    part.to_owned()
}

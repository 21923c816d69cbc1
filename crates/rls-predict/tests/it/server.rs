//! Statements that the server counted.

use local_db::Role;
use rls_predict::{Error, Origin, PredictReport, PredictWay, Source, predict};
use tenancy_config::{Tenancy, UserError};
use tenant_rls::{ConnectOptions, Database};
use test_support::TestServer;

use crate::support::{fixture, options, run};

async fn predicted(server: &TestServer, app: Role) -> Result<PredictReport, Error> {
    let owner = Database::connect(&server.url(Role::Owner), &ConnectOptions::default()).await.unwrap();
    let app = Database::connect(&server.url(app), &ConnectOptions::default()).await.unwrap();
    let report = predict(&owner, &app, &Tenancy::default(), Source::Server, &options(PredictWay::Catalog)).await;
    owner.close().await;
    app.close().await;
    report
}

#[tokio::test]
async fn without_statistics_it_says_what_to_do() {
    let db = fixture().await;
    let owner = crate::support::connect(&db, Role::Owner).await;
    let failed = predict(&owner, &owner, &Tenancy::default(), Source::Server, &options(PredictWay::Catalog)).await;
    let failed = failed.unwrap_err();
    assert!(matches!(failed, Error::NoStatistics), "{failed}");
    assert!(failed.hint().unwrap().contains("--statements"));
}

#[tokio::test]
async fn the_applications_own_statements_are_taken_from_the_server_by_whoever_may_read_them() {
    let server = test_support::throwaway_server(None).await;
    let mut superuser = server.connect(Role::Superuser).await;
    run(&mut superuser, "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'").await;
    superuser.close().await;
    server.stop().await;
    server.start_again().await;
    let mut superuser = server.connect(Role::Superuser).await;
    run(
        &mut superuser,
        "CREATE SCHEMA stats; GRANT USAGE ON SCHEMA stats TO PUBLIC; CREATE EXTENSION pg_stat_statements SCHEMA stats",
    )
    .await;
    run(&mut superuser, include_str!("fixture.sql")).await;
    let mut app = server.connect(Role::AppUser).await;
    for _ in 0..3 {
        run(&mut app, "SELECT * FROM people WHERE lower(email) = 'mail7@x.example'").await;
    }
    run(&mut app, "SELECT count(*) FROM countries").await;
    app.close().await;
    // The owner may not read the application's statements, and the application may.
    let report = predicted(&server, Role::AppUser).await.unwrap();
    assert_eq!(report.statements_of.as_deref(), Some("app_user"));
    let [prediction] = &report.predictions[..] else { panic!("{:#?}", report.predictions) };
    assert_eq!(prediction.statement.text, "SELECT * FROM people WHERE lower(email) = $1");
    assert!(matches!(prediction.statement.origin, Origin::Server { calls: 3, .. }), "{prediction:?}");
    run(&mut superuser, "REVOKE SELECT ON stats.pg_stat_statements FROM PUBLIC").await;
    let failed = predicted(&server, Role::AppUser).await.unwrap_err();
    assert!(matches!(failed, Error::Statistics(_)), "{failed}");
    superuser.close().await;
}

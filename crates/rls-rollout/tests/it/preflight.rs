//! What is looked at before the first step.

use local_db::Role;
use rls_rollout::{Check, CheckResult, Error, LackingRight, RolloutEvent};
use tenancy_config::UserError;
use tenancy_config::{Exit, Tenancy};
use tenant_inventory::Phase;

use crate::support::{auto, catalog, clean, roll, roll_with, script, to};

fn of<'a>(checks: &'a [Check], name: &str) -> Vec<&'a Check> {
    checks.iter().filter(|check| check.name() == name).collect()
}

#[tokio::test]
async fn a_session_that_reads_a_table_is_named_and_stops_nothing() {
    let db = clean().await;
    let mut reader = db.app_user().await;
    script(&mut reader, "BEGIN; LOCK TABLE services IN ACCESS SHARE MODE").await;
    let mut options = to(Phase::Prepare);
    options.tables = vec!["bookings".to_owned(), "services".to_owned()];
    let (seen, mut checks) = tokio::sync::mpsc::unbounded_channel();
    let mut progress = |event| {
        if let RolloutEvent::Checked { check } = event {
            let _ = seen.send(check);
        }
    };
    let release = async {
        let mut found = Vec::new();
        while let Some(check) = checks.recv().await {
            let last = check.name() == "backup";
            found.push(check);
            if last {
                break;
            }
        }
        script(&mut reader, "COMMIT").await;
        found
    };
    let tenancy = Tenancy::default();
    let (report, told) = tokio::join!(roll_with(&db, &tenancy, &options, &mut progress), release);
    let report = report.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(told, report.preflight);
    let locks = of(&report.preflight, "locks");
    assert_eq!(locks[0].verdict(), CheckResult::Warning);
    assert!(locks[0].says().contains("public.services: process "), "{locks:?}");
    assert!(locks[0].says().contains("of app_user (tests), holding AccessShareLock"), "{locks:?}");
    // The owner may not see how long the reader's transaction is open, and that is no "none".
    let hidden = of(&report.preflight, "long transactions");
    assert!(hidden.iter().any(|check| check.verdict() == CheckResult::Unreadable), "{hidden:?}");
}

#[tokio::test]
async fn a_right_that_is_lacking_stops_the_rollout_before_anything_is_written() {
    let db = clean().await;
    let sql = "DROP INDEX \"bookings_tenantId_idx\"; REVOKE CREATE ON SCHEMA public FROM PUBLIC, app_owner; ALTER SCHEMA public OWNER TO postgres";
    script(&mut db.superuser().await, sql).await;
    let before = catalog(&db).await;
    let error = roll(&db, &auto()).await.unwrap_err();
    let Error::Preflight(failed) = &error else { panic!("{error:?}") };
    let lacking = LackingRight::CreateInSchema { login: "app_owner".to_owned(), schema: "public".to_owned() };
    assert_eq!(*failed, [Check::Rights { lacking: vec![lacking] }]);
    assert_eq!(
        error.to_string(),
        "the rollout would fail, and was not begun: app_owner may not create indexes: it lacks CREATE on the schema public"
    );
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(catalog(&db).await, before);
    let mut session = db.superuser().await;
    let journal = sqlx::query_scalar::<_, bool>("SELECT to_regclass('tenant_ops.rollout') IS NULL");
    assert!(journal.fetch_one(session.connection()).await.unwrap());
    session.close().await;
}

/// What the preflight refuses to begin with, after this.
async fn refused(sql: &'static str) -> String {
    let db = clean().await;
    script(&mut db.superuser().await, sql).await;
    let before = catalog(&db).await;
    let error = roll(&db, &auto()).await.unwrap_err();
    assert!(matches!(error, Error::Preflight(_)), "{error:?}");
    assert_eq!(catalog(&db).await, before);
    error.to_string()
}

/// The tenant table is somebody else's, and may be read.
const FOREIGN_TENANTS: &str = r#"ALTER TABLE "Tenant" OWNER TO postgres; GRANT SELECT ON "Tenant" TO app_owner;
    ALTER TABLE bookings DROP CONSTRAINT "bookings_tenantId_fkey""#;

#[tokio::test]
async fn what_the_tenant_table_must_allow_is_asked_before() {
    let why = refused(FOREIGN_TENANTS).await;
    let grant = "app_owner may not let tenant_maintenance and tenant_auditor read public.Tenant: it lacks SELECT WITH GRANT OPTION on its id";
    assert!(why.contains(grant), "{why}");
    assert!(why.contains("app_owner may not reference public.Tenant: it lacks REFERENCES on it"), "{why}");
    let db = clean().await;
    let mut superuser = db.superuser().await;
    script(&mut superuser, FOREIGN_TENANTS).await;
    script(&mut superuser, "GRANT SELECT (id), REFERENCES (id) ON \"Tenant\" TO app_owner WITH GRANT OPTION").await;
    let report = roll(&db, &auto()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
}

#[tokio::test]
async fn a_superuser_sees_everything() {
    let db = clean().await;
    let database = crate::support::connect(&db, Role::Superuser).await;
    let (_go, stop) = tokio::sync::watch::channel(false);
    let options = to(Phase::Prepare);
    let report = rls_rollout::rollout(&database, &Tenancy::default(), &options, "a test", stop, &mut |_| ()).await;
    database.close().await;
    let report = report.unwrap();
    assert!(report.preflight.iter().all(|check| check.verdict() != CheckResult::Unreadable), "{:#?}", report.preflight);
}

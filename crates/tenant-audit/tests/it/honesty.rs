//! An audit sees every row, or there is none.

use local_db::Role;
use tenancy_config::UserError;
use tenancy_config::{Exit, Ident, Tenancy};
use tenant_audit::{
    AuditOptions, AuditProgress, AuditReport, CountPart, Error, Result, Uncounted, UncountedPart, audit,
};
use tenant_rls::{ConnectOptions, Database, DirectConnection, StatementFailure, Template};
use test_support::TestDb;

use crate::support::{audit_as, connect, plant, run, table, uncounted};

const STRICT: &str = r#"
    ALTER TABLE bookings ENABLE ROW LEVEL SECURITY;
    ALTER TABLE bookings FORCE ROW LEVEL SECURITY;
    CREATE POLICY rls_tenant_isolation ON bookings
        USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''));"#;

/// Lets a role read what an audit of bookings reads, column by column, and see every row by our policy.
const AUDITOR: &str = r#"
    CREATE ROLE :"role" NOLOGIN;
    GRANT :"role" TO app_owner;
    GRANT USAGE ON SCHEMA public TO :"role";
    GRANT SELECT (id) ON "Tenant" TO :"role";
    GRANT SELECT (id, "tenantId") ON users, services, "ServiceRequest" TO :"role";
    GRANT SELECT ("tenantId", "clientId", "serviceId", "serviceRequestId") ON bookings TO :"role";
    CREATE POLICY auditor_read ON bookings FOR SELECT TO :"role" USING (current_user = :'role_name');"#;

/// Bookings with faults under a strict, forced policy.
async fn under_force() -> TestDb {
    let db = test_support::database().await;
    plant(&db).await;
    run(&db, STRICT).await;
    db
}

/// A tenancy with an auditor of its own: roles belong to the server, which tests share.
async fn with_auditor(db: &TestDb) -> Tenancy {
    let mut tenancy = Tenancy::default();
    tenancy.roles.auditor = format!("auditor of {}", db.name());
    let script = Template::new(AUDITOR)
        .ident("role", &Ident::new(&tenancy.roles.auditor).unwrap())
        .literal("role_name", &tenancy.roles.auditor)
        .build();
    db.superuser().await.run_script("making an auditor", script).await.unwrap();
    tenancy
}

fn assert_cannot_see(result: Result<AuditReport>) -> Error {
    let error = result.map(|report| report.totals).unwrap_err();
    assert!(matches!(error, Error::Database(tenant_rls::Error::CannotSee(_))), "{error}");
    assert_eq!(error.exit(), Exit::Refused);
    error
}

#[tokio::test]
async fn the_application_under_force_gets_an_error_and_not_a_zero() {
    let db = under_force().await;
    let error = assert_cannot_see(audit_as(&db, Role::AppUser, &Tenancy::default(), &["bookings"]).await);
    assert!(error.to_string().contains("filters what app_user may select in public.bookings"), "{error}");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn so_does_the_owner_under_force() {
    let db = under_force().await;
    assert_cannot_see(audit_as(&db, Role::Owner, &Tenancy::default(), &["bookings"]).await);
}

#[tokio::test]
async fn of_a_table_that_references_the_forced_one_the_rest_is_counted_and_that_reference_is_a_finding() {
    let db = under_force().await;
    let report = audit_as(&db, Role::Owner, &Tenancy::default(), &["invoices"]).await.unwrap();
    let invoices = table(&report, "public.invoices");
    let [part] = &invoices.uncounted_parts[..] else { panic!("{invoices:#?}") };
    let CountPart::Reference { constraint, references } = &part.part else { panic!("{part:?}") };
    assert_eq!(references.to_string(), "public.bookings");
    assert!(!invoices.cross_references.iter().any(|reference| reference.constraint == *constraint), "{invoices:#?}");
    assert!(part.to_string().contains("filters what app_owner may select in public.bookings"), "{part}");
    assert!(invoices.ghost_rows.is_some() && !invoices.all_references_counted());
    assert!(invoices.findings() > 0 && report.findings() > 0);
}

#[tokio::test]
async fn where_the_tenant_table_may_not_be_read_the_rest_is_counted_and_no_ghost_is_said() {
    let db = under_force().await;
    let tenancy = with_auditor(&db).await;
    let revoke =
        Template::new(r#"REVOKE SELECT (id) ON "Tenant" FROM :"role"; ALTER TABLE "Tenant" OWNER TO postgres"#)
            .ident("role", &Ident::new(&tenancy.roles.auditor).unwrap())
            .build();
    db.superuser().await.run_script("revoking", revoke).await.unwrap();
    let report = audit_as(&db, Role::Owner, &tenancy, &["bookings"]).await.unwrap();
    let bookings = table(&report, "public.bookings");
    assert_eq!((bookings.rows, bookings.null_rows, bookings.cross_rows(), bookings.ghost_rows), (8, 2, 4, None));
    assert!(matches!(bookings.uncounted_parts[..], [UncountedPart { part: CountPart::Ghosts, .. }]), "{bookings:#?}");
}

#[tokio::test]
async fn an_owner_without_force_and_a_superuser_see_everything() {
    let db = under_force().await;
    let report = audit_as(&db, Role::Superuser, &Tenancy::default(), &["bookings"]).await.unwrap();
    assert_eq!(table(&report, "public.bookings").rows, 8);
    run(&db, "ALTER TABLE bookings NO FORCE ROW LEVEL SECURITY").await;
    let report = audit_as(&db, Role::Owner, &Tenancy::default(), &["bookings"]).await.unwrap();
    assert_eq!(table(&report, "public.bookings").null_rows, 2);
}

#[tokio::test]
async fn an_auditor_with_column_grants_and_our_policy_sees_all() {
    let db = under_force().await;
    let tenancy = with_auditor(&db).await;
    let report = audit_as(&db, Role::Owner, &tenancy, &["bookings"]).await.unwrap();
    let bookings = table(&report, "public.bookings");
    assert_eq!((bookings.rows, bookings.null_rows, bookings.empty_rows, bookings.cross_rows()), (8, 2, 1, 4));
    assert_eq!(report.role.unwrap().to_string(), tenancy.roles.auditor);
}

#[tokio::test]
async fn what_a_backfill_may_see_suffices_to_audit_every_table_under_force() {
    let db = test_support::database().await;
    plant(&db).await;
    run(&db, include_str!("force_every_table.sql")).await;
    let report = audit_as(&db, Role::Owner, &Tenancy::default(), &[]).await.unwrap();
    assert_eq!(report.role.unwrap().to_string(), "tenant_maintenance");
    let totals = report.totals;
    assert_eq!(
        (totals.tables, totals.null_rows, totals.empty_rows, totals.ghost_rows, totals.cross_rows),
        (18, 3, 1, 1, 4)
    );
}

#[tokio::test]
async fn a_policy_that_fails_is_named_and_the_other_tables_are_counted() {
    let db = under_force().await;
    let tenancy = with_auditor(&db).await;
    run(
        &db,
        r#"GRANT SELECT ON ALL TABLES IN SCHEMA public TO app_owner;
                CREATE POLICY raising ON bookings USING ("tenantId" = current_setting('app.unset_by_anybody'))"#,
    )
    .await;
    let report = audit_as(&db, Role::Owner, &tenancy, &["bookings", "audit_logs"]).await.unwrap();
    let bookings = uncounted(&report, "public.bookings");
    let Uncounted::PolicyFails { of, policy, sqlstate, error } = &bookings.why else { panic!("{:?}", bookings.why) };
    assert_eq!((of.to_string().as_str(), policy.as_str(), sqlstate.as_str()), ("public.bookings", "raising", "42704"));
    assert!(error.contains("app.unset_by_anybody"), "{error}");
    assert_eq!(table(&report, "public.audit_logs").rows, 1);
    assert_eq!((report.totals.uncounted, report.coverage.open().count()), (1, report.coverage.tables.len() - 1));
}

#[tokio::test]
async fn a_table_that_somebody_locks_is_named_and_the_other_tables_are_counted() {
    let db = test_support::database().await;
    plant(&db).await;
    let mut holder = db.superuser().await;
    holder.run_script("locking", "BEGIN; LOCK TABLE audit_logs IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let report = audit_as(&db, Role::Owner, &Tenancy::default(), &[]).await.unwrap();
    let locked = uncounted(&report, "public.audit_logs");
    assert!(matches!(&locked.why, Uncounted::Failed(StatementFailure::Locked { .. })), "{:?}", locked.why);
    assert_eq!((report.tables.len(), report.uncounted.len()), (17, 1));
    assert_eq!(table(&report, "public.bookings").null_rows, 2);
}

#[tokio::test]
async fn a_connection_that_is_lost_is_the_finding_of_the_table_that_was_being_counted() {
    let db = under_force().await;
    let tenancy = with_auditor(&db).await;
    run(
        &db,
        r#"GRANT SELECT ON ALL TABLES IN SCHEMA public TO app_owner;
                CREATE FUNCTION end_it() RETURNS boolean LANGUAGE sql SECURITY DEFINER
                AS 'SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())';
                CREATE POLICY ending ON bookings USING (public.end_it())"#,
    )
    .await;
    let report = audit_as(&db, Role::Owner, &tenancy, &["bookings", "audit_logs"]).await.unwrap();
    let bookings = uncounted(&report, "public.bookings");
    assert!(matches!(&bookings.why, Uncounted::Failed(StatementFailure::Lost { .. })), "{:?}", bookings.why);
    assert_eq!(table(&report, "public.audit_logs").rows, 1);
}

#[tokio::test]
async fn a_foreign_key_whose_grants_are_missing_is_named_with_the_statement_and_the_other_tables_are_counted() {
    let db = under_force().await;
    let tenancy = with_auditor(&db).await;
    run(&db, "ALTER TABLE bookings ADD other text REFERENCES services").await;
    let report = audit_as(&db, Role::Owner, &tenancy, &["bookings", "audit_logs"]).await.unwrap();
    let bookings = table(&report, "public.bookings");
    assert_eq!((bookings.rows, bookings.null_rows, bookings.cross_rows(), report.uncounted.len()), (8, 2, 4, 0));
    let [bookings] = &bookings.uncounted_parts[..] else { panic!("{bookings:#?}") };
    assert!(matches!(&bookings.part, CountPart::Reference { constraint, .. } if constraint == "bookings_other_fkey"));
    let statement = format!(r#"GRANT SELECT ("other") ON "public"."bookings" TO "{}";"#, tenancy.roles.auditor);
    let remedy = bookings.remedy.as_ref().unwrap().to_string();
    assert!(remedy.starts_with("`cargo xtask rls rollout` gives") && remedy.ends_with(&statement), "{remedy}");
    assert_eq!(table(&report, "public.audit_logs").rows, 1);
    let grant = tenant_rls::Sql::from_catalog(statement);
    db.superuser().await.run_script("doing as the report says", grant).await.unwrap();
    let report = audit_as(&db, Role::Owner, &tenancy, &["bookings", "audit_logs"]).await.unwrap();
    assert_eq!((table(&report, "public.bookings").rows, report.uncounted.len()), (8, 0));
    assert!(table(&report, "public.bookings").uncounted_parts.is_empty());
}

#[tokio::test]
async fn one_column_less_and_the_finding_names_the_statement_that_grants_it() {
    let db = under_force().await;
    let tenancy = with_auditor(&db).await;
    let revoke = Template::new(r#"REVOKE SELECT ("clientId") ON bookings FROM :"role""#)
        .ident("role", &Ident::new(&tenancy.roles.auditor).unwrap())
        .build();
    db.superuser().await.run_script("revoking", revoke).await.unwrap();
    let report = audit_as(&db, Role::Owner, &tenancy, &["bookings"]).await.unwrap();
    let [part] = &table(&report, "public.bookings").uncounted_parts[..] else { panic!("{:#?}", report.tables) };
    assert!(part.to_string().contains("may not select clientId of public.bookings"), "{part}");
    assert!(part.remedy.as_ref().unwrap().to_string().contains(r#"GRANT SELECT ("clientId")"#), "{part:?}");
}

#[tokio::test]
async fn a_restrictive_policy_ends_the_proof() {
    let db = under_force().await;
    let tenancy = with_auditor(&db).await;
    run(&db, "CREATE POLICY narrow ON bookings AS RESTRICTIVE USING (duration > 0)").await;
    let error = assert_cannot_see(audit_as(&db, Role::Owner, &tenancy, &["bookings"]).await);
    assert!(error.to_string().contains("restrictive policy \"narrow\""), "{error}");
}

#[tokio::test]
async fn a_policy_that_looks_like_ours_and_is_narrower_is_no_proof() {
    let db = under_force().await;
    let tenancy = with_auditor(&db).await;
    run(&db, "ALTER POLICY auditor_read ON bookings USING (duration > 0)").await;
    assert_cannot_see(audit_as(&db, Role::Owner, &tenancy, &["bookings"]).await);
}

#[tokio::test]
async fn a_policy_that_comes_while_the_audit_runs_fails_it() {
    let db = test_support::database().await;
    plant(&db).await;
    let report = audit_while(&db, STRICT).await.unwrap();
    assert!(matches!(uncounted(&report, "public.bookings").why, Uncounted::CannotSee { .. }), "{:?}", report.uncounted);
    assert_eq!(table(&report, "public.audit_logs").rows, 1, "the others are counted");
    assert!(report.findings() > 0);
}

#[tokio::test]
async fn a_table_that_is_rewritten_while_the_audit_runs_fails_it_and_is_not_empty() {
    let db = test_support::database().await;
    plant(&db).await;
    let report = audit_while(&db, "ALTER TABLE bookings ALTER duration TYPE bigint").await.unwrap();
    let why = &uncounted(&report, "public.bookings").why;
    assert!(matches!(why, Uncounted::Rewritten { of } if of.to_string() == "public.bookings"), "{why}");
    assert_eq!(table(&report, "public.audit_logs").rows, 1, "the others are counted");
}

#[tokio::test]
async fn rows_that_come_while_the_audit_runs_are_in_no_table_of_it() {
    let db = test_support::database().await;
    plant(&db).await;
    let report = audit_while(&db, r#"UPDATE bookings SET "tenantId" = 'a'; DELETE FROM audit_logs"#).await.unwrap();
    assert_eq!((table(&report, "public.bookings").null_rows, table(&report, "public.audit_logs").rows), (2, 1));
}

/// Audits as the owner; between the snapshot and the first scan, another session runs the script.
async fn audit_while(db: &TestDb, script: &'static str) -> Result<AuditReport> {
    let database = connect(db, Role::Owner).await;
    let url = db.url(Role::Superuser);
    let mut disturb = Some(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut other = DirectConnection::as_application(&url, "tests").await.unwrap();
            other.run_script("disturbing the audit", script).await.unwrap();
        });
    });
    let mut progress = |progress| {
        if let (AuditProgress::Planned { .. }, Some(disturb)) = (progress, disturb.take()) {
            std::thread::spawn(disturb).join().unwrap(); // a runtime cannot block inside another
        }
    };
    audit(&database, &Tenancy::default(), &AuditOptions::default(), &mut progress).await
}

#[tokio::test]
async fn more_tables_at_once_than_connections_do_not_wait_for_each_other_for_ever() {
    let db = under_force().await;
    let tenancy = with_auditor(&db).await;
    let rest = r#"GRANT SELECT ON ALL TABLES IN SCHEMA public TO :"role";
                  ALTER TABLE users ENABLE ROW LEVEL SECURITY;
                  ALTER TABLE users FORCE ROW LEVEL SECURITY;
                  CREATE POLICY auditor_read ON users FOR SELECT TO :"role" USING (current_user = :'role_name');"#;
    let script = Template::new(rest)
        .ident("role", &Ident::new(&tenancy.roles.auditor).unwrap())
        .literal("role_name", &tenancy.roles.auditor)
        .build();
    db.superuser().await.run_script("granting the rest", script).await.unwrap();
    let open = async |max_connections| {
        let options = ConnectOptions { max_connections, ..ConnectOptions::default() };
        Database::connect(&db.url(Role::Owner), &options).await.unwrap()
    };
    let options = AuditOptions { concurrency: 16, ..Default::default() };
    for connections in [3, 4] {
        let report = audit(&open(connections).await, &tenancy, &options, &mut |_| {}).await.unwrap();
        assert_eq!(report.tables.len(), 18);
    }
    // Under policies a table takes two, beside the one that holds the snapshot.
    let refused = audit(&open(2).await, &tenancy, &options, &mut |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("this needs 3"), "{refused}");
}

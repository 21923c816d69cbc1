//! What is rare and dangerous: FORCE that is lifted for a moment, partitions of partitions, names and logins that do not fit.

use local_db::Role;
use rls_rollout::{Error, RolloutOptions, RolloutReport, rollout, sentences, status};
use tenancy_config::UserError;
use tenancy_config::{Exit, Tenancy};
use tenant_inventory::Phase;
use tenant_rls::sqlstate::ROW_WITHOUT_TENANT;
use test_support::TestDb;
use tokio::sync::watch;

use crate::support::{
    all_at, all_the_way_back, auto, back, catalog, clean, clean_server, connect, roll, roll_with, script, session, to,
};

/// Forced, and with a foreign key that nobody has proven.
const FORCED_AND_UNPROVEN: &str = r#"ALTER TABLE bookings DROP CONSTRAINT "bookings_tenantId_fkey";
    ALTER TABLE bookings ADD CONSTRAINT "bookings_tenantId_fkey" FOREIGN KEY ("tenantId") REFERENCES "Tenant" (id) ON DELETE CASCADE NOT VALID;
    ALTER TABLE bookings ENABLE ROW LEVEL SECURITY; ALTER TABLE bookings FORCE ROW LEVEL SECURITY"#;

/// A row of a tenant that does not exist comes in while FORCE is lifted, past the key's trigger.
const HAUNT: &str = r#"CREATE FUNCTION haunt() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $haunt$
    BEGIN
        IF (SELECT relforcerowsecurity FROM pg_class WHERE oid = 'bookings'::regclass) THEN
            RETURN;
        END IF;
        PERFORM set_config('session_replication_role', 'replica', true);
        INSERT INTO bookings (id, "clientId", "serviceId", "scheduledAt", duration, "clientName", "clientEmail", "tenantId", "updatedAt")
        VALUES ('b_ghost', 'u_a', 's_a', now(), 30, 'A', 'a@acme.example', 't_deleted', now()) ON CONFLICT DO NOTHING;
        PERFORM set_config('session_replication_role', 'origin', true);
    END $haunt$;
    CREATE EVENT TRIGGER haunt ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION haunt()"#;

fn bookings(phase: Phase) -> RolloutOptions {
    RolloutOptions { tables: vec!["bookings".to_owned()], ..to(phase) }
}

async fn forced(db: &TestDb, table: &str) -> bool {
    let mut superuser = db.superuser().await;
    let forced = sqlx::query_scalar("SELECT relforcerowsecurity FROM pg_class WHERE oid = $1::regclass").bind(table);
    forced.fetch_one(superuser.connection()).await.unwrap()
}

/// The table of a report.
fn stopped(report: &RolloutReport, table: &str) -> String {
    let found = report.tables.iter().find(|outcome| outcome.table.to_string() == table);
    sentences(&found.unwrap_or_else(|| panic!("{table} in {report:#?}")).stopped_by)
}

#[tokio::test]
async fn force_is_not_lifted_where_the_application_owns_the_table() {
    let db = clean().await;
    script(&mut db.owner().await, FORCED_AND_UNPROVEN).await;
    let options = RolloutOptions { app_role: Some("app_owner".to_owned()), ..bookings(Phase::Tighten) };
    let report = roll(&db, &options).await.unwrap();
    let why = stopped(&report, "public.bookings");
    assert!(why.contains("lifting FORCE meanwhile would show the application every tenant's rows"), "{why}");
    assert!(forced(&db, "bookings").await);
    let mut superuser = db.superuser().await;
    let lifted = "SELECT count(*) FROM tenant_ops.rollout_step WHERE step LIKE 'let the owner%'";
    let lifted: i64 = sqlx::query_scalar(lifted).fetch_one(superuser.connection()).await.unwrap();
    assert_eq!(lifted, 0, "not for a moment");
}

#[tokio::test]
async fn a_tenant_that_vanishes_behind_the_audit_leaves_no_table_open() {
    let db = clean().await;
    script(&mut db.owner().await, FORCED_AND_UNPROVEN).await;
    let database = connect(&db, Role::Owner).await;
    tenant_ops::install(&database, &Tenancy::default()).await.unwrap();
    database.close().await;
    // An event trigger stands for whoever writes between the audit and the validation.
    script(&mut db.superuser().await, HAUNT).await;
    let report = roll(&db, &bookings(Phase::Tighten)).await.unwrap();
    let why = stopped(&report, "public.bookings");
    assert!(why.contains("a row came in after the audit") && why.contains("23503"), "{why}");
    assert!(forced(&db, "bookings").await, "the validation failed, and the table is forced again");
}

/// A row without a tenant comes in just before the constraint that keeps them out.
const LATE: &str = r#"CREATE FUNCTION late() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $late$
    BEGIN
        IF current_query() LIKE '%ADD CONSTRAINT "bookings_tenantId_not_null_check"%' THEN
            INSERT INTO bookings (id, "clientId", "serviceId", "scheduledAt", duration, "clientName", "clientEmail", "tenantId", "updatedAt")
            VALUES ('b_late', 'u_a', 's_a', now(), 30, 'A', 'a@acme.example', NULL, now()) ON CONFLICT DO NOTHING;
        END IF;
    END $late$;
    CREATE EVENT TRIGGER late ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION late()"#;

#[tokio::test]
async fn a_row_without_a_tenant_that_comes_in_behind_the_audit_stops_its_table() {
    let db = clean().await;
    script(&mut db.superuser().await, LATE).await;
    let report = roll(&db, &bookings(Phase::Tighten)).await.unwrap();
    let why = stopped(&report, "public.bookings");
    assert!(why.contains("a row came in after the audit") && why.contains(ROW_WITHOUT_TENANT), "{why}");
}

#[tokio::test]
async fn a_run_that_died_while_force_was_lifted_is_mended_by_the_next() {
    let db = clean().await;
    script(&mut db.owner().await, FORCED_AND_UNPROVEN).await;
    let whole = clean().await;
    script(&mut whole.owner().await, FORCED_AND_UNPROVEN).await;
    assert!(all_at(&roll(&whole, &bookings(Phase::Enforce)).await.unwrap(), Phase::Enforce));
    let database = connect(&db, Role::Owner).await;
    let (validating, begun) = tokio::sync::oneshot::channel();
    let mut validating = Some(validating);
    let mut progress = |event| {
        if let rls_rollout::RolloutEvent::Step { step: "prove that every tenant exists", .. } = event
            && let Some(begun) = validating.take()
        {
            let _ = begun.send(());
        }
    };
    let (_go, stop) = watch::channel(false);
    let (tenancy, options) = (Tenancy::default(), bookings(Phase::Tighten));
    let dead = rls_rollout::rollout(&database, &tenancy, &options, "the one that dies", stop, &mut progress);
    tokio::select! {
        ended = dead => panic!("it was to die: {ended:?}"),
        begun = begun => begun.unwrap(),
    }
    script(&mut db.superuser().await, "UPDATE tenant_ops.lease SET released_at = now()").await;
    assert!(!forced(&db, "bookings").await, "it died while FORCE was lifted");
    let report = roll(&db, &bookings(Phase::Tighten)).await.unwrap();
    assert!(all_at(&report, Phase::Enforce), "{report:#?}");
    assert_eq!(catalog(&db).await, catalog(&whole).await);
}

#[tokio::test]
async fn partitions_of_partitions_get_the_same_rights_and_lose_nothing() {
    let db = clean().await;
    let deep = r#"CREATE TABLE visits (id int, "tenantId" text, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY RANGE (at);
        CREATE TABLE visits_2026_05 PARTITION OF visits_2026 FOR VALUES FROM ('2026-05-01') TO ('2026-06-01');
        INSERT INTO visits VALUES (1, 't_a', '2026-05-05')"#;
    script(&mut db.owner().await, deep).await;
    let untouched = catalog(&db).await;
    let report = roll(&db, &auto()).await.unwrap();
    assert!(all_at(&report, Phase::Enforce), "{report:#?}");
    let lines = catalog(&db).await;
    let rights = |table: &str| -> Vec<String> {
        let prefix = format!("{table} grant");
        let of_table = lines.iter().filter_map(|line| line.strip_prefix(&prefix));
        of_table.filter(|right| right.contains("tenant_")).map(str::to_owned).collect()
    };
    assert!(rights("visits").len() > 2, "{:?}", rights("visits"));
    assert_eq!(rights("visits_2026_05"), rights("visits"));
    let database = connect(&db, Role::Owner).await;
    let status = status(&database, &Tenancy::default(), None).await.unwrap();
    let lost: Vec<_> = status.tables.iter().filter(|table| !table.lost.is_empty()).collect();
    assert!(lost.is_empty(), "{lost:#?}");
    back(&db, Phase::None).await.unwrap();
    assert_eq!(catalog(&db).await, untouched);
}

#[tokio::test]
async fn the_name_of_an_index_that_another_table_has_is_left_alone() {
    let db = clean().await;
    let taken = r#"CREATE INDEX "expenses_tenantId_idx" ON bookings (duration);
                   CREATE INDEX "expenses_tenantId_tenant_idx" ON expenses ("amountCents")"#;
    script(&mut db.owner().await, taken).await;
    let untouched = catalog(&db).await;
    assert!(all_at(&roll(&db, &auto()).await.unwrap(), Phase::Enforce));
    let lines = catalog(&db).await;
    assert!(lines.iter().any(|line| line.contains("\"expenses_tenantId_tenant_idx1\"")), "a third name");
    assert!(untouched.iter().all(|line| !line.contains(" index ") || lines.contains(line)), "theirs stay");
    back(&db, Phase::None).await.unwrap();
    assert_eq!(catalog(&db).await, untouched);
}

#[tokio::test]
async fn a_read_only_login_is_refused_before_anything_is_written() {
    let db = clean().await;
    let before = catalog(&db).await;
    let read_only = format!("ALTER DATABASE \"{}\" SET default_transaction_read_only = on", db.name());
    let mut superuser = db.superuser().await;
    superuser.run_script("preparing a test", tenant_rls::Sql::from_catalog(read_only)).await.unwrap();
    let error = roll(&db, &auto()).await.unwrap_err();
    assert!(matches!(error, Error::ReadOnly), "{error}");
    assert_eq!((error.to_string().as_str(), error.exit()), ("transactions of this login are read-only", Exit::Refused));
    assert_eq!(catalog(&db).await, before);
}

#[tokio::test]
async fn a_login_that_may_do_nothing_is_refused_and_changes_nothing() {
    let db = clean().await;
    let before = catalog(&db).await;
    let database = connect(&db, Role::AppUser).await;
    let (_go, stop) = watch::channel(false);
    let refused = rls_rollout::rollout(&database, &Tenancy::default(), &auto(), "a test", stop, &mut |_| ()).await;
    let error = refused.unwrap_err();
    assert!(
        error.to_string().starts_with("the rollout would fail, and was not begun: app_user may neither"),
        "{error}"
    );
    assert!(error.hint().is_some());
    assert_eq!(catalog(&db).await, before);
}

#[tokio::test]
async fn a_superuser_goes_the_whole_way_and_back() {
    let db = clean().await;
    let untouched = catalog(&db).await;
    let database = connect(&db, Role::Superuser).await;
    let (_go, stop) = watch::channel(false);
    let tenancy = Tenancy::default();
    let report = rls_rollout::rollout(&database, &tenancy, &auto(), "a test", stop.clone(), &mut |_| ()).await.unwrap();
    assert!(all_at(&report, Phase::Enforce), "{report:#?}");
    rls_rollout::rollback(&database, &tenancy, &all_the_way_back(), "a test", stop, &mut |_| ()).await.unwrap();
    assert_eq!(catalog(&db).await, untouched);
}

#[tokio::test]
async fn the_owner_goes_on_with_what_a_superuser_began() {
    let server = clean_server().await;
    let mut tenancy = Tenancy::default();
    tenancy.roles.maintenance = "another maintenance".to_owned();
    tenancy.roles.auditor = "another auditor".to_owned();
    let superuser = connect(&server, Role::Superuser).await;
    let (_go, stop) = watch::channel(false);
    let begun = rollout(&superuser, &tenancy, &to(Phase::Prepare), "a test", stop, &mut |_| ()).await.unwrap();
    superuser.close().await;
    assert!(begun.tables.iter().all(|table| table.after >= Phase::Prepare), "{begun:#?}");

    let mut session = session(&server, Role::Superuser).await;
    let kept: Vec<String> = sqlx::query_scalar(
        "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'tenant_ops'
         UNION ALL SELECT format('app_owner of %I', r.rolname) FROM pg_roles AS r
                   WHERE r.rolname IN ('another auditor', 'another maintenance') AND pg_has_role('app_owner', r.oid, 'MEMBER') ORDER BY 1",
    )
    .fetch_all(session.connection())
    .await
    .unwrap();
    assert_eq!(kept, ["app_owner", "app_owner of \"another auditor\"", "app_owner of \"another maintenance\""]);
    session.close().await;
    let done = roll_with(&server, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert!(done.tables.iter().all(|table| table.after == Phase::Enforce), "{done:#?}");
}

#[tokio::test]
async fn a_role_that_is_missing_and_cannot_be_made_is_named_with_the_statement_that_makes_it() {
    let db = clean().await;
    let mut tenancy = Tenancy::default();
    tenancy.roles.auditor = "auditor of nobody".to_owned();
    let error = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    let create = "and so do these statements: CREATE ROLE \"auditor of nobody\" NOLOGIN NOSUPERUSER NOBYPASSRLS; ";
    assert!(error.to_string().contains(create), "{error}");
    assert!(error.to_string().contains("; GRANT \"auditor of nobody\" TO "), "{error}");
    let protected = catalog(&db).await;
    assert!(!protected.iter().any(|line| line.contains(" policy ")), "no table was begun");
}

//! The proof by trying: a clean database passes, and each way to leak is found and named.

use local_db::Role;
use rls_verify::{VerifyOptions, VerifyReport, verify};
use tenancy_config::Tenancy;
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::breach::Breach;
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::claim::untried::Untried;
use test_support::TestDb;

use crate::support::{clean, connect, roll, script};

/// Every table of a clean database under FORCE.
pub(crate) async fn enforced() -> TestDb {
    let db = clean().await;
    assert!(roll(&db).await.unwrap().is_complete());
    db
}

pub(crate) async fn prove(db: &TestDb) -> VerifyReport {
    let (owner, app) = (connect(db, Role::Owner).await, connect(db, Role::AppUser).await);
    let options = VerifyOptions { write_probes: true, ..VerifyOptions::default() };
    verify(&owner, &app, &Tenancy::default(), &options, &mut |_| ()).await.unwrap()
}

/// The findings, a line each.
pub(crate) fn found(report: &VerifyReport) -> Vec<String> {
    report.findings.iter().map(ToString::to_string).collect()
}

pub(crate) fn contains(report: &VerifyReport, parts: &[&str]) {
    let lines = found(report);
    assert!(lines.iter().any(|line| parts.iter().all(|part| line.contains(part))), "no {parts:?} in {lines:#?}");
}

#[tokio::test]
async fn a_clean_database_is_proven_and_nothing_of_the_attempts_stays() {
    let db = enforced().await;
    let state =
        r#"SELECT md5(string_agg(xmin::text || id || coalesce("tenantId", ''), ',' ORDER BY id)) FROM bookings"#;
    let state_now = async || -> String {
        let mut superuser = db.superuser().await;
        sqlx::query_scalar(state).fetch_one(superuser.connection()).await.unwrap()
    };
    let before = state_now().await;
    let report = prove(&db).await;
    assert!(report.is_proven(), "{:#?}", found(&report));
    assert_eq!(state_now().await, before);
    let bookings = report.tables.iter().find(|table| table.table.name().as_str() == "bookings").unwrap();
    for what in AttemptKind::ALL.into_iter().filter(|what| *what != AttemptKind::ReadPlatform) {
        let result =
            bookings.attempts.iter().find(|attempt| attempt.what == what).map(|attempt| attempt.evidence.clone());
        assert_eq!(result, Some(Evidence::Held), "{what:?} in {:#?}", bookings.attempts);
    }
    assert!(bookings.attempts.iter().any(|attempt| attempt.login == "app_owner"), "tried as the owner too");
}

#[tokio::test]
async fn a_permissive_policy_that_leaks_is_named() {
    let db = enforced().await;
    script(&mut db.owner().await, "CREATE POLICY support ON bookings FOR SELECT USING (true)").await;
    let report = prove(&db).await;
    contains(&report, &["public.bookings", "the policy \"support\" is not the rollout's, and lets rows through"]);
    contains(&report, &["leak as app_user, reading another tenant's rows", "\"support\""]);
    contains(&report, &["leak as app_user, reading where no tenant is set"]);
}

#[tokio::test]
async fn a_misspelt_setting_hides_own_rows_and_its_policy_is_named() {
    let db = enforced().await;
    let typo = r#"ALTER POLICY rls_tenant_isolation ON bookings USING ("tenantId" = NULLIF(current_setting('app.curent_tenant_id', true), ''))"#;
    script(&mut db.owner().await, typo).await;
    let report = prove(&db).await;
    contains(&report, &["hidden as app_user, reading own rows", "through the policy \"rls_tenant_isolation\""]);
    contains(
        &report,
        &["the policy \"rls_tenant_isolation\" is not the rollout's, and lets rows through", "app.curent_tenant_id"],
    );
}

#[tokio::test]
async fn coalesce_with_the_column_leaks_where_no_tenant_is_set() {
    let db = enforced().await;
    let coalesce = r#"ALTER POLICY rls_tenant_isolation ON bookings
        USING ("tenantId" = COALESCE(NULLIF(current_setting('app.current_tenant_id', true), ''), "tenantId"))"#;
    script(&mut db.owner().await, coalesce).await;
    let report = prove(&db).await;
    contains(&report, &["leak as app_user, reading where no tenant is set", "rls_tenant_isolation"]);
    contains(&report, &["leak as app_user, reading where the tenant is empty"]);
}

#[tokio::test]
async fn a_check_for_any_tenant_at_all_lets_rows_be_written_for_another() {
    let db = enforced().await;
    let check = r#"ALTER POLICY rls_tenant_isolation ON bookings WITH CHECK ("tenantId" IS NOT NULL)"#;
    script(&mut db.owner().await, check).await;
    let report = prove(&db).await;
    contains(&report, &["leak as app_user, inserting a row of another tenant", "rls_tenant_isolation"]);
    // PostgreSQL also holds an updated row to the policy for reading, so this one stands.
    let bookings = report.tables.iter().find(|table| table.table.name().as_str() == "bookings").unwrap();
    let away = bookings.attempts.iter().find(|attempt| attempt.what == AttemptKind::UpdateAway).unwrap();
    assert_eq!(away.evidence, Evidence::Held);
    contains(&report, &["leak as app_user, inserting where no tenant is set"]);
}

#[tokio::test]
async fn a_partition_that_is_read_directly_is_found() {
    let db = clean().await;
    let partitioned = r#"CREATE TABLE visits (id int, "tenantId" text, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        INSERT INTO visits VALUES (1, 't_a', '2025-05-05'), (2, 't_b', '2025-05-06');
        GRANT SELECT ON visits, visits_2025 TO app_user"#;
    script(&mut db.owner().await, partitioned).await;
    roll(&db).await.unwrap();
    script(&mut db.owner().await, "ALTER TABLE visits_2025 DISABLE ROW LEVEL SECURITY").await;
    let report = prove(&db).await;
    contains(
        &report,
        &["public.visits_2025: row level security is off", "a partition of public.visits is read past its policies"],
    );
}

#[tokio::test]
async fn a_view_that_reads_as_its_owner_is_found_where_it_leaks() {
    let db = enforced().await;
    let view = "CREATE VIEW all_bookings AS SELECT * FROM bookings; GRANT SELECT ON all_bookings TO app_user";
    script(&mut db.owner().await, view).await;
    assert!(prove(&db).await.is_proven(), "the owner is forced, so its view shows nothing either");
    script(&mut db.superuser().await, "ALTER VIEW all_bookings OWNER TO postgres").await;
    contains(
        &prove(&db).await,
        &["the view public.all_bookings reaches public.bookings as postgres", "the login sees tenants' rows"],
    );
}

#[tokio::test]
async fn a_login_that_no_policy_filters_is_found() {
    let db = enforced().await;
    let (owner, superuser) = (connect(&db, Role::Owner).await, connect(&db, Role::Superuser).await);
    let report = verify(&owner, &superuser, &Tenancy::default(), &VerifyOptions::default(), &mut |_| ()).await.unwrap();
    contains(&report, &["the login postgres is a superuser: no policy filters it"]);
    contains(&report, &["leak as postgres, reading another tenant's rows"]);
}

#[tokio::test]
async fn tables_whose_triggers_would_fire_are_not_written_to_unless_told() {
    let db = enforced().await;
    let trigger = "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('c', 'x'); RETURN NEW; END $$;
                   CREATE TRIGGER shout AFTER INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION shout()";
    script(&mut db.owner().await, trigger).await;
    let report = prove(&db).await;
    let bookings = report.tables.iter().find(|table| table.table.name().as_str() == "bookings").unwrap();
    let insert = bookings.attempts.iter().find(|attempt| attempt.what == AttemptKind::InsertOwn).unwrap();
    let because = Untried::TriggersWouldFire { table: "public.bookings".to_owned() };
    assert_eq!(insert.evidence, Evidence::HeldByDefinition { because });
}

#[tokio::test]
async fn a_key_that_the_server_generates_does_not_hide_that_others_rows_can_be_changed() {
    let db = clean().await;
    let numbered = r#"CREATE TABLE receipts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "tenantId" text, number text UNIQUE);
        INSERT INTO receipts ("tenantId", number) VALUES ('t_a', '1'), ('t_b', '2');
        GRANT SELECT, INSERT, UPDATE, DELETE ON receipts TO app_user"#;
    script(&mut db.owner().await, numbered).await;
    roll(&db).await.unwrap();
    let result = |report: &VerifyReport, what: AttemptKind| {
        let receipts = report.tables.iter().find(|table| table.table.name().as_str() == "receipts").unwrap();
        receipts.attempts.iter().find(|attempt| attempt.what == what).map(|attempt| attempt.evidence.clone())
    };
    let clean = prove(&db).await;
    for what in AttemptKind::ALL.into_iter().filter(|what| *what != AttemptKind::ReadPlatform) {
        assert_eq!(result(&clean, what), Some(Evidence::Held), "{what:?}");
    }
    let leaky = "CREATE POLICY sweep ON receipts FOR DELETE USING (true); CREATE POLICY look ON receipts FOR SELECT USING (true);
                 CREATE POLICY mend ON receipts FOR UPDATE USING (true) WITH CHECK (true)";
    script(&mut db.owner().await, leaky).await;
    let report = prove(&db).await;
    for what in [AttemptKind::UpdateAway, AttemptKind::UpdateOther, AttemptKind::DeleteOther] {
        assert!(result(&report, what).unwrap().breach().is_some_and(Breach::crosses_tenants), "{what:?}");
    }
}

#[tokio::test]
async fn a_constraint_that_refuses_after_the_policy_let_a_row_in_is_still_a_leak() {
    let db = clean().await;
    let one_a_day = r#"CREATE TABLE days (id text PRIMARY KEY, "tenantId" text, day date UNIQUE);
        INSERT INTO days VALUES ('a', 't_a', '2025-05-05'), ('b', 't_b', '2025-05-06');
        GRANT SELECT, INSERT, UPDATE, DELETE ON days TO app_user"#;
    script(&mut db.owner().await, one_a_day).await;
    roll(&db).await.unwrap();
    assert!(prove(&db).await.is_proven());
    let any = r#"ALTER POLICY rls_tenant_isolation ON days WITH CHECK ("tenantId" IS NOT NULL)"#;
    script(&mut db.owner().await, any).await;
    contains(
        &prove(&db).await,
        &["public.days: leak as app_user, inserting a row of another tenant", "only a constraint refused it"],
    );
}

#[tokio::test]
async fn a_missing_right_is_not_taken_for_a_policys_refusal() {
    let db = enforced().await;
    script(&mut db.owner().await, "REVOKE INSERT ON bookings FROM app_user").await;
    let report = prove(&db).await;
    let bookings = report.tables.iter().find(|table| table.table.name().as_str() == "bookings").unwrap();
    for what in [
        AttemptKind::InsertOwn,
        AttemptKind::InsertOther,
        AttemptKind::InsertUnset,
        AttemptKind::UpdateOther,
        AttemptKind::DeleteOther,
    ] {
        let attempt = bookings.attempts.iter().find(|attempt| attempt.what == what).unwrap();
        assert!(matches!(attempt.evidence, Evidence::HeldByDefinition { .. }), "{what:?}");
    }
}

#[tokio::test]
async fn a_tenant_that_the_login_has_from_the_start_is_found() {
    let db = enforced().await;
    // In this database only: other tests share the role.
    let set = "DO $$ BEGIN EXECUTE format('ALTER ROLE app_user IN DATABASE %I SET app.current_tenant_id = ''t_a''', current_database()); END $$";
    script(&mut db.superuser().await, set).await;
    let report = prove(&db).await;
    contains(&report, &["app.current_tenant_id is t_a before app_user sets anything"]);
}

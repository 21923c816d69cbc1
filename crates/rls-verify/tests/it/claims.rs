//! What is claimed: proven only where everything was tried or is held by definition, and what is missing is named.

use local_db::Role;
use rls_verify::{VerifyOptions, VerifyReport, verify};
use tenancy_config::Tenancy;
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::missing::Missing;
use tenant_inventory::claim::verdict::Verdict;
use test_support::TestDb;

use crate::support::{clean, connect, roll_as, script};
use crate::verify::{contains, enforced, found, prove};

async fn prove_as(db: &TestDb, tenancy: &Tenancy, options: &VerifyOptions) -> VerifyReport {
    let (owner, app) = (connect(db, Role::Owner).await, connect(db, Role::AppUser).await);
    verify(&owner, &app, tenancy, options, &mut |_| ()).await.unwrap()
}

fn writing() -> VerifyOptions {
    VerifyOptions { write_probes: true, ..VerifyOptions::default() }
}

fn missing(report: &VerifyReport) -> Vec<String> {
    report.claim.missing().iter().map(ToString::to_string).collect()
}

#[track_caller]
fn lacks(report: &VerifyReport, part: &str) {
    assert_eq!(report.claim.verdict(), Verdict::Unproven, "{:#?}", found(report));
    assert!(missing(report).iter().any(|missing| missing.contains(part)), "no {part} in {:#?}", missing(report));
}

/// Changes a setting of the login in this database only: other tests share the role.
async fn set_for_login(db: &TestDb, setting: &'static str) {
    let set = match setting {
        "row_security" => {
            "DO $$ BEGIN EXECUTE format('ALTER ROLE app_user IN DATABASE %I SET row_security = off', current_database()); END $$"
        }
        _ => {
            "DO $$ BEGIN EXECUTE format('ALTER ROLE app_user IN DATABASE %I SET default_transaction_read_only = on', current_database()); END $$"
        }
    };
    script(&mut db.superuser().await, set).await;
}

#[tokio::test]
async fn a_policy_that_lets_any_row_be_deleted_is_found_by_a_delete_without_a_condition() {
    let db = enforced().await;
    script(&mut db.owner().await, "CREATE POLICY sweep ON bookings FOR DELETE USING (true)").await;
    let report = prove(&db).await;
    contains(&report, &["public.bookings: leak as app_user, deleting rows without a condition", "\"sweep\""]);
    assert_eq!(report.claim.verdict(), Verdict::Disproven);
    let bookings: i64 =
        sqlx::query_scalar("SELECT count(*) FROM bookings").fetch_one(db.superuser().await.connection()).await.unwrap();
    assert_eq!(bookings, 2);
}

#[tokio::test]
async fn a_restrictive_policy_is_a_finding_until_it_is_declared() {
    let db = enforced().await;
    let narrow = "CREATE POLICY old ON bookings AS RESTRICTIVE FOR SELECT TO app_user USING (duration >= 0)";
    script(&mut db.owner().await, narrow).await;
    let report = prove(&db).await;
    contains(&report, &["public.bookings: the restrictive policy \"old\""]);
    assert_eq!(report.claim.verdict(), Verdict::Unproven);
    let mut tenancy = Tenancy::default();
    let bookings = tenancy.tables.get_mut("bookings").unwrap();
    bookings.allow_policies.insert("old".into(), "durations are never negative".into());
    let report = prove_as(&db, &tenancy, &writing()).await;
    assert!(report.is_proven(), "{:#?} {:#?}", found(&report), missing(&report));
    assert!(report.notes.iter().any(|note| note.to_string().contains("durations are never negative")));
}

#[tokio::test]
async fn a_database_without_tenant_tables_is_not_proven() {
    let db = test_support::database().await;
    let columns = vec!["organisation".into()];
    let tenancy = Tenancy { columns, tables: std::collections::BTreeMap::new(), ..Tenancy::default() };
    let report = prove_as(&db, &tenancy, &writing()).await;
    assert!(report.claim.missing().contains(&Missing::NoTables), "{:#?}", missing(&report));
    assert!(!report.is_proven());
}

const NOTES: &str = r#"CREATE TABLE booking_notes (id int PRIMARY KEY, "bookingId" text REFERENCES bookings (id), body text);
    GRANT SELECT, INSERT ON booking_notes TO app_user"#;

#[tokio::test]
async fn a_table_that_hangs_on_tenants_rows_is_found_until_nobody_reaches_it_or_it_is_declared() {
    let db = enforced().await;
    script(&mut db.owner().await, NOTES).await;
    let report = prove(&db).await;
    contains(&report, &["public.booking_notes: app_user has SELECT, INSERT on it", "depend on public.bookings"]);
    assert_eq!(report.claim.verdict(), Verdict::Disproven);
    let mut tenancy = Tenancy::default();
    let rules = tenancy.tables.entry("booking_notes".into()).or_default();
    rules.exempt = Some("notes are for the staff of all tenants".into());
    let declared = prove_as(&db, &tenancy, &writing()).await;
    assert!(declared.is_proven(), "{:#?} {:#?}", found(&declared), missing(&declared));
    assert_eq!(declared.claim.exempt()[0].why, "notes are for the staff of all tenants");
    script(&mut db.owner().await, "ALTER TABLE booking_notes ENABLE ROW LEVEL SECURITY").await;
    lacks(&prove(&db).await, "public.booking_notes was not tried");
    script(&mut db.owner().await, "REVOKE ALL ON booking_notes FROM app_user").await;
    assert!(prove(&db).await.is_proven(), "nobody reaches it");
}

const NOTES_BY_YEAR: &str = r#"CREATE TABLE notes_by_year (id int, at date, "bookingId" text REFERENCES bookings (id)) PARTITION BY RANGE (at);
    CREATE TABLE notes_2025 PARTITION OF notes_by_year FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    ALTER TABLE notes_by_year ENABLE ROW LEVEL SECURITY"#;

#[tokio::test]
async fn a_partition_that_the_login_reaches_directly_is_found_where_its_table_is_out_of_reach() {
    let db = enforced().await;
    script(&mut db.owner().await, NOTES_BY_YEAR).await;
    assert!(prove(&db).await.is_proven(), "nobody reaches it");
    script(&mut db.owner().await, "GRANT SELECT ON notes_2025 TO app_user").await;
    let report = prove(&db).await;
    contains(&report, &["public.notes_by_year: app_user has SELECT on it", "depend on public.bookings"]);
    assert_eq!(report.claim.verdict(), Verdict::Disproven);
}

#[tokio::test]
async fn a_table_on_which_the_login_has_no_rights_is_not_proven() {
    let db = enforced().await;
    script(&mut db.owner().await, "REVOKE ALL ON bookings FROM app_user").await;
    lacks(&prove(&db).await, "public.bookings: not tried, reading own rows");
}

#[tokio::test]
async fn row_security_that_is_off_for_the_login_is_found() {
    let db = enforced().await;
    set_for_login(&db, "row_security").await;
    let report = prove(&db).await;
    contains(&report, &["row_security is off for app_user"]);
    assert!(!report.is_proven());
}

#[tokio::test]
async fn a_login_that_is_read_only_by_default_is_tried_all_the_same() {
    let db = enforced().await;
    set_for_login(&db, "read_only").await;
    let report = prove(&db).await;
    assert!(report.is_proven(), "{:#?} {:#?}", found(&report), missing(&report));
}

#[tokio::test]
async fn some_of_the_tables_prove_nothing_about_the_others() {
    let db = enforced().await;
    let options = VerifyOptions { tables: vec!["bookings".into()], ..writing() };
    let report = prove_as(&db, &Tenancy::default(), &options).await;
    lacks(&report, "public.users was not tried");
    assert!(report.claim.covered().iter().any(|table| table.name().as_str() == "bookings"));
}

#[tokio::test]
async fn without_writing_the_definition_stands_in_unless_another_policy_holds() {
    let db = enforced().await;
    let reading = VerifyOptions::default();
    let report = prove_as(&db, &Tenancy::default(), &reading).await;
    assert!(report.is_proven(), "{:#?} {:#?}", found(&report), missing(&report));
    let held = report.claim.by_definition().iter().find(|held| held.table.name().as_str() == "bookings").unwrap();
    assert!(held.what.contains(&AttemptKind::DeleteUnqualified));
    let mut tenancy = Tenancy::default();
    let bookings = tenancy.tables.get_mut("bookings").unwrap();
    bookings.allow_policies.insert("sweep".into(), "a test".into());
    script(&mut db.owner().await, "CREATE POLICY sweep ON bookings FOR DELETE USING (true)").await;
    lacks(&prove_as(&db, &tenancy, &reading).await, "public.bookings: not tried, inserting an own row");
    let tried = prove_as(&db, &tenancy, &writing()).await;
    contains(&tried, &["deleting rows without a condition"]);
}

#[tokio::test]
async fn a_policy_that_raises_an_error_is_that_tables_trouble_alone() {
    let db = enforced().await;
    let raising = r#"CREATE POLICY broken ON bookings USING ("tenantId" = current_setting('app.never_set'))"#;
    script(&mut db.owner().await, raising).await;
    let report = prove(&db).await;
    contains(&report, &["public.bookings: the policy \"broken\""]);
    let missing = missing(&report);
    assert!(
        missing.iter().any(|missing| missing.contains("public.bookings") && missing.contains("app.never_set")),
        "{missing:#?}"
    );
    assert!(missing.iter().all(|missing| missing.contains("public.bookings")), "{missing:#?}");
    assert!(report.claim.covered().iter().any(|table| table.name().as_str() == "users"));
}

#[tokio::test]
async fn a_policy_that_raises_an_error_for_the_login_is_named_with_the_error() {
    let db = enforced().await;
    let raising =
        r#"CREATE POLICY broken ON bookings TO app_user USING ("tenantId" = current_setting('app.never_set'))"#;
    script(&mut db.owner().await, raising).await;
    contains(&prove(&db).await, &["public.bookings: error as app_user", "app.never_set", "\"broken\""]);
}

#[tokio::test]
async fn rows_that_nobody_may_look_for_are_missed_by_name() {
    let db = enforced().await;
    script(&mut db.owner().await, r#"REVOKE ALL ON "Tenant" FROM tenant_auditor, tenant_maintenance"#).await;
    // The owner sees the tenant table no more: only a role that reads past it could find rows to try with.
    let hidden = r#"ALTER TABLE "Tenant" ENABLE ROW LEVEL SECURITY; ALTER TABLE "Tenant" FORCE ROW LEVEL SECURITY"#;
    script(&mut db.owner().await, hidden).await;
    lacks(&prove(&db).await, "public.bookings: not tried");
}

const TEMPLATES: &str = r#"CREATE TABLE templates (id text PRIMARY KEY, "tenantId" text, body text);
    INSERT INTO templates VALUES ('a', 't_a', 'x'), ('b', 't_b', 'x'), ('all', NULL, 'x');
    GRANT SELECT, INSERT, UPDATE, DELETE ON templates TO app_user"#;

#[tokio::test]
async fn rows_that_are_shared_are_read_by_each_tenant_because_they_are_declared_and_written_by_none() {
    let db = clean().await;
    script(&mut db.owner().await, TEMPLATES).await;
    let mut tenancy = Tenancy::default();
    tenancy.tables.entry("templates".into()).or_default().shared_rows = Some("the same for all tenants".into());
    assert!(roll_as(&db, &tenancy).await.unwrap().is_complete());
    let report = prove_as(&db, &tenancy, &writing()).await;
    assert!(report.is_proven(), "{:#?} {:#?}", found(&report), missing(&report));
    let undeclared = prove_as(&db, &Tenancy::default(), &writing()).await;
    contains(&undeclared, &["public.templates: it lacks parts of the rollout: the isolation policy"]);
    let taken = r#"DROP POLICY rls_tenant_isolation ON templates; CREATE POLICY rls_tenant_isolation ON templates
        USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), '') OR "tenantId" IS NULL)"#;
    script(&mut db.owner().await, taken).await;
    let report = prove_as(&db, &tenancy, &writing()).await;
    assert_eq!(report.claim.verdict(), Verdict::Disproven, "{:#?}", found(&report));
}

const SHOP: &str = "CREATE TABLE orgs (id uuid PRIMARY KEY, slug text UNIQUE, name text);
    INSERT INTO orgs VALUES ('00000000-0000-4000-8000-00000000000a', 'a', 'A'), ('00000000-0000-4000-8000-00000000000b', 'b', 'B');
    CREATE TABLE orders (id bigserial PRIMARY KEY, org_id uuid NOT NULL REFERENCES orgs (id), total numeric);
    INSERT INTO orders (org_id, total) SELECT id, n FROM orgs, generate_series(1, 50) AS n;
    CREATE TABLE computed (id int PRIMARY KEY, raw uuid, org_id uuid GENERATED ALWAYS AS (raw) STORED);
    GRANT SELECT, INSERT, UPDATE, DELETE ON orgs, orders TO app_user; GRANT USAGE ON SEQUENCE orders_id_seq TO app_user";

#[tokio::test]
async fn a_policy_with_a_cast_is_asked_before_the_condition_of_an_unqualified_statement() {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, SHOP).await;
    let shop = "columns = [\"org_id\"]\n[tenant]\ntable = \"orgs\"\n[tables]\n";
    let tenancy = Tenancy::from_toml(shop, "tenancy.toml".as_ref()).unwrap();
    let rolled = roll_as(&db, &tenancy).await.unwrap();
    assert!(!rolled.is_complete(), "one table cannot be rolled out");
    let report = prove_as(&db, &tenancy, &writing()).await;
    assert!(report.is_proven(), "{:#?} {:#?}", found(&report), missing(&report));
    assert!(report.tables.iter().all(|proof| proof.table.name().as_str() != "computed"));
    script(&mut db.owner().await, "GRANT SELECT ON computed TO app_user").await;
    contains(&prove_as(&db, &tenancy, &writing()).await, &["public.computed: app_user has SELECT on it"]);
}

//! Tables that are not as the application's documentation has them, and policies that somebody else wrote.

use local_db::Role;
use rls_rollout::{RolloutOptions, RolloutReport, Stop, Waiver, sentences, status};
use tenancy_config::Tenancy;
use tenant_inventory::Phase;
use tenant_inventory::class::Unhandled;
use test_support::TestDb;

use crate::support::{all_at, auto, back, catalog, clean, connect, roll, roll_with, script, to};

/// A tenancy whose tables are only those of the test.
fn tenancy(text: &str) -> Tenancy {
    Tenancy::from_toml(&format!("[tenant]\ntable = \"Tenant\"\n{text}"), std::path::Path::new("tenancy.toml")).unwrap()
}

async fn roll_as(db: &TestDb, tenancy: &Tenancy, options: &RolloutOptions) -> RolloutReport {
    roll_with(db, tenancy, options, &mut |_| ()).await.unwrap()
}

fn stopped(report: &RolloutReport, table: &str) -> String {
    let found = report.tables.iter().find(|outcome| outcome.table.to_string() == table);
    sentences(&found.unwrap_or_else(|| panic!("{table} in {report:#?}")).stopped_by)
}

#[tokio::test]
async fn tenant_columns_of_every_type_and_names_of_every_kind_go_the_whole_way_and_back() {
    for (kind, value) in [
        ("uuid", "gen_random_uuid()"),
        ("integer", "7"),
        ("bigint", "7000000000"),
        ("varchar(40)", "'t'"),
        ("text", "'t'"),
    ] {
        let db = test_support::empty_database().await;
        let long = "x".repeat(63);
        let script_text = format!(
            r#"CREATE SCHEMA "other place";
               CREATE TABLE "Tenant" (id {kind} PRIMARY KEY, slug text, name text);
               INSERT INTO "Tenant" VALUES ({value}, 's', 'n');
               CREATE TABLE "We""ird; DROP" (id int PRIMARY KEY, "tenantId" {kind} REFERENCES "Tenant");
               CREATE TABLE "other place"."{long}" (id bigint PRIMARY KEY, "user" {kind});
               CREATE TABLE wordy (id bigint PRIMARY KEY, "{long}" {kind});
               INSERT INTO "We""ird; DROP" SELECT 1, id FROM "Tenant";
               INSERT INTO "other place"."{long}" SELECT 1, id FROM "Tenant";
               INSERT INTO wordy SELECT 1, id FROM "Tenant";
               GRANT USAGE ON SCHEMA "other place" TO app_user"#
        );
        let session = db.owner().await;
        run_text(session, script_text).await;
        let columns = format!(
            "[tables.\"other place.{long}\"]\ncolumn = \"user\"\n[tables.\"public.wordy\"]\ncolumn = \"{long}\"\n"
        );
        let tenancy = tenancy(&columns);
        let untouched = catalog(&db).await;
        let report = roll_as(&db, &tenancy, &auto()).await;
        assert_eq!(report.tables.len(), 3, "{report:#?}");
        assert!(all_at(&report, Phase::Enforce), "{kind}: {report:#?}");
        let again = roll_as(&db, &tenancy, &auto()).await;
        assert!(again.tables.iter().all(|table| table.steps == 0), "{kind}: {again:#?}");
        let database = connect(&db, Role::Owner).await;
        for role in ["tenant_auditor", "tenant_maintenance"] {
            let sees = format!("SET ROLE {role}; SELECT \"user\" FROM \"other place\".\"{long}\"");
            run_text(db.owner().await, sees).await;
        }
        let (_go, stop) = tokio::sync::watch::channel(false);
        let all = rls_rollout::RollbackOptions::default();
        rls_rollout::rollback(&database, &tenancy, &all, "a test", stop, &mut |_| ()).await.unwrap();
        assert_eq!(catalog(&db).await, untouched, "{kind}");
    }
}

/// Runs a text that was put together for the test.
async fn run_text(mut session: tenant_rls::DirectConnection, text: String) {
    session.run_script("preparing a test", tenant_rls::Sql::from_catalog(text)).await.unwrap();
}

#[tokio::test]
async fn a_permissive_policy_of_somebody_else_stops_its_table_and_can_be_adopted_and_comes_back() {
    let db = clean().await;
    let foreign = r#"CREATE POLICY "support sees all" ON bookings FOR SELECT TO app_user USING (true);
                     CREATE POLICY narrow ON bookings AS RESTRICTIVE FOR DELETE USING (status <> 'COMPLETED')"#;
    script(&mut db.owner().await, foreign).await;
    let untouched = catalog(&db).await;
    let report = roll(&db, &auto()).await.unwrap();
    let why = stopped(&report, "public.bookings");
    assert!(why.contains("the permissive policy \"support sees all\" would let through"), "{why}");
    let adopted = roll(&db, &RolloutOptions { adopt: true, ..to(Phase::Prepare) }).await.unwrap();
    assert_eq!(stopped(&adopted, "public.bookings"), "");
    let lines = catalog(&db).await;
    assert!(!lines.iter().any(|line| line.contains("support sees all")), "it was replaced");
    assert!(lines.iter().any(|line| line.contains("policy narrow")), "a restrictive one only narrows, and stays");
    back(&db, Phase::None).await.unwrap();
    assert_eq!(catalog(&db).await, untouched);
}

#[tokio::test]
async fn the_policy_of_an_older_script_is_replaced_whatever_it_says_and_comes_back() {
    for old in [
        r#"USING ("tenantId" = current_setting('app.current_tenant_id', true))"#,
        r#"USING ("tenantId" = COALESCE(NULLIF(current_setting('app.current_tenant_id', true), ''), "tenantId"))"#,
        r#"USING (true) WITH CHECK ("tenantId" IS NOT NULL)"#,
        r#"FOR SELECT TO app_user USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''))"#,
    ] {
        let db = clean().await;
        let text = format!(
            "CREATE POLICY rls_tenant_isolation ON bookings {old}; ALTER TABLE bookings ENABLE ROW LEVEL SECURITY"
        );
        run_text(db.owner().await, text).await;
        let untouched = catalog(&db).await;
        let report = roll(&db, &auto()).await.unwrap();
        assert!(all_at(&report, Phase::Enforce), "{old}: {report:#?}");
        back(&db, Phase::None).await.unwrap();
        assert_eq!(catalog(&db).await, untouched, "{old}");
    }
}

#[tokio::test]
async fn a_policy_that_is_named_like_one_of_our_roles_and_opens_more_is_replaced() {
    let db = clean().await;
    script(&mut db.owner().await, "CREATE POLICY tenant_auditor_read ON bookings USING (true)").await;
    let database = connect(&db, Role::Owner).await;
    roll(&db, &auto()).await.unwrap();
    let status = status(&database, &Tenancy::default(), None).await.unwrap();
    let bookings = status.tables.iter().find(|table| table.table.name().as_str() == "bookings").unwrap();
    assert!(bookings.policies.iter().all(|policy| policy.ours), "{:?}", bookings.policies);
}

#[tokio::test]
async fn a_name_that_is_taken_is_left_alone_also_where_the_index_is_invalid() {
    let db = clean().await;
    let taken = r#"CREATE INDEX "expenses_tenantId_idx" ON expenses ("tenantId") WHERE "amountCents" > 0;
                   CREATE INDEX "ScheduledReminder_tenantId_idx" ON "ScheduledReminder" ("tenantId")"#;
    script(&mut db.owner().await, taken).await;
    let invalid =
        r#"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"ScheduledReminder_tenantId_idx"'::regclass"#;
    script(&mut db.superuser().await, invalid).await;
    let report = roll(&db, &auto()).await.unwrap();
    assert!(all_at(&report, Phase::Enforce), "{report:#?}");
    let lines = catalog(&db).await;
    let indexes = |table: &str| {
        lines.iter().filter(|line| line.contains(&format!("{table} index")) && line.contains("tenantId")).count()
    };
    assert_eq!(indexes("expenses"), 2, "the partial one and ours");
    assert_eq!(
        indexes("\"ScheduledReminder\""),
        2,
        "somebody else's invalid one, which may be in the making, and ours"
    );
}

#[tokio::test]
async fn foreign_keys_that_were_not_valid_are_so_again_after_a_rollback() {
    let db = clean().await;
    let not_valid = r#"ALTER TABLE bookings DROP CONSTRAINT "bookings_tenantId_fkey";
        ALTER TABLE bookings ADD CONSTRAINT "bookings_tenantId_fkey" FOREIGN KEY ("tenantId") REFERENCES "Tenant" (id) ON DELETE CASCADE NOT VALID;
        ALTER TABLE services DROP CONSTRAINT "services_tenantId_fkey""#;
    script(&mut db.owner().await, not_valid).await;
    let untouched = catalog(&db).await;
    assert!(all_at(&roll(&db, &auto()).await.unwrap(), Phase::Enforce));
    back(&db, Phase::None).await.unwrap();
    assert_eq!(catalog(&db).await, untouched);
}

#[tokio::test]
async fn a_foreign_key_is_never_validated_by_a_login_that_a_forced_policy_filters() {
    let db = clean().await;
    let ghost = r#"ALTER TABLE bookings DROP CONSTRAINT "bookings_tenantId_fkey";
        INSERT INTO bookings (id, "clientId", "serviceId", "scheduledAt", duration, "clientName", "clientEmail", "tenantId", "updatedAt")
        VALUES ('b_ghost', 'u_a', 's_a', now(), 30, 'A', 'a@acme.example', 't_deleted', now());
        ALTER TABLE bookings ENABLE ROW LEVEL SECURITY; ALTER TABLE bookings FORCE ROW LEVEL SECURITY"#;
    script(&mut db.owner().await, ghost).await;
    let options = RolloutOptions { tables: vec!["bookings".to_owned()], ..auto() };
    let report = roll(&db, &options).await.unwrap();
    assert!(stopped(&report, "public.bookings").contains("of a tenant that does not exist: 1"), "{report:#?}");
    script(&mut db.superuser().await, "DELETE FROM bookings WHERE id = 'b_ghost'").await;
    let report = roll(&db, &options).await.unwrap();
    assert!(all_at(&report, Phase::Enforce), "{report:#?}");
    let valid = "SELECT count(*) FROM pg_constraint WHERE conname = 'bookings_tenantId_fkey' AND convalidated";
    let mut superuser = db.superuser().await;
    let valid: i64 = sqlx::query_scalar(valid).fetch_one(superuser.connection()).await.unwrap();
    assert_eq!(valid, 1);
}

#[tokio::test]
async fn a_partitioned_table_goes_leaf_by_leaf_and_a_leaf_that_comes_later_is_flagged() {
    let db = clean().await;
    let partitioned = r#"CREATE TABLE visits (id int, "tenantId" text, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        INSERT INTO visits VALUES (1, 't_a', '2025-05-05'), (2, 't_b', '2026-05-05');
        GRANT SELECT, INSERT ON visits, visits_2025, visits_2026 TO app_user"#;
    script(&mut db.owner().await, partitioned).await;
    let untouched = catalog(&db).await;
    let report = roll(&db, &auto()).await.unwrap();
    assert!(all_at(&report, Phase::Enforce), "{report:#?}");
    let order: Vec<String> = report.tables.iter().map(|table| table.table.name().to_string()).collect();
    let at = |name: &str| order.iter().position(|table| table == name).unwrap();
    assert!(at("visits_2025") < at("visits") && at("visits_2026") < at("visits"), "{order:?}");

    let mut app = db.app_user().await;
    script(&mut app, "BEGIN; SELECT set_config('app.current_tenant_id', 't_a', true)").await;
    let seen = "SELECT (SELECT count(*) FROM visits) + (SELECT count(*) FROM visits_2026)";
    let seen: i64 = sqlx::query_scalar(seen).fetch_one(app.connection()).await.unwrap();
    assert_eq!(seen, 1, "its own row through the parent, and none of the other tenant's leaf");

    let later = "CREATE TABLE visits_2027 PARTITION OF visits FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')";
    script(&mut app, "ROLLBACK").await;
    script(&mut db.owner().await, later).await;
    let database = connect(&db, Role::Owner).await;
    let found = status(&database, &Tenancy::default(), None).await.unwrap();
    let phase = |name: &str| found.tables.iter().find(|table| table.table.name().as_str() == name).unwrap().phase;
    assert_eq!((phase("visits_2026"), phase("visits_2027")), (Phase::Enforce, Phase::None));
    script(&mut db.owner().await, "DROP TABLE visits_2027").await;
    back(&db, Phase::None).await.unwrap();
    assert_eq!(catalog(&db).await, untouched);
}

#[tokio::test]
async fn inheritance_and_tables_of_others_are_refused_by_name_and_the_rest_goes_on() {
    let db = clean().await;
    script(&mut db.owner().await, r#"CREATE TABLE more_bookings () INHERITS (bookings)"#).await;
    script(&mut db.superuser().await, "ALTER TABLE services OWNER TO postgres").await;
    let report = roll(&db, &to(Phase::Prepare)).await.unwrap();
    assert!(stopped(&report, "public.bookings").contains("inheritance"), "{report:#?}");
    assert!(stopped(&report, "public.more_bookings").contains("inheritance"), "{report:#?}");
    assert!(stopped(&report, "public.services").contains("public.services belongs to postgres"), "{report:#?}");
    assert_eq!(stopped(&report, "public.users"), "");
}

#[tokio::test]
async fn forcing_is_refused_where_the_applications_role_is_not_filtered_at_all() {
    let db = clean().await;
    let report = roll(&db, &RolloutOptions { app_role: Some("postgres".to_owned()), ..auto() }).await.unwrap();
    let why = stopped(&report, "public.bookings");
    assert!(why.contains("the application's role postgres is a superuser: no policy filters it"), "{why}");
    assert!(all_at(&report, Phase::Tighten), "{report:#?}");
    let report = roll(&db, &RolloutOptions { app_role: Some("nobody at all".to_owned()), ..auto() }).await.unwrap();
    assert!(stopped(&report, "public.bookings").contains("there is no role nobody at all"), "{report:#?}");
}

#[tokio::test]
async fn references_across_tenants_stop_a_table_unless_they_are_waived_with_a_reason() {
    let db = clean().await;
    script(&mut db.superuser().await, "UPDATE bookings SET \"serviceId\" = 's_b' WHERE id = 'b_a'").await;
    let options = RolloutOptions { tables: vec!["bookings".to_owned()], ..to(Phase::Tighten) };
    let report = roll(&db, &options).await.unwrap();
    assert_eq!(stopped(&report, "public.bookings"), "rows that reference another tenant's row: 1");
    let mut tenancy = Tenancy::default();
    tenancy.tables.get_mut("bookings").unwrap().cross_tenant_references = Some("shared services".to_owned());
    let report = roll_as(&db, &tenancy, &options).await;
    assert!(all_at(&report, Phase::Tighten), "{report:#?}");
    assert_eq!(report.tables[0].waived, [Waiver::Declared { rows: 1, why: "shared services".to_owned() }]);
}

#[tokio::test]
async fn a_table_that_was_never_without_a_tenant_and_one_of_the_platform_pass_the_gate_too() {
    let db = clean().await;
    let cross = r#"INSERT INTO tenant_memberships (id, "userId", "tenantId", role) VALUES ('m', 'u_a', 't_b', 'MEMBER');
        ALTER TABLE audit_logs ADD COLUMN booking text REFERENCES bookings; UPDATE audit_logs SET booking = 'b_b' WHERE id = 'l_a'"#;
    script(&mut db.superuser().await, cross).await;
    let tables = ["tenant_memberships", "audit_logs"].map(str::to_owned).to_vec();
    let options = RolloutOptions { tables, ..auto() };
    let mut tenancy = Tenancy::default();
    tenancy.tables.get_mut("tenant_memberships").unwrap().cross_tenant_references = None;
    let report = roll_as(&db, &tenancy, &options).await;
    let one = "rows that reference another tenant's row: 1";
    assert_eq!(stopped(&report, "public.tenant_memberships"), one);
    assert_eq!(stopped(&report, "public.audit_logs"), one);
    assert!(report.tables.iter().all(|table| table.after < Phase::Enforce), "{report:#?}");
    let waived = roll_as(&db, &tenancy, &RolloutOptions { allow_cross_tenant_references: true, ..options }).await;
    assert!(all_at(&waived, Phase::Enforce), "{waived:#?}");
    let told = |table: &rls_rollout::TableOutcome| table.waived == [Waiver::Option { rows: 1 }];
    assert!(waived.tables.iter().all(told), "{waived:#?}");
}

#[tokio::test]
async fn a_tenant_column_of_a_type_that_no_policy_compares_is_refused_for_its_table_alone() {
    let db = clean().await;
    script(&mut db.owner().await, r#"CREATE TABLE blobs (id int PRIMARY KEY, "tenantId" bytea)"#).await;
    let database = connect(&db, Role::Owner).await;
    let tenancy = Tenancy::default();
    let status = status(&database, &tenancy, None).await.unwrap();
    let why = Stop::Unhandled { why: Unhandled::Type { type_name: "bytea".to_owned() } };
    let blobs = status.tables.iter().find(|table| table.table.to_string() == "public.blobs").unwrap();
    assert_eq!(blobs.stopped_by, std::slice::from_ref(&why));
    let plan = rls_rollout::plan(&database, &tenancy, &auto()).await.unwrap();
    assert!(plan.steps.iter().all(|step| step.table != blobs.table), "{:#?}", plan.steps);
    let report = roll(&db, &auto()).await.unwrap();
    assert_eq!(stopped(&report, "public.blobs"), why.to_string());
    let others = report.tables.iter().filter(|table| table.table != blobs.table);
    assert!(others.into_iter().all(|table| table.after == Phase::Enforce), "{report:#?}");
}

#[tokio::test]
async fn strict_writes_close_the_bridge_for_rows_of_nobody() {
    let db = clean().await;
    roll(&db, &RolloutOptions { strict_writes: true, ..to(Phase::Prepare) }).await.unwrap();
    let mut app = db.app_user().await;
    script(&mut app, "SELECT set_config('app.current_tenant_id', 't_a', false)").await;
    let publish = r#"UPDATE bookings SET "tenantId" = NULL WHERE id = 'b_a'"#;
    let refused = sqlx::query(publish).execute(app.connection()).await.unwrap_err();
    assert!(refused.to_string().contains("row-level security"), "{refused}");
}

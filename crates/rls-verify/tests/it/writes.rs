//! The proof by trying, where writing is hard to try: keys of several columns, one row a tenant, rows of the platform.

use rls_verify::VerifyReport;
use tenancy_config::Ident;
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::breach::Breach;
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::claim::examined::Attempt;
use tenant_rls::{Sql, Template};
use test_support::TestDb;

use crate::support::{clean, roll, script};
use crate::verify::{contains, enforced, found, prove};

fn attempts<'a>(report: &'a VerifyReport, table: &str) -> &'a [Attempt] {
    &report.tables.iter().find(|proof| proof.table.name().as_str() == table).unwrap().attempts
}

fn result(report: &VerifyReport, table: &str, what: AttemptKind) -> Option<Evidence> {
    let mut of_kind =
        attempts(report, table).iter().filter(|attempt| attempt.what == what && attempt.login == "app_user");
    let first = of_kind.next()?.evidence.clone();
    Some(of_kind.map(|attempt| attempt.evidence.clone()).find(|evidence| *evidence != Evidence::Held).unwrap_or(first))
}

fn everything_is_as_expected(report: &VerifyReport, table: &str) {
    for what in AttemptKind::ALL.into_iter().filter(|what| *what != AttemptKind::ReadPlatform) {
        assert_eq!(
            result(report, table, what),
            Some(Evidence::Held),
            "{table}: {what:?} of {:#?}",
            attempts(report, table)
        );
    }
}

fn leaks(report: &VerifyReport, table: &str, kinds: &[AttemptKind]) {
    for what in kinds {
        let evidence = result(report, table, *what).unwrap();
        assert!(evidence.breach().is_some_and(Breach::crosses_tenants), "{table}: {what:?} in {:#?}", found(report));
    }
}

async fn open_to_all(db: &TestDb, table: &str) {
    let open = Template::new(
        r#"CREATE POLICY look ON :"table" FOR SELECT USING (true); CREATE POLICY add ON :"table" FOR INSERT WITH CHECK (true);
           CREATE POLICY mend ON :"table" FOR UPDATE USING (true); CREATE POLICY sweep ON :"table" FOR DELETE USING (true)"#,
    );
    let open = open.ident("table", &Ident::new(table).unwrap()).build();
    db.owner().await.run_script("opening a table", open).await.unwrap();
}

const WRITES: [AttemptKind; 6] = [
    AttemptKind::InsertOther,
    AttemptKind::InsertUnset,
    AttemptKind::UpdateAway,
    AttemptKind::UpdateOther,
    AttemptKind::DeleteOther,
    AttemptKind::ReadOther,
];

#[tokio::test]
async fn rows_with_a_key_of_several_columns_are_read_and_written() {
    let db = clean().await;
    let tables = r#"CREATE TABLE shifts (day date, "We ird" int, "tenantId" text, PRIMARY KEY (day, "We ird"));
        INSERT INTO shifts VALUES ('2025-05-05', 1, 't_a'), ('2025-05-05', 2, 't_b');
        CREATE TABLE seats ("tenantId" text, number int, at timestamptz DEFAULT now(), PRIMARY KEY ("tenantId", number));
        INSERT INTO seats VALUES ('t_a', 1), ('t_b', 1);
        GRANT SELECT, INSERT, UPDATE, DELETE ON shifts, seats TO app_user"#;
    script(&mut db.owner().await, tables).await;
    roll(&db).await.unwrap();
    let report = prove(&db).await;
    assert!(report.is_proven(), "{:#?}", found(&report));
    for table in ["shifts", "seats"] {
        everything_is_as_expected(&report, table);
        open_to_all(&db, table).await;
    }
    let report = prove(&db).await;
    for table in ["shifts", "seats"] {
        leaks(&report, table, &WRITES);
    }
}

const ONE_EACH: &str = r#"INSERT INTO booking_settings (id, "tenantId", "updatedAt") VALUES ('x_a', 't_a', now()), ('x_b', 't_b', now());
    INSERT INTO tenant_memberships (id, "userId", "tenantId") VALUES ('m_a', 'u_a', 't_a'), ('m_b', 'u_b', 't_b')"#;

#[tokio::test]
async fn where_a_tenant_has_one_row_it_is_tried_with_tenants_of_the_same_transaction() {
    let db = enforced().await;
    script(&mut db.superuser().await, ONE_EACH).await;
    let report = prove(&db).await;
    assert!(report.is_proven(), "{:#?}", found(&report));
    let tenants: i64 = sqlx::query_scalar(r#"SELECT count(*) FROM "Tenant""#)
        .fetch_one(db.superuser().await.connection())
        .await
        .unwrap();
    assert_eq!(tenants, 2, "those that were made are gone");
    for table in ["booking_settings", "tenant_memberships"] {
        everything_is_as_expected(&report, table);
        open_to_all(&db, table).await;
    }
    let report = prove(&db).await;
    for table in ["booking_settings", "tenant_memberships"] {
        leaks(&report, table, &WRITES);
    }
}

#[tokio::test]
async fn where_no_tenant_can_be_made_either_the_report_says_so() {
    let db = enforced().await;
    script(&mut db.superuser().await, ONE_EACH).await;
    script(&mut db.superuser().await, r#"REVOKE INSERT ON "Tenant" FROM app_user"#).await;
    let report = prove(&db).await;
    let own =
        attempts(&report, "booking_settings").iter().find(|attempt| attempt.what == AttemptKind::InsertOwn).unwrap();
    let Evidence::HeldByDefinition { because } = &own.evidence else { panic!("{own:?}") };
    let why = because.to_string();
    assert!(why.contains("booking_settings_tenantId_key") && why.contains("no tenant could be made"), "{why}");
    assert_eq!(result(&report, "booking_settings", AttemptKind::InsertOther), Some(Evidence::Held));
}

#[tokio::test]
async fn a_partitioned_table_is_tried_as_a_whole_too() {
    let db = clean().await;
    let partitioned = r#"CREATE TABLE visits (id int, "tenantId" text, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        INSERT INTO visits VALUES (1, 't_a', '2025-05-05'), (2, 't_b', '2025-05-06');
        GRANT SELECT, INSERT, UPDATE, DELETE ON visits, visits_2025 TO app_user"#;
    script(&mut db.owner().await, partitioned).await;
    roll(&db).await.unwrap();
    let report = prove(&db).await;
    assert!(report.is_proven(), "{:#?}", found(&report));
    everything_is_as_expected(&report, "visits");
    everything_is_as_expected(&report, "visits_2025");
    open_to_all(&db, "visits").await;
    let report = prove(&db).await;
    leaks(&report, "visits", &WRITES);
    everything_is_as_expected(&report, "visits_2025");
}

const OWN: &str = r#""tenantId" = NULLIF(current_setting('app.current_tenant_id', true), '')"#;
const OWN_OR_NONE: &str =
    r#""tenantId" = NULLIF(current_setting('app.current_tenant_id', true), '') OR "tenantId" IS NULL"#;

#[tokio::test]
async fn rows_of_the_platform_are_seen_where_no_tenant_is_set_and_written_by_no_tenant() {
    let db = enforced().await;
    let second = "INSERT INTO audit_logs (id, action, \"tenantId\") VALUES ('l_b', 'x', 't_b')";
    script(&mut db.superuser().await, second).await;
    let report = prove(&db).await;
    everything_is_as_expected(&report, "audit_logs");
    assert_eq!(result(&report, "audit_logs", AttemptKind::ReadPlatform), Some(Evidence::Held));

    let alter = async |using: &'static str, check: &'static str| {
        let alter = Template::new("ALTER POLICY rls_tenant_isolation ON audit_logs USING (:using) WITH CHECK (:check)");
        let alter = alter.fragment("using", Sql::from_static(using)).fragment("check", Sql::from_static(check));
        db.owner().await.run_script("altering a policy", alter.build()).await.unwrap();
        prove(&db).await
    };
    let bridge = alter(OWN_OR_NONE, OWN).await;
    contains(&bridge, &["public.audit_logs", "reading another tenant's rows", "rows without a tenant are seen"]);
    let open = alter(OWN, OWN_OR_NONE).await;
    contains(&open, &["public.audit_logs: leak as app_user, writing a row without a tenant", "rls_tenant_isolation"]);
    contains(&open, &["public.audit_logs: hidden as app_user, reading the platform's rows", "0 are reached"]);
}

#[tokio::test]
async fn platform_rows_that_a_tenant_can_change_or_delete_are_found() {
    let db = enforced().await;
    // It takes a policy for reading as well: a row that is not seen is not found by its key either.
    let open = "CREATE POLICY look ON audit_logs FOR SELECT USING (true); CREATE POLICY sweep ON audit_logs FOR DELETE USING (true)";
    script(&mut db.owner().await, open).await;
    leaks(&prove(&db).await, "audit_logs", &[AttemptKind::WriteWithoutTenant]);
}

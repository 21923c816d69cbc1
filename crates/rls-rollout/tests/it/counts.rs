//! The rows without a tenant that status counts: for an ordinary login, table by table, within limits.

use backfill_engine::{CountLimits, RowsWithoutTenant, TimeLimit, count_not_run};
use local_db::Role;
use rls_rollout::status;
use tenancy_config::TableName;
use tenant_inventory::Inventory;
use tenant_rls::{Limits, StatementFailure};

use crate::support::{connect, session, small, tables_of};

const TABLES: &str = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1');
    CREATE TABLE a_few (id int, "tenantId" text); INSERT INTO a_few VALUES (1, NULL), (2, NULL), (3, 't1');
    CREATE TABLE b_many (id int, "tenantId" text); INSERT INTO b_many SELECT n, NULL FROM generate_series(1, 10001) AS n;
    CREATE TABLE c_locked (id int, "tenantId" text);
    CREATE TABLE d_hidden (id int, "tenantId" text); INSERT INTO d_hidden VALUES (1, NULL);
    ALTER TABLE d_hidden ENABLE ROW LEVEL SECURITY; ALTER TABLE d_hidden FORCE ROW LEVEL SECURITY;
    CREATE TABLE e_denied (id int, "tenantId" text); INSERT INTO e_denied VALUES (1, NULL);
    REVOKE ALL ON e_denied FROM CURRENT_USER;
    CREATE TABLE f_raising (id int, "tenantId" text); INSERT INTO f_raising VALUES (1, NULL);
    CREATE TABLE g_slow (id int, "tenantId" text); INSERT INTO g_slow VALUES (1, NULL);
    CREATE TABLE h_full (id int, "tenantId" text NOT NULL); INSERT INTO h_full VALUES (1, 't1');
    CREATE TABLE i_last (id int, "tenantId" text); INSERT INTO i_last VALUES (1, NULL);
    GRANT USAGE ON SCHEMA public TO tenant_auditor;
    DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['f_raising', 'g_slow'] LOOP
        EXECUTE format('GRANT SELECT ("tenantId") ON %I TO tenant_auditor', t);
        EXECUTE format('CREATE POLICY m ON %I FOR SELECT TO tenant_auditor USING (current_user = ''tenant_auditor'')', t);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    END LOOP; END $$;
    CREATE POLICY raises ON f_raising USING (1 / (id - id) = 0);
    CREATE FUNCTION slowly() RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT pg_catalog.pg_sleep(20) IS NULL';
    CREATE POLICY a_sleeps ON g_slow USING (slowly());
    CREATE POLICY z_sleeps ON g_slow USING (slowly());"#;

#[tokio::test]
async fn what_cannot_be_counted_is_that_tables_finding_and_the_others_are_counted() {
    let db = small(TABLES).await;
    let mut holder = session(&db, Role::Owner).await;
    holder.run_script("holding a lock", "BEGIN; LOCK TABLE c_locked IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let database = connect(&db, Role::Owner).await;
    let report = status(&database, &tables_of(""), None).await.unwrap();
    let of = |table: &str| {
        let found = report.tables.iter().find(|found| found.table.name().as_str() == table);
        found.and_then(|found| found.rows_without_tenant.as_ref()).unwrap_or_else(|| panic!("{table}: {report:#?}"))
    };
    use RowsWithoutTenant::{AtLeast, Counted, Failed, TooLong, Unseen};
    assert_eq!(*of("a_few"), Counted { rows: 2 });
    assert_eq!(*of("b_many"), AtLeast { rows: 10_000 });
    assert!(matches!(of("c_locked"), Failed { why: StatementFailure::Locked { .. } }), "{:?}", of("c_locked"));
    assert!(matches!(of("d_hidden"), Unseen { obstacles } if obstacles[0].filters()), "{:?}", of("d_hidden"));
    assert!(matches!(of("e_denied"), Unseen { obstacles } if !obstacles[0].filters()), "{:?}", of("e_denied"));
    let Failed { why: StatementFailure::Refused { sqlstate, .. } } = of("f_raising") else { panic!("{report:#?}") };
    assert_eq!(sqlstate.as_deref(), Some("22012"));
    assert_eq!(*of("g_slow"), TooLong { limit: TimeLimit::Table, limit_ms: 300 });
    assert_eq!(*of("h_full"), Counted { rows: 0 });
    assert_eq!(*of("i_last"), Counted { rows: 1 });
    let json = serde_json::to_value(of("f_raising")).unwrap();
    assert_eq!((&json["state"], &json["reason"]), (&"failed".into(), &"refused".into()), "{json}");
    let said: Vec<String> = ["b_many", "g_slow"].map(|table| of(table).to_string()).into();
    assert_eq!(said, ["at least 10000", "unknown: they were not counted within 300 ms"]);
}

#[tokio::test]
async fn tables_whose_turn_comes_after_the_time_for_all_are_named_as_not_counted() {
    let db = small(TABLES).await;
    let (database, tenancy) = (connect(&db, Role::Owner).await, tables_of(""));
    let inventory = Inventory::load(&database, &tenancy, None, &[]).await.unwrap();
    let classified = (&inventory.catalog, inventory.catalog.classified.as_slice());
    let each = Limits { statement_timeout: std::time::Duration::from_millis(400), ..Limits::BRIEF };
    let limits = CountLimits { each, all: std::time::Duration::from_millis(400), ..CountLimits::BRIEF };
    let counted = count_not_run(&database, &tenancy, classified, Some(limits), |_| false).await.unwrap();
    let of = |table: &str| &counted.iter().find(|found| found.table == name(table)).unwrap().rows;
    assert_eq!(*of("a_few"), RowsWithoutTenant::Counted { rows: 2 }, "its turn comes before the slow one's");
    assert_eq!(*of("g_slow"), RowsWithoutTenant::TooLong { limit: TimeLimit::Table, limit_ms: 400 });
    assert_eq!(*of("h_full"), RowsWithoutTenant::Counted { rows: 0 }, "the catalog knows it");
    assert_eq!(*of("i_last"), RowsWithoutTenant::TooLong { limit: TimeLimit::AllTables, limit_ms: 400 });
}

fn name(table: &str) -> TableName {
    TableName::parse(table, "public").unwrap()
}

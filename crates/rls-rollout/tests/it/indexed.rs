//! No permissive policy of ours has an arm that no index serves: PostgreSQL joins the policies of a role with OR, and one such arm makes it
//! read every row.

use local_db::Role;
use rls_rollout::RolloutOptions;
use tenancy_config::Tenancy;
use tenant_inventory::Phase;
use test_support::TestDb;

use crate::support::{auto, roll_with, script, session, small, tables_of, to};

const ITEMS: &str = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1'), ('t2');
    CREATE TABLE items (id int PRIMARY KEY, "tenantId" text REFERENCES "Tenant", words text);
    INSERT INTO items SELECT n, 't' || (n % 2 + 1), 'words' FROM generate_series(1, 100) AS n;
    GRANT SELECT, INSERT, UPDATE, DELETE ON items TO app_user; ANALYZE items"#;

/// The plans of statements that policies of each command filter.
const PLANS: [&str; 3] = [
    "EXPLAIN (COSTS OFF) SELECT words FROM items",
    "EXPLAIN (COSTS OFF) UPDATE items SET words = ''",
    "EXPLAIN (COSTS OFF) DELETE FROM items",
];

/// The plans of the statements, as this login in a tenant's scope, where sequential scans are the last resort.
async fn plans(db: &TestDb, login: Role) -> Vec<String> {
    let mut session = session(db, login).await;
    script(&mut session, "SET app.current_tenant_id = 't1'; SET enable_seqscan = off").await;
    let mut plans = Vec::new();
    for plan in PLANS {
        let lines: Vec<String> = sqlx::query_scalar(plan).fetch_all(session.connection()).await.unwrap();
        plans.push(lines.join("\n"));
    }
    session.close().await;
    plans
}

async fn every_arm_is_served(db: &TestDb, what: &str) {
    for login in [Role::AppUser, Role::Owner] {
        for plan in plans(db, login).await {
            assert!(plan.contains("Index Cond"), "{what}, {login:?}:\n{plan}");
            assert!(!plan.contains("Seq Scan"), "{what}, {login:?}:\n{plan}");
        }
    }
}

async fn rolled(declared: &str, options: RolloutOptions) -> TestDb {
    let db = small(ITEMS).await;
    let tenancy: Tenancy = tables_of(&format!("[tables.items]\n{declared}\n"));
    roll_with(&db, &tenancy, &options, &mut |_| ()).await.unwrap();
    db
}

#[tokio::test]
async fn each_form_of_a_policy_is_served_by_the_index_on_the_tenant_for_the_application_and_for_the_owner() {
    let strict_writes = RolloutOptions { strict_writes: true, ..to(Phase::Prepare) };
    for (what, declared, options) in [
        ("the bridge", "", to(Phase::Prepare)),
        ("the bridge with strict writes", "", strict_writes),
        ("rows of one tenant", "", auto()),
        ("rows of the platform", "platform_rows = \"jobs\"", auto()),
        ("shared rows", "shared_rows = \"templates\"", auto()),
    ] {
        let db = rolled(declared, options).await;
        if what.contains("bridge") {
            // Row level security is on, and the owner is not held to it yet.
            script(&mut session(&db, Role::Owner).await, "ALTER TABLE items FORCE ROW LEVEL SECURITY").await;
        }
        every_arm_is_served(&db, what).await;
    }
}

#[tokio::test]
async fn an_arm_without_an_index_would_be_seen() {
    let db = rolled("", auto()).await;
    let other = "CREATE POLICY other ON items FOR SELECT TO app_user USING (current_user = 'support')";
    script(&mut session(&db, Role::Owner).await, other).await;
    let plans = plans(&db, Role::AppUser).await;
    assert!(!plans[0].contains("Index Cond"), "{plans:#?}");
}

//! The forms of our policies: who reads and who writes rows without a tenant, and what another declaration makes of them later.

use local_db::Role;
use rls_rollout::{RolloutOptions, plan, status};
use tenancy_config::Tenancy;
use tenant_inventory::Phase;
use tenant_rls::PolicyForm;
use test_support::TestDb;

use crate::support::{after, as_tenant, auto, back, connect, roll_with, session, small, tables_of, to};

const ITEMS: &str = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1'), ('t2');
    CREATE TABLE items (id int PRIMARY KEY, "tenantId" text REFERENCES "Tenant"); GRANT SELECT, INSERT, UPDATE, DELETE ON items TO app_user;
    INSERT INTO items VALUES (1, 't1'), (2, 't2')"#;

const SEEN: &str = "SELECT count(*) FROM items";
const CLAIMED: &str =
    r#"WITH w AS (UPDATE items SET "tenantId" = 't1' WHERE "tenantId" IS NULL RETURNING 1) SELECT count(*) FROM w"#;
const DELETED: &str = r#"WITH w AS (DELETE FROM items WHERE "tenantId" IS NULL RETURNING 1) SELECT count(*) FROM w"#;

async fn with_a_row_of_nobody() -> TestDb {
    small(&format!("{ITEMS}; INSERT INTO items VALUES (3, NULL)")).await
}

/// What a tenant sees, and how many rows of nobody it can claim and delete.
async fn of_a_tenant(db: &TestDb) -> [i64; 3] {
    [as_tenant(db, "t1", SEEN).await, as_tenant(db, "t1", CLAIMED).await, as_tenant(db, "t1", DELETED).await]
}

async fn form(db: &TestDb, tenancy: &Tenancy) -> (Option<PolicyForm>, Phase) {
    let database = connect(db, Role::Owner).await;
    let status = status(&database, tenancy, None).await.unwrap();
    (status.tables[0].policy, status.tables[0].phase)
}

#[tokio::test]
async fn strict_writes_let_no_tenant_claim_or_delete_rows_without_a_tenant() {
    let db = with_a_row_of_nobody().await;
    let tenancy = tables_of("");
    let options = RolloutOptions { strict_writes: true, ..to(Phase::Prepare) };
    roll_with(&db, &tenancy, &options, &mut |_| ()).await.unwrap();
    assert_eq!(of_a_tenant(&db).await, [2, 0, 0], "its own row and that of nobody");
    assert_eq!(form(&db, &tenancy).await, (Some(PolicyForm::StrictWrites), Phase::Prepare));
    session(&db, Role::Superuser).await.run_script("repairing", "DELETE FROM items WHERE id = 3").await.unwrap();
    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert_eq!(after(&report, "items"), Phase::Enforce);
    assert_eq!(form(&db, &tenancy).await, (Some(PolicyForm::Strict), Phase::Enforce));
}

#[tokio::test]
async fn the_earlier_form_of_strict_writes_is_replaced_by_the_next_rollout() {
    let db = with_a_row_of_nobody().await;
    let tenancy = tables_of("");
    roll_with(&db, &tenancy, &to(Phase::Prepare), &mut |_| ()).await.unwrap();
    let earlier = r#"DROP POLICY rls_tenant_isolation ON items; CREATE POLICY rls_tenant_isolation ON items
        USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), '') OR "tenantId" IS NULL)
        WITH CHECK ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''))"#;
    db.owner().await.run_script("preparing a test", earlier).await.unwrap();
    assert_eq!(form(&db, &tenancy).await, (Some(PolicyForm::Claimable), Phase::Prepare));
    roll_with(&db, &tenancy, &to(Phase::Prepare), &mut |_| ()).await.unwrap();
    assert_eq!(of_a_tenant(&db).await, [2, 0, 0]);
}

#[tokio::test]
async fn shared_rows_are_read_by_every_tenant_and_written_by_none_for_good() {
    let db = with_a_row_of_nobody().await;
    let tenancy = tables_of("[tables.items]\nshared_rows = \"templates\"\n");
    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(form(&db, &tenancy).await, (Some(PolicyForm::StrictWrites), Phase::Enforce));
    assert_eq!(of_a_tenant(&db).await, [2, 0, 0]);
    let mut app = session(&db, Role::AppUser).await;
    let refused = app.run_script("publishing", "INSERT INTO items VALUES (4, NULL)").await;
    assert!(refused.is_err(), "nobody publishes a row");
    let again = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert_eq!(again.tables[0].steps, 0, "{again:#?}");
}

#[tokio::test]
async fn another_declaration_converts_our_own_policies_at_the_next_rollout() {
    let db = small(ITEMS).await;
    let [none, platform, shared] = ["", "platform_rows = true", "shared_rows = \"templates\""]
        .map(|line| tables_of(&format!("[tables.items]\n{line}\n")));
    roll_with(&db, &none, &auto(), &mut |_| ()).await.unwrap();
    for (tenancy, wanted) in [
        (&platform, PolicyForm::Platform),
        (&shared, PolicyForm::StrictWrites),
        (&platform, PolicyForm::Platform),
        (&none, PolicyForm::Strict),
    ] {
        let (_, phase) = form(&db, tenancy).await;
        assert!(phase < Phase::Enforce, "{wanted:?}: the policy that is there is not the one that is declared");
        let report = roll_with(&db, tenancy, &auto(), &mut |_| ()).await.unwrap();
        assert!(report.is_complete(), "{wanted:?}: {report:#?}");
        assert_eq!(form(&db, tenancy).await, (Some(wanted), Phase::Enforce));
        if *tenancy != none {
            let mut superuser = session(&db, Role::Superuser).await;
            let row = "INSERT INTO items VALUES (3, NULL)";
            superuser.run_script("NOT NULL was ours, and is gone", row).await.unwrap();
            let seen = if wanted == PolicyForm::StrictWrites { 2 } else { 1 };
            assert_eq!(of_a_tenant(&db).await, [seen, 0, 0], "{wanted:?}");
            superuser.run_script("repairing", "DELETE FROM items WHERE id = 3").await.unwrap();
        }
    }
    back(&db, Phase::None).await.unwrap();
    assert_eq!(form(&db, &none).await, (None, Phase::None));
}

#[tokio::test]
async fn rows_of_the_platform_are_not_opened_to_tenants_where_they_are_declared_no_more() {
    let db = with_a_row_of_nobody().await;
    let platform = tables_of("[tables.items]\nplatform_rows = true\n");
    roll_with(&db, &platform, &auto(), &mut |_| ()).await.unwrap();
    let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    assert_eq!(report.tables[0].stopped_by, [rls_rollout::Stop::RowsWithoutTenant { rows: 1 }]);
    assert_eq!(of_a_tenant(&db).await, [1, 0, 0]);
}

#[tokio::test]
async fn a_bridge_is_never_forced_whatever_the_table_is_declared_to_be_later() {
    let db = with_a_row_of_nobody().await;
    let tenancy = tables_of("");
    roll_with(&db, &tenancy, &to(Phase::Prepare), &mut |_| ()).await.unwrap();
    let platform = tables_of("[tables.items]\nplatform_rows = true\n");
    for _ in 0..2 {
        let report = roll_with(&db, &platform, &RolloutOptions { adopt: true, ..auto() }, &mut |_| ()).await.unwrap();
        assert_eq!(report.tables[0].policy, Some(PolicyForm::Platform), "{report:#?}");
    }
    assert_eq!(of_a_tenant(&db).await, [1, 0, 0]);
}

#[tokio::test]
async fn the_second_policy_has_a_name_of_its_own_also_where_the_first_has_the_longest() {
    let db = with_a_row_of_nobody().await;
    let mut tenancy = tables_of("[tables.items]\nshared_rows = \"templates\"\n");
    tenancy.session.policy = "p".repeat(63);
    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(of_a_tenant(&db).await, [2, 0, 0]);
}

#[tokio::test]
async fn beside_rows_of_the_platform_a_tenants_session_inserts_its_own_without_naming_it() {
    let db = with_a_row_of_nobody().await;
    let tenancy = tables_of("[tables.items]\nplatform_rows = \"what the platform does\"\n");
    let planned = plan(&connect(&db, Role::Owner).await, &tenancy, &auto()).await.unwrap();
    let said: Vec<String> = planned.notices.iter().map(ToString::to_string).collect();
    assert!(
        said.iter().any(|said| said.starts_with("public.items: a row without a tenant is the platform's")),
        "{said:#?}"
    );
    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert_eq!(after(&report, "items"), Phase::Enforce);
    // The server gives the scope's own tenant, and no tenant where none is set.
    let insert = r#"WITH w AS (INSERT INTO items (id) SELECT 10 + count(*) + random() * 1000000 FROM items RETURNING "tenantId") SELECT count("tenantId") FROM w"#;
    assert_eq!(as_tenant(&db, "t1", insert).await, 1);
    assert_eq!(as_tenant(&db, "", insert).await, 0);
    assert_eq!((as_tenant(&db, "t1", SEEN).await, as_tenant(&db, "", SEEN).await), (2, 2));
    let mut app = session(&db, Role::AppUser).await;
    let scope = "SET app.current_tenant_id = 't1'; INSERT INTO items VALUES (5, NULL)";
    let error = app.run_script("writing a row of the platform as a tenant", scope).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("42501"), "{error}");
    app.close().await;

    // One that was rolled out before it got a default stays where it is, and the next rollout gives it.
    session(&db, Role::Superuser)
        .await
        .run_script("as it was", r#"ALTER TABLE items ALTER "tenantId" DROP DEFAULT"#)
        .await
        .unwrap();
    assert_eq!(form(&db, &tenancy).await, (Some(PolicyForm::Platform), Phase::Enforce));
    let steps = |report: &rls_rollout::RolloutReport| report.tables[0].steps;
    assert_eq!(steps(&roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap()), 1);
    assert_eq!(as_tenant(&db, "t1", insert).await, 1);
    assert_eq!(steps(&roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap()), 0);
}

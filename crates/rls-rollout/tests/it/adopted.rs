//! Policies of the application that a rollout is told to replace.

use local_db::Role;
use rls_rollout::{Check, Error, Notice, Replaced, RolloutOptions, Stop, plan, status};
use tenancy_config::{Exit, UserError};
use tenant_inventory::Phase;
use tenant_rls::PolicyForm;
use test_support::TestDb;

use crate::support::{as_tenant, auto, back, catalog, connect, roll_with, session, small, tables_of, to};

/// A table with a row of each of two tenants and one of nobody, behind these policies.
async fn behind(policies: &str) -> TestDb {
    small(&format!(
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1'), ('t2');
           CREATE TABLE items (id int PRIMARY KEY, "tenantId" text REFERENCES "Tenant", published bool);
           GRANT SELECT, INSERT, UPDATE, DELETE ON items TO app_user; INSERT INTO items VALUES (1, 't1'), (2, 't2'), (3, NULL);
           ALTER TABLE items ENABLE ROW LEVEL SECURITY; {policies}"#
    ))
    .await
}

fn adopt() -> RolloutOptions {
    RolloutOptions { adopt: true, ..to(Phase::Prepare) }
}

const STRICT: &str =
    r#"CREATE POLICY own ON items USING ("tenantId" = current_setting('app.current_tenant_id', true))"#;
const OPEN: &str = "CREATE POLICY own ON items USING (true)";
const SEEN: &str = "SELECT count(*) FROM items";

#[tokio::test]
async fn what_was_strict_stays_strict_and_what_was_open_becomes_the_bridge() {
    for (policies, form, seen) in
        [(STRICT, PolicyForm::Strict, 1), (OPEN, PolicyForm::Bridge, 2), ("", PolicyForm::Strict, 1)]
    {
        let db = behind(policies).await;
        let untouched = catalog(&db).await;
        let report = roll_with(&db, &tables_of(""), &adopt(), &mut |_| ()).await.unwrap();
        assert_eq!(report.tables[0].policy, Some(form), "{policies}: {report:#?}");
        assert_eq!(as_tenant(&db, "t1", SEEN).await, seen, "{policies}");
        back(&db, Phase::None).await.unwrap();
        assert_eq!(catalog(&db).await, untouched, "{policies}");
    }
}

#[tokio::test]
async fn each_policy_that_is_replaced_stands_whole_in_plan_and_report() {
    let db = behind(STRICT).await;
    let database = connect(&db, Role::Owner).await;
    let planned = plan(&database, &tables_of(""), &adopt()).await.unwrap();
    let [Replaced::Policy { phase: Phase::Prepare, name, definition }] = planned.tables[0].replaces.as_slice() else {
        panic!("{:?}", planned.tables[0])
    };
    assert_eq!(name, "own");
    let whole = r#"AS PERMISSIVE FOR ALL TO PUBLIC USING (("tenantId" = current_setting('app.current_tenant_id'::text, true)))"#;
    assert_eq!(definition, whole);
    assert!(planned.script().contains(whole), "{}", planned.script());
    let report = roll_with(&db, &tables_of(""), &adopt(), &mut |_| ()).await.unwrap();
    assert_eq!(report.tables[0].replaced, planned.tables[0].replaces);
}

#[tokio::test]
async fn a_policy_that_reads_another_variable_is_not_replaced_whatever_its_name() {
    for name in ["own", "rls_tenant_isolation"] {
        let policy =
            format!(r#"CREATE POLICY {name} ON items USING ("tenantId" = current_setting('app.tenant', true))"#);
        let db = behind(&policy).await;
        let untouched = catalog(&db).await;
        let report = roll_with(&db, &tables_of(""), &adopt(), &mut |_| ()).await.unwrap();
        let [Stop::OtherVariable { variable, .. }] = report.tables[0].stopped_by.as_slice() else {
            panic!("{report:#?}")
        };
        assert_eq!(variable, "app.tenant");
        let of_items = |lines: Vec<String>| -> Vec<String> {
            lines.into_iter().filter(|line| line.starts_with("items")).collect()
        };
        assert_eq!(of_items(catalog(&db).await), of_items(untouched));
    }
}

#[tokio::test]
async fn a_policy_of_which_nobody_can_tell_what_it_hides_is_not_replaced() {
    let db = behind(r#"CREATE POLICY own ON items USING (published OR "tenantId" = 't1')"#).await;
    let report = roll_with(&db, &tables_of(""), &adopt(), &mut |_| ()).await.unwrap();
    assert!(matches!(report.tables[0].stopped_by.as_slice(), [Stop::UnclearPolicy { .. }]), "{report:#?}");
}

#[tokio::test]
async fn a_policy_that_came_after_the_last_phase_stops_its_table_and_a_declared_one_does_not() {
    let db = small(
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1');
           CREATE TABLE items (id int PRIMARY KEY, "tenantId" text)"#,
    )
    .await;
    roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    db.owner()
        .await
        .run_script("preparing a test", "CREATE POLICY late ON items FOR SELECT USING (true)")
        .await
        .unwrap();
    let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    assert!(matches!(report.tables[0].stopped_by.as_slice(), [Stop::OtherPolicy { policy, .. }] if policy == "late"));
    assert!(report.coverage.covered.is_empty() && !report.is_complete());
    let allowed = tables_of("[tables.items]\nallow_policies = { late = \"a public list\" }\n");
    let report = roll_with(&db, &allowed, &RolloutOptions { adopt: true, ..auto() }, &mut |_| ()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert!(catalog(&db).await.iter().any(|line| line.contains("policy late")), "what is allowed is not replaced");
}

#[tokio::test]
async fn functions_that_will_see_less_and_an_application_that_owns_its_tables_are_named_before() {
    let db = small(
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1');
           CREATE TABLE items (id int PRIMARY KEY, "tenantId" text);
           CREATE FUNCTION total() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM public.items'"#,
    )
    .await;
    let options = RolloutOptions { app_role: Some("app_owner".to_owned()), ..auto() };
    let database = connect(&db, Role::Owner).await;
    let planned = plan(&database, &tables_of(""), &options).await.unwrap();
    let owns = |notice: &&Notice| matches!(notice, Notice::ApplicationOwns { app_role, .. } if app_role == "app_owner");
    let less =
        |notice: &&Notice| matches!(notice, Notice::SeesLess { way } if way.to_string().contains("public.total"));
    assert!(planned.notices.iter().any(|notice| owns(&notice)) && planned.notices.iter().any(|notice| less(&notice)));
    let told = status(&database, &tables_of(""), Some("app_owner")).await.unwrap();
    assert!(told.application_owns.iter().any(|notice| owns(&notice)));
    let refused = roll_with(&db, &tables_of(""), &options, &mut |_| ()).await.unwrap_err();
    assert!(
        matches!(&refused, Error::ApplicationOwns { notice } if notice.to_string().contains("app_owner")),
        "{refused}"
    );
    assert_eq!(refused.exit(), Exit::Refused);
    let options = RolloutOptions { application_owns_tables: true, ..options };
    let report = roll_with(&db, &tables_of(""), &options, &mut |_| ()).await.unwrap();
    let said: Vec<String> =
        report.preflight.iter().filter(|check| check.name() == "enforce").map(Check::says).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    // A superuser's function sees as much as before.
    session(&db, Role::Superuser)
        .await
        .run_script("preparing", "ALTER FUNCTION total() OWNER TO postgres")
        .await
        .unwrap();
    let db = connect(&db, Role::Owner).await;
    let planned = plan(&db, &tables_of(""), &options).await.unwrap();
    assert!(!planned.notices.iter().any(|notice| less(&notice)));
}

//! The proof by trying: what reaches the application's login and what only others, in which database, and beside whom.

use local_db::Role;
use rls_verify::{Note, VerifyOptions, VerifyReport, verify};
use tenancy_config::{Exit, Ident, TableName, Tenancy, UserError};
use tenant_inventory::claim::evidence::Evidence;
use tenant_rls::{ConnectOptions, Database, Template};
use test_support::TestDb;
use tokio::runtime::Handle;

use crate::support::{clean, connect, script};
use crate::verify::{contains, enforced, found, prove};

pub(crate) fn noted(report: &VerifyReport, parts: &[&str]) {
    let says = |note: &Note| parts.iter().all(|part| note.to_string().contains(part));
    assert!(report.notes.iter().any(says), "no {parts:?} in {:#?}", report.notes);
}

/// Runs a script as the superuser. Its roles are named after the database: all tests share them.
async fn with_roles(db: &TestDb, text: &'static str) {
    let roles = ["login", "support"].into_iter().filter(|role| text.contains(&format!(":\"{role}\"")));
    let named = roles.fold(Template::new(text), |text, role| text.ident(role, &Ident::new(role_of(db, role)).unwrap()));
    db.superuser().await.run_script("making roles", named.build()).await.unwrap();
}

fn role_of(db: &TestDb, role: &str) -> String {
    format!("{role}_{}", db.name())
}

/// As a login of this database's own, which inherits nothing.
async fn prove_as_own_login(db: &TestDb) -> VerifyReport {
    prove_with(db, &Tenancy::default()).await
}

async fn prove_with(db: &TestDb, tenancy: &Tenancy) -> VerifyReport {
    let url = db.url(Role::AppUser).with_user(&role_of(db, "login"), Some("local"));
    let app = Database::connect(&url, &ConnectOptions::default()).await.unwrap();
    let owner = connect(db, Role::Owner).await;
    verify(&owner, &app, tenancy, &VerifyOptions::default(), &mut |_| ()).await.unwrap()
}

const OWN_LOGIN: &str = r#"CREATE ROLE :"login" LOGIN NOINHERIT PASSWORD 'local';
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO :"login""#;

#[tokio::test]
async fn a_policy_for_others_is_a_note_until_the_login_can_become_one_of_them() {
    let db = enforced().await;
    with_roles(&db, OWN_LOGIN).await;
    let support = r#"CREATE ROLE :"support"; CREATE POLICY support ON bookings FOR SELECT TO :"support" USING (true)"#;
    with_roles(&db, support).await;
    let report = prove_as_own_login(&db).await;
    assert!(report.is_proven(), "{:#?}", found(&report));
    noted(&report, &["the policy \"support\"", "holds for others than"]);
    with_roles(&db, r#"GRANT :"support" TO :"login""#).await;
    let report = prove_as_own_login(&db).await;
    let whom = format!("to {}, which the login can become", role_of(&db, "support"));
    contains(&report, &["public.bookings: the policy \"support\" is not the rollout's, and lets rows through", &whom]);
}

#[tokio::test]
async fn a_login_that_can_become_the_auditor_is_found() {
    let db = enforced().await;
    with_roles(&db, OWN_LOGIN).await;
    with_roles(&db, r#"GRANT tenant_auditor TO :"login""#).await;
    contains(&prove_as_own_login(&db).await, &["can become tenant_auditor", "keys of each tenant's rows"]);
}

/// FORCE holds back owners only.
#[tokio::test]
async fn a_login_that_can_become_a_role_that_no_policy_filters_is_found() {
    let db = enforced().await;
    with_roles(&db, OWN_LOGIN).await;
    with_roles(&db, r#"CREATE ROLE :"support" BYPASSRLS; GRANT :"support" TO :"login""#).await;
    let bypassing = format!("can become {}, which is BYPASSRLS: no policy filters that", role_of(&db, "support"));
    contains(&prove_as_own_login(&db).await, &[&bypassing]);
    with_roles(&db, r#"ALTER ROLE :"support" NOBYPASSRLS"#).await;
    with_roles(&db, r#"ALTER TABLE bookings OWNER TO :"support"; ALTER TABLE bookings NO FORCE ROW LEVEL SECURITY"#)
        .await;
    let owning = format!("can become {}, which is the owner of public.bookings", role_of(&db, "support"));
    let mut tenancy = Tenancy::default();
    tenancy.database.owners = vec![role_of(&db, "support")];
    contains(&prove_with(&db, &tenancy).await, &[&owning]);
}

const FUNCTION: &str =
    "CREATE FUNCTION every_booking() RETURNS SETOF bookings LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM bookings'";

#[tokio::test]
async fn a_function_that_reads_past_the_policies_counts_where_the_login_may_call_it() {
    let db = enforced().await;
    script(&mut db.superuser().await, FUNCTION).await;
    contains(
        &prove(&db).await,
        &["the SECURITY DEFINER function public.every_booking() reaches public.bookings as postgres"],
    );
    script(&mut db.superuser().await, "REVOKE EXECUTE ON FUNCTION every_booking FROM PUBLIC").await;
    let report = prove(&db).await;
    assert!(report.is_proven(), "{:#?}", found(&report));
    noted(&report, &["public.every_booking()", "the login may not call it"]);
}

#[tokio::test]
async fn a_function_that_reads_as_somebody_whom_policies_filter_is_no_way_around() {
    let db = enforced().await;
    let pinned = "CREATE FUNCTION every_booking() RETURNS SETOF bookings LANGUAGE sql SECURITY DEFINER
                  SET search_path = pg_catalog, public, pg_temp AS 'SELECT * FROM bookings'";
    script(&mut db.owner().await, pinned).await;
    assert!(prove(&db).await.is_proven(), "its owner is forced");
    let trigger = "CREATE FUNCTION log_booking() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
                   'BEGIN UPDATE bookings SET notes = notes; RETURN NEW; END'";
    script(&mut db.superuser().await, trigger).await;
    // It may not be called, but hung on a temporary table.
    contains(&prove(&db).await, &["public.log_booking()", "by a trigger on a table of its own"]);
    script(&mut db.superuser().await, "REVOKE EXECUTE ON FUNCTION log_booking FROM PUBLIC").await;
    let report = prove(&db).await;
    assert!(report.is_proven(), "{:#?}", found(&report));
    noted(&report, &["public.log_booking()", "the login can write to nothing that fires it"]);
}

#[tokio::test]
async fn two_urls_of_two_databases_are_refused() {
    let (ours, other) = (clean().await, clean().await);
    let (owner, app) = (connect(&ours, Role::Owner).await, connect(&other, Role::AppUser).await);
    let refused = verify(&owner, &app, &Tenancy::default(), &VerifyOptions::default(), &mut |_| ()).await.unwrap_err();
    assert_eq!(refused.exit(), Exit::Usage);
    let said = refused.to_string();
    assert!(said.contains(ours.name()) && said.contains(other.name()), "{said}");
    assert!(refused.hint().is_some_and(|hint| hint.contains("--app-url")));
}

#[tokio::test]
async fn tenants_that_are_in_use_are_tried_first() {
    let db = enforced().await;
    let third = r#"INSERT INTO "Tenant" (id, slug, name, "updatedAt") VALUES ('t_c', 'initech', 'Initech', now());
        UPDATE "Tenant" SET status = 'SUSPENDED' WHERE id IN ('t_a', 't_b');
        INSERT INTO "Tenant" (id, slug, name, "updatedAt") VALUES ('t_d', 'hooli', 'Hooli', now());
        INSERT INTO services (id, name, slug, description, "tenantId", "updatedAt")
        VALUES ('s_c', 'C', 'c', 'c', 't_c', now()), ('s_d', 'D', 'd', 'd', 't_d', now())"#;
    script(&mut db.superuser().await, third).await;
    // Who tries with anybody else's rows does not find it.
    let leak = r#"CREATE POLICY partner ON services FOR SELECT USING ("tenantId" IN ('t_c', 't_d'))"#;
    script(&mut db.owner().await, leak).await;
    contains(&prove(&db).await, &["public.services: leak as app_user, reading another tenant's rows"]);
}

const HOLD: &str = "BEGIN; LOCK TABLE services IN ACCESS EXCLUSIVE MODE";

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_somebody_holds_is_not_waited_for() {
    let db = enforced().await;
    let (owner, app) = (connect(&db, Role::Owner).await, connect(&db, Role::AppUser).await);
    let mut holder = db.superuser().await;
    // The catalog is read by then.
    let mut hold = |table: &TableName| {
        if table.name().as_str() == "services" {
            tokio::task::block_in_place(|| Handle::current().block_on(script(&mut holder, HOLD)));
        }
    };
    let report = verify(&owner, &app, &Tenancy::default(), &VerifyOptions::default(), &mut hold).await.unwrap();
    let attempts = |name: &str| {
        let table = report.tables.iter().find(|table| table.table.name().as_str() == name).unwrap();
        table.attempts.clone()
    };
    for held in attempts("services") {
        let Evidence::NotTried { because } = &held.evidence else { panic!("{held:?}") };
        assert!(because.to_string().contains("lock timeout"), "{held:?}");
    }
    assert!(!report.is_proven(), "a table that was held is not proven");
    assert!(attempts("bookings").iter().all(|attempt| attempt.evidence.holds()));
}

#[tokio::test]
async fn while_the_catalog_is_held_nothing_is_tried() {
    let db = enforced().await;
    let (owner, app) = (connect(&db, Role::Owner).await, connect(&db, Role::AppUser).await);
    let mut holder = db.superuser().await;
    script(&mut holder, HOLD).await;
    let held = verify(&owner, &app, &Tenancy::default(), &VerifyOptions::default(), &mut |_| ()).await.unwrap_err();
    assert!(held.to_string().contains("lock timeout"), "{held}");
    assert!(held.hint().is_some_and(|hint| hint.contains("run it again later")));
}

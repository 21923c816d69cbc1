//! Ways past the policies that the catalog alone does not decide: they are tried, reviewed, or named as unknown.

use local_db::Role;
use rls_verify::{VerifyOptions, VerifyReport, verify};
use tenancy_config::Tenancy;
use tenancy_config::tenancy::ReviewRule;
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::claim::untried::Untried;
use tenant_inventory::claim::verdict::Verdict;
use tenant_inventory::{Inventory, Way, read_ways};
use test_support::TestDb;

use crate::logins::noted;
use crate::support::{connect, script};
use crate::verify::{contains, enforced, found, prove};

/// Why it is not known where the object leads.
fn untried(report: &VerifyReport, object: &str) -> Untried {
    let check = report.objects.iter().find(|check| check.object.contains(object)).unwrap();
    match &check.evidence {
        Evidence::NotTried { because } => because.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_view_that_keeps_tenants_apart_itself_is_read_and_held() {
    let db = enforced().await;
    let view = r#"CREATE VIEW own_bookings AS SELECT * FROM bookings WHERE "tenantId" = NULLIF(current_setting('app.current_tenant_id', true), '');
        GRANT SELECT ON own_bookings TO app_user"#;
    script(&mut db.superuser().await, view).await;
    let report = prove(&db).await;
    assert!(report.is_proven(), "{:#?}", found(&report));
    noted(&report, &["the view public.own_bookings", "shows no row of another tenant"]);
}

#[tokio::test]
async fn a_view_whose_condition_a_value_gets_around_is_found() {
    for view in [
        r#"CREATE VIEW careless AS SELECT * FROM bookings WHERE "tenantId" = current_setting('app.current_tenant_id', true)
               OR current_setting('app.current_tenant_id', true) = '*'; GRANT SELECT ON careless TO app_user"#,
        r#"CREATE VIEW careless AS SELECT * FROM bookings WHERE "tenantId" LIKE NULLIF(current_setting('app.current_tenant_id', true), '') || '%';
           GRANT SELECT ON careless TO app_user"#,
        r#"CREATE VIEW careless AS SELECT * FROM bookings WHERE NULLIF(current_setting('app.current_tenant_id', true), '') = 't_a';
           GRANT SELECT ON careless TO app_user"#,
    ] {
        let db = enforced().await;
        script(&mut db.superuser().await, view).await;
        let report = prove(&db).await;
        contains(&report, &["the view public.careless", "the login sees rows of others in it as"]);
        assert_eq!(report.claim.verdict(), Verdict::Disproven);
    }
}

#[tokio::test]
async fn a_view_that_takes_too_long_is_not_known_and_the_others_go_on() {
    let db = enforced().await;
    // As a sub-select without a reference to a row it is not pushed down or left out.
    let views = r#"CREATE VIEW slow AS SELECT * FROM bookings WHERE (SELECT pg_sleep(3)) IS NOT NULL;
        CREATE VIEW open AS SELECT * FROM bookings; GRANT SELECT ON slow, open TO app_user"#;
    script(&mut db.superuser().await, views).await;
    let report = prove(&db).await;
    assert!(matches!(untried(&report, "public.slow"), Untried::HeldUp { .. }), "{:#?}", report.objects);
    contains(&report, &["the view public.open"]);
}

const KEY: &str = r#"ALTER TABLE expenses ADD COLUMN "bookingId" text REFERENCES bookings(id) ON DELETE CASCADE"#;

#[tokio::test]
async fn a_cascading_key_is_a_way_where_a_row_references_another_tenants() {
    let db = enforced().await;
    script(&mut db.superuser().await, KEY).await;
    let object = "the foreign key \"expenses_bookingId_fkey\" of public.expenses";
    // Nobody who sees all rows may read the new column; the owner may, one tenant after the other.
    assert!(matches!(untried(&prove(&db).await, object), Untried::NoReader { .. }));
    let crossing = r#"INSERT INTO expenses (id, "tenantId", "bookingId", "userId", "amountCents")
        SELECT 'crossing', 't_b', id, 'u_b', 1 FROM bookings WHERE "tenantId" = 't_a' LIMIT 1"#;
    script(&mut db.superuser().await, crossing).await;
    contains(&prove(&db).await, &[object, "rows of one tenant that reference another's"]);
    script(&mut db.superuser().await, "DELETE FROM expenses WHERE id = 'crossing'").await;
    script(&mut db.superuser().await, r#"GRANT SELECT ("bookingId") ON expenses TO tenant_auditor"#).await;
    noted(&prove(&db).await, &[object, "no row of one tenant references another's"]);
    script(&mut db.superuser().await, crossing).await;
    let report = prove(&db).await;
    contains(&report, &[object, "rows of one tenant that reference another's", "DROP CONSTRAINT"]);
}

#[tokio::test]
async fn a_right_is_found_behind_keys_that_act_one_after_the_other() {
    let db = enforced().await;
    let chain = "CREATE TABLE regions (name text PRIMARY KEY);
        CREATE TABLE places (code text PRIMARY KEY, region text REFERENCES regions ON DELETE CASCADE ON UPDATE CASCADE);
        ALTER TABLE expenses ADD COLUMN place text REFERENCES places ON DELETE CASCADE ON UPDATE CASCADE;
        GRANT SELECT, UPDATE, DELETE ON regions TO app_user";
    script(&mut db.superuser().await, chain).await;
    let report = prove(&db).await;
    contains(&report, &["the right DELETE on public.regions changes rows of public.expenses"]);
    // Another name of a region changes places, and not the code that expenses reference.
    assert!(!found(&report).iter().any(|line| line.contains("UPDATE on public.regions")), "{:#?}", found(&report));
}

const PINNED: &str = r#"CREATE FUNCTION total() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public
    AS 'SELECT count(*) FROM public.bookings'"#;

async fn prove_with(db: &TestDb, tenancy: &Tenancy) -> VerifyReport {
    let (owner, app) = (connect(db, Role::Owner).await, connect(db, Role::AppUser).await);
    let options = VerifyOptions { write_probes: true, ..VerifyOptions::default() };
    verify(&owner, &app, tenancy, &options, &mut |_| ()).await.unwrap()
}

#[tokio::test]
async fn a_review_holds_until_what_was_reviewed_changes() {
    let db = enforced().await;
    script(&mut db.superuser().await, PINNED).await;
    let mut tenancy = Tenancy::default();
    let way = way(&db, &tenancy, "public.total()").await;
    let review = ReviewRule { why: "it counts and shows no row".into(), hash: way.review_hash().unwrap().into() };
    contains(&prove_with(&db, &tenancy).await, &["public.total()", &review.hash]);
    tenancy.reviewed.insert("public.total()".into(), review);
    let report = prove_with(&db, &tenancy).await;
    assert!(report.is_proven(), "{:#?}", found(&report));
    noted(&report, &["public.total()", "reviewed: it counts and shows no row"]);
    script(&mut db.superuser().await, "ALTER FUNCTION total() SET work_mem = '8MB'").await;
    contains(&prove_with(&db, &tenancy).await, &["public.total()", "the review in tenancy.toml is of another state"]);
}

const SHARED: &str = r#"CREATE TABLE places (code text PRIMARY KEY, name text, "Open" boolean);
    ALTER TABLE expenses ADD COLUMN place text REFERENCES places ON DELETE CASCADE ON UPDATE CASCADE;
    GRANT SELECT, UPDATE, DELETE ON places TO app_user"#;

/// The way of a name, as the catalog has it.
async fn way(db: &TestDb, tenancy: &Tenancy, name: &str) -> Way {
    let owner = connect(db, Role::Owner).await;
    let inventory = Inventory::load(&owner, tenancy, Some("app_user"), &[]).await.unwrap();
    let ways = read_ways(&owner, &inventory, "app_user", &[]).await.unwrap();
    ways.into_iter().find(|way| way.review_name() == name).unwrap_or_else(|| panic!("no way {name}"))
}

#[tokio::test]
async fn a_right_on_what_all_tenants_share_is_taken_where_keys_act_or_reviewed() {
    let db = enforced().await;
    script(&mut db.superuser().await, SHARED).await;
    let mut tenancy = Tenancy::default();
    let update = way(&db, &tenancy, "UPDATE on public.places").await;
    let closing = update.closing.unwrap();
    assert_eq!(
        closing,
        r#"REVOKE UPDATE ON public.places FROM app_user; GRANT UPDATE (name, "Open") ON public.places TO app_user"#
    );
    contains(&prove_with(&db, &tenancy).await, &["the right UPDATE on public.places", &closing]);
    script(&mut db.superuser().await, closing.leak()).await;
    let report = prove_with(&db, &tenancy).await;
    assert!(!found(&report).iter().any(|line| line.contains("UPDATE on public.places")), "{:#?}", found(&report));

    let delete = way(&db, &tenancy, "DELETE on public.places").await;
    let hash = delete.review_hash().unwrap().to_owned();
    let review = ReviewRule { why: "a place is deleted when nobody uses it".into(), hash };
    tenancy.reviewed.insert("DELETE on public.places".into(), review);
    let report = prove_with(&db, &tenancy).await;
    assert!(report.is_proven(), "{:#?}", found(&report));
    noted(&report, &["DELETE on public.places", "reviewed: a place is deleted when nobody uses it"]);

    let another = "ALTER TABLE bookings ADD COLUMN place text REFERENCES places ON DELETE SET NULL";
    script(&mut db.superuser().await, another).await;
    contains(
        &prove_with(&db, &tenancy).await,
        &["DELETE on public.places", "the review in tenancy.toml is of another state"],
    );
}

#[tokio::test]
async fn what_cannot_be_read_leaves_the_claim_unproven() {
    let db = enforced().await;
    let function =
        "CREATE FUNCTION opaque() RETURNS text LANGUAGE internal SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                    AS 'pg_current_wal_lsn'";
    script(&mut db.superuser().await, function).await;
    let report = prove(&db).await;
    assert_eq!(report.claim.verdict(), Verdict::Unproven, "{:#?}", found(&report));
    assert!(matches!(untried(&report, "public.opaque()"), Untried::NotReviewed { outdated: None, .. }));
    // A review of another state says as little as none.
    let mut tenancy = Tenancy::default();
    tenancy.reviewed.insert("public.opaque()".into(), ReviewRule { why: "it was read".into(), hash: "00".into() });
    let report = prove_with(&db, &tenancy).await;
    assert_eq!(report.claim.verdict(), Verdict::Unproven, "{:#?}", found(&report));
    let because = untried(&report, "public.opaque()");
    assert!(
        because.to_string().contains("the review in tenancy.toml is of another state of it (00); now a review is"),
        "{because}"
    );
}

/// A trigger that copies rows is found, unless the table that it copies to is declared, or somebody reviewed it.
#[tokio::test]
async fn a_trigger_that_copies_rows_is_found_unless_that_is_declared() {
    let db = enforced().await;
    let feed = r#"CREATE TABLE feed (said text); GRANT SELECT ON feed TO app_user;
        CREATE FUNCTION feed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
            BEGIN INSERT INTO feed VALUES (NEW.id); RETURN NULL; END $$;
        REVOKE EXECUTE ON FUNCTION feed FROM PUBLIC;
        CREATE TRIGGER feeds AFTER INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION feed()"#;
    script(&mut db.superuser().await, feed).await;
    let report = prove(&db).await;
    contains(&report, &["the trigger \"feeds\" of public.bookings", "copies rows of public.bookings to public.feed"]);
    assert_eq!(report.claim.verdict(), Verdict::Disproven);
    let owner = connect(&db, Role::Owner).await;
    let app = connect(&db, Role::AppUser).await;
    let mut declared = Tenancy::default();
    declared.tables.entry("feed".to_owned()).or_default().exempt = Some("everybody reads it".to_owned());
    let report = verify(&owner, &app, &declared, &VerifyOptions::default(), &mut |_| ()).await.unwrap();
    assert!(report.is_proven(), "{:#?}", found(&report));
    noted(&report, &["the trigger \"feeds\" of public.bookings", "exempt: everybody reads it"]);
}

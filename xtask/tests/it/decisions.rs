//! The way of a review: it is written, filled in, applied, corrected and undone.

use std::process::Stdio;

use insta::assert_snapshot;
use local_db::Role;
use test_support::TestDb;

use crate::killed::{expire_lease, number, text};
use crate::support::{Ended, Place, redact};

/// A folder with a review, and a database with few rows and one defect of each kind.
async fn reviewed(more: &'static str) -> (TestDb, Place) {
    let db = test_support::database().await;
    let mut superuser = db.superuser().await;
    superuser.run_script("planting a few rows", include_str!("few_rows.sql")).await.unwrap();
    superuser.run_script("planting more of them", more).await.unwrap();
    superuser.close().await;
    let place = Place::new();
    assert_eq!(run(&db, &place, &["run", "bookings", "--review", "review.csv"]).status, 3);
    (db, place)
}

fn run(db: &TestDb, place: &Place, arguments: &[&str]) -> Ended {
    let url = db.url(Role::Owner);
    let all = ["--confirm", "127.0.0.1", "--no-progress", "--database-url", url.expose()];
    place.run(&[&["backfill"], arguments, &all].concat())
}

fn read(place: &Place, name: &str) -> String {
    std::fs::read_to_string(place.path().join(name)).unwrap()
}

#[tokio::test]
async fn what_people_decide_is_applied_mended_and_taken_back() {
    let (db, place) = reviewed("").await;
    let review = read(&place, "review.csv");
    assert_eq!(place.mode("review.csv"), 0o600, "keys of rows are in it");
    assert_snapshot!("review", review);
    redact(&db, || assert_snapshot!("apply_undecided", run(&db, &place, &["apply", "review.csv"])));
    // People write into the empty cell before the fingerprint.
    place.write("review.csv", &review.replacen(",,v1-", ",t_bb,v1-", 1).replacen("s_b,,v1-", "s_b,b,v1-", 1));
    redact(&db, || {
        assert_snapshot!("apply_dry_run", run(&db, &place, &["apply", "review.csv", "--dry-run"]));
        assert_snapshot!("apply_table", run(&db, &place, &["apply", "review.csv", "--refused", "refused.csv"]));
    });
    let refused = read(&place, "refused.csv");
    assert_eq!(place.mode("refused.csv"), 0o600);
    assert_snapshot!("apply_refused_file", refused);
    place.write("refused.csv", &refused.replacen("t_bb", "t_b", 1));
    redact(&db, || {
        assert_snapshot!("apply_mended", run(&db, &place, &["apply", "refused.csv", "--format", "json", "-q"]));
        assert_snapshot!("apply_again", run(&db, &place, &["apply", "review.csv"]));
    });
    let why = run(&db, &place, &["why", "bookings", "b_9"]);
    assert!(why.stdout.contains("run      3 (backfill apply, --on-conflict report)\nsource   decision\n"), "{why}");
    assert_eq!(run(&db, &place, &["undo", "3"]).stdout, "run 3 on public.bookings: 1 row have what they had before.\n");
}

#[tokio::test]
async fn a_file_that_is_no_review_is_told_before_anything_is_connected_to() {
    let place = Place::new();
    place.write("list.csv", "id,decision\nb_1,t_a\n");
    assert_snapshot!("apply_no_review", place.run(&["backfill", "apply", "list.csv"]));
    assert_snapshot!("apply_no_file", place.run(&["backfill", "apply", "none.csv"]));
    assert_snapshot!(
        "apply_refused_is_review",
        place.run(&["backfill", "apply", "list.csv", "--refused", "./list.csv"])
    );
}

const MANY: &str = r#"
    INSERT INTO bookings (id, "clientId", "serviceId", "scheduledAt", duration, "clientName", "clientEmail", "updatedAt")
    SELECT 'x' || n, 'u_a', 's_b', now(), 30, '', '', now() FROM generate_series(1, 6000) n"#;

/// A hash of which booking has which tenant.
const TENANTS: &str = r#"SELECT md5(string_agg(id || ' ' || coalesce("tenantId", ''), ',' ORDER BY id)) FROM bookings"#;

/// The number of rows that are in the journal twice, with another tenant, or not at all.
const BROKEN_JOURNAL: &str = r#"
    WITH entry AS (SELECT unnest(row_keys) AS id, tenant_id FROM tenant_ops.journal)
    SELECT (SELECT count(*) FROM entry e JOIN bookings b USING (id) WHERE b."tenantId" IS DISTINCT FROM e.tenant_id)
         + (SELECT count(*) - count(DISTINCT id) FROM entry)
         + (SELECT count(*) FROM bookings b WHERE id LIKE 'x%' AND NOT EXISTS (SELECT FROM entry e WHERE e.id = b.id))"#;

const APPLIED: &str = r#"SELECT count(*) FROM bookings WHERE id LIKE 'x%' AND "tenantId" IS NOT NULL"#;

#[tokio::test]
async fn killed_at_many_moments_every_decision_is_applied_once() {
    let (db, place) = reviewed(MANY).await;
    place.write("review.csv", &read(&place, "review.csv").replace(",,v1-", ",b,v1-"));
    let url = db.url(Role::Owner);
    let apply = ["backfill", "apply", "review.csv", "--confirm", "127.0.0.1", "--database-url", url.expose()];
    let mut cut_short = 0;
    for round in 0..5 {
        let mut child = place.command(&apply, &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Killed as soon as another part is applied.
        while child.try_wait().unwrap().is_none() && number(&db, APPLIED).await <= round * 1000 {}
        child.kill().unwrap();
        cut_short += i32::from(child.wait().unwrap().code().is_none());
        expire_lease(&db).await;
    }
    assert!(cut_short > 2, "only {cut_short} were really killed");
    let last = place.run(&apply);
    assert_eq!(last.status, 0, "{last}");
    assert_eq!(number(&db, APPLIED).await, 6000);
    assert_eq!(number(&db, BROKEN_JOURNAL).await, 0);
    let before = text(&db, TENANTS).await;
    assert!(place.run(&apply).stdout.contains("already applied   6,00"), "a second time there is nothing to do");
    assert_eq!(text(&db, TENANTS).await, before);
}

//! What is planted is what is assigned and reported, and nothing else is touched.

use backfill_engine::{BackfillOptions, OnConflict, RunOutcome};
use local_db::Role;
use tenancy_config::UserError;

use crate::support::{SMALL, backfill, fast, number, planted};

/// A checksum over every column but the tenant's.
const OTHER_COLUMNS: &str =
    r#"SELECT sum(hashtextextended((to_jsonb(b) - 'tenantId')::text, 0) % 1000000000)::bigint FROM bookings b"#;

#[tokio::test]
async fn a_run_assigns_exactly_what_was_planted_and_a_second_finds_nothing_to_do() {
    let (db, planted) = planted(&SMALL).await;
    let mut superuser = db.superuser().await;
    let before = number(&mut superuser, OTHER_COLUMNS).await;

    let report = backfill(&db, Role::Owner, &fast()).await.unwrap();
    assert_eq!(report.outcome, RunOutcome::Done);
    assert_eq!(report.role, "tenant_maintenance");
    let by_source: Vec<u64> = report.assigned_by_source.iter().map(|source| source.rows).collect();
    assert_eq!(by_source, [planted.by_service_request, planted.by_client, planted.by_service]);
    assert_eq!(report.assigned, planted.assignable());
    assert_eq!((report.conflicts, report.unresolved), (planted.conflicts, planted.unresolvable));
    assert_eq!((report.assignable, report.remaining), (0, planted.conflicts + planted.unresolvable));
    assert_eq!(number(&mut superuser, OTHER_COLUMNS).await, before, "another column changed");

    let nulls = number(&mut superuser, r#"SELECT count(*) FROM bookings WHERE "tenantId" IS NULL"#).await;
    assert_eq!(nulls as u64, report.remaining);
    let journalled = number(&mut superuser, "SELECT sum(cardinality(row_keys))::bigint FROM tenant_ops.journal").await;
    assert_eq!(journalled as u64, report.assigned);
    let wrong = r#"SELECT count(*) FROM tenant_ops.journal j, unnest(j.row_keys) AS k(id) JOIN bookings b USING (id)
                   WHERE b."tenantId" IS DISTINCT FROM j.tenant_id"#;
    assert_eq!(number(&mut superuser, wrong).await, 0);

    let second = backfill(&db, Role::Owner, &fast()).await.unwrap();
    assert_eq!((second.outcome, second.assigned, second.run), (RunOutcome::NothingToDo, 0, None));
    assert_eq!((second.conflicts, second.unresolved), (planted.conflicts, planted.unresolvable));
}

#[tokio::test]
async fn tenants_that_do_not_exist_count_as_none_and_are_named() {
    let (db, _) = planted(&SMALL).await;
    let report = backfill(&db, Role::Owner, &fast()).await.unwrap();
    let named: Vec<(&str, &str)> =
        report.ghost_tenants.iter().map(|g| (g.source.as_str(), g.tenant.as_str())).collect();
    for tenant in ["", "tenant_deleted_1"] {
        assert!(named.contains(&("client", tenant)), "{named:?}");
    }
    let mut superuser = db.superuser().await;
    let invented = r#"SELECT count(*) FROM tenant_ops.journal j WHERE NOT EXISTS (SELECT FROM "Tenant" t WHERE t.id = j.tenant_id)"#;
    assert_eq!(number(&mut superuser, invented).await, 0);
}

#[tokio::test]
async fn a_dry_run_counts_the_same_and_keeps_nothing() {
    let (db, planted) = planted(&SMALL).await;
    let options = BackfillOptions { dry_run: true, ..fast() };
    let report = backfill(&db, Role::Owner, &options).await.unwrap();
    assert_eq!((report.assigned, report.run), (planted.assignable(), None));
    assert_eq!(report.remaining, planted.conflicts + planted.unresolvable);
    let mut superuser = db.superuser().await;
    let nulls = number(&mut superuser, r#"SELECT count(*) FROM bookings WHERE "tenantId" IS NULL"#).await;
    assert_eq!(nulls as u64, planted.bookings_without_tenant);
    assert_eq!(number(&mut superuser, "SELECT count(*) FROM pg_namespace WHERE nspname = 'tenant_ops'").await, 0);
}

#[tokio::test]
async fn a_limit_is_never_passed_and_the_next_run_goes_on() {
    let (db, planted) = planted(&SMALL).await;
    let first = backfill(&db, Role::Owner, &BackfillOptions { limit: Some(100), ..fast() }).await.unwrap();
    assert_eq!((first.outcome, first.assigned), (RunOutcome::LimitReached, 100));
    assert_eq!(first.remaining, planted.bookings_without_tenant - 100);
    let second = backfill(&db, Role::Owner, &fast()).await.unwrap();
    assert_eq!((second.outcome, second.resumed, second.run), (RunOutcome::Done, true, first.run));
    assert_eq!(second.assigned, planted.assignable(), "the counts of a resumed run include its beginning");
}

#[tokio::test]
async fn a_limit_is_reached_behind_rows_that_nobody_can_decide() {
    let (db, _) = planted(&SMALL).await;
    let mut owner = db.owner().await;
    // Conflicts behind which the rest of a range would be left out.
    let conflicts = r#"
                       UPDATE bookings b SET "serviceRequestId" = NULL, "serviceId" = (
                           SELECT s.id FROM services s JOIN "Tenant" t ON t.id = s."tenantId", users u
                           WHERE u.id = b."clientId" AND s."tenantId" <> u."tenantId" LIMIT 1)
                       FROM users c JOIN "Tenant" t ON t.id = c."tenantId"
                       WHERE c.id = b."clientId" AND b."tenantId" IS NULL AND b.ctid < '(2,0)'"#;
    owner.run_script("planting conflicts", conflicts).await.unwrap();
    for limit in [1, 7] {
        let report = backfill(&db, Role::Owner, &BackfillOptions { limit: Some(limit), ..fast() }).await.unwrap();
        assert_eq!(report.outcome, RunOutcome::LimitReached);
        assert_eq!(report.passes, 1, "the rest of the table was not left out");
    }
    assert_eq!(number(&mut owner, "SELECT sum(cardinality(row_keys))::bigint FROM tenant_ops.journal").await, 8);
}

#[tokio::test]
async fn the_review_holds_every_row_that_people_must_decide() {
    let (db, planted) = planted(&SMALL).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("review.csv");
    let options = BackfillOptions { review: Some(path.clone()), ..fast() };
    backfill(&db, Role::Owner, &options).await.unwrap();
    let mut csv = csv::Reader::from_path(&path).unwrap();
    let header: Vec<String> = csv.headers().unwrap().iter().map(str::to_owned).collect();
    let sources = ["service request", "service request row", "client", "client row", "service", "service row"];
    assert_eq!(header, [&["table", "id", "reason"], &sources[..], &["decision", "fingerprint"]].concat());
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    let of = |reason: &str| rows.iter().filter(|row| &row[2] == reason).count() as u64;
    assert_eq!((of("conflict"), of("unresolved")), (planted.conflicts, planted.unresolvable));
    assert!(rows.iter().filter(|row| &row[2] == "conflict").all(|row| row[5] != row[7] && !row[5].is_empty()));
}

#[tokio::test]
async fn a_review_that_cannot_be_written_is_an_error_and_leaves_no_file() {
    let (db, _) = planted(&SMALL).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no such folder").join("review.csv");
    let options = BackfillOptions { review: Some(path.clone()), ..fast() };
    let error = backfill(&db, Role::Owner, &options).await.unwrap_err();
    assert!(error.to_string().contains("review.csv") && error.hint().is_some(), "{error}");
    assert!(!path.exists());
}

#[tokio::test]
async fn with_on_conflict_first_the_best_source_decides_and_the_run_says_so() {
    let (db, planted) = planted(&SMALL).await;
    let options = BackfillOptions { on_conflict: OnConflict::First, ..fast() };
    let report = backfill(&db, Role::Owner, &options).await.unwrap();
    assert_eq!(report.conflicts, 0);
    assert_eq!(report.assigned, planted.assignable() + planted.conflicts);
    let mut superuser = db.superuser().await;
    assert_eq!(number(&mut superuser, "SELECT count(*) FROM tenant_ops.run WHERE on_conflict = 'first'").await, 1);
}

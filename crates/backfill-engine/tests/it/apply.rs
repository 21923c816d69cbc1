//! What people decided, applied: exactly that, once, and to be taken back.

use backfill_engine::{BackfillEvent, Error, RefusalKind, runs, why};
use local_db::Role;
use tenancy_config::{TableName, Tenancy};
use tenant_rls::DirectConnection;

use crate::reviewed::{Reviewed, refused};
use crate::support::{allowing, connect, number, script};
use crate::undo::undo_with;

#[tokio::test]
async fn each_decided_row_gets_the_decided_tenant_by_id_or_slug_and_no_other_row_any() {
    let mut review = Reviewed::bookings().await;
    review.decide("b_1", "t_a");
    review.decide("b_2", "globex");
    review.decide("b_5", "t_b");
    let report = review.apply().await;
    assert_eq!((report.lines, report.applied, report.undecided, report.refused), (5, 3, 2, 0));
    assert_eq!(report.role.as_deref(), Some("tenant_maintenance"));
    assert_eq!(review.tenants().await, "b_1:t_a b_2:t_b b_3:- b_4:- b_5:t_b b_6:t_a");
    let touched = r#"SELECT count(*) FROM bookings WHERE "updatedAt" <> '2024-01-01'"#;
    assert_eq!(number(&mut review.db.superuser().await, touched).await, 0);
}

#[tokio::test]
async fn what_was_decided_can_be_asked_for_listed_and_taken_back() {
    let mut review = Reviewed::bookings().await;
    review.decide("b_1", "acme");
    let run = review.apply().await.run.unwrap();
    let database = connect(&review.db, Role::Owner).await;
    let given =
        why(&database, &Tenancy::default(), &TableName::parse("bookings", "public").unwrap(), "b_1").await.unwrap();
    assert_eq!((given[0].run, given[0].job.as_str(), given[0].tenant.as_str()), (run, "backfill apply", "t_a"));
    assert_eq!(given[0].source.as_deref(), Some("decision"));
    let listed = runs(&database, &Tenancy::default()).await.unwrap();
    let this = listed.iter().find(|listed| listed.id == run).unwrap();
    assert_eq!((this.assigned, this.table.as_str()), (1, "public.bookings"));
    assert!(this.ended_at.is_some());
    assert_eq!(undo_with(&review.db, &Tenancy::default(), run, false).await.unwrap().undone, 1);
    assert_eq!(review.tenants().await, "b_1:- b_2:- b_3:- b_4:- b_5:- b_6:t_a");
    assert_eq!(review.apply().await.applied, 1, "what was taken back is no earlier decision");
}

#[tokio::test]
async fn a_second_time_everything_is_applied_already() {
    let mut review = Reviewed::bookings().await;
    review.decide("b_1", "t_a");
    review.decide("b_2", "t_b");
    review.apply().await;
    let again = review.apply().await;
    assert_eq!((again.applied, again.already_applied, again.refused), (0, 2, 0));
    // Another decision for the same row is none that was applied.
    review.decide("b_1", "t_b");
    let other = review.apply().await;
    assert_eq!((other.applied, other.already_applied), (0, 1));
    assert_eq!(refused(&other), [(2, RefusalKind::Assigned, "b_1")]);
}

#[tokio::test]
async fn a_row_that_got_the_same_tenant_from_elsewhere_was_not_applied() {
    let mut review = Reviewed::bookings().await;
    review.decide("b_1", "t_a");
    script(&mut review.db.superuser().await, r#"UPDATE bookings SET "tenantId" = 't_a' WHERE id = 'b_1'"#).await;
    let report = review.apply().await;
    assert_eq!(refused(&report), [(2, RefusalKind::Assigned, "b_1")]);
    let runs = "SELECT count(*) FROM tenant_ops.run WHERE job = 'backfill apply'";
    assert_eq!((report.run, number(&mut review.db.superuser().await, runs).await), (None, 0), "nothing was written");
}

#[tokio::test]
async fn a_dry_run_counts_the_same_and_keeps_nothing() {
    let mut review = Reviewed::bookings().await;
    review.decide("b_1", "t_a");
    review.decide("b_2", "nobody");
    let path = review.path("filled in.csv");
    std::fs::write(&path, review.text(b',', csv::Terminator::Any(b'\n'))).unwrap();
    let dry = review.apply_file(&path, None, true).await.unwrap();
    assert_eq!((dry.run, dry.applied, dry.undecided, dry.refused), (None, 1, 3, 1));
    assert_eq!(review.tenants().await, "b_1:- b_2:- b_3:- b_4:- b_5:- b_6:t_a");
    let installed = "SELECT count(*) FROM pg_namespace WHERE nspname = 'tenant_ops'";
    assert_eq!(number(&mut review.db.superuser().await, installed).await, 0);
    assert_eq!(review.apply().await.applied, 1);
}

#[tokio::test]
async fn a_review_with_nothing_decided_writes_nothing_and_opens_no_run() {
    let review = Reviewed::bookings().await;
    let report = review.apply().await;
    assert_eq!((report.run, report.table, report.lines, report.undecided), (None, None, 5, 5));
}

#[tokio::test]
async fn under_strict_force_the_maintenance_role_applies_and_the_application_may_not() {
    let mut review = Reviewed::bookings().await;
    review.decide("b_1", "t_a");
    crate::row_security::protect_strictly(&review.db).await;
    let report = review.apply().await;
    assert_eq!((report.role.as_deref(), report.applied), (Some("tenant_maintenance"), 1));
    let mut superuser = review.db.superuser().await;
    assert_eq!(number(&mut superuser, r#"SELECT count(*) FROM bookings WHERE "tenantId" IS NULL"#).await, 4);
    let path = review.path("filled in.csv");
    let error = review.apply_as(Role::AppUser, &path, None, false, &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::Database(tenant_rls::Error::CannotSee(_))), "{error}");
}

#[tokio::test]
async fn every_write_happens_in_the_scope_of_the_decided_tenant() {
    let mut review = Reviewed::bookings().await;
    let watch = r#"CREATE FUNCTION in_scope() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW."tenantId" IS DISTINCT FROM current_setting('app.current_tenant_id', true) THEN
                RAISE EXCEPTION 'written outside of its scope';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER in_scope BEFORE UPDATE ON bookings FOR EACH ROW EXECUTE FUNCTION in_scope()"#;
    script(&mut review.db.superuser().await, watch).await;
    review.tenancy = allowing(&["in_scope"]);
    for (id, tenant) in [("b_1", "t_a"), ("b_2", "t_b"), ("b_3", "t_a"), ("b_4", "t_b")] {
        review.decide(id, tenant);
    }
    let report = review.apply().await;
    assert_eq!((report.applied, report.refused), (4, 0), "{:?}", report.refusals);
}

#[tokio::test]
async fn a_run_that_was_killed_is_taken_up_and_finds_what_it_did() {
    let mut review = Reviewed::bookings().await;
    review.decide("b_1", "t_a");
    let run = review.apply().await.run;
    // As it stands where the process died behind its last commit.
    let dead = "UPDATE tenant_ops.run SET state = 'running', ended_at = NULL WHERE job = 'backfill apply'";
    script(&mut review.db.superuser().await, dead).await;
    review.decide("b_2", "t_b");
    let again = review.apply().await;
    assert_eq!((again.run, again.applied, again.already_applied), (run, 1, 1));
    let done = "SELECT sum(a)::bigint FROM tenant_ops.run, unnest(assigned_by) AS a WHERE job = 'backfill apply'";
    assert_eq!(number(&mut review.db.superuser().await, done).await, 2);
}

#[tokio::test]
async fn a_run_on_the_table_keeps_decisions_out_and_the_other_way_round() {
    let mut review = Reviewed::bookings().await;
    review.decide("b_1", "t_a");
    let database = connect(&review.db, Role::Owner).await;
    tenant_ops::install(&database, &Tenancy::default()).await.unwrap();
    let resource = "backfill of public.bookings";
    let lease = tenant_ops::Lease::acquire(&database, resource, "ada on host one", &mut |_| {}).await.unwrap();
    let _alive = lease.keep_alive(&database);
    let path = review.path("filled in.csv");
    std::fs::write(&path, review.text(b',', csv::Terminator::Any(b'\n'))).unwrap();
    let error = review.apply_file(&path, None, false).await.unwrap_err();
    assert!(error.to_string().starts_with("ada on host one has been working on"), "{error}");
    assert_eq!(review.tenants().await, "b_1:- b_2:- b_3:- b_4:- b_5:- b_6:t_a");
}

#[tokio::test]
async fn more_lines_than_one_batch_are_all_applied() {
    let db = test_support::database().await;
    script(&mut db.superuser().await, include_str!("undecided.sql")).await;
    let many = r#"INSERT INTO bookings (id, "clientId", "serviceId", "scheduledAt", duration, "clientName", "clientEmail", "updatedAt")
                  SELECT 'x' || n, 'u_a', 's_b', now(), 30, '', '', now() FROM generate_series(1, 1200) n"#;
    script(&mut db.superuser().await, many).await;
    let mut review = Reviewed::of(db).await;
    let decided: Vec<(String, &str)> = (1..=1200).map(|n| (format!("x{n}"), ["t_a", "globex"][n % 2])).collect();
    for (id, tenant) in &decided {
        review.decide(id, tenant);
    }
    let report = review.apply().await;
    assert_eq!((report.lines, report.applied, report.undecided), (1205, 1200, 5));
    let wrong = r#"SELECT count(*) FROM bookings WHERE id LIKE 'x%'
                   AND "tenantId" <> CASE substr(id, 2)::int % 2 WHEN 0 THEN 't_a' ELSE 't_b' END"#;
    assert_eq!(number(&mut review.db.superuser().await, wrong).await, 0);
}

#[tokio::test]
async fn ids_that_look_like_formulas_or_like_csv_are_applied_to_the_rows_that_have_them() {
    let db = test_support::database().await;
    script(&mut db.superuser().await, include_str!("undecided.sql")).await;
    let odd = r#"UPDATE bookings SET id = CASE id WHEN 'b_1' THEN '=cmd|'' /C calc''!A0' WHEN 'b_2' THEN E'a"b,\r\nc;\t'
                 WHEN 'b_3' THEN '''-1' WHEN 'b_4' THEN '日本 🦀' ELSE id END"#;
    script(&mut db.superuser().await, odd).await;
    let mut review = Reviewed::of(db).await;
    let ids: Vec<String> = review.records.iter().map(|record| record[1].clone()).collect();
    assert!(ids.contains(&"'=cmd|' /C calc'!A0".to_owned()), "a spreadsheet shows it as text: {ids:?}");
    for id in &ids {
        review.decide(id, "t_b");
    }
    let report = review.apply().await;
    assert_eq!((report.applied, report.refused), (5, 0), "{:?}", report.refusals);
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_of_a_cancelled_run_are_not_written() {
    let mut review = Reviewed::bookings().await;
    review.decide("b_1", "t_a");
    let path = review.path("filled in.csv");
    std::fs::write(&path, review.text(b',', csv::Terminator::Any(b'\n'))).unwrap();
    let url = review.db.url(Role::Owner);
    // An operator who is quicker than the first batch.
    let cancel = move || async move {
        let mut operator = DirectConnection::connect(&url, "tests").await.unwrap();
        script(&mut operator, "UPDATE tenant_ops.run SET state = 'cancelled'").await;
        operator.close().await;
    };
    let mut cancel = Some(cancel);
    let mut progress = |event: BackfillEvent| {
        if let (BackfillEvent::Started { .. }, Some(cancel)) = (event, cancel.take()) {
            let handle = tokio::runtime::Handle::current();
            std::thread::spawn(move || handle.block_on(cancel())).join().unwrap();
        }
    };
    let error = review.apply_as(Role::Owner, &path, None, false, &mut progress).await.unwrap_err();
    assert!(matches!(error, Error::Ended { .. }), "{error}");
    assert_eq!(review.tenants().await, "b_1:- b_2:- b_3:- b_4:- b_5:- b_6:t_a");
}

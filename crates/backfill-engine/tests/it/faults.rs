//! Lost connections, and neighbours that write and delete meanwhile.

use backfill_engine::{BackfillEvent, BackfillOptions, RunOutcome};
use local_db::Role;
use tenancy_config::Tenancy;

use crate::support::{SMALL, backfill_table, fast, number, planted, script};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_connections_are_cut_goes_on_by_itself() {
    let (db, planted) = planted(&SMALL).await;
    let superuser = db.url(Role::Superuser);
    let mut cuts = 0;
    let mut cut = move |event: BackfillEvent| {
        if !matches!(event, BackfillEvent::Batch { .. }) || cuts == 3 {
            return;
        }
        cuts += 1;
        let superuser = superuser.clone();
        // From a callback, so that it falls between two batches: the pool hands out a dead connection.
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async move {
                let mut session = tenant_rls::DirectConnection::as_application(&superuser, "cutter").await.unwrap();
                let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                           WHERE usename = 'app_owner' AND datname = current_database()";
                sqlx::query(all).execute(session.connection()).await.unwrap();
            });
        });
    };
    let options = BackfillOptions { batch_time: std::time::Duration::from_millis(1), ..fast() };
    let report = backfill_table(&db, Role::Owner, "bookings", &Tenancy::default(), &options, &mut cut).await.unwrap();
    assert_eq!(report.assigned, planted.assignable());
}

/// Rows with a tenant that the journal gave them and that is not the one their sources name alone.
const WRONG: &str = r#"
    WITH given AS (SELECT DISTINCT unnest(row_keys) AS id FROM tenant_ops.journal),
    said AS (SELECT b.id, b."tenantId" AS has, t.id AS says
             FROM given JOIN bookings AS b USING (id)
             LEFT JOIN "ServiceRequest" AS r ON r.id = b."serviceRequestId"
             LEFT JOIN users AS u ON u.id = b."clientId"
             LEFT JOIN services AS s ON s.id = b."serviceId"
             JOIN "Tenant" AS t ON t.id IN (r."tenantId", u."tenantId", s."tenantId"))
    SELECT count(*) FROM (SELECT id FROM said GROUP BY id, has HAVING count(DISTINCT says) <> 1 OR min(says) IS DISTINCT FROM has) AS wrong"#;

/// Locks two rows in either order, updates them, and now and then deletes one and inserts another without a tenant. The application's
/// transactions must not die of ours.
const NEIGHBOUR: &str = r#"
    DO $$ DECLARE v_a text; v_b text; BEGIN
        SELECT id INTO v_a FROM bookings ORDER BY random() LIMIT 1;
        SELECT id INTO v_b FROM bookings WHERE id <> v_a ORDER BY random() LIMIT 1;
        UPDATE bookings SET notes = 'seen' WHERE id = least(v_a, v_b);
        PERFORM pg_sleep(0.002);
        UPDATE bookings SET notes = 'seen' WHERE id = greatest(v_a, v_b);
        IF random() < 0.3 THEN
            DELETE FROM bookings WHERE id = v_a;
        ELSIF random() < 0.5 THEN
            INSERT INTO bookings SELECT (jsonb_populate_record(b, jsonb_build_object('id', 'new ' || gen_random_uuid(), 'tenantId', NULL))).*
            FROM bookings AS b WHERE b.id = v_b;
        END IF;
    END $$"#;

#[tokio::test]
async fn neighbours_that_lock_update_delete_and_insert_neither_die_nor_get_a_wrong_tenant() {
    let (db, _) = planted(&SMALL).await;
    let (go, over) = tokio::sync::watch::channel(false);
    let neighbours: Vec<_> = (0..3)
        .map(|_| {
            let (url, over) = (db.url(Role::Owner), over.clone());
            tokio::spawn(async move {
                let mut session = tenant_rls::DirectConnection::as_application(&url, "the application").await.unwrap();
                let mut done = 0;
                while !*over.borrow() {
                    session.run_script("working", NEIGHBOUR).await.unwrap();
                    done += 1;
                }
                done
            })
        })
        .collect();
    let options = BackfillOptions { batch_time: std::time::Duration::from_millis(5), ..fast() };
    let tenancy = Tenancy::default();
    let report = backfill_table(&db, Role::Owner, "bookings", &tenancy, &options, &mut |_| {}).await;
    go.send(true).unwrap();
    for neighbour in neighbours {
        assert!(neighbour.await.unwrap() > 3, "every transaction of the application went through");
    }
    let report = report.unwrap();
    assert!(report.assigned > 3_000, "{report:#?}");
    let rest = backfill_table(&db, Role::Owner, "bookings", &tenancy, &fast(), &mut |_| {}).await.unwrap();
    assert_eq!((rest.assignable, rest.failed.len()), (0, 0));
    assert_eq!(number(&mut db.superuser().await, WRONG).await, 0);
}

/// Does something as superuser between two batches.
fn between(url: &tenancy_config::DatabaseUrl, sql: &'static str) {
    let url = url.clone();
    let work = async move {
        let mut session = tenant_rls::DirectConnection::as_application(&url, "a neighbour").await.unwrap();
        script(&mut session, sql).await;
        session.close().await;
    };
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_is_deleted_in_the_middle_gets_no_more_rows_and_the_run_ends() {
    let (db, _) = planted(&SMALL).await;
    let url = db.url(Role::Superuser);
    let mut deleted = false;
    let mut delete = |event: BackfillEvent| {
        if matches!(event, BackfillEvent::Batch { assigned, .. } if assigned > 0) && !deleted {
            deleted = true;
            between(
                &url,
                r#"DELETE FROM "Tenant" WHERE id = (SELECT min("tenantId") FROM bookings WHERE "tenantId" IN (SELECT id FROM "Tenant"))"#,
            );
        }
    };
    let options = BackfillOptions { batch_time: std::time::Duration::from_millis(1), workers: 1, ..fast() };
    let report =
        backfill_table(&db, Role::Owner, "bookings", &Tenancy::default(), &options, &mut delete).await.unwrap();
    assert!(deleted);
    assert_eq!((report.outcome, report.assignable), (RunOutcome::Done, 0));
    let ghosts = r#"SELECT count(*) FROM tenant_ops.journal AS j, unnest(j.row_keys) AS k (id) JOIN bookings AS b USING (id)
                    WHERE NOT EXISTS (SELECT FROM "Tenant" AS t WHERE t.id = b."tenantId")"#;
    assert_eq!(number(&mut db.superuser().await, ghosts).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_keep_coming_end_the_run_and_are_called_the_applications() {
    let (db, _) = planted(&SMALL).await;
    let url = db.url(Role::Superuser);
    let one_more = r#"INSERT INTO bookings SELECT (jsonb_populate_record(b, jsonb_build_object('id', 'new ' || gen_random_uuid(), 'tenantId', NULL))).*
                      FROM bookings AS b WHERE b.id = (SELECT row_keys[1] FROM tenant_ops.journal LIMIT 1)"#;
    let mut insert = |event: BackfillEvent| {
        if matches!(event, BackfillEvent::Surveying) {
            between(&url, one_more);
        }
    };
    let report = backfill_table(&db, Role::Owner, "bookings", &Tenancy::default(), &fast(), &mut insert).await.unwrap();
    assert_eq!((report.outcome, report.passes, report.assignable), (RunOutcome::Done, 8, 1));
    assert!(report.rows_keep_coming);
}

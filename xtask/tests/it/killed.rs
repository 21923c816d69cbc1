//! A backfill that is killed again and again ends like one that was not killed, with the same rows and a complete
//! journal.

use std::process::Stdio;
use std::time::Duration;

use local_db::{Role, Seed};
use test_support::TestDb;

use crate::support::{Place, rounds};

const SEED: Seed = Seed { tenants: 5, bookings: 5_000, seed: 3 };

/// A hash of which booking has which tenant.
pub(crate) const ASSIGNED: &str =
    r#"SELECT md5(string_agg(id || ' ' || coalesce("tenantId", ''), ',' ORDER BY id)) FROM bookings"#;

/// The number of journal entries without their row, of rows that are in the journal twice, and of rows that were
/// assigned without an entry. Some bookings of the demo data have a tenant from the start. They were written before the
/// run and have no entry.
pub(crate) const BROKEN_JOURNAL: &str = r#"
    WITH entry AS (SELECT unnest(row_keys) AS id, tenant_id FROM tenant_ops.journal)
    SELECT (SELECT count(*) FROM entry e LEFT JOIN bookings b USING (id) WHERE b."tenantId" IS DISTINCT FROM e.tenant_id)
         + (SELECT count(*) - count(DISTINCT id) FROM entry)
         + abs((SELECT count(*) FROM entry) - (SELECT sum(a)::bigint FROM tenant_ops.progress, unnest(assigned_by) AS a))"#;

const REMAINING: &str = r#"SELECT count(*) FROM bookings WHERE "tenantId" IS NULL"#;

pub(crate) async fn text(db: &TestDb, sql: &'static str) -> String {
    let mut session = db.superuser().await;
    let value = sqlx::query_scalar(sql).fetch_one(session.connection()).await.unwrap();
    session.close().await;
    value
}

pub(crate) async fn number(db: &TestDb, sql: &'static str) -> i64 {
    let mut session = db.superuser().await;
    let value = sqlx::query_scalar(sql).fetch_one(session.connection()).await.unwrap();
    session.close().await;
    value
}

/// Ends the lease of a process that was killed. It would expire by itself after ten seconds.
pub(crate) async fn expire_lease(db: &TestDb) {
    let mut superuser = db.superuser().await;
    let expire = "DO $$ BEGIN IF to_regclass('tenant_ops.lease') IS NOT NULL THEN
                  UPDATE tenant_ops.lease SET released_at = now(); END IF; END $$";
    superuser.run_script("ending the lease of the dead", expire).await.unwrap();
    superuser.close().await;
}

#[tokio::test]
async fn killed_at_many_moments_it_ends_as_an_uninterrupted_run() {
    let place = Place::new();
    let whole = test_support::seeded(SEED).await;
    let url = whole.url(Role::Owner);
    let arguments = |url: &str| {
        ["backfill-bookings", "--full-speed", "--batch-time", "2ms", "--confirm", "127.0.0.1", "--database-url", url]
            .map(str::to_owned)
    };
    let run = place.run(&arguments(url.expose()).each_ref().map(String::as_str));
    assert_eq!(run.status, 3, "{}", run.stderr);

    assert_eq!(number(&whole, BROKEN_JOURNAL).await, 0);
    let mut cut_short = 0;
    for story in 0..rounds(10).div_ceil(10) {
        let killed = test_support::seeded(SEED).await;
        let url = killed.url(Role::Owner);
        let arguments = arguments(url.expose());
        let arguments = arguments.each_ref().map(String::as_str);
        for moment in 0..10 {
            let mut command = place.command(&arguments, &[]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(60 + 23 * moment + 2 * story as u64)).await;
            child.kill().unwrap();
            let ended = child.wait().unwrap();
            cut_short += i32::from(ended.code().is_none());
            expire_lease(&killed).await;
            if number(&killed, REMAINING).await == number(&whole, REMAINING).await {
                break;
            }
        }
        let last = place.run(&arguments);
        assert_eq!(last.status, 3, "{}", last.stderr);
        assert_eq!(text(&killed, ASSIGNED).await, text(&whole, ASSIGNED).await);
        assert_eq!(number(&killed, BROKEN_JOURNAL).await, 0);
    }
    assert!(cut_short > 2, "only {cut_short} of the runs were really killed");
}

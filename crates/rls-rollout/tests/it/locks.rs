//! Others in the way: readers, operators, and whoever inserts at the wrong moment.

use std::time::Duration;

use local_db::Role;
use rls_rollout::{Blocker, Error, LockRetry, Remedy, RolloutEvent, RolloutOptions, Stop, sentences};
use tenancy_config::{Exit, Tenancy, UserError};
use tenant_inventory::Phase;
use tenant_ops::Lease;
use test_support::TestDb;

use crate::support::{all_at, catalog, clean, connect, roll, roll_with, script, to};

const READ: &str = "BEGIN; SELECT count(*) FROM bookings";

fn impatient(phase: Phase, attempts: u32) -> RolloutOptions {
    let lock_retry = LockRetry { lock_timeout: Duration::from_millis(50), attempts };
    RolloutOptions { tables: vec!["bookings".to_owned()], lock_retry, ..to(phase) }
}

#[tokio::test]
async fn a_reader_in_the_way_is_named_and_waited_for_in_short_attempts() {
    let db = clean().await;
    let mut reader = db.app_user().await;
    script(&mut reader, READ).await;
    let (waited, mut waits) = tokio::sync::mpsc::unbounded_channel::<Vec<Blocker>>();
    let mut progress = |event| {
        if let RolloutEvent::Waiting { blockers, .. } = event {
            let _ = waited.send(blockers);
        }
    };
    let (tenancy, options) = (Tenancy::default(), impatient(Phase::Prepare, 12));
    let release = async {
        let first = waits.recv().await.unwrap();
        script(&mut reader, "COMMIT").await;
        first
    };
    let (report, blockers) = tokio::join!(roll_with(&db, &tenancy, &options, &mut progress), release);
    assert!(all_at(&report.unwrap(), Phase::Prepare));
    let named: Vec<String> = blockers.iter().map(ToString::to_string).collect();
    assert_eq!(blockers.len(), 1, "{named:?}");
    // An owner without pg_monitor may know no more of another role's session.
    assert!(named[0].ends_with("of app_user (tests)"), "{named:?}");
}

/// Writes down the lock timeout under which each definition of a booking is changed.
const WITNESS: &str = "CREATE TABLE public.seen (tag text, lock_timeout text);
    CREATE FUNCTION public.see() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    BEGIN
        INSERT INTO public.seen SELECT command_tag, current_setting('lock_timeout') FROM pg_event_trigger_ddl_commands()
        WHERE object_identity LIKE '%public.bookings';
    END $$;
    CREATE EVENT TRIGGER see ON ddl_command_end EXECUTE FUNCTION public.see()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_an_idle_reader_others_read_between_the_attempts_and_none_waits_longer_than_the_lock_timeout() {
    let db = clean().await;
    let database = connect(&db, Role::Owner).await;
    tenant_ops::install(&database, &Tenancy::default()).await.unwrap();
    script(&mut db.superuser().await, WITNESS).await;
    let (mut idle, mut app) = (db.app_user().await, db.app_user().await);
    script(&mut idle, READ).await;
    let mut others = 0;
    let mut progress = |event| {
        let RolloutEvent::Waiting { lock_timeout, .. } = event else { return };
        assert_eq!(lock_timeout, Duration::from_millis(50));
        // The rollout is held still here: between two attempts nothing of it stands in the queue of the table.
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                script(&mut app, "BEGIN; LOCK TABLE bookings IN ACCESS SHARE MODE NOWAIT; COMMIT").await;
                others += 1;
                if others == 3 {
                    script(&mut idle, "COMMIT").await;
                }
            });
        });
    };
    let options = impatient(Phase::Prepare, 12);
    let report = roll_with(&db, &Tenancy::default(), &options, &mut progress).await.unwrap();
    assert!(all_at(&report, Phase::Prepare), "{report:#?}");
    assert_eq!(others, 3, "it waited in vain as often as somebody sat there, and was through with the next attempt");
    let mut superuser = db.superuser().await;
    let seen = "SELECT array_agg(DISTINCT lock_timeout), count(*) FROM public.seen WHERE tag <> 'CREATE INDEX'";
    let (timeouts, changes): (Vec<String>, i64) = sqlx::query_as(seen).fetch_one(superuser.connection()).await.unwrap();
    assert_eq!(timeouts, ["50ms"]);
    assert!(changes > 4, "only {changes} changes were seen");
}

#[tokio::test]
async fn a_lock_that_does_not_come_free_stops_its_table_with_nothing_changed_and_the_same_command_goes_on() {
    let db = clean().await;
    let before = catalog(&db).await;
    let mut reader = db.app_user().await;
    script(&mut reader, READ).await;
    let report = roll(&db, &impatient(Phase::Prepare, 2)).await.unwrap();
    let stop = &report.tables[0].stopped_by[0];
    assert!(matches!(stop, Stop::Locked { blockers, attempts: 2, .. } if blockers.len() == 1), "{stop}");
    assert_eq!(stop.remedy(), Remedy::Locks);
    let kept: Vec<String> = catalog(&db).await.into_iter().filter(|line| !line.contains("\"Tenant\" grant")).collect();
    let known: Vec<String> = before.into_iter().filter(|line| !line.contains("\"Tenant\" grant")).collect();
    assert_eq!(kept, known);
    script(&mut reader, "COMMIT").await;
    assert!(all_at(&roll(&db, &impatient(Phase::Enforce, 2)).await.unwrap(), Phase::Enforce));
}

#[tokio::test]
async fn a_prepared_transaction_in_the_way_is_named_too() {
    let db = clean().await;
    let mut superuser = db.superuser().await;
    let possible: String =
        sqlx::query_scalar("SHOW max_prepared_transactions").fetch_one(superuser.connection()).await.unwrap();
    assert_ne!(possible, "0", "the test server must take prepared transactions");
    script(&mut superuser, "BEGIN; SELECT count(*) FROM bookings; PREPARE TRANSACTION 'left behind'").await;
    let report = roll(&db, &impatient(Phase::Prepare, 1)).await.unwrap();
    script(&mut superuser, "ROLLBACK PREPARED 'left behind'").await;
    let said = sentences(&report.tables[0].stopped_by);
    assert!(said.contains("by the prepared transaction `left behind`"), "{said}");
}

#[tokio::test]
async fn the_second_operator_is_told_who_is_first() {
    let db = clean().await;
    let database = connect(&db, Role::Owner).await;
    tenant_ops::install(&database, &Tenancy::default()).await.unwrap();
    let resource = "rollout of row level security";
    let lease = Lease::acquire(&database, resource, "ada on host one", &mut |_| {}).await.unwrap();
    let _alive = lease.keep_alive(&database);
    let error = roll(&db, &to(Phase::Prepare)).await.unwrap_err();
    assert!(error.to_string().starts_with("ada on host one has been working on"), "{error}");
    assert_eq!(error.exit(), Exit::Refused);
}

#[tokio::test]
async fn a_run_whose_lease_was_taken_over_while_it_waited_changes_no_table() {
    let db = clean().await;
    let mut reader = db.app_user().await;
    script(&mut reader, READ).await;
    let (waited, mut waits) = tokio::sync::mpsc::unbounded_channel();
    let mut progress = |event| {
        if let RolloutEvent::Waiting { .. } = event {
            let _ = waited.send(());
        }
    };
    let untouched = secured(&db).await;
    let (tenancy, options) = (Tenancy::default(), impatient(Phase::Prepare, 12));
    let take_over = async {
        waits.recv().await.unwrap();
        script(&mut db.superuser().await, "UPDATE tenant_ops.lease SET fence = fence + 1").await;
        script(&mut reader, "COMMIT").await;
    };
    let (report, ()) = tokio::join!(roll_with(&db, &tenancy, &options, &mut progress), take_over);
    let error = report.unwrap_err();
    assert!(matches!(error, Error::Ops(tenant_ops::Error::LeaseLost { .. })), "{error}");
    assert_eq!(secured(&db).await, untouched);
    let journal: i64 = sqlx::query_scalar("SELECT count(*) FROM tenant_ops.rollout_step WHERE table_name = 'bookings'")
        .fetch_one(db.superuser().await.connection())
        .await
        .unwrap();
    assert_eq!(journal, 0);
}

/// What the catalog has of bookings, rights of the rollout's roles aside, which come before any table.
async fn secured(db: &TestDb) -> Vec<String> {
    catalog(db).await.into_iter().filter(|line| line.starts_with("bookings") && !line.contains("grant")).collect()
}

/// So many times; `RACE_RUNS=100 cargo test -p rls-rollout --test it race` is the long form.
fn race_runs() -> u64 {
    tenancy_config::environment::text("RACE_RUNS").unwrap().and_then(|runs| runs.parse().ok()).unwrap_or(12)
}

#[tokio::test]
async fn race_of_a_row_without_a_tenant_and_the_tightening_never_hides_it() {
    let db = clean().await;
    let options = |phase| RolloutOptions { tables: vec!["expenses".to_owned()], ..to(phase) };
    roll(&db, &options(Phase::Prepare)).await.unwrap();
    let mut tightened = 0;
    for run in 0..race_runs() {
        let mut app = db.app_user().await;
        let insert = async {
            tokio::time::sleep(Duration::from_millis(run * 83 % 500)).await;
            let open = r#"BEGIN; INSERT INTO expenses (id, "userId", "amountCents", "tenantId") VALUES ('late', 'u_a', 1, NULL)"#;
            let inserted = app.run_script("inserting", open).await.is_ok();
            tokio::time::sleep(Duration::from_millis(run * 7 % 60)).await;
            let end = if inserted { "COMMIT" } else { "ROLLBACK" };
            app.run_script("ending", end).await.unwrap();
        };
        let tighten_options = options(Phase::Tighten);
        let tighten = roll(&db, &tighten_options);
        // On a busy machine the insert may win each time; the last one comes too late, and is refused.
        let report = if run + 1 == race_runs() {
            let report = tighten.await;
            insert.await;
            report
        } else {
            tokio::join!(tighten, insert).0
        };
        let mut superuser = db.superuser().await;
        let hidden: i64 = sqlx::query_scalar(r#"SELECT count(*) FROM expenses WHERE "tenantId" IS NULL"#)
            .fetch_one(superuser.connection())
            .await
            .unwrap();
        let report = report.unwrap();
        if report.tables[0].after >= Phase::Tighten {
            assert_eq!(hidden, 0, "run {run}: {report:#?}");
            tightened += 1;
            crate::support::back(&db, Phase::Prepare).await.unwrap();
        } else {
            assert!(!report.tables[0].stopped_by.is_empty(), "run {run}: {report:#?}");
        }
        script(&mut superuser, "DELETE FROM expenses WHERE id = 'late'").await;
    }
    assert!(tightened > 0, "the insert always won: that is no race");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_a_partition_that_holds_its_parent_up_is_named_with_the_partition() {
    let db = clean().await;
    script(&mut db.owner().await, include_str!("versions.sql")).await;
    let mut reader = db.app_user().await;
    // When the partitions have their NOT NULL, and the parent is about to take its own and theirs.
    let mut progress = |event| {
        if let RolloutEvent::Step { table, step: "require a tenant and make the policy strict", .. } = event
            && table.to_string() == "public.visits"
        {
            let read = script(&mut reader, "BEGIN; LOCK TABLE visits_old IN ACCESS SHARE MODE");
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(read));
        }
    };
    let options = RolloutOptions { tables: vec!["visits".to_owned()], ..impatient(Phase::Tighten, 1) };
    let report = roll_with(&db, &Tenancy::default(), &options, &mut progress).await.unwrap();
    let stopped = report.tables.iter().find(|table| table.table.to_string() == "public.visits").unwrap();
    assert!(matches!(&stopped.stopped_by[..], [Stop::Locked { .. }]), "{stopped:#?}");
    let said = sentences(&stopped.stopped_by);
    assert!(said.ends_with("of app_user (tests), on public.visits_old"), "{said}");
}

#[tokio::test]
async fn a_lock_on_one_table_stops_that_table_and_the_others_go_on() {
    let db = clean().await;
    let mut reader = db.app_user().await;
    script(&mut reader, READ).await;
    let tables = ["bookings", "expenses", "invoices"].map(str::to_owned).to_vec();
    let report = roll(&db, &RolloutOptions { tables, ..impatient(Phase::Enforce, 1) }).await.unwrap();
    let reached: Vec<(String, Phase)> =
        report.tables.iter().map(|table| (table.table.name().to_string(), table.after)).collect();
    let reached: Vec<(&str, Phase)> = reached.iter().map(|(table, phase)| (table.as_str(), *phase)).collect();
    assert_eq!(reached, [("bookings", Phase::None), ("expenses", Phase::Enforce), ("invoices", Phase::Enforce)]);
    assert!(matches!(&report.tables[0].stopped_by[..], [Stop::Locked { blockers, .. }] if blockers.len() == 1));
    assert!(!report.is_complete());
}

#[tokio::test]
async fn a_writer_on_the_tenant_table_that_holds_a_foreign_key_up_is_named() {
    let db = clean().await;
    script(&mut db.owner().await, "ALTER TABLE bookings DROP CONSTRAINT \"bookings_tenantId_fkey\"").await;
    roll(&db, &impatient(Phase::Prepare, 2)).await.unwrap();
    let mut writer = db.superuser().await;
    script(&mut writer, "BEGIN; UPDATE \"Tenant\" SET name = 'held' WHERE id = 't_a'").await;
    let error = roll(&db, &impatient(Phase::Tighten, 1)).await.unwrap_err();
    assert!(error.to_string().contains("could not reference the tenant table"), "{error}");
    assert!(error.to_string().contains("of postgres (tests)"), "{error}");
    script(&mut writer, "ROLLBACK").await;
}

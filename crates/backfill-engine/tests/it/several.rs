//! Several processes in one run, and an operator who pauses or cancels it. A process is a pool of its own here; the command line's
//! tests kill real ones.

use std::time::Duration;

use backfill_engine::{
    Backfill, BackfillEvent, BackfillOptions, BackfillPlan, BackfillReport, Error, RunOutcome, RunState, change, status,
};
use local_db::Role;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::Catalog;
use tenant_ops::{BatchCall, BatchStatement, HEARTBEAT, LeaseWatch, NewRange, NewRun, Run};
use tenant_rls::sqlstate::RUN_NOT_RUNNING;
use tenant_rls::{BatchOptions, BatchTx, ConnectOptions, Database, Sql};
use test_support::TestDb;
use tokio::sync::{mpsc, watch};

use crate::support::{SMALL, connect, fast, number, planted, script};

/// Small batches, so that there is time for others.
fn options(join: bool) -> BackfillOptions {
    BackfillOptions { batch_time: Duration::from_millis(1), join, workers: 1, ..fast() }
}

/// Each row that the journal names twice, or with another tenant than it has.
const BROKEN_JOURNAL: &str = r#"
    WITH entry AS (SELECT unnest(row_keys) AS id, tenant_id FROM tenant_ops.journal)
    SELECT (SELECT count(*) FROM entry JOIN bookings AS b USING (id) WHERE b."tenantId" IS DISTINCT FROM tenant_id)
         + (SELECT count(*) - count(DISTINCT id) FROM entry)"#;

/// One process that backfills bookings; `told` gets its events.
async fn process(
    db: &TestDb,
    holder: &'static str,
    options: BackfillOptions,
    stop: watch::Receiver<bool>,
    told: mpsc::UnboundedSender<BackfillEvent>,
) -> Result<BackfillReport, Error> {
    let mut tell = |event| drop(told.send(event));
    process_with(db, holder, options, stop, &mut tell).await
}

async fn process_with(
    db: &TestDb,
    holder: &'static str,
    options: BackfillOptions,
    stop: watch::Receiver<bool>,
    tell: &mut (dyn FnMut(BackfillEvent) + Send),
) -> Result<BackfillReport, Error> {
    let database = connect(db, Role::Owner).await;
    let tenancy = Tenancy::default();
    let catalog = Catalog::load(&database, &tenancy).await?;
    let plan = BackfillPlan::new(&catalog, &tenancy, "bookings")?;
    let backfill =
        Backfill { database: &database, tenancy: &tenancy, plan: &plan, job: "test", holder, options: &options };
    let report = backfill.run(stop, tell).await;
    database.close().await;
    report
}

/// Waits for an event.
async fn event(told: &mut mpsc::UnboundedReceiver<BackfillEvent>, wanted: impl Fn(&BackfillEvent) -> bool) {
    loop {
        let event = tokio::time::timeout(Duration::from_secs(20), told.recv()).await.unwrap().unwrap();
        if wanted(&event) {
            return;
        }
    }
}

fn a_batch(event: &BackfillEvent) -> bool {
    matches!(event, BackfillEvent::Batch { assigned, .. } if *assigned > 0)
}

fn helping(event: &BackfillEvent) -> bool {
    matches!(event, BackfillEvent::Started { helping: true, .. })
}

/// Somebody who holds the rows of the first page, so that nobody finishes before the test has looked.
async fn hold(db: &TestDb) -> tenant_rls::DirectConnection {
    let mut neighbour = db.owner().await;
    script(&mut neighbour, "BEGIN; LOCK TABLE bookings IN SHARE MODE").await;
    neighbour
}

#[tokio::test]
async fn two_processes_share_a_run_and_both_report_all_of_it() {
    let (db, planted) = planted(&SMALL).await;
    let (_go, stop) = watch::channel(false);
    let (first_tells, mut first) = mpsc::unbounded_channel();
    let (second_tells, mut second) = mpsc::unbounded_channel();
    let held = hold(&db).await;
    let a = process(&db, "the first", options(false), stop.clone(), first_tells);
    let b = async {
        event(&mut first, |event| matches!(event, BackfillEvent::Started { .. })).await;
        process(&db, "the second", options(true), stop.clone(), second_tells).await
    };
    let let_go = async {
        event(&mut second, helping).await;
        held.close().await;
    };
    let (a, b, ()) = tokio::join!(a, b, let_go);
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!((a.assigned, b.assigned), (planted.assignable(), planted.assignable()));
    assert_eq!((a.run, a.outcome, a.remaining), (b.run, b.outcome, b.remaining));
    assert!(a.batches > 0 && b.batches > 0, "each did some of it: {} and {}", a.batches, b.batches);
    let mut superuser = db.superuser().await;
    assert_eq!(number(&mut superuser, BROKEN_JOURNAL).await, 0);
    assert_eq!(number(&mut superuser, "SELECT count(*) FROM tenant_ops.run_process").await, 0);
}

/// A helper of a leader that was cut off as by a crash, and `then` this happened to its lease.
async fn leader_is_gone(then: &'static str) {
    let (db, planted) = planted(&SMALL).await;
    let (_go, stop) = watch::channel(false);
    let (first_tells, mut first) = mpsc::unbounded_channel();
    let (second_tells, mut second) = mpsc::unbounded_channel();
    let held = hold(&db).await;
    let mut leader = Box::pin(process(&db, "the first", options(false), stop.clone(), first_tells));
    tokio::select! {
        _ = &mut leader => panic!("nothing can be written yet"),
        () = event(&mut first, |event| matches!(event, BackfillEvent::Started { .. })) => {}
    }
    let helper = process(&db, "the second", options(true), stop.clone(), second_tells);
    let end_the_leader = async {
        event(&mut second, helping).await;
        drop(leader);
        script(&mut db.superuser().await, then).await;
        held.close().await;
        event(&mut second, |event| matches!(event, BackfillEvent::Leading)).await;
    };
    let (report, ()) = tokio::join!(helper, end_the_leader);
    let report = report.unwrap();
    assert_eq!((report.outcome, report.assigned), (RunOutcome::Done, planted.assignable()));
    assert_eq!(number(&mut db.superuser().await, BROKEN_JOURNAL).await, 0);
}

#[tokio::test]
async fn a_helper_leads_where_the_process_that_led_is_gone() {
    leader_is_gone("UPDATE tenant_ops.lease SET released_at = now()").await;
}

#[tokio::test]
async fn a_helper_leads_where_the_leader_died_and_the_clock_was_set_back_an_hour() {
    leader_is_gone(
        "UPDATE tenant_ops.lease SET heartbeat_at = now() + interval '1 hour', acquired_at = now() + interval '1 hour'",
    )
    .await;
}

#[tokio::test]
async fn a_process_that_joins_before_the_leader_has_opened_the_run_waits_for_it() {
    let (db, planted) = planted(&SMALL).await;
    let database = connect(&db, Role::Owner).await;
    tenant_ops::install(&database, &Tenancy::default()).await.unwrap();
    let lease =
        LeaseWatch::new("backfill of public.bookings").try_acquire(&database, "the first").await.unwrap().unwrap();
    let alive = lease.keep_alive(&database);
    let (_go, stop) = watch::channel(false);
    let (tells, _told) = mpsc::unbounded_channel();
    let joining = process(&db, "the second", options(true), stop, tells);
    let leader = async {
        // Longer than until its next heartbeat.
        tokio::time::sleep(HEARTBEAT * 2).await;
        drop(alive);
        lease.release(&database).await.unwrap();
    };
    let (report, ()) = tokio::join!(joining, leader);
    let report = report.unwrap();
    assert_eq!((report.outcome, report.assigned), (RunOutcome::Done, planted.assignable()));
}

#[tokio::test]
async fn a_leader_that_is_stopped_leaves_the_run_to_its_helper() {
    let (db, planted) = planted(&SMALL).await;
    let (halt, stop_first) = watch::channel(false);
    let (_go, stop) = watch::channel(false);
    let (first_tells, mut first) = mpsc::unbounded_channel();
    let (second_tells, mut second) = mpsc::unbounded_channel();
    let held = hold(&db).await;
    let a = process(&db, "the first", options(false), stop_first, first_tells);
    let b = async {
        event(&mut first, |event| matches!(event, BackfillEvent::Started { .. })).await;
        process(&db, "the second", options(true), stop, second_tells).await
    };
    let stop_it = async {
        event(&mut second, helping).await;
        // It is listed as a process right after it said so.
        tokio::time::sleep(Duration::from_millis(300)).await;
        halt.send(true).unwrap();
        held.close().await;
    };
    let (a, b, ()) = tokio::join!(a, b, stop_it);
    assert_eq!(a.unwrap().outcome, RunOutcome::Stopped);
    let b = b.unwrap();
    assert_eq!((b.outcome, b.assigned), (RunOutcome::Done, planted.assignable()));
}

/// Changes the state of the run after the first batch, before the next one, which a callback can and a task beside it cannot.
fn at_once(url: &tenancy_config::DatabaseUrl, state: RunState) -> i64 {
    let url = url.clone();
    let changing = async move {
        let database = Database::connect(&url, &ConnectOptions::default()).await.unwrap();
        let run = backfill_engine::runs(&database, &Tenancy::default()).await.unwrap()[0].id;
        change(&database, &Tenancy::default(), run, state, "an operator").await.unwrap();
        database.close().await;
        run
    };
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(changing))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_run_writes_nothing_until_it_is_resumed() {
    let (db, planted) = planted(&SMALL).await;
    let (_go, stop) = watch::channel(false);
    let (tells, mut told) = mpsc::unbounded_channel();
    let url = db.url(Role::Owner);
    let mut paused = false;
    let mut tell = |event: BackfillEvent| {
        if a_batch(&event) && !paused {
            at_once(&url, RunState::Paused);
            paused = true;
        }
        drop(tells.send(event));
    };
    let run = process_with(&db, "a process", options(false), stop, &mut tell);
    let operate = async {
        event(&mut told, |event| matches!(event, BackfillEvent::Paused { by } if by.as_deref() == Some("an operator")))
            .await;
        let written = "SELECT sum(cardinality(row_keys))::bigint FROM tenant_ops.journal";
        let written = number(&mut db.superuser().await, written).await;
        let database = connect(&db, Role::Owner).await;
        let run = backfill_engine::runs(&database, &Tenancy::default()).await.unwrap()[0].id;
        let status = status(&database, &Tenancy::default(), run).await.unwrap();
        assert_eq!((status.run.state, status.processes.len()), (RunState::Paused, 1));
        assert_eq!(status.run.assigned, u64::try_from(written).unwrap(), "one batch, and nothing after the pause");
        change(&database, &Tenancy::default(), run, RunState::Running, "an operator").await.unwrap();
        event(&mut told, |event| matches!(event, BackfillEvent::Resumed)).await;
        status.run.assigned
    };
    let (report, when_paused) = tokio::join!(run, operate);
    assert_eq!(report.unwrap().assigned, planted.assignable());
    assert!(when_paused < planted.assignable());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_run_ends_keeps_what_it_did_and_is_not_taken_up_again() {
    let (db, planted) = planted(&SMALL).await;
    let (_go, stop) = watch::channel(false);
    let url = db.url(Role::Owner);
    let mut cancelled = None;
    let mut tell = |event: BackfillEvent| {
        if a_batch(&event) {
            cancelled.get_or_insert_with(|| at_once(&url, RunState::Cancelled));
        }
    };
    let report = process_with(&db, "a process", options(false), stop.clone(), &mut tell).await.unwrap();
    assert_eq!((report.outcome, report.run), (RunOutcome::Cancelled, cancelled));
    assert!(report.assigned > 0 && report.assigned < planted.assignable(), "{}", report.assigned);
    let (tells, _told) = mpsc::unbounded_channel();
    let rest = process(&db, "another", options(false), stop, tells).await.unwrap();
    assert_ne!(rest.run, cancelled);
    assert_eq!(report.assigned + rest.assigned, planted.assignable());
}

#[tokio::test]
async fn a_pause_waits_for_the_batch_that_is_open_and_that_one_writes_nothing_more() {
    let (db, _) = planted(&SMALL).await;
    let (database, tenancy) = (connect(&db, Role::Owner).await, Tenancy::default());
    tenant_ops::install(&database, &tenancy).await.unwrap();
    let new =
        NewRun { job: "t".into(), table: "public.bookings".into(), on_conflict: "report", sources: vec!["s".into()] };
    let range = NewRange { leaf: "public.bookings".into(), first: 0, behind: 10 };
    let run = Run::resume_or_open(&database, &new, "a test", &[range]).await.unwrap();
    let mut batch = BatchTx::begin(&database, &tenancy, &BatchOptions::default()).await.unwrap();
    let range = run.claim(batch.connection().await.unwrap(), 0).await.unwrap().unwrap();
    let mut pause = std::pin::pin!(change(&database, &tenancy, run.id, RunState::Paused, "an operator"));
    let paused = async {
        while run.progress(&database).await.unwrap().state != RunState::Paused {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        _ = &mut pause => panic!("a batch is open"),
        () = paused => {}
    }
    tokio::select! {
        _ = &mut pause => panic!("the batch still has its range"),
        () = tokio::time::sleep(Duration::from_millis(300)) => {}
    }
    // The range was locked before the pause: its batch gets an error, and the pause returns once it has ended.
    let nothing = Sql::from_static("SELECT NULL::text AS tenant, 0::bigint AS row_count WHERE false");
    let bookings = TableName::parse("bookings", "public").unwrap();
    let statement = BatchStatement::new(&bookings, nothing, Sql::from_static("PERFORM"), Sql::from_static("NULL"));
    let call = BatchCall {
        range: range.id,
        variable: "app.current_tenant_id",
        statement: &statement,
        from: &range.next,
        until: &range.until,
        limit: None,
    };
    let error = run.batch(batch.connection().await.unwrap(), &call).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some(RUN_NOT_RUNNING), "{error}");
    batch.rollback().await.unwrap();
    assert_eq!(pause.await.unwrap().run.state, RunState::Paused);
}

#[tokio::test]
async fn what_a_run_that_is_over_cannot_do_is_said() {
    let (db, _) = planted(&SMALL).await;
    let done = crate::support::backfill(&db, Role::Owner, &fast()).await.unwrap().run.unwrap();
    let database = connect(&db, Role::Owner).await;
    for state in [RunState::Paused, RunState::Running, RunState::Cancelled] {
        let error = change(&database, &Tenancy::default(), done, state, "an operator").await.unwrap_err();
        assert_eq!(error.to_string(), format!("run {done} is done; it cannot become {}", state.as_str()));
    }
    assert!(matches!(
        change(&database, &Tenancy::default(), 99, RunState::Paused, "an operator").await,
        Err(Error::NoRun { run: 99 })
    ));
}

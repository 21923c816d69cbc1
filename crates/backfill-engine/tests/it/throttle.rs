//! What a real server says of its load, to a role that may see it and to one that may not, and how it holds workers back.

use std::sync::Mutex;
use std::time::Duration;

use backfill_engine::BackfillEvent;
use backfill_engine::throttle::{LoadSample, LoadSampler, LoadSignal, Throttle, ThrottleLimits};
use local_db::Role;
use tenancy_config::{DatabaseUrl, TableName, Tenancy};
use tenant_rls::{BatchOptions, BatchTx, ConnectOptions, Database, DirectConnection, Sql, Template};
use test_support::TestDb;
use tokio::sync::watch;

use crate::support::{connect, script};

fn bookings() -> TableName {
    TableName::parse("bookings", "public").unwrap()
}

async fn read(database: &Database) -> LoadSample {
    LoadSampler::new(database, &bookings()).read().await.unwrap()
}

/// A session that began a statement and holds what it holds until it is dropped.
async fn holding(session: DirectConnection, sql: &'static str) -> DirectConnection {
    let mut session = session;
    script(&mut session, sql).await;
    session
}

/// Lets go of it at once: a session that is closed is not gone yet.
async fn release(mut session: DirectConnection) {
    script(&mut session, "ROLLBACK").await;
}

/// A batch of ours that holds a row lock on the only tenant.
async fn batch(database: &Database) -> BatchTx {
    let mut tx = BatchTx::begin(database, &Tenancy::default(), &BatchOptions::default()).await.unwrap();
    let lock = r#"SELECT FROM public."Tenant" WHERE id = 'held' FOR UPDATE"#;
    sqlx::query(lock).fetch_one(tx.connection().await.unwrap()).await.unwrap();
    tx
}

async fn with_a_tenant() -> TestDb {
    let db = test_support::database().await;
    let tenant = r#"INSERT INTO "Tenant" (id, slug, name, "updatedAt") VALUES ('held', 'held', 'Held', now())"#;
    script(&mut db.owner().await, tenant).await;
    db
}

#[tokio::test]
async fn a_quiet_server_says_so_and_its_wal_moves_with_what_is_written() {
    let db = test_support::database().await;
    let database = connect(&db, Role::Superuser).await;
    let before = read(&database).await;
    assert_eq!((before.waiters, before.active, &before.work, &before.replicas), (0, 0, &vec![], &vec![]));
    assert_eq!(before.unreadable, vec![]);
    let mut owner = db.owner().await;
    script(&mut owner, "CREATE TABLE big AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 2000)").await;
    script(&mut owner, "INSERT INTO big SELECT * FROM big").await;
    let after = read(&database).await;
    assert!(after.wal > before.wal + 2_000_000 && after.at > before.at, "{before:?} {after:?}");
}

#[tokio::test]
async fn sessions_at_work_are_counted_and_ours_are_not() {
    let db = with_a_tenant().await;
    let database = connect(&db, Role::Superuser).await;
    let ours = batch(&database).await;
    let mut application = db.app_user().await;
    script(&mut application, "SELECT 1").await;
    // Idle by now, and at work a moment ago.
    assert_eq!(read(&database).await.active, 1);
    drop(ours);
}

#[tokio::test]
async fn what_an_ordinary_login_may_not_see_is_named_with_what_would_show_it() {
    let db = test_support::database().await;
    let database = connect(&db, Role::Owner).await;
    assert_eq!(read(&database).await.unreadable, vec![], "nobody else is there");
    let mut application = db.app_user().await;
    script(&mut application, "SELECT 1").await;
    let reading = read(&database).await;
    let unreadable = reading.unreadable(LoadSignal::ActiveSessions).unwrap();
    assert_eq!(unreadable.why, "1 sessions of other roles do not show this login whether they are at work");
    assert_eq!(unreadable.remedy, "GRANT pg_read_all_stats TO \"app_owner\";");
    assert_eq!(reading.unreadable.len(), 1);
}

#[tokio::test]
async fn who_works_on_the_table_is_named_also_to_a_login_that_sees_no_others() {
    let db = test_support::database().await;
    let database = connect(&db, Role::Owner).await;
    let other = holding(db.superuser().await, "BEGIN; LOCK TABLE bookings IN SHARE UPDATE EXCLUSIVE MODE").await;
    let elsewhere = holding(db.superuser().await, "BEGIN; LOCK TABLE services IN SHARE UPDATE EXCLUSIVE MODE").await;
    let reading = read(&database).await;
    assert_eq!(reading.work.len(), 1, "{reading:?}");
    let says = reading.work[0].to_string();
    assert!(says.ends_with(" of postgres (tests), holding ShareUpdateExclusiveLock"), "{reading:?}");
    release(other).await;
    release(elsewhere).await;
    let writers = holding(db.app_user().await, "BEGIN; LOCK TABLE bookings IN ROW EXCLUSIVE MODE").await;
    assert_eq!(read(&database).await.work, vec![], "who only writes does not work on the table");
    release(writers).await;
}

#[tokio::test]
async fn work_on_a_partition_is_work_on_the_table() {
    let db = test_support::empty_database().await;
    script(
        &mut db.owner().await,
        "CREATE TABLE bookings (id int, at date) PARTITION BY RANGE (at);
         CREATE TABLE bookings_2020 PARTITION OF bookings FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
    )
    .await;
    let database = connect(&db, Role::Owner).await;
    let other = holding(db.superuser().await, "BEGIN; LOCK TABLE ONLY bookings_2020 IN SHARE MODE").await;
    assert_eq!(read(&database).await.work.len(), 1);
    release(other).await;
}

#[tokio::test]
async fn a_prepared_transaction_that_holds_the_table_is_seen() {
    let db = test_support::database().await;
    let database = connect(&db, Role::Owner).await;
    let mut other = db.superuser().await;
    script(&mut other, "BEGIN; LOCK TABLE bookings IN SHARE MODE; PREPARE TRANSACTION 'forgotten'").await;
    let reading = read(&database).await;
    script(&mut other, "ROLLBACK PREPARED 'forgotten'").await;
    assert_eq!(reading.work.len(), 1);
    assert_eq!(reading.work[0].to_string(), "a prepared transaction, holding ShareLock");
}

#[tokio::test]
async fn a_session_that_waits_for_a_batch_of_ours_is_seen_and_one_that_waits_for_others_is_not() {
    let db = with_a_tenant().await;
    let database = connect(&db, Role::Owner).await;
    let held_by_other = holding(db.superuser().await, "BEGIN; LOCK TABLE services").await;
    let wait = |mut session: DirectConnection, sql: &'static str| {
        tokio::spawn(async move { sqlx::query(sql).execute(session.connection()).await.map(drop) })
    };
    let others = wait(db.app_user().await, "SELECT FROM services");
    db.until_waiting().await;
    assert_eq!(read(&database).await.waiters, 0);
    release(held_by_other).await;
    others.await.unwrap().unwrap();

    let ours = batch(&database).await;
    let waiting = wait(db.app_user().await, r#"UPDATE "Tenant" SET name = 'x' WHERE id = 'held'"#);
    db.until_waiting().await;
    assert_eq!(read(&database).await.waiters, 1);
    ours.rollback().await.unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(read(&database).await.waiters, 0);
}

#[tokio::test]
async fn a_worker_of_another_process_is_known_by_its_lock_in_the_book_keeping() {
    let db = with_a_tenant().await;
    let database = connect(&db, Role::Owner).await;
    script(&mut db.owner().await, "CREATE SCHEMA tenant_ops; CREATE TABLE tenant_ops.lease (resource text)").await;
    // Another name and another role than ours.
    let worker = holding(
        db.superuser().await,
        r#"BEGIN; SELECT FROM tenant_ops.lease FOR KEY SHARE; SELECT FROM public."Tenant" WHERE id = 'held' FOR UPDATE"#,
    )
    .await;
    let mut application = db.app_user().await;
    let waiting = tokio::spawn(async move {
        sqlx::query(r#"UPDATE "Tenant" SET name = 'x' WHERE id = 'held'"#)
            .execute(application.connection())
            .await
            .map(drop)
    });
    db.until_waiting().await;
    assert_eq!(read(&database).await.waiters, 1);
    release(worker).await;
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_session_that_waits_for_ours_in_another_database_is_of_no_concern_here() {
    let (db, elsewhere) = (test_support::database().await, with_a_tenant().await);
    let database = connect(&db, Role::Owner).await;
    let held = connect(&elsewhere, Role::Owner).await;
    let theirs = batch(&held).await;
    let mut application = elsewhere.app_user().await;
    let waiting = tokio::spawn(async move {
        let update = r#"UPDATE "Tenant" SET name = 'x' WHERE id = 'held'"#;
        sqlx::query(update).execute(application.connection()).await.map(drop)
    });
    elsewhere.until_waiting().await;
    assert_eq!(read(&database).await.waiters, 0);
    theirs.rollback().await.unwrap();
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_sampler_whose_session_was_cut_has_a_new_one_with_the_next_look() {
    let db = test_support::database().await;
    let (database, table) = (connect(&db, Role::Owner).await, bookings());
    let mut sampler = LoadSampler::new(&database, &table);
    sampler.read().await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'xtask' AND datname = current_database()";
    script(&mut db.superuser().await, cut).await;
    sampler.read().await.unwrap_err();
    sampler.read().await.unwrap();
}

#[tokio::test]
async fn workers_wait_while_somebody_works_on_the_table_and_it_is_told_and_counted() {
    let db = test_support::database().await;
    let (database, table) = (connect(&db, Role::Superuser).await, bookings());
    let vacuum = holding(db.superuser().await, "BEGIN; LOCK TABLE bookings IN SHARE UPDATE EXCLUSIVE MODE").await;
    let throttle = Throttle::new(&ThrottleLimits::default(), 2);
    let events = Mutex::new(Vec::new());
    let (_go, stop) = watch::channel(false);
    let work = async {
        let mut stop = stop.clone();
        let admitted = throttle.admit(0, None, &mut stop);
        tokio::pin!(admitted);
        // Whoever would let it in would do so with the first look.
        tokio::select! {
            _ = &mut admitted => panic!("admitted beside a vacuum"),
            () = until(&events, |event| matches!(event, BackfillEvent::Slowed { waits: true, .. })) => {}
        }
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert_eq!(throttle.workers(), 0);
        release(vacuum).await;
        assert!(admitted.await);
        until(&events, |event| matches!(event, BackfillEvent::FullSpeedAgain { .. })).await;
    };
    let tell = |event| events.lock().unwrap().push(event);
    tokio::select! {
        _ = throttle.watch(&database, &table, &tell) => {}
        () = work => {}
    }
    let report = throttle.report();
    assert_eq!(report.unreadable, vec![]);
    let waited: Vec<_> = report.throttled.iter().filter(|held| held.waited_seconds > 0.0).collect();
    assert_eq!((waited.len(), waited[0].signal), (1, LoadSignal::TableWork));
    assert!(waited[0].waited_seconds >= 1.0, "{report:?}");
}

#[tokio::test]
async fn a_login_that_cannot_see_the_load_goes_on_with_one_worker() {
    let db = test_support::database().await;
    let (database, table) = (connect(&db, Role::Owner).await, bookings());
    let _application = db.app_user().await;
    let throttle = Throttle::new(&ThrottleLimits::default(), 2);
    let events = Mutex::new(Vec::new());
    let (stopper, stop) = watch::channel(false);
    let tell = |event| events.lock().unwrap().push(event);
    let work = async {
        assert!(throttle.admit(0, None, &mut stop.clone()).await);
        assert_eq!(throttle.workers(), 1);
        let mut stop = stop.clone();
        let second = throttle.admit(1, None, &mut stop);
        stopper.send(true).unwrap();
        assert!(!second.await, "the second worker was to be stopped where it waited");
    };
    tokio::select! {
        _ = throttle.watch(&database, &table, &tell) => {}
        () = work => {}
    }
    let told = events.lock().unwrap();
    assert!(told.iter().any(
        |event| matches!(event, BackfillEvent::Unreadable { unreadable } if unreadable.signal == LoadSignal::ActiveSessions)
    ));
    assert_eq!(throttle.report().unreadable.len(), 1);
}

/// The same cluster follows itself, from another database: a real walsender without a second server.
fn subscribe(publisher: &DatabaseUrl) -> Sql {
    let password = publisher.expose_password().unwrap();
    let connection =
        format!("host=127.0.0.1 port={} user={} password={password} dbname=app", publisher.port(), publisher.user());
    let subscribe = Template::new(
        "CREATE TABLE t (id int PRIMARY KEY); CREATE SUBSCRIPTION follower CONNECTION :'connection' PUBLICATION p
         WITH (create_slot = false, slot_name = reader, copy_data = false)",
    );
    subscribe.literal("connection", &connection).build()
}

async fn until_followed(database: &Database, is: impl Fn(&LoadSample) -> bool) -> LoadSample {
    let table = TableName::parse("t", "public").unwrap();
    let mut sampler = LoadSampler::new(database, &table);
    loop {
        let reading = sampler.read().await.unwrap();
        if is(&reading) {
            return reading;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_follower_that_is_held_up_falls_behind_and_its_slot_shows_it_to_everyone() {
    let server = test_support::throwaway_server(None).await;
    let mut superuser = server.connect(Role::Superuser).await;
    for setting in ["wal_level = 'logical'", "max_wal_senders = 4", "max_replication_slots = 4"] {
        let sql = tenant_rls::Template::new("ALTER SYSTEM SET :setting");
        let sql = sql.fragment("setting", tenant_rls::Sql::from_static(setting)).build();
        superuser.run_script("setting up replication", sql).await.unwrap();
    }
    server.stop().await;
    server.start_again().await;
    let mut superuser = server.connect(Role::Superuser).await;
    script(&mut superuser, "CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t").await;
    script(&mut superuser, "SELECT pg_create_logical_replication_slot('reader', 'pgoutput')").await;
    script(&mut superuser, "CREATE DATABASE follower").await;
    let url = server.url(Role::Superuser).with_database("follower");
    let mut follower = DirectConnection::as_application(&url, "follower").await.unwrap();
    let publisher = server.url(Role::Superuser);
    follower.run_script("subscribing", subscribe(&publisher)).await.unwrap();

    let seeing = Database::connect(&server.url(Role::Superuser), &ConnectOptions::default()).await.unwrap();
    let quiet = until_followed(&seeing, |reading| !reading.replicas.is_empty()).await;
    assert_eq!((quiet.replicas.len(), quiet.replicas[0].name.as_str()), (1, "follower"));
    script(&mut follower, "BEGIN; LOCK TABLE t").await;
    // What is behind is counted from the first transaction that it does not get through.
    script(&mut superuser, "INSERT INTO t VALUES (0)").await;
    script(&mut superuser, "INSERT INTO t SELECT generate_series(1, 20000)").await;
    until_followed(&seeing, |reading| reading.replicas[0].bytes > 1_000_000).await;

    let owner = Database::connect(&server.url(Role::Owner), &ConnectOptions::default()).await.unwrap();
    let reading = until_followed(&owner, |_| true).await;
    assert_eq!((reading.replicas.len(), reading.replicas[0].name.as_str()), (1, "slot reader"));
    assert!(reading.replicas[0].bytes > 1_000_000, "{reading:?}");
    assert_eq!(reading.unreadable(LoadSignal::ReplicationLag), None);

    script(&mut follower, "ROLLBACK").await;
    until_followed(&seeing, |reading| reading.replicas[0].bytes < 100_000).await;
}

/// Returns when an event was told.
async fn until(events: &Mutex<Vec<BackfillEvent>>, is: impl Fn(&BackfillEvent) -> bool) {
    while !events.lock().unwrap().iter().any(&is) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

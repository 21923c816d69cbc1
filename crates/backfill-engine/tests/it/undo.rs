//! A run taken back, and what stands in the way of that.

use backfill_engine::{BackfillEvent, BackfillOptions, Error, RunState, Undo, UndoReport, order, runs, status, why};
use std::time::Instant;

use local_db::{Role, Seed};
use tenancy_config::UserError;
use tenancy_config::{Exit, TableName, Tenancy};
use tenant_inventory::Catalog;
use test_support::TestDb;
use tokio::sync::watch;

use crate::row_security::protect_strictly;
use crate::support::{SMALL, backfill, backfill_table, connect, fast, number, planted, script};

const BOOKINGS: &str = r#"SELECT hashtext(string_agg(id || coalesce("tenantId", '-') || "updatedAt", ',' ORDER BY id))::bigint FROM bookings"#;

async fn undo(db: &TestDb, run: i64, dry_run: bool) -> Result<UndoReport, Error> {
    undo_with(db, &Tenancy::default(), run, dry_run).await
}

/// Takes a run back as the owner of the tables.
pub(crate) async fn undo_with(db: &TestDb, tenancy: &Tenancy, run: i64, dry_run: bool) -> Result<UndoReport, Error> {
    let database = connect(db, Role::Owner).await;
    let (_go, stop) = watch::channel(false);
    let undo = Undo { database: &database, tenancy, run, dry_run, holder: "a test" };
    let done = undo.run(stop, &mut |_| {}).await;
    database.close().await;
    done
}

async fn bookings(db: &TestDb) -> i64 {
    number(&mut db.superuser().await, BOOKINGS).await
}

#[tokio::test]
async fn a_run_taken_back_leaves_every_row_as_it_was_and_a_second_time_finds_nothing() {
    let (db, planted) = planted(&SMALL).await;
    let before = bookings(&db).await;
    let run = backfill(&db, Role::Owner, &fast()).await.unwrap().run.unwrap();
    let after = bookings(&db).await;
    let dry = undo(&db, run, true).await.unwrap();
    assert_eq!((dry.undone, dry.kept), (planted.assignable(), 0));
    assert_eq!(bookings(&db).await, after, "a dry run changes nothing");
    let done = undo(&db, run, false).await.unwrap();
    assert_eq!((done.undone, done.kept), (planted.assignable(), 0));
    assert_eq!(bookings(&db).await, before);
    assert_eq!(undo(&db, run, false).await.unwrap().undone, 0);
    let database = connect(&db, Role::Owner).await;
    assert_eq!(runs(&database, &Tenancy::default()).await.unwrap()[0].state, RunState::Undone);
    let again = backfill(&db, Role::Owner, &fast()).await.unwrap();
    assert_eq!(again.assigned, planted.assignable(), "it is a new run, and none that goes on");
    assert_ne!(again.run, Some(run));
}

/// Looks into the index by tenant, as far as the server has counted them.
const LOOKS: &str =
    "SELECT coalesce(sum(idx_scan), 0)::bigint FROM pg_stat_user_indexes WHERE indexrelname = 'bookings_tenantId_idx'";

#[tokio::test]
async fn rows_are_written_where_they_were_locked_though_statistics_know_none_without_a_tenant() {
    for forced in [false, true] {
        let (db, planted) = planted(&SMALL).await;
        let freeze = "ALTER TABLE bookings SET (autovacuum_enabled = false)";
        script(&mut db.owner().await, freeze).await;
        // The run analyzes the table when nearly every row has its tenant; the undo does not.
        let run = backfill(&db, Role::Owner, &fast()).await.unwrap().run.unwrap();
        undo(&db, run, false).await.unwrap();
        if forced {
            protect_strictly(&db).await;
        }
        let before = number(&mut db.superuser().await, LOOKS).await;
        let options = BackfillOptions { batch_time: std::time::Duration::from_millis(1), ..fast() };
        let again = backfill(&db, Role::Owner, &options).await.unwrap();
        assert_eq!(again.assigned, planted.assignable());
        // Every session of the run has ended, and told its counts.
        let looks = number(&mut db.superuser().await, LOOKS).await - before;
        assert!(looks < 20, "{looks} looks into an index for {} batches of up to 5 tenants", again.batches);
    }
}

/// As many tenants as bookings: the journal has an entry for nearly each row.
const MANY: Seed = Seed { tenants: 20_000, bookings: 20_000, seed: 7 };

#[tokio::test]
async fn an_undo_of_as_many_tenants_as_rows_takes_at_most_twice_as_long_as_the_run() {
    let (db, planted) = planted(&MANY).await;
    let began = Instant::now();
    let run = backfill(&db, Role::Owner, &fast()).await.unwrap().run.unwrap();
    let ran = began.elapsed();
    let began = Instant::now();
    assert_eq!(undo(&db, run, false).await.unwrap().undone, planted.assignable());
    let undone = began.elapsed();
    assert!(undone < 2 * ran, "the run took {ran:?}, and the undo {undone:?}");
}

#[tokio::test]
async fn an_undo_that_was_stopped_shows_in_the_runs_how_far_it_came_and_what_is_left() {
    let (db, planted) = planted(&MANY).await;
    let run = backfill(&db, Role::Owner, &fast()).await.unwrap().run.unwrap();
    let database = connect(&db, Role::Owner).await;
    let (stops, stop) = watch::channel(false);
    let tenancy = Tenancy::default();
    let mut total = 0;
    let mut stop_after_a_batch = |event| match event {
        BackfillEvent::Undoing { rows, .. } => total = rows,
        BackfillEvent::Batch { .. } => stops.send(true).unwrap(),
        _ => {}
    };
    let undo_ = Undo { database: &database, tenancy: &tenancy, run, dry_run: false, holder: "ada" };
    let stopped = undo_.run(stop, &mut stop_after_a_batch).await.unwrap();
    assert_eq!(total, planted.assignable());
    assert!(stopped.stopped && stopped.undone > 0 && stopped.left > 0, "{stopped:?}");
    assert_eq!(stopped.undone + stopped.left, planted.assignable());
    let record = &runs(&database, &tenancy).await.unwrap()[0];
    let undo_of_run = record.undo.clone().unwrap();
    assert_eq!((record.state, record.state_by.as_deref()), (RunState::Undoing, Some("ada")));
    assert_eq!((undo_of_run.undone, undo_of_run.left), (stopped.undone, stopped.left));
    assert!(undo_of_run.seconds_left.unwrap() > 0.0, "{undo_of_run:?}");
    assert_eq!(undo(&db, run, false).await.unwrap().undone, stopped.left);
    let record = status(&database, &tenancy, run).await.unwrap().run;
    let done = record.undo.unwrap();
    assert_eq!((record.state, done.undone, done.left), (RunState::Undone, planted.assignable(), 0));
    assert_eq!(done.seconds_left, None);
}

#[tokio::test]
async fn a_value_that_is_no_longer_ours_is_left_alone() {
    let (db, planted) = planted(&SMALL).await;
    let run = backfill(&db, Role::Owner, &fast()).await.unwrap().run.unwrap();
    let change = r#"WITH one AS (SELECT unnest(row_keys) AS id FROM tenant_ops.journal LIMIT 2)
                    UPDATE bookings SET "tenantId" = (SELECT max(id) FROM "Tenant" WHERE id <> "tenantId") WHERE id IN (SELECT id FROM one)"#;
    script(&mut db.superuser().await, change).await;
    let done = undo(&db, run, false).await.unwrap();
    assert_eq!((done.undone, done.kept), (planted.assignable() - 2, 2));
}

#[tokio::test]
async fn a_table_that_requires_a_tenant_is_refused_with_the_rollback_that_it_needs_first() {
    let (db, _) = planted(&SMALL).await;
    let run = backfill(&db, Role::Owner, &fast()).await.unwrap().run.unwrap();
    let require =
        r#"DELETE FROM bookings WHERE "tenantId" IS NULL; ALTER TABLE bookings ALTER COLUMN "tenantId" SET NOT NULL"#;
    script(&mut db.superuser().await, require).await;
    let refused = undo(&db, run, false).await.unwrap_err();
    assert!(matches!(refused, Error::Strict { .. }), "{refused}");
    assert!(refused.hint().unwrap().contains("rls rollback --to prepare --tables public.bookings"));
    assert_eq!(refused.exit(), Exit::Refused);
}

#[tokio::test]
async fn parents_wait_until_their_children_were_taken_back() {
    let (db, _) = planted(&SMALL).await;
    let tenancy = Tenancy::default();
    let options = fast();
    let requests = backfill_table(&db, Role::Owner, "ServiceRequest", &tenancy, &options, &mut |_| {}).await.unwrap();
    let bookings = backfill(&db, Role::Owner, &options).await.unwrap();
    let (parent, child) = (requests.run.unwrap(), bookings.run.unwrap());
    let refused = undo(&db, parent, false).await.unwrap_err();
    assert_eq!(refused.hint().unwrap(), format!("take that back first: cargo xtask backfill undo {child}"));
    undo(&db, child, false).await.unwrap();
    assert_eq!(undo(&db, parent, false).await.unwrap().undone, requests.assigned);
}

#[tokio::test]
async fn where_rows_are_hidden_from_the_login_nothing_is_taken_back() {
    let (db, _) = planted(&SMALL).await;
    let run = backfill(&db, Role::Owner, &fast()).await.unwrap().run.unwrap();
    let hide = "ALTER TABLE bookings ENABLE ROW LEVEL SECURITY; ALTER TABLE bookings FORCE ROW LEVEL SECURITY";
    script(&mut db.owner().await, hide).await;
    let refused = undo(&db, run, false).await.unwrap_err();
    assert!(matches!(refused, Error::Database(tenant_rls::Error::CannotSee(_))), "{refused}");
}

#[tokio::test]
async fn a_run_that_never_was_is_a_mistake() {
    let db = test_support::database().await;
    let error = undo(&db, 7, false).await.unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.exit()),
        ("there is no run 7 in the journal of this database", Exit::Usage)
    );
}

#[tokio::test]
async fn a_row_tells_which_run_gave_it_its_tenant_and_from_which_source() {
    let (db, _) = planted(&SMALL).await;
    let run = backfill(&db, Role::Owner, &fast()).await.unwrap().run.unwrap();
    let mut superuser = db.superuser().await;
    let pick = r#"SELECT b.id FROM bookings b JOIN tenant_ops.journal j ON b.id = ANY (j.row_keys)
                  WHERE b."serviceRequestId" IS NULL LIMIT 1"#;
    let id: String = sqlx::query_scalar(pick).fetch_one(superuser.connection()).await.unwrap();
    let database = connect(&db, Role::Owner).await;
    let table = TableName::parse("bookings", "public").unwrap();
    let found = why(&database, &Tenancy::default(), &table, &id).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].run, found[0].undone_at), (run, None));
    assert!(["client", "service"].contains(&found[0].source.as_deref().unwrap()), "{found:?}");
    assert_eq!(why(&database, &Tenancy::default(), &table, "no such booking").await.unwrap(), []);
}

#[tokio::test]
async fn tables_come_after_those_that_they_draw_their_tenant_from() {
    let db = test_support::database().await;
    let database = connect(&db, Role::Owner).await;
    let tenancy = Tenancy::default();
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    let order: Vec<String> = order(&catalog, &tenancy).iter().map(|table| table.name().to_string()).collect();
    let at = |name: &str| order.iter().position(|table| table == name).unwrap_or_else(|| panic!("{name} in {order:?}"));
    assert!(at("ServiceRequest") < at("bookings") && at("bookings") < at("invoices"), "{order:?}");
    assert!(at("bookings") < at("WorkOrder") && at("ServiceRequest") < at("attachments"), "{order:?}");
    assert!(!order.contains(&"booking_settings".to_owned()), "it has no source");
}

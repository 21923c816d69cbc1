//! Cut off at every step in turn, and definitions that somebody else changed.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use local_db::Role;
use rls_rollout::{Error, RollbackOptions, RolloutEvent, RolloutOptions, rollback, rollout, status};
use tenancy_config::UserError;
use tenancy_config::{Exit, Tenancy};
use tenant_inventory::Phase;
use test_support::TestDb;
use tokio::sync::{oneshot, watch};

use crate::support::{all_the_way_back, auto, back, back_with, bury, catalog, clean, connect, roll, script};

/// One table that lacks an index, one that has all, one of the platform.
fn some() -> RolloutOptions {
    RolloutOptions { tables: ["expenses", "bookings", "audit_logs"].map(str::to_owned).into(), ..auto() }
}

/// Runs until the step of this number has begun, and a little into it; tells whether there was such a step.
async fn cut_at(db: &TestDb, number: usize) -> bool {
    let database = connect(db, Role::Owner).await;
    let (reached, arrived) = oneshot::channel();
    let state = Mutex::new((0, Some(reached)));
    let mut progress = |event| {
        if let RolloutEvent::Step { .. } = event {
            let mut state = state.lock().unwrap();
            if state.0 == number
                && let Some(reached) = state.1.take()
            {
                let _ = reached.send(());
            }
            state.0 += 1;
        }
    };
    let (_go, stop) = watch::channel(false);
    let (tenancy, options) = (Tenancy::default(), some());
    let run = rollout(&database, &tenancy, &options, "the one that is cut off", stop, &mut progress);
    let cut = async {
        let there = arrived.await.is_ok();
        // Into the step's transaction, but not always equally far.
        tokio::time::sleep(Duration::from_millis(number as u64 * 5 % 11)).await;
        there
    };
    let there = tokio::select! {
        _ = run => false,
        there = cut => there,
    };
    bury(db).await;
    there
}

#[tokio::test]
async fn cut_off_at_every_step_in_turn_and_run_again_it_ends_with_the_same_definitions_and_goes_back_to_none() {
    let whole = clean().await;
    let untouched = catalog(&whole).await;
    roll(&whole, &some()).await.unwrap();
    let wanted = catalog(&whole).await;
    let mut cuts = 0;
    for number in 0.. {
        let db = clean().await;
        if !cut_at(&db, number).await {
            break;
        }
        cuts += 1;
        roll(&db, &some()).await.unwrap();
        assert_eq!(catalog(&db).await, wanted, "cut at step {number}");
        back(&db, Phase::None).await.unwrap();
        assert_eq!(catalog(&db).await, untouched, "cut at step {number}, and taken back");
    }
    assert!(cuts > 10, "only {cuts} steps were cut");
}

#[tokio::test]
async fn a_definition_that_somebody_changed_since_is_not_overwritten() {
    let db = clean().await;
    roll(&db, &some()).await.unwrap();
    for table in ["bookings", "expenses"] {
        let alter = format!("ALTER POLICY rls_tenant_isolation ON {table} USING (true)");
        db.owner().await.run_script("preparing a test", tenant_rls::Sql::from_catalog(alter)).await.unwrap();
    }
    let before = catalog(&db).await;
    for dry_run in [true, false] {
        let options = RollbackOptions { dry_run, ..all_the_way_back() };
        let refused = back_with(&db, &options).await.unwrap_err();
        let Error::NotTakenBack(against) = &refused else { panic!("{refused}") };
        let drifted = against.iter().map(|error| match error {
            Error::Drifted { table, .. } => table.to_string(),
            other => panic!("{other}"),
        });
        assert_eq!(drifted.collect::<BTreeSet<_>>(), ["public.bookings".into(), "public.expenses".into()].into());
        assert!(refused.to_string().contains("the policy \"rls_tenant_isolation\""), "{refused}");
        assert_eq!(refused.exit(), Exit::Refused);
        assert_eq!(catalog(&db).await, before, "nothing of any table was taken back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_definition_that_somebody_changes_while_the_rollback_waits_for_the_lock_is_not_overwritten() {
    let db = clean().await;
    roll(&db, &some()).await.unwrap();
    let (mut reader, mut owner) = (db.app_user().await, db.owner().await);
    script(&mut reader, "BEGIN; SELECT count(*) FROM bookings").await;
    let mut change = |event| {
        let RolloutEvent::Waiting { .. } = event else { return };
        // The rollback has made its statements, and has not got its lock.
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                script(&mut reader, "COMMIT").await;
                script(&mut owner, "ALTER POLICY rls_tenant_isolation ON bookings USING (true)").await;
            });
        });
    };
    let database = connect(&db, Role::Owner).await;
    let (_go, stop) = watch::channel(false);
    let (tenancy, options) = (Tenancy::default(), all_the_way_back());
    let refused = rollback(&database, &tenancy, &options, "a test", stop, &mut change).await.unwrap_err();
    assert!(matches!(&refused, Error::Drifted { table, .. } if table.to_string() == "public.bookings"), "{refused}");
    let theirs = catalog(&db).await;
    assert!(
        theirs
            .iter()
            .any(|line| line.starts_with("bookings policy rls_tenant_isolation") && line.contains("using true"))
    );
}

#[tokio::test]
async fn a_table_that_was_dropped_since_is_named_and_the_others_go_back() {
    let db = clean().await;
    roll(&db, &some()).await.unwrap();
    let untouched = clean().await;
    for db in [&db, &untouched] {
        script(&mut db.owner().await, "DROP TABLE expenses CASCADE").await;
    }
    let report = back(&db, Phase::None).await.unwrap();
    assert_eq!(report.gone.iter().map(ToString::to_string).collect::<Vec<_>>(), ["public.expenses"]);
    assert_eq!(catalog(&db).await, catalog(&untouched).await);
    let again = back(&db, Phase::None).await.unwrap();
    assert_eq!((again.rollout, again.tables.len(), again.gone.len()), (None, 0, 1));
}

#[tokio::test]
async fn what_the_applications_own_tools_took_away_is_told() {
    let db = clean().await;
    roll(&db, &some()).await.unwrap();
    let push = r#"ALTER TABLE bookings ALTER COLUMN "tenantId" DROP NOT NULL; DROP INDEX "expenses_tenantId_idx""#;
    script(&mut db.owner().await, push).await;
    let database = connect(&db, Role::Owner).await;
    let status = status(&database, &Tenancy::default(), None).await.unwrap();
    let lost = |name: &str| {
        let table = status.tables.iter().find(|table| table.table.name().as_str() == name).unwrap();
        (table.phase, table.lost.clone())
    };
    assert_eq!(lost("bookings"), (Phase::Prepare, vec!["NOT NULL on the tenant column".to_owned()]));
    assert_eq!(lost("expenses"), (Phase::None, vec!["the index \"expenses_tenantId_idx\"".to_owned()]));
    assert_eq!(lost("audit_logs").1, [""; 0]);
}

//! A process that is killed at every statement in turn, with SIGKILL, and what the next run makes of that.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use local_db::Role;
use rls_rollout::{RolloutOptions, rollout};
use tenancy_config::{DatabaseUrl, Tenancy};
use tenant_inventory::Phase;
use tenant_rls::{ConnectOptions, Database};
use test_support::{Limit, Proxy, TestDb};
use tokio::sync::watch;

use crate::support::{auto, back, bury, catalog, clean, roll, script};

/// What tells the child where to roll out.
const URL: &str = "ROLLOUT_THAT_IS_KILLED";

/// One table that lacks an index, and one that lacks its foreign key and is forced already.
fn two_tables() -> RolloutOptions {
    RolloutOptions { tables: ["expenses", "bookings"].map(str::to_owned).into(), ..auto() }
}

async fn two_lacking_tables() -> TestDb {
    let db = clean().await;
    let lack = r#"ALTER TABLE bookings DROP CONSTRAINT "bookings_tenantId_fkey"; ALTER TABLE bookings ENABLE ROW LEVEL SECURITY;
                  ALTER TABLE bookings FORCE ROW LEVEL SECURITY"#;
    script(&mut db.owner().await, lack).await;
    db
}

#[tokio::test]
#[ignore = "the process that the test below kills"]
async fn the_one_that_is_killed() {
    let Some(url) = tenancy_config::environment::text(URL).unwrap() else { return };
    let database = Database::connect(&DatabaseUrl::parse(&url).unwrap(), &ConnectOptions::default()).await.unwrap();
    let (_go, stop) = watch::channel(false);
    rollout(&database, &Tenancy::default(), &two_tables(), "the one that is killed", stop, &mut |_| ()).await.unwrap();
}

/// This program again, with nothing but the test above.
fn child(db: &TestDb, proxy: &Proxy) -> Child {
    let url = db.url(Role::Owner);
    let through = proxy.through(&url);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "killed::the_one_that_is_killed", "--ignored", "--quiet"]).env(URL, through);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Rolls out in a process of its own up to this statement, and kills it there; tells whether it got so far.
async fn killed_at(db: &TestDb, limit: Limit) -> bool {
    let proxy = Proxy::before(db.url(Role::Owner).port(), limit);
    let mut child = child(db, &proxy);
    loop {
        if proxy.is_reached() {
            child.kill().unwrap();
            child.wait().unwrap();
            bury(db).await;
            return true;
        }
        if let Some(ended) = child.try_wait().unwrap() {
            assert!(ended.success(), "it ended by itself, with {ended}");
            return false;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Every so many moments; `KILL_STRIDE=1 cargo test -p rls-rollout --test it killed` tries them all.
fn stride() -> usize {
    tenancy_config::environment::text("KILL_STRIDE").unwrap().and_then(|stride| stride.parse().ok()).unwrap_or(97)
}

#[tokio::test]
async fn killed_at_each_statement_in_turn_and_run_again_it_ends_with_the_same_definitions_and_goes_back_to_none() {
    let whole = two_lacking_tables().await;
    let untouched = catalog(&whole).await;
    let endless = Proxy::before(whole.url(Role::Owner).port(), Limit { statement: usize::MAX, passes: false });
    assert!(child(&whole, &endless).wait().unwrap().success());
    let (wanted, statements) = (catalog(&whole).await, endless.statements());
    assert!(statements > 200, "only {statements} statements came through the proxy");
    let (mut killed, mut changed) = (0, 0);
    // Two moments a statement: before the server has it, and while the server runs it.
    for moment in (0..2 * statements).step_by(stride()) {
        let limit = Limit { statement: moment / 2 + 1, passes: moment % 2 == 1 };
        let db = two_lacking_tables().await;
        killed += usize::from(killed_at(&db, limit).await);
        changed += usize::from(![&untouched, &wanted].contains(&&catalog(&db).await));
        roll(&db, &two_tables()).await.unwrap_or_else(|error| panic!("after a kill at {limit:?}: {error}"));
        assert_eq!(catalog(&db).await, wanted, "killed at {limit:?} of {statements}");
        back(&db, Phase::None).await.unwrap_or_else(|error| panic!("after a kill at {limit:?}: {error}"));
        assert_eq!(catalog(&db).await, untouched, "killed at {limit:?} of {statements}, and taken back");
    }
    assert!(killed > 4 && changed > 2, "{killed} were killed, {changed} of them in the middle");
}

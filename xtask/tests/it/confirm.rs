//! A write to any database but the project's own must be confirmed by name. The server of the tests is on this machine,
//! but no `db up` created it, so it needs a confirmation: `localhost` may be a tunnel to production.

use local_db::Role;

use crate::support::{Place, redact};

#[tokio::test]
async fn a_write_that_nobody_confirms_is_refused() {
    let db = test_support::database().await;
    let place = Place::new();
    place.write("tenancy.toml", "[database]\nenvironment = \"production\"\n");
    let url = db.url(Role::Owner);
    let ended = place.run(&["backfill-bookings", "--database-url", url.expose()]);
    redact(&db, || insta::assert_snapshot!("not_confirmed", ended));
    let wrong = place.run(&["backfill-bookings", "--confirm", "staging", "--database-url", url.expose()]);
    redact(&db, || insta::assert_snapshot!("wrongly_confirmed", wrong));
}

#[tokio::test]
async fn the_right_name_confirms_and_without_tenancy_toml_that_is_the_host() {
    let db = test_support::database().await;
    let url = db.url(Role::Owner);
    let ended = Place::new().run(&["backfill-bookings", "--confirm", "127.0.0.1", "--database-url", url.expose()]);
    assert_eq!(ended.status, 0, "{ended}");
    assert!(ended.stdout.contains("nothing to do"), "{ended}");
}

#[tokio::test]
async fn a_dry_run_asks_nothing() {
    let db = test_support::database().await;
    let ended = Place::new().run(&["backfill-bookings", "--dry-run", "--database-url", db.url(Role::Owner).expose()]);
    assert_eq!(ended.status, 0, "{ended}");
}

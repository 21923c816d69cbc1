//! A table that `tenancy.toml` names and this database does not have is named by the reports, and stops no command: one file may serve several
//! layouts of an application.

use local_db::{Role, Seed};
use test_support::TestDb;

use crate::support::Place;

/// Each command that looks at more than one table, with the statuses of an answer.
const COMMANDS: [(&[&str], &[i32]); 21] = [
    (&["doctor"], &[0, 3]),
    (&["inventory"], &[0]),
    (&["audit"], &[0, 3]),
    (&["init", "--check"], &[3]),
    (&["init", "--update", "--stdout"], &[0]),
    (&["init", "--stdout"], &[0]),
    (&["backfill", "suggest"], &[0]),
    (&["backfill", "suggest", "--missing"], &[0]),
    (&["backfill", "map", "--all"], &[0, 3]),
    (&["backfill", "memberships"], &[0, 3]),
    (&["backfill", "run", "--all", "--dry-run"], &[3]),
    (&["backfill", "run", "--all"], &[3]),
    (&["backfill", "runs"], &[0]),
    (&["assign-chat-messages", "--dry-run"], &[0, 3]),
    (&["seed-tenant-defaults", "--all", "--dry-run"], &[0]),
    (&["rls", "plan"], &[0, 3]),
    (&["rls", "predict", "--statements", "statements.sql"], &[0]),
    (&["rls", "rollout"], &[3]),
    (&["rls", "status"], &[0]),
    (&["rls", "verify"], &[3]),
    (&["rls", "rollback"], &[0]),
];

/// The demo without some of its tables, and a folder with a file that names these and others that were never there.
async fn database() -> (TestDb, Place) {
    let db = test_support::seeded(Seed { tenants: 5, bookings: 100, seed: 3 }).await;
    let mut superuser = db.superuser().await;
    superuser.run_script("dropping tables", "DROP TABLE audit_events, \"WorkOrder\" CASCADE").await.unwrap();
    superuser.close().await;
    let place = Place::new();
    let more = "\n[tables.nowhere]\nexempt = \"it was there once\"\n\n[tables.nowhere_either]\n\
                sources = [{ name = \"user\", column = \"user_id\", table = \"users\" }]\n\n\
                [tables.nor_there]\nthrough = { column = \"x\", table = \"nowhere\" }\n";
    place.write("statements.sql", "SELECT * FROM bookings; SELECT * FROM audit_events");
    place.write("tenancy.toml", &format!("{}{more}", include_str!("../../../tenancy.toml")));
    (db, place)
}

#[tokio::test]
async fn no_command_stops_at_a_table_that_is_not_there() {
    let (db, place) = database().await;
    let (url, app) = (db.url(Role::Owner), db.url(Role::AppUser));
    let mut wrong = Vec::new();
    for (arguments, statuses) in COMMANDS {
        let all = [arguments, &["--confirm", "127.0.0.1", "--database-url", url.expose()]].concat();
        let ended = place.run_with(&all, &[("APP_DATABASE_URL", app.expose())]);
        if !statuses.contains(&ended.status) || ended.stderr.contains("error:") {
            wrong.push(format!("{arguments:?}: {ended}"));
        }
        // What reports on every table of the file names those that are not there.
        let reports = [&["doctor"][..], &["audit"], &["rls", "status"], &["init", "--check"]];
        if reports.contains(&arguments) && !ended.stdout.contains("nowhere_either") {
            wrong.push(format!("{arguments:?} does not name it: {ended}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

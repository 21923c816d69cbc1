//! A question on a terminal says what is about to be written, and a signal ends it at once.

use std::time::Duration;

use local_db::Role;
use test_support::TestDb;

use crate::support::{Place, send};
use crate::terminal::{QUESTION_WITHIN, Terminal};

/// The time that counts as "at once".
const AT_ONCE: Duration = Duration::from_secs(3);

const QUESTION: &str = "Type `production` to go on:";

fn place() -> Place {
    let place = Place::new();
    place.write("tenancy.toml", "[database]\nenvironment = \"production\"\n");
    place.write("tenants.csv", "tenant,organization_name\na,A\n");
    place.write("statements.sql", "SELECT 1");
    place
}

/// Every command that asks, with what it says it is about to write.
const ASKING: [(&[&str], &str); 10] = [
    (&["backfill-bookings"], "as app_owner: a tenant for the rows of public.bookings that have none"),
    (&["backfill", "run", "ServiceRequest"], "a tenant for the rows of public.ServiceRequest that have none"),
    (&["assign-chat-messages"], "a tenant for the rows of public.chat_messages that have none"),
    (&["seed-tenant-defaults", "--csv", "tenants.csv"], "the default settings that 1 tenant of the list may lack"),
    (
        &["rls", "rollout", "--phase", "prepare"],
        "row level security of each table with a tenant column, as far as `prepare`",
    ),
    (
        &["rls", "predict", "--try", "--statements", "statements.sql"],
        "policies on each table with a tenant column, locked meanwhile and rolled back at the end",
    ),
    (&["rls", "rollback", "--tables", "bookings"], "row level security of bookings, back to `none`"),
    (&["rls", "verify", "--write-probes"], "attempts on rows of each table with a tenant column, each taken back"),
    (&["backfill", "pause", "1"], "the state of run 1, paused"),
    (&["jwt", "--email", "a@example.com"], "the session of a@example.com"),
];

async fn planted() -> TestDb {
    let db = test_support::database().await;
    let mut superuser = db.superuser().await;
    superuser.run_script("planting a few rows", include_str!("few_rows.sql")).await.unwrap();
    superuser.close().await;
    db
}

/// Everything that a command could have changed: rows without a tenant, settings, policies, and our own schema.
async fn state(db: &TestDb) -> String {
    let mut superuser = db.superuser().await;
    let ask = r#"SELECT concat_ws(' ', (SELECT count(*) FROM bookings WHERE "tenantId" IS NULL),
        (SELECT count(*) FROM security_settings), (SELECT count(*) FROM pg_policies), to_regnamespace('tenant_ops'))"#;
    let state = sqlx::query_scalar(ask).fetch_one(superuser.connection()).await.unwrap();
    superuser.close().await;
    state
}

#[tokio::test]
async fn a_signal_ends_every_question_at_once_and_nothing_is_written() {
    let (db, place) = (planted().await, place());
    let (url, before) = (db.url(Role::Owner), state(&db).await);
    let secret = [("NEXTAUTH_SECRET", "hunter2 and more, to be 32 bytes long")];
    for (at, (command, what)) in ASKING.into_iter().enumerate() {
        let arguments = [command, &["--database-url", url.expose()]].concat();
        let mut terminal = Terminal::start(&place, &arguments, &secret);
        terminal.until(QUESTION);
        send(if at % 2 == 0 { "INT" } else { "TERM" }, &terminal.child);
        let (status, shown) = terminal.end(AT_ONCE);
        assert_eq!(status.code(), Some(130), "{command:?}\n{shown}");
        let (before, after) = shown.split_once(QUESTION).unwrap();
        assert!(after.ends_with("\nerror: stopped\n"), "{command:?}\n{shown}");
        let line = format!("database {} at 127.0.0.1:{} (from --database-url) as app_owner", db.name(), url.port());
        assert!(before.contains(&line) && before.contains(what), "{command:?}\n{shown}");
    }
    assert_eq!(state(&db).await, before);
}

#[tokio::test]
async fn an_answer_is_heard_and_the_end_of_input_is_none() {
    let (db, place) = (planted().await, place());
    let url = db.url(Role::Owner);
    let arguments = ["backfill-bookings", "--database-url", url.expose()];
    // This is Ctrl-D at the beginning of a line.
    for (typed, code, said) in [
        ("staging\n", 4, "`staging` was confirmed, but this database is `production`; nothing was written"),
        ("\u{4}", 4, "nobody confirmed; nothing was written"),
        ("production\n", 3, "public.bookings: done in "),
    ] {
        let mut terminal = Terminal::start(&place, &arguments, &[]);
        terminal.until(QUESTION);
        terminal.type_in(typed);
        let (status, shown) = terminal.end(QUESTION_WITHIN);
        assert_eq!(status.code(), Some(code), "{shown}");
        assert!(shown.contains(said), "{shown}");
    }
}

#[tokio::test]
async fn a_signal_that_no_part_of_a_command_awaits_ends_it_too() {
    let (db, place) = (planted().await, place());
    let url = db.url(Role::Owner);
    let confirmed = ["--confirm", "production", "--database-url", url.expose()];
    place.run(&[&["backfill-bookings", "--limit", "1"], &confirmed[..]].concat());
    let mut lock = db.owner().await;
    lock.run_script("holding the runs", "BEGIN; LOCK TABLE tenant_ops.run").await.unwrap();
    let mut terminal = Terminal::start(&place, &[&["backfill", "pause", "1"], &confirmed[..]].concat(), &[]);
    terminal.until("the state of run 1, paused");
    db.until_waiting().await;
    send("TERM", &terminal.child);
    let (status, shown) = terminal.end(AT_ONCE);
    assert_eq!(status.code(), Some(130), "{shown}");
    assert!(shown.ends_with("\nerror: stopped\n"), "{shown}");
    lock.close().await;
}

//! Every command that reads or writes the book-keeping refuses what somebody else put there, and runs none of it.

use local_db::Role;

use crate::killed::number;
use crate::support::Place;

/// The commands that read or write it, with their arguments.
const COMMANDS: [&[&str]; 17] = [
    &["backfill-bookings"],
    &["backfill-bookings", "--dry-run"],
    &["backfill-bookings", "--join"],
    &["assign-chat-messages"],
    &["backfill", "run", "bookings"],
    &["backfill", "apply", "review.csv"],
    &["backfill", "apply", "review.csv", "--dry-run"],
    &["backfill", "runs"],
    &["backfill", "status", "1"],
    &["backfill", "pause", "1"],
    &["backfill", "resume", "1"],
    &["backfill", "cancel", "1"],
    &["backfill", "why", "bookings", "b_5"],
    &["backfill", "undo", "1"],
    &["rls", "status"],
    &["rls", "rollout"],
    &["rls", "rollback"],
];

/// A row for `assign-chat-messages` to assign.
const A_MESSAGE: &str = r#"INSERT INTO chat_messages (id, "userId", "userName", role, room, text) VALUES ('m_1', 'u_a', '', 'CLIENT', 'r', '')"#;

const PLANTED: &str = r#"CREATE TABLE public.ran (by text);
    CREATE FUNCTION public.spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.ran VALUES (current_user); RETURN NEW; END $$;
    CREATE TRIGGER planted BEFORE INSERT OR UPDATE ON tenant_ops.run FOR EACH ROW EXECUTE FUNCTION public.spy();
    UPDATE bookings SET "tenantId" = NULL WHERE id IN ('b_5', 'b_6')"#;

#[tokio::test]
async fn every_command_refuses_what_somebody_else_put_into_the_book_keeping() {
    let db = test_support::database().await;
    let mut superuser = db.superuser().await;
    for rows in [include_str!("few_rows.sql"), A_MESSAGE] {
        superuser.run_script("planting a few rows", rows).await.unwrap();
    }
    let place = Place::new();
    for role in [Role::Owner, Role::Superuser] {
        let url = db.url(role);
        let run = |arguments: &[&str]| {
            let on = ["--confirm", "127.0.0.1", "--database-url", url.expose()];
            let writes = !matches!(arguments, ["backfill", "runs" | "status" | "why", ..] | ["rls", "status"]);
            place.run(&[arguments, if writes { &on } else { &on[2..] }].concat())
        };
        if role == Role::Owner {
            assert_eq!(run(&["backfill", "run", "bookings", "--review", "review.csv"]).status, 3);
            let review = std::fs::read_to_string(place.path().join("review.csv")).unwrap();
            place.write("review.csv", &review.replacen(",,v1-", ",t_b,v1-", 1));
            superuser.run_script("planting a trigger", PLANTED).await.unwrap();
        }
        for arguments in COMMANDS {
            let ended = run(arguments);
            assert_eq!(ended.status, 4, "{arguments:?} as {role:?}: {ended}");
            assert!(ended.stderr.contains("trigger run.planted"), "{arguments:?} as {role:?}: {ended}");
        }
    }
    assert_eq!(number(&db, "SELECT count(*) FROM public.ran").await, 0);
    superuser.close().await;
}

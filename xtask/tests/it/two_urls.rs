//! Settings that name two databases. What is meant for one is never done in the other.

use local_db::{Role, Seed};
use test_support::{TestDb, TestPooler};

use crate::support::{Ended, Place};

const SEED: Seed = Seed { tenants: 3, bookings: 100, seed: 11 };

fn run(arguments: &str, url: &str, direct: &str) -> Ended {
    let all: Vec<&str> = arguments.split(' ').chain(["--confirm", "127.0.0.1"]).collect();
    Place::new().run_with(&all, &[("DATABASE_URL", url), ("DIRECT_URL", direct)])
}

async fn indexes(db: &TestDb) -> i64 {
    let count = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'";
    sqlx::query_scalar(count).fetch_one(db.superuser().await.connection()).await.unwrap()
}

#[tokio::test]
async fn a_direct_url_of_another_database_is_refused_before_anything_is_written_there() {
    let (one, other) = (test_support::seeded(SEED).await, test_support::seeded(SEED).await);
    let url = one.url(Role::Owner);
    assert_eq!(run("rls rollout --phase prepare", url.expose(), url.expose()).status, 0);
    let before = indexes(&other).await;
    for command in ["rls rollback", "rls rollout", "rls plan", "backfill-bookings", "seed-tenant-defaults --all"] {
        let ended = run(command, url.expose(), other.url(Role::Owner).expose());
        assert_eq!(ended.status, 2, "{command}: {ended}");
        assert!(ended.stderr.contains("one URL leads to the database"), "{ended}");
        assert!(ended.stderr.contains(one.name()) && ended.stderr.contains(other.name()), "{ended}");
    }
    assert_eq!(indexes(&other).await, before);
    assert_eq!(run("rls rollback --to none", url.expose(), url.expose()).status, 0, "its own is used");
}

#[tokio::test]
async fn the_direct_url_of_the_same_database_is_proven_through_a_pooler() {
    let (db, other) = (test_support::seeded(SEED).await, test_support::seeded(SEED).await);
    let Some(pooler) = TestPooler::before(&db, 3).await else { return };
    let pooled = pooler.url(Role::Owner);
    let ended = run("rls rollout --phase prepare --tables audit_logs", pooled.expose(), db.url(Role::Owner).expose());
    assert_eq!(ended.status, 0, "{ended}");
    let ended =
        run("rls rollout --phase prepare --tables audit_logs", pooled.expose(), other.url(Role::Owner).expose());
    assert_eq!(ended.status, 2, "{ended}");
}

#[tokio::test]
async fn a_direct_url_that_is_not_reached_stops_only_what_needs_it() {
    let db = test_support::seeded(SEED).await;
    let url = db.url(Role::Owner);
    let nobody = "postgresql://nobody:x@127.0.0.1:1/nothing";
    assert_eq!(run("audit", url.expose(), nobody).status, 3);
    assert_eq!(run("seed-tenant-defaults --all", url.expose(), nobody).status, 0);
    let ended = run("rls rollout --phase prepare", url.expose(), nobody);
    assert_eq!(ended.status, 1, "{ended}");
}

#[tokio::test]
async fn the_url_that_the_application_reads_first_counts_and_doctor_and_every_write_name_the_other() {
    let (db, other) = (test_support::seeded(SEED).await, test_support::seeded(SEED).await);
    let (url, unread) = (db.url(Role::Owner), other.url(Role::Owner));
    let of = |command: &str| {
        let all: Vec<&str> = command.split(' ').chain(["--confirm", "127.0.0.1"]).collect();
        let place = Place::new();
        place.write("tenancy.toml", "[database]\nurl_variables = [\"NETLIFY_DATABASE_URL\", \"DATABASE_URL\"]\n");
        place.run_with(&all, &[("DATABASE_URL", unread.expose()), ("NETLIFY_DATABASE_URL", url.expose())])
    };
    let doctor = of("doctor");
    let said = format!("DATABASE_URL in the environment leads to {}", other.name());
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat(&doctor.stdout).contains(&said), "{doctor}");
    let writes = [
        "backfill-bookings",
        "backfill run --all",
        "seed-tenant-defaults --all",
        "rls rollout --tables audit_logs --phase prepare",
        "rls rollback --to none",
    ];
    for write in writes {
        let ended = of(write);
        assert!(flat(&ended.stderr).contains(&said), "{write}: {ended}");
        assert!(flat(&ended.stderr).contains(&format!("{} at", db.name())), "{write}: {ended}");
    }
    assert!(!flat(&of("audit").stderr).contains(&said), "an audit writes nothing");
}

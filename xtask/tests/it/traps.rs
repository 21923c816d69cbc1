//! A role that may create objects in a schema of the search path can plant functions and operators there. None of our
//! commands may call one, whichever role runs the command.
//!
//! The server itself decides: an ordinary role plants a trap for every name that `pg_catalog` has, the database
//! searches `public` first, every command runs, and the server must have counted no call.

use std::path::Path;

use local_db::{Role, Seed};
use sqlx::Row;
use tenancy_config::DatabaseUrl;
use tenant_rls::DirectConnection;
use test_support::{TestDb, TestPooler};

use crate::support::Place;

const SEED: Seed = Seed { tenants: 5, bookings: 300, seed: 11 };

/// The user whose session is minted.
const EMAIL: &str = "somebody@example.com";

/// How a command is run on a database with traps.
enum Run {
    /// With these arguments, once for each line. The exit code may be 0, "not yet", or the second value.
    With(&'static [(&'static str, i32)]),
    /// It creates the database that it works on, from `template0`, or it works only on the local one, or on none.
    OnItsOwn,
}

/// How each command is run here; a new command must be added.
fn run(command: &str) -> Option<Run> {
    use Run::{OnItsOwn, With};
    Some(match command {
        "audit" => With(&[("", 3), ("--format json", 3)]),
        "doctor" => With(&[("", 3), ("--format json", 3)]),
        "inventory" => With(&[("", 0), ("--format json", 0)]),
        "init" => With(&[("--stdout", 0), ("--update --stdout", 2)]),
        "backfill suggest" => With(&[("", 0), ("--format json", 0)]),
        "backfill-bookings" => With(&[("--dry-run", 3), ("--review review.csv", 3), ("", 3)]),
        "backfill apply" => With(&[("review.csv", 3)]),
        "backfill runs" => With(&[("", 0)]),
        "backfill status" => With(&[("1", 0)]),
        // The run is over; they find that and say so.
        "backfill pause" | "backfill resume" | "backfill cancel" => With(&[("1", 4)]),
        "backfill why" => With(&[("bookings nobody", 3)]),
        "backfill undo" => With(&[("1 --dry-run", 0), ("1", 0)]),
        "backfill run" => With(&[
            ("bookings", 3),
            ("--all --dry-run", 3),
            ("services --rest-to tenant_primary --dry-run", 3),
            ("services --rest-to nobody --create --dry-run", 3),
        ]),
        "backfill memberships" => {
            With(&[("", 3), ("--create --set role=MEMBER --dry-run", 0), ("--create --set role=MEMBER", 0)])
        }
        "backfill map" => With(&[("--all", 3), ("bookings --from nobody --to tenant_primary", 0)]),
        "assign-chat-messages" => With(&[("--dry-run", 3), ("", 3)]),
        "seed-tenant-defaults" => With(&[("--all --dry-run", 0), ("--all", 0), ("--tenant tenant_primary", 0)]),
        "jwt" => With(&[("", 0)]),
        "jwt decode" => With(&[("not-a-token", 3)]),
        "jwt tenant-cookie" => With(&[("", 0)]),
        "rls status" => With(&[("", 0)]),
        "rls plan" => With(&[("--phase prepare", 0), ("", 0)]),
        "rls setup" => With(&[("", 0)]),
        "rls rollout" => With(&[("--phase prepare", 3), ("", 3)]),
        // Only a superuser may.
        "rls born-closed" => With(&[("--dry-run", 4), ("", 4)]),
        "rls predict" => {
            With(&[("--statements statements.sql", 3), ("--statements statements.sql --try --trust-statements", 3)])
        }
        "rls verify" => With(&[("--write-probes", 3)]),
        "rls rollback" => With(&[("--to none", 0)]),
        // It knows no database.
        "bench backfill" | "bench seed" | "bench rls" | "bench leaks" | "bench jwt" | "demo" | "tenant-log" => OnItsOwn,
        "db up" | "db down" | "db status" | "db url" | "db psql" | "db reset" | "db seed" => OnItsOwn,
        _ => return None,
    })
}

/// The commands to run, in an order in which each finds what the earlier ones made.
fn commands() -> Vec<String> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands.md")).unwrap();
    let usage = "Usage: cargo xtask ";
    // The usage of a group of commands is only `NAME <COMMAND>`.
    let named = page.lines().filter_map(|line| line.strip_prefix(usage));
    named
        .filter(|line| !line.ends_with("<COMMAND>"))
        .map(|line| {
            let words =
                line.split_whitespace().take_while(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
            words.collect::<Vec<_>>().join(" ")
        })
        .filter(|command: &String| !command.is_empty())
        .collect()
}

/// A database whose search path begins with a schema full of traps, planted by the application's login.
async fn trapped() -> TestDb {
    let db = test_support::seeded(SEED).await;
    let mut superuser = DirectConnection::connect(&db.url(Role::Superuser), "tests").await.unwrap();
    superuser.run_script("letting everybody create", "GRANT CREATE ON SCHEMA public TO PUBLIC").await.unwrap();
    let user = "UPDATE public.users SET email = 'somebody@example.com'
                WHERE id = (SELECT \"userId\" FROM public.tenant_memberships ORDER BY 1 LIMIT 1)";
    superuser.run_script("naming a user", user).await.unwrap();
    let mut attacker = DirectConnection::connect(&db.url(Role::AppUser), "tests").await.unwrap();
    attacker.run_script("planting traps", include_str!("traps.sql")).await.unwrap();
    attacker.close().await;
    for setting in ["search_path = public, pg_catalog", "track_functions = 'pl'"] {
        let alter = tenant_rls::Template::new("ALTER DATABASE :\"db\" SET :setting")
            .ident("db", &tenancy_config::Ident::new(db.name()).unwrap())
            .fragment("setting", tenant_rls::Sql::from_static(setting));
        superuser.run_script("setting the database", alter.build()).await.unwrap();
    }
    superuser.close().await;
    db
}

/// The traps that were called, and how many times.
async fn sprung(db: &TestDb) -> Vec<String> {
    let mut superuser = DirectConnection::connect(&db.url(Role::Superuser), "tests").await.unwrap();
    let rows = sqlx::query(
        "SELECT funcid::regprocedure::text AS trap, calls FROM pg_stat_user_functions WHERE schemaname = 'public' ORDER BY 1",
    )
    .fetch_all(superuser.connection())
    .await
    .unwrap();
    superuser.close().await;
    rows.iter().map(|row| format!("{}: {} calls", row.get::<String, _>("trap"), row.get::<i64, _>("calls"))).collect()
}

/// Runs a command as this login. Returns what is wrong with how it ended.
fn wrong(
    place: &Place,
    command: &str,
    arguments: &str,
    also: i32,
    url: &DatabaseUrl,
    app: &DatabaseUrl,
) -> Option<String> {
    let words = command.split(' ').chain(arguments.split(' ')).filter(|word| !word.is_empty());
    let connect = ["--confirm", "127.0.0.1", "--database-url", url.expose()];
    let all: Vec<&str> = words.chain(connect).collect();
    let env = [
        ("APP_DATABASE_URL", app.expose()),
        ("EMAIL", EMAIL),
        ("NEXTAUTH_SECRET", "a secret of thirty-two characters"),
    ];
    let ended = place.run_with(&all, &env);
    (ended.status != 0 && ended.status != also).then(|| format!("{command} {arguments}: {ended}"))
}

#[tokio::test]
async fn no_command_calls_what_somebody_planted_in_its_search_path() {
    let db = trapped().await;
    let place = Place::new();
    // What a statement of the application calls is called for its plan, too.
    place.write("statements.sql", "SELECT FROM public.users; COPY public.users FROM STDIN");
    let mut found = Vec::new();
    for role in [Role::Owner, Role::Superuser] {
        for command in commands() {
            let known = run(&command).unwrap_or_else(|| panic!("enter `{command}` in this test"));
            let Run::With(lines) = known else { continue };
            for (arguments, also) in lines {
                found.extend(wrong(&place, &command, arguments, *also, &db.url(role), &db.url(Role::AppUser)));
                found.extend(
                    sprung(&db).await.into_iter().map(|trap| format!("{role:?} {command} {arguments}: {trap}")),
                );
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn nor_does_one_behind_a_pooler() {
    let db = trapped().await;
    let Some(pooler) = TestPooler::before(&db, 3).await else { return };
    let place = Place::new();
    let app = pooler.url(Role::AppUser);
    let mut found = Vec::new();
    for (command, arguments) in [
        ("doctor", ""),
        ("audit", ""),
        ("backfill-bookings", ""),
        ("assign-chat-messages", ""),
        ("seed-tenant-defaults", "--all"),
        ("jwt", ""),
        ("rls status", ""),
    ] {
        found.extend(wrong(&place, command, arguments, 3, &pooler.url(Role::Owner), &app));
        found.extend(sprung(&db).await.into_iter().map(|trap| format!("{command} {arguments}: {trap}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Proves that the tests above can fail: a statement that does not pin its path calls what was planted.
#[tokio::test]
async fn a_session_that_does_not_pin_its_path_springs_the_traps() {
    let db = trapped().await;
    let mut unpinned = DirectConnection::as_application(&db.url(Role::Superuser), "tests").await.unwrap();
    for statement in [
        "SELECT has_database_privilege('postgres', 'CREATE')",
        "SELECT system_identifier FROM pg_control_system()",
        "SELECT FROM bookings WHERE id = 'x'::varchar",
        "SELECT count(*) FROM bookings",
    ] {
        unpinned.run_script("springing a trap", statement).await.unwrap();
    }
    unpinned.close().await;
    let sprung = sprung(&db).await.join("\n");
    for trap in ["has_database_privilege(", "pg_control_system(", "trap(", "trap_called("] {
        assert!(sprung.contains(trap), "{trap} in {sprung}");
    }
}

//! `seed-tenant-defaults` as people and programs use it.

use std::io::BufRead as _;
use std::process::Stdio;

use insta::assert_snapshot;
use local_db::Role;
use test_support::TestDb;

use crate::support::{Ended, Place, interrupt, redact};

/// A trigger that refuses the tenant globex.
const REFUSE: &str = include_str!("../../../crates/seed-tenant-defaults/tests/it/refuse.sql");

async fn tenants() -> TestDb {
    let db = test_support::database().await;
    let mut superuser = db.superuser().await;
    superuser.run_script("making tenants", include_str!("tenants.sql")).await.unwrap();
    superuser.run_script("refusing a tenant", REFUSE).await.unwrap();
    superuser.close().await;
    db
}

fn arguments<'a>(arguments: &[&'a str], url: &'a str) -> Vec<&'a str> {
    let always = ["--connections", "1", "--no-progress", "--confirm", "127.0.0.1", "--database-url", url];
    ["seed-tenant-defaults"].iter().chain(arguments).chain(&always).copied().collect()
}

/// Runs it as the application's login, one tenant after the other, so that the order is always the same.
fn run(db: &TestDb, place: &Place, more: &[&str]) -> Ended {
    place.run(&arguments(more, db.url(Role::AppUser).expose()))
}

#[tokio::test]
async fn few_tenants_are_told_one_by_one() {
    let (db, place) = (tenants().await, Place::new());
    redact(&db, || {
        assert_snapshot!("seed_dry_run", run(&db, &place, &["--all", "--dry-run"]));
        assert_snapshot!("seed_table", run(&db, &place, &["--all"]));
        assert_snapshot!("seed_again", run(&db, &place, &["--tenant", "acme", "--organization-name", "Other"]));
        assert_snapshot!("seed_json", run(&db, &place, &["--all", "--format", "json", "-q"]));
    });
}

#[tokio::test]
async fn a_file_is_seeded_and_each_line_told() {
    let (db, place) = (tenants().await, Place::new());
    let lines: String = (1..=15).map(|n| format!("nobody-{n},\n")).collect();
    place.write(
        "tenants.csv",
        &format!("tenant,organization_name\nacme,\"Acme, Inc.\"\nglobex,\ninitech,\nhooli,\n{lines}x-1,\nx-2,\n"),
    );
    redact(&db, || {
        assert_snapshot!("seed_list", run(&db, &place, &["--csv", "tenants.csv"]));
        assert_snapshot!("seed_list_csv", run(&db, &place, &["--csv", "tenants.csv", "--format", "csv", "-q"]));
    });
    let ended = run(&db, &place, &["--csv", "tenants.csv", "--format", "csv", "--output", "seeded.csv"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (3, ""), "{ended}");
    assert_eq!(std::fs::read_to_string(place.path().join("seeded.csv")).unwrap().lines().count(), 1 + 21);
}

#[tokio::test]
async fn tenant_id_decides_where_nothing_else_does_and_that_is_said() {
    let (db, place) = (tenants().await, Place::new());
    let url = db.url(Role::AppUser);
    let from_env = place.run_with(&arguments(&[], url.expose()), &[("TENANT_ID", "t_acme")]);
    assert_eq!(from_env.status, 0, "{from_env}");
    assert!(
        from_env.stderr.starts_with("tenant t_acme (from TENANT_ID in the environment)\nwriting to database"),
        "{from_env}"
    );
    place.write(".env.local", "TENANT_ID=hooli\n");
    let from_file = place.run_with(&arguments(&["-q"], url.expose()), &[]);
    assert!(from_file.stderr.starts_with("tenant hooli (from TENANT_ID in .env.local)\n"), "{from_file}");
    let all = place.run_with(&arguments(&["--all"], url.expose()), &[("TENANT_ID", "t_acme")]);
    assert!(!all.stderr.contains("TENANT_ID") && all.stdout.contains("3 tenants"), "{all}");
}

#[test]
fn nobody_named_is_a_usage_error() {
    assert_snapshot!("seed_for_whom", Place::new().run(&["seed-tenant-defaults"]));
}

#[test]
fn a_fault_in_a_file_needs_no_database_to_be_told() {
    let place = Place::new();
    place.write("tenants.csv", "tenant,organization_name\nacme,Acme \"the\" Corp\n");
    assert_snapshot!("seed_bad_csv", place.run(&["seed-tenant-defaults", "--csv", "tenants.csv"]));
    place.write("mine.toml", "[organization_settings\nname = \"x\"\n");
    assert_snapshot!("seed_bad_defaults", place.run(&["seed-tenant-defaults", "--all", "--defaults", "mine.toml"]));
}

#[tokio::test]
async fn refusals_say_why_and_what_to_do() {
    let (db, place) = (tenants().await, Place::new());
    place.write("mine.toml", "[organization_settings]\nname = \"x\"\ndefaultTimeZone = \"UTC\"\n");
    redact(&db, || {
        assert_snapshot!("seed_unknown", run(&db, &place, &["--tenant", "acne"]));
        assert_snapshot!("seed_suspended", run(&db, &place, &["--tenant", "initech"]));
        assert_snapshot!("seed_create_elsewhere", run(&db, &place, &["--tenant", "new", "--create"]));
        assert_snapshot!("seed_unknown_column", run(&db, &place, &["--all", "--defaults", "mine.toml"]));
    });
    // If a report fails in the middle, it is not written.
    let csv = run(&db, &place, &["--tenant", "acne", "--format", "csv", "--output", "seeded.csv"]);
    assert!(csv.status == 2 && !place.path().join("seeded.csv").exists(), "{csv}");
}

#[tokio::test]
async fn ctrl_c_ends_it_after_the_tenants_in_flight_and_the_same_command_goes_on() {
    let (db, place) = (tenants().await, Place::new());
    let mut lock = db.superuser().await;
    let hold = r#"BEGIN; INSERT INTO organization_settings (id, "tenantId", name, "updatedAt") VALUES ('h', 't_acme', '', now())"#;
    lock.run_script("holding a tenant back", hold).await.unwrap();
    let url = db.url(Role::AppUser);
    let mut command = place.command(&arguments(&["--all"], url.expose()), &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    db.until_waiting().await;
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    interrupt(&child);
    assert!(stderr.by_ref().map(Result::unwrap).any(|line| line.starts_with("warning: stopping after")));
    lock.run_script("letting go", "ROLLBACK").await.unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.starts_with("1 tenant: stopped") && told.contains("Run the same command again"), "{told}");
    let rest = run(&db, &place, &["--all"]);
    assert!(rest.stdout.starts_with("3 tenants: done") && rest.stdout.contains("already there"), "{rest}");
}

#[tokio::test]
async fn killed_in_the_middle_it_leaves_whole_tenants_and_the_same_command_goes_on() {
    let (db, place) = (test_support::database().await, Place::new());
    let many = r#"INSERT INTO "Tenant" (id, slug, name, "updatedAt") SELECT 'm' || n, 'more-' || n, '', now() FROM generate_series(1, 3000) AS n"#;
    db.superuser().await.run_script("making tenants", many).await.unwrap();
    let url = db.url(Role::AppUser);
    let mut child = place
        .command(&arguments(&["--all", "--format", "csv", "-q"], url.expose()), &[])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.by_ref().take(200).map(Result::unwrap).count(), 200);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "it was really killed");
    let half = r#"SELECT count(*) FROM organization_settings AS o FULL JOIN security_settings AS s USING ("tenantId")
                  WHERE o.id IS NULL OR s.id IS NULL"#;
    let mut superuser = db.superuser().await;
    let count: i64 = sqlx::query_scalar(half).fetch_one(superuser.connection()).await.unwrap();
    assert_eq!(count, 0, "no tenant has half of its rows");
    assert_eq!(run(&db, &place, &["--all"]).status, 0);
    let whole = r#"SELECT count(*) FROM organization_settings JOIN security_settings USING ("tenantId")"#;
    let count: i64 = sqlx::query_scalar(whole).fetch_one(superuser.connection()).await.unwrap();
    assert_eq!(count, 3_000);
}

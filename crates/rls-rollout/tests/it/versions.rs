//! The whole story on every supported version of the server that this machine has or can bring.

use std::fmt::Write as _;

use local_db::{NEWEST, OLDEST, Role};
use rls_rollout::{RolloutReport, TableOutcome};
use sqlx::{PgConnection, Row};
use tenant_inventory::Phase;
use test_support::TestServer;

use crate::support::{self, all_at, auto, catalog, plant, script};

#[tokio::test]
async fn every_version_goes_the_whole_way_and_back() {
    let (mut tried, mut skipped) = (Vec::new(), String::new());
    for version in OLDEST..=NEWEST {
        match test_support::server_of_version(version).await {
            Ok(server) => {
                assert_eq!(server.major(), version);
                there_and_back(&server).await;
                if version >= 18 {
                    a_constraint_that_was_never_validated_proves_nothing(&server).await;
                }
                tried.push(version);
            }
            Err(why) => writeln!(skipped, "PostgreSQL {version} was skipped: {why}").unwrap(),
        }
    }
    #[allow(clippy::print_stderr)] // which versions this run proves nothing about
    {
        eprint!("PostgreSQL {tried:?} were tried\n{skipped}");
    }
    let wanted = if tenancy_config::environment::path("CI").is_some() { 2 } else { 1 };
    assert!(tried.len() >= wanted, "too few versions were tried: {tried:?}\n{skipped}");
}

async fn there_and_back(server: &TestServer) {
    let version = server.major();
    plant(server).await;
    script(&mut server.connect(Role::Owner).await, include_str!("versions.sql")).await;
    let untouched = catalog(server).await;

    let first = roll(server).await;
    assert!(first.is_complete() && all_at(&first, Phase::Enforce), "{version}: {first:#?}");
    for partition in ["public.visits", "public.visits_old", "public.visits_new"] {
        assert_eq!(outcome(&first, partition).after, Phase::Enforce, "{version}: {partition}");
    }
    let second = roll(server).await;
    assert!(second.tables.iter().all(|table| table.steps == 0), "{version}: {second:#?}");

    each_tenant_sees_and_writes_its_own_alone(server).await;

    back(server).await;
    assert_eq!(differences(&untouched, &catalog(server).await), "", "{version}");
}

/// Logs in as the application does, whom every policy filters.
async fn each_tenant_sees_and_writes_its_own_alone(server: &TestServer) {
    let mut session = server.connect(Role::AppUser).await;
    let app = session.connection();
    for (tenant, rows) in [("t_a", [1, 1, 1, 0]), ("t_b", [1, 1, 0, 1]), ("", [0; 4])] {
        assert_eq!(visible(app, tenant).await, rows, "{}: {tenant}", server.major());
    }
    sqlx::query("SELECT set_config('app.current_tenant_id', 't_a', false)").execute(&mut *app).await.unwrap();
    let theft = "INSERT INTO visits (id, \"tenantId\", day) VALUES ('v_c', 't_b', '2026-02-01')";
    let refused = sqlx::query(theft).execute(&mut *app).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{}", server.major());
    session.close().await;
}

/// Bookings, visits, and visits by partition, that a tenant sees.
async fn visible(app: &mut PgConnection, tenant: &str) -> [i64; 4] {
    sqlx::query("SELECT set_config('app.current_tenant_id', $1, false)").bind(tenant).execute(&mut *app).await.unwrap();
    let count = "SELECT (SELECT count(*) FROM bookings), (SELECT count(*) FROM visits),
                        (SELECT count(*) FROM visits_old), (SELECT count(*) FROM visits_new)";
    let row = sqlx::query(count).fetch_one(app).await.unwrap();
    std::array::from_fn(|column| row.get(column))
}

/// Since 18 a column may be NOT NULL with a NULL inside.
async fn a_constraint_that_was_never_validated_proves_nothing(server: &TestServer) {
    let mut session = server.connect(Role::Superuser).await;
    script(&mut session, "UPDATE services SET \"tenantId\" = NULL WHERE id = 's_a'").await;
    script(&mut session, "ALTER TABLE services ADD CONSTRAINT has_tenant NOT NULL \"tenantId\" NOT VALID").await;
    let untouched = catalog(server).await;

    let stopped = roll(server).await;
    let services = outcome(&stopped, "public.services");
    assert_eq!(
        (services.after, services.stopped_by.as_slice()),
        (Phase::Prepare, &[rls_rollout::Stop::RowsWithoutTenant { rows: 1 }][..])
    );

    script(&mut session, "UPDATE services SET \"tenantId\" = 't_a' WHERE id = 's_a'").await;
    let done = roll(server).await;
    assert_eq!(outcome(&done, "public.services").after, Phase::Enforce, "{done:#?}");
    session.close().await;

    back(server).await;
    assert_eq!(differences(&untouched, &catalog(server).await), "");
}

async fn roll(server: &TestServer) -> RolloutReport {
    let report = support::roll(server, &auto()).await;
    report.unwrap_or_else(|error| panic!("{}: {error}", server.major()))
}

async fn back(server: &TestServer) {
    let report = support::back(server, Phase::None).await;
    let report = report.unwrap_or_else(|error| panic!("{}: {error}", server.major()));
    assert!(!report.tables.is_empty(), "{}", server.major());
}

/// Lines that one catalog has and the other has not.
fn differences(wanted: &[String], found: &[String]) -> String {
    let only = |mark: &str, these: &[String], those: &[String]| -> String {
        these.iter().filter(|line| !those.contains(line)).map(|line| format!("{mark} {line}\n")).collect()
    };
    only("lost", wanted, found) + &only("added", found, wanted)
}

fn outcome<'a>(report: &'a RolloutReport, table: &str) -> &'a TableOutcome {
    report.tables.iter().find(|outcome| outcome.table.to_string() == table).unwrap()
}

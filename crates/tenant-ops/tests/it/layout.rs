//! What an installation makes is what `sql/tenant-ops/layout.txt` lists, on every version of the server.

use std::fmt::Write as _;

use local_db::{NEWEST, OLDEST, Role};
use sqlx::Row;
use tenancy_config::Tenancy;
use test_support::TestDb;

use crate::support::{Logins, connect, install, installed, script};

/// What is in the schema, as a file like the committed one would list it.
async fn listed(db: &impl Logins) -> String {
    let database = connect(db, Role::Owner).await;
    let mut tx = tenant_rls::OwnerTx::begin(&database, std::time::Duration::from_secs(5)).await.unwrap();
    let rows = sqlx::query(include_str!("../../../../sql/tenant-ops/definitions.sql"))
        .fetch_all(tx.connection())
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    database.close().await;
    let mut lines: Vec<String> = Vec::new();
    for row in rows.iter().filter(|row| row.get::<&str, _>("kind") != "body") {
        let line = format!(
            "{} {}: {}",
            row.get::<&str, _>("kind"),
            row.get::<&str, _>("name"),
            row.get::<&str, _>("definition")
        );
        lines.push(line.trim_end().to_owned());
    }
    lines.sort();
    lines.join("\n")
}

fn committed() -> String {
    let lines = include_str!("../../../../sql/tenant-ops/layout.txt").lines();
    let today =
        lines.filter(|line| !["#", "earlier ", "right ", "on request "].iter().any(|other| line.starts_with(other)));
    let mut lines: Vec<&str> = today.collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[tokio::test]
async fn what_an_installation_makes_is_what_the_committed_layout_lists() {
    assert_eq!(listed(&installed().await).await, committed());
}

#[tokio::test]
async fn every_version_of_the_server_prints_the_same_layout_and_accepts_it_again() {
    let (mut tried, mut skipped) = (Vec::new(), String::new());
    for version in OLDEST..=NEWEST {
        let server = match test_support::server_of_version(version).await {
            Ok(server) => server,
            Err(why) => {
                writeln!(skipped, "PostgreSQL {version} was skipped: {why}").unwrap();
                continue;
            }
        };
        let first = install(&server, Role::Owner).await;
        assert!(first.is_ok(), "PostgreSQL {version}: {:?}", first.map_err(|error| error.to_string()));
        assert_eq!(listed(&server).await, committed(), "PostgreSQL {version}");
        install(&server, Role::Owner).await.unwrap();
        install(&server, Role::Superuser).await.unwrap();
        tried.push(version);
    }
    #[allow(clippy::print_stderr)] // which versions this run proves nothing about
    {
        eprint!("PostgreSQL {tried:?} were tried\n{skipped}");
    }
    let wanted = if tenancy_config::environment::path("CI").is_some() { 2 } else { 1 };
    assert!(tried.len() >= wanted, "too few versions were tried: {tried:?}\n{skipped}");
}

/// The book-keeping as an earlier layout made it.
async fn layout(made_by: &'static str, noted: &'static str) -> TestDb {
    let db = test_support::database().await;
    script(&db, Role::Owner, made_by).await;
    script(&db, Role::Owner, noted).await;
    db
}

#[tokio::test]
async fn an_installation_of_layout_6_is_upgraded_and_keeps_its_runs() {
    for upgrading in [Role::Owner, Role::Superuser] {
        let db = layout(include_str!("layout_6.sql"), "INSERT INTO tenant_ops.installed VALUES (6)").await;
        script(
            &db,
            Role::Owner,
            "INSERT INTO tenant_ops.run (job, table_name, state, on_conflict, sources, tool_version, host, assigned_by)
             VALUES ('backfill-bookings', 'public.bookings', 'done', 'report', '{client}', '0.1.0', 'here', '{7}');
             INSERT INTO tenant_ops.lease VALUES ('backfill of public.bookings', 4, 'ada', now(), now(), '-infinity')",
        )
        .await;
        install(&db, upgrading).await.unwrap();
        assert_eq!(listed(&db).await, committed(), "by {upgrading:?}");
        // Both work with what the other left.
        for role in [Role::Owner, Role::Superuser] {
            install(&db, role).await.unwrap();
            let database = connect(&db, role).await;
            let mut tx = tenant_rls::OwnerTx::begin(&database, std::time::Duration::from_secs(5)).await.unwrap();
            let runs = tenant_ops::runs(tx.connection(), &Tenancy::default(), None).await.unwrap();
            assert_eq!((runs.len(), runs[0].assigned), (1, 7));
            tx.rollback().await.unwrap();
            database.close().await;
        }
    }
}

#[tokio::test]
async fn an_unfinished_run_of_layout_7_keeps_its_ranges_its_processes_and_their_readers() {
    let db = layout(include_str!("layout_7.sql"), "INSERT INTO tenant_ops.installed VALUES (7)").await;
    script(
        &db,
        Role::Owner,
        "INSERT INTO tenant_ops.run (job, table_name, state, on_conflict, sources, tool_version, host, assigned_by, examined)
         VALUES ('backfill-bookings', 'public.bookings', 'running', 'report', '{client}', '0.1.0', 'here', '{7}', 10);
         INSERT INTO tenant_ops.lane (run_id, leaf, next_tid, until_tid, examined, assigned_by)
         SELECT id, 'public.bookings', '(5,0)', '(9,0)', 3, '{2}' FROM tenant_ops.run;
         INSERT INTO tenant_ops.lane (run_id, leaf, next_tid, until_tid, assigned_by)
         SELECT id, 'public.bookings', '(12,0)', '(12,0)', '{0}' FROM tenant_ops.run;
         INSERT INTO tenant_ops.member (run_id, holder, workers) SELECT id, 'ada', 2 FROM tenant_ops.run;
         GRANT USAGE ON SCHEMA tenant_ops TO tenant_auditor;
         GRANT SELECT ON tenant_ops.progress, tenant_ops.lane TO tenant_auditor",
    )
    .await;
    install(&db, Role::Owner).await.unwrap();
    assert_eq!(listed(&db).await, committed());
    let database = connect(&db, Role::Owner).await;
    let mut tx = tenant_rls::OwnerTx::begin(&database, std::time::Duration::from_secs(5)).await.unwrap();
    let run = tenant_ops::runs(tx.connection(), &Tenancy::default(), None).await.unwrap().remove(0);
    assert_eq!((run.ranges, run.ranges_done, run.examined, run.assigned), (2, 1, 13, 9));
    let processes = tenant_ops::processes(tx.connection(), run.id).await.unwrap();
    assert_eq!(processes.iter().map(|process| (&*process.holder, process.workers)).collect::<Vec<_>>(), [("ada", 2)]);
    let may_read = "SELECT pg_catalog.has_table_privilege('tenant_auditor', 'tenant_ops.' || t, 'SELECT')
                    FROM pg_catalog.unnest(ARRAY['progress', 'range']) AS t";
    let may_read: Vec<bool> = sqlx::query_scalar(may_read).fetch_all(tx.connection()).await.unwrap();
    assert_eq!(may_read, [true, true]);
    tx.rollback().await.unwrap();
    database.close().await;
}

//! Settings that somebody made for the login or the database do not affect a command. If one does, the command says
//! what is set and what it needs.

use local_db::{Role, Seed};
use tenancy_config::Ident;
use tenant_rls::{Sql, Template};
use test_support::TestDb;

use crate::support::Place;

const SEED: Seed = Seed { tenants: 5, bookings: 300, seed: 11 };

/// Commands that read, write, or hold several transactions at once, with their exit codes on a fresh database.
const COMMANDS: [(&str, i32); 6] = [
    ("doctor", 0),
    ("audit", 3),
    ("backfill-bookings", 3),
    ("seed-tenant-defaults --all", 0),
    ("rls plan", 0),
    ("rls rollout --tables audit_logs", 0),
];

async fn altered(db: &TestDb, statement: &'static str, setting: &'static str) {
    let alter = Template::new(statement)
        .ident("db", &Ident::new(db.name()).unwrap())
        .fragment("setting", Sql::from_static(setting))
        .build();
    db.superuser().await.run_script("setting something", alter).await.unwrap();
}

/// Runs a command as the owner. Returns its output if it ended with another code.
fn otherwise(db: &TestDb, command: &str, wanted: i32) -> Option<String> {
    let url = db.url(Role::Owner);
    let all: Vec<&str> = command.split(' ').chain(["--confirm", "127.0.0.1", "--database-url", url.expose()]).collect();
    let ended = Place::new().run(&all);
    (ended.status != wanted).then(|| format!("{command}: {ended}"))
}

#[tokio::test]
async fn settings_of_the_login_make_no_difference() {
    const SET: &str = "ALTER ROLE app_owner IN DATABASE :\"db\" SET :setting";
    let db = test_support::seeded(SEED).await;
    for setting in [
        "quote_all_identifiers = on",
        "row_security = off",
        "default_transaction_isolation = 'serializable'",
        "default_transaction_deferrable = on",
        "statement_timeout = '1ms'",
        "lock_timeout = '1ms'",
        "idle_in_transaction_session_timeout = '1ms'",
        "DateStyle = 'SQL, DMY'",
        "IntervalStyle = 'sql_standard'",
        "client_encoding = 'LATIN1'",
        "standard_conforming_strings = off",
        "transform_null_equals = on",
        "search_path = ''",
    ] {
        altered(&db, SET, setting).await;
    }
    let wrong: Vec<String> = COMMANDS.iter().filter_map(|(command, wanted)| otherwise(&db, command, *wanted)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_login_of_few_connections_gets_on_with_them_and_one_of_too_few_is_told() {
    for limit in ["3", "2"] {
        let db = test_support::seeded(SEED).await;
        altered(&db, "ALTER DATABASE :\"db\" CONNECTION LIMIT :setting", limit).await;
        let wrong: Vec<String> =
            COMMANDS.iter().filter_map(|(command, wanted)| otherwise(&db, command, *wanted)).collect();
        assert!(wrong.is_empty(), "CONNECTION LIMIT {limit}: {}", wrong.join("\n"));
    }
    let db = test_support::seeded(SEED).await;
    altered(&db, "ALTER DATABASE :\"db\" CONNECTION LIMIT :setting", "1").await;
    for (command, wanted) in [("doctor", 0), ("audit", 1), ("backfill-bookings", 3), ("seed-tenant-defaults --all", 1)]
    {
        let otherwise = otherwise(&db, command, wanted);
        assert!(otherwise.is_none(), "CONNECTION LIMIT 1: {}", otherwise.unwrap());
    }
    let said = otherwise(&db, "audit", 0).unwrap();
    assert!(said.contains("app_owner may open 1 more") && said.contains("this needs 2"), "{said}");
}

#[tokio::test]
async fn where_transactions_are_read_only_it_is_said_before_anything_is_written() {
    let db = test_support::seeded(SEED).await;
    let set = "ALTER ROLE app_owner IN DATABASE :\"db\" SET :setting";
    altered(&db, set, "default_transaction_read_only = on").await;
    for command in ["doctor", "audit", "rls plan"] {
        let wanted = COMMANDS.iter().find(|known| known.0 == command).unwrap().1;
        let otherwise = otherwise(&db, command, wanted);
        assert!(otherwise.is_none(), "{}", otherwise.unwrap());
    }
    for command in ["backfill-bookings", "seed-tenant-defaults --all", "rls rollout --tables audit_logs"] {
        let said = otherwise(&db, command, 0).unwrap();
        assert!(said.contains("default_transaction_read_only"), "{said}");
    }
}

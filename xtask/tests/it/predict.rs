//! Predictions as people see them, and with what they end.

use insta::assert_snapshot;
use local_db::Role;

use crate::support::{Place, redact};

/// A table on which `lower(name) =` is fast, and of which most rows are one tenant's.
const MADE: &str = r#"INSERT INTO "Tenant" (id, slug, name, "updatedAt") VALUES ('t_a', 'acme', 'Acme', now());
    CREATE TABLE contacts (id int PRIMARY KEY, "tenantId" text NOT NULL, name text NOT NULL);
    INSERT INTO contacts SELECT n, 't_a', 'Name ' || n FROM generate_series(1, 20000) AS n;
    CREATE INDEX contacts_lower ON contacts (lower(name));
    GRANT SELECT ON contacts TO app_user;
    ANALYZE contacts"#;

#[tokio::test]
async fn a_prediction_names_what_is_lost_and_what_helps_and_ends_with_3_only_for_a_finding() {
    let db = test_support::database().await;
    let mut owner = db.owner().await;
    owner.run_script("making a table", MADE).await.unwrap();
    owner.close().await;
    let place = Place::new();
    place.write("slow.sql", "SELECT id\n  FROM contacts\n  WHERE lower(name) = $1;\nCOPY contacts FROM STDIN;\nSELECT nothing FROM contacts");
    place.write("fast.sql", "SELECT id FROM contacts WHERE id = $1");
    place.write("open.sql", "SELECT 1;\nSELECT 'x");
    place.write("empty.sql", "-- nothing\n;");
    let (url, app) = (db.url(Role::Owner), db.url(Role::AppUser));
    let run = |arguments: &[&str]| {
        let on = ["--database-url", url.expose(), "--app-url", app.expose()];
        place.run(&[&["rls", "predict", "--tables", "contacts"], arguments, &on].concat())
    };
    let tried = ["--statements", "slow.sql", "--try", "--confirm", "127.0.0.1"];
    redact(&db, || {
        assert_snapshot!("rls_predict", run(&["--statements", "slow.sql"]));
        assert_snapshot!("rls_predict_try", run(&tried));
        assert_snapshot!("rls_predict_json", run(&[&tried[..], &["--format", "json", "-q"]].concat()));
    });
    let fast = run(&["--statements", "fast.sql"]);
    assert_eq!(fast.status, 0, "{fast}");
    let bearable = run(&["--statements", "fast.sql", "--try", "--slower-than", "1x", "--confirm", "127.0.0.1"]);
    assert!(matches!(bearable.status, 0 | 3), "{bearable}");
    for (arguments, status, said) in [
        (
            &["--statements", "open.sql"][..],
            2,
            "open.sql, line 2: a string, a quoted name or a comment begins here and has no end",
        ),
        (&["--statements", "empty.sql"], 2, "empty.sql has no statement"),
        (&["--statements", "nowhere.sql"], 2, "nowhere.sql cannot be read"),
        (&["--statements", "fast.sql", "--slower-than", "0.5"], 2, "a number from 1 on"),
        (&["--statements", "fast.sql", "--format", "csv"], 2, "is not a list and has no CSV form"),
        (&["--statements", "fast.sql", "--try"], 4, "nobody confirmed; nothing was written"),
        (&[], 1, "this database has no pg_stat_statements"),
    ] {
        let ended = run(arguments);
        assert_eq!(ended.status, status, "{arguments:?}: {ended}");
        assert!(ended.stderr.contains(said), "{arguments:?}: {ended}");
    }
}

#[tokio::test]
async fn a_rollout_does_not_begin_while_a_statement_gets_slower_that_nobody_named() {
    let db = test_support::database().await;
    let mut owner = db.owner().await;
    owner.run_script("making a table", MADE).await.unwrap();
    let place = Place::new();
    place.write("slow.sql", "SELECT id FROM contacts WHERE lower(name) = $1;\nCOPY contacts FROM STDIN;\nSELECT id FROM contacts WHERE id = $1");
    let (url, app) = (db.url(Role::Owner), db.url(Role::AppUser));
    let roll = |arguments: &[&str]| {
        let on = ["--database-url", url.expose(), "--app-url", app.expose(), "--confirm", "127.0.0.1"];
        place.run(&[&["rls", "rollout", "--tables", "contacts", "--phase", "prepare"], arguments, &on].concat())
    };
    let gated = |more: &[&str]| roll(&[&["--statements", "slow.sql"], more].concat());
    let refused = gated(&[]);
    assert_eq!(refused.status, 3, "{refused}");
    assert!(
        refused.stderr.contains("nothing was rolled out: 2 statements fail, get slower or could not be planned"),
        "{refused}"
    );
    let secured = "SELECT relrowsecurity FROM pg_class WHERE oid = 'contacts'::regclass";
    let is_secured: bool = sqlx::query_scalar(secured).fetch_one(owner.connection()).await.unwrap();
    assert!(!is_secured);

    let (_, named) = refused.stderr.split_once("--allow-slower ").unwrap();
    let named = named.split_whitespace().next().unwrap();
    let (one, _) = named.split_once(',').unwrap();
    let still = gated(&["--allow-slower", one]);
    assert!(
        still.status == 3 && still.stderr.contains("1 statement fails, gets slower or could not be planned"),
        "{still}"
    );
    let json = gated(&["--format", "json", "-q"]);
    assert!(json.stdout.contains("\"schema\": \"rls-predict/1\"") && json.status == 3, "{json}");
    place.write("refused.sql", "SELECT nothing FROM contacts;\nVACUUM contacts");
    let unknown = roll(&["--statements", "refused.sql"]);
    assert!(unknown.status == 3 && unknown.stderr.contains("1 statement fails, gets slower or could not"), "{unknown}");
    let agreed = gated(&["--allow-slower", named]);
    assert_eq!(agreed.status, 0, "{agreed}");
    let is_secured: bool = sqlx::query_scalar(secured).fetch_one(owner.connection()).await.unwrap();
    assert!(is_secured);
    let alone = roll(&["--allow-slower", one]);
    assert!(alone.status == 2 && alone.stderr.contains("--statements"), "{alone}");
}

//! The way of a team whose rows nothing decides, or hold what is no key: counted, asked, given, and taken back, without SQL of its own.

use local_db::Role;
use test_support::TestDb;

use crate::killed::text;
use crate::support::{Ended, Place};

const TABLES: &str = r#"
    CREATE TABLE workspaces (id text PRIMARY KEY, slug text UNIQUE NOT NULL, name text NOT NULL, "updatedAt" timestamp NOT NULL);
    CREATE TABLE people (id text PRIMARY KEY, workspace_id text);
    CREATE TABLE orders (id text PRIMARY KEY, person_id text REFERENCES people, workspace_id text);
    CREATE TABLE notes (id text PRIMARY KEY, text text, workspace_id text);
    CREATE TABLE heap (text text, workspace_id text);
    INSERT INTO workspaces VALUES ('w_1', 'acme', 'Acme Inc', now()), ('w_2', 'bolt', 'Bolt', now());
    INSERT INTO people VALUES ('p_1', 'w_1'), ('p_2', 'acme'), ('p_3', NULL), ('p_4', 'Bolt');
    INSERT INTO orders VALUES ('o_1', 'p_1', NULL), ('o_2', 'p_3', NULL), ('o_3', NULL, 'w_9'), ('o_4', 'p_2', ''), ('o_5', 'p_4', 'w_2');
    INSERT INTO notes SELECT 'n_' || n, '', CASE WHEN n < 3 THEN 'deploy-preview-12' END FROM generate_series(1, 9) n;
    INSERT INTO heap VALUES ('', NULL)"#;

const RULES: &str = r#"columns = ["workspace_id"]
    [tenant]
    table = "workspaces"
    [tables.orders]
    sources = [{ name = "person", column = "person_id", table = "people" }]
    [tables.people]
    sources = [{ name = "order", column = "id", table = "orders", key = "person_id", all = true }]
    [tables.heap]
    sources = [{ name = "person", column = "text", table = "people" }]
"#;

/// Every row of every table, but the tenants.
const ALL: &str =
    "SELECT string_agg(r, E'\n' ORDER BY r) FROM (SELECT p::text FROM people p UNION ALL SELECT o::text FROM orders o
                   UNION ALL SELECT n::text FROM notes n UNION ALL SELECT h::text FROM heap h) AS every (r)";

async fn shop() -> (TestDb, Place) {
    let db = test_support::empty_database().await;
    db.owner().await.run_script("preparing a test", TABLES).await.unwrap();
    let place = Place::new();
    place.write("tenancy.toml", RULES);
    (db, place)
}

fn run(db: &TestDb, place: &Place, arguments: &[&str]) -> Ended {
    let url = db.url(Role::Owner);
    place.run(&[arguments, &["--confirm", "127.0.0.1", "--no-progress", "--database-url", url.expose()]].concat())
}

/// What `audit`, `doctor`, `inventory` and `backfill map` say of a table whose tenant column is no uuid, as the keys of tenants are.
const OTHER_TYPE: &str = "public.remarks is not protected while its tenant column workspace_id is text and the keys of tenants are uuid: \
    `cargo xtask backfill map --all` makes slugs and names keys; when each value is one, change its type with the application's migrations: \
    ALTER TABLE \"public\".\"remarks\" ALTER COLUMN \"workspace_id\" TYPE uuid USING \"workspace_id\"::uuid";

#[tokio::test]
async fn slugs_in_a_text_become_keys_and_the_column_gets_its_type_by_what_each_command_says() {
    let db = test_support::empty_database().await;
    let tables = r#"CREATE TABLE workspaces (id uuid PRIMARY KEY, slug text UNIQUE NOT NULL, name text NOT NULL);
        CREATE TABLE remarks (id int PRIMARY KEY, workspace_id text);
        INSERT INTO workspaces SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 's' || n, 'S' || n FROM generate_series(1, 2) n;
        INSERT INTO remarks VALUES (1, 's1'), (2, 'S2'), (3, 's1')"#;
    db.owner().await.run_script("preparing a test", tables).await.unwrap();
    let place = Place::new();
    place.write("tenancy.toml", "columns = [\"workspace_id\"]\n[tenant]\ntable = \"workspaces\"\n[tables.remarks]\n");
    for command in [&["audit"][..], &["doctor"], &["inventory"]] {
        let said = run(&db, &place, command);
        let words = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&OTHER_TYPE.split_whitespace().collect::<Vec<_>>().join(" ")), "{said}");
    }
    let listed = run(&db, &place, &["backfill", "map", "remarks"]);
    assert!(
        listed.stdout.contains("`cargo xtask backfill map public.remarks --file map.csv --dry-run` shows"),
        "{listed}"
    );
    let written = run(&db, &place, &["backfill", "map", "public.remarks", "--format", "csv", "--output", "map.csv"]);
    assert_eq!(written.status, 3, "{written}");
    let mapped = run(&db, &place, &["backfill", "map", "public.remarks", "--file", "map.csv"]);
    assert_eq!(mapped.status, 0, "{mapped}");
    assert!(mapped.stderr.contains(OTHER_TYPE), "{mapped}");
    let alter = tenant_rls::Sql::from_static(OTHER_TYPE.split_once("migrations: ").unwrap().1);
    db.owner().await.run_script("changing a type", alter).await.unwrap();
    let audit = run(&db, &place, &["audit"]);
    assert!(!audit.stdout.contains("is not protected") && audit.stdout.contains("1 covered"), "{audit}");
    let undo = run(&db, &place, &["backfill", "undo", "1"]);
    assert_eq!(undo.status, 4, "{undo}");
    assert!(undo.stderr.contains("which is uuid now and cannot hold that"), "{undo}");
}

#[tokio::test]
async fn values_that_are_no_keys_are_named_mapped_by_a_file_and_given_back() {
    let (db, place) = shop().await;
    let before = text(&db, ALL).await;
    let audit = run(&db, &place, &["audit"]);
    assert!(audit.stdout.contains("public.people: Bolt (1, maybe w_2), acme (1, maybe w_1)"), "{audit}");
    assert!(audit.stdout.contains("`cargo xtask backfill map --all` proposes"), "{audit}");

    let listed = run(&db, &place, &["backfill", "map", "--all", "--format", "csv", "--output", "map.csv"]);
    assert_eq!(listed.status, 3, "{listed}");
    let file = std::fs::read_to_string(place.path().join("map.csv")).unwrap();
    assert!(file.starts_with("table,from,rows,to\n") && file.contains("public.people,acme,1,w_1\n"), "{file}");
    let dry = run(&db, &place, &["backfill", "map", "--all", "--file", "map.csv", "--dry-run"]);
    assert_eq!(dry.status, 0, "{dry}");
    assert_eq!(text(&db, ALL).await, before, "a dry run keeps nothing");

    let mapped = run(&db, &place, &["backfill", "map", "--all", "--file", "map.csv"]);
    assert_eq!(mapped.status, 0, "{mapped}");
    assert!(
        mapped.stderr.contains("what 2 values mean, into the tenant column of 2 rows of public.people"),
        "{mapped}"
    );
    let one = run(&db, &place, &["backfill", "map", "orders", "--from", "", "--to-null"]);
    assert_eq!(one.status, 0, "{one}");
    let why = run(&db, &place, &["backfill", "why", "people", "p_2"]);
    assert!(why.stdout.contains("before   acme") && why.stdout.contains("tenant   w_1"), "{why}");
    let wrong = run(&db, &place, &["backfill", "map", "orders", "--from", "w_1", "--to", "bolt"]);
    assert_eq!(wrong.status, 2, "{wrong}");

    for number in ["2", "1"] {
        let undone = run(&db, &place, &["backfill", "undo", number]);
        assert_eq!(undone.status, 0, "{undone}");
    }
    assert_eq!(text(&db, ALL).await, before, "each row has what it had");
}

#[tokio::test]
async fn the_rest_goes_to_a_tenant_that_is_made_on_request_and_comes_back() {
    let (db, place) = shop().await;
    let before = text(&db, ALL).await;
    let unknown = run(&db, &place, &["backfill", "run", "notes", "orders", "--rest-to", "archive"]);
    assert_eq!(unknown.status, 2, "{unknown}");
    let rest = ["backfill", "run", "notes", "orders", "--rest-to", "archive", "--create"];
    let dry = run(&db, &place, &[&rest[..], &["--dry-run"]].concat());
    assert_eq!(dry.status, 3, "{dry}");
    assert!(
        dry.stderr.contains("public.notes: 9 rows go to archive: 7 of which nothing tells the tenant, 2 whose"),
        "{dry}"
    );
    assert!(dry.stdout.contains("The tenant archive would be created, and 12 rows given to it."), "{dry}");
    assert_eq!(text(&db, "SELECT count(*)::text FROM workspaces").await, "2");

    let given = run(&db, &place, &rest);
    assert_eq!(given.status, 0, "{given}");
    assert!(given.stderr.contains("created the tenant archive with the id c"), "{given}");
    assert!(given.stderr.contains("public.orders: 1 row gets the tenant that its sources tell"), "{given}");
    assert_eq!(text(&db, "SELECT workspace_id FROM orders WHERE id = 'o_1'").await, "w_1");
    // A name that is nearly another's is asked about, and nobody is there to answer.
    let near = run(&db, &place, &["backfill", "run", "people", "--rest-to", "archiv", "--create"]);
    assert_eq!(near.status, 4, "{near}");
    assert!(near.stderr.contains("no tenant `archiv` was created, as `archive` is there"), "{near}");

    for number in ["1", "2"] {
        let undone = run(&db, &place, &["backfill", "undo", number]);
        assert_eq!(undone.status, 0, "{undone}");
    }
    assert_eq!(text(&db, ALL).await, before, "each row has what it had");
}

#[tokio::test]
async fn of_all_tables_one_that_cannot_be_done_is_named_and_a_dry_run_says_what_it_does_not_show() {
    let (db, place) = shop().await;
    place.write("tenancy.toml", &RULES.replace("[tables.people]\n    sources", "[tables.people]\n    # sources"));
    let all = run(&db, &place, &["backfill", "run", "--all", "--review", "review.csv"]);
    assert_eq!(all.status, 3, "{all}");
    assert!(
        all.stdout.contains("public.heap failed: public.heap cannot be backfilled: it has no primary key"),
        "{all}"
    );
    let notes = std::fs::read_to_string(place.path().join("review.notes.csv")).unwrap();
    assert!(notes.starts_with("table,id,reason,decision,fingerprint\npublic.notes,n_3,unresolved,,v1-"), "{notes}");

    db.owner()
        .await
        .run_script("giving an order its tenant", "UPDATE orders SET workspace_id = 'w_1' WHERE id = 'o_2'")
        .await
        .unwrap();
    place.write("tenancy.toml", &format!("{RULES}    [tables.notes]\n    sources = [{{ name = \"person\", column = \"text\", table = \"people\" }}]\n"));
    let dry = run(&db, &place, &["backfill", "run", "--all", "--dry-run"]);
    assert!(
        dry.stdout.contains("public.notes draws on public.people, of which 1 row would have got a tenant first"),
        "{dry}"
    );
}

//! What could be sources, found in foreign keys and in the rows.

use backfill_engine::{Basis, Error, SourceSuggestion, SuggestNote, SuggestReport, suggest};
use local_db::Role;
use tenancy_config::Tenancy;
use tenancy_config::tenancy::{TableRules, fragment};
use test_support::TestDb;

use crate::row_security::{STRICT, protect_tables};
use crate::support::{SMALL, backfill_table, connect, fast, script};

/// Describes nothing but the tenants.
fn bare() -> Tenancy {
    Tenancy::from_toml("[tables]\n", std::path::Path::new("tenancy.toml")).unwrap()
}

async fn suggested(db: &TestDb, tenancy: &Tenancy) -> SuggestReport {
    let database = connect(db, Role::Owner).await;
    let report = suggest(&database, tenancy).await.unwrap();
    database.close().await;
    report
}

fn sources<'a>(report: &'a SuggestReport, table: &str) -> &'a [SourceSuggestion] {
    &report.tables.iter().find(|suggestion| suggestion.name == table).unwrap().sources
}

fn named(sources: &[SourceSuggestion]) -> Vec<(&str, Basis, bool)> {
    sources.iter().map(|source| (source.rule.name.as_str(), source.basis, source.proposed)).collect()
}

/// Five bookings without a tenant and one with, and messages whose authors are users, but for one.
async fn few() -> TestDb {
    let db = test_support::database().await;
    let mut superuser = db.superuser().await;
    script(&mut superuser, include_str!("undecided.sql")).await;
    let messages = r#"INSERT INTO chat_messages (id, "userId", "userName", role, room, text, "tenantId")
        SELECT 'm_' || n, CASE WHEN n = 20 THEN 'gone' ELSE 'u_' || n END, 'U', 'USER', 'r', 'u_a', NULL FROM generate_series(1, 20) n;
        INSERT INTO users (id, "tenantId", email, "updatedAt")
        SELECT 'u_' || n, 't_a', n || '@example.com', now() FROM generate_series(1, 19) n"#;
    script(&mut superuser, messages).await;
    db
}

#[tokio::test]
async fn foreign_keys_come_with_what_the_rows_say_of_them() {
    let db = few().await;
    let report = suggested(&db, &bare()).await;
    let bookings = sources(&report, "bookings");
    let key = Basis::ForeignKey;
    assert_eq!(named(bookings), [("client", key, true), ("service", key, true), ("service request", key, true)]);
    let client = &bookings[0];
    assert_eq!((client.not_null, client.declared, client.resolves), (true, false, Some(4)));
    assert_eq!((client.compared, client.agrees), (Some(1), Some(1)));
    assert_eq!(
        client.reason,
        "foreign key, NOT NULL, names the tenant of 4 of 5 rows without one, agrees with 1 of 1 others"
    );
    assert!(report.tables.iter().all(|table| table.name != "tenant_memberships"), "each of its rows has a tenant");
}

#[tokio::test]
async fn a_column_without_a_foreign_key_is_a_guess_with_the_share_that_matched() {
    let db = few().await;
    let report = suggested(&db, &bare()).await;
    let [author, chance] = sources(&report, "chat_messages") else { panic!("{report:?}") };
    assert_eq!((chance.rule.name.as_str(), chance.values, chance.proposed), ("text", Some(1), false));
    assert_eq!((author.rule.column.as_str(), author.rule.table.as_str()), ("userId", "users"));
    assert_eq!((author.basis, author.values, author.values_matched), (Basis::Guess, Some(20), Some(19)));
    assert!(author.proposed && author.reason.starts_with("a guess: 19 of 20 values match"), "{author:?}");
    let chance = ("text", Basis::Guess, false);
    // With more strangers among them, it is told and not proposed; with a majority of them, it is not told.
    script(&mut db.superuser().await, r#"UPDATE chat_messages SET "userId" = id WHERE id IN ('m_1', 'm_2')"#).await;
    let report = suggested(&db, &bare()).await;
    assert_eq!(named(sources(&report, "chat_messages")), [chance, ("user", Basis::Guess, false)]);
    script(&mut db.superuser().await, r#"UPDATE chat_messages SET "userId" = id WHERE id > 'm_1'"#).await;
    assert_eq!(named(sources(&suggested(&db, &bare()).await, "chat_messages")), [chance]);
}

#[tokio::test]
async fn a_source_that_contradicts_the_rows_is_told_and_not_proposed() {
    let db = few().await;
    script(&mut db.superuser().await, r#"UPDATE bookings SET "tenantId" = 't_b' WHERE id = 'b_6'"#).await;
    let report = suggested(&db, &bare()).await;
    let last = sources(&report, "bookings").last().unwrap();
    assert_eq!(
        (last.rule.name.as_str(), last.proposed, last.compared, last.agrees),
        ("client", false, Some(1), Some(0))
    );
}

#[tokio::test]
async fn a_foreign_key_that_includes_the_tenant_is_a_source_by_its_other_column() {
    let db = test_support::empty_database().await;
    let tables = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text, status text);
        CREATE TABLE parent (id int PRIMARY KEY, code text NOT NULL, "tenantId" text NOT NULL, UNIQUE ("tenantId", id), UNIQUE ("tenantId", code));
        CREATE TABLE items (id int PRIMARY KEY, "parentId" int, "parentCode" text, "tenantId" text,
                            FOREIGN KEY ("tenantId", "parentId") REFERENCES parent ("tenantId", id),
                            FOREIGN KEY ("parentCode", "tenantId") REFERENCES parent (code, "tenantId"));
        INSERT INTO "Tenant" VALUES ('t', 't', 'T', 'ACTIVE');
        INSERT INTO parent SELECT n, 'p' || n, 't' FROM generate_series(1, 9) n;
        INSERT INTO items SELECT n, n, 'p' || n, NULL FROM generate_series(1, 9) n"#;
    script(&mut db.owner().await, tables).await;
    let report = suggested(&db, &bare()).await;
    let found = sources(&report, "items").iter().map(|source| {
        let rule = &source.rule;
        (rule.column.as_str(), rule.key.as_str(), rule.all, source.basis, source.proposed, source.resolves)
    });
    let expected = [
        ("parentCode", "code", true, Basis::ForeignKey, true, Some(9)),
        ("parentId", "id", false, Basis::ForeignKey, true, Some(9)),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn small_numbers_are_keys_only_where_the_name_says_so() {
    let db = test_support::empty_database().await;
    let tables = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text, status text);
        CREATE TABLE companies (id int PRIMARY KEY, "tenantId" text);
        CREATE TABLE orders (id int PRIMARY KEY, "companyId" int, duration int, "tenantId" text);
        INSERT INTO "Tenant" VALUES ('t', 't', 'T', 'ACTIVE');
        INSERT INTO companies SELECT n, 't' FROM generate_series(1, 9) n;
        INSERT INTO orders SELECT n, n, n, NULL FROM generate_series(1, 9) n"#;
    script(&mut db.owner().await, tables).await;
    let report = suggested(&db, &bare()).await;
    assert_eq!(named(sources(&report, "orders")), [("company", Basis::Guess, true)]);
}

#[tokio::test]
async fn the_rules_of_the_demo_are_all_found_and_none_contradicts_its_rows() {
    let db = test_support::seeded(SMALL).await;
    let tenancy = Tenancy::default();
    let report = suggested(&db, &tenancy).await;
    for (name, rules) in &tenancy.tables {
        let Some(table) = report.tables.iter().find(|table| table.name == *name) else { continue };
        for rule in &rules.sources {
            let source = table.sources.iter().find(|source| source.rule == *rule).unwrap();
            assert!(source.declared && source.basis != Basis::Guess, "{source:?}");
        }
    }
    let missing = report.missing();
    assert!(missing.tables.iter().flat_map(|table| &table.sources).all(|source| source.proposed && !source.declared));
}

#[tokio::test]
async fn where_rows_are_hidden_sources_are_named_and_not_compared_and_the_auditor_reads_for_the_owner() {
    let db = few().await;
    let hide = "ALTER TABLE users ENABLE ROW LEVEL SECURITY; ALTER TABLE users FORCE ROW LEVEL SECURITY";
    script(&mut db.owner().await, hide).await;
    let report = suggested(&db, &bare()).await;
    let bookings = report.tables.iter().find(|table| table.name == "bookings").unwrap();
    assert!(
        matches!(&bookings.notes[..], [SuggestNote::Hidden { obstacles }] if obstacles.iter().any(|obstacle| obstacle.to_string().contains("users"))),
        "{:?}",
        bookings.notes
    );
    let note = serde_json::to_value(&bookings.notes[0]).unwrap();
    assert!(note["why"].as_str().unwrap().contains("users") && note["obstacles"][0]["obstacle"].is_string(), "{note}");
    let client = bookings.sources.iter().find(|source| source.rule.name == "client").unwrap();
    assert_eq!((client.resolves, client.reason.as_str()), (None, "foreign key, NOT NULL, not measured"));

    let open = r#"GRANT USAGE ON SCHEMA public TO tenant_auditor;
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO tenant_auditor;
        CREATE POLICY tenant_auditor_read ON users FOR SELECT TO tenant_auditor USING (current_user = 'tenant_auditor')"#;
    script(&mut db.owner().await, open).await;
    let report = suggested(&db, &bare()).await;
    let client = sources(&report, "bookings").iter().find(|source| source.rule.name == "client").unwrap();
    assert_eq!(client.resolves, Some(4));
}

#[tokio::test]
async fn where_every_row_is_hidden_it_stops() {
    let db = test_support::empty_database().await;
    let tables = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text, status text);
        CREATE TABLE orders (id int PRIMARY KEY, "tenantId" text);
        ALTER TABLE orders ENABLE ROW LEVEL SECURITY; ALTER TABLE orders FORCE ROW LEVEL SECURITY"#;
    script(&mut db.owner().await, tables).await;
    let database = connect(&db, Role::Owner).await;
    let error = suggest(&database, &bare()).await.unwrap_err();
    assert!(matches!(error, Error::Database(tenant_rls::Error::CannotSee(_))), "{error}");
}

/// Files that only an expense points to, notes that reach a project over tasks, remarks of users who are members, and comments on anything.
const POINTING: &str = r#"
    CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text, status text);
    CREATE TABLE users (id text PRIMARY KEY, "tenantId" text);
    CREATE TABLE memberships (id text PRIMARY KEY, "userId" text REFERENCES users, "tenantId" text NOT NULL);
    CREATE TABLE projects (id text PRIMARY KEY, "tenantId" text);
    CREATE TABLE boards (id text PRIMARY KEY, "projectId" text REFERENCES projects);
    CREATE TABLE tasks (id text PRIMARY KEY, "boardId" text REFERENCES boards);
    CREATE TABLE parts (a text REFERENCES projects, b text, PRIMARY KEY (a, b));
    CREATE TABLE bits (id text PRIMARY KEY, a text, b text, "tenantId" text, FOREIGN KEY (a, b) REFERENCES parts);
    CREATE TABLE notes (id text PRIMARY KEY, "taskId" text REFERENCES tasks, "tenantId" text);
    CREATE TABLE files (id text PRIMARY KEY, "tenantId" text);
    CREATE TABLE expenses (id text PRIMARY KEY, "fileId" text REFERENCES files, "tenantId" text NOT NULL);
    CREATE INDEX ON expenses ("fileId");
    CREATE TABLE remarks (id text PRIMARY KEY, "userId" text REFERENCES users, "tenantId" text);
    CREATE TABLE comments (id text PRIMARY KEY, "entityType" text, "entityId" text, "tenantId" text);
    CREATE TABLE tickets (id int PRIMARY KEY, "tenantId" text);
    CREATE TABLE numbers (id int PRIMARY KEY, subject_type text, subject_id int, "tenantId" text);
    CREATE TABLE unknown (id int PRIMARY KEY, subject_type text, subject_id int, "tenantId" text);
    CREATE TABLE sheets (a int, b int, "tenantId" text, PRIMARY KEY (a, b), UNIQUE ("tenantId", a, b));
    CREATE TABLE cells (id int PRIMARY KEY, a int, b int, "tenantId" text, FOREIGN KEY ("tenantId", a, b) REFERENCES sheets ("tenantId", a, b));
    INSERT INTO "Tenant" VALUES ('t', 't', 'T', 'ACTIVE');
    INSERT INTO users SELECT 'u' || n, NULL FROM generate_series(1, 9) n;
    INSERT INTO memberships SELECT 'm' || n, 'u' || n, 't' FROM generate_series(1, 9) n;
    INSERT INTO projects SELECT 'p' || n, 't' FROM generate_series(1, 9) n;
    INSERT INTO files SELECT 'f' || n, NULL FROM generate_series(1, 9) n;
    INSERT INTO expenses SELECT 'e' || n, 'f' || n, 't' FROM generate_series(1, 8) n;
    INSERT INTO remarks SELECT 'r' || n, 'u' || n, NULL FROM generate_series(1, 9) n;
    INSERT INTO comments SELECT 'c' || n, CASE WHEN n < 9 THEN 'project' ELSE 'Expense' END, CASE WHEN n < 9 THEN 'p' ELSE 'e' END || n % 8 + 1, NULL
    FROM generate_series(1, 16) n;
    INSERT INTO tickets SELECT n, 't' FROM generate_series(1, 9) n;
    INSERT INTO numbers SELECT n, CASE WHEN n < 10 THEN 'App\Models\Ticket' ELSE 'a' END, n % 9 + 1, NULL FROM generate_series(1, 12) n;
    INSERT INTO unknown VALUES (1, 'a', 1, NULL);
    INSERT INTO boards SELECT 'b' || n, 'p' || n FROM generate_series(1, 9) n;
    INSERT INTO tasks SELECT 't' || n, 'b' || n FROM generate_series(1, 9) n;
    INSERT INTO notes SELECT 'n' || n, CASE WHEN n < 9 THEN 't' || n END, NULL FROM generate_series(1, 9) n;
    GRANT USAGE ON SCHEMA public TO tenant_maintenance;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO tenant_maintenance;
    GRANT UPDATE ("tenantId") ON notes, comments, numbers, remarks TO tenant_maintenance"#;

fn notes(report: &SuggestReport, table: &str) -> Vec<String> {
    let found = report.tables.iter().find(|suggestion| suggestion.name == table).unwrap();
    found.notes.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn what_points_here_and_memberships_tell_where_nothing_here_does() {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, POINTING).await;
    let report = suggested(&db, &bare()).await;
    let [expense] = sources(&report, "files") else { panic!("{:?}", sources(&report, "files")) };
    let rule = &expense.rule;
    let found = (rule.name.as_str(), rule.column.as_str(), rule.table.as_str(), rule.key.as_str(), rule.all);
    assert_eq!(found, ("expenses", "id", "expenses", "fileId", true));
    assert_eq!((expense.basis, expense.proposed, expense.resolves), (Basis::PointedTo, true, Some(8)));
    assert_eq!(
        expense.reason,
        "a foreign key that points here, names the tenant of 8 of 9 rows without one, no row to compare with"
    );
    let remarks = named(sources(&report, "remarks"));
    assert_eq!(remarks, [("membership", Basis::Membership, true), ("user", Basis::ForeignKey, true)]);

    let done = run_proposed(&db, &report, "files").await;
    assert_eq!(done, 8);
}

/// What it proposes is accepted, and does what it says: the rows that it gives a tenant.
async fn run_proposed(db: &TestDb, report: &SuggestReport, name: &str) -> u64 {
    let table = report.tables.iter().find(|table| table.name == name).unwrap();
    let proposed = table.sources.iter().filter(|source| source.proposed);
    let rules = TableRules { sources: proposed.map(|source| source.rule.clone()).collect(), ..Default::default() };
    let text = fragment(name, &rules, &|_| None);
    let tenancy = Tenancy::from_toml(&text, "tenancy.toml".as_ref()).unwrap();
    backfill_table(db, Role::Owner, name, &tenancy, &fast(), &mut |_| {}).await.unwrap().assigned
}

#[tokio::test]
async fn ways_over_tables_without_a_tenant_memberships_and_kinds_are_sources_also_under_force() {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, POINTING).await;
    let protected =
        ["projects", "expenses", "memberships", "users", "tickets", "notes", "comments", "numbers", "remarks"];
    protect_tables(&db, &protected, STRICT, true).await;
    let report = suggested(&db, &bare()).await;
    let [task] = sources(&report, "notes") else { panic!("{:?}", sources(&report, "notes")) };
    assert_eq!((task.basis, task.proposed, task.resolves), (Basis::Hops, true, Some(8)));
    let hops: Vec<(&str, &str)> =
        task.rule.through.iter().map(|hop| (hop.table.as_str(), hop.column.as_str())).collect();
    assert_eq!((hops, task.rule.table.as_str()), (vec![("tasks", "boardId"), ("boards", "projectId")], "projects"));
    let kinds = |table| {
        let when = |source: &SourceSuggestion| source.rule.when.values().next().cloned().unwrap_or_default();
        sources(&report, table).iter().map(|source| (when(source), source.proposed)).collect::<Vec<_>>()
    };
    assert_eq!(kinds("comments"), [("Expense".to_owned(), true), ("project".to_owned(), true)]);
    assert_eq!(kinds("numbers"), [("App\\Models\\Ticket".to_owned(), true)]);
    for (table, rows) in [("notes", 8), ("comments", 16), ("numbers", 9), ("remarks", 9)] {
        assert_eq!(run_proposed(&db, &report, table).await, rows, "{table}");
    }

    // Where rows on a way are hidden, the way is named, and the others are measured.
    let hide = "ALTER TABLE boards ENABLE ROW LEVEL SECURITY; ALTER TABLE boards FORCE ROW LEVEL SECURITY";
    script(&mut db.owner().await, hide).await;
    let report = suggested(&db, &bare()).await;
    assert!(sources(&report, "notes").is_empty());
    assert!(
        notes(&report, "notes")[0].starts_with("taskId leads to public.projects over public.tasks, then public.boards")
    );
}

#[tokio::test]
async fn what_rules_cannot_say_is_named_with_what_it_needs_and_stays_with_missing() {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, POINTING).await;
    let report = suggested(&db, &bare()).await;
    assert!(
        notes(&report, "unknown")[0].starts_with("polymorphic: subject_type says of which table subject_id is a key")
    );
    assert!(notes(&report, "cells")[0].starts_with("the foreign key cells_tenantId_a_b_fkey points to public.sheets"));
    assert!(
        notes(&report, "bits")[0]
            .starts_with("a, b leads to public.projects over public.parts, by a key of several columns")
    );
    let missing = report.missing();
    let untold: Vec<&str> =
        missing.tables.iter().filter(|table| table.is_untold()).map(|table| table.name.as_str()).collect();
    assert!(untold.contains(&"bits") && untold.contains(&"unknown"), "{untold:?}");
}

//! What could be sources, found in foreign keys and in the rows.

use backfill_engine::{Basis, Error, SourceSuggestion, SuggestReport, suggest};
use local_db::Role;
use tenancy_config::Tenancy;
use test_support::TestDb;

use crate::support::{SMALL, connect, script};

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
async fn where_rows_are_hidden_it_stops_instead_of_counting_what_it_sees() {
    let db = few().await;
    let hide = "ALTER TABLE users ENABLE ROW LEVEL SECURITY; ALTER TABLE users FORCE ROW LEVEL SECURITY";
    script(&mut db.owner().await, hide).await;
    let database = connect(&db, Role::Owner).await;
    let error = suggest(&database, &bare()).await.unwrap_err();
    assert!(matches!(error, Error::Database(tenant_rls::Error::CannotSee(_))), "{error}");
}

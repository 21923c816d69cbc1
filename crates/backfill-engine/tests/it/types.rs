//! Sources whose columns have other types than the keys that they hold.

use backfill_engine::{BackfillPlan, BackfillReport, Error, Unsuitable, suggest};
use local_db::Role;
use tenancy_config::tenancy::SourceRule;
use tenancy_config::{Exit, TableName, Tenancy, UserError};
use tenant_inventory::Catalog;
use test_support::TestDb;

use crate::support::{backfill_table, by_source, connect, fast, number, script};

/// Tenants with uuids, parents with uuids, bigints and texts as keys, and tables whose texts hold them.
const TABLES: &str = r#"
    CREATE TABLE "Tenant" (id uuid PRIMARY KEY, slug text UNIQUE, name text, status text);
    CREATE TABLE projects (id uuid PRIMARY KEY, number int, "tenantId" uuid NOT NULL);
    CREATE TABLE invoices (id bigint PRIMARY KEY, "tenantId" uuid NOT NULL);
    CREATE TABLE pages (id varchar(40) PRIMARY KEY, "tenantId" uuid NOT NULL);
    CREATE TABLE labels (id int PRIMARY KEY, "pageId" int, "tenantId" text);
    CREATE TABLE boards (id int PRIMARY KEY, "projectId" text);
    CREATE TABLE cards (id int PRIMARY KEY, "boardId" varchar, "labelId" text, "tenantId" uuid);
    CREATE TABLE events (id int PRIMARY KEY, "entityType" text, "entityId" varchar(60), "pageId" uuid, "tenantId" uuid);
    INSERT INTO "Tenant" SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 't' || n, 'T', 'ACTIVE' FROM generate_series(1, 2) n;
    INSERT INTO projects SELECT ('a0000000-0000-0000-0000-0000000000' || n)::uuid, n, '00000000-0000-0000-0000-000000000001' FROM generate_series(10, 19) n;
    INSERT INTO invoices SELECT n, '00000000-0000-0000-0000-000000000002' FROM generate_series(1, 10) n;
    INSERT INTO pages SELECT 'b0000000-0000-0000-0000-0000000000' || n, '00000000-0000-0000-0000-000000000002' FROM generate_series(10, 19) n;
    INSERT INTO labels SELECT n, n, CASE WHEN n = 3 THEN 'nobody' ELSE '00000000-0000-0000-0000-000000000001' END FROM generate_series(1, 3) n;
    INSERT INTO boards VALUES (1, 'A0000000000000000000000000000010'), (2, 'none');
    INSERT INTO cards VALUES (1, '1', NULL, NULL), (2, '2', NULL, NULL), (3, 'x', '1', NULL), (4, NULL, '3', NULL);
    INSERT INTO events SELECT n, 'Project', 'a0000000-0000-0000-0000-0000000000' || n + 9, NULL, NULL FROM generate_series(1, 10) n;
    INSERT INTO events SELECT n, 'Invoice', n - 20, NULL, NULL FROM generate_series(21, 30) n;
    INSERT INTO events SELECT n, 'Page', NULL, ('b0000000-0000-0000-0000-0000000000' || n - 31)::uuid, NULL FROM generate_series(41, 50) n;
    INSERT INTO events VALUES (60, 'Project', 'no uuid', NULL, NULL), (61, 'Invoice', '007', NULL, NULL), (62, 'Invoice', '9223372036854775808', NULL, NULL),
        (63, 'Invoice', '', NULL, NULL), (64, 'Invoice', '-1', NULL, NULL), (65, 'Project', E'a0000000-0000-0000-0000-000000000010\n', NULL, NULL)"#;

async fn tables() -> TestDb {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, TABLES).await;
    db
}

fn tenancy(rules: &str) -> Tenancy {
    Tenancy::from_toml(&format!("[tenant]\ntable = \"Tenant\"\n[tables]\n{rules}"), "tenancy.toml".as_ref()).unwrap()
}

async fn filled(db: &TestDb, table: &str, rules: &str) -> Result<BackfillReport, Error> {
    backfill_table(db, Role::Owner, table, &tenancy(rules), &fast(), &mut |_| {}).await
}

const EVENTS: &str = r#"[tables.events]
    sources = [
        { name = "project", column = "entityId", table = "projects", when = { entityType = "Project" } },
        { name = "invoice", column = "entityId", table = "invoices", when = { entityType = "Invoice" } },
        { name = "page", column = "pageId", table = "pages" },
    ]"#;

#[tokio::test]
async fn a_text_finds_the_uuid_or_number_that_it_is_and_any_other_text_finds_nothing() {
    let db = tables().await;
    let report = filled(&db, "events", EVENTS).await.unwrap();
    assert_eq!(by_source(&report), [("project", 10), ("invoice", 10), ("page", 10)]);
    assert_eq!((report.remaining, report.conflicts), (6, 0));
    let right = r#"SELECT count(*) FROM events WHERE "tenantId" = CASE WHEN id < 20 THEN '00000000-0000-0000-0000-000000000001'::uuid
                   ELSE '00000000-0000-0000-0000-000000000002'::uuid END"#;
    assert_eq!(number(&mut db.superuser().await, right).await, 30);
}

#[tokio::test]
async fn polymorphic_texts_over_uuids_and_numbers_are_suggested() {
    let db = tables().await;
    let database = connect(&db, Role::Owner).await;
    let report = suggest(&database, &tenancy("")).await.unwrap();
    database.close().await;
    let events = report.tables.iter().find(|table| table.name == "events").unwrap();
    let mut found: Vec<(&SourceRule, bool, Option<u64>)> =
        events.sources.iter().map(|source| (&source.rule, source.proposed, source.resolves)).collect();
    found.sort_by_key(|(rule, ..)| &rule.name);
    let kind = |name: &str, kind: &str, table: &str| SourceRule {
        when: [("entityType".to_owned(), kind.to_owned())].into(),
        ..SourceRule::new(name, "entityId", table)
    };
    let expected = [
        (&kind("invoice", "Invoice", "invoices"), true, Some(10)),
        (&SourceRule::new("page", "pageId", "pages"), true, Some(10)),
        (&kind("project", "Project", "projects"), true, Some(10)),
    ];
    // Of the fifteen values of invoices ten are keys, which is too few for a proposal.
    let expected = expected.map(|(rule, _, resolves)| (rule, rule.name == "page", resolves));
    assert_eq!(found, expected);
    script(&mut db.owner().await, "DELETE FROM events WHERE id >= 60").await;
    let database = connect(&db, Role::Owner).await;
    let report = suggest(&database, &tenancy("")).await.unwrap();
    database.close().await;
    let events = report.tables.iter().find(|table| table.name == "events").unwrap();
    assert!(events.sources.iter().all(|source| source.proposed) && events.sources.len() == 3, "{events:?}");
}

#[tokio::test]
async fn tables_on_the_way_and_tenants_of_other_types_are_followed_too() {
    let db = tables().await;
    let rules = r#"[tables.cards]
        sources = [
            { name = "board", column = "boardId", table = "projects", through = [{ table = "boards", column = "projectId" }] },
            { name = "label", column = "labelId", table = "labels" },
        ]"#;
    let report = filled(&db, "cards", rules).await.unwrap();
    assert_eq!(by_source(&report), [("board", 1), ("label", 1)]);
    let ghosts: Vec<(&str, &str)> =
        report.ghost_tenants.iter().map(|ghost| (ghost.source.as_str(), ghost.tenant.as_str())).collect();
    assert_eq!((report.remaining, ghosts), (2, vec![("label", "nobody")]));
}

#[tokio::test]
async fn a_tie_breaker_compares_other_types_too() {
    let db = tables().await;
    let more = r#"CREATE TABLE seen (project text, "tenantId" text);
        INSERT INTO seen VALUES ('10', '00000000-0000-0000-0000-000000000002');
        ALTER TABLE events ADD number int;
        UPDATE events SET "pageId" = 'b0000000-0000-0000-0000-000000000010', number = 10 WHERE id <= 2;
        UPDATE events SET number = 11 WHERE id = 2"#;
    script(&mut db.owner().await, more).await;
    let rules = format!(
        "{EVENTS}\ntie_breakers = [{{ name = \"seen\", table = \"seen\", equal = {{ number = \"project\" }} }}]"
    );
    let report = filled(&db, "events", &rules).await.unwrap();
    assert_eq!(by_source(&report), [("project", 8), ("invoice", 10), ("page", 10), ("seen", 1)]);
    assert_eq!(report.conflicts, 1);
}

#[tokio::test]
async fn types_that_cannot_be_equal_are_refused_before_anything_is_read() {
    let db = tables().await;
    for (table, rule, column, key) in [
        ("events", r#"{ name = "s", column = "pageId", table = "invoices" }"#, ("pageId", "uuid"), "bigint"),
        ("cards", r#"{ name = "s", column = "id", table = "projects" }"#, ("id", "integer"), "uuid"),
        (
            "cards",
            r#"{ name = "s", column = "boardId", table = "projects", through = [{ table = "boards", column = "id" }] }"#,
            ("id", "integer"),
            "uuid",
        ),
    ] {
        let error = filled(&db, table, &format!("[tables.{table}]\nsources = [{rule}]")).await.unwrap_err();
        let Error::Unsuitable { table: refused, why } = &error else { panic!("{error}") };
        assert_eq!(*refused, TableName::parse(table, "public").unwrap());
        let Unsuitable::NotComparable(types) = &**why else { panic!("{error}") };
        assert_eq!(((types.column.as_str(), types.column_type.as_str()), types.key_type.as_str()), (column, key));
        assert_eq!((error.exit(), error.hint().is_some()), (Exit::Usage, true));
    }
}

#[tokio::test]
async fn a_domain_counts_as_the_type_below_it() {
    let db = tables().await;
    let more = r"CREATE DOMAIN key AS uuid; CREATE DOMAIN key_of_project AS key;
        ALTER TABLE projects ALTER COLUMN id TYPE key_of_project";
    script(&mut db.owner().await, more).await;
    let database = connect(&db, Role::Owner).await;
    let catalog = Catalog::load(&database, &tenancy(EVENTS)).await.unwrap();
    let base = catalog.column(&TableName::parse("projects", "public").unwrap(), "id").unwrap();
    assert_eq!((base.type_name.as_str(), base.base_type.as_str()), ("public.key_of_project", "uuid"));
    assert!(BackfillPlan::new(&catalog, &tenancy(EVENTS), "events").is_ok());
    database.close().await;
    assert_eq!(by_source(&filled(&db, "events", EVENTS).await.unwrap())[0], ("project", 10));
}

//! Tenant columns that are texts where the tenants' keys are uuids or numbers: they get the keys as texts, until they get their type.

use backfill_engine::{BackfillPlan, BackfillReport, Error, MapPair, Mapping, RestRows, stray_values, suggest};
use local_db::Role;
use tenancy_config::{Exit, TableName, Tenancy, UserError};
use tenant_inventory::{CalledBy, Catalog, OtherType};
use test_support::TestDb;

use crate::support::{backfill_table, by_source, connect, fast, number, run, script};
use crate::undo::undo_with;

const UUIDS: &str = r#"
    CREATE TABLE "Tenant" (id uuid PRIMARY KEY, slug text UNIQUE, name text, status text);
    CREATE TABLE projects (id int PRIMARY KEY, "tenantId" uuid);
    CREATE TABLE comments (id int PRIMARY KEY, "projectId" int REFERENCES projects, "tenantId" varchar(60));
    INSERT INTO "Tenant" SELECT ('A0000000-0000-0000-0000-00000000000' || n)::uuid, 't' || n, 'Tenant ' || n, 'ACTIVE' FROM generate_series(1, 2) n;
    INSERT INTO projects SELECT n, ('a0000000-0000-0000-0000-00000000000' || n)::uuid FROM generate_series(1, 2) n;
    INSERT INTO comments SELECT n, n % 2 + 1,
        (ARRAY['t1', 'Tenant 2', '', 'nobody', NULL, 'a0000000-0000-0000-0000-000000000001', 'A0000000-0000-0000-0000-000000000002'])[n % 7 + 1]
    FROM generate_series(0, 69) n"#;

const NUMBERS: &str = r#"
    CREATE TABLE "Tenant" (id bigint PRIMARY KEY, slug text UNIQUE, name text, status text);
    CREATE TABLE projects (id int PRIMARY KEY, "tenantId" bigint);
    CREATE TABLE comments (id int PRIMARY KEY, "projectId" int REFERENCES projects, "tenantId" text);
    INSERT INTO "Tenant" SELECT n, 't' || n, 'Tenant ' || n, 'ACTIVE' FROM generate_series(1, 2) n;
    INSERT INTO projects VALUES (1, 1), (2, 2);
    INSERT INTO comments SELECT n, n % 2 + 1, (ARRAY['t1', 'Tenant 2', '', 'nobody', NULL, '1', '02'])[n % 7 + 1] FROM generate_series(0, 69) n"#;

const RULES: &str = r#"[tenant]
    table = "Tenant"
    [tables.comments]
    sources = [{ name = "project", column = "projectId", table = "projects" }]"#;

fn tenancy() -> Tenancy {
    Tenancy::from_toml(RULES, "tenancy.toml".as_ref()).unwrap()
}

/// A database with these tables, and the texts of its two keys.
async fn made(tables: &'static str) -> (TestDb, [&'static str; 2]) {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, tables).await;
    let uuids = ["a0000000-0000-0000-0000-000000000001", "a0000000-0000-0000-0000-000000000002"];
    (db, if tables == UUIDS { uuids } else { ["1", "2"] })
}

async fn map(db: &TestDb, pairs: &[(&str, Option<&str>)]) -> Result<BackfillReport, Error> {
    let (database, tenancy) = (connect(db, Role::Owner).await, tenancy());
    let pairs: Vec<MapPair> =
        pairs.iter().map(|(from, to)| MapPair { from: (*from).to_owned(), to: to.map(str::to_owned) }).collect();
    let catalog = Catalog::load(&database, &tenancy).await?;
    let mapping = Mapping::of(&database, &tenancy, &pairs).await?;
    let plan = BackfillPlan::map(&catalog, &tenancy, "comments", &mapping)?;
    let report = run(&database, &tenancy, &plan, &fast(), &mut |_| {}).await;
    database.close().await;
    report
}

const KEYS: &str = r#"SELECT count(*) FROM comments AS c JOIN "Tenant" AS t ON t.id::text = c."tenantId""#;
const ALL: &str =
    r#"SELECT hashtext(string_agg(id || coalesce("tenantId", 'NULL'), ',' ORDER BY id))::bigint FROM comments"#;

#[tokio::test]
async fn slugs_and_names_become_the_texts_of_keys_and_an_undo_gives_every_row_what_it_had() {
    for tables in [UUIDS, NUMBERS] {
        let (db, keys) = made(tables).await;
        let before = number(&mut db.superuser().await, ALL).await;
        assert_eq!(number(&mut db.superuser().await, KEYS).await, 10);
        let wrong = if tables == UUIDS { "A0000000-0000-0000-0000-000000000002" } else { "02" };
        let pairs = [("t1", Some("t1")), ("Tenant 2", Some("t2")), ("", None), (wrong, Some(keys[1]))];
        let report = map(&db, &pairs).await.unwrap();
        assert_eq!((report.assigned, report.remaining), (40, 0));
        assert_eq!(number(&mut db.superuser().await, KEYS).await, 40);
        let refused = map(&db, &[(keys[0], Some("t2"))]).await.unwrap_err();
        assert!(matches!(&refused, Error::IsTenant { value } if value == keys[0]), "{refused}");
        let undone = undo_with(&db, &tenancy(), report.run.unwrap(), false).await.unwrap();
        assert_eq!((undone.undone, undone.kept), (40, 0));
        assert_eq!(number(&mut db.superuser().await, ALL).await, before);
    }
}

#[tokio::test]
async fn sources_and_the_rest_fill_it_and_then_it_can_get_its_type() {
    for (tables, type_name) in [(UUIDS, "uuid"), (NUMBERS, "bigint")] {
        let (db, _) = made(tables).await;
        let filled = backfill_table(&db, Role::Owner, "comments", &tenancy(), &fast(), &mut |_| {}).await.unwrap();
        assert_eq!((by_source(&filled), filled.remaining), (vec![("project", 10)], 0));
        let (database, tenancy) = (connect(&db, Role::Owner).await, tenancy());
        let catalog = Catalog::load(&database, &tenancy).await.unwrap();
        let rest = RestRows::count(&database, &tenancy, &catalog, "comments", fast().on_conflict).await.unwrap();
        // Slugs, names, the empty string, nobody, and a key that is written in another way.
        assert_eq!((rest.decided, rest.gone_decided, rest.all_gone()), (0, 50, 50));
        let tenant = tenant_rls::Registry::open(&database, &tenancy).await.unwrap().find("t1").await.unwrap().id;
        let plan = rest.plan(&catalog, &tenancy, &tenant).unwrap();
        let report = run(&database, &tenancy, &plan, &fast(), &mut |_| {}).await.unwrap();
        assert_eq!((report.assigned, report.remaining), (50, 0));
        assert_eq!(number(&mut db.superuser().await, KEYS).await, 70);

        let other = OtherType::all(&catalog.classified).next().unwrap();
        assert_eq!((other.table.name().as_str(), other.key_type.as_str()), ("comments", type_name));
        let hint = other.hint().to_string();
        let alter = tenant_rls::Sql::from_catalog(hint[hint.find("ALTER TABLE").unwrap()..].to_owned());
        db.owner().await.run_script("changing a type", alter).await.unwrap();
        let catalog = Catalog::load(&database, &tenancy).await.unwrap();
        assert_eq!(OtherType::all(&catalog.classified).count(), 0);
        assert!(catalog.tables.iter().all(|table| table.unhandled.is_none()));
        database.close().await;

        let refused = undo_with(&db, &tenancy, report.run.unwrap(), true).await.unwrap_err();
        assert!(matches!(&refused, Error::NotHeld { column, .. } if column == "tenantId"), "{refused}");
        assert_eq!((refused.exit(), refused.hint().is_some()), (Exit::Refused, true));
        // What had no tenant before can be taken back all the same.
        assert_eq!(undo_with(&db, &tenancy, filled.run.unwrap(), false).await.unwrap().undone, 10);
    }
}

#[tokio::test]
async fn its_values_are_listed_and_its_sources_suggested_and_compared() {
    let (db, keys) = made(UUIDS).await;
    let (database, tenancy) = (connect(&db, Role::Owner).await, tenancy());
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    let table = TableName::parse("comments", "public").unwrap();
    let listed = stray_values(&database, &tenancy, &catalog, &[table]).await.unwrap();
    let proposals: Vec<(&str, CalledBy)> = listed.tables[0]
        .stray
        .values
        .iter()
        .filter_map(|value| Some((value.proposal.as_ref()?.tenant.as_str(), value.proposal.as_ref()?.by)))
        .collect();
    assert_eq!(proposals, [(keys[1], CalledBy::Name), (keys[0], CalledBy::Slug)]);
    let report = suggest(&database, &tenancy).await.unwrap();
    let source = &report.tables.iter().find(|table| table.name == "comments").unwrap().sources[0];
    assert_eq!((source.resolves, source.compared), (Some(10), Some(60)));
    assert_eq!(source.agrees, Some(5), "of the ten rows with a key, the projects of half of them are that tenant's");
    database.close().await;
}

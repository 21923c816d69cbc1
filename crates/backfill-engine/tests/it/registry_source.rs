//! The tenant table as a source: a row is the tenant's that points at it.

use backfill_engine::{Basis, Error, Unsuitable, order, sources_beside_keys, sources_from_keys, suggest};
use local_db::Role;
use tenancy_config::tenancy::SourceRule;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{Catalog, read_all_tables};
use test_support::TestDb;

use crate::support::{backfill_table, by_source, connect, fast, number, script};

/// Each tenant points at settings of its own, and at a theme that others may have too.
const TABLES: &str = r#"
    CREATE TABLE settings (id int PRIMARY KEY, "tenantId" text);
    CREATE TABLE themes (id int PRIMARY KEY, "tenantId" text);
    CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text UNIQUE, name text, status text,
        "settingsId" int UNIQUE REFERENCES settings, "themeId" int REFERENCES themes);
    INSERT INTO settings SELECT n, NULL FROM generate_series(1, 4) n;
    INSERT INTO themes SELECT n, NULL FROM generate_series(1, 4) n;
    INSERT INTO "Tenant" VALUES ('t_a', 'a', 'A', 'ACTIVE', 1, 1), ('t_b', 'b', 'B', 'ACTIVE', 2, 2), ('t_c', 'c', 'C', 'ACTIVE', 3, 2)"#;

const RULES: &str = r#"[tenant]
    table = "Tenant"
    [tables.settings]
    sources = [{ name = "tenant", column = "id", table = "Tenant", key = "settingsId" }]
    [tables.themes]
    sources = [{ name = "tenant", column = "id", table = "Tenant", key = "themeId", tenant = "id", all = true }]"#;

async fn tables() -> TestDb {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, TABLES).await;
    db
}

fn tenancy(rules: &str) -> Tenancy {
    Tenancy::from_toml(rules, "tenancy.toml".as_ref()).unwrap()
}

#[tokio::test]
async fn a_row_is_the_tenants_that_points_at_it_and_one_at_which_several_do_is_a_conflict() {
    let (db, tenancy) = (tables().await, tenancy(RULES));
    let filled = async |table: &str| backfill_table(&db, Role::Owner, table, &tenancy, &fast(), &mut |_| {}).await;
    let settings = filled("settings").await.unwrap();
    assert_eq!((by_source(&settings), settings.unresolved), (vec![("tenant", 3)], 1));
    let themes = filled("themes").await.unwrap();
    assert_eq!((by_source(&themes), themes.conflicts, themes.unresolved), (vec![("tenant", 1)], 1, 2));
    let right =
        r#"SELECT count(*) FROM settings AS s JOIN "Tenant" AS t ON t."settingsId" = s.id WHERE s."tenantId" = t.id"#;
    assert_eq!(number(&mut db.superuser().await, right).await, 3);
}

#[tokio::test]
async fn where_several_may_point_at_a_row_all_of_them_must_be_asked() {
    let db = tables().await;
    let rules = RULES.replace(r#"tenant = "id", all = true"#, r#"tenant = "id""#);
    let refused = backfill_table(&db, Role::Owner, "themes", &tenancy(&rules), &fast(), &mut |_| {}).await;
    let Error::Unsuitable { table, why } = refused.unwrap_err() else { panic!("it is refused for its rule") };
    assert!(matches!(&*why, Unsuitable::NotByKey { column, .. } if column == "themeId"), "{why}");
    assert_eq!(table.name().as_str(), "themes");
}

#[tokio::test]
async fn the_rest_goes_to_one_tenant_beside_it_and_it_comes_before_no_table() {
    let (db, tenancy) = (tables().await, tenancy(RULES));
    let database = connect(&db, Role::Owner).await;
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    let names: Vec<TableName> = order(&catalog, &tenancy);
    assert_eq!(names.iter().map(|table| table.name().as_str()).collect::<Vec<_>>(), ["settings", "themes"]);
    let tenant = tenant_rls::Registry::open(&database, &tenancy).await.unwrap().find("t_c").await.unwrap().id;
    let plan = backfill_engine::BackfillPlan::rest_to(&catalog, &tenancy, "settings", &tenant, false).unwrap();
    let report = crate::support::run(&database, &tenancy, &plan, &fast(), &mut |_| {}).await.unwrap();
    assert_eq!(by_source(&report), [("tenant", 3), ("rest to t_c", 1)]);
}

#[tokio::test]
async fn keys_of_the_tenant_table_are_suggested_and_those_that_others_may_share_are_compared_first() {
    let (db, tenancy) = (tables().await, tenancy("[tenant]\ntable = \"Tenant\"\n[tables]\n"));
    let database = connect(&db, Role::Owner).await;
    let report = suggest(&database, &tenancy).await.unwrap();
    let found = |name: &str| {
        let table = report.tables.iter().find(|table| table.name == name).unwrap();
        table.sources.iter().map(|s| (s.rule.clone(), s.basis, s.proposed, s.resolves)).collect::<Vec<_>>()
    };
    let rule = |key: &str, all| SourceRule { key: key.to_owned(), all, ..SourceRule::new("tenant", "id", "Tenant") };
    assert_eq!(found("settings"), [(rule("settingsId", false), Basis::ForeignKey, true, Some(3))]);
    assert_eq!(found("themes"), [(rule("themeId", true), Basis::PointedTo, true, Some(1))]);

    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    let table = |name: &str| catalog.table(&TableName::parse(name, "public").unwrap()).unwrap();
    assert_eq!(sources_from_keys(table("settings"), &catalog, &tenancy), [rule("settingsId", false)]);
    assert_eq!(sources_from_keys(table("themes"), &catalog, &tenancy), []);
    let facts = read_all_tables(&database, &tenancy).await.unwrap();
    let beside = sources_beside_keys(&database, &tenancy, &catalog, &facts).await.unwrap();
    let beside: Vec<(&str, &SourceRule)> = beside
        .iter()
        .flat_map(|found| found.sources.iter().map(|source| (found.table.name().as_str(), &source.rule)))
        .collect();
    assert_eq!(beside, [("themes", &rule("themeId", true))]);
}

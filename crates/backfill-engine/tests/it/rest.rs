//! The rest to one tenant: what the sources do not decide, and rows whose tenant does not exist; and back again.

use backfill_engine::{
    BackfillPlan, BackfillReport, Error, NewTenant, OnConflict, RestRows, RestTenant, RunOutcome, TablesReport,
};
use local_db::Role;
use tenancy_config::{Exit, Tenancy, UserError};
use tenant_inventory::Catalog;
use tenant_rls::Database;
use test_support::TestDb;

use crate::row_security::{BRIDGE, STRICT, protect_tables};
use crate::support::{by_source, connect, fast, number, run, script};
use crate::undo::undo_with;

/// Orders whose customers have tenants: two that they tell, one whose two customers disagree, one without a customer, and three whose tenant
/// does not exist, one of which has a customer. Notes have no source, and settings are the platform's.
const TABLES: &str = r#"
    CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text UNIQUE, name text, status text, "createdAt" timestamptz NOT NULL);
    CREATE TABLE customers (id text PRIMARY KEY, "tenantId" text);
    CREATE TABLE orders (id text PRIMARY KEY, "buyerId" text, "payerId" text, "tenantId" text);
    CREATE TABLE notes (id int PRIMARY KEY, text text, "tenantId" text);
    CREATE TABLE settings (id int PRIMARY KEY, "tenantId" text);
    INSERT INTO "Tenant" VALUES ('t_a', 'acme', 'Acme', 'ACTIVE', now()), ('t_b', 'bolt', 'Bolt', 'ACTIVE', now()),
                                ('t_x', 'archive', 'Archive', 'SUSPENDED', now());
    INSERT INTO customers VALUES ('c_a', 't_a'), ('c_b', 't_b'), ('c_none', NULL);
    INSERT INTO orders VALUES ('o_1', 'c_a', 'c_a', NULL), ('o_2', 'c_b', NULL, NULL), ('o_3', 'c_a', 'c_b', NULL), ('o_4', NULL, NULL, NULL),
                              ('o_5', 'c_a', NULL, 'gone'), ('o_6', NULL, NULL, 'gone'), ('o_7', NULL, NULL, ''), ('o_8', 'c_a', NULL, 't_b');
    INSERT INTO notes SELECT n, 'n', CASE WHEN n % 3 = 0 THEN 't_a' END FROM generate_series(1, 400) n;
    INSERT INTO settings VALUES (1, NULL);
    GRANT USAGE ON SCHEMA public TO tenant_maintenance;
    GRANT SELECT ON "Tenant", customers, orders, notes TO tenant_maintenance;
    GRANT UPDATE ("tenantId") ON orders, notes TO tenant_maintenance"#;

const RULES: &str = r#"
    [tenant]
    table = "Tenant"
    [tables.orders]
    sources = [{ name = "buyer", column = "buyerId", table = "customers" }, { name = "payer", column = "payerId", table = "customers" }]
    [tables.settings]
    platform_rows = true"#;

const ORDERS: &str =
    r#"SELECT hashtext(string_agg(id || coalesce("tenantId", 'NULL'), ',' ORDER BY id))::bigint FROM orders"#;

async fn shop() -> (TestDb, Tenancy) {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, TABLES).await;
    (db, Tenancy::from_toml(RULES, "tenancy.toml".as_ref()).unwrap())
}

async fn counted(database: &Database, tenancy: &Tenancy, table: &str) -> Result<RestRows, Error> {
    let catalog = Catalog::load(database, tenancy).await?;
    RestRows::count(database, tenancy, &catalog, table, OnConflict::Report).await
}

/// Gives the rest of a table to the tenant with the slug `archive`.
async fn rest(db: &TestDb, tenancy: &Tenancy, table: &str, dry_run: bool) -> Result<BackfillReport, Error> {
    let database = connect(db, Role::Owner).await;
    let catalog = Catalog::load(&database, tenancy).await?;
    let RestTenant::There(tenant) = RestTenant::find(&database, tenancy, "archive").await? else { panic!() };
    let rows = RestRows::count(&database, tenancy, &catalog, table, OnConflict::Report).await?;
    let plan = rows.plan(&catalog, tenancy, &tenant.id)?;
    let options = backfill_engine::BackfillOptions { dry_run, ..fast() };
    let report = run(&database, tenancy, &plan, &options, &mut |_| {}).await;
    database.close().await;
    report
}

async fn orders(db: &TestDb) -> String {
    let all = r#"SELECT string_agg(coalesce("tenantId", 'NULL'), ' ' ORDER BY id) FROM orders"#;
    sqlx::query_scalar(all).fetch_one(db.superuser().await.connection()).await.unwrap()
}

#[tokio::test]
async fn rows_are_counted_by_kind_and_what_sources_tell_goes_there_and_all_else_to_the_one_tenant() {
    let (db, tenancy) = shop().await;
    let before = number(&mut db.superuser().await, ORDERS).await;
    let database = connect(&db, Role::Owner).await;
    let rows = counted(&database, &tenancy, "orders").await.unwrap();
    let kinds = (rows.decided, rows.conflicts, rows.unresolved, rows.gone_decided, rows.gone);
    assert_eq!(kinds, (2, 1, 1, 1, 2));
    let dry = rest(&db, &tenancy, "orders", true).await.unwrap();
    assert_eq!((dry.assigned, dry.remaining, dry.run), (7, 0, None));
    assert_eq!(number(&mut db.superuser().await, ORDERS).await, before, "a dry run keeps nothing");

    let report = rest(&db, &tenancy, "orders", false).await.unwrap();
    assert_eq!(by_source(&report), [("buyer", 3), ("payer", 0), ("rest to t_x", 4)]);
    assert_eq!(orders(&db).await, "t_a t_b t_x t_x t_a t_x t_x t_b");
    assert!(report.is_complete());
    let again = rest(&db, &tenancy, "orders", false).await.unwrap();
    assert_eq!(again.outcome, RunOutcome::NothingToDo);

    let undone = undo_with(&db, &tenancy, report.run.unwrap(), true).await.unwrap();
    assert_eq!((undone.undone, undone.kept), (7, 0));
    let undone = undo_with(&db, &tenancy, report.run.unwrap(), false).await.unwrap();
    assert_eq!((undone.undone, undone.kept), (7, 0));
    assert_eq!(number(&mut db.superuser().await, ORDERS).await, before, "each row has what it had");
}

#[tokio::test]
async fn a_table_without_a_source_gives_all_of_its_rows_and_takes_up_where_it_was_stopped() {
    let (db, tenancy) = shop().await;
    let database = connect(&db, Role::Owner).await;
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    let RestTenant::There(tenant) = RestTenant::find(&database, &tenancy, "archive").await.unwrap() else { panic!() };
    let rows = counted(&database, &tenancy, "notes").await.unwrap();
    assert_eq!((rows.decided, rows.unresolved, rows.rest()), (0, 267, 267));
    let plan = rows.plan(&catalog, &tenancy, &tenant.id).unwrap();
    let limited = backfill_engine::BackfillOptions { limit: Some(100), ..fast() };
    let first = run(&database, &tenancy, &plan, &limited, &mut |_| {}).await.unwrap();
    assert_eq!((first.assigned, first.outcome), (100, RunOutcome::LimitReached));
    let report = run(&database, &tenancy, &plan, &fast(), &mut |_| {}).await.unwrap();
    assert_eq!((report.run, report.resumed, report.assigned), (first.run, true, 267));
    let undone = undo_with(&db, &tenancy, report.run.unwrap(), false).await.unwrap();
    assert_eq!(undone.undone, 267);
    let left = number(&mut db.superuser().await, r#"SELECT count(*) FROM notes WHERE "tenantId" IS NULL"#).await;
    assert_eq!(left, 267);
}

#[tokio::test]
async fn rows_that_are_meant_to_have_no_tenant_are_given_to_nobody() {
    let (db, tenancy) = shop().await;
    let database = connect(&db, Role::Owner).await;
    let refused = counted(&database, &tenancy, "settings").await.unwrap_err();
    assert!(refused.to_string().contains("are meant"), "{refused}");
}

#[tokio::test]
async fn under_strict_force_the_maintenance_role_gives_rows_without_a_tenant_and_refuses_those_that_name_one() {
    let (db, tenancy) = shop().await;
    protect_tables(&db, &["orders", "customers", "notes"], STRICT, true).await;
    let report = rest(&db, &tenancy, "notes", false).await.unwrap();
    assert_eq!((report.role.as_str(), report.assigned), ("tenant_maintenance", 267));
    let refused = rest(&db, &tenancy, "orders", false).await.unwrap_err();
    assert!(matches!(refused, Error::Filtered { .. }), "{refused}");
    assert_eq!(refused.exit(), Exit::Refused);
    assert!(refused.hint().unwrap().contains("rls rollback --to prepare --tables public.orders"));
    assert_eq!(orders(&db).await, "NULL NULL NULL NULL gone gone  t_b", "nothing was written");
}

#[tokio::test]
async fn the_login_of_the_application_cannot_give_away_rows_that_are_hidden_from_it() {
    let (db, tenancy) = shop().await;
    script(&mut db.owner().await, "GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO app_user").await;
    protect_tables(&db, &["orders", "customers"], BRIDGE, false).await;
    let database = connect(&db, Role::AppUser).await;
    let refused = counted(&database, &tenancy, "orders").await.unwrap_err();
    assert!(matches!(refused, Error::Database(tenant_rls::Error::CannotSee(_))), "{refused}");
}

#[tokio::test]
async fn a_tenant_is_made_on_request_with_what_tenancy_toml_says_and_never_by_guesses() {
    let (db, tenancy) = shop().await;
    let database = connect(&db, Role::Owner).await;
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    let RestTenant::Missing { name, closest } = RestTenant::find(&database, &tenancy, "archiv").await.unwrap() else {
        panic!()
    };
    assert_eq!((name.as_str(), closest.as_deref()), ("archiv", Some("archive")));
    let odd = "odd's \"name\"";
    let made = NewTenant::prepare(&database, &tenancy, &catalog, odd).await.unwrap();
    let tenant = made.create(&database, &tenancy).await.unwrap();
    assert_eq!((tenant.slug.as_str(), tenant.name.as_str(), tenant.active), (odd, odd, true));
    assert!(tenant.id.as_str().starts_with('c'), "{}", tenant.id);

    script(
        &mut db.owner().await,
        r#"ALTER TABLE "Tenant" ADD plan text DEFAULT 'free' NOT NULL, ADD region text;
        UPDATE "Tenant" SET region = 'eu'; ALTER TABLE "Tenant" ALTER region SET NOT NULL"#,
    )
    .await;
    let refused = NewTenant::prepare(&database, &tenancy, &catalog, "it's").await.unwrap_err();
    assert_eq!(refused.to_string(), "a tenant cannot be created in public.Tenant: nobody said what goes into region");
    assert_eq!(refused.exit(), Exit::Usage);
    let hint = refused.hint().unwrap().to_string();
    assert!(hint.contains(r#"INSERT INTO "public"."Tenant" ("slug", "name", "#) && hint.contains("'it''s'"), "{hint}");
}

#[tokio::test]
async fn a_table_without_a_source_is_reviewed_row_by_row() {
    let (db, tenancy) = shop().await;
    let database = connect(&db, Role::Owner).await;
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    let plan = BackfillPlan::for_review(&catalog, &tenancy, "notes").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let review = folder.path().join("review.csv");
    let options = backfill_engine::BackfillOptions { review: Some(review.clone()), ..fast() };
    let report = run(&database, &tenancy, &plan, &options, &mut |_| {}).await.unwrap();
    assert_eq!((report.unresolved, report.assigned, report.remaining), (267, 0, 267));
    let text = std::fs::read_to_string(&review).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next().unwrap(), "table,id,reason,decision,fingerprint");
    assert!(lines.next().unwrap().starts_with("public.notes,1,unresolved,,v1-"), "{text}");
    let decided = text.replacen("unresolved,,", "unresolved,acme,", 1);
    std::fs::write(&review, decided).unwrap();
    let checked = backfill_engine::CheckedReview::check(&review).unwrap();
    let apply = backfill_engine::Apply {
        database: &database,
        tenancy: &tenancy,
        review: &checked,
        refused: None,
        dry_run: false,
        holder: "a test",
    };
    let (_go, stop) = tokio::sync::watch::channel(false);
    let applied = apply.run(stop, &mut |_| {}).await.unwrap();
    assert_eq!((applied.applied, applied.refused), (1, 0), "{applied:?}");
    let report = TablesReport::of(&database, &tenancy, &catalog, (vec![report], Vec::new()), true).await.unwrap();
    assert!(report.not_run.iter().all(|table| table.table.name().as_str() != "notes"), "its rows were listed");
}

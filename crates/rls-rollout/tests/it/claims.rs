//! Applications whose tenant stands in a claim of the JSON that a session has: policies, defaults and scopes, as an ordinary login.

use local_db::Role;
use rls_rollout::{RolloutOptions, Stop, rollback, status};
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{Phase, PolicyReading};
use tenant_rls::{PolicyForm, Registry, Sql, TenantInsert, TenantRow, TenantTx};
use test_support::TestDb;
use tokio::sync::watch;

use crate::support::{all_the_way_back, auto, catalog, connect, roll_with, session, small, tables_of, to};

const VARIABLE: &str = "request.jwt.claims";
const NESTED: [&str; 2] = ["app_metadata", "tenant_id"];

fn with_claim(tables: &str, claim: &[&str]) -> Tenancy {
    let mut tenancy = tables_of(tables);
    tenancy.session.variable = VARIABLE.to_owned();
    tenancy.session.claim = claim.iter().map(|name| (*name).to_owned()).collect();
    tenancy
}

/// Tables of every form, whose tenants have keys of this type, with a row of each of two tenants, and of nobody where that is declared.
fn tables(key: &str, one: &str, two: &str) -> String {
    format!(
        r#"CREATE TABLE "Tenant" (id {key} PRIMARY KEY); INSERT INTO "Tenant" VALUES ('{one}'), ('{two}');
           CREATE TABLE items (id int PRIMARY KEY, "tenantId" {key} REFERENCES "Tenant");
           CREATE TABLE lines (id int PRIMARY KEY, item int NOT NULL REFERENCES items);
           CREATE TABLE templates (id int PRIMARY KEY, "tenantId" {key} REFERENCES "Tenant");
           CREATE TABLE log (id int PRIMARY KEY, "tenantId" {key} REFERENCES "Tenant");
           INSERT INTO items VALUES (1, '{one}'), (2, '{two}'); INSERT INTO lines VALUES (1, 1), (2, 2);
           INSERT INTO templates VALUES (1, '{one}'), (2, '{two}'), (3, NULL);
           INSERT INTO log VALUES (1, '{one}'), (2, '{two}'), (3, NULL);
           GRANT SELECT, INSERT, UPDATE, DELETE ON items, lines, templates, log TO app_user; GRANT SELECT ON "Tenant" TO app_user"#
    )
}

const DECLARED: &str = "[tables.templates]\nshared_rows = \"for all\"\n[tables.log]\nplatform_rows = true\n\
                        [tables.lines]\nthrough = { column = \"item\", table = \"items\" }\n";

/// Takes everything back, as this tenancy.
async fn back(db: &TestDb, tenancy: &Tenancy) {
    let (_go, stop) = watch::channel(false);
    let database = connect(db, Role::Owner).await;
    rollback(&database, tenancy, &all_the_way_back(), "a test", stop, &mut |_| ()).await.unwrap();
    database.close().await;
}

/// What a query gives the application in a session that has this document.
async fn ask(db: &TestDb, document: &str, sql: &'static str) -> Result<i64, String> {
    let mut app = session(db, Role::AppUser).await;
    let set = sqlx::query("SELECT set_config($1, $2, false)").bind(VARIABLE).bind(document);
    set.execute(app.connection()).await.unwrap();
    let answer = sqlx::query_scalar(sql).fetch_one(app.connection()).await.map_err(|error| error.to_string());
    app.close().await;
    answer
}

#[tokio::test]
async fn our_policies_are_recognised_as_the_server_prints_them_for_each_type_form_and_path() {
    let uuid = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002");
    for (key, (one, two), claim) in [
        ("text", ("t1", "t2"), &["tenant_id"][..]),
        ("varchar(30)", ("t1", "t2"), &NESTED[..]),
        ("uuid", uuid, &["https://x.io/claims", "it's \\ \"it\"", "id"]),
        ("integer", ("1", "2"), &["-1"]),
        ("bigint", ("1", "2"), &NESTED),
    ] {
        let (db, tenancy) = (small(&tables(key, one, two)).await, with_claim(DECLARED, claim));
        let untouched = catalog(&db).await;
        let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
        assert!(report.is_complete(), "{key}: {report:#?}");
        let again = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
        assert!(again.tables.iter().all(|table| table.steps == 0), "{key}: {again:#?}");
        let state = status(&connect(&db, Role::Owner).await, &tenancy, None).await.unwrap();
        let form = |name: &str| state.tables.iter().find(|table| table.table.name().as_str() == name).unwrap().policy;
        let forms = ["items", "lines", "templates", "log"].map(form);
        let strict = Some(PolicyForm::Strict);
        assert_eq!(forms, [strict, strict, Some(PolicyForm::StrictWrites), Some(PolicyForm::Platform)], "{key}");
        let document = tenant_rls::SessionSetting::of(&tenancy).value(one);
        for (count, own) in [
            ("SELECT count(*) FROM items", 1),
            ("SELECT count(*) FROM lines", 1),
            ("SELECT count(*) FROM templates", 2),
            ("SELECT count(*) FROM log", 1),
            ("WITH w AS (INSERT INTO items VALUES (9) RETURNING 1) SELECT count(*) FROM w", 1),
        ] {
            assert_eq!(ask(&db, &document, count).await, Ok(own), "{key}: {count}");
        }
        assert_eq!(ask(&db, "", "SELECT count(*) FROM log").await, Ok(1), "{key}: the platform's");
        session(&db, Role::Superuser).await.run_script("repairing", "DELETE FROM items WHERE id = 9").await.unwrap();
        back(&db, &tenancy).await;
        assert_eq!(catalog(&db).await, untouched, "{key}");
    }
}

#[tokio::test]
async fn a_document_shows_the_rows_of_the_tenant_in_its_claim_and_of_nobody_else() {
    let (db, tenancy) = (small(&tables("text", "t1", "t2")).await, with_claim(DECLARED, &NESTED));
    assert!(roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap().is_complete());
    const SEEN: &str = "SELECT coalesce(sum(id), 0)::bigint FROM items";
    for (document, seen) in [
        (r#"{"app_metadata": {"tenant_id": "t1"}}"#, 1),
        (r#"{"tenant_id": "t2", "app_metadata": {"tenant_id": "t1"}}"#, 1),
        // As every cast to jsonb has it, the last of two counts, and one tenant only.
        (r#"{"app_metadata": {"tenant_id": "t1", "tenant_id": "t2"}}"#, 2),
        (r#"{"app_metadata": {"tenant_id": "t1"}, "app_metadata": {"tenant_id": "t2"}}"#, 2),
        (r#"{"app_metadata": {"tenant_id": "t1"}, "app_metadata": {}}"#, 0),
        (r#"{"app_metadata": {"tenant_id": ""}}"#, 0),
        (r#"{"app_metadata": {"tenant_id": null}}"#, 0),
        (r#"{"app_metadata": {"tenant_id": ["t1"]}}"#, 0),
        (r#"{"app_metadata": {"tenant_id": {"tenant_id": "t1"}}}"#, 0),
        (r#"{"app_metadata": {"Tenant_id": "t1"}}"#, 0),
        (r#"{"app_metadata": {"tenant_id": "t1' OR true"}}"#, 0),
        (r#"{"app_metadata": [{"tenant_id": "t1"}]}"#, 0),
        (r#"{"app_metadata": "t1"}"#, 0),
        (r#"{"tenant_id": "t1", "sub": "t1"}"#, 0),
        (r#"[{"app_metadata": {"tenant_id": "t1"}}]"#, 0),
        ("{}", 0),
        ("null", 0),
        ("\"t1\"", 0),
        ("", 0),
    ] {
        assert_eq!(ask(&db, document, SEEN).await, Ok(seen), "{document}");
    }
    for document in ["t1", "{", "{\"app_metadata\": {\"tenant_id\": \"t1\"}"] {
        let refused = ask(&db, document, SEEN).await.unwrap_err();
        assert!(refused.contains("invalid input syntax for type json"), "{document}: {refused}");
    }
    let to_two = r#"WITH w AS (INSERT INTO items VALUES (9, 't2') RETURNING 1) SELECT count(*) FROM w"#;
    let refused = ask(&db, r#"{"app_metadata": {"tenant_id": "t1"}}"#, to_two).await.unwrap_err();
    assert!(refused.contains("row-level security"), "{refused}");
}

#[tokio::test]
async fn our_scopes_set_the_document_and_leave_nothing_behind() {
    let made = tables("text", "t1", r#"t","x"#)
        + r#"; ALTER TABLE items ADD UNIQUE ("tenantId"); DELETE FROM lines; DELETE FROM items"#;
    let (db, tenancy) = (small(&made).await, with_claim(DECLARED, &NESTED));
    let mut named = tenancy.clone();
    (named.tenant.slug, named.tenant.name, named.tenant.status) = ("id".to_owned(), "id".to_owned(), None);
    assert!(roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap().is_complete());
    let app = connect(&db, Role::AppUser).await;
    let mut registry = Registry::open(&app, &named).await.unwrap();
    let (one, two) = (registry.find("t1").await.unwrap().id, registry.find(r#"t","x"#).await.unwrap().id);
    registry.close().await.unwrap();
    let ident = |name: &str| Ident::new(name).unwrap();
    let row = TenantRow {
        table: TableName::parse("items", "public").unwrap(),
        tenant: ident("tenantId"),
        given: vec![ident("id")],
        generated: Vec::new(),
    };
    let insert = TenantInsert::new(&app, &tenancy, &[row]);
    for (tenant, id) in [(&one, 1), (&two, 2)] {
        let values = serde_json::json!({ "public.items": { "id": id } });
        assert_eq!(insert.run(tenant, &values).await.unwrap(), [true]);
        let mut tx = TenantTx::begin(&app, &tenancy, tenant).await.unwrap();
        let seen: Vec<i32> = sqlx::query_scalar(Sql::from_static("SELECT id FROM public.items"))
            .fetch_all(tx.connection())
            .await
            .unwrap();
        assert_eq!(seen, [id]);
        tx.commit().await.unwrap();
    }
    let mut tx = TenantTx::begin(&app, &tenancy, &one).await.unwrap();
    sqlx::query("SELECT pg_catalog.set_config('request.jwt.claims', '{}', true)")
        .execute(tx.connection())
        .await
        .unwrap();
    assert!(matches!(tx.commit().await, Err(tenant_rls::Error::ScopeLeft { .. })));
}

/// A table behind these policies, whose rows have a tenant.
async fn behind(policies: &str) -> TestDb {
    small(&format!(
        r#"{}; CREATE FUNCTION my_tenants() RETURNS text[] LANGUAGE sql STABLE AS $$ SELECT ARRAY['t1'] $$;
           ALTER TABLE items ENABLE ROW LEVEL SECURITY; {policies}"#,
        tables("text", "t1", "t2")
    ))
    .await
}

const OWN: &str = r#"CREATE POLICY own ON items USING ("tenantId" = (current_setting('request.jwt.claims', true)::jsonb #>> '{app_metadata,tenant_id}'))"#;

#[tokio::test]
async fn a_policy_that_reads_the_same_claim_is_taken_over_and_one_that_reads_another_stops_its_table() {
    let db = behind(OWN).await;
    let untouched = catalog(&db).await;
    let adopt = RolloutOptions { adopt: true, ..auto() };
    let report = roll_with(&db, &with_claim(DECLARED, &NESTED), &adopt, &mut |_| ()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(ask(&db, r#"{"app_metadata": {"tenant_id": "t2"}}"#, "SELECT max(id)::bigint FROM items").await, Ok(2));
    back(&db, &with_claim(DECLARED, &NESTED)).await;
    assert_eq!(catalog(&db).await, untouched);

    for claim in [&["tenant_id"][..], &[]] {
        let report = roll_with(&db, &with_claim(DECLARED, claim), &adopt, &mut |_| ()).await.unwrap();
        let items = report.tables.iter().find(|table| table.table.name().as_str() == "items").unwrap();
        let [Stop::OtherVariable { variable, .. }] = items.stopped_by.as_slice() else { panic!("{items:#?}") };
        assert_eq!(variable, "the claim app_metadata.tenant_id of request.jwt.claims");
        back(&db, &with_claim(DECLARED, claim)).await;
    }
}

#[tokio::test]
async fn a_policy_that_asks_who_the_user_is_stops_its_table_until_it_is_declared_and_stays_then() {
    let policy = r#"CREATE POLICY members ON items FOR SELECT USING ("tenantId" = ANY (my_tenants()))"#;
    let db = behind(policy).await;
    let options = RolloutOptions { adopt: true, ..to(Phase::Prepare) };
    let report = roll_with(&db, &tables_of(""), &options, &mut |_| ()).await.unwrap();
    let items = report.tables.iter().find(|table| table.table.name().as_str() == "items").unwrap();
    let [Stop::ByUser { policy, reading, .. }] = items.stopped_by.as_slice() else { panic!("{items:#?}") };
    let PolicyReading::AnyOf { function: Some(function) } = reading else { panic!("{reading:?}") };
    assert_eq!((policy.as_str(), function.contains("my_tenants")), ("members", true));
    let declared = "[tables.items]\nallow_policies = { members = \"a user reads the tenants that they belong to\" }\n";
    let report = roll_with(&db, &tables_of(declared), &options, &mut |_| ()).await.unwrap();
    let items = report.tables.iter().find(|table| table.table.name().as_str() == "items").unwrap();
    assert_eq!((items.after, items.stopped_by.len()), (Phase::Prepare, 0), "{items:#?}");
    assert!(catalog(&db).await.iter().any(|line| line.contains("policy members")), "what is declared stays");
}

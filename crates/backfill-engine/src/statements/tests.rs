//! What the server gets: the statements of five plans, as they are composed, in `snapshots/`. The server explains each of them.

use local_db::Role;
use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;
use tenancy_config::Tenancy;
use tenant_inventory::Catalog;
use tenant_rls::{ConnectOptions, Database, DirectConnection, Sql, Template};

use crate::options::OnConflict;
use crate::plan::BackfillPlan;
use crate::statements::batch::BatchFragments;
use crate::statements::decisions::{decide, judge};
use crate::statements::resolution::Resolution;
use crate::statements::{LeafStatements, Statements};

const TABLES: &str = r#"
    CREATE TABLE "Tenant" (id text PRIMARY KEY);
    CREATE TABLE customer (id text PRIMARY KEY, "tenantId" text);
    CREATE TABLE membership (id text PRIMARY KEY, person text, "tenantId" text);
    CREATE TABLE visit (id text PRIMARY KEY, person text, room text, "tenantId" text);
    CREATE TABLE booking (id text PRIMARY KEY, "customerId" text, "tenantId" text);
    CREATE TABLE message (id text PRIMARY KEY, author text, "tenantId" text);
    CREATE TABLE remark (id text PRIMARY KEY, author text, room text, "tenantId" text);
    CREATE TABLE project (id uuid PRIMARY KEY, "tenantId" text);
    CREATE TABLE event (id text PRIMARY KEY, kind text, subject varchar(60), "tenantId" text);
    CREATE TABLE line ("bookingId" text, number int, "customerId" text, "tenantId" text, PRIMARY KEY ("bookingId", number))"#;

const RULES: &str = r#"
    [tenant]
    table = "Tenant"

    [tables.booking]
    sources = [{ name = "customer", column = "customerId", table = "customer" }]

    [tables.message]
    sources = [{ name = "membership", column = "author", table = "membership", key = "person", all = true }]

    [tables.remark]
    sources = [{ name = "membership", column = "author", table = "membership", key = "person", all = true }]
    tie_breakers = [{ name = "visit", table = "visit", equal = { author = "person", room = "room" } }]

    [tables.event]
    sources = [{ name = "project", column = "subject", table = "project", when = { kind = "Project" } }]

    [tables.line]
    sources = [{ name = "customer", column = "customerId", table = "customer" }]"#;

/// The plans by what is special about them, each with its table.
const PLANS: [(&str, &str); 5] = [
    ("one_source", "booking"),
    ("source_of_several_tenants", "message"),
    ("tie_breaker", "remark"),
    ("composite_key", "line"),
    ("other_type", "event"),
];

#[tokio::test]
async fn composed_statements_are_as_in_their_snapshots_and_the_server_explains_them() {
    let db = test_support::empty_database().await;
    let mut owner = db.owner().await;
    owner.run_script("preparing a test", TABLES).await.unwrap();
    let database = Database::connect(&db.url(Role::Owner), &ConnectOptions::default()).await.unwrap();
    let tenancy = Tenancy::from_toml(RULES, "tenancy.toml".as_ref()).unwrap();
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    for (name, table) in PLANS {
        let plan = BackfillPlan::new(&catalog, &tenancy, table).unwrap();
        let statements = Statements::new(&plan, OnConflict::Report).unwrap();
        let [LeafStatements { leaf, .. }] = statements.leaves.as_slice() else { panic!("{table} has one leaf") };
        let resolution = Resolution::of(&plan).unwrap();
        let batch = BatchFragments::leaving_out(&plan, &resolution, OnConflict::Report, &[], leaf);

        owner.run_script("explaining a batch", in_a_batch(&batch)).await.unwrap();
        explain(&mut owner, &statements.survey, PgArguments::default()).await;
        explain(&mut owner, &statements.review, PgArguments::default()).await;
        let judge = judge(&plan).unwrap();
        explain(&mut owner, &judge, arguments([Value::List, Value::List, Value::List])).await;
        explain(&mut owner, &decide(&plan), arguments([Value::List, Value::One])).await;

        compare(name, "batch", &[&batch.resolve, &batch.assign]);
        compare(name, "survey", &[&statements.survey]);
        compare(name, "review", &[&statements.review]);
        compare(name, "judge", &[&judge]);
    }
    database.close().await;
}

#[tokio::test]
async fn a_value_of_another_type_is_found_by_the_index_of_the_key() {
    let db = test_support::empty_database().await;
    let mut owner = db.owner().await;
    owner.run_script("preparing a test", TABLES).await.unwrap();
    let many = r#"INSERT INTO project SELECT pg_catalog.gen_random_uuid(), 't' FROM generate_series(1, 20000);
        INSERT INTO event SELECT p.id::text, 'Project', p.id::text, NULL FROM project AS p LIMIT 20;
        ANALYZE project; ANALYZE event"#;
    owner.run_script("preparing a test", many).await.unwrap();
    let database = Database::connect(&db.url(Role::Owner), &ConnectOptions::default()).await.unwrap();
    let tenancy = Tenancy::from_toml(RULES, "tenancy.toml".as_ref()).unwrap();
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    let plan = BackfillPlan::new(&catalog, &tenancy, "event").unwrap();
    let survey = Statements::new(&plan, OnConflict::Report).unwrap().survey;
    let lines = explain(&mut owner, &survey, PgArguments::default()).await.join("\n");
    assert!(lines.contains("Index Scan using project_pkey"), "{lines}");
    database.close().await;
}

/// The parameters of statements over what people decided.
enum Value {
    List,
    One,
}

fn arguments(values: impl IntoIterator<Item = Value>) -> PgArguments {
    let mut arguments = PgArguments::default();
    for value in values {
        let added = match value {
            Value::List => arguments.add(vec!["1".to_owned()]),
            Value::One => arguments.add("1"),
        };
        added.unwrap();
    }
    arguments
}

/// Has the server accept and plan a statement, which it does not run.
async fn explain(session: &mut DirectConnection, statement: &Sql, arguments: PgArguments) -> Vec<String> {
    let explain = Template::new("EXPLAIN :statement").fragment("statement", statement.clone()).build();
    let plan: Result<Vec<String>, _> =
        sqlx::query_scalar_with(&explain, arguments).fetch_all(session.connection()).await;
    match plan {
        Ok(plan) => {
            assert!(!plan.is_empty());
            plan
        }
        Err(error) => panic!("{error}: {}", statement.as_str()),
    }
}

/// A block that has the variables of a batch and explains what runs between them.
const BATCH: &str = "
    #variable_conflict use_column
    <<batch>>
    DECLARE
        from_tid tid := '(0,0)';
        until_tid tid := '(100,0)';
        row_limit bigint := 1000;
        of_tenant record;
        line text;
    BEGIN
        SELECT 'a'::text AS tenant, ARRAY['(0,1)'::tid] AS tids INTO of_tenant;
        FOR line IN EXPLAIN :resolve LOOP
        END LOOP;
        FOR line IN EXPLAIN :assign LOOP
        END LOOP;
    END";

fn in_a_batch(batch: &BatchFragments) -> Sql {
    let body = Template::new(BATCH)
        .fragment("resolve", batch.resolve.clone())
        .fragment("assign", batch.assign.clone())
        .build();
    Template::new("DO :'body'").literal("body", body.as_str()).build()
}

/// Compares statements with their snapshot, which leaves the comments to the files in `sql/`.
fn compare(plan: &str, name: &str, statements: &[&Sql]) {
    let code = |line: &str| line.split("--").next().unwrap_or_default().trim_end().to_owned();
    let text = |sql: &&Sql| {
        let lines: Vec<String> = sql.as_str().lines().map(code).filter(|line| !line.is_empty()).collect();
        lines.join("\n")
    };
    let text: Vec<String> = statements.iter().map(text).collect();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("{plan}_{name}"), text.join(";\n\n"));
    });
}

//! Tenant columns that a rollout adds to tables whose rows depend on others.

use local_db::Role;
use rls_rollout::{
    Error, RollbackOptions, RolloutEvent, RolloutOptions, RolloutReport, Stop, TableOutcome, plan, rollback, rollout,
};
use tenancy_config::{TableName, Tenancy, UserError};
use tenant_inventory::class::Unhandled;
use tenant_inventory::{AskedColumn, AskedColumns, CannotAdd, NoParentKey, NoTenantColumn, Phase, adding_columns};
use tenant_rls::Sql;
use test_support::TestDb;
use tokio::sync::watch;

use crate::support::{
    after, all_the_way_back, as_superuser, as_tenant, auto, catalog, connect, roll_with, session, small, tables_of, to,
};

const MADE: &str = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1'), ('t2');
    CREATE TABLE invoices (id int PRIMARY KEY, "tenantId" text);
    INSERT INTO invoices SELECT n, 't' || (n % 2 + 1) FROM generate_series(1, 100) AS n;
    CREATE TABLE items (id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoices ON DELETE CASCADE);
    INSERT INTO items SELECT n, n % 100 + 1 FROM generate_series(1, 2000) AS n;
    CREATE TABLE lines (id int PRIMARY KEY, item_id int REFERENCES items ON DELETE SET NULL);
    INSERT INTO lines SELECT n, n % 2000 + 1 FROM generate_series(1, 3000) AS n;
    GRANT SELECT, INSERT, UPDATE, DELETE ON invoices, items, lines TO app_user; ANALYZE;"#;

const ITEMS: &str = "[tables.items]\nadd_column = { through = \"invoice_id\", table = \"invoices\" }\n";

const LINES: &str = "[tables.lines]\nadd_column = { through = \"item_id\", table = \"items\" }\n";

fn declared(tables: &str) -> Tenancy {
    tables_of(tables)
}

fn outcome<'a>(report: &'a RolloutReport, table: &str) -> &'a TableOutcome {
    report.tables.iter().find(|found| found.table.name().as_str() == table).unwrap_or_else(|| panic!("{report:#?}"))
}

async fn take_back(
    db: &TestDb,
    tenancy: &Tenancy,
    options: &RollbackOptions,
) -> Result<rls_rollout::RollbackReport, Error> {
    let (_go, stop) = watch::channel(false);
    rollback(&connect(db, Role::Owner).await, tenancy, options, "a test", stop, &mut |_| ()).await
}

async fn number(db: &TestDb, sql: &'static str) -> i64 {
    let mut superuser = session(db, Role::Superuser).await;
    let number = sqlx::query_scalar(sql).fetch_one(superuser.connection()).await.unwrap();
    superuser.close().await;
    number
}

/// The SQLSTATE with which the server refuses a statement.
async fn refused(db: &TestDb, sql: &'static str) -> String {
    let mut superuser = session(db, Role::Superuser).await;
    let error = sqlx::query(sql).execute(superuser.connection()).await.unwrap_err();
    superuser.close().await;
    error.as_database_error().unwrap().code().unwrap().into_owned()
}

#[tokio::test]
async fn a_chain_of_tables_gets_columns_goes_to_enforce_and_is_taken_back_exactly() {
    let db = small(MADE).await;
    let tenancy = declared(&format!("{ITEMS}{LINES}"));
    let before = catalog(&db).await;
    let planned = plan(&connect(&db, Role::Owner).await, &tenancy, &auto()).await.unwrap();
    let script = planned.script();
    let position = |text: &str| script.find(text).unwrap_or_else(|| panic!("no `{text}` in {script}"));
    assert!(position("model items: `tenantId String` is added") < position("ADD COLUMN"), "{script}");
    assert!(
        position("ALTER TABLE \"public\".\"items\" ADD COLUMN")
            < position("ALTER TABLE \"public\".\"lines\" ADD COLUMN")
    );
    assert!(position("CREATE UNIQUE INDEX CONCURRENTLY \"invoices_tenantId_id_key\"") < position("ADD COLUMN"));
    assert!(position("UPDATE \"public\".\"items\"") < position("UPDATE \"public\".\"lines\""));
    assert_eq!(catalog(&db).await, before, "a plan changes nothing");

    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert!(report.tables.iter().all(|table| table.after == Phase::Enforce), "{report:#?}");
    assert!(report.is_complete(), "{report:#?}");
    let filled = outcome(&report, "items").filled.clone().unwrap();
    assert_eq!((filled.rows, filled.remaining), (2000, 0));
    let wrong = "SELECT count(*) FROM items JOIN invoices ON invoices.id = invoice_id
                 WHERE items.\"tenantId\" IS DISTINCT FROM invoices.\"tenantId\"";
    assert_eq!(number(&db, wrong).await, 0);
    assert_eq!(as_tenant(&db, "t1", "SELECT count(*) FROM items").await, 1000);
    assert_eq!(as_tenant(&db, "t1", "SELECT count(*) FROM lines").await, 1500);
    let again = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert!(again.tables.iter().all(|table| table.steps == 0 && table.filled.is_none()), "{again:#?}");

    // The key keeps rows in one tenant, and does what the application's own key does.
    assert_eq!(refused(&db, "UPDATE invoices SET \"tenantId\" = 't2' WHERE id = 2").await, "23503");
    assert_eq!(refused(&db, "UPDATE items SET \"tenantId\" = 't2' WHERE \"tenantId\" = 't1'").await, "23503");
    as_superuser(&db, "DELETE FROM invoices WHERE id = 2").await;
    assert_eq!(number(&db, "SELECT count(*) FROM items WHERE invoice_id = 2").await, 0);
    assert_eq!(number(&db, "SELECT count(*) FROM lines WHERE \"tenantId\" IS NULL").await, 0);

    as_superuser(&db, "UPDATE lines SET item_id = (SELECT min(id) FROM items WHERE items.\"tenantId\" = lines.\"tenantId\") WHERE item_id IS NULL").await;
    let done = take_back(&db, &tenancy, &all_the_way_back()).await.unwrap();
    let dropped = done.tables.iter().filter(|table| table.dropped_column.as_deref() == Some("tenantId"));
    assert_eq!(dropped.count(), 2, "{done:#?}");
    assert_eq!(catalog(&db).await, before);
}

#[tokio::test]
async fn a_table_is_added_beside_forced_ones_and_taken_back_alone() {
    let db = small(MADE).await;
    let first = declared("");
    roll_with(&db, &first, &auto(), &mut |_| ()).await.unwrap();
    let before = catalog(&db).await;
    let tenancy = declared(ITEMS);
    // Of the other table's rows the tenant is proven, also where that table is not rolled out.
    for tables in [vec![], vec!["items".to_owned()]] {
        let options = RolloutOptions { tables, ..auto() };
        let planned = plan(&connect(&db, Role::Owner).await, &tenancy, &options).await.unwrap();
        let items = planned.tables.iter().find(|table| table.table.name().as_str() == "items").unwrap();
        assert_eq!(items.foreign_key, None);
        assert!(!planned.script().contains("REFERENCES \"public\".\"Tenant\""), "{}", planned.script());
    }
    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert_eq!(after(&report, "items"), Phase::Enforce, "{report:#?}");
    assert_eq!(number(&db, "SELECT count(*) FROM items WHERE \"tenantId\" IS NOT NULL").await, 2000);
    let proven =
        "SELECT count(*) FROM pg_constraint WHERE conrelid = 'items'::regclass AND contype = 'f' AND convalidated";
    // The application's key, and the one of both columns, which proves that the tenant exists: it needs none of its own.
    assert_eq!(number(&db, proven).await, 2);
    let alone = RollbackOptions {
        tables: vec!["items".into(), "invoices".into()],
        rollout: report.rollout,
        ..all_the_way_back()
    };
    take_back(&db, &tenancy, &alone).await.unwrap();
    assert_eq!(catalog(&db).await, before);
}

#[tokio::test]
async fn rows_of_a_parent_without_a_tenant_stop_it_until_that_has_one() {
    let db = small(MADE).await;
    let tenancy = declared(ITEMS);
    as_superuser(&db, "UPDATE invoices SET \"tenantId\" = NULL WHERE id <= 2").await;
    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    let items = outcome(&report, "items");
    assert!(matches!(items.stopped_by.as_slice(), [Stop::RowsWithoutTenant { rows: 40 }]), "{items:#?}");
    assert_eq!(items.filled.as_ref().map(|filled| (filled.rows, filled.remaining)), Some((1960, 40)));
    as_superuser(&db, "UPDATE invoices SET \"tenantId\" = 't1' WHERE id <= 2").await;
    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert!(report.tables.iter().all(|table| table.after == Phase::Enforce), "{report:#?}");
    assert_eq!(outcome(&report, "items").filled.as_ref().map(|filled| filled.rows), Some(40));
}

#[tokio::test]
async fn a_rollout_that_was_stopped_goes_on_where_it_ended() {
    for after_step in ["index each row with its tenant", "add the tenant column", "together with its tenant"] {
        let db = small(MADE).await;
        let tenancy = declared(ITEMS);
        let before = catalog(&db).await;
        let (go, stop) = watch::channel(false);
        let owner = connect(&db, Role::Owner).await;
        let mut halt = |event: RolloutEvent| {
            if let RolloutEvent::Step { step, .. } = event
                && step.contains(after_step)
            {
                go.send_replace(true);
            }
        };
        let stopped = rollout(&owner, &tenancy, &auto(), "a test", stop, &mut halt).await.unwrap();
        assert!(stopped.stopped, "{after_step}: {stopped:#?}");
        let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
        assert_eq!(after(&report, "items"), Phase::Enforce, "{after_step}: {report:#?}");
        take_back(&db, &tenancy, &all_the_way_back()).await.unwrap();
        assert_eq!(catalog(&db).await, before, "{after_step}");
    }
}

async fn asked(db: &TestDb, tenancy: &Tenancy, tables: &[(&str, Option<&str>)]) -> Result<Tenancy, CannotAdd> {
    let tables = tables.iter();
    let tables =
        tables.map(|(table, through)| AskedColumn { table: (*table).into(), through: through.map(str::to_owned) });
    let asked = AskedColumns { tables: tables.collect(), ..AskedColumns::default() };
    let owner = connect(db, Role::Owner).await;
    adding_columns(&owner, tenancy, &asked).await.unwrap().map(|adding| adding.tenancy).map_err(|(_, why)| why)
}

#[tokio::test]
async fn who_asks_for_a_column_is_told_which_ways_there_are() {
    let db = small(MADE).await;
    as_superuser(
        &db,
        "CREATE TABLE orders (id int PRIMARY KEY, \"tenantId\" text);
        CREATE TABLE either (id int PRIMARY KEY, invoice_id int REFERENCES invoices, order_id int REFERENCES orders);
        CREATE TABLE alone (id int PRIMARY KEY); CREATE TABLE theirs (id int, invoice_id int REFERENCES invoices);
        CREATE ROLE added_stranger; ALTER TABLE theirs OWNER TO added_stranger",
    )
    .await;
    let tenancy = declared("");
    let of = |table: &'static str| {
        let (db, tenancy) = (&db, &tenancy);
        async move { asked(db, tenancy, &[(table, None)]).await }
    };
    let rule = |tenancy: Tenancy, table: &str| {
        let rule = tenancy.rules(&TableName::parse(table, "public").unwrap()).unwrap().add_column.clone().unwrap();
        (rule.through, rule.table, rule.key)
    };
    assert_eq!(rule(of("items").await.unwrap(), "items"), ("invoice_id".into(), "public.invoices".into(), "id".into()));
    let ways = vec![("invoice_id".into(), "public.invoices".into()), ("order_id".into(), "public.orders".into())];
    assert_eq!(of("either").await.unwrap_err(), CannotAdd::Several { ways });
    let one = asked(&db, &tenancy, &[("either", Some("order_id"))]).await.unwrap();
    assert_eq!(rule(one, "either").0, "order_id");
    // Each of its rows has an order, so the column follows that, and the other way is compared with it.
    as_superuser(&db, "ALTER TABLE either ALTER order_id SET NOT NULL").await;
    let chosen = of("either").await.unwrap();
    let either = TableName::parse("either", "public").unwrap();
    let sources: Vec<&str> =
        chosen.rules(&either).unwrap().sources.iter().map(|source| source.column.as_str()).collect();
    assert_eq!(sources, ["order_id", "invoice_id"]);
    assert_eq!(rule(chosen, "either").0, "order_id");
    assert_eq!(of("alone").await.unwrap_err(), CannotAdd::NoParent);
    let items = TableName::parse("items", "public").unwrap();
    assert_eq!(of("lines").await.unwrap_err(), CannotAdd::ParentHasNone { table: items });
    assert!(asked(&db, &tenancy, &[("lines", None), ("items", None)]).await.is_ok());
    assert_eq!(of("Tenant").await.unwrap_err(), CannotAdd::Table { cause: Box::new(NoTenantColumn::Registry) });
    let CannotAdd::Table { cause } = of("theirs").await.unwrap_err() else { panic!() };
    let NoTenantColumn::Unhandled { why: Unhandled::Stranger { owner, .. } } = *cause else { panic!("{cause}") };
    assert_eq!(owner, "added_stranger");
    as_superuser(&db, "DROP TABLE theirs; DROP ROLE added_stranger").await;

    let wrong = declared("[tables.items]\nadd_column = { through = \"id\", table = \"invoices\" }\n");
    let error = roll_with(&db, &wrong, &auto(), &mut |_| ()).await.unwrap_err();
    let Error::CannotAdd { why, .. } = &error else { panic!("{error}") };
    assert!(matches!(**why, CannotAdd::NoForeignKey { .. }), "{error}");
}

#[tokio::test]
async fn all_tables_get_their_columns_at_once_parents_first_and_who_has_several_ways_is_asked() {
    let db = small(MADE).await;
    as_superuser(
        &db,
        "CREATE TABLE either (id int PRIMARY KEY, invoice_id int REFERENCES invoices, item_id int REFERENCES items);
        CREATE TABLE below (id int PRIMARY KEY, either_id int REFERENCES either);
        CREATE TABLE threads (id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoices, last_post_id int);
        CREATE TABLE posts (id int PRIMARY KEY, thread_id int NOT NULL REFERENCES threads);
        ALTER TABLE threads ADD FOREIGN KEY (last_post_id) REFERENCES posts;
        INSERT INTO threads SELECT n, n, NULL FROM generate_series(1, 10) AS n; INSERT INTO posts SELECT n, n FROM generate_series(1, 10) AS n;
        UPDATE threads SET last_post_id = id; CREATE TABLE colours (id int PRIMARY KEY);
        ALTER TABLE either OWNER TO app_owner; ALTER TABLE below OWNER TO app_owner; ALTER TABLE threads OWNER TO app_owner;
        ALTER TABLE posts OWNER TO app_owner; GRANT SELECT ON posts TO app_user",
    )
    .await;
    let (tenancy, all) = (declared(""), RolloutOptions { add_all_columns: true, ..auto() });
    let before = catalog(&db).await;
    let planned = plan(&connect(&db, Role::Owner).await, &tenancy, &all).await.unwrap();
    let script = planned.script();
    let begins = ["-- No column: ", "--   [tables.", "--   add_column"];
    let said: Vec<&str> = script.lines().filter(|line| begins.iter().any(|begin| line.starts_with(begin))).collect();
    insta::assert_snapshot!("all_at_once", said.join("\n"));
    let position =
        |table: &str| script.find(&format!("\"{table}\" ADD COLUMN")).unwrap_or_else(|| panic!("{table}: {script}"));
    assert!(position("items") < position("lines") && position("threads") < position("posts"));
    for model in ["items", "lines", "threads", "posts"] {
        let edit = format!("model {model}: `tenantId String` is added");
        assert!(script.find(&edit).is_some_and(|at| at < position("items")), "{edit}: {script}");
    }

    // It is stopped before the columns are filled; the same command goes on.
    let (go, stop) = watch::channel(false);
    let mut halt = |event: RolloutEvent| {
        if let RolloutEvent::Filling { .. } = event {
            go.send_replace(true);
        }
    };
    let owner = connect(&db, Role::Owner).await;
    assert!(rollout(&owner, &tenancy, &all, "a test", stop, &mut halt).await.unwrap().stopped);
    let report = roll_with(&db, &tenancy, &all, &mut |_| ()).await.unwrap();
    assert!(report.tables.iter().all(|table| table.after == Phase::Enforce), "{report:#?}");
    let open: Vec<&str> = report.not_added.iter().map(|table| table.table.name().as_str()).collect();
    assert_eq!((open, report.is_complete()), (vec!["below", "either"], false));
    assert_eq!(as_tenant(&db, "t1", "SELECT count(*) FROM lines").await, 1500);
    assert_eq!(as_tenant(&db, "t1", "SELECT count(*) FROM posts").await, 5);
    // Once somebody says which way counts, the rest follows.
    let either = AskedColumn { table: "either".into(), through: Some("item_id".into()) };
    let report = roll_with(&db, &tenancy, &RolloutOptions { add_columns: vec![either], ..all }, &mut |_| ()).await;
    assert!(report.as_ref().unwrap().is_complete(), "{report:#?}");
    take_back(&db, &tenancy, &all_the_way_back()).await.unwrap();
    assert_eq!(catalog(&db).await, before);
}

#[tokio::test]
async fn a_way_over_rows_that_are_everybodys_yields_to_one_that_leads_to_a_tenant() {
    let db = small(MADE).await;
    as_superuser(
        &db,
        "CREATE TABLE labels (id int PRIMARY KEY, \"tenantId\" text); INSERT INTO labels VALUES (1, NULL), (2, 't1');
        CREATE TABLE labelled (label_id int NOT NULL REFERENCES labels, item_id int NOT NULL REFERENCES items, PRIMARY KEY (label_id, item_id));
        INSERT INTO labelled SELECT 1, n FROM generate_series(1, 10) AS n;
        CREATE TABLE hints (id int PRIMARY KEY, label_id int NOT NULL REFERENCES labels);
        ALTER TABLE labels OWNER TO app_owner; ALTER TABLE labelled OWNER TO app_owner; ALTER TABLE hints OWNER TO app_owner;
        GRANT SELECT ON labels, labelled, hints TO app_user",
    )
    .await;
    let tenancy = declared("[tables.labels]\nshared_rows = \"those that we ship\"\n");
    let all = RolloutOptions { add_all_columns: true, ..auto() };
    let report = roll_with(&db, &tenancy, &all, &mut |_| ()).await.unwrap();
    let left: Vec<(&str, bool)> = report
        .not_added
        .iter()
        .map(|table| (table.table.name().as_str(), matches!(table.why, CannotAdd::CommonRows { .. })))
        .collect();
    assert_eq!(left, [("hints", true)]);
    assert_eq!(outcome(&report, "labelled").after, Phase::Enforce, "{report:#?}");
    assert_eq!(as_tenant(&db, "t1", "SELECT count(*) FROM labelled").await, 5);
}

#[tokio::test]
async fn rows_whose_ways_lead_to_different_tenants_get_none_and_are_named() {
    let db = small(MADE).await;
    as_superuser(
        &db,
        "CREATE TABLE tags (id int PRIMARY KEY, \"tenantId\" text NOT NULL); INSERT INTO tags SELECT n, 't' || (n % 2 + 1) FROM generate_series(1, 10) AS n;
        CREATE TABLE tagged (tag_id int NOT NULL REFERENCES tags, invoice_id int NOT NULL REFERENCES invoices, PRIMARY KEY (tag_id, invoice_id));
        INSERT INTO tagged SELECT n, n FROM generate_series(1, 10) AS n; INSERT INTO tagged VALUES (1, 2);
        ALTER TABLE tags OWNER TO app_owner; ALTER TABLE tagged OWNER TO app_owner; GRANT SELECT ON tags, tagged TO app_user",
    )
    .await;
    let (tenancy, all) = (declared(""), RolloutOptions { add_all_columns: true, ..auto() });
    let planned = plan(&connect(&db, Role::Owner).await, &tenancy, &all).await.unwrap();
    let added = planned
        .tables
        .iter()
        .find_map(|table| table.added.clone().filter(|_| table.table.name().as_str() == "tagged"))
        .unwrap();
    assert_eq!(
        (added.through.as_str(), added.compared.clone()),
        ("tag_id", vec![("invoice_id".into(), "public.invoices".into())])
    );
    let lines: Vec<&str> = planned.to_declare.iter().flat_map(|section| section.lines()).collect();
    assert!(
        lines.iter().any(|line| line.contains("column = \"invoice_id\", table = \"public.invoices\"")),
        "{lines:#?}"
    );

    // The statement of the script makes the same of it.
    let script = planned.script();
    let begin = script.find("UPDATE \"public\".\"tagged\"").unwrap();
    let fill = script[begin..].split(';').next().unwrap();
    let tried = format!(
        "BEGIN; ALTER TABLE tagged ADD \"tenantId\" text; {fill}; CREATE TABLE filled AS SELECT * FROM tagged;
        ALTER TABLE tagged DROP \"tenantId\"; COMMIT"
    );
    db.owner().await.run_script("filling as the script does", Sql::from_catalog(tried)).await.unwrap();
    let count = r#"SELECT count("tenantId") * 100 + count(*) FROM filled"#;
    let mut owner = session(&db, Role::Owner).await;
    assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(owner.connection()).await.unwrap(), 10 * 100 + 11);
    owner.run_script("as it was", "DROP TABLE filled").await.unwrap();

    let report = roll_with(&db, &tenancy, &all, &mut |_| ()).await.unwrap();
    let tagged = outcome(&report, "tagged");
    assert_eq!(tagged.stopped_by, [Stop::RowsWithoutTenant { rows: 1 }], "{report:#?}");
    assert_eq!(tagged.filled.as_ref().map(|filled| (filled.rows, filled.remaining)), Some((10, 1)));
    as_superuser(&db, "DELETE FROM tagged WHERE tag_id = 1 AND invoice_id = 2").await;
    let report = roll_with(&db, &tenancy, &all, &mut |_| ()).await.unwrap();
    assert_eq!(outcome(&report, "tagged").after, Phase::Enforce, "{report:#?}");
}

#[tokio::test]
async fn a_table_of_another_owner_and_one_that_has_its_column_stay_as_they_are() {
    let db = small(MADE).await;
    as_superuser(&db, "CREATE ROLE added_other; ALTER TABLE items OWNER TO added_other; GRANT REFERENCES ON invoices TO added_other;
        ALTER TABLE lines ADD \"tenantId\" text; UPDATE lines SET \"tenantId\" = (SELECT \"tenantId\" FROM items JOIN invoices ON
        invoices.id = invoice_id WHERE items.id = item_id) WHERE id > 10").await;
    let text = format!("[database]\nowners = [\"added_other\"]\n[tenant]\ntable = \"Tenant\"\n{ITEMS}{LINES}");
    let tenancy = Tenancy::from_toml(&text, std::path::Path::new("tenancy.toml")).unwrap();
    let before = catalog(&db).await;
    let report = roll_with(&db, &tenancy, &to(Phase::Prepare), &mut |_| ()).await.unwrap();
    let items = outcome(&report, "items");
    assert!(
        matches!(items.stopped_by.as_slice(), [Stop::Unhandled { why: Unhandled::OtherOwner { .. } }]),
        "{items:#?}"
    );
    assert_eq!((items.after, items.steps, items.filled.clone()), (Phase::None, 0, None));
    // It depends on a table that has no tenant yet: its column is there, so nothing is added, and nothing is lost.
    let planned = plan(&connect(&db, Role::Owner).await, &tenancy, &to(Phase::Prepare)).await.unwrap();
    assert!(!planned.script().contains("lines\" ADD COLUMN"), "{}", planned.script());
    take_back(&db, &tenancy, &all_the_way_back()).await.unwrap();
    assert_eq!(catalog(&db).await, before);
    as_superuser(&db, "ALTER TABLE items OWNER TO app_owner; DROP OWNED BY added_other; DROP ROLE added_other").await;
}

#[tokio::test]
async fn a_partitioned_table_has_no_key_and_a_tenant_that_nothing_tells_is_not_lost() {
    let db = small(MADE).await;
    as_superuser(&db, "CREATE TABLE visits (id int, at int, invoice_id int REFERENCES invoices, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (10);
        CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM (10) TO (20);
        INSERT INTO visits SELECT n, n % 20, n % 100 + 1 FROM generate_series(1, 500) AS n;
        ALTER TABLE visits OWNER TO app_owner; ALTER TABLE visits_1 OWNER TO app_owner; ALTER TABLE visits_2 OWNER TO app_owner;
        GRANT SELECT, UPDATE ON visits TO app_user").await;
    let tenancy = declared("[tables.visits]\nadd_column = { through = \"invoice_id\", table = \"invoices\" }\n");
    let before = catalog(&db).await;
    let planned = plan(&connect(&db, Role::Owner).await, &tenancy, &auto()).await.unwrap();
    let visits = planned.tables.iter().find_map(|table| table.added.clone()).unwrap();
    assert_eq!(visits.no_key, Some(NoParentKey::Partitioned));
    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert_eq!(after(&report, "visits"), Phase::Enforce, "{report:#?}");
    assert_eq!(as_tenant(&db, "t1", "SELECT count(*) FROM visits").await, 250);

    as_superuser(&db, "UPDATE visits SET invoice_id = NULL WHERE id = 7").await;
    let error = take_back(&db, &tenancy, &all_the_way_back()).await.unwrap_err();
    assert!(error.to_string().contains("do not tell"), "{error}");
    assert_eq!(error.exit(), tenancy_config::Exit::Refused);
    let hint = error.hint().unwrap().to_string();
    assert!(hint.contains("take back the backfill that gave it, which `cargo xtask backfill runs` names"), "{hint}");
    assert_eq!(number(&db, "SELECT count(*) FROM visits WHERE \"tenantId\" IS NOT NULL").await, 500);
    as_superuser(&db, "UPDATE visits SET invoice_id = (SELECT min(id) FROM invoices WHERE invoices.\"tenantId\" = visits.\"tenantId\") WHERE id = 7").await;
    take_back(&db, &tenancy, &all_the_way_back()).await.unwrap();
    assert_eq!(catalog(&db).await, before);
}

#[tokio::test]
async fn tenants_that_would_be_lost_are_named_for_all_tables_before_the_first_step() {
    for phase in [Phase::Prepare, Phase::Enforce] {
        let db = small(MADE).await;
        let tenancy = declared(&format!("{ITEMS}{LINES}"));
        let before = catalog(&db).await;
        roll_with(&db, &tenancy, &to(phase), &mut |_| ()).await.unwrap();
        // Another source than the row that they point to: the link is gone, and the tenant stayed.
        as_superuser(
            &db,
            "ALTER TABLE items ALTER invoice_id DROP NOT NULL; UPDATE items SET invoice_id = NULL WHERE id = 7;
            UPDATE lines SET item_id = NULL WHERE id IN (8, 9)",
        )
        .await;
        let there = catalog(&db).await;
        for dry_run in [true, false] {
            let options = RollbackOptions { dry_run, ..all_the_way_back() };
            let error = take_back(&db, &tenancy, &options).await.unwrap_err();
            let Error::NotTakenBack(against) = &error else { panic!("{error}") };
            let [Error::UntoldTenants(columns)] = against.as_slice() else { panic!("{error}") };
            let tables: Vec<String> = columns.iter().map(|(table, _)| table.to_string()).collect();
            assert_eq!(tables, ["public.lines", "public.items"]);
            let hint = error.hint().unwrap();
            assert!(hint.contains("rls rollback --to prepare --tables public.lines,public.items"), "{hint}");
            assert_eq!(catalog(&db).await, there, "{phase}, dry run {dry_run}");
        }
        as_superuser(
            &db,
            "UPDATE items SET invoice_id = 8 WHERE id = 7; ALTER TABLE items ALTER invoice_id SET NOT NULL;
            UPDATE lines SET item_id = id + 1 WHERE id IN (8, 9)",
        )
        .await;
        let there = catalog(&db).await;
        let dry = take_back(&db, &tenancy, &RollbackOptions { dry_run: true, ..all_the_way_back() }).await.unwrap();
        assert!(dry.dry_run && dry.rollout.is_none());
        assert_eq!(catalog(&db).await, there, "a dry run changes nothing");
        let done = take_back(&db, &tenancy, &all_the_way_back()).await.unwrap();
        let of = |report: &rls_rollout::RollbackReport| -> Vec<_> {
            report
                .tables
                .iter()
                .map(|table| (table.table.to_string(), table.restored, table.dropped_column.clone()))
                .collect()
        };
        assert_eq!(of(&dry), of(&done));
        assert_eq!(catalog(&db).await, before);
    }
}

#[tokio::test]
async fn what_somebody_else_hung_on_the_column_is_not_dropped_with_it() {
    let db = small(MADE).await;
    let tenancy = declared(ITEMS);
    roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    for (made, gone, name) in [
        ("CREATE VIEW totals AS SELECT \"tenantId\", count(*) FROM items GROUP BY 1", "DROP VIEW totals", "totals"),
        ("CREATE INDEX by_both ON items (id, \"tenantId\")", "DROP INDEX by_both", "by_both"),
    ] {
        as_superuser(&db, made).await;
        let there = catalog(&db).await;
        let error = take_back(&db, &tenancy, &all_the_way_back()).await.unwrap_err();
        let Error::NotTakenBack(against) = &error else { panic!("{error}") };
        let [Error::HangsOnColumn { what, .. }] = against.as_slice() else { panic!("{error}") };
        assert!(what.len() == 1 && what[0].contains(name), "{what:?}");
        assert_eq!(catalog(&db).await, there, "nothing was taken back");
        as_superuser(&db, gone).await;
    }
    take_back(&db, &tenancy, &all_the_way_back()).await.unwrap();
}

#[tokio::test]
async fn the_migration_of_a_plan_makes_the_same_catalog_as_the_rollout() {
    let (rolled_out, migrated) = (small(MADE).await, small(MADE).await);
    let tenancy = declared(&format!("{ITEMS}{LINES}"));
    let planned = plan(&connect(&migrated, Role::Owner).await, &tenancy, &auto()).await.unwrap();
    let migration = planned.prisma_migration(None).unwrap();
    assert!(migration.edits.contains("model items: `tenantId String` is added"), "{}", migration.edits);
    assert!(roll_with(&rolled_out, &tenancy, &auto(), &mut |_| ()).await.unwrap().is_complete());
    let mut owner = migrated.owner().await;
    owner.run_script("migrating", tenant_rls::Sql::from_catalog(migration.statements)).await.unwrap();
    owner.close().await;
    assert_eq!(catalog(&migrated).await, catalog(&rolled_out).await);
    assert_eq!(number(&migrated, "SELECT count(*) FROM lines WHERE \"tenantId\" IS NULL").await, 0);
}

//! Tables without a tenant column, whose rows depend on rows that have one.

use local_db::Role;
use rls_rollout::{RolloutEvent, RolloutOptions, Stop, plan, rollback, status};
use tenancy_config::Tenancy;
use tenancy_config::tenancy::ThroughForm;
use tenant_inventory::class::{Unhandled, Unlinked};
use tenant_inventory::{FormChoice, NotMeasured, Phase, Took};
use test_support::TestDb;
use tokio::sync::watch;

use crate::support::{
    all_the_way_back, as_superuser, as_tenant, auto, catalog, connect, roll_with, session, small, tables_of, to,
};

const MADE: &str = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1'), ('t2');
    CREATE TABLE invoices (id int PRIMARY KEY, "tenantId" text);
    INSERT INTO invoices SELECT n, 't' || (n % 2 + 1) FROM generate_series(1, 1000) AS n;
    CREATE TABLE items (id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoices);
    INSERT INTO items SELECT n, n % 1000 + 1 FROM generate_series(1, 20000) AS n;
    GRANT SELECT ON invoices, items TO app_user; ANALYZE;"#;

fn declared(form: &str) -> Tenancy {
    tables_of(&format!("[tables.items]\nthrough = {{ column = \"invoice_id\", table = \"invoices\"{form} }}\n"))
}

async fn planned(db: &TestDb, tenancy: &Tenancy) -> (ThroughForm, FormChoice) {
    let report = plan(&connect(db, Role::Owner).await, tenancy, &auto()).await.unwrap();
    let through = report.tables.into_iter().find_map(|table| table.through).unwrap();
    (through.form, through.chosen)
}

#[tokio::test]
async fn it_goes_to_enforce_reads_by_an_index_and_is_taken_back_exactly() {
    for form in ["array", "exists"] {
        let db = small(MADE).await;
        let tenancy = declared(&format!(", form = \"{form}\""));
        let before = catalog(&db).await;
        let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
        assert!(report.is_complete(), "{report:#?}");
        assert!(report.tables.iter().all(|table| table.after == Phase::Enforce), "{report:#?}");
        let again = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
        assert!(again.tables.iter().all(|table| table.steps == 0), "{again:#?}");
        as_superuser(&db, "ANALYZE").await;
        assert_eq!(as_tenant(&db, "t1", "SELECT count(*) FROM items").await, 10_000);
        let mut app = session(&db, Role::AppUser).await;
        let explain = "EXPLAIN SELECT FROM items WHERE id = 7";
        let lines: Vec<String> = sqlx::query_scalar(explain).fetch_all(app.connection()).await.unwrap();
        app.close().await;
        assert!(lines.iter().any(|line| line.contains("items_pkey")), "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("Seq Scan on items")), "{lines:#?}");
        let (_go, stop) = watch::channel(false);
        let owner = connect(&db, Role::Owner).await;
        rollback(&owner, &tenancy, &all_the_way_back(), "a test", stop, &mut |_| ()).await.unwrap();
        assert_eq!(catalog(&db).await, before);
    }
}

#[tokio::test]
async fn the_form_is_measured_until_there_is_a_policy_and_follows_statistics_where_it_cannot_be() {
    let db = small(MADE).await;
    let statistics = |chosen: FormChoice| match chosen {
        FormChoice::Statistics { not_measured, .. } | FormChoice::Unknown { not_measured } => not_measured,
        chosen => panic!("{chosen:?}"),
    };
    let (form, chosen) = planned(&db, &declared("")).await;
    let FormChoice::Measured { times } = &chosen else { panic!("{chosen:?}") };
    // Nobody reads 20,000 rows by an index that is not there.
    assert_eq!((form, times.array.count, times.exists.count.is_some()), (ThroughForm::Array, None, true), "{chosen}");
    as_superuser(&db, "CREATE INDEX ON items (invoice_id)").await;
    let FormChoice::Measured { times } = planned(&db, &declared("")).await.1 else { panic!() };
    assert!(matches!((times.array.count, times.exists.count), (Some(Took::Us(_)), Some(Took::Us(_)))), "{times}");
    assert_eq!(planned(&db, &declared(", form = \"exists\"")).await, (ThroughForm::Exists, FormChoice::Declared));

    let grow = "INSERT INTO invoices SELECT n, 't1' FROM generate_series(1001, 80000) AS n; ANALYZE invoices";
    as_superuser(&db, grow).await;
    let (form, chosen) = planned(&db, &declared("")).await;
    assert_eq!((form, statistics(chosen)), (ThroughForm::Exists, NotMeasured::NoIndexYet));
    as_superuser(&db, "CREATE INDEX ON invoices (\"tenantId\")").await;
    let (form, chosen) = planned(&db, &declared("")).await;
    assert!(matches!(chosen, FormChoice::Measured { .. }) && form == ThroughForm::Exists, "{chosen}");
    roll_with(&db, &declared(", form = \"array\""), &to(Phase::Prepare), &mut |_| ()).await.unwrap();
    assert_eq!(planned(&db, &declared("")).await, (ThroughForm::Array, FormChoice::Kept), "no rollout flips it");
}

#[tokio::test]
async fn a_rollout_says_what_it_measured_also_of_a_parent_that_hides_its_rows_from_the_owner() {
    let db = small(MADE).await;
    assert!(roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap().is_complete());
    let mut said = Vec::new();
    let mut listen = |event: RolloutEvent| {
        if let RolloutEvent::Form { table, through } = event {
            said.push((table.to_string(), through));
        }
    };
    assert!(roll_with(&db, &declared(""), &auto(), &mut listen).await.unwrap().is_complete());
    let [(table, through)] = &*said else { panic!("{said:?}") };
    assert_eq!(table, "public.items");
    assert!(matches!(through.chosen, FormChoice::Measured { .. }), "{through}");
    let none = small(MADE).await;
    as_superuser(&none, "TRUNCATE items").await;
    let chosen = planned(&none, &declared("")).await.1;
    assert!(matches!(chosen, FormChoice::Statistics { not_measured: NotMeasured::NoRows, .. }), "{chosen:?}");
}

#[tokio::test]
async fn what_hangs_on_a_row_without_a_tenant_stays_visible_and_stops_with_its_table() {
    let db = small(MADE).await;
    as_superuser(&db, "INSERT INTO invoices VALUES (5000, NULL); INSERT INTO items VALUES (50000, 5000)").await;
    let report = roll_with(&db, &declared(""), &auto(), &mut |_| ()).await.unwrap();
    let items = report.tables.iter().find(|table| table.table.name().as_str() == "items").unwrap();
    assert!(matches!(items.stopped_by.as_slice(), [Stop::ParentStopped { .. }]), "{items:#?}");
    assert_eq!(items.after, Phase::Prepare);
    assert_eq!(as_tenant(&db, "t1", "SELECT count(*) FROM items WHERE id = 50000").await, 1);
}

#[tokio::test]
async fn a_column_that_may_be_null_and_a_table_that_the_application_may_not_read_are_refused_alike() {
    let db = small(MADE).await;
    let reasons = async |db: &TestDb, options: &RolloutOptions| {
        let (owner, tenancy) = (connect(db, Role::Owner).await, declared(""));
        let is_items = |name: &tenancy_config::TableName| name.name().as_str() == "items";
        let planned = plan(&owner, &tenancy, options).await.unwrap();
        let of_plan = planned.tables.into_iter().find(|table| is_items(&table.table)).unwrap().stopped_by;
        let found = status(&owner, &tenancy, None).await.unwrap();
        let of_status = found.tables.into_iter().find(|table| is_items(&table.table)).unwrap().stopped_by;
        let report = roll_with(db, &tenancy, options, &mut |_| ()).await.unwrap();
        let of_rollout = report.tables.into_iter().find(|table| is_items(&table.table)).unwrap().stopped_by;
        assert!(of_plan == of_status && of_plan == of_rollout, "{of_plan:?} {of_status:?} {of_rollout:?}");
        of_plan
    };
    as_superuser(&db, "REVOKE SELECT ON invoices FROM app_user").await;
    let [Stop::ParentUnreadable { columns, .. }] = &*reasons(&db, &to(Phase::Prepare)).await else { panic!() };
    assert_eq!(*columns, ["id", "tenantId"]);
    as_superuser(&db, "GRANT SELECT ON invoices TO app_user; ALTER TABLE items ALTER invoice_id DROP NOT NULL").await;
    let null = Unlinked::MayBeNull { column: "invoice_id".into() };
    assert_eq!(reasons(&db, &to(Phase::Prepare)).await, [Stop::Unhandled { why: Unhandled::Through { why: null } }]);
}

/// A plan without what every plan begins with: the roles, and notices that name logins of the server.
async fn script(tenancy: &Tenancy) -> String {
    let db = small(MADE).await;
    let planned = plan(&connect(&db, Role::Owner).await, tenancy, &auto()).await.unwrap();
    let script = planned.script();
    let kept =
        script.lines().filter(|line| !line.starts_with("-- Note: ") && !line.starts_with("-- Row level security for"));
    let kept = kept.filter(|line| !line.starts_with("CREATE ROLE") && !line.starts_with("GRANT tenant_"));
    // Times differ from run to run.
    let timed = |line: &str| line.split_inclusive(" ms").map(without_number).collect::<String>();
    kept.map(timed).collect::<Vec<_>>().join("\n")
}

fn without_number(text: &str) -> String {
    let Some(before) = text.strip_suffix(" ms") else { return text.to_owned() };
    format!("{}N ms", before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'))
}

#[tokio::test]
async fn the_script_of_a_plan_is_as_in_its_snapshot() {
    insta::assert_snapshot!("through", script(&declared("")).await);
    let add = "[tables.items]\nadd_column = { through = \"invoice_id\", table = \"invoices\" }\n";
    insta::assert_snapshot!("add_column", script(&tables_of(add)).await);
}

#[tokio::test]
async fn a_key_that_is_not_the_primary_key_is_read_by_the_auditor() {
    let db = small(MADE).await;
    as_superuser(
        &db,
        "ALTER TABLE invoices ADD number int UNIQUE; UPDATE invoices SET number = id + 5000;
         ALTER TABLE items DROP CONSTRAINT items_invoice_id_fkey; UPDATE items SET invoice_id = invoice_id + 5000;
         ALTER TABLE items ADD FOREIGN KEY (invoice_id) REFERENCES invoices (number)",
    )
    .await;
    let tenancy = declared(", key = \"number\"");
    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    assert!(report.tables.iter().all(|table| table.after == Phase::Enforce), "{report:#?}");
    let mut owner = session(&db, Role::Superuser).await;
    let may = "SELECT has_column_privilege('tenant_auditor', 'invoices', 'number', 'SELECT')";
    let may: bool = sqlx::query_scalar(may).fetch_one(owner.connection()).await.unwrap();
    owner.close().await;
    assert!(may);
    assert_eq!(as_tenant(&db, "t1", "SELECT count(*) FROM items").await, 10_000);
}

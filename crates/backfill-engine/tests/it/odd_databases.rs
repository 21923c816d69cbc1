//! Databases that are not as the application's documentation has them.

use backfill_engine::{Apply, BackfillOptions, CheckedReview, Error, RefusalKind};
use local_db::Role;
use tenancy_config::Tenancy;
use tenancy_config::UserError;
use tokio::sync::watch;

use crate::reviewed::refused;
use crate::support::{SMALL, allowing, backfill, backfill_table, connect, fast, number, planted, script};
use crate::undo::undo_with;

#[tokio::test]
async fn a_database_without_the_table_says_so() {
    let db = test_support::empty_database().await;
    let error = backfill(&db, Role::Owner, &fast()).await.unwrap_err();
    assert!(error.to_string().contains("there is no table public.bookings"), "{error}");
}

#[tokio::test]
async fn a_table_without_the_tenant_column_says_so() {
    let db = test_support::database().await;
    script(&mut db.owner().await, r#"ALTER TABLE bookings DROP COLUMN "tenantId""#).await;
    let error = backfill(&db, Role::Owner, &fast()).await.unwrap_err();
    assert!(matches!(error, Error::Database(tenant_rls::Error::NotTenants { .. })), "{error}");
}

#[tokio::test]
async fn names_with_quotes_spaces_and_capitals_and_a_uuid_tenant_column_work() {
    let db = test_support::empty_database().await;
    script(
        &mut db.owner().await,
        r#"CREATE TABLE "Tenant" (id uuid PRIMARY KEY, slug text, name text);
           CREATE TABLE "Cust""omer'; DROP" (id int PRIMARY KEY, "tenantId" uuid);
           CREATE TABLE "We""ird table" ("Id of it" bigint PRIMARY KEY, "the ""customer""" int, "tenantId" uuid);
           INSERT INTO "Tenant" SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 't' || n, 'T' FROM generate_series(1, 2) n;
           INSERT INTO "Cust""omer'; DROP" SELECT n, ('00000000-0000-0000-0000-00000000000' || n)::uuid FROM generate_series(1, 2) n;
           INSERT INTO "We""ird table" SELECT n, n % 3, NULL FROM generate_series(1, 300) n"#,
    )
    .await;
    let text = r#"
        [tenant]
        table = "Tenant"
        [tables.'We"ird table']
        sources = [{ name = "customer", column = 'the "customer"', table = '''Cust"omer'; DROP''' }]
    "#;
    let tenancy = Tenancy::from_toml(text, std::path::Path::new("tenancy.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let review = folder.path().join("review.csv");
    let options = BackfillOptions { review: Some(review.clone()), ..fast() };
    let report = backfill_table(&db, Role::Owner, "We\"ird table", &tenancy, &options, &mut |_| {}).await.unwrap();
    assert_eq!((report.assigned, report.unresolved), (200, 100));
    let text = std::fs::read_to_string(&review).unwrap().replace(",,v1-", ",t2,v1-");
    // A key that the type of the column does not have, and one that is written otherwise than the server does.
    let more = ["nine", "+9"].map(|id| format!("\"public.We\"\"ird table\",{id},unresolved,,,t1,v1-\n")).concat();
    std::fs::write(&review, format!("{text}{more}")).unwrap();
    let checked = CheckedReview::check(&review).unwrap();
    let database = connect(&db, Role::Owner).await;
    let (_go, stop) = watch::channel(false);
    let holder = "a test";
    let apply =
        Apply { database: &database, tenancy: &tenancy, review: &checked, refused: None, dry_run: false, holder };
    let applied = apply.run(stop, &mut |_| {}).await.unwrap();
    assert_eq!(applied.applied, 100, "{:?}", applied.refusals);
    assert_eq!(refused(&applied), [(102, RefusalKind::Table, "nine"), (103, RefusalKind::Gone, "+9")]);
    assert_eq!(undo_with(&db, &tenancy, report.run.unwrap(), false).await.unwrap().undone, 200);
}

#[tokio::test]
async fn tables_and_columns_named_as_the_variables_of_a_batch_are_not_taken_for_them() {
    let db = test_support::empty_database().await;
    script(
        &mut db.owner().await,
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text);
           CREATE TABLE of_tenant (tids int PRIMARY KEY, entries text);
           CREATE TABLE batch (run int PRIMARY KEY, from_tid int, until_tid int, row_limit int, lane int, tids tid, tenant text, entries text);
           INSERT INTO "Tenant" SELECT 't' || n, 't' || n, 'T' FROM generate_series(1, 2) n;
           INSERT INTO of_tenant SELECT n, 't' || n FROM generate_series(1, 2) n;
           INSERT INTO batch SELECT n, n % 3, 0, 0, 0, '(0,1)', 't9' FROM generate_series(1, 300) n"#,
    )
    .await;
    let text = r#"
        [tenant]
        table = "Tenant"
        [tables.of_tenant]
        column = "entries"
        [tables.batch]
        column = "entries"
        sources = [{ name = "o", column = "from_tid", table = "of_tenant", key = "tids" }]
    "#;
    let tenancy = Tenancy::from_toml(text, std::path::Path::new("tenancy.toml")).unwrap();
    let report = backfill_table(&db, Role::Owner, "batch", &tenancy, &fast(), &mut |_| {}).await.unwrap();
    assert_eq!((report.assigned, report.unresolved), (200, 100));
    let wrong = "SELECT count(*) FROM batch WHERE entries IS DISTINCT FROM 't' || nullif(from_tid, 0)";
    assert_eq!(number(&mut db.owner().await, wrong).await, 0);
}

#[tokio::test]
async fn a_source_whose_table_is_not_here_is_left_out_and_named_and_one_without_a_tenant_column_is_refused() {
    let (db, planted) = planted(&SMALL).await;
    let client = r#"{ name = "client", column = "clientId", table = "users" }"#;
    let with = async |rules: &str, dry_run| {
        let text = format!("[tenant]\ntable = \"Tenant\"\n[tables.bookings]\n{rules}");
        let tenancy = Tenancy::from_toml(&text, std::path::Path::new("tenancy.toml")).unwrap();
        let options = BackfillOptions { dry_run, ..fast() };
        backfill_table(&db, Role::Owner, "bookings", &tenancy, &options, &mut |_| {}).await
    };
    script(&mut db.owner().await, "CREATE TABLE plain (id text PRIMARY KEY)").await;
    let plain = r#"{ name = "plain", column = "serviceId", table = "plain" }"#;
    let refused = with(&format!("sources = [{client}, {plain}]"), false).await.unwrap_err();
    assert!(
        refused.to_string().contains("tenancy.toml has `plain` decide, but public.plain has no rows of tenants"),
        "{refused}"
    );
    assert!(refused.hint().unwrap().contains("take the source out"), "{:?}", refused.hint());
    let nowhere = r#"{ name = "service", column = "serviceId", table = "servces" }"#;
    let over =
        r#"{ name = "over", column = "serviceId", table = "users", through = [{ table = "gone", column = "x" }] }"#;
    let none = with(&format!("sources = [{nowhere}]"), false).await.unwrap_err();
    assert_eq!(none.exit(), tenancy_config::Exit::Usage);
    let told = "`service` is left out: this database has no table public.servces (it has services)";
    assert_eq!(none.to_string(), format!("public.bookings cannot be backfilled: {told}"));
    let left = r#"SELECT count(*) FROM bookings WHERE "tenantId" IS NULL"#;
    assert_eq!(number(&mut db.owner().await, left).await, i64::try_from(planted.bookings_without_tenant).unwrap());

    let ties = r#"tie_breakers = [{ name = "seen", table = "nowhere", equal = { clientId = "userId" } }]"#;
    let done = with(&format!("sources = [{client}, {nowhere}, {over}]\n{ties}"), true).await.unwrap();
    let named: Vec<&str> = done.absent_sources.iter().map(|absent| absent.name.as_str()).collect();
    assert!(done.assigned > 0 && named == ["service", "over", "seen"], "{named:?}");
}

#[tokio::test]
async fn a_column_that_the_table_does_not_have_is_named() {
    let (db, _) = planted(&SMALL).await;
    let text = "[tenant]\ntable = \"Tenant\"\n[tables.bookings]\nsources = [{ name = \"c\", column = \"clientID\", table = \"users\" }]";
    let tenancy = Tenancy::from_toml(text, std::path::Path::new("tenancy.toml")).unwrap();
    let error = backfill_table(&db, Role::Owner, "bookings", &tenancy, &fast(), &mut |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("clientID"), "{error}");
}

#[tokio::test]
async fn a_tenant_column_of_another_type_than_the_tenants_key_is_refused() {
    let db = test_support::empty_database().await;
    script(
        &mut db.owner().await,
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text);
           CREATE TABLE users (id text PRIMARY KEY, "tenantId" uuid);
           CREATE TABLE bookings (id text PRIMARY KEY, "clientId" text, "tenantId" uuid)"#,
    )
    .await;
    let error = backfill(&db, Role::Owner, &fast()).await.unwrap_err();
    assert!(error.to_string().contains("its tenant column is uuid"), "{error}");
}

#[tokio::test]
async fn rows_that_a_trigger_refuses_are_reported_one_by_one_and_the_others_assigned() {
    let (db, planted) = planted(&SMALL).await;
    script(
        &mut db.owner().await,
        r#"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN IF hashtext(OLD.id) % 200 = 0 THEN RAISE 'this row is closed'; END IF; RETURN NEW; END $$;
           CREATE TRIGGER refuse BEFORE UPDATE ON bookings FOR EACH ROW EXECUTE FUNCTION refuse()"#,
    )
    .await;
    let refused = r#"SELECT count(*) FROM bookings WHERE hashtext(id) % 200 = 0 AND "tenantId" IS NULL"#;
    let expected = number(&mut db.superuser().await, refused).await as u64;
    assert!((1..90).contains(&expected), "the seed has {expected} such rows: choose another divisor");
    let tenancy = allowing(&["refuse"]);
    let report = backfill_table(&db, Role::Owner, "bookings", &tenancy, &fast(), &mut |_| {}).await.unwrap();
    assert_eq!(report.failed.len() as u64, report.assignable);
    assert!(report.failed.iter().all(|row| row.error.contains("this row is closed")), "{:?}", report.failed);
    assert_eq!(report.assigned + report.assignable, planted.assignable());
}

#[tokio::test]
async fn a_table_that_refuses_every_row_ends_the_run() {
    let (db, _) = planted(&SMALL).await;
    script(&mut db.owner().await, r#"ALTER TABLE bookings ADD CONSTRAINT closed CHECK ("tenantId" IS NULL) NOT VALID"#)
        .await;
    let error = backfill(&db, Role::Owner, &fast()).await.unwrap_err();
    assert!(matches!(error, Error::TooManyFailures { .. }), "{error}");
    assert!(error.to_string().contains("closed"), "{error}");
}

#[tokio::test]
async fn a_role_without_rights_is_told_which_are_missing() {
    let (db, _) = planted(&SMALL).await;
    script(&mut db.owner().await, "REVOKE ALL ON users FROM app_user").await;
    let error = backfill(&db, Role::AppUser, &fast()).await.unwrap_err();
    assert!(error.to_string().contains("may not select"), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("GRANT SELECT"), "{hint}");
}

#[tokio::test]
async fn a_read_only_database_is_refused_by_the_server_and_explained() {
    let (db, planted) = planted(&SMALL).await;
    let name = tenancy_config::Ident::new(db.name()).unwrap();
    let read_only = tenant_rls::Template::new(r#"ALTER DATABASE :"name" SET default_transaction_read_only = on"#);
    db.superuser().await.run_script("making it read-only", read_only.ident("name", &name).build()).await.unwrap();
    let error = backfill(&db, Role::Owner, &fast()).await.unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
    assert!(error.hint().unwrap().contains("primary"), "{error}");
    let nulls = number(&mut db.superuser().await, r#"SELECT count(*) FROM bookings WHERE "tenantId" IS NULL"#).await;
    assert_eq!(nulls as u64, planted.bookings_without_tenant);
}

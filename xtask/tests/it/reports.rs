//! Tables, JSON and CSV as people and programs get them, on rows that can be counted by hand.

use insta::assert_snapshot;
use local_db::Role;
use test_support::TestDb;

use crate::support::{Ended, Place, redact};

/// A few rows, and one defect of each kind.
async fn small() -> TestDb {
    let db = test_support::database().await;
    let mut superuser = db.superuser().await;
    superuser.run_script("planting a few rows", include_str!("few_rows.sql")).await.unwrap();
    superuser.close().await;
    db
}

fn run(db: &TestDb, arguments: &[&str]) -> Ended {
    let url = db.url(Role::Owner);
    let all: Vec<&str> = arguments.iter().copied().chain(["--no-progress", "--database-url", url.expose()]).collect();
    Place::new().run(&all)
}

#[tokio::test]
async fn an_audit_as_table_json_and_csv() {
    let db = small().await;
    redact(&db, || {
        assert_snapshot!("audit_table", run(&db, &["audit"]));
        assert_snapshot!("audit_json", run(&db, &["audit", "--tables", "bookings", "--format", "json", "-q"]));
        assert_snapshot!("audit_csv", run(&db, &["audit", "--format", "csv", "-q"]));
    });
}

/// One table of each class that needs a decision beside those of the application.
#[tokio::test]
async fn an_inventory_gives_every_table_its_class_as_table_json_and_csv() {
    let db = test_support::empty_database().await;
    let made = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text, status text);
                  CREATE TABLE bookings (id text PRIMARY KEY, "tenantId" text, starts date, ends date);
                  ALTER TABLE bookings ENABLE ROW LEVEL SECURITY;
                  CREATE TABLE guests (id int, booking text REFERENCES bookings);
                  CREATE TABLE teams (id int, "organizationId" text);
                  CREATE TABLE counts (id int, "tenantId" uuid);
                  CREATE TABLE countries (code text);
                  CREATE VIEW every_booking AS SELECT starts, ends FROM bookings;
                  GRANT SELECT ON every_booking TO app_user;
                  CREATE VIEW unseen AS SELECT starts FROM bookings;
                  CREATE VIEW of_tenant AS SELECT * FROM bookings;
                  GRANT SELECT ON of_tenant TO app_user"#;
    db.owner().await.run_script("preparing a test", made).await.unwrap();
    redact(&db, || {
        assert_snapshot!("inventory_table", run(&db, &["inventory"]));
        assert_snapshot!("inventory_json", run(&db, &["inventory", "--format", "json", "-q"]));
        assert_snapshot!("inventory_csv", run(&db, &["inventory", "--format", "csv", "-q"]));
    });
    // Whoever may connect reads the catalog.
    let read_by = |role| {
        let ended = Place::new().run(&["inventory", "--format", "json", "-q", "--database-url", db.url(role).expose()]);
        assert_eq!(ended.status, 0, "{ended}");
        ended.stdout
    };
    assert_eq!(read_by(Role::AppUser), read_by(Role::Owner));
}

#[tokio::test]
async fn an_inventory_without_the_applications_role_does_not_say_that_there_is_no_way() {
    let db = test_support::empty_database().await;
    let (place, url) = (Place::new(), db.url(Role::Owner));
    place.write("tenancy.toml", "[roles]\napp = \"nobody_logs_in_as_this\"\n");
    let ended = place.run(&["inventory", "-q", "--database-url", url.expose()]);
    assert!(
        ended.stdout.contains("There is no role nobody_logs_in_as_this, so no way past the policies was looked for"),
        "{ended}"
    );
}

#[tokio::test]
async fn doctor_names_what_is_declared_and_does_not_fit_and_advice_alone_is_no_finding() {
    let db = test_support::empty_database().await;
    let made = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text, status text);
                  CREATE TABLE bookings (id text PRIMARY KEY, "tenantId" text, starts date);
                  CREATE VIEW every_booking AS SELECT starts FROM bookings;
                  GRANT SELECT ON every_booking TO app_user"#;
    db.owner().await.run_script("preparing a test", made).await.unwrap();
    let (place, url) = (Place::new(), db.url(Role::Owner));
    let doctor = |toml: &str| {
        place.write("tenancy.toml", toml);
        place.run(&["doctor", "-q", "--database-url", url.expose()])
    };
    let advice = doctor("[tables.bookings]\nplatform_rows = true\n");
    let says = "tables.bookings.platform_rows: no reason is given; platform_rows = \"why\", which reports repeat";
    assert!(advice.status == 0 && advice.stdout.contains(says), "{advice}");
    let fits = doctor("[tables.bookings]\nplatform_rows = \"jobs\"\n");
    assert!(fits.status == 0 && !fits.stdout.contains("does not fit"), "{fits}");
    let review = "[tables.bookings]\n[reviewed.\"public.every_booking\"]\nwhy = \"read\"\nhash = \"00\"\n";
    let outdated = doctor(review);
    let says = "reviewed.public.every_booking: the view public.every_booking is no longer as it was reviewed (00)";
    assert!(outdated.status == 3 && outdated.stdout.contains(says), "{outdated}");
    let json = place.run(&["doctor", "-q", "--format", "json", "--database-url", url.expose()]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let misfit = &json["tables"]["misfits"][0];
    assert_eq!((&misfit["misfit"], &misfit["declared"]), (&"review_outdated".into(), &"00".into()));
    // With the hash that it names, it fits.
    let needed = misfit["needs"]["hash"].as_str().unwrap();
    let fits = doctor(&review.replace("\"00\"", &format!("{needed:?}")));
    assert_eq!(fits.status, 0, "{fits}");
}

#[tokio::test]
async fn a_table_that_is_not_there_is_bad_usage() {
    let db = small().await;
    let ended = run(&db, &["audit", "--tables", "booking"]);
    assert_eq!(ended.status, 2, "{ended}");
    assert!(ended.stderr.contains("did you mean `bookings`?"), "{ended}");
}

#[tokio::test]
async fn an_audit_in_ci_says_each_table_at_fault() {
    let db = small().await;
    let url = db.url(Role::Owner);
    let arguments = ["audit", "--ci", "--tables", "bookings", "--format", "csv", "-q", "--database-url", url.expose()];
    let ended = Place::new().run_with(&arguments, &[("GITHUB_ACTIONS", "true")]);
    redact(&db, || assert_snapshot!("audit_ci", ended));
}

#[tokio::test]
async fn a_backfill_tells_what_it_did_and_the_second_one_that_nothing_is_left() {
    let db = small().await;
    let confirmed = ["backfill-bookings", "--confirm", "127.0.0.1"];
    redact(&db, || {
        assert_snapshot!("backfill_dry_run", run(&db, &["backfill-bookings", "--dry-run"]));
        assert_snapshot!("backfill_table", run(&db, &confirmed));
        assert_snapshot!("backfill_again", run(&db, &confirmed));
        assert_snapshot!("backfill_json", run(&db, &[&confirmed[..], &["--format", "json", "-q"]].concat()));
    });
}

#[tokio::test]
async fn a_program_reads_events_from_stderr_and_the_report_from_stdout() {
    let db = small().await;
    let url = db.url(Role::Owner);
    let arguments = ["backfill-bookings", "--format", "json", "--confirm", "127.0.0.1", "--database-url", url.expose()];
    let ended = Place::new().run(&arguments);
    let lines = ended.stderr.lines().filter(|line| line.starts_with('{'));
    let events: Vec<serde_json::Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["schema"] == "backfill-event/1"), "{ended}");
    let names: Vec<_> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    for name in ["started", "batch", "surveying"] {
        assert!(names.contains(&name), "{ended}");
    }
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["schema"], "backfill/2");
    assert!(!ended.stderr.contains(" of public.bookings without a tenant"), "told twice: {ended}");
}

#[tokio::test]
async fn ci_shows_reports_as_markdown_and_no_password() {
    let db = small().await;
    let (place, url) = (Place::new(), db.url(Role::Owner));
    let summary = place.path().join("summary.md");
    std::fs::write(&summary, "Another step.\n").unwrap();
    let env = [("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
    let audit = ["audit", "--tables", "bookings", "--format", "csv", "-q", "--database-url", url.expose()];
    let with = place.run_with(&audit, &env);
    assert_eq!(with.stdout, place.run(&audit).stdout, "the report itself is as ever");
    let written = std::fs::read_to_string(&summary).unwrap();
    redact(&db, || assert_snapshot!("summary", written));

    std::fs::remove_file(&summary).unwrap();
    std::fs::create_dir(&summary).unwrap();
    let warned = place.run_with(&audit, &env);
    assert_eq!((warned.status, warned.stdout.as_str()), (with.status, with.stdout.as_str()));
    assert!(
        warned
            .stderr
            .contains("warning: no summary (GITHUB_STEP_SUMMARY): cannot write [DIR]/summary.md: it is a folder"),
        "{warned}"
    );
}

#[tokio::test]
async fn a_run_over_all_tables_counts_the_rows_of_those_that_have_no_source() {
    let db = small().await;
    let all = run(&db, &["backfill", "run", "--all", "--confirm", "127.0.0.1"]);
    assert_eq!(all.status, 3);
    let said = "\n1 row without a tenant in 1 table that has no source: public.services (1).\n";
    assert!(all.stdout.contains(said), "{all}");
    let toml = "columns = [\"tenantId\"]\n[tables.services]\nplatform_rows = true\n[tables.bookings]\nsources = [{ name = \"c\", column = \"clientId\", table = \"users\" }]";
    let (place, url) = (Place::new(), db.url(Role::Owner));
    place.write("tenancy.toml", toml);
    let declared = place.run(&["backfill", "run", "--all", "--confirm", "127.0.0.1", "--database-url", url.expose()]);
    assert!(!declared.stdout.contains("public.services (1)"), "{declared}");
}

#[tokio::test]
async fn tables_are_backfilled_in_order_listed_explained_and_taken_back() {
    let db = small().await;
    let write = ["--confirm", "127.0.0.1"];
    redact(&db, || {
        assert_snapshot!(
            "backfill_tables",
            run(&db, &[&["backfill", "run", "bookings", "ServiceRequest"], &write[..]].concat())
        );
        assert_snapshot!("backfill_undo", run(&db, &[&["backfill", "undo", "1"], &write[..]].concat()));
        assert_snapshot!("backfill_undo_unknown", run(&db, &[&["backfill", "undo", "99"], &write[..]].concat()));
    });
    let listed = run(&db, &["backfill", "runs", "--format", "csv"]);
    assert!(listed.stdout.contains("\n1,backfill,public.bookings,undone,"), "{listed}");
    let mut superuser = db.superuser().await;
    let key = "SELECT row_keys[1] FROM tenant_ops.journal WHERE run_id = 1 LIMIT 1";
    let key: String = sqlx::query_scalar(key).fetch_one(superuser.connection()).await.unwrap();
    superuser.close().await;
    let why = run(&db, &["backfill", "why", "bookings", &key]);
    assert!(
        why.stdout.contains("run         1 (backfill, --on-conflict report)") && why.stdout.contains("taken back"),
        "{why}"
    );
    assert_eq!(run(&db, &["backfill", "why", "bookings", "nobody"]).status, 3);
}

#[tokio::test]
async fn sources_are_suggested_as_a_part_of_tenancy_toml_or_as_a_table() {
    let db = small().await;
    let place = Place::new();
    place.write(
        "tenancy.toml",
        "[tables.bookings]\nsources = [{ name = \"by client\", column = \"clientId\", table = \"users\" }]\n",
    );
    let url = db.url(Role::Owner);
    let suggest =
        |arguments: &[&str]| place.run(&[&["backfill", "suggest", "--database-url", url.expose()], arguments].concat());
    redact(&db, || assert_snapshot!("suggest_missing", suggest(&["--missing"])));
    assert_snapshot!("suggest_table", suggest(&["--format", "table", "-q"]));
    let json = suggest(&["--format", "json", "-q"]);
    assert!(json.stdout.starts_with("{\n  \"schema\": \"backfill-suggest/1\","), "{json}");
    place.write("tenancy.toml", &suggest(&["-q"]).stdout);
    let nothing =
        "# Nothing is missing: tenancy.toml has every source that was found.\n\n# Nothing tells the tenant of: ";
    let missing = suggest(&["--missing", "-q"]);
    assert!(missing.stdout.starts_with(nothing), "{missing}");
}

#[tokio::test]
async fn doctor_tells_what_one_needs_to_know() {
    let db = small().await;
    redact(&db, || {
        assert_snapshot!("doctor_table", run(&db, &["doctor"]));
        assert_snapshot!("doctor_json", run(&db, &["doctor", "--format", "json"]));
    });
}

#[tokio::test]
async fn doctor_says_of_an_audit_what_the_audit_does() {
    let db = small().await;
    let seen_whole_by = || {
        let report = run(&db, &["doctor", "--format", "json", "-q"]).stdout;
        serde_json::from_str::<serde_json::Value>(&report).unwrap()["tables"]["seen_whole_by"].clone()
    };
    let mut superuser = db.superuser().await;
    let force = include_str!("../../../crates/tenant-audit/tests/it/force_every_table.sql");
    superuser.run_script("forcing every table", force).await.unwrap();
    assert_eq!(seen_whole_by(), "tenant_maintenance");
    let audit = run(&db, &["audit"]);
    assert!(audit.stderr.contains("as tenant_maintenance, which sees every row"), "{audit}");
    // This is not a tenant column, but the audit reads it.
    let revoke = r#"REVOKE SELECT ("clientId") ON bookings FROM tenant_maintenance"#;
    superuser.run_script("revoking a right", revoke).await.unwrap();
    superuser.close().await;
    assert_eq!(seen_whole_by(), serde_json::Value::Null);
    let audit = run(&db, &["audit"]);
    assert!(audit.stdout.contains("tenant_maintenance may not select clientId of public.bookings"), "{audit}");
    assert!(audit.stdout.contains("18 tables of database"), "the rest is counted: {audit}");
}

#[tokio::test]
async fn doctor_shows_no_secret_and_counts_it() {
    let db = small().await;
    let place = Place::new();
    place.write(
        ".env.local",
        &format!("DATABASE_URL={}\nNEXTAUTH_SECRET=hunter2hunter2\n", db.url(Role::AppUser).expose()),
    );
    let ended = place.run(&["doctor"]);
    assert_eq!(ended.status, 0, "{ended}");
    assert!(ended.stdout.contains("14 bytes (from NEXTAUTH_SECRET in .env.local)"), "{ended}");
    assert!(!ended.to_string().contains("hunter2"), "{ended}");
}

#[test]
fn doctor_works_without_a_database() {
    assert_snapshot!("doctor_without_database", Place::new().run(&["doctor"]));
}

#[tokio::test]
async fn init_describes_a_database_and_never_overwrites() {
    let db = small().await;
    let place = Place::new();
    let url = db.url(Role::Owner);
    let init = ["init", "--database-url", url.expose()];
    assert_eq!(place.run(&init).status, 0);
    let again = place.run(&init);
    assert_eq!(
        again.stderr,
        "error: tenancy.toml is there already\nhint: --output FILE writes another one, --force replaces it, --stdout prints what it would be\n"
    );
    assert_eq!(again.status, 2);
    let doctor = place.run(&["doctor", "--database-url", url.expose()]);
    assert!(!doctor.stdout.contains("missing"), "{doctor}");
}

#[tokio::test]
async fn init_finds_the_tenants_of_a_database_that_is_called_otherwise() {
    let db = test_support::empty_database().await;
    let mut owner = db.owner().await;
    owner.run_script("making tables", include_str!("other_app.sql")).await.unwrap();
    owner.close().await;
    redact(&db, || assert_snapshot!("init_other_app", run(&db, &["init", "--stdout", "-q"])));
}

#[tokio::test]
async fn init_on_a_database_without_tenants_says_what_it_looked_for() {
    let db = test_support::empty_database().await;
    redact(&db, || assert_snapshot!("init_no_tenants", run(&db, &["init", "--stdout", "-q"])));
}

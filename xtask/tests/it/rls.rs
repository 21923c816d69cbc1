//! The rollout as people see it, and what it refuses.

use insta::assert_snapshot;
use local_db::Role;
use test_support::{TestDb, TestPooler};

use crate::support::{Ended, Place, redact};

/// Two tenants, and one booking without a tenant.
async fn two_tenants() -> TestDb {
    let db = test_support::database().await;
    let mut superuser = db.superuser().await;
    superuser
        .run_script("planting rows", include_str!("../../../crates/rls-rollout/tests/it/clean_rows.sql"))
        .await
        .unwrap();
    let lose = "UPDATE bookings SET \"tenantId\" = NULL WHERE id = 'b_a'";
    superuser.run_script("losing a tenant", lose).await.unwrap();
    superuser.close().await;
    db
}

fn run(db: &TestDb, arguments: &[&str]) -> Ended {
    let url = db.url(Role::Owner);
    let all: Vec<&str> = ["rls"]
        .iter()
        .chain(arguments)
        .copied()
        .chain(["--confirm", "127.0.0.1", "--database-url", url.expose()])
        .collect();
    Place::new().run(&all)
}

#[tokio::test]
async fn the_story_in_tables() {
    let db = two_tenants().await;
    let some = ["--tables", "bookings,audit_logs"];
    redact(&db, || {
        assert_snapshot!("rls_plan", run(&db, &[&["plan", "--phase", "prepare"], &some[..]].concat()));
        assert_snapshot!("rls_rollout", run(&db, &[&["rollout"], &some[..]].concat()));
        assert_snapshot!("rls_status", run(&db, &["status"]));
        assert_snapshot!("rls_rollback", run(&db, &["rollback", "--to", "none"]));
        assert_snapshot!("rls_rollback_again", run(&db, &["rollback", "--to", "none"]));
    });
}

#[tokio::test]
async fn an_application_that_owns_its_tables_is_filtered_only_after_somebody_agreed() {
    let db = two_tenants().await;
    let owned = ["rollout", "--tables", "audit_logs", "--app-role", "app_owner"];
    let told = run(&db, &["status", "--app-role", "app_owner"]);
    assert!(told.stdout.contains("Where it owns tables: the application logs in as app_owner, which owns"), "{told}");
    let refused = run(&db, &owned);
    assert_eq!(refused.status, 4, "{refused}");
    assert!(refused.stderr.contains("nobody agreed to that, and nothing was written"), "{refused}");
    assert!(refused.stderr.contains("--application-owns-tables"), "{refused}");
    // Nothing filters the owner before `enforce`.
    assert_eq!(run(&db, &[&owned[..], &["--phase", "tighten"]].concat()).status, 0);
    let agreed = run(&db, &[&owned[..], &["--application-owns-tables"]].concat());
    assert_eq!(agreed.status, 0, "{agreed}");
    assert!(agreed.stdout.contains("public.audit_logs  tighten  enforce"), "{agreed}");
}

#[tokio::test]
async fn the_story_in_json() {
    let db = two_tenants().await;
    let json = ["--tables", "bookings", "--format", "json", "-q"];
    redact(&db, || {
        assert_snapshot!("rls_plan_json", run(&db, &[&["plan", "--phase", "prepare"], &json[..]].concat()));
        assert_snapshot!("rls_rollout_json", run(&db, &[&["rollout"], &json[..]].concat()));
        assert_snapshot!("rls_rollback_json", run(&db, &["rollback", "--run", "1", "--format", "json", "-q"]));
    });
}

#[tokio::test]
async fn the_switches_of_the_older_script_name_a_phase() {
    let db = two_tenants().await;
    let url = db.url(Role::Owner);
    let setup = ["rls", "setup", "--tables", "audit_logs", "--confirm", "127.0.0.1", "--database-url", url.expose()];
    let force = [("RLS_ALLOW_NULL_TENANT", "false"), ("FORCE_RLS", "true")];
    let ended = Place::new().run_with(&setup, &force);
    assert_eq!(ended.status, 0, "{ended}");
    assert!(ended.stderr.contains("RLS_ALLOW_NULL_TENANT=false and FORCE_RLS=true: phase enforce"), "{ended}");
    assert!(ended.stdout.contains("enforce"), "{ended}");
    assert_snapshot!(
        "rls_setup_at_odds",
        Place::new().run_with(&["rls", "setup", "--local"], &[("FORCE_RLS", "true")])
    );
    assert_snapshot!(
        "rls_setup_no_switch",
        Place::new().run_with(&["rls", "setup", "--local"], &[("FORCE_RLS", "perhaps")])
    );
}

/// The older script made the policies anew with whatever its variables said, so that they also relaxed.
#[tokio::test]
async fn the_switches_of_the_older_script_relax_where_they_are_set_and_else_the_command_is_named() {
    let db = two_tenants().await;
    let url = db.url(Role::Owner);
    let place = Place::new();
    let setup = |env: &[(&str, &str)]| {
        let arguments =
            ["rls", "setup", "--tables", "services", "--confirm", "127.0.0.1", "--database-url", url.expose()];
        place.run_with(&arguments, env)
    };
    let enforced = [("RLS_ALLOW_NULL_TENANT", "false"), ("FORCE_RLS", "true")];
    let to = |env: &[(&str, &str)], said: &str, is: &str| {
        let ended = setup(env);
        assert_eq!(ended.status, 0, "{ended}");
        assert!(ended.stderr.contains(said), "{ended}");
        let status = run(&db, &["status", "--format", "csv"]);
        assert!(status.stdout.contains(&format!("public.services,{is},")), "{ended}{status}");
    };
    to(&enforced, "phase enforce", "enforce");
    to(&[], "rls rollback --to prepare", "enforce");
    to(&[("RLS_ALLOW_NULL_TENANT", "false")], "rls rollback --to tighten", "enforce");
    to(&[("RLS_ALLOW_NULL_TENANT", "false"), ("FORCE_RLS", "false")], "phase tighten", "tighten");
    to(&enforced, "phase enforce", "enforce");
    to(&[("RLS_ALLOW_NULL_TENANT", "true")], "phase prepare", "prepare");
    // What no rollout did, no rollback takes back.
    let mut owner = db.owner().await;
    owner.run_script("forcing by hand", "ALTER TABLE services FORCE ROW LEVEL SECURITY").await.unwrap();
    owner.close().await;
    to(&[("RLS_ALLOW_NULL_TENANT", "true")], "phase prepare", "prepare");
}

#[tokio::test]
async fn the_proof_by_trying_passes_a_clean_table_and_names_a_leak() {
    let db = two_tenants().await;
    run(&db, &["rollout", "--tables", "services"]);
    let app = db.url(Role::AppUser);
    let verify = ["verify", "--tables", "services", "--app-url", app.expose(), "--write-probes"];
    redact(&db, || assert_snapshot!("rls_verify", run(&db, &verify)));
    let mut owner = db.owner().await;
    owner.run_script("leaking", "CREATE POLICY support ON services FOR SELECT USING (true)").await.unwrap();
    owner.close().await;
    redact(&db, || assert_snapshot!("rls_verify_leak", run(&db, &verify)));
}

#[tokio::test]
async fn nothing_is_proven_of_one_database_by_trying_in_another() {
    let (db, other) = (two_tenants().await, test_support::empty_database().await);
    let app = other.url(Role::AppUser);
    let ended = run(&db, &["verify", "--app-url", app.expose()]);
    assert_eq!(ended.status, 2, "{ended}");
    assert!(ended.stderr.contains("the application's URL leads to another database"), "{ended}");
    assert!(ended.stderr.contains("hint: give with --app-url"), "{ended}");
}

#[test]
fn policies_are_never_changed_on_a_database_that_nobody_named() {
    assert_snapshot!("rls_without_url", Place::new().run(&["rls", "rollout"]));
    let pooled =
        ["rls", "rollout", "--database-url", "postgresql://owner:pw@127.0.0.1:1/app?pgbouncer=true&sslmode=disable"];
    assert_eq!(Place::new().run(&pooled).status, 1, "it must answer before it can be told to be a pooler");
}

#[tokio::test]
async fn ddl_goes_past_a_pooler_or_not_at_all_and_a_write_is_confirmed() {
    let db = two_tenants().await;
    let url = format!("{}?pgbouncer=true", db.url(Role::Owner).expose());
    let place = Place::new();
    let refused = place.run(&["rls", "rollout", "--confirm", "127.0.0.1", "--database-url", &url]);
    redact(&db, || assert_snapshot!("rls_behind_a_pooler", refused));
    let direct = db.url(Role::Owner);
    let with = ["--database-url", &url, "--direct-url", direct.expose()];
    let past =
        place.run(&[&["rls", "rollout", "--tables", "audit_logs", "--confirm", "127.0.0.1"], &with[..]].concat());
    assert_eq!(past.status, 0, "{past}");
    assert!(past.stderr.contains("(from --direct-url)"), "{past}");
    let unconfirmed = place.run(&["rls", "rollback", "--database-url", direct.expose()]);
    assert_eq!(unconfirmed.status, 4, "{unconfirmed}");
}

#[tokio::test]
async fn a_pooler_that_the_url_does_not_tell_of_is_noticed_before_any_ddl() {
    let db = two_tenants().await;
    let Some(pooler) = TestPooler::before(&db, 6).await else { return };
    let (url, direct, place) = (pooler.silent_url(Role::Owner), db.url(Role::Owner), Place::new());
    let rollout =
        ["rls", "rollout", "--tables", "audit_logs", "--confirm", "127.0.0.1", "--database-url", url.expose()];
    let refused = place.run(&rollout);
    assert_eq!(refused.status, 4, "{refused}");
    assert!(refused.stderr.contains("a pooler stands between"), "{refused}");
    let not_direct = place.run(&[&rollout[..], &["--direct-url", url.expose()]].concat());
    assert_eq!(not_direct.status, 4, "{not_direct}");
    assert!(not_direct.stderr.contains("the direct URL leads through a pooler as well"), "{not_direct}");
    let done = place.run(&[&rollout[..], &["--direct-url", direct.expose()]].concat());
    assert_eq!(done.status, 0, "{done}");
    let (app, owner) = (pooler.silent_url(Role::AppUser), ["--database-url", url.expose()]);
    let verify = ["rls", "verify", "--tables", "audit_logs", "--write-probes", "--confirm", "127.0.0.1", "--app-url"];
    let tried = place.run(&[&verify[..], &[app.expose(), "--format", "json"], &owner].concat());
    assert_eq!(tried.status, 3, "the other tables are missing: {tried}");
    let report: serde_json::Value = serde_json::from_str(&tried.stdout).unwrap();
    assert_eq!(report["claim"]["covered"][0], "public.audit_logs", "{tried}");
    assert_eq!(report["findings"], serde_json::json!([]), "{tried}");
}

#[tokio::test]
async fn rollbacks_that_cannot_be_are_told_apart() {
    let db = two_tenants().await;
    redact(&db, || assert_snapshot!("rls_rollback_unknown_run", run(&db, &["rollback", "--run", "7"])));
    run(&db, &["rollout", "--phase", "prepare", "--tables", "bookings"]);
    let mut owner = db.owner().await;
    let change = "ALTER POLICY rls_tenant_isolation ON bookings USING (true)";
    owner.run_script("changing a policy", change).await.unwrap();
    owner.close().await;
    redact(&db, || assert_snapshot!("rls_rollback_drifted", run(&db, &["rollback", "--tables", "bookings"])));
}

#[tokio::test]
async fn the_other_jobs_go_on_under_force_as_the_filtered_owner() {
    let db = two_tenants().await;
    let url = db.url(Role::Owner);
    let job = |arguments: &[&str]| {
        let url = ["--no-progress", "--database-url", url.expose()];
        Place::new().run(&[arguments, &url[..]].concat())
    };
    let confirmed = ["--confirm", "127.0.0.1"];
    let rollout = || job(&[&["rls", "rollout"], &confirmed[..]].concat());
    let backfill = || job(&[&["backfill", "run", "bookings"], &confirmed[..]].concat());
    let held_up = rollout();
    assert_eq!(held_up.status, 3, "{held_up}");
    let over_the_bridge = backfill();
    assert_eq!(over_the_bridge.status, 0, "{over_the_bridge}");
    let enforced = rollout();
    assert_eq!(enforced.status, 0, "{enforced}");
    let audit = job(&["audit"]);
    assert!(audit.status == 0 && audit.to_string().contains("tenant_auditor"), "{audit}");
    let nothing_left = backfill();
    assert_eq!(nothing_left.status, 0, "{nothing_left}");
    let seed = job(&[&["seed-tenant-defaults", "--tenant", "acme"], &confirmed[..]].concat());
    assert_eq!(seed.status, 0, "{seed}");
    let mut superuser = db.superuser().await;
    let made = r#"SELECT (SELECT count(*) FROM organization_settings WHERE "tenantId" = 't_a'),
                         (SELECT count(*) FROM pg_class WHERE relname IN ('bookings', 'organization_settings') AND relforcerowsecurity)"#;
    let made: (i64, i64) = sqlx::query_as(made).fetch_one(superuser.connection()).await.unwrap();
    assert_eq!(made, (1, 2), "the seed wrote its row, and both tables are forced");
}

#[tokio::test]
async fn status_says_once_that_something_was_lost_and_names_all_of_it() {
    let db = two_tenants().await;
    let mut owner = db.owner().await;
    owner.run_script("making room", "DROP INDEX \"invoices_tenantId_idx\"").await.unwrap();
    assert_eq!(run(&db, &["rollout", "--tables", "invoices"]).status, 0);
    let push = "ALTER TABLE invoices ALTER COLUMN \"tenantId\" DROP NOT NULL; DROP INDEX \"invoices_tenantId_idx\"";
    owner.run_script("pushing a schema", push).await.unwrap();
    owner.close().await;
    let status = run(&db, &["status"]);
    let line = status.stdout.lines().find(|line| line.starts_with("public.invoices ")).unwrap();
    let lost = "lost since the rollout: NOT NULL on the tenant column, the index \"invoices_tenantId_idx\"";
    assert!(line.ends_with(lost), "{line}");
}

#[tokio::test]
async fn a_plan_becomes_a_migration_folder_and_nothing_is_left_half_written() {
    let db = two_tenants().await;
    let migrations = tempfile::tempdir().unwrap();
    let into = migrations.path().to_str().unwrap();
    let plan = ["plan", "--phase", "prepare", "--tables", "bookings", "--prisma"];
    let ended = run(&db, &[&plan[..], &[into]].concat());
    assert_eq!(ended.status, 0, "{ended}");
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(migrations.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let [name] = &names()[..] else { panic!("{:?}", names()) };
    let (timestamp, rest) = name.split_at(14);
    assert!(timestamp.bytes().all(|byte| byte.is_ascii_digit()) && rest == "_rls_prepare", "{name}");
    assert!(ended.stderr.contains(&format!("npx prisma migrate resolve --applied {name}")), "{ended}");
    let edits = std::fs::read_to_string(migrations.path().join(name).join("schema-edits.md")).unwrap();
    assert_snapshot!("rls_prisma_edits", edits);
    let sql = std::fs::read_to_string(migrations.path().join(name).join("migration.sql")).unwrap();
    assert!(sql.contains("ALTER TABLE \"public\".\"bookings\" ENABLE ROW LEVEL SECURITY$statement$;"), "{sql}");

    assert_eq!(run(&db, &["rollout", "--phase", "prepare", "--tables", "bookings"]).status, 0);
    let again = run(&db, &[&plan[..], &[into]].concat());
    assert!(again.stderr.contains("no step is left: no migration was written"), "{again}");
    assert_eq!(names().len(), 1);
}

#[tokio::test]
async fn a_migration_lists_the_edits_that_schema_prisma_lacks() {
    let db = two_tenants().await;
    let project = tempfile::tempdir().unwrap();
    let path = |name: &str| project.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir_all(path("prisma/migrations")).unwrap();
    let model = "model Booking {\n  id String @id\n  tenantId String?\n\
                 \x20 tenant Tenant? @relation(fields: [tenantId], references: [id])\n\n  @@map(\"bookings\")\n}\n";
    std::fs::write(path("prisma/schema.prisma"), model).unwrap();
    let plan = ["plan", "--tables", "bookings,audit_logs", "--prisma"];
    let ended = run(&db, &[&plan[..], &[&path("prisma/migrations")]].concat());
    assert_eq!(ended.status, 0, "{ended}");
    let folder = std::fs::read_dir(path("prisma/migrations")).unwrap().next().unwrap().unwrap().path();
    assert_snapshot!("rls_prisma_edits_of_a_schema", std::fs::read_to_string(folder.join("schema-edits.md")).unwrap());

    for (name, said) in [("nowhere.prisma", "is no schema of Prisma, and has none"), ("broken.prisma", "line 2")] {
        std::fs::write(path("broken.prisma"), "model A {\n  id = 3\n}").unwrap();
        let schema = path(name);
        let refused = run(&db, &[&plan[..], &[&path("prisma/migrations"), "--schema", &schema]].concat());
        assert_eq!(refused.status, 2, "{refused}");
        assert!(refused.stderr.contains(said), "{refused}");
    }
}

#[test]
fn a_migration_goes_into_a_folder_that_is_there() {
    let missing = Place::new().run(&["rls", "plan", "--local", "--prisma", "prisma/migrations"]);
    assert_snapshot!("rls_prisma_no_folder", missing);
}

#[tokio::test]
async fn a_column_is_added_where_one_way_leads_to_a_tenant_and_is_asked_about_where_several_do() {
    let db = two_tenants().await;
    let mut owner = db.owner().await;
    let made = "CREATE TABLE public.lines (id int PRIMARY KEY, booking_id text REFERENCES public.bookings, service_id text REFERENCES public.services);
                INSERT INTO public.lines SELECT 1, id, NULL FROM public.bookings WHERE \"tenantId\" IS NOT NULL LIMIT 1";
    owner.run_script("making a table", made).await.unwrap();
    owner.close().await;
    let several = run(&db, &["plan", "--add-column", "lines"]);
    assert_eq!(several.status, 2, "{several}");
    for said in ["booking_id to public.bookings, service_id to public.services", "--add-column public.lines=booking_id"]
    {
        assert!(several.stderr.contains(said), "{several}");
    }
    let none = run(&db, &["rollout", "--add-column", "Tenant"]);
    assert_eq!(none.status, 2, "{none}");
    let options = ["--add-column", "lines=booking_id", "--tables", "lines", "--phase", "prepare"];
    let planned = run(&db, &[&["plan"], &options[..]].concat());
    assert!(planned.stdout.contains("ADD COLUMN \"tenantId\""), "{planned}");
    let done = run(&db, &[&["rollout"], &options[..]].concat());
    assert!(
        done.stdout.contains("public.lines: 1 row got the tenant of the row that it points to (run 1); none is left"),
        "{done}"
    );
    let back = run(&db, &["rollback", "--to", "none"]);
    assert!(back.stdout.contains("public.lines: the column tenantId that a rollout had added is dropped"), "{back}");
}

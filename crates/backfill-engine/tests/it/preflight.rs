//! What is looked at before the first row, and what is refused for it.

use backfill_engine::{BackfillOptions, BackfillPlan, Error, OnConflict, Preflight, Trigger, UniqueViolations};
use local_db::Role;
use tenancy_config::UserError;
use tenancy_config::{Exit, Ident, Tenancy};
use tenant_inventory::Catalog;
use tenant_rls::ActingRole;
use test_support::TestDb;

use crate::support::{SMALL, allowing, connect, fast, planted, script};

async fn look_with(db: &TestDb, role: Role, table: &str, tenancy: &Tenancy) -> Result<Preflight, Error> {
    let database = connect(db, role).await;
    let catalog = Catalog::load(&database, tenancy).await?;
    let plan = BackfillPlan::new(&catalog, tenancy, table)?;
    let maintenance = ActingRole::Assumed(Ident::new("tenant_maintenance").unwrap());
    Preflight::inspect(&database, tenancy, &plan, OnConflict::Report, &maintenance, 1_000).await
}

async fn look(db: &TestDb, table: &str) -> Result<Preflight, Error> {
    look_with(db, Role::Owner, table, &Tenancy::default()).await
}

/// One of each kind of trigger on bookings.
const TRIGGERS: &str = r#"
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN NULL; END $$;
    CREATE TRIGGER any_column BEFORE UPDATE ON bookings FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE TRIGGER its_column AFTER UPDATE OF "tenantId", status ON bookings FOR EACH STATEMENT EXECUTE FUNCTION note();
    CREATE TRIGGER with_when AFTER UPDATE ON bookings FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION note();
    CREATE TRIGGER other_column BEFORE UPDATE OF status ON bookings FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE TRIGGER inserts BEFORE INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE TRIGGER switched_off BEFORE UPDATE ON bookings FOR EACH ROW EXECUTE FUNCTION touch();
    ALTER TABLE bookings DISABLE TRIGGER switched_off;
    CREATE TRIGGER on_replicas BEFORE UPDATE ON bookings FOR EACH ROW EXECUTE FUNCTION touch();
    ALTER TABLE bookings ENABLE REPLICA TRIGGER on_replicas"#;

#[tokio::test]
async fn triggers_that_would_fire_are_refused_until_tenancy_toml_allows_them() {
    let db = test_support::database().await;
    script(&mut db.owner().await, TRIGGERS).await;
    let error = look(&db, "bookings").await.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert_eq!(
        error.to_string(),
        "writing to public.bookings would fire what tenancy.toml does not allow: \
         the trigger any_column fires before each row, and runs public.touch; \
         the trigger its_column fires after each statement, and runs public.note; \
         the trigger with_when fires after each row, where its WHEN holds, and runs public.note"
    );
    assert_eq!(
        error.hint().unwrap(),
        "where that is meant, tenancy.toml says so: \
         [tables.bookings] allow_triggers = [\"any_column\", \"its_column\", \"with_when\"]; \
         it runs with the rights of tenant_maintenance: where it writes to other tables, that role needs rights on these"
    );
    let error = look_with(&db, Role::Owner, "bookings", &allowing(&["any_column", "with_when"])).await.unwrap_err();
    let hint = error.hint().unwrap();
    assert!(hint.to_string().ends_with("[\"any_column\", \"with_when\", \"its_column\"]"), "no word of rights: {hint}");
    let all = allowing(&["any_column", "its_column", "with_when"]);
    let preflight = look_with(&db, Role::Owner, "bookings", &all).await.unwrap();
    let states = |trigger: &Trigger| (trigger.name.clone(), trigger.enabled.clone(), trigger.fires);
    let states: Vec<_> = preflight.triggers.iter().map(states).collect();
    let expected = [
        ("any_column", "O", true),
        ("its_column", "O", true),
        ("on_replicas", "R", false),
        ("other_column", "O", false),
        ("switched_off", "D", false),
        ("with_when", "O", true),
    ];
    assert_eq!(states, expected.map(|(name, enabled, fires)| (name.to_owned(), enabled.to_owned(), fires)));
    assert_eq!(preflight.says().iter().filter(|says| says.contains("trigger")).count(), 3);
}

#[tokio::test]
async fn a_trigger_that_is_allowed_and_not_there_is_a_mistake() {
    let db = test_support::database().await;
    script(&mut db.owner().await, TRIGGERS).await;
    let error = look_with(&db, Role::Owner, "bookings", &allowing(&["anycolumn"])).await.unwrap_err();
    assert_eq!((error.exit(), error.hint()), (Exit::Usage, Some("did you mean `any_column`?".into())));
}

#[tokio::test]
async fn a_published_table_without_replica_identity_is_refused_before_the_server_refuses_every_row() {
    let db = test_support::database().await;
    let mut owner = db.superuser().await;
    let refused = r#"UPDATE bookings SET "tenantId" = "tenantId""#;
    for (identity, publication, passes) in [
        ("DEFAULT", "FOR ALL TABLES", true),
        ("FULL", "FOR ALL TABLES", true),
        ("NOTHING", "FOR ALL TABLES", false),
        ("NOTHING", "FOR TABLE bookings", false),
        ("NOTHING", "FOR TABLE bookings WITH (publish = 'insert')", true),
        ("NOTHING", "FOR TABLE services", true),
    ] {
        let set = tenant_rls::Template::new(
            "DROP PUBLICATION IF EXISTS p; ALTER TABLE bookings REPLICA IDENTITY :identity; CREATE PUBLICATION p :publication",
        );
        let set = set.fragment("identity", tenant_rls::Sql::from_static(identity));
        let set = set.fragment("publication", tenant_rls::Sql::from_static(publication)).build();
        owner.run_script("publishing", set).await.unwrap();
        let looked = look(&db, "bookings").await;
        let server = sqlx::query(refused).execute(owner.connection()).await;
        assert_eq!((looked.is_ok(), server.is_ok()), (passes, passes), "{identity} {publication}: {looked:?}");
        if let Err(error) = looked {
            assert_eq!(error.exit(), Exit::Refused);
            assert!(error.to_string().contains("while p publishes updates") && error.hint().is_some(), "{error}");
        }
    }
}

/// Services of two tenants and notes on them; a note gets the tenant of its service.
const NOTES: &str = r#"
    CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text);
    CREATE TABLE services (id text PRIMARY KEY, "tenantId" text);
    CREATE TABLE notes (id text PRIMARY KEY, "serviceId" text, slug text, email text, "row_key" text, "tenantId" text);
    INSERT INTO "Tenant" SELECT 't' || n, 't' || n, 'T' FROM generate_series(1, 2) n;
    INSERT INTO services SELECT 's' || n, 't' || n FROM generate_series(1, 2) n;
    INSERT INTO notes (id, "serviceId", slug, email, "tenantId") VALUES
        ('twin 1', 's1', 'twin', 'A@x', NULL), ('twin 2', 's1', 'twin', 'b@x', NULL), ('twin of another', 's2', 'twin', 'c@x', NULL),
        ('taken', 's1', 'there', 'd@x', NULL), ('takes', 's1', 'there', 'D@X', 't1'), ('free', 's2', 'there', 'e@x', NULL),
        ('null 1', 's1', NULL, 'f@x', NULL), ('null 2', 's1', NULL, 'a@x', NULL), ('nowhere', NULL, 'twin', 'g@x', NULL)"#;

fn notes() -> Tenancy {
    let text = "[tables.notes]\nsources = [{ name = \"service\", column = \"serviceId\", table = \"services\" }]";
    Tenancy::from_toml(text, std::path::Path::new("tenancy.toml")).unwrap()
}

async fn with_notes(indexes: &'static str) -> TestDb {
    let db = test_support::empty_database().await;
    let mut owner = db.owner().await;
    script(&mut owner, NOTES).await;
    script(&mut owner, indexes).await;
    db
}

fn keys(breaks: &UniqueViolations) -> Vec<&str> {
    breaks.rows.iter().map(|row| row.key.as_str()).collect()
}

#[tokio::test]
async fn rows_that_would_break_a_unique_key_are_found_whole_groups_of_them() {
    let db = with_notes(r#"CREATE UNIQUE INDEX notes_slug ON notes ("tenantId", slug)"#).await;
    let preflight = look_with(&db, Role::Owner, "notes", &notes()).await.unwrap();
    let [breaks] = preflight.unique_breaks.as_slice() else { panic!("{preflight:?}") };
    assert_eq!(keys(breaks), ["taken", "twin 1", "twin 2"]);
    assert_eq!(preflight.left_out(), ["taken", "twin 1", "twin 2"]);
    assert_eq!(breaks.compares, ["\"tenantId\"", "slug"]);
    assert_eq!(
        breaks.to_string(),
        "3 rows would break the unique key notes_slug on \"tenantId\", slug with the tenant that they are to get, and are left out: \
         taken (t1, there), twin 1 (t1, twin), twin 2 (t1, twin)"
    );
}

#[tokio::test]
async fn constraints_expressions_predicates_and_other_names_are_asked_as_the_index_asks_them() {
    let db = with_notes(
        r#"ALTER TABLE notes ADD CONSTRAINT by_slug UNIQUE (slug, "tenantId");
           CREATE UNIQUE INDEX by_email ON notes (lower(email), coalesce("tenantId", id)) WHERE email LIKE '%@%';
           CREATE UNIQUE INDEX partial ON notes (slug) WHERE "tenantId" IS NOT NULL AND slug <> 'there';
           CREATE UNIQUE INDEX odd ON notes ("tenantId", row_key);
           CREATE UNIQUE INDEX without ON notes (email)"#,
    )
    .await;
    let preflight = look_with(&db, Role::Owner, "notes", &notes()).await.unwrap();
    let found: Vec<(&str, Vec<&str>)> =
        preflight.unique_breaks.iter().map(|breaks| (breaks.index.as_str(), keys(breaks))).collect();
    assert_eq!(
        found,
        [
            ("by_email", vec!["null 2", "taken", "twin 1"]),
            ("by_slug", vec!["taken", "twin 1", "twin 2"]),
            ("partial", vec!["twin 1", "twin 2", "twin of another"]),
        ]
    );
    assert_eq!(preflight.left_out(), ["null 2", "taken", "twin 1", "twin 2", "twin of another"]);
}

#[tokio::test]
async fn where_nulls_are_equal_they_break_the_key_too() {
    let db = with_notes("INSERT INTO notes (id, email, \"tenantId\") VALUES ('stored', 'b@x', 't1')").await;
    let mut owner = db.owner().await;
    let version = "SELECT current_setting('server_version_num')::bigint";
    if crate::support::number(&mut owner, version).await < 150_000 {
        script(&mut owner, r#"CREATE UNIQUE INDEX by_email ON notes ("tenantId", email, coalesce(row_key, ''))"#).await;
    } else {
        script(&mut owner, r#"CREATE UNIQUE INDEX by_email ON notes ("tenantId", email, row_key) NULLS NOT DISTINCT"#)
            .await;
    }
    let preflight = look_with(&db, Role::Owner, "notes", &notes()).await.unwrap();
    assert_eq!(preflight.left_out(), ["twin 2"]);
}

#[tokio::test]
async fn a_key_that_nobody_may_read_is_named_and_does_not_stop_it() {
    let db = with_notes(
        r#"CREATE UNIQUE INDEX notes_slug ON notes ("tenantId", slug);
           GRANT SELECT ON services, "Tenant" TO app_user; GRANT SELECT (id, "serviceId", "tenantId") ON notes TO app_user"#,
    )
    .await;
    let preflight = look_with(&db, Role::AppUser, "notes", &notes()).await.unwrap();
    assert_eq!((preflight.unique_breaks.len(), preflight.unchecked_keys.len()), (0, 1));
    // The sentence, and what is in the way as values.
    let unchecked = serde_json::to_value(&preflight.unchecked_keys[0]).unwrap();
    assert!(unchecked["why"].as_str().unwrap().contains("app_user may not select slug"), "{unchecked}");
    let obstacles = unchecked["obstacles"].as_array().unwrap();
    let slug = |one: &serde_json::Value| one["obstacle"] == "no_right" && one["columns"][0] == "slug";
    assert!(obstacles.iter().any(slug), "{unchecked}");
}

#[tokio::test]
async fn so_many_breaks_that_it_is_not_about_rows_are_refused() {
    let db = with_notes(
        r#"CREATE UNIQUE INDEX notes_slug ON notes ("tenantId", slug);
           INSERT INTO notes (id, "serviceId", slug) SELECT 'n' || n, 's1', 'same' FROM generate_series(1, 10001) n"#,
    )
    .await;
    let error = look_with(&db, Role::Owner, "notes", &notes()).await.unwrap_err();
    assert_eq!((error.exit(), error.hint().is_some()), (Exit::Refused, true));
    assert!(
        error.to_string().starts_with("10004 rows of public.notes would break the unique key notes_slug"),
        "{error}"
    );
}

#[tokio::test]
async fn what_it_will_cost_is_estimated_once_the_table_was_analyzed() {
    let (db, _) = planted(&SMALL).await;
    script(&mut db.owner().await, "ANALYZE bookings").await;
    let preflight = look(&db, "bookings").await.unwrap();
    let space = preflight.space.clone().unwrap();
    let sizes = "SELECT pg_relation_size('bookings') + pg_indexes_size('bookings')";
    let bytes = crate::support::number(&mut db.owner().await, sizes).await as f64;
    // A fifth of the rows; the free space maps of indexes are no part of it.
    assert!((0.15..0.25).contains(&(space.growth_bytes as f64 / bytes)), "{space:?} of {bytes}");
    assert!(space.wal_bytes > space.growth_bytes && space.rows == 1_000 && space.indexes == 9, "{space:?}");
    assert!(preflight.says().last().unwrap().contains("SQL does not tell how much disk is free"));

    let db = test_support::database().await;
    let unknown = look(&db, "bookings").await.unwrap();
    assert_eq!(unknown.space, None);
}

#[tokio::test]
async fn a_slot_that_nobody_reads_from_is_a_finding() {
    let server = test_support::throwaway_server(None).await;
    let mut superuser = server.connect(Role::Superuser).await;
    script(&mut superuser, "ALTER SYSTEM SET wal_level = 'replica'").await;
    script(&mut superuser, "ALTER SYSTEM SET max_slot_wal_keep_size = '100MB'").await;
    server.stop().await;
    server.start_again().await;
    let mut superuser = server.connect(Role::Superuser).await;
    script(&mut superuser, "SELECT pg_create_physical_replication_slot('forgotten', true)").await;
    script(&mut superuser, "SELECT pg_switch_wal(); CHECKPOINT").await;
    let database = tenant_rls::Database::connect(&server.url(Role::Owner), &Default::default()).await.unwrap();
    let tenancy = Tenancy::default();
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    let plan = BackfillPlan::new(&catalog, &tenancy, "bookings").unwrap();
    let login = ActingRole::Login("app_owner".into());
    let preflight = Preflight::inspect(&database, &tenancy, &plan, OnConflict::Report, &login, 0).await.unwrap();
    let [slot] = preflight.replication.idle_slots.as_slice() else { panic!("{preflight:?}") };
    assert_eq!((slot.name.as_str(), preflight.replication.slot_limit_bytes), ("forgotten", Some(100 << 20)));
    let says = preflight.says().join("\n");
    assert!(says.contains("nobody reads from the slot forgotten") && says.contains("until 105 MB are kept"), "{says}");
}

#[tokio::test]
async fn rows_that_would_break_a_key_are_reported_as_a_class_and_all_others_assigned() {
    let db = with_notes(r#"CREATE UNIQUE INDEX notes_slug ON notes ("tenantId", slug)"#).await;
    for dry_run in [true, false] {
        let options = BackfillOptions { dry_run, ..fast() };
        let report =
            crate::support::backfill_table(&db, Role::Owner, "notes", &notes(), &options, &mut |_| {}).await.unwrap();
        assert_eq!((report.assigned, report.unique_breaks, report.assignable), (4, 3, 0));
        assert_eq!((report.unresolved, report.failed.len(), report.remaining, report.passes), (1, 0, 4, 1));
        let breaks = &report.preflight.unwrap().unique_breaks;
        assert_eq!(keys(&breaks[0]), ["taken", "twin 1", "twin 2"]);
    }
    let left = r#"SELECT string_agg(id, ', ' ORDER BY id) FROM notes WHERE "tenantId" IS NULL"#;
    let left: String = sqlx::query_scalar(left).fetch_one(db.superuser().await.connection()).await.unwrap();
    assert_eq!(left, "nowhere, taken, twin 1, twin 2");
}

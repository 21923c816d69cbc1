//! What a write does besides writing: rules, triggers that change what was written, tables that are written in several places.

use backfill_engine::{BackfillReport, Error};
use local_db::Role;
use tenancy_config::{Exit, Tenancy, UserError};
use tenant_inventory::class::Unhandled;
use test_support::TestDb;

use crate::reviewed::Reviewed;
use crate::support::{allowing, backfill_table, fast, number, script};
use crate::undo::undo_with;

const NOTES: &str = r#"
    CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text);
    CREATE TABLE services (id text PRIMARY KEY, "tenantId" text);
    CREATE TABLE notes (id int PRIMARY KEY, "serviceId" text, "tenantId" text);
    CREATE TABLE log (what text);
    INSERT INTO "Tenant" VALUES ('a', 'a', 'A'), ('b', 'b', 'B');
    INSERT INTO services VALUES ('s', 'a');
    INSERT INTO notes SELECT n, 's' FROM generate_series(1, 5) AS n;
"#;

fn notes(allowed: &str) -> Tenancy {
    let text = format!(
        "[tables.notes]\n{allowed}\nsources = [{{ name = \"service\", column = \"serviceId\", table = \"services\" }}]"
    );
    Tenancy::from_toml(&text, "tenancy.toml".as_ref()).unwrap()
}

async fn database(script_: &'static str) -> TestDb {
    let db = test_support::empty_database().await;
    let mut owner = db.owner().await;
    script(&mut owner, NOTES).await;
    script(&mut owner, script_).await;
    db
}

async fn run(db: &TestDb, allowed: &str) -> Result<BackfillReport, Error> {
    backfill_table(db, Role::Owner, "notes", &notes(allowed), &fast(), &mut |_| {}).await
}

const RULE: &str = "CREATE RULE note_log AS ON UPDATE TO notes DO ALSO INSERT INTO log VALUES ('note ' || NEW.id)";

#[tokio::test]
async fn a_rule_on_update_is_announced_and_refused_until_tenancy_toml_allows_it() {
    let db = database(RULE).await;
    let refused = run(&db, "").await.unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("the rule note_log acts beside each such statement: CREATE RULE note_log AS"), "{text}");
    assert_eq!(refused.exit(), Exit::Refused);
    let hint = "where that is meant, tenancy.toml says so: [tables.notes] allow_rules = [\"note_log\"]";
    assert_eq!(refused.hint().unwrap().to_string(), hint);
    assert_eq!(number(&mut db.superuser().await, "SELECT count(*) FROM log").await, 0);
    let report = run(&db, "allow_rules = [\"note_log\"]").await.unwrap();
    assert_eq!((report.assigned, report.remaining), (5, 0));
    let preflight = report.preflight.unwrap();
    assert_eq!((preflight.rules[0].name.as_str(), preflight.rules[0].instead), ("note_log", false));
    assert!(preflight.says().iter().any(|says| says.contains("note_log")), "{:?}", preflight.says());
    let unknown = run(&db, "allow_rules = [\"notelog\"]").await;
    assert!(unknown.is_ok(), "nothing is left to write");
    let undo = undo_with(&db, &notes(""), report.run.unwrap(), false).await.unwrap_err();
    assert!(matches!(undo, Error::Rules(_)), "an undo writes, too: {undo}");
}

#[tokio::test]
async fn a_rule_that_is_allowed_and_not_there_is_a_mistake() {
    let db = database(RULE).await;
    let error = run(&db, "allow_rules = [\"notelog\"]").await.unwrap_err();
    assert_eq!((error.exit(), error.hint().unwrap().to_string().as_str()), (Exit::Usage, "did you mean `note_log`?"));
}

/// Each of these leaves note 3 with another tenant than the one that is written.
const CHANGING: [&str; 2] = [
    "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN IF NEW.id = 3 THEN NEW.\"tenantId\" := 'b'; END IF; RETURN NEW; END $$;
     CREATE TRIGGER change BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION change()",
    "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN UPDATE notes SET \"tenantId\" = 'b' WHERE id = 3 AND \"tenantId\" = 'a'; RETURN NULL; END $$;
     CREATE TRIGGER change AFTER UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION change()",
];

#[tokio::test]
async fn a_trigger_that_changes_what_was_written_is_a_finding_and_no_success() {
    for changing in CHANGING {
        let db = database(changing).await;
        let report = run(&db, "allow_triggers = [\"change\"]").await.unwrap();
        let failed: Vec<&str> = report.failed.iter().map(|failed| failed.key.as_str()).collect();
        assert_eq!((report.assigned, report.remaining, failed), (4, 1, vec!["3"]), "{changing}");
        assert!(report.failed[0].error.contains("changed the tenant"), "{:?}", report.failed);
        let journal = "SELECT count(*) FROM tenant_ops.journal WHERE row_keys @> ARRAY['3']";
        assert_eq!(number(&mut db.superuser().await, journal).await, 0, "{changing}");
    }
}

#[tokio::test]
async fn decisions_are_not_written_past_a_trigger_that_nobody_allowed_or_that_changes_them() {
    let mut reviewed = Reviewed::bookings().await;
    let changing = r#"
        CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW."tenantId" := 't_b'; RETURN NEW; END $$;
        CREATE TRIGGER change BEFORE UPDATE ON bookings FOR EACH ROW EXECUTE FUNCTION change()"#;
    script(&mut reviewed.db.superuser().await, changing).await;
    reviewed.decide("b_1", "t_a");
    let text = reviewed.text(b',', csv::Terminator::Any(b'\n'));
    let refused = reviewed.apply_text(&text).await.unwrap_err();
    assert!(matches!(refused, Error::Triggers(_)), "{refused}");
    let before = reviewed.tenants().await;
    reviewed.tenancy = allowing(&["change"]);
    let report = reviewed.apply_text(&text).await.unwrap();
    assert_eq!((report.applied, report.refusals.len()), (0, 1), "{:?}", report.refusals);
    assert_eq!(reviewed.tenants().await, before);
}

/// What Citus leaves in the catalog of a database whose notes it has distributed.
const DISTRIBUTED: &str = "
    SET allow_system_table_mods = on;
    CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass);
    INSERT INTO pg_catalog.pg_dist_partition VALUES ('public.notes');
    GRANT SELECT ON pg_catalog.pg_dist_partition TO PUBLIC;
    INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
    VALUES (9999, 'citus', 10, 'pg_catalog'::regnamespace, false, '13.2')";

#[tokio::test]
async fn a_distributed_table_is_refused_by_name_before_a_row_is_written_in_each_shard() {
    let db = database("SELECT 1").await;
    script(&mut db.superuser().await, DISTRIBUTED).await;
    let refused = run(&db, "").await.unwrap_err();
    assert!(matches!(&refused, Error::Unhandled { why, .. } if **why == Unhandled::Distributed), "{refused}");
    assert_eq!(refused.to_string(), "public.notes cannot be written: Citus keeps its rows on several nodes (tenantId)");
    assert_eq!(refused.exit(), Exit::Refused);
    let with_tenant = r#"SELECT count("tenantId") FROM notes"#;
    assert_eq!(number(&mut db.superuser().await, with_tenant).await, 0);
}

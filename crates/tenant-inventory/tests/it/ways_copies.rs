//! Triggers and rules that copy rows to where no policy protects them, each beside a neighbour that does not.

use tenant_inventory::{Severity, Unreadable, Way, WayObject, WayVerdict};

use crate::ways_support::{as_login, find, is_closed, is_open, of, plant, planted, ways, ways_with};

const FEEDS: &str = "public.bookings.feeds";

/// A function of triggers that writes to `feed`.
const FEED: &str = r#"CREATE TABLE feed (said text);
    CREATE FUNCTION feed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
        BEGIN INSERT INTO feed SELECT NEW.notes FROM countries RIGHT JOIN (SELECT) AS one ON true; RETURN NEW; END $$;
    REVOKE EXECUTE ON FUNCTION feed FROM PUBLIC;
    CREATE TRIGGER feeds AFTER INSERT OR UPDATE ON bookings FOR EACH ROW EXECUTE FUNCTION feed()"#;

const WRITES: &str = r#"UPDATE bookings SET notes = notes"#;

/// Fails unless the login reads what both tenants wrote.
const READS: &str = "DO $$ BEGIN ASSERT (SELECT count(DISTINCT said) FROM feed) = 2; END $$";

fn copies(ways: &[Way]) -> Vec<&Way> {
    ways.iter().filter(|way| matches!(way.object, WayObject::Copy { .. })).collect()
}

#[tokio::test]
async fn a_trigger_that_copies_rows_to_where_the_login_reads_them_is_a_way() {
    let db = planted(FEED).await;
    is_closed(&ways(&db).await, FEEDS);
    plant(&db, "GRANT INSERT ON feed TO app_user").await;
    is_closed(&ways(&db).await, FEEDS);
    plant(&db, WRITES).await;
    assert!(as_login(&db, READS).await.is_err());
    plant(&db, "GRANT SELECT ON feed TO app_user").await;
    let found = ways(&db).await;
    is_open(&found, FEEDS);
    as_login(&db, READS).await.unwrap();
    let [way] = copies(&found)[..] else { panic!("{found:?}") };
    assert_eq!(
        (way.severity(), way.closing.as_deref()),
        (Severity::High, Some("REVOKE SELECT ON public.feed FROM app_user"))
    );
    assert_eq!(
        way.to_string(),
        "the trigger \"feeds\" of public.bookings with the function public.feed() copies rows of public.bookings to public.feed, which no policy protects: app_user has SELECT"
    );
    plant(&db, "REVOKE SELECT ON public.feed FROM app_user").await;
    is_closed(&ways(&db).await, FEEDS);
}

#[tokio::test]
async fn a_trigger_copies_as_whoever_writes_too_and_through_functions_views_partitions_and_other_triggers() {
    let db = planted(
        r#"CREATE TABLE feed (said text); GRANT SELECT, INSERT ON feed TO app_user;
           CREATE FUNCTION feed() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN INSERT INTO public.feed VALUES (NEW.notes); RETURN NULL; END $$;
           CREATE TRIGGER feeds AFTER INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION feed();
           CREATE FUNCTION note(said text) RETURNS void LANGUAGE sql BEGIN ATOMIC INSERT INTO feed VALUES (said); END;
           CREATE FUNCTION by_call() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM note(NEW.notes); RETURN NULL; END $$;
           CREATE TRIGGER by_call AFTER INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION by_call();
           CREATE TABLE hidden (said text); CREATE VIEW shown AS SELECT * FROM hidden; GRANT SELECT ON shown TO app_user;
           CREATE FUNCTION by_view() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE ONLY "hidden" SET said = NEW.notes; RETURN NULL; END $$;
           CREATE TRIGGER by_view AFTER INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION by_view();
           CREATE TABLE first (said text); CREATE RULE goes_on AS ON INSERT TO first DO ALSO INSERT INTO feed VALUES (NEW.said);
           CREATE FUNCTION by_rule() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO first VALUES (NEW.notes); RETURN NULL; END $$;
           CREATE TRIGGER by_rule AFTER INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION by_rule();
           CREATE FUNCTION by_partition() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO feed VALUES (NEW.id::text); RETURN NULL; END $$;
           CREATE TRIGGER by_partition AFTER INSERT ON visits_2025 FOR EACH ROW EXECUTE FUNCTION by_partition()"#,
    )
    .await;
    let found = ways(&db).await;
    for name in ["feeds", "by_call", "by_rule"] {
        let copies = copies(&found);
        let mut open = copies.iter().filter(|way| way.verdict == WayVerdict::Open);
        assert!(open.any(|way| way.review_name() == format!("public.bookings.{name}")), "{name} in {copies:#?}");
    }
    is_open(&found, "public.bookings.by_view");
    assert_eq!(
        of(&found, "public.bookings.by_view").closing.as_deref(),
        Some("REVOKE SELECT ON public.shown FROM app_user")
    );
    is_open(&found, "public.visits_2025.by_partition");
    plant(&db, "CREATE TRIGGER of_parent AFTER INSERT ON visits FOR EACH ROW EXECUTE FUNCTION by_partition()").await;
    let found = ways(&db).await;
    is_open(&found, "public.visits.of_parent");
    assert_eq!(find(&found, "public.visits_2025.of_parent"), None);
}

#[tokio::test]
async fn a_rule_that_copies_rows_is_a_way() {
    let db = planted(
        r#"CREATE TABLE feed (said text);
           CREATE RULE feeds AS ON INSERT TO bookings DO ALSO INSERT INTO feed SELECT NEW.notes FROM countries"#,
    )
    .await;
    is_closed(&ways(&db).await, FEEDS);
    plant(&db, "GRANT SELECT ON feed TO PUBLIC").await;
    let found = ways(&db).await;
    is_open(&found, FEEDS);
    assert_eq!(of(&found, FEEDS).closing.as_deref(), Some("REVOKE SELECT ON public.feed FROM PUBLIC"));
}

#[tokio::test]
async fn a_trigger_that_writes_to_protected_tables_or_reads_others_copies_nothing() {
    let db = planted(
        r#"CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN INSERT INTO visits VALUES (1, NEW."tenantId", (SELECT now() FROM countries LIMIT 1)); RETURN NEW; END $$;
           CREATE TRIGGER stays AFTER INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION stays();
           CREATE FUNCTION touches() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN NEW.notes := (SELECT code FROM countries LIMIT 1); RETURN NEW; END $$;
           CREATE TRIGGER touches BEFORE UPDATE ON bookings FOR EACH ROW EXECUTE FUNCTION touches();
           CREATE FUNCTION copies() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO cmd VALUES (NEW.code); RETURN NULL; END $$;
           CREATE TRIGGER copies AFTER INSERT ON countries FOR EACH ROW EXECUTE FUNCTION copies()"#,
    )
    .await;
    let found = ways(&db).await;
    assert_eq!(copies(&found), [] as [&Way; 0]);
}

#[tokio::test]
async fn a_table_that_is_declared_exempt_may_be_copied_to() {
    let db = planted(FEED).await;
    plant(&db, "GRANT SELECT ON feed TO app_user").await;
    is_open(&ways(&db).await, FEEDS);
    let found = ways_with(&db, "[tables.feed]\nexempt = \"a feed for the platform\"\n").await;
    is_closed(&found, FEEDS);
    assert!(of(&found, FEEDS).to_string().ends_with("exempt: a feed for the platform"), "{}", of(&found, FEEDS));
    let found = ways_with(&db, "[tables.cmd]\nexempt = \"commands\"\n").await;
    is_open(&found, FEEDS);
}

#[tokio::test]
async fn a_trigger_whose_text_runs_a_statement_is_to_be_reviewed_where_the_login_fires_it() {
    let db = planted(
        r#"CREATE FUNCTION audits() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN EXECUTE format('INSERT INTO %I VALUES ($1)', TG_ARGV[0]) USING NEW.id; RETURN NULL; END $$;
           CREATE TRIGGER feeds AFTER INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION audits('cmd')"#,
    )
    .await;
    let why = Unreadable::Statement { word: "execute".into() };
    assert_eq!(of(&ways(&db).await, FEEDS).verdict, WayVerdict::NeedsReview { why });
    plant(&db, "REVOKE INSERT ON bookings FROM app_user").await;
    assert_eq!(find(&ways(&db).await, FEEDS), None);
}

#[tokio::test]
async fn what_a_trigger_keeps_in_the_tenant_table_is_no_copy() {
    let db = planted(
        r#"ALTER TABLE "Tenant" ADD COLUMN bookings int NOT NULL DEFAULT 0;
           CREATE FUNCTION count_them() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN UPDATE public."Tenant" SET bookings = bookings + 1 WHERE id = NEW."tenantId"; RETURN NULL; END $$;
           CREATE TRIGGER counts AFTER INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION count_them()"#,
    )
    .await;
    assert!(copies(&ways(&db).await).is_empty());
}

/// Every session may listen, so what a trigger sends goes to all tenants.
#[tokio::test]
async fn a_trigger_that_sends_a_notification_is_to_be_reviewed() {
    let db = planted(
        "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('bookings', NEW.notes); RETURN NULL; END $$;
         CREATE TRIGGER feeds AFTER INSERT OR UPDATE ON bookings FOR EACH ROW EXECUTE FUNCTION tell()",
    )
    .await;
    let found = ways(&db).await;
    let why = Unreadable::Statement { word: "pg_notify".to_owned() };
    assert_eq!(of(&found, FEEDS).verdict, WayVerdict::NeedsReview { why });
    plant(&db, "CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NOTIFY bookings; RETURN NULL; END $$").await;
    is_closed(&ways(&db).await, FEEDS);
}

//! Triggers that a foreign key fires as the owner of their table, each beside a neighbour that is no way.

use tenant_inventory::{Reach, Way, WayObject, WayVerdict};

use crate::ways_support::{as_login, plant, planted, told, ways};

const KEYS: &str = r#"
    CREATE TABLE notes (id int PRIMARY KEY, booking text REFERENCES bookings ON DELETE CASCADE);
    CREATE TABLE log (said text);
    ALTER TABLE notes OWNER TO app_owner;
    ALTER TABLE log OWNER TO app_owner;
    INSERT INTO notes VALUES (1, 'a');
    CREATE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ('gone'); RETURN OLD; END $$;
    CREATE TRIGGER tells BEFORE DELETE ON notes FOR EACH ROW EXECUTE FUNCTION tells();
"#;

fn cascaded(ways: &[Way]) -> Option<(&Way, Option<&str>)> {
    ways.iter().find_map(|way| match &way.object {
        WayObject::CascadedTrigger { looked_up, .. } => Some((way, looked_up.as_deref())),
        _ => None,
    })
}

/// The trigger runs as the owner of the tables, who switches policies off.
#[tokio::test]
async fn a_name_without_a_schema_in_a_trigger_that_a_key_fires_is_the_logins_to_choose() {
    let db = planted(KEYS).await;
    let found = ways(&db).await;
    let (way, looked_up) = cascaded(&found).unwrap_or_else(|| panic!("{:#?}", told(&found)));
    assert_eq!((looked_up, &way.verdict), (Some("log"), &WayVerdict::Open), "{way}");
    assert!(matches!(&way.reach, Reach::Fires { table, .. } if table.to_string() == "public.bookings"), "{way}");
    let closing = "ALTER ROUTINE public.tells() SET search_path = pg_catalog, public, pg_temp";
    assert_eq!(way.closing.as_deref(), Some(closing));
    let takes = "CREATE FUNCTION pg_temp.off() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN EXECUTE 'ALTER TABLE public.visits_2025 DISABLE ROW LEVEL SECURITY'; RETURN NEW; END $$;
        CREATE TEMP TABLE log (said text); GRANT INSERT ON log TO PUBLIC;
        CREATE TRIGGER off BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION pg_temp.off();
        SELECT set_config('app.current_tenant_id', 't_a', true);
        DELETE FROM bookings WHERE id = 'a';
        DO $$ BEGIN ASSERT (SELECT count(*) FROM visits_2025) = 2; END $$";
    as_login(&db, takes).await.unwrap();
    plant(&db, closing).await;
    let found = ways(&db).await;
    assert!(cascaded(&found).is_none(), "{:#?}", told(&found));
}

#[tokio::test]
async fn a_trigger_that_no_key_of_the_login_fires_is_no_way() {
    for harmless in [
        "REVOKE DELETE, UPDATE ON bookings FROM app_user",
        "DROP TRIGGER tells ON notes; CREATE TRIGGER tells BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION tells()",
        "ALTER TABLE notes DROP CONSTRAINT notes_booking_fkey, ADD FOREIGN KEY (booking) REFERENCES bookings",
        "CREATE OR REPLACE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.log VALUES ('gone'); RETURN OLD; END $$",
        "DO $$ BEGIN EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database()); END $$; REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    ] {
        let db = planted(KEYS).await;
        assert!(cascaded(&ways(&db).await).is_some());
        plant(&db, harmless).await;
        let found = ways(&db).await;
        assert!(cascaded(&found).is_none(), "{harmless}: {:#?}", told(&found));
    }
}

#[tokio::test]
async fn a_trigger_that_runs_any_text_as_the_owner_is_a_way_where_a_key_fires_it() {
    let db = planted(KEYS).await;
    let runs = "CREATE OR REPLACE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
        BEGIN EXECUTE format('INSERT INTO public.log VALUES (%L)', OLD.id); RETURN OLD; END $$";
    plant(&db, runs).await;
    let found = ways(&db).await;
    let (way, looked_up) = cascaded(&found).unwrap_or_else(|| panic!("{:#?}", told(&found)));
    assert_eq!((looked_up, &way.verdict), (None, &WayVerdict::Open));
    assert!(way.review_hash().is_some(), "{way}");
}

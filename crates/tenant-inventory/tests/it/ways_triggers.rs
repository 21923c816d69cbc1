//! Triggers whose functions run as their owner, each beside a neighbour that leads nowhere.

use tenant_inventory::{Reach, WayVerdict};

use crate::ways_support::{as_login, find, is_closed, is_open, of, plant, planted, ways};

const COPIES: &str = r#"CREATE FUNCTION copies() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN NEW.t := (SELECT count(*)::text FROM bookings); RETURN NEW; END $$;
    REVOKE EXECUTE ON FUNCTION copies FROM PUBLIC;"#;

#[tokio::test]
async fn a_trigger_of_a_table_that_the_login_writes_to_is_a_way() {
    let db = planted(COPIES).await;
    let function = "public.copies()";
    is_closed(&ways(&db).await, function);
    plant(&db, "CREATE TABLE locked (t text); CREATE TRIGGER copies BEFORE INSERT ON locked FOR EACH ROW EXECUTE FUNCTION copies()").await;
    is_closed(&ways(&db).await, function);
    plant(&db, "CREATE TRIGGER copies BEFORE UPDATE ON cmd FOR EACH ROW EXECUTE FUNCTION copies()").await;
    is_closed(&ways(&db).await, function);
    plant(&db, "DROP TABLE locked; DROP TRIGGER copies ON cmd; CREATE TRIGGER copies BEFORE INSERT ON cmd FOR EACH ROW EXECUTE FUNCTION copies()")
        .await;
    let found = ways(&db).await;
    is_open(&found, function);
    assert!(
        of(&found, function).to_string().contains("the trigger \"copies\" of public.cmd"),
        "{}",
        of(&found, function)
    );
    let seen = "BEGIN; INSERT INTO cmd VALUES ('x'); DO $$ BEGIN ASSERT (SELECT t FROM cmd) = '2'; END $$; ROLLBACK";
    as_login(&db, seen).await.unwrap();
}

#[tokio::test]
async fn a_trigger_is_fired_through_views_rules_partitions_and_cascades() {
    let db = planted(
        r#"CREATE FUNCTION copies() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
               BEGIN INSERT INTO cmd SELECT id FROM bookings; RETURN NULL; END $$;
           REVOKE EXECUTE ON FUNCTION copies FROM PUBLIC;
           CREATE TABLE behind_view (t text); CREATE VIEW front AS SELECT * FROM behind_view; GRANT INSERT ON front TO app_user;
           CREATE TRIGGER by_view AFTER INSERT ON behind_view FOR EACH ROW EXECUTE FUNCTION copies();
           CREATE VIEW instead AS SELECT 1 AS t; GRANT INSERT ON instead TO app_user;
           CREATE TRIGGER by_instead INSTEAD OF INSERT ON instead FOR EACH ROW EXECUTE FUNCTION copies();
           CREATE TABLE behind_rule (t text);
           CREATE RULE goes_on AS ON INSERT TO cmd DO ALSO INSERT INTO behind_rule VALUES ('x');
           CREATE TRIGGER by_rule AFTER INSERT ON behind_rule FOR EACH ROW EXECUTE FUNCTION copies();
           CREATE TABLE notes (booking text REFERENCES bookings ON DELETE CASCADE);
           CREATE TRIGGER by_cascade AFTER DELETE ON notes FOR EACH ROW EXECUTE FUNCTION copies();
           CREATE TRIGGER by_partition AFTER INSERT ON visits_2025 FOR EACH ROW EXECUTE FUNCTION copies();
           REVOKE INSERT ON visits_2025 FROM app_user;
           CREATE TABLE beside (t text);
           CREATE TRIGGER nowhere AFTER INSERT ON beside FOR EACH ROW EXECUTE FUNCTION copies()"#,
    )
    .await;
    let found = ways(&db).await;
    let trigger = |name: &str| {
        let named = |way: &&tenant_inventory::Way| way.object.to_string().contains(&format!("the trigger \"{name}\""));
        found.iter().find(named).unwrap_or_else(|| panic!("{name}"))
    };
    for name in ["by_view", "by_instead", "by_rule", "by_cascade", "by_partition"] {
        assert_eq!(trigger(name).verdict, WayVerdict::Open, "{}", trigger(name));
    }
    assert_eq!(trigger("nowhere").verdict, WayVerdict::Closed);
    assert!(matches!(&trigger("by_view").reach, Reach::Fires { table, .. } if table.to_string() == "public.front"));
}

/// Whoever may execute a function for triggers can hang it on a temporary table, and it runs as its owner.
#[tokio::test]
async fn a_trigger_function_that_everybody_may_execute_can_be_hung_on_a_table_of_ones_own() {
    let db = planted(COPIES).await;
    plant(&db, "GRANT EXECUTE ON FUNCTION copies TO PUBLIC").await;
    let found = ways(&db).await;
    is_open(&found, "public.copies()");
    assert!(matches!(of(&found, "public.copies()").reach, Reach::Attaches { .. }));
    let own = r#"CREATE TEMP TABLE own (t text);
        CREATE TRIGGER own BEFORE INSERT ON own FOR EACH ROW EXECUTE FUNCTION public.copies();
        INSERT INTO own VALUES ('x');
        DO $$ BEGIN ASSERT (SELECT t FROM own) = '2'; END $$"#;
    as_login(&db, own).await.unwrap();
    let database = "DO $$ BEGIN EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database()); END $$";
    plant(&db, database).await;
    plant(&db, "REVOKE CREATE ON SCHEMA public FROM PUBLIC, app_user").await;
    is_closed(&ways(&db).await, "public.copies()");
    assert!(as_login(&db, "CREATE TEMP TABLE own (t text)").await.is_err());
}

#[tokio::test]
async fn a_trigger_function_that_runs_as_the_writer_is_no_way() {
    let db = planted(
        r#"CREATE FUNCTION counts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.t := (SELECT count(*)::text FROM bookings); RETURN NEW; END $$;
           CREATE TRIGGER counts BEFORE INSERT ON cmd FOR EACH ROW EXECUTE FUNCTION counts();
           CREATE FUNCTION clean() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN NEW.t := upper(NEW.t); RETURN NEW; END $$;
           CREATE TRIGGER clean BEFORE INSERT ON cmd FOR EACH ROW EXECUTE FUNCTION clean()"#,
    )
    .await;
    let found = ways(&db).await;
    assert_eq!(find(&found, "public.counts()"), None);
    assert_eq!(find(&found, "public.clean()"), None);
}

#[tokio::test]
async fn an_event_trigger_is_fired_by_who_makes_anything() {
    let db = planted(
        r#"CREATE FUNCTION leaks() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
               BEGIN INSERT INTO public.cmd SELECT id FROM public.bookings; END $$;
           CREATE FUNCTION clean() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
               BEGIN INSERT INTO public.cmd VALUES (tg_tag); END $$;
           CREATE EVENT TRIGGER clean ON ddl_command_end EXECUTE FUNCTION clean();
           CREATE EVENT TRIGGER leaks ON ddl_command_end EXECUTE FUNCTION leaks()"#,
    )
    .await;
    let found = ways(&db).await;
    is_open(&found, "public.leaks()");
    assert!(matches!(of(&found, "public.leaks()").reach, Reach::ChangesDefinitions { .. }));
    assert_eq!(find(&found, "public.clean()"), None);
    let fire = "CREATE TEMP TABLE own (t text); DO $$ BEGIN ASSERT (SELECT count(*) FROM cmd WHERE t IN ('a', 'b')) = 2; END $$";
    as_login(&db, fire).await.unwrap();
}

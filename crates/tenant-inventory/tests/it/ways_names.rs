//! Functions that run as their owner and look up names that the login can give to something of its own, each beside a neighbour that does not.

use tenant_inventory::{Reach, Way, WayObject, WayVerdict};

use crate::ways_support::{as_login, plant, planted, told, ways};

fn name_of<'a>(ways: &'a [Way], function: &str) -> Option<(&'a Way, &'a str)> {
    ways.iter().find_map(|way| match &way.object {
        WayObject::CallersName { signature, name, .. } if signature == function => Some((way, name.as_str())),
        _ => None,
    })
}

#[tokio::test]
async fn a_temporary_view_takes_the_place_of_a_relation_without_a_schema() {
    let db = planted(
        r#"CREATE FUNCTION loose() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM countries';
           CREATE FUNCTION half() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
               $$ BEGIN RETURN (SELECT count(*) FROM countries); END $$;
           CREATE FUNCTION last() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
               'SELECT count(*) FROM countries';
           CREATE FUNCTION qualified() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM public.countries';
           CREATE FUNCTION bound() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM countries; END;
           CREATE FUNCTION filtered() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM countries';
           CREATE ROLE :"x_ordinary";
           GRANT SELECT ON bookings, countries TO :"x_ordinary";
           ALTER FUNCTION filtered() OWNER TO :"x_ordinary";
           CREATE FUNCTION revoked() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM countries';
           REVOKE EXECUTE ON FUNCTION revoked FROM PUBLIC"#,
    )
    .await;
    let found = ways(&db).await;
    for name in ["public.loose()", "public.half()"] {
        let (way, looked_up) = name_of(&found, name).unwrap_or_else(|| panic!("{name} in {:#?}", told(&found)));
        assert_eq!((looked_up, &way.verdict), ("countries", &WayVerdict::Open), "{way}");
        let closing = format!("ALTER ROUTINE {name} SET search_path = pg_catalog, public, pg_temp");
        assert_eq!(way.closing.as_ref(), Some(&closing));
    }
    for name in ["last", "qualified", "bound", "filtered", "revoked"] {
        assert!(name_of(&found, &format!("public.{name}()")).is_none(), "{name} in {:#?}", told(&found));
    }
    let reads = "CREATE TEMP VIEW countries WITH (security_invoker) AS SELECT id AS code FROM public.bookings;
        GRANT SELECT ON countries TO PUBLIC;
        DO $$ BEGIN ASSERT loose() = 2; ASSERT half() = 2; ASSERT last() = 0; ASSERT qualified() = 0; ASSERT bound() = 0;
            ASSERT filtered() = 0; END $$";
    as_login(&db, reads).await.unwrap();
    plant(
        &db,
        "ALTER ROUTINE loose() SET search_path = pg_catalog, public, pg_temp; ALTER ROUTINE half() SET search_path = pg_catalog, public, pg_temp",
    )
    .await;
    plant(&db, r#"DROP OWNED BY :"x_ordinary"; DROP ROLE :"x_ordinary""#).await;
    let found = ways(&db).await;
    assert!(name_of(&found, "public.loose()").or(name_of(&found, "public.half()")).is_none(), "{:#?}", told(&found));
}

/// FORCE holds the owner of the tables to the policies, and the owner switches them off.
#[tokio::test]
async fn the_owner_of_the_tables_runs_what_the_login_made_under_a_name() {
    let db = planted(
        r#"CREATE FUNCTION counts() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM countries';
           ALTER FUNCTION counts() OWNER TO app_owner;
           CREATE FUNCTION runs(q text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
               $$ BEGIN EXECUTE q; END $$;
           ALTER FUNCTION runs(text) OWNER TO app_owner;
           CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
               'SELECT count(*) FROM bookings';
           ALTER FUNCTION reads() OWNER TO app_owner"#,
    )
    .await;
    let found = ways(&db).await;
    let (way, looked_up) = name_of(&found, "public.counts()").unwrap_or_else(|| panic!("{:#?}", told(&found)));
    assert_eq!((looked_up, &way.verdict), ("countries", &WayVerdict::Open), "{way}");
    crate::ways_support::is_open(&found, "public.runs(text)");
    assert!(!told(&found).iter().any(|way| way.contains("reads()")), "{:#?}", told(&found));
    let takes = "CREATE FUNCTION pg_temp.off() RETURNS boolean LANGUAGE plpgsql AS $$
            BEGIN EXECUTE 'ALTER TABLE public.bookings DISABLE ROW LEVEL SECURITY'; RETURN true; END $$;
        CREATE TEMP VIEW countries AS SELECT 'x' AS code WHERE pg_temp.off(); GRANT SELECT ON countries TO PUBLIC;
        SELECT counts();
        DO $$ BEGIN ASSERT (SELECT count(*) FROM bookings) = 2; END $$;
        SELECT runs('ALTER TABLE public.visits_2025 DISABLE ROW LEVEL SECURITY');
        DO $$ BEGIN ASSERT (SELECT count(*) FROM visits_2025) = 2; END $$";
    as_login(&db, takes).await.unwrap();
}

/// The schema for temporary objects is searched first even where the path is empty.
#[tokio::test]
async fn a_temporary_domain_takes_the_place_of_a_type() {
    let db = planted(
        r#"CREATE FUNCTION typed(int) RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT length($1::text)';
           CREATE FUNCTION known(int) RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT $1::bigint::int'"#,
    )
    .await;
    let found = ways(&db).await;
    assert_eq!(name_of(&found, "public.typed(integer)").map(|(_, name)| name), Some("text"));
    assert!(name_of(&found, "public.known(integer)").is_none());
    let reads = "CREATE FUNCTION pg_temp.spy(text) RETURNS boolean LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO public.cmd SELECT id FROM public.bookings; RETURN true; END $$;
        CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (pg_temp.spy(VALUE));
        SELECT typed(1);
        DO $$ BEGIN ASSERT (SELECT count(*) FROM cmd) = 2; END $$";
    as_login(&db, reads).await.unwrap();
}

#[tokio::test]
async fn a_function_without_a_schema_is_a_way_where_the_login_makes_functions() {
    let db = planted(
        r#"CREATE FUNCTION greets() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT lower('X') $$;
           CREATE FUNCTION pinned() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$ SELECT lower('X') $$"#,
    )
    .await;
    assert!(
        name_of(&ways(&db).await, "public.greets()").is_none(),
        "functions are not looked for among temporary ones"
    );
    plant(&db, "CREATE SCHEMA theirs; GRANT USAGE, CREATE ON SCHEMA theirs TO app_user").await;
    let found = ways(&db).await;
    assert_eq!(name_of(&found, "public.greets()").map(|(_, name)| name), Some("lower"));
    assert!(name_of(&found, "public.pinned()").is_none());
    let reads =
        "CREATE FUNCTION theirs.lower(text) RETURNS text LANGUAGE sql AS 'SELECT count(*)::text FROM public.bookings';
        SET search_path = theirs, pg_catalog, public;
        DO $$ BEGIN ASSERT greets() = '2'; ASSERT pinned() = 'x'; END $$";
    as_login(&db, reads).await.unwrap();
}

#[tokio::test]
async fn what_a_function_calls_looks_up_names_under_its_path() {
    let db = planted(
        r#"CREATE FUNCTION helper() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM countries';
           CREATE FUNCTION calls() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT public.helper()';
           CREATE FUNCTION pinned() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS 'SELECT public.helper()';
           CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
               BEGIN NEW.t := (SELECT count(*) FROM countries); RETURN NEW; END $$;
           REVOKE EXECUTE ON FUNCTION seen FROM PUBLIC;
           CREATE TRIGGER seen BEFORE INSERT ON cmd FOR EACH ROW EXECUTE FUNCTION seen()"#,
    )
    .await;
    let found = ways(&db).await;
    let (way, _) = name_of(&found, "public.calls()").unwrap();
    assert_eq!(way.chain, ["function public.helper()"]);
    assert!(name_of(&found, "public.pinned()").is_none() && name_of(&found, "public.helper()").is_none());
    let (way, _) = name_of(&found, "public.seen()").unwrap();
    assert!(matches!(&way.reach, Reach::Fires { table, .. } if table.to_string() == "public.cmd"), "{way}");
    let reads = "CREATE TEMP VIEW countries WITH (security_invoker) AS SELECT id AS code FROM public.bookings;
        INSERT INTO cmd VALUES ('');
        DO $$ BEGIN ASSERT calls() = 2; ASSERT pinned() = 0; ASSERT (SELECT t FROM cmd) = '2'; END $$";
    as_login(&db, reads).await.unwrap();
}

#[tokio::test]
async fn a_function_that_sets_the_tenant_is_a_way_to_its_rows() {
    let db = planted(
        r#"CREATE FUNCTION others() RETURNS bigint LANGUAGE sql SET app.current_tenant_id = 't_b' AS 'SELECT count(*) FROM public.bookings';
           CREATE FUNCTION closed() RETURNS bigint LANGUAGE sql SET app.current_tenant_id = 't_b' AS 'SELECT count(*) FROM public.bookings';
           REVOKE EXECUTE ON FUNCTION closed FROM PUBLIC;
           CREATE FUNCTION shared() RETURNS bigint LANGUAGE sql SET app.current_tenant_id = 't_b' AS 'SELECT count(*) FROM public.countries';
           CREATE FUNCTION slow() RETURNS bigint LANGUAGE sql SET work_mem = '8MB' AS 'SELECT count(*) FROM public.bookings'"#,
    )
    .await;
    let found = ways(&db).await;
    let own: Vec<&Way> = found.iter().filter(|way| matches!(way.object, WayObject::OwnTenant { .. })).collect();
    assert_eq!(own.iter().map(|way| way.review_name()).collect::<Vec<_>>(), ["public.others()"], "{:#?}", told(&found));
    assert_eq!(own[0].verdict, WayVerdict::Open);
    assert_eq!(own[0].closing.as_deref(), Some("ALTER ROUTINE public.others() RESET app.current_tenant_id"));
    let reads = "SET app.current_tenant_id = 't_a'; DO $$ BEGIN ASSERT others() = 1; ASSERT slow() = 1;
        ASSERT (SELECT min(id) FROM bookings) = 'a'; END $$; SET app.current_tenant_id = ''; DO $$ BEGIN ASSERT others() = 1; END $$";
    as_login(&db, reads).await.unwrap();
}

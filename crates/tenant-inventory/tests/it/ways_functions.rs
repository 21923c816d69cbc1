//! Functions that run as their owner, each beside a neighbour that leads nowhere.

use tenant_inventory::{Reach, Reviewable, Unfiltered, Unreadable, WayVerdict};

use crate::ways_support::{as_login, find, is_closed, is_open, of, plant, planted, told, ways};

#[tokio::test]
async fn functions_of_all_kinds_are_followed_by_what_they_name() {
    let db = planted(
        r#"CREATE FUNCTION text_body() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM bookings';
           CREATE FUNCTION atomic() RETURNS SETOF bookings LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT * FROM bookings; END;
           CREATE FUNCTION helper() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM bookings';
           CREATE FUNCTION calls() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT helper()';
           CREATE VIEW bv AS SELECT * FROM bookings;
           CREATE FUNCTION via_view() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM bv';
           CREATE PROCEDURE proc(INOUT n bigint) LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN SELECT count(*) INTO n FROM bookings; END $$;
           CREATE FUNCTION dynamic(q text) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN QUERY EXECUTE q; END $$;
           CREATE FUNCTION by_xml(q text) RETURNS xml LANGUAGE sql SECURITY DEFINER AS 'SELECT query_to_xml(q, true, true, '''')';
           CREATE FUNCTION step(n bigint, t text) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT n + (SELECT count(*) FROM bookings)';
           CREATE AGGREGATE total(text) (SFUNC = step, STYPE = bigint, INITCOND = '0');
           REVOKE EXECUTE ON FUNCTION step FROM PUBLIC;
           CREATE TABLE owners (id text PRIMARY KEY);
           CREATE FUNCTION purge(t text) RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM owners WHERE id = t';
           ALTER TABLE bookings ADD owner text REFERENCES owners ON DELETE CASCADE"#,
    )
    .await;
    let ways = ways(&db).await;
    for name in [
        "text_body()",
        "atomic()",
        "calls()",
        "via_view()",
        "proc(bigint)",
        "dynamic(text)",
        "by_xml(text)",
        "total(text)",
        "purge(text)",
    ] {
        let name = format!("public.{name}");
        is_open(&ways, &name);
        assert_eq!(of(&ways, &name).acts_as.why, Unfiltered::Superuser);
        assert!(
            of(&ways, &name).tables.iter().any(|table| table.to_string() == "public.bookings"),
            "{}",
            of(&ways, &name)
        );
    }
    assert_eq!(of(&ways, "public.calls()").chain, ["function public.helper()"]);
    let revoke = "REVOKE EXECUTE ON ROUTINE public.proc(bigint) FROM PUBLIC";
    assert_eq!(of(&ways, "public.proc(bigint)").closing.as_deref(), Some(revoke));
    assert_eq!(find(&ways, "public.helper()"), None, "it runs as the caller");
    is_closed(&ways, "public.step(bigint,text)");
    as_login(&db, "DO $$ BEGIN ASSERT (SELECT total(id) FROM \"Tenant\") = 4; END $$").await.unwrap();
}

#[tokio::test]
async fn functions_that_name_no_protected_table_or_cannot_be_called_are_no_ways() {
    let db = planted(
        r#"CREATE FUNCTION harmless() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT count(*) /* bookings */ FROM public.countries -- visits
               WHERE code <> 'bookings' $$;
           CREATE FUNCTION lookup(s text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$ BEGIN RETURN (SELECT id FROM "Tenant" WHERE id = s); END $$;
           CREATE FUNCTION invoker() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM bookings';
           CREATE FUNCTION revoked() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM bookings';
           REVOKE EXECUTE ON FUNCTION revoked FROM PUBLIC;
           CREATE SCHEMA hidden;
           CREATE FUNCTION hidden.unseen() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM public.bookings';
           CREATE FUNCTION of_owner() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM public.bookings';
           ALTER FUNCTION of_owner() OWNER TO app_owner"#,
    )
    .await;
    let ways = ways(&db).await;
    for name in ["public.harmless()", "public.lookup(text)", "public.invoker()", "public.of_owner()"] {
        assert_eq!(find(&ways, name), None, "{:#?}", told(&ways));
    }
    assert_eq!(of(&ways, "public.revoked()").verdict, WayVerdict::Closed);
    assert_eq!(of(&ways, "hidden.unseen()").verdict, WayVerdict::Closed);
}

#[tokio::test]
async fn an_owner_that_a_policy_lets_through_counts_and_one_that_it_does_not_name_does_not() {
    let db = planted(
        r#"CREATE ROLE :"x_support" NOLOGIN; CREATE ROLE :"x_other" NOLOGIN;
           GRANT SELECT ON bookings TO :"x_support", :"x_other";
           CREATE POLICY support ON bookings FOR SELECT TO :"x_support" USING (true);
           CREATE FUNCTION as_support() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM bookings';
           ALTER FUNCTION as_support() OWNER TO :"x_support";
           CREATE FUNCTION as_other() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM bookings';
           ALTER FUNCTION as_other() OWNER TO :"x_other""#,
    )
    .await;
    let ways = ways(&db).await;
    is_open(&ways, "public.as_support()");
    assert!(
        matches!(&of(&ways, "public.as_support()").acts_as.why, Unfiltered::LetThrough { policy, .. } if policy == "support")
    );
    assert_eq!(find(&ways, "public.as_other()"), None);
    as_login(&db, "DO $$ BEGIN ASSERT as_support() = 2; ASSERT as_other() = 0; END $$").await.unwrap();
}

#[tokio::test]
async fn a_policy_for_everybody_that_asks_who_it_is_lets_its_role_through() {
    let db = planted(
        r#"CREATE FUNCTION total() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM bookings';
           ALTER FUNCTION total() OWNER TO app_owner;
           CREATE POLICY owners ON bookings FOR SELECT USING (current_user = 'app_owner')"#,
    )
    .await;
    is_open(&ways(&db).await, "public.total()");
    as_login(&db, "DO $$ BEGIN ASSERT total() = 2; END $$").await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_needs_a_review() {
    let db = planted(
        r#"CREATE FUNCTION internal() RETURNS text LANGUAGE internal SECURITY DEFINER AS 'pg_current_wal_lsn';
           CREATE FUNCTION escaped() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT count(*) FROM U&"\0062ookings" $$;
           CREATE TYPE pair AS (a int);
           CREATE FUNCTION spy(pair) RETURNS int LANGUAGE sql AS 'SELECT count(*)::int FROM bookings';
           CREATE FUNCTION harmless() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"#,
    )
    .await;
    let found = ways(&db).await;
    let why = |found: &[tenant_inventory::Way], name: &str| match &of(found, name).verdict {
        WayVerdict::NeedsReview { why } => why.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(why(&found, "public.internal()"), Unreadable::Language { language: "internal".into() });
    assert_eq!(why(&found, "public.escaped()"), Unreadable::Text);
    assert_eq!(find(&found, "public.harmless()"), None);
    // A cast is called without a name.
    plant(&db, "CREATE CAST (pair AS int) WITH FUNCTION spy(pair) AS IMPLICIT").await;
    assert!(matches!(why(&ways(&db).await, "public.harmless()"), Unreadable::HiddenCall { .. }));
}

#[tokio::test]
async fn a_review_is_pinned_to_what_the_function_does_and_calls_and_to_who_may_call_it() {
    let db = planted(
        r#"CREATE FUNCTION helper() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.bookings';
           CREATE FUNCTION pinned() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS 'SELECT helper()';
           CREATE FUNCTION loose() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM public.bookings'"#,
    )
    .await;
    let hash = async || of(&ways(&db).await, "public.pinned()").review_hash().unwrap().to_owned();
    let mut seen = vec![hash().await];
    assert_eq!(hash().await, seen[0]);
    assert_eq!(of(&ways(&db).await, "public.loose()").review, Reviewable::NoPinnedPath);
    assert!(of(&ways(&db).await, "public.loose()").may_be_reviewed().is_err());
    for change in [
        "CREATE OR REPLACE FUNCTION helper() RETURNS bigint LANGUAGE sql AS 'SELECT 1 + count(*) FROM public.bookings'",
        "ALTER FUNCTION pinned() SET work_mem = '8MB'",
        "GRANT EXECUTE ON FUNCTION pinned() TO app_owner",
        r#"CREATE ROLE :"x_owner" SUPERUSER; ALTER FUNCTION pinned() OWNER TO :"x_owner""#,
    ] {
        plant(&db, change).await;
        let now = hash().await;
        assert!(!seen.contains(&now), "{change} does not show");
        seen.push(now);
    }
}

#[tokio::test]
async fn a_function_behind_a_hidden_schema_is_reached_through_a_default_that_calls_it() {
    let db = planted(
        r#"CREATE SCHEMA hidden;
           CREATE FUNCTION hidden.total() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*)::text FROM public.bookings';
           ALTER TABLE cmd ADD seen text DEFAULT hidden.total()"#,
    )
    .await;
    let found = ways(&db).await;
    is_open(&found, "hidden.total()");
    assert!(
        matches!(&of(&found, "hidden.total()").reach, Reach::Through { object, .. } if object == "a default of public.cmd")
    );
    let seen =
        "BEGIN; INSERT INTO cmd (t) VALUES ('x'); DO $$ BEGIN ASSERT (SELECT seen FROM cmd) = '2'; END $$; ROLLBACK";
    as_login(&db, seen).await.unwrap();
}

#[tokio::test]
async fn an_operator_leads_to_its_function() {
    let db = planted(
        r#"CREATE FUNCTION spy(text, int) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.bookings';
           CREATE OPERATOR ### (LEFTARG = text, RIGHTARG = int, FUNCTION = spy);
           CREATE FUNCTION uses() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT 'x'::text ### 1 $$;
           CREATE FUNCTION other() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT 1::bigint # 1 $$"#,
    )
    .await;
    let found = ways(&db).await;
    is_open(&found, "public.uses()");
    assert_eq!(find(&found, "public.other()"), None);
    as_login(&db, "DO $$ BEGIN ASSERT uses() = 2; END $$").await.unwrap();
}

/// The server calls such a function before it asks the policy, so that an error tells of a row that is hidden.
#[tokio::test]
async fn a_leakproof_function_needs_a_review_where_the_login_may_call_it() {
    let db = planted(
        r#"CREATE FUNCTION tells(text) RETURNS boolean LANGUAGE plpgsql LEAKPROOF COST 0.0001 AS
               $$ BEGIN IF $1 = 'B' THEN RAISE EXCEPTION 'it is there'; END IF; RETURN true; END $$;
           CREATE FUNCTION hidden(text) RETURNS boolean LANGUAGE sql LEAKPROOF AS 'SELECT true';
           REVOKE EXECUTE ON FUNCTION hidden FROM PUBLIC;
           CREATE FUNCTION ordinary(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
               $$ BEGIN IF $1 = 'B' THEN RAISE EXCEPTION 'it is there'; END IF; RETURN true; END $$"#,
    )
    .await;
    let found = ways(&db).await;
    let way = of(&found, "public.tells(text)");
    assert!(matches!(way.verdict, WayVerdict::NeedsReview { .. }) && way.review_hash().is_some(), "{way}");
    assert_eq!(way.closing.as_deref(), Some("ALTER FUNCTION public.tells(text) NOT LEAKPROOF"));
    assert!(find(&found, "public.hidden(text)").or(find(&found, "public.ordinary(text)")).is_none());
    let told = "SELECT set_config('app.current_tenant_id', 't_a', false); SELECT FROM bookings WHERE tells(notes)";
    assert!(as_login(&db, told).await.unwrap_err().contains("it is there"));
    let ordinary =
        "SELECT set_config('app.current_tenant_id', 't_a', false); SELECT FROM bookings WHERE ordinary(notes)";
    as_login(&db, ordinary).await.unwrap();
}

/// Whoever owns a function, a view or a table decides what happens where somebody else uses it.
#[tokio::test]
async fn what_the_login_owns_and_a_function_of_the_superuser_uses_is_the_logins_to_replace() {
    let db = planted(
        r#"CREATE FUNCTION helper() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'; ALTER FUNCTION helper() OWNER TO app_user;
           CREATE VIEW shown AS SELECT 1 AS one; ALTER VIEW shown OWNER TO app_user;
           CREATE TABLE inbox (said text); ALTER TABLE inbox OWNER TO app_user;
           CREATE FUNCTION calls() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT public.helper()';
           CREATE FUNCTION looks() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT count(*) FROM public.shown';
           CREATE FUNCTION writes() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ INSERT INTO public.inbox VALUES ('x') $$;
           CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT count(*) FROM public.inbox';
           CREATE VIEW above AS SELECT * FROM shown; GRANT SELECT ON above TO app_user;
           GRANT CREATE ON SCHEMA public TO app_user"#,
    )
    .await;
    let found = ways(&db).await;
    for name in ["public.calls()", "public.looks()", "public.writes()"] {
        is_open(&found, name);
        assert!(
            of(&found, name).to_string().contains("which the login may replace") || name.contains("writes"),
            "{}",
            of(&found, name)
        );
    }
    // A view runs functions as its reader, and reads through a view of the login's as the login.
    assert!(find(&found, "public.reads()").or(find(&found, "public.above")).is_none(), "{:#?}", told(&found));
    let takes = "CREATE OR REPLACE FUNCTION helper() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.bookings';
        CREATE FUNCTION pg_temp.spy() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM public.bookings); END $$;
        CREATE OR REPLACE VIEW shown AS SELECT n AS one FROM generate_series(1, pg_temp.spy()) AS n;
        CREATE FUNCTION pg_temp.hears() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.said := (SELECT count(*) FROM public.bookings); RETURN NEW; END $$;
        CREATE TRIGGER hears BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION pg_temp.hears();
        SELECT writes();
        DO $$ BEGIN ASSERT calls() = 2; ASSERT (SELECT said FROM inbox) = '2'; END $$";
    as_login(&db, takes).await.unwrap();
}

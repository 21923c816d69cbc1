//! Views, materialized views, rules and foreign tables that lead past the policies, each beside a neighbour that does not.

use tenant_inventory::{Barrier, Reach, Unfiltered, Unreadable, WayVerdict};

use crate::ways_support::{as_login, find, is_closed, is_open, of, plant, planted, told, ways};

#[tokio::test]
async fn views_over_views_are_followed_to_the_role_that_reads_the_table() {
    let db = planted(
        r#"CREATE VIEW direct AS SELECT * FROM bookings;
           CREATE VIEW below AS SELECT * FROM bookings;
           CREATE VIEW above AS SELECT "tenantId", count(*) FROM below GROUP BY 1;
           CREATE VIEW invoker WITH (security_invoker = true) AS SELECT * FROM bookings;
           CREATE VIEW over_invoker AS SELECT * FROM invoker;
           CREATE VIEW invoker_over_owner WITH (security_invoker = on) AS SELECT * FROM below;
           CREATE VIEW of_owner AS SELECT * FROM bookings;
           ALTER VIEW of_owner OWNER TO app_owner;
           CREATE VIEW over_of_owner AS SELECT * FROM of_owner;
           CREATE VIEW of_nobody AS SELECT * FROM countries;
           CREATE VIEW on_partition AS SELECT * FROM visits_2025;
           CREATE VIEW unreadable AS SELECT * FROM bookings;
           GRANT SELECT ON direct, above, below, invoker, over_invoker, invoker_over_owner, of_owner, over_of_owner, of_nobody, on_partition TO app_user"#,
    )
    .await;
    let ways = ways(&db).await;
    let needs = WayVerdict::NeedsAttempt { column: "tenantId".into() };
    for name in ["direct", "above", "invoker_over_owner", "on_partition"] {
        let way = of(&ways, &format!("public.{name}"));
        assert_eq!((&way.verdict, &way.acts_as.role), (&needs, &"postgres".to_owned()), "{way}");
        assert_eq!(way.acts_as.why, Unfiltered::Superuser);
    }
    assert_eq!(of(&ways, "public.above").chain, ["view public.below"]);
    // What decides is the view that is nearest to the table.
    let closing = of(&ways, "public.above").closing.as_deref();
    assert_eq!(closing, Some("ALTER VIEW public.below SET (security_invoker = true)"));
    assert_eq!(of(&ways, "public.on_partition").tables[0].to_string(), "public.visits_2025");
    // The owner of the nearest view is filtered, or the reader is: whoever owns the view above.
    for name in ["invoker", "over_invoker", "of_owner", "over_of_owner", "of_nobody"] {
        assert_eq!(find(&ways, &format!("public.{name}")), None, "{:#?}", told(&ways));
    }
    is_closed(&ways, "public.unreadable");
    as_login(
        &db,
        r#"DO $$ BEGIN ASSERT (SELECT count(*) FROM invoker_over_owner) = 2;
            ASSERT (SELECT count(*) FROM over_invoker) = 0; ASSERT (SELECT count(*) FROM over_of_owner) = 0; END $$"#,
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn every_spelling_of_security_invoker_counts_as_the_server_reads_it() {
    let db = planted(
        r#"CREATE VIEW quoted WITH (security_invoker = 'TRUE') AS SELECT * FROM bookings;
           CREATE VIEW short WITH (security_invoker = t) AS SELECT * FROM bookings;
           CREATE VIEW one WITH (security_invoker = 1) AS SELECT * FROM bookings;
           CREATE VIEW bare WITH (security_invoker) AS SELECT * FROM bookings;
           CREATE VIEW off WITH (security_invoker = 'OFF') AS SELECT * FROM bookings;
           GRANT SELECT ON quoted, short, one, bare, off TO app_user"#,
    )
    .await;
    let ways = ways(&db).await;
    for name in ["quoted", "short", "one", "bare"] {
        assert_eq!(find(&ways, &format!("public.{name}")), None, "{:#?}", told(&ways));
    }
    assert!(matches!(of(&ways, "public.off").verdict, WayVerdict::NeedsAttempt { .. }));
}

#[tokio::test]
async fn views_that_can_only_be_written_to_count_where_a_write_goes_through() {
    let db = planted(
        r#"CREATE VIEW writes AS SELECT * FROM bookings;
           CREATE VIEW column_only AS SELECT * FROM bookings;
           CREATE VIEW filtered AS SELECT * FROM bookings WHERE "tenantId" = NULLIF(current_setting('app.current_tenant_id', true), '');
           CREATE VIEW filtered_written AS SELECT * FROM bookings WHERE "tenantId" = NULLIF(current_setting('app.current_tenant_id', true), '');
           CREATE VIEW checked AS SELECT * FROM bookings WHERE "tenantId" = NULLIF(current_setting('app.current_tenant_id', true), '')
               WITH CHECK OPTION;
           CREATE VIEW summed AS SELECT count(*) FROM bookings;
           GRANT INSERT, UPDATE, DELETE ON writes TO app_user;
           GRANT UPDATE (notes) ON column_only TO app_user;
           GRANT SELECT ON filtered TO app_user;
           GRANT SELECT, INSERT ON filtered_written, checked TO app_user;
           GRANT INSERT ON summed TO app_user"#,
    )
    .await;
    let ways = ways(&db).await;
    is_open(&ways, "public.writes");
    is_open(&ways, "public.column_only");
    is_open(&ways, "public.filtered_written");
    let needs = WayVerdict::NeedsAttempt { column: "tenantId".into() };
    assert_eq!(of(&ways, "public.filtered").verdict, needs);
    assert_eq!(of(&ways, "public.checked").verdict, needs);
    is_closed(&ways, "public.summed");
    as_login(&db, "BEGIN; INSERT INTO filtered_written VALUES ('c', 't_b', 'x'); ROLLBACK").await.unwrap();
    let refused = as_login(&db, "BEGIN; INSERT INTO checked VALUES ('c', 't_b', 'x'); ROLLBACK").await.unwrap_err();
    assert!(refused.contains("check option"), "{refused}");
}

#[tokio::test]
async fn a_materialized_view_is_a_way_whoever_owns_it_and_whatever_it_shows() {
    let db = planted(
        r#"CREATE MATERIALIZED VIEW stored AS SELECT id FROM bookings;
           CREATE MATERIALIZED VIEW of_owner AS SELECT id FROM bookings WITH NO DATA;
           ALTER MATERIALIZED VIEW of_owner OWNER TO app_owner;
           CREATE VIEW over_stored WITH (security_invoker = true) AS SELECT * FROM stored;
           CREATE MATERIALIZED VIEW unread AS SELECT id FROM bookings;
           CREATE MATERIALIZED VIEW of_nobody AS SELECT * FROM countries;
           GRANT SELECT ON stored, of_owner, over_stored, of_nobody TO app_user"#,
    )
    .await;
    let ways = ways(&db).await;
    for name in ["public.stored", "public.of_owner", "public.over_stored"] {
        is_open(&ways, name);
        assert_eq!(of(&ways, name).acts_as.why, Unfiltered::Stored);
    }
    assert_eq!(of(&ways, "public.stored").closing.as_deref(), Some("REVOKE ALL ON public.stored FROM app_user"));
    is_closed(&ways, "public.unread");
    assert_eq!(find(&ways, "public.of_nobody"), None);
}

#[tokio::test]
async fn rules_run_as_the_owner_of_their_table() {
    let db = planted(
        r#"CREATE RULE copies AS ON INSERT TO cmd DO ALSO INSERT INTO countries SELECT id FROM bookings;
           ALTER TABLE cmd OWNER TO postgres;
           CREATE TABLE by_owner (t text); ALTER TABLE by_owner OWNER TO app_owner; GRANT INSERT ON by_owner TO app_user;
           CREATE RULE copies AS ON INSERT TO by_owner DO ALSO INSERT INTO countries SELECT id FROM bookings;
           CREATE TABLE unwritten (t text);
           CREATE RULE copies AS ON INSERT TO unwritten DO ALSO INSERT INTO countries SELECT id FROM bookings;
           GRANT INSERT ON countries TO app_owner"#,
    )
    .await;
    let ways = ways(&db).await;
    is_open(&ways, "public.cmd.copies");
    assert_eq!(of(&ways, "public.cmd.copies").closing.as_deref(), Some(r#"DROP RULE "copies" ON "public"."cmd""#));
    assert_eq!(find(&ways, "public.by_owner.copies"), None, "its owner is filtered");
    is_closed(&ways, "public.unwritten.copies");
    let copied = r#"BEGIN; INSERT INTO cmd VALUES ('x');
        DO $$ BEGIN ASSERT (SELECT count(*) FROM countries) = 2; END $$; ROLLBACK"#;
    as_login(&db, copied).await.unwrap();
}

#[tokio::test]
async fn a_view_that_calls_a_function_leads_as_far_as_the_function() {
    let db = planted(
        r#"CREATE FUNCTION helper() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM bookings';
           CREATE SCHEMA hidden;
           CREATE FUNCTION hidden.total() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM public.bookings';
           CREATE VIEW as_reader AS SELECT helper();
           CREATE VIEW as_owner AS SELECT hidden.total();
           GRANT SELECT ON as_reader, as_owner TO app_user"#,
    )
    .await;
    let ways = ways(&db).await;
    // Functions in a view run as whoever reads it.
    assert_eq!(find(&ways, "public.as_reader"), None);
    is_open(&ways, "public.as_owner");
    let function = of(&ways, "hidden.total()");
    assert!(
        matches!(&function.reach, Reach::Through { object, .. } if object.contains("public.as_owner")),
        "{function}"
    );
    as_login(
        &db,
        r#"DO $$ BEGIN ASSERT (SELECT total FROM as_owner) = 2; ASSERT (SELECT helper FROM as_reader) = 0; END $$"#,
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn a_foreign_table_needs_a_review_where_a_user_mapping_lets_the_login_through() {
    let db = planted(
        r#"CREATE FOREIGN DATA WRAPPER postgres_fdw; CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
           CREATE FOREIGN TABLE far (id text) SERVER elsewhere; CREATE VIEW over_far AS SELECT * FROM far;
           GRANT SELECT ON far, over_far TO app_user"#,
    )
    .await;
    let review = WayVerdict::NeedsReview { why: Unreadable::OtherServer };
    assert_eq!(of(&ways(&db).await, "public.far").reach, Reach::Cannot { why: Barrier::NoMapping });
    // The view reads with the mapping of its owner.
    plant(&db, "CREATE USER MAPPING FOR postgres SERVER elsewhere").await;
    let found = ways(&db).await;
    is_closed(&found, "public.far");
    assert_eq!(of(&found, "public.over_far").verdict, review);
    plant(&db, "CREATE USER MAPPING FOR PUBLIC SERVER elsewhere").await;
    let found = ways(&db).await;
    assert_eq!(of(&found, "public.far").verdict, review);
    let hash = of(&found, "public.far").review_hash().unwrap().to_owned();
    plant(&db, "ALTER FOREIGN TABLE far OPTIONS (ADD table_name 'another')").await;
    assert_ne!(of(&ways(&db).await, "public.far").review_hash(), Some(hash.as_str()), "it shows another table");
}

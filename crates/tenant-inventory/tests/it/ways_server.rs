//! Rights on what is the server's, large objects, and what somebody puts into the server's schemas, each beside a neighbour that is no way.

use tenant_inventory::{Way, WayObject, WayVerdict};

use crate::ways_support::{as_login, find, is_open, of, plant, planted, told, ways};

fn of_server(ways: &[Way]) -> Vec<String> {
    let server = |way: &&Way| matches!(way.object, WayObject::ServerRight { .. } | WayObject::LargeObjects { .. });
    ways.iter().filter(server).map(Way::review_name).collect()
}

async fn closed_again(db: &test_support::TestDb, name: &str, closing: &'static str) {
    let found = ways(db).await;
    is_open(&found, name);
    assert_eq!(of(&found, name).closing.as_deref(), Some(closing));
    plant(db, closing).await;
    let found = ways(db).await;
    assert!(find(&found, name).is_none(), "{closing}: {:#?}", told(&found));
}

#[tokio::test]
async fn functions_that_read_files_of_the_server_are_a_way_however_the_right_is_granted() {
    let db = planted("").await;
    assert_eq!(of_server(&ways(&db).await), Vec::<String>::new());
    for (grant, function, closing) in [
        (
            "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO app_user",
            "pg_read_file(text)",
            "REVOKE EXECUTE ON ROUTINE pg_read_file(text) FROM app_user",
        ),
        (
            "GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO PUBLIC",
            "pg_read_binary_file(text)",
            "REVOKE EXECUTE ON ROUTINE pg_read_binary_file(text) FROM PUBLIC",
        ),
        (
            "GRANT EXECUTE ON FUNCTION pg_ls_dir(text), lo_export(oid, text) TO app_user; REVOKE EXECUTE ON FUNCTION pg_ls_dir(text) FROM app_user",
            "lo_export(oid,text)",
            "REVOKE EXECUTE ON ROUTINE lo_export(oid,text) FROM app_user",
        ),
    ] {
        plant(&db, grant).await;
        closed_again(&db, function, closing).await;
    }
    // Through a role that the login may set and does not inherit, and one that it has nothing to do with.
    plant(
        &db,
        r#"CREATE ROLE :"x_reader"; CREATE ROLE :"x_other"; GRANT EXECUTE ON FUNCTION lo_import(text) TO :"x_reader";
           GRANT EXECUTE ON FUNCTION lo_import(text, oid) TO :"x_other"; GRANT :"x_reader" TO app_user"#,
    )
    .await;
    assert_eq!(of_server(&ways(&db).await), ["lo_import(text)"]);
    plant(&db, r#"REVOKE :"x_reader" FROM app_user"#).await;
    assert_eq!(of_server(&ways(&db).await), Vec::<String>::new());
    plant(&db, r#"DROP OWNED BY :"x_reader", :"x_other"; DROP ROLE :"x_reader", :"x_other""#).await;
}

#[tokio::test]
async fn rights_that_show_no_rows_are_no_way_and_what_is_not_known_needs_a_review() {
    let db = planted(
        "GRANT EXECUTE ON FUNCTION pg_stat_reset(), pg_reload_conf(), pg_ls_waldir() TO app_user;
         GRANT SELECT ON pg_config TO app_user; GRANT SELECT (rolname) ON pg_authid TO app_user;
         CREATE FUNCTION own() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT EXECUTE ON FUNCTION own TO app_user",
    )
    .await;
    let found = ways(&db).await;
    assert_eq!(of_server(&found), Vec::<String>::new(), "{:#?}", told(&found));
    // Whatever the server's next version keeps for itself.
    plant(
        &db,
        "CREATE FUNCTION pg_catalog.pg_rows_of_all() RETURNS int LANGUAGE sql AS 'SELECT 1';
         INSERT INTO pg_init_privs VALUES ('pg_catalog.pg_rows_of_all()'::regprocedure, 'pg_proc'::regclass, 0, 'i', '{postgres=X/postgres}');
         REVOKE EXECUTE ON FUNCTION pg_catalog.pg_rows_of_all() FROM PUBLIC;
         GRANT EXECUTE ON FUNCTION pg_catalog.pg_rows_of_all() TO app_user",
    )
    .await;
    let found = ways(&db).await;
    let way = of(&found, "pg_rows_of_all()");
    assert!(matches!(way.verdict, WayVerdict::NeedsReview { .. }) && way.review_hash().is_some(), "{way}");
}

#[tokio::test]
async fn what_the_server_keeps_of_rows_is_a_way_where_the_login_reads_it() {
    let db = planted("ANALYZE bookings").await;
    for (grant, table, closing) in [
        (
            "GRANT SELECT ON pg_statistic TO app_user",
            "pg_catalog.pg_statistic",
            "REVOKE SELECT ON pg_catalog.pg_statistic FROM app_user",
        ),
        (
            "GRANT SELECT (stxdmcv) ON pg_statistic_ext_data TO PUBLIC",
            "pg_catalog.pg_statistic_ext_data",
            "REVOKE SELECT (stxdmcv) ON pg_catalog.pg_statistic_ext_data FROM PUBLIC",
        ),
        (
            "GRANT SELECT ON pg_largeobject TO app_user",
            "pg_catalog.pg_largeobject",
            "REVOKE SELECT ON pg_catalog.pg_largeobject FROM app_user",
        ),
        (
            "GRANT SELECT (rolpassword) ON pg_authid TO app_user",
            "pg_catalog.pg_authid",
            "REVOKE SELECT (rolpassword) ON pg_catalog.pg_authid FROM app_user",
        ),
    ] {
        plant(&db, grant).await;
        closed_again(&db, table, closing).await;
    }
    // A long value of a row stands in a table of its own.
    plant(
        &db,
        "DO $$ DECLARE kept regclass := (SELECT reltoastrelid FROM pg_class WHERE oid = 'bookings'::regclass);
         BEGIN EXECUTE format('GRANT SELECT ON %s TO app_user', kept); END $$",
    )
    .await;
    assert_eq!(of_server(&ways(&db).await), Vec::<String>::new(), "the login does not see the schema");
    plant(&db, "GRANT USAGE ON SCHEMA pg_toast TO app_user").await;
    let found = ways(&db).await;
    assert!(
        of_server(&found).iter().all(|name| name.starts_with("pg_toast.")) && found.len() == 1,
        "{:#?}",
        told(&found)
    );
}

#[tokio::test]
async fn large_objects_are_a_way_where_the_login_may_read_them() {
    let db = planted("SELECT lo_from_bytea(4711, 'of t_b')").await;
    assert!(as_login(&db, "SELECT lo_get(4711)").await.is_err());
    assert_eq!(of_server(&ways(&db).await), Vec::<String>::new());
    let mut hashes = std::collections::BTreeSet::new();
    for (grant, name, closing) in [
        (
            "GRANT SELECT ON LARGE OBJECT 4711 TO app_user",
            "large objects granted to app_user",
            "REVOKE ALL ON LARGE OBJECT 4711 FROM app_user",
        ),
        (
            "GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC",
            "large objects granted to PUBLIC",
            "REVOKE ALL ON LARGE OBJECT 4711 FROM PUBLIC",
        ),
        (
            "ALTER LARGE OBJECT 4711 OWNER TO app_user",
            "large objects of app_user",
            "ALTER LARGE OBJECT 4711 OWNER TO app_owner",
        ),
    ] {
        plant(&db, grant).await;
        as_login(&db, "SELECT lo_get(4711)").await.unwrap();
        // A review is of who reads them, and one more of them is no other state.
        let hash = of(&ways(&db).await, name).review_hash().unwrap().to_owned();
        plant(&db, "SELECT lo_from_bytea(4712, 'another'); ALTER LARGE OBJECT 4712 OWNER TO app_owner").await;
        assert_eq!(of(&ways(&db).await, name).review_hash(), Some(hash.as_str()));
        plant(&db, "SELECT lo_unlink(4712)").await;
        assert!(hashes.insert(hash), "{name}");
        closed_again(&db, name, closing).await;
        assert!(as_login(&db, "SELECT lo_get(4711)").await.is_err(), "{closing}");
    }
    // Where the server asks for no right, as before 9.0.
    plant(
        &db,
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET lo_compat_privileges = on', current_database()); END $$",
    )
    .await;
    is_open(&ways(&db).await, "large objects by lo_compat_privileges");
    as_login(&db, "SELECT lo_get(4711)").await.unwrap();
    plant(&db, "SELECT lo_unlink(4711)").await;
    assert_eq!(of_server(&ways(&db).await), Vec::<String>::new());
}

#[tokio::test]
async fn what_somebody_puts_into_the_schemas_of_the_server_is_read_like_anything_else() {
    let db = planted(
        "CREATE VIEW information_schema.spy AS SELECT id FROM public.bookings; GRANT SELECT ON information_schema.spy TO app_user;
         CREATE FUNCTION pg_catalog.spies() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM public.bookings';
         CREATE FUNCTION pg_catalog.harmless() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.bookings'",
    )
    .await;
    let found = ways(&db).await;
    is_open(&found, "information_schema.spy");
    is_open(&found, "spies()");
    assert_eq!(found.len(), 2, "{:#?}", told(&found));
    as_login(&db, "DO $$ BEGIN ASSERT (SELECT count(*) FROM information_schema.spy) = 2 AND spies() = 2 AND harmless() = 0; END $$")
        .await
        .unwrap();
}

/// The right belongs to the whole server, so it is given to a login of this database's own.
#[tokio::test]
async fn settings_that_run_code_or_switch_off_what_keys_say_are_a_way() {
    let db = planted(r#"CREATE ROLE :"x_login" LOGIN"#).await;
    let login = format!("x_login_{}", db.name());
    let of_login = async || of_server(&crate::ways_support::ways_for(&db.url(local_db::Role::Owner), &login).await);
    plant(&db, r#"GRANT SET ON PARAMETER log_statement TO :"x_login""#).await;
    assert_eq!(of_login().await, Vec::<String>::new());
    plant(
        &db,
        r#"GRANT SET ON PARAMETER session_replication_role TO :"x_login"; GRANT ALTER SYSTEM ON PARAMETER archive_command TO :"x_login""#,
    )
    .await;
    assert_eq!(of_login().await, ["archive_command", "session_replication_role"]);
    plant(&db, r#"DROP OWNED BY :"x_login"; DROP ROLE :"x_login""#).await;
}

#[tokio::test]
async fn a_foreign_server_is_a_way_where_a_mapping_lets_the_login_through_and_it_can_make_a_table() {
    let db = planted(
        "CREATE FOREIGN DATA WRAPPER anywhere; CREATE SERVER theirs FOREIGN DATA WRAPPER anywhere;
         GRANT USAGE ON FOREIGN SERVER theirs TO app_user; CREATE SCHEMA plugins; GRANT CREATE, USAGE ON SCHEMA plugins TO app_user",
    )
    .await;
    assert_eq!(of_server(&ways(&db).await), Vec::<String>::new(), "nobody lets it through");
    plant(&db, "CREATE USER MAPPING FOR PUBLIC SERVER theirs").await;
    let found = ways(&db).await;
    let way = of(&found, "theirs");
    assert!(matches!(way.verdict, WayVerdict::NeedsReview { .. }) && way.review_hash().is_some(), "{way}");
    assert_eq!(way.closing.as_deref(), Some("REVOKE USAGE ON FOREIGN SERVER theirs FROM app_user"));
    plant(&db, "REVOKE CREATE ON SCHEMA plugins FROM app_user; REVOKE CREATE ON SCHEMA public FROM PUBLIC, app_user")
        .await;
    assert_eq!(of_server(&ways(&db).await), Vec::<String>::new(), "it can make no table");
}

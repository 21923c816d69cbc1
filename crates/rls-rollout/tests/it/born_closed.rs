//! New tables are born closed, whoever makes them and however, and no command of the application fails for it.

use local_db::Role;
use rls_rollout::{BornClosedBack, BornClosedReport, Error, RollbackOptions, born_closed};
use sqlx::Row;
use tenancy_config::{Exit, Tenancy, UserError};
use tenant_inventory::{BornClosedState, Phase};
use test_support::TestDb;

use crate::support::{
    after, all_the_way_back, as_superuser, as_tenant, auto, back, back_with, catalog, clean, connect, roll, roll_with,
    script, session, to,
};

async fn make(db: &TestDb, role: Role, tenancy: &Tenancy, dry_run: bool) -> Result<BornClosedReport, Error> {
    let database = connect(db, role).await;
    let made = born_closed(&database, tenancy, dry_run, "a test", &mut |_| ()).await;
    database.close().await;
    made
}

/// A database whose tables are rolled out, and where new ones are born closed.
async fn closed() -> TestDb {
    let db = clean().await;
    roll(&db, &auto()).await.unwrap();
    make(&db, Role::Superuser, &Tenancy::default(), false).await.unwrap();
    db
}

/// The tables of the schema public that have row level security and were not there before.
async fn born(db: &TestDb) -> Vec<String> {
    let mut session = session(db, Role::Superuser).await;
    let rows = sqlx::query(
        "SELECT c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE (c.relname ~ '^n_' OR n.nspname = 'n_own') AND c.relrowsecurity ORDER BY 1",
    )
    .fetch_all(session.connection())
    .await
    .unwrap();
    session.close().await;
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_new_table_shows_no_row_until_the_next_rollout_however_it_was_made() {
    let db = closed().await;
    let mut owner = session(&db, Role::Owner).await;
    script(
        &mut owner,
        r#"CREATE TABLE n_plain (id text PRIMARY KEY, "tenantId" text);
           CREATE TABLE n_like (LIKE bookings INCLUDING ALL);
           CREATE TABLE n_as AS SELECT id, "tenantId" FROM bookings WITH NO DATA;
           SELECT id, "tenantId" INTO n_into FROM bookings LIMIT 0;
           CREATE TABLE n_key (id text PRIMARY KEY, of text REFERENCES "Tenant" (id));
           CREATE TABLE n_parts (id int, tenant_id text) PARTITION BY RANGE (id);
           CREATE TABLE n_part PARTITION OF n_parts FOR VALUES FROM (0) TO (10);
           CREATE UNLOGGED TABLE n_unlogged (tenant_id text);
           CREATE TABLE n_child () INHERITS (n_unlogged);
           CREATE TABLE IF NOT EXISTS n_if_not (tenant_id text);
           CREATE TABLE "n_odd"" name; --" ("tenantId" text);
           CREATE TABLE n_unrelated (id int);
           CREATE TEMPORARY TABLE n_temp (tenant_id text);
           CREATE TEMPORARY TABLE n_temp_as AS SELECT 'x'::text AS tenant_id"#,
    )
    .await;
    let closed = [
        "n_as",
        "n_child",
        "n_if_not",
        "n_into",
        "n_key",
        "n_like",
        "n_odd\" name; --",
        "n_part",
        "n_parts",
        "n_plain",
        "n_unlogged",
    ];
    assert_eq!(born(&db).await, closed);
    // An ordinary role sees nothing of it, whatever tenant it sets; the owner goes on.
    script(&mut owner, r#"INSERT INTO n_plain VALUES ('1', 't_a'); GRANT SELECT, INSERT ON n_plain TO app_user"#).await;
    owner.close().await;
    assert_eq!(as_tenant(&db, "t_a", "SELECT count(*) FROM n_plain").await, 0);
    script(
        &mut session(&db, Role::Owner).await,
        r#"DROP TABLE n_child, n_unlogged, n_parts, n_like, n_as, n_into, n_key, n_if_not, "n_odd"" name; --""#,
    )
    .await;
    let report = roll(&db, &auto()).await.unwrap();
    assert_eq!(after(&report, "n_plain"), Phase::Enforce);
    assert_eq!(as_tenant(&db, "t_a", "SELECT count(*) FROM n_plain").await, 1);
    assert_eq!(as_tenant(&db, "t_b", "SELECT count(*) FROM n_plain").await, 0);
}

#[tokio::test]
async fn what_a_table_gets_in_its_first_transaction_counts_and_older_tables_are_left_alone() {
    let db = closed().await;
    let mut owner = session(&db, Role::Owner).await;
    script(&mut owner, "CREATE TABLE n_old (id int, other text)").await;
    script(
        &mut owner,
        r#"BEGIN; CREATE TABLE n_prisma (id text, "ownerId" text); CREATE TABLE n_bare (id int);
           ALTER TABLE n_prisma ADD CONSTRAINT k FOREIGN KEY ("ownerId") REFERENCES "Tenant" (id);
           ALTER TABLE n_bare ADD COLUMN tenant_id text; COMMIT"#,
    )
    .await;
    script(
        &mut owner,
        r#"ALTER TABLE n_old ADD COLUMN tenant_id text; CREATE TABLE IF NOT EXISTS n_old (tenant_id text);
           CREATE TABLE IF NOT EXISTS n_old AS SELECT 'x'::text AS tenant_id"#,
    )
    .await;
    script(&mut owner, "BEGIN; CREATE TABLE n_gone (id int); ROLLBACK").await;
    script(&mut owner, "CREATE SCHEMA n_own CREATE TABLE n_in_schema (tenant_id text)").await;
    // A migration that makes tables in a function of its own.
    script(&mut owner, "DO $$ BEGIN EXECUTE 'CREATE TABLE n_dynamic (tenant_id text)'; END $$").await;
    owner.close().await;
    assert_eq!(born(&db).await, ["n_bare", "n_dynamic", "n_in_schema", "n_prisma"]);
}

/// Roles that own neither the function nor the schema in which it is, event triggers of the team, and roles that may not alter what they made.
#[tokio::test]
async fn no_command_fails_for_it_whoever_runs_it_and_whatever_else_fires() {
    let db = closed().await;
    as_superuser(
        &db,
        "GRANT CREATE ON SCHEMA public TO app_user;
         CREATE FUNCTION public.of_team() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM of_team(); END';
         CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION public.watch()",
    )
    .await;
    let mut app = session(&db, Role::AppUser).await;
    // Operators of its own in its path change nothing.
    script(
        &mut app,
        "CREATE FUNCTION public.never(text, text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''called''; END';
         CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.never);
         SET search_path = public, pg_catalog;
         CREATE TABLE n_of_app (tenant_id text)",
    )
    .await;
    // What a session sets itself cannot make it fail, nor close what is not its own.
    script(
        &mut app,
        "SET tenant_ops.born = 'not a number';
         CREATE TABLE n_again (tenant_id text)",
    )
    .await;
    app.close().await;
    assert_eq!(born(&db).await, ["n_again", "n_of_app"]);
    // An event trigger that fails for ALTER TABLE keeps the new table open, and the table is made all the same.
    as_superuser(
        &db,
        "CREATE FUNCTION public.forbid() RETURNS event_trigger LANGUAGE plpgsql AS
             'BEGIN RAISE EXCEPTION ''no ALTER TABLE today''; END';
         CREATE EVENT TRIGGER forbid ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.forbid()",
    )
    .await;
    script(&mut session(&db, Role::Owner).await, "CREATE TABLE n_open (tenant_id text)").await;
    assert_eq!(born(&db).await, ["n_again", "n_of_app"]);
    as_superuser(&db, "DROP EVENT TRIGGER forbid; COMMENT ON FUNCTION tenant_ops.born_closed() IS 'no json'").await;
    script(&mut session(&db, Role::Owner).await, "CREATE TABLE n_without_rules (tenant_id text)").await;
    assert_eq!(born(&db).await, ["n_again", "n_of_app"]);
}

/// A role may make a schema with tables for another one that it may become, without having that one's rights.
#[tokio::test]
async fn a_table_of_a_role_whose_rights_the_session_lacks_is_made_all_the_same() {
    let db = closed().await;
    as_superuser(
        &db,
        "DO $$ BEGIN CREATE ROLE born_maker LOGIN NOINHERIT; CREATE ROLE born_other; GRANT born_other TO born_maker;
         EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    )
    .await;
    let mut superuser = session(&db, Role::Superuser).await;
    let grant = tenant_rls::Template::new("GRANT CREATE ON DATABASE :\"db\" TO born_maker, born_other")
        .ident("db", &tenancy_config::Ident::new(db.name()).unwrap());
    superuser.run_script("preparing a test", grant.build()).await.unwrap();
    script(
        &mut superuser,
        "SET SESSION AUTHORIZATION born_maker;
         CREATE SCHEMA n_own AUTHORIZATION born_other CREATE TABLE n_theirs (tenant_id text);
         RESET SESSION AUTHORIZATION",
    )
    .await;
    let there: bool = sqlx::query_scalar("SELECT to_regclass('n_own.n_theirs') IS NOT NULL")
        .fetch_one(superuser.connection())
        .await
        .unwrap();
    assert!(there);
    script(&mut superuser, "DROP SCHEMA n_own CASCADE; DROP OWNED BY born_maker, born_other").await;
    superuser.close().await;
}

#[tokio::test]
async fn who_may_not_make_it_is_told_and_nothing_is_written() {
    let db = clean().await;
    let without = make(&db, Role::Superuser, &Tenancy::default(), false).await.unwrap_err();
    assert!(matches!(without, Error::NoJournal), "{without}");
    assert!(without.hint().unwrap().to_string().contains("rls rollout --phase prepare"), "{:?}", without.hint());
    roll(&db, &to(Phase::Prepare)).await.unwrap();
    let (untouched, rollouts) = (catalog(&db).await, rollouts(&db).await);
    for dry_run in [true, false] {
        let refused = make(&db, Role::Owner, &Tenancy::default(), dry_run).await.unwrap_err();
        assert!(matches!(refused, Error::EventTriggers { .. }), "{refused}");
        assert_eq!(refused.exit(), Exit::Refused);
        assert!(refused.hint().unwrap().to_string().contains("superuser"));
    }
    let tried = make(&db, Role::Superuser, &Tenancy::default(), true).await.unwrap();
    assert_eq!((tried.rollout, tried.statements.len()), (None, 5));
    as_superuser(
        &db,
        "CREATE FUNCTION public.other() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER tenant_born_closed ON ddl_command_end EXECUTE FUNCTION public.other()",
    )
    .await;
    let other = make(&db, Role::Superuser, &Tenancy::default(), false).await.unwrap_err();
    assert!(matches!(other, Error::OtherEventTrigger), "{other}");
    as_superuser(&db, "DROP EVENT TRIGGER tenant_born_closed; DROP FUNCTION public.other()").await;
    assert_eq!((untouched, rollouts), (catalog(&db).await, self::rollouts(&db).await));
}

async fn rollouts(db: &TestDb) -> i64 {
    let mut session = session(db, Role::Superuser).await;
    let number = sqlx::query_scalar("SELECT count(*) FROM tenant_ops.rollout").fetch_one(session.connection()).await;
    session.close().await;
    number.unwrap()
}

/// What there is of it: event triggers and functions of the book-keeping.
async fn objects(db: &TestDb) -> i64 {
    let mut session = session(db, Role::Superuser).await;
    let sql =
        "SELECT (SELECT count(*) FROM pg_event_trigger) + (SELECT count(*) FROM pg_proc WHERE proname = 'born_closed')";
    let number = sqlx::query_scalar(sql).fetch_one(session.connection()).await;
    session.close().await;
    number.unwrap()
}

#[tokio::test]
async fn a_rollback_takes_it_back_where_the_login_may_and_says_so_where_it_may_not() {
    let db = clean().await;
    let untouched = catalog(&db).await;
    roll(&db, &auto()).await.unwrap();
    let made = make(&db, Role::Superuser, &Tenancy::default(), false).await.unwrap();
    let again = make(&db, Role::Superuser, &Tenancy::default(), false).await.unwrap();
    assert_eq!((again.rollout, again.before.unwrap().state), (None, BornClosedState::InForce));
    // Everything else goes on beside it: the book-keeping is what it should be, for the owner too.
    assert!(roll(&db, &auto()).await.unwrap().is_complete());
    // `--to prepare` leaves it, and so does a rollback of some tables.
    assert_eq!(back(&db, Phase::Tighten).await.unwrap().born_closed, None);
    let undone = back(&db, Phase::None).await.unwrap();
    assert_eq!(undone.born_closed, Some(BornClosedBack::NotAllowed));
    assert!(!undone.is_complete() && !undone.tables.is_empty());
    assert_eq!(catalog(&db).await, untouched);
    assert_eq!(objects(&db).await, 2);
    let database = connect(&db, Role::Superuser).await;
    let (_go, stop) = tokio::sync::watch::channel(false);
    let options = RollbackOptions { rollout: made.rollout, ..all_the_way_back() };
    let done = rls_rollout::rollback(&database, &Tenancy::default(), &options, "a test", stop, &mut |_| ()).await;
    database.close().await;
    assert_eq!(done.unwrap().born_closed, Some(BornClosedBack::Restored));
    assert_eq!(objects(&db).await, 0);
    assert!(matches!(back_with(&db, &options).await.unwrap_err(), Error::NothingToUndo { .. }));
}

#[tokio::test]
async fn status_and_plan_name_it_and_what_became_of_it() {
    let db = closed().await;
    let status = async || {
        let database = connect(&db, Role::Owner).await;
        let status = rls_rollout::status(&database, &Tenancy::default(), None).await.unwrap();
        let plan = rls_rollout::plan(&database, &Tenancy::default(), &auto()).await.unwrap();
        database.close().await;
        let named = plan.script().contains("tenant_born_closed");
        assert_eq!(named, status.born_closed.is_some());
        (status.born_closed.map(|there| there.state), status.born_closed_lost)
    };
    assert_eq!(status().await, (Some(BornClosedState::InForce), false));
    as_superuser(&db, "ALTER EVENT TRIGGER tenant_born_closed DISABLE").await;
    assert_eq!(status().await, (Some(BornClosedState::Disabled), false));
    assert_eq!(back(&db, Phase::None).await.unwrap().born_closed, Some(BornClosedBack::Changed));
    as_superuser(&db, "DROP EVENT TRIGGER tenant_born_closed").await;
    assert_eq!(status().await, (None, true));
    let renewed = make(&db, Role::Superuser, &Tenancy::default(), false).await.unwrap();
    assert!(renewed.rollout.is_some());
    assert_eq!(status().await, (Some(BornClosedState::InForce), false));
}

#[tokio::test]
async fn another_tenancy_renews_it_and_tables_of_their_own_column_and_exempt_ones_are_what_they_are() {
    let db = closed().await;
    let text = "columns = [\"org\"]\n[tenant]\ntable = \"Tenant\"\n[tables]\nn_own = { column = \"mine\" }\n\
                n_exempt = { exempt = \"a cache\" }\n";
    let tenancy = Tenancy::from_toml(text, std::path::Path::new("tenancy.toml")).unwrap();
    let database = connect(&db, Role::Owner).await;
    let there = tenant_inventory::BornClosed::load(&database, &tenancy).await.unwrap().unwrap();
    database.close().await;
    assert_eq!(there.state, BornClosedState::Outdated);
    let renewed = make(&db, Role::Superuser, &tenancy, false).await.unwrap();
    script(
        &mut session(&db, Role::Owner).await,
        "CREATE TABLE n_org (org text); CREATE TABLE n_tenant (tenant_id text); CREATE TABLE n_own (mine text);
         CREATE TABLE n_exempt (org text)",
    )
    .await;
    assert_eq!(born(&db).await, ["n_org", "n_own"]);
    // The rollback of the renewal brings the earlier rules back.
    let database = connect(&db, Role::Superuser).await;
    let (_go, stop) = tokio::sync::watch::channel(false);
    let options = RollbackOptions { rollout: renewed.rollout, ..all_the_way_back() };
    rls_rollout::rollback(&database, &Tenancy::default(), &options, "a test", stop, &mut |_| ()).await.unwrap();
    let there = tenant_inventory::BornClosed::load(&database, &Tenancy::default()).await.unwrap().unwrap();
    database.close().await;
    assert_eq!(there.state, BornClosedState::InForce);
    let _ = roll_with(&db, &Tenancy::default(), &to(Phase::Prepare), &mut |_| ()).await.unwrap();
}

/// The function runs in every session: what somebody changed of it is found before anything else is done.
#[tokio::test]
async fn a_function_that_somebody_changed_is_not_relied_on() {
    let db = closed().await;
    for (change, back) in [
        (
            "ALTER FUNCTION tenant_ops.born_closed() SECURITY DEFINER",
            "ALTER FUNCTION tenant_ops.born_closed() SECURITY INVOKER",
        ),
        (
            "ALTER FUNCTION tenant_ops.born_closed() SET search_path = public",
            "ALTER FUNCTION tenant_ops.born_closed() SET search_path = pg_catalog, pg_temp",
        ),
        (
            "GRANT EXECUTE ON FUNCTION tenant_ops.born_closed() TO PUBLIC",
            "REVOKE EXECUTE ON FUNCTION tenant_ops.born_closed() FROM PUBLIC",
        ),
        (
            "ALTER FUNCTION tenant_ops.born_closed() SET work_mem = '1GB'",
            "ALTER FUNCTION tenant_ops.born_closed() RESET work_mem",
        ),
    ] {
        as_superuser(&db, change).await;
        let refused = roll(&db, &auto()).await;
        assert!(matches!(refused, Err(Error::Ops(tenant_ops::Error::Untrusted { .. }))), "{change}: {refused:?}");
        // Nor does the command that makes it say that it is there.
        let again = make(&db, Role::Superuser, &Tenancy::default(), true).await;
        let found = matches!(again, Err(Error::Ops(tenant_ops::Error::Untrusted { .. }) | Error::OtherEventTrigger));
        assert!(found, "{change}: {again:?}");
        as_superuser(&db, back).await;
        roll(&db, &auto()).await.unwrap_or_else(|error| panic!("{back}: {error}"));
    }
    as_superuser(
        &db,
        "CREATE OR REPLACE FUNCTION tenant_ops.born_closed() RETURNS event_trigger LANGUAGE plpgsql
         SET search_path = pg_catalog, pg_temp AS 'BEGIN END'",
    )
    .await;
    assert!(matches!(roll(&db, &auto()).await, Err(Error::Ops(tenant_ops::Error::Untrusted { .. }))));
}

/// What the catalog says of it: whether it fires, and whether its rules are JSON still.
async fn there(db: &TestDb) -> (bool, bool) {
    let mut session = session(db, Role::Superuser).await;
    let row = sqlx::query(
        "SELECT e.evtenabled <> 'D' AS fires, obj_description(e.evtfoid, 'pg_proc') LIKE '{%' AS has_rules
         FROM pg_event_trigger AS e WHERE e.evtname = 'tenant_born_closed'",
    )
    .fetch_one(session.connection())
    .await
    .unwrap();
    session.close().await;
    (row.get("fires"), row.get("has_rules"))
}

#[tokio::test]
async fn one_that_was_switched_off_is_off_again_after_a_rollback_of_what_renewed_it() {
    let db = closed().await;
    as_superuser(&db, "ALTER EVENT TRIGGER tenant_born_closed DISABLE").await;
    let renewed = make(&db, Role::Superuser, &Tenancy::default(), false).await.unwrap();
    assert_eq!(there(&db).await, (true, true));
    let database = connect(&db, Role::Superuser).await;
    let (_go, stop) = tokio::sync::watch::channel(false);
    let options = RollbackOptions { rollout: renewed.rollout, ..all_the_way_back() };
    rls_rollout::rollback(&database, &Tenancy::default(), &options, "a test", stop, &mut |_| ()).await.unwrap();
    database.close().await;
    assert_eq!(there(&db).await, (false, true));
}

#[tokio::test]
async fn one_whose_tags_or_body_somebody_took_away_is_not_said_to_close_tables() {
    for (change, state) in [
        (
            "DROP EVENT TRIGGER tenant_born_closed;
             CREATE EVENT TRIGGER tenant_born_closed ON ddl_command_end EXECUTE FUNCTION tenant_ops.born_closed()",
            BornClosedState::NotOurs,
        ),
        ("ALTER FUNCTION tenant_ops.born_closed() RESET ALL", BornClosedState::NotOurs),
        (
            "CREATE OR REPLACE FUNCTION tenant_ops.born_closed() RETURNS event_trigger LANGUAGE plpgsql
             SET search_path = pg_catalog, pg_temp AS 'BEGIN END'",
            BornClosedState::Outdated,
        ),
    ] {
        let db = closed().await;
        as_superuser(&db, change).await;
        let database = connect(&db, Role::Superuser).await;
        let found = tenant_inventory::BornClosed::load(&database, &Tenancy::default()).await.unwrap().unwrap();
        database.close().await;
        assert_eq!(found.state, state, "{change}");
    }
}

//! What somebody else made or changed in the schema is refused before any of it runs.

use std::time::Duration;

use local_db::Role;
use tenancy_config::Tenancy;
use tenant_ops::{Error, NewRun, Run, RunState, TrustFinding};
use tenant_rls::{ConnectOptions, Database, OwnerTx};
use test_support::TestDb;

use crate::support::{connect, findings, install, installed, number, script};

/// Functions that note in a table of their own who ran them.
const SPY: &str = "CREATE TABLE public.ran (by text);
    CREATE FUNCTION public.spy() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO public.ran VALUES (current_user); RETURN NEW; END $$;
    CREATE FUNCTION public.spy(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN INSERT INTO public.ran VALUES (current_user); RETURN $1; END $$;
    GRANT ALL ON public.ran TO PUBLIC";

/// A role of this test's database alone, which may create in it.
const INTRUDER: &str = "DO $do$ DECLARE v_role text := current_database() || '_intruder'; BEGIN
    EXECUTE format('CREATE ROLE %I', v_role);
    EXECUTE format('GRANT CREATE ON DATABASE %I TO %I', current_database(), v_role); END $do$";

const TRIGGER: &str =
    "CREATE TRIGGER planted BEFORE INSERT ON tenant_ops.run FOR EACH ROW EXECUTE FUNCTION public.spy()";

/// What the owner, or somebody with the owner's rights, could put there, and what is said of it.
const PLANTS: [(&str, &str, &str); 18] = [
    ("unexpected", "trigger run.planted", TRIGGER),
    (
        "unexpected",
        "rule journal.planted",
        "CREATE RULE planted AS ON INSERT TO tenant_ops.journal DO ALSO INSERT INTO public.ran VALUES (current_user)",
    ),
    ("changed", "column run.host", "ALTER TABLE tenant_ops.run ALTER COLUMN host SET DEFAULT public.spy('x')"),
    ("unexpected", "column run.more", "ALTER TABLE tenant_ops.run ADD COLUMN more text"),
    (
        "unexpected",
        "constraint run.planted",
        "ALTER TABLE tenant_ops.run ADD CONSTRAINT planted CHECK (public.spy(job) = job)",
    ),
    (
        "changed",
        "constraint run.run_state_check",
        "ALTER TABLE tenant_ops.run DROP CONSTRAINT run_state_check;
         ALTER TABLE tenant_ops.run ADD CONSTRAINT run_state_check CHECK (public.spy(state) <> '')",
    ),
    ("unexpected", "index planted", "CREATE INDEX planted ON tenant_ops.run (public.spy(job))"),
    ("unexpected", "function planted()", "CREATE FUNCTION tenant_ops.planted() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    ("unexpected", "view planted", "CREATE VIEW tenant_ops.planted AS SELECT public.spy('x')"),
    (
        "changed",
        "view progress",
        "CREATE OR REPLACE VIEW tenant_ops.progress AS SELECT id AS run_id, pass, examined, batches, assigned_by,
             length(public.spy('x'))::bigint AS ranges, 0::bigint AS ranges_done FROM tenant_ops.run",
    ),
    ("changed", "table run", "ALTER TABLE tenant_ops.run ENABLE ROW LEVEL SECURITY"),
    ("unexpected", "policy run.planted", "CREATE POLICY planted ON tenant_ops.run USING (public.spy(job) = job)"),
    ("unexpected", "inheritance run.heir", "CREATE TABLE public.heir () INHERITS (tenant_ops.run)"),
    ("changed", "table journal", "ALTER TABLE tenant_ops.journal SET UNLOGGED"),
    (
        "unexpected",
        "operator tenant_ops.===(pg_catalog.text,pg_catalog.text)",
        "CREATE OPERATOR tenant_ops.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_catalog.texteq)",
    ),
    ("unexpected", "type planted", "CREATE DOMAIN tenant_ops.planted AS text CHECK (public.spy(VALUE) = VALUE)"),
    (
        "missing",
        "constraint journal.journal_run_id_fkey",
        "ALTER TABLE tenant_ops.journal DROP CONSTRAINT journal_run_id_fkey",
    ),
    (
        "changed",
        "body of the function apply_batch",
        "DO $do$ BEGIN EXECUTE replace(pg_get_functiondef('tenant_ops.apply_batch'::regproc), 'v_applied bigint := 0', 'v_applied bigint := 1');
         END $do$",
    ),
];

fn said(finding: &TrustFinding) -> (&'static str, &str) {
    match finding {
        TrustFinding::Unexpected { object, .. } => ("unexpected", object),
        TrustFinding::Changed { object, .. } => ("changed", object),
        TrustFinding::Missing { object } => ("missing", object),
        TrustFinding::OtherOwner { object, .. } => ("of another", object),
        TrustFinding::Right { object, .. } => ("right", object),
        TrustFinding::NotOurs { owner, .. } => ("not ours", owner),
        TrustFinding::Stranger { owner } => ("of a stranger", owner),
        TrustFinding::OfApplication { owner, .. } => ("of the application", owner),
        TrustFinding::Member { member, .. } => ("member", member),
    }
}

async fn as_intruder(db: &TestDb, sql: &'static str) {
    let mut superuser = db.superuser().await;
    let become_them = "DO $do$ BEGIN EXECUTE format('SET ROLE %I', current_database() || '_intruder'); END $do$";
    superuser.run_script("becoming the intruder", become_them).await.unwrap();
    superuser.run_script("planting", sql).await.unwrap();
    superuser.close().await;
}

/// Every entry that does not install.
async fn every_entry_refuses(database: &Database) {
    let tenancy = Tenancy::default();
    for entry in 0..4 {
        let mut tx = OwnerTx::begin(database, Duration::from_secs(5)).await.unwrap();
        let done = match entry {
            0 => tenant_ops::runs(tx.connection(), &tenancy, None).await.map(drop),
            1 => tenant_ops::why(tx.connection(), &tenancy, "public.bookings", "b").await.map(drop),
            2 => tenant_ops::decided(tx.connection(), &tenancy, "public.bookings", &["b"], &["t"]).await.map(drop),
            _ => tenant_ops::standing_steps::<String>(tx.connection(), &tenancy).await.map(drop),
        };
        findings(done);
        tx.rollback().await.unwrap();
    }
    findings(tenant_ops::grant(database, &tenancy).await);
    findings(tenant_ops::change_state(database, &tenancy, 1, RunState::Paused, "ada", &[]).await.map(drop));
}

#[tokio::test]
async fn whatever_was_planted_is_named_and_never_runs() {
    for (kind, object, plant) in PLANTS {
        let db = installed().await;
        script(&db, Role::Owner, SPY).await;
        script(&db, Role::Owner, plant).await;
        for role in [Role::Owner, Role::Superuser] {
            let found = findings(install(&db, role).await);
            assert!(found.iter().any(|finding| said(finding) == (kind, object)), "{kind} {object}: {found:?}");
            let database = connect(&db, role).await;
            every_entry_refuses(&database).await;
            database.close().await;
        }
        assert_eq!(number(&db, "SELECT count(*) FROM public.ran").await, 0, "{plant}");
    }
}

#[tokio::test]
async fn a_schema_that_another_role_made_first_is_not_taken_over_and_its_trigger_never_runs() {
    let db = test_support::database().await;
    script(&db, Role::Superuser, SPY).await;
    script(&db, Role::Superuser, INTRUDER).await;
    as_intruder(&db, include_str!("layout_6.sql")).await;
    as_intruder(
        &db,
        "INSERT INTO tenant_ops.installed VALUES (6); GRANT USAGE ON SCHEMA tenant_ops TO PUBLIC;
         GRANT ALL ON ALL TABLES IN SCHEMA tenant_ops TO PUBLIC",
    )
    .await;
    as_intruder(&db, TRIGGER).await;
    let owner = findings(install(&db, Role::Owner).await);
    let not_ours = |finding: &TrustFinding| matches!(finding, TrustFinding::NotOurs { owner, login } if owner.ends_with("_intruder") && login == "app_owner");
    assert!(owner.iter().any(not_ours), "{owner:?}");
    // A superuser may act as anybody.
    let superuser = findings(install(&db, Role::Superuser).await);
    let stranger =
        |finding: &TrustFinding| matches!(finding, TrustFinding::Stranger { owner } if owner.ends_with("_intruder"));
    assert!(superuser.iter().any(stranger), "{superuser:?}");
    assert!(superuser.iter().any(|finding| said(finding) == ("unexpected", "trigger run.planted")), "{superuser:?}");
    assert!(superuser.iter().any(|finding| matches!(finding, TrustFinding::Right { role: None, .. })), "{superuser:?}");
    assert_eq!(number(&db, "SELECT count(*) FROM public.ran").await, 0);
}

#[tokio::test]
async fn a_view_in_place_of_the_number_of_the_layout_is_not_read() {
    let db = test_support::database().await;
    script(&db, Role::Superuser, SPY).await;
    script(&db, Role::Superuser, INTRUDER).await;
    as_intruder(
        &db,
        "CREATE SCHEMA tenant_ops; CREATE VIEW tenant_ops.installed AS SELECT length(public.spy('x')) AS version",
    )
    .await;
    let found = findings(install(&db, Role::Superuser).await);
    assert!(found.iter().any(|finding| said(finding) == ("unexpected", "view installed")), "{found:?}");
    assert_eq!(number(&db, "SELECT count(*) FROM public.ran").await, 0);
}

#[tokio::test]
async fn a_schema_of_the_applications_login_is_refused_for_everybody_else() {
    let db = test_support::database().await;
    let grant = "DO $do$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO app_user', current_database()); END $do$";
    script(&db, Role::Superuser, grant).await;
    script(&db, Role::AppUser, "CREATE SCHEMA tenant_ops").await;
    for role in [Role::Owner, Role::Superuser] {
        let found = findings(install(&db, role).await);
        assert!(matches!(&found[..], [TrustFinding::OfApplication { owner, .. }] if owner == "app_user"), "{found:?}");
    }
    // A team that has a single login for everything has nobody to keep out.
    install(&db, Role::AppUser).await.unwrap();
}

#[tokio::test]
async fn an_object_of_another_role_is_named_with_both_owners() {
    let db = installed().await;
    script(&db, Role::Superuser, "ALTER TABLE tenant_ops.journal OWNER TO postgres").await;
    for role in [Role::Owner, Role::Superuser] {
        let found = findings(install(&db, role).await);
        let journal = TrustFinding::OtherOwner {
            object: "table journal".into(),
            owner: "postgres".into(),
            expected: "app_owner".into(),
        };
        assert!(found.contains(&journal), "{found:?}");
    }
}

#[tokio::test]
async fn a_schema_that_was_made_empty_for_the_owner_is_filled() {
    let db = test_support::database().await;
    script(&db, Role::Superuser, "CREATE SCHEMA tenant_ops AUTHORIZATION app_owner").await;
    install(&db, Role::Owner).await.unwrap();
    assert_eq!(number(&db, "SELECT version::bigint FROM tenant_ops.installed").await, 10);
}

#[tokio::test]
async fn what_a_superuser_owns_is_named_to_an_owner_who_may_not_read_it() {
    let db = installed().await;
    script(
        &db,
        Role::Superuser,
        "DO $do$ DECLARE v_object text; BEGIN
             FOR v_object IN
                 SELECT format(CASE c.relkind WHEN 'v' THEN 'VIEW %s' ELSE 'TABLE %s' END, c.oid::regclass) FROM pg_class AS c
                 WHERE c.relnamespace = 'tenant_ops'::regnamespace AND c.relkind IN ('r', 'v')
                 UNION ALL SELECT format('FUNCTION %s', p.oid::regprocedure) FROM pg_proc AS p
                 WHERE p.pronamespace = 'tenant_ops'::regnamespace
                 UNION ALL SELECT 'SCHEMA tenant_ops'
             LOOP
                 EXECUTE format('ALTER %s OWNER TO postgres', v_object);
             END LOOP; END $do$",
    )
    .await;
    let owner = connect(&db, Role::Owner).await;
    let mut tx = OwnerTx::begin(&owner, Duration::from_secs(5)).await.unwrap();
    let found = findings(tenant_ops::standing_steps::<String>(tx.connection(), &Tenancy::default()).await.map(drop));
    let not_ours = TrustFinding::NotOurs { owner: "postgres".to_owned(), login: "app_owner".to_owned() };
    assert_eq!(found, [not_ours]);
    tx.rollback().await.unwrap();
    owner.close().await;
}

/// A login that is a member of the owner's role and nothing else.
async fn second_operator(db: &TestDb) -> Database {
    script(
        db,
        Role::Superuser,
        "DO $do$ DECLARE v_role text := current_database() || '_second'; BEGIN
             EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', v_role, 'local');
             EXECUTE format('GRANT app_owner TO %I', v_role); END $do$",
    )
    .await;
    let url = db.url(Role::Owner).with_user(&format!("{}_second", db.name()), Some("local"));
    Database::connect(&url, &ConnectOptions::default()).await.unwrap()
}

async fn current_user(tx: &mut OwnerTx) -> String {
    sqlx::query_scalar("SELECT current_user::text").fetch_one(tx.connection()).await.unwrap()
}

#[tokio::test]
async fn the_books_are_kept_as_their_owner_also_by_a_superuser_and_a_second_operator() {
    let db = installed().await;
    for database in [second_operator(&db).await, connect(&db, Role::Superuser).await] {
        tenant_ops::install(&database, &Tenancy::default()).await.unwrap();
        // The owner is trusted with the owner's rights, and with no more: what they add behind the check runs as themselves.
        script(&db, Role::Owner, SPY).await;
        script(&db, Role::Owner, TRIGGER).await;
        let sources = vec!["s".into()];
        let new = NewRun { job: "t".into(), table: "public.bookings".into(), on_conflict: "report", sources };
        Run::resume_or_open(&database, &new, "ada", &[]).await.unwrap();
        let mut tx = OwnerTx::begin(&database, Duration::from_secs(5)).await.unwrap();
        let before = current_user(&mut tx).await;
        Run::open_in(tx.connection(), &new).await.unwrap();
        assert_eq!(before, current_user(&mut tx).await, "what follows in the transaction is the login's again");
        tx.commit().await.unwrap();
        database.close().await;
        assert_eq!(number(&db, "SELECT count(*) FROM public.ran WHERE by = 'app_owner'").await, 2);
        assert_eq!(number(&db, "SELECT count(*) FROM public.ran").await, 2);
        script(
            &db,
            Role::Owner,
            "DROP TABLE public.ran; DROP TRIGGER planted ON tenant_ops.run; DROP FUNCTION public.spy(); DROP FUNCTION public.spy(text);
             DELETE FROM tenant_ops.run",
        )
        .await;
    }
}

#[tokio::test]
async fn a_layout_of_a_newer_version_is_left_alone() {
    let db = installed().await;
    let newer = "UPDATE tenant_ops.installed SET version = 99; ALTER TABLE tenant_ops.run ADD COLUMN newer text";
    script(&db, Role::Owner, newer).await;
    let error = install(&db, Role::Owner).await.unwrap_err();
    assert!(matches!(error, Error::Newer { version: 99 }), "{error}");
    assert_eq!(number(&db, "SELECT version::bigint FROM tenant_ops.installed").await, 99);
}

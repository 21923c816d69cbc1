//! Code of others: the application's, which a rollout runs and which finds what it expects, and what whoever can write to the journal
//! would like to be run.

use local_db::Role;
use rls_rollout::{Error, RolloutOptions, Stop};
use tenancy_config::Exit;
use tenancy_config::UserError;
use tenant_inventory::Phase;
use tenant_inventory::class::Unhandled;
use tenant_inventory::coverage::Cover;

use crate::support::{all_at, as_superuser, auto, back, clean, connect, roll, script, session, to};

/// A check whose function calls another one by its bare name: the server evaluates it when a column becomes NOT NULL.
const CHECK: &str = "
    CREATE FUNCTION public.norm(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
    CREATE FUNCTION public.norm2(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT norm($1)';
    ALTER TABLE bookings ADD CHECK (norm2(\"clientName\") <> 'nobody'), ADD CHECK (norm2(id) <> '');
    CREATE INDEX ON bookings (norm2(\"clientEmail\"))";

#[tokio::test]
async fn checks_and_indexes_whose_functions_look_names_up_go_the_whole_way_and_back() {
    let db = clean().await;
    script(&mut db.owner().await, CHECK).await;
    let report = roll(&db, &auto()).await.unwrap();
    assert!(all_at(&report, Phase::Enforce), "{report:#?}");
    back(&db, Phase::None).await.unwrap();
}

/// What the owner of the tables writes into the journal of a policy that was replaced, for the next superuser who takes it back.
const SECOND_STATEMENT: &str = r#"UPDATE tenant_ops.rollout_step
    SET changes = replace(changes::text, 'USING (true)', 'USING (true); CREATE TABLE public.planted ()')::jsonb"#;

/// A role for a right: GRANT makes roles members of others, too.
const ROLE_FOR_RIGHT: &str = r#"UPDATE tenant_ops.rollout_step SET changes = (
    SELECT jsonb_agg(CASE WHEN c ->> 'kind' = 'grant' THEN c || '{"name": "pg_monitor TO app_user --", "before": "", "after": null}' ELSE c END)
    FROM jsonb_array_elements(changes) AS c)"#;

#[tokio::test]
async fn what_somebody_wrote_into_the_journal_is_no_statement_of_its_own() {
    for planted in [SECOND_STATEMENT, ROLE_FOR_RIGHT] {
        let db = clean().await;
        script(&mut db.owner().await, "CREATE POLICY old ON bookings USING (true)").await;
        roll(&db, &RolloutOptions { adopt: true, ..to(Phase::Prepare) }).await.unwrap();
        as_superuser(&db, planted).await;
        let error = back(&db, Phase::None).await.expect_err(planted);
        let said = error.to_string();
        assert!(said.contains("multiple commands") || said.contains("where the name of a right belongs"), "{said}");
        let mut superuser = session(&db, Role::Superuser).await;
        let harm =
            "SELECT to_regclass('public.planted') IS NOT NULL OR pg_has_role('app_user', 'pg_monitor', 'MEMBER')";
        let harmed: bool = sqlx::query_scalar(harm).fetch_one(superuser.connection()).await.unwrap();
        assert!(!harmed, "{planted}");
    }
}

/// A table that any role can make, whose index runs its owner's code when somebody else plans to read it.
const STRANGER: &str = r#"GRANT CREATE ON SCHEMA public TO app_user; SET ROLE app_user;
    CREATE TABLE public.evil (id text PRIMARY KEY, "tenantId" text); RESET ROLE"#;

/// An index of the stranger's, whose predicate tells where it was evaluated.
const TRAP: &str = r#"SET ROLE app_user;
    CREATE FUNCTION public.trap(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
    CREATE INDEX trap ON public.evil (id) WHERE public.trap('x');
    CREATE OR REPLACE FUNCTION public.trap(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE
        AS 'BEGIN RAISE EXCEPTION ''the trap was sprung''; END';
    RESET ROLE"#;

#[tokio::test]
async fn a_table_that_somebody_else_made_is_never_read_and_the_others_go_on() {
    for login in [Role::Owner, Role::Superuser] {
        let db = clean().await;
        as_superuser(&db, STRANGER).await;
        as_superuser(&db, TRAP).await;
        let sprung = "SELECT count(*) FROM public.evil";
        let mut superuser = session(&db, Role::Superuser).await;
        assert!(sqlx::query(sprung).execute(superuser.connection()).await.is_err(), "the trap works");
        let database = connect(&db, login).await;
        let tenancy = tenancy_config::Tenancy::default();
        let (_go, stop) = tokio::sync::watch::channel(false);
        let report = rls_rollout::rollout(&database, &tenancy, &auto(), "a test", stop, &mut |_| ()).await.unwrap();
        assert!(all_at(&report, Phase::Enforce), "{report:#?}");
        assert!(report.tables.iter().all(|table| table.table.to_string() != "public.evil"));
        assert!(!report.is_complete(), "one table is not covered");
        let mut unhandled =
            report.coverage.coverage.tables.iter().filter(|table| matches!(table.cover, Cover::Unhandled { .. }));
        let beside = unhandled.next().unwrap();
        let Cover::Unhandled { why: why @ Unhandled::Stranger { owner, .. }, .. } = &beside.cover else {
            panic!("{beside:?}")
        };
        assert_eq!((beside.table.to_string().as_str(), owner.as_str()), ("public.evil", "app_user"));
        assert!(why.hint().unwrap().contains("owners = [\"app_user\"]"), "{why}");
        let checked = report.preflight.iter().find(|check| check.name() == "tables").unwrap();
        assert!(checked.says().contains("public.evil belongs to app_user"), "{checked}");
    }
}

#[tokio::test]
async fn a_table_that_somebody_else_made_is_refused_where_it_is_asked_for() {
    let db = clean().await;
    as_superuser(&db, STRANGER).await;
    let options = RolloutOptions { tables: vec!["evil".to_owned()], ..auto() };
    let error = roll(&db, &options).await.unwrap_err();
    assert!(matches!(&error, Error::Database(tenant_rls::Error::Strangers(_))), "{error}");
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.hint().unwrap().contains("owners = [\"app_user\"]"));
    // Whoever is said to be relied on is.
    let mut tenancy = tenancy_config::Tenancy::default();
    tenancy.database.owners = vec!["app_user".to_owned()];
    let report = crate::support::roll_with(&db, &tenancy, &options, &mut |_| ()).await.unwrap();
    let [evil] = report.tables.as_slice() else { panic!("{report:#?}") };
    assert!(matches!(evil.stopped_by.as_slice(), [Stop::Unhandled { why: Unhandled::OtherOwner { .. } }]), "{evil:?}");
}

//! Statements that fail, that are no statements with a plan, and that try to do more than be planned.

use local_db::Role;
use rls_predict::{
    Change, Effect, Error, Origin, PlannedAs, PredictOptions, PredictWay, Source, Statement, WhyNotPlanned, predict,
    statements,
};
use tenancy_config::{Exit, Tenancy, UserError};
use tenant_rls::{ConnectOptions, Database, StatementFailure};

use crate::support::{as_superuser, connect, fixture, lost, options, predicted, predicted_as, run};

#[tokio::test]
async fn what_fails_behind_policies_is_told_from_what_works() {
    let db = fixture().await;
    let text = r#"COPY people FROM STDIN; copy public."people" (id) to stdout; COPY countries FROM STDIN; COPY nowhere FROM STDIN;
                  SET row_security = off; VACUUM people"#;
    for way in [PredictWay::Catalog, PredictWay::Trial] {
        let report = predicted(&db, way, text).await;
        let of = |number: usize| report.predictions.iter().find(|one| one.number == number).map(|one| &one.change);
        assert!(
            matches!(of(1), Some(Change::CopyInFails { table }) if table.to_string().contains("people")),
            "{report:#?}"
        );
        assert!(matches!(of(2), Some(Change::CopyOutFiltered { .. })), "{report:#?}");
        assert!(matches!(of(5), Some(Change::RowSecurityOff)), "{report:#?}");
        let commands: Vec<(usize, &WhyNotPlanned)> =
            report.not_planned.iter().map(|one| (one.number, &one.why)).collect();
        let command = |name: &str| WhyNotPlanned::Command { command: name.to_owned() };
        assert_eq!(commands, [(3, &command("copy")), (4, &command("copy")), (6, &command("vacuum"))]);
        let counting: Vec<usize> = report.predictions.iter().filter(|one| one.counts).map(|one| one.number).collect();
        assert_eq!(counting, [1, 5]);
        assert!(report.has_findings());
    }
}

#[tokio::test]
async fn what_cannot_be_prepared_is_named_with_what_the_server_said_and_the_others_go_on() {
    let db = fixture().await;
    let text = "SELECT * FROM nowhere; SELECT id FROM people WHERE email = $1; SELECT $1; SELEC 1;
                SELECT * FROM people WHERE lower(email) = 'it''s; -- kept'";
    for way in [PredictWay::Catalog, PredictWay::Trial] {
        let report = predicted(&db, way, text).await;
        assert_eq!(report.planned, 3, "{report:#?}");
        let states = report.not_planned.iter().map(|one| match &one.why {
            WhyNotPlanned::Refused { failure: StatementFailure::Refused { sqlstate: Some(state), .. } } => {
                state.as_str()
            }
            WhyNotPlanned::Command { command } => command.as_str(),
            other => panic!("{other:?}"),
        });
        assert_eq!(states.collect::<Vec<_>>(), ["42P01", "selec"]);
        assert_eq!(report.predictions[0].statement.text, "SELECT * FROM people WHERE lower(email) = 'it''s; -- kept'");
    }
}

#[tokio::test]
async fn no_statement_is_run_whatever_its_text_is() {
    let db = fixture().await;
    as_superuser(
        &db,
        "CREATE TABLE traces (trace text); GRANT ALL ON traces TO PUBLIC;
         CREATE SEQUENCE numbers; GRANT ALL ON SEQUENCE numbers TO PUBLIC;
         CREATE FUNCTION write() RETURNS text LANGUAGE plpgsql AS
         $$ BEGIN RESET ROLE; PERFORM nextval('public.numbers'); INSERT INTO public.traces VALUES (current_user); RETURN 'x'; END $$;
         CREATE FUNCTION trace() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.write(); END $$",
    )
    .await;
    // The middle of what cuts texts is gone around: the texts are given as statements.
    let texts = [
        "SELECT 1; DELETE FROM people",
        "SELECT 1; COMMIT; DELETE FROM people",
        "SELECT public.trace()",
        "SELECT * FROM people WHERE email = public.trace()",
        "WITH gone AS (DELETE FROM letters RETURNING id) SELECT * FROM gone",
        "INSERT INTO traces VALUES ('inserted')",
        "UPDATE people SET name = 'gone'",
        "SELECT 'selected'::text AS trace INTO made",
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "SELECT setval('\"IdempotencyKey_id_seq\"', 4711)",
    ];
    let statements: Vec<Statement> =
        texts.iter().map(|text| Statement { text: (*text).to_owned(), origin: Origin::Script { line: 1 } }).collect();
    let state = "SELECT concat((SELECT count(*) FROM traces), ' ', (SELECT count(*) FROM people WHERE name <> 'gone'), ' ',
                               (SELECT count(*) FROM letters), ' ', to_regclass('made'), ' ', (SELECT last_value FROM \"IdempotencyKey_id_seq\"), ' ',
                               (SELECT is_called FROM numbers))";
    let ask = async || -> String {
        let mut superuser = db.superuser().await;
        let state = sqlx::query_scalar(state).fetch_one(superuser.connection()).await.unwrap();
        superuser.close().await;
        state
    };
    let before = ask().await;
    for way in [PredictWay::Catalog, PredictWay::Trial] {
        let owner = connect(&db, Role::Superuser).await;
        let app = connect(&db, Role::AppUser).await;
        let source = Source::Given(statements.clone());
        let tenancy = Tenancy::default();
        let report = predict(&owner, &app, &tenancy, source, &options(way)).await.unwrap();
        let refused: Vec<usize> = report.not_planned.iter().map(|one| one.number).collect();
        assert!(refused.starts_with(&[1, 2, 3, 4]), "{report:#?}");
        assert_eq!(ask().await, before, "{way:?}");
    }
}

#[tokio::test]
async fn who_plans_is_told_and_who_may_not_act_as_the_application_plans_behind_forced_policies() {
    let db = fixture().await;
    let statement = "SELECT * FROM people WHERE lower(email) = $1";
    let app = |role: &str| PlannedAs::Login { role: role.to_owned() };
    let report = predicted(&db, PredictWay::Catalog, statement).await;
    assert_eq!(report.planned_as, app("app_user"));
    let report = predicted(&db, PredictWay::Trial, statement).await;
    let instead = PlannedAs::Instead { login: "app_owner".to_owned(), role: "app_user".to_owned() };
    assert_eq!((&report.planned_as, report.tenant.as_deref()), (&instead, Some("t_1")));
    let report = predicted_as(&db, (Role::Superuser, Role::AppUser), PredictWay::Trial, statement).await.unwrap();
    let PlannedAs::Acting { role, .. } = &report.planned_as else { panic!("{report:#?}") };
    assert_eq!(role, "app_user");
    assert!(matches!(&report.predictions[0].change, Change::Replanned { lost, .. } if lost.len() == 1), "{report:#?}");
}

#[tokio::test]
async fn a_login_that_may_change_no_table_predicts_the_same_from_the_catalog() {
    let db = fixture().await;
    let statement = "SELECT * FROM people WHERE lower(email) = $1; SELECT * FROM people WHERE email = $1";
    let by_owner = predicted(&db, PredictWay::Catalog, statement).await;
    let by_app = predicted_as(&db, (Role::AppUser, Role::AppUser), PredictWay::Catalog, statement).await.unwrap();
    assert_eq!((lost(&by_owner, 1).len(), lost(&by_owner, 2).len()), (1, 0), "{by_owner:#?}");
    assert_eq!(lost(&by_app, 1), lost(&by_owner, 1), "{by_app:#?}");
    assert_eq!(lost(&by_app, 2), lost(&by_owner, 2), "{by_app:#?}");
}

#[tokio::test]
async fn settings_publications_and_dumps_are_named_beside_the_statements() {
    let db = fixture().await;
    as_superuser(&db, "CREATE ROLE careless LOGIN; CREATE PUBLICATION changes FOR TABLE people, countries").await;
    let alter = format!("ALTER ROLE careless IN DATABASE \"{}\" SET row_security = off", db.name());
    let mut superuser = db.superuser().await;
    run(&mut superuser, &alter).await;
    let report = predicted(&db, PredictWay::Catalog, "SELECT 1").await;
    run(&mut superuser, &alter.replace("SET row_security = off", "RESET ALL")).await;
    run(&mut superuser, "DROP ROLE careless").await;
    superuser.close().await;
    let off = |effect: &Effect| matches!(effect, Effect::RowSecurityOff { role: Some(role), .. } if role == "careless");
    let sent = |effect: &Effect| matches!(effect, Effect::Publication { name, tables: 1 } if name == "changes");
    let dumps = |effect: &Effect| matches!(effect, Effect::Dumps { logins } if !logins.is_empty());
    assert!(report.effects.iter().any(off) && report.effects.iter().any(sent), "{:#?}", report.effects);
    assert!(report.effects.iter().any(dumps) && report.has_findings(), "{:#?}", report.effects);
}

#[tokio::test]
async fn a_superuser_tries_nothing_unless_the_statements_are_trusted_and_who_is_not_filtered_tries_nothing_at_all() {
    let db = fixture().await;
    let source = || Source::Given(statements("SELECT * FROM people WHERE email = 'x'").unwrap());
    let trial = PredictOptions { trusts_statements: false, ..options(PredictWay::Trial) };
    let (superuser, app) = (connect(&db, Role::Superuser).await, connect(&db, Role::AppUser).await);
    let refused = predict(&superuser, &app, &Tenancy::default(), source(), &trial).await.unwrap_err();
    assert!(matches!(refused, Error::Superuser { .. }) && refused.exit() == Exit::Refused, "{refused}");
    let catalog = PredictOptions { way: PredictWay::Catalog, ..trial.clone() };
    predict(&superuser, &app, &Tenancy::default(), source(), &catalog).await.unwrap();
    let server = test_support::throwaway_server(None).await;
    let mut session = server.connect(Role::Superuser).await;
    run(&mut session, "ALTER ROLE app_owner BYPASSRLS").await;
    session.close().await;
    let owner = Database::connect(&server.url(Role::Owner), &ConnectOptions::default()).await.unwrap();
    let source = Source::Given(statements("SELECT * FROM users").unwrap());
    let refused = predict(&owner, &owner, &Tenancy::default(), source, &trial).await.unwrap_err();
    assert!(matches!(refused, Error::Unfiltered { .. }), "{refused}");
}

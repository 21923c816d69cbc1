//! The job against a real PostgreSQL: messages from their authors, and one tenant for all that are left.
#![allow(clippy::unwrap_used)] // a test may panic

use assign_chat_messages::{Error, MessageAssignment, MessageTenant};
use backfill_engine::{BackfillOptions, BackfillReport, RunOutcome};
use local_db::{Planted, Role, Seed, demo};
use sqlx::Row;
use tenancy_config::UserError;
use tenancy_config::{Exit, Tenancy};
use tenant_rls::{ConnectOptions, Database};
use test_support::TestDb;
use tokio::sync::watch;

const SMALL: Seed = Seed { tenants: 20, bookings: 5_000, seed: 7 };

async fn planted() -> (TestDb, Database, Planted) {
    let db = test_support::database().await;
    let planted = demo::plant(&db.url(Role::Superuser), &SMALL, &mut |_| {}).await.unwrap();
    let database = Database::connect(&db.url(Role::Owner), &ConnectOptions::default()).await.unwrap();
    (db, database, planted)
}

fn tenant(name: &str) -> MessageTenant {
    MessageTenant::Tenant { name: name.to_owned(), include_inactive: false }
}

async fn assign(database: &Database, origin: &MessageTenant, options: &BackfillOptions) -> BackfillReport {
    let tenancy = Tenancy::default();
    let assignment = MessageAssignment::prepare(database, &tenancy, origin).await.unwrap();
    let (_go, stop) = watch::channel(false);
    assignment.run(database, &tenancy, "a test", options, stop, &mut |_| {}).await.unwrap()
}

/// The tenant column of all messages: how many NULL, how many primary.
async fn counted(db: &TestDb) -> (u64, u64) {
    let query = r#"SELECT count(*) FILTER (WHERE "tenantId" IS NULL), count(*) FILTER (WHERE "tenantId" = 'tenant_primary')
                   FROM chat_messages"#;
    let row = sqlx::query(query).fetch_one(db.superuser().await.connection()).await.unwrap();
    (row.get::<i64, _>(0) as u64, row.get::<i64, _>(1) as u64)
}

#[tokio::test]
async fn messages_get_their_authors_tenant_and_the_rest_goes_to_one_on_request() {
    let (db, database, planted) = planted().await;
    let report = assign(&database, &MessageTenant::Author, &BackfillOptions::default()).await;
    let rest = planted.messages_in_conflict + planted.messages_unresolvable;
    assert_eq!((report.assigned, report.remaining), (planted.assignable_messages(), rest));
    let (_, primary) = counted(&db).await;

    let assignment = MessageAssignment::prepare(&database, &Tenancy::default(), &tenant("acme")).await.unwrap();
    let given = assignment.given.as_ref().unwrap();
    assert_eq!((given.tenant.id.as_str(), given.tenant.name.as_str()), ("tenant_primary", "Acme"));
    assert_eq!((given.messages.rows, given.messages.told, given.messages.told_another), (rest, 0, 0));
    let report = assign(&database, &tenant("acme"), &BackfillOptions::default()).await;
    assert_eq!((report.assigned, report.remaining), (rest, 0));
    assert_eq!(counted(&db).await, (0, primary + rest));
    let books = r#"SELECT r.job, r.sources, array_agg(DISTINCT s.source) AS deciding FROM tenant_ops.run AS r
                   JOIN tenant_ops.journal AS j ON j.run_id = r.id, unnest(j.sources) AS s(source)
                   GROUP BY r.id ORDER BY r.id DESC LIMIT 1"#;
    let row = sqlx::query(books).fetch_one(db.superuser().await.connection()).await.unwrap();
    assert_eq!(row.get::<&str, _>(0), assign_chat_messages::JOB);
    assert_eq!(row.get::<Vec<String>, _>(1), ["tenant tenant_primary"]);
    assert_eq!(row.get::<Vec<i16>, _>(2), [1]);

    let again = assign(&database, &tenant("acme"), &BackfillOptions::default()).await;
    assert_eq!(again.outcome, RunOutcome::NothingToDo);
    database.close().await;
}

#[tokio::test]
async fn one_tenant_for_all_hears_first_what_the_authors_say() {
    let (_db, database, planted) = planted().await;
    let assignment = MessageAssignment::prepare(&database, &Tenancy::default(), &tenant("acme")).await.unwrap();
    let messages = assignment.given.as_ref().unwrap().messages;
    assert_eq!(messages.rows, planted.tables["chat_messages"].without_tenant);
    assert_eq!(messages.told, planted.assignable_messages());
    assert!((1..messages.told).contains(&messages.told_another), "{messages:?}");

    let dry =
        assign(&database, &tenant("acme"), &BackfillOptions { dry_run: true, ..BackfillOptions::default() }).await;
    assert_eq!((dry.assigned, dry.remaining, dry.run), (messages.rows, 0, None));
    database.close().await;
}

#[tokio::test]
async fn where_tenancy_toml_names_no_source_one_tenant_can_still_be_given() {
    let (_db, database, planted) = planted().await;
    let tenancy = Tenancy::from_toml("[tables.chat_messages]", "tenancy.toml".as_ref()).unwrap();
    let refused = MessageAssignment::prepare(&database, &tenancy, &MessageTenant::Author).await.unwrap_err();
    assert!(matches!(refused, Error::Backfill(backfill_engine::Error::NoSource { .. })), "{refused}");
    assert_eq!(refused.exit(), Exit::Usage);
    let assignment = MessageAssignment::prepare(&database, &tenancy, &tenant("acme")).await.unwrap();
    let messages = assignment.given.unwrap().messages;
    assert_eq!((messages.rows, messages.told), (planted.tables["chat_messages"].without_tenant, 0));
    database.close().await;
}

#[tokio::test]
async fn a_tenant_that_is_not_in_use_is_refused_unless_it_is_meant() {
    let (db, database, _) = planted().await;
    let before = counted(&db).await;
    // The eleventh tenant of the demo data.
    let error = MessageAssignment::prepare(&database, &Tenancy::default(), &tenant("soylent")).await.unwrap_err();
    assert!(error.to_string().contains("is SUSPENDED"), "{error}");
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.hint().unwrap().contains("--include-inactive"));
    assert_eq!(counted(&db).await, before);
    let meant = MessageTenant::Tenant { name: "soylent".into(), include_inactive: true };
    let assignment = MessageAssignment::prepare(&database, &Tenancy::default(), &meant).await.unwrap();
    assert!(!assignment.given.unwrap().tenant.active);
    database.close().await;
}

#[tokio::test]
async fn a_tenant_that_does_not_exist_is_refused() {
    let (_db, database, _) = planted().await;
    for (name, hint) in
        [("acne", "did you mean `acme`?"), ("nobody at all", "--tenant names it, by its id or its slug")]
    {
        let error = MessageAssignment::prepare(&database, &Tenancy::default(), &tenant(name)).await.unwrap_err();
        assert_eq!((error.exit(), error.hint()), (Exit::Usage, Some(hint.into())), "{error}");
    }
    database.close().await;
}

#[tokio::test]
async fn where_what_the_authors_say_is_hidden_nothing_is_given_away() {
    let (db, database, _) = planted().await;
    let hide = "ALTER TABLE users ENABLE ROW LEVEL SECURITY; ALTER TABLE users FORCE ROW LEVEL SECURITY";
    db.owner().await.run_script("hiding the users", hide).await.unwrap();
    for origin in [tenant("acme"), MessageTenant::Author] {
        let tenancy = Tenancy::default();
        let (_go, stop) = watch::channel(false);
        let refused = match MessageAssignment::prepare(&database, &tenancy, &origin).await {
            Ok(all) => all
                .run(&database, &tenancy, "a test", &BackfillOptions::default(), stop, &mut |_| {})
                .await
                .unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(refused.exit(), Exit::Refused, "{refused}");
        assert!(refused.to_string().contains("public.users"), "{refused}");
    }
    database.close().await;
}

#[tokio::test]
async fn a_run_that_was_stopped_goes_on_and_one_of_another_origin_does_not_take_it_up() {
    let (_db, database, planted) = planted().await;
    let first =
        assign(&database, &MessageTenant::Author, &BackfillOptions { limit: Some(50), ..BackfillOptions::default() })
            .await;
    assert_eq!((first.outcome, first.assigned), (RunOutcome::LimitReached, 50));
    let other =
        assign(&database, &tenant("acme"), &BackfillOptions { limit: Some(10), ..BackfillOptions::default() }).await;
    assert_eq!((other.resumed, other.assigned), (false, 10));
    let second = assign(&database, &MessageTenant::Author, &BackfillOptions::default()).await;
    assert_eq!((second.outcome, second.resumed, second.run), (RunOutcome::Done, true, first.run));
    let left = planted.messages_in_conflict + planted.messages_unresolvable;
    assert_eq!(second.assigned + other.assigned + second.remaining, planted.assignable_messages() + left);
    database.close().await;
}

//! Users without a membership, and memberships of what is gone; memberships that are made, and taken back.

use std::time::Duration;

use backfill_engine::{
    BackfillEvent, CreateMemberships, CreatedMemberships, Error, MembershipPlan, MembershipReport, RunState, runs,
};
use local_db::Role;
use tenancy_config::{DatabaseUrl, Exit, Tenancy, UserError};
use tenant_rls::{ConnectOptions, Database};
use test_support::{Proxy, TestDb};
use tokio::sync::watch;

use crate::row_security::{STRICT, protect_tables};
use crate::support::{connect, number, script};
use crate::undo::undo_with;

const TABLES: &str = r#"
    CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text, status text);
    CREATE TABLE users (id text PRIMARY KEY, "tenantId" text);
    CREATE TABLE members (id int PRIMARY KEY, "userId" text, "tenantId" text, CONSTRAINT of FOREIGN KEY ("userId") REFERENCES users NOT VALID);
    INSERT INTO "Tenant" VALUES ('a', 'a', 'A', 'ACTIVE'), ('b', 'b', 'B', 'ACTIVE');
    INSERT INTO users VALUES ('u_1', 'a'), ('u_2', 'a'), ('u_3', 'gone'), ('u_4', NULL), ('u_5', 'b');
    INSERT INTO members VALUES (1, 'u_1', 'a'), (2, 'u_1', 'b'), (3, 'u_5', 'a'), (4, 'u_5', 'gone');
    SET session_replication_role = replica;
    INSERT INTO members VALUES (5, 'u_9', 'a');
    RESET session_replication_role"#;

async fn counted(db: &TestDb, table: Option<&str>) -> Result<MembershipReport, Error> {
    let tenancy = Tenancy::from_toml("[tables]\n", "tenancy.toml".as_ref()).unwrap();
    let database = connect(db, Role::Owner).await;
    let report = MembershipReport::count(&database, &tenancy, table).await;
    database.close().await;
    report
}

async fn members() -> TestDb {
    let db = test_support::empty_database().await;
    let mut superuser = db.superuser().await;
    script(&mut superuser, "SET ROLE app_owner").await;
    let (tables, planted) = TABLES.split_once("    SET session_replication_role").unwrap();
    script(&mut superuser, tables).await;
    script(&mut superuser, "RESET ROLE").await;
    let planted = format!("SET session_replication_role{planted}").leak();
    superuser.run_script("planting a membership of nobody", &*planted).await.unwrap();
    db
}

#[tokio::test]
async fn users_and_memberships_are_counted_by_what_they_lack() {
    let report = counted(&members().await, None).await.unwrap();
    assert_eq!((report.users, report.without, report.without_known, report.elsewhere), (5, 3, 1, 1));
    assert_eq!((report.memberships, report.user_gone, report.tenant_gone), (5, 1, 1));
    assert_eq!((report.user_column.as_str(), report.findings()), ("userId", 5));
}

#[tokio::test]
async fn where_they_are_hidden_nothing_is_counted_and_a_second_such_table_is_asked_about() {
    let db = members().await;
    let more = r#"CREATE TABLE team_members (id int PRIMARY KEY, "userId" text REFERENCES users, "tenantId" text)"#;
    script(&mut db.owner().await, more).await;
    let several = counted(&db, None).await.unwrap_err();
    assert!(several.to_string().contains("public.members") && several.exit() == Exit::Usage, "{several}");
    assert_eq!(counted(&db, Some("members")).await.unwrap().users, 5);
    protect_tables(&db, &["users"], STRICT, false).await;
    let hidden = counted(&db, Some("members")).await.unwrap_err();
    assert!(matches!(hidden, Error::Database(tenant_rls::Error::CannotSee(_))), "{hidden}");
}

#[tokio::test]
async fn users_of_no_tenant_of_their_own_are_told_to_be_why() {
    let db = test_support::empty_database().await;
    let tables = "CREATE TABLE users (id text PRIMARY KEY);
        CREATE TABLE members (id int PRIMARY KEY, \"userId\" text REFERENCES users, \"tenantId\" text)";
    script(&mut db.owner().await, tables).await;
    let why = counted(&db, None).await.unwrap_err();
    assert!(why.to_string().ends_with("points to a table of users that has one, too"), "{why}");
}

/// Users of two tenants, of whom one has a membership, one no tenant, and one a tenant that is gone. Some rows point to memberships.
const MADE: &str = r#"
    CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text, status text);
    CREATE TYPE role AS ENUM ('ADMIN', 'CLIENT');
    CREATE TABLE users (id bigint PRIMARY KEY, "tenantId" text);
    CREATE TABLE members (id text PRIMARY KEY, "userId" bigint NOT NULL REFERENCES users, "tenantId" text NOT NULL, role role NOT NULL,
                          "isDefault" boolean NOT NULL DEFAULT false, "updatedAt" timestamp(3) NOT NULL, UNIQUE ("userId", "tenantId"));
    CREATE TABLE invitations (id int PRIMARY KEY, "memberId" text REFERENCES members ON DELETE CASCADE);
    INSERT INTO "Tenant" VALUES ('a', 'a', 'A', 'ACTIVE'), ('b', 'b', 'B', 'ACTIVE');
    INSERT INTO users VALUES (1, 'a'), (2, 'a'), (3, 'gone'), (4, NULL), (5, 'b'), (6, 'b'), (7, 'a');
    INSERT INTO members VALUES ('m_1', 1, 'a', 'ADMIN', true, now());
    GRANT USAGE ON SCHEMA public TO tenant_maintenance;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO tenant_maintenance"#;

fn tenancy() -> Tenancy {
    Tenancy::from_toml("[tables]\n", "tenancy.toml".as_ref()).unwrap()
}

async fn made(db: &TestDb, set: &[(&str, &str)], dry_run: bool) -> Result<CreatedMemberships, Error> {
    let (tenancy, database) = (tenancy(), connect(db, Role::Owner).await);
    let set: Vec<(String, String)> = set.iter().map(|&(column, value)| (column.into(), value.into())).collect();
    let plan = MembershipPlan::prepare(&database, &tenancy, None, &set).await?;
    let (_go, stop) = watch::channel(false);
    let create = CreateMemberships { database: &database, tenancy: &tenancy, plan: &plan, dry_run, holder: "a test" };
    let done = create.run(stop, &mut |_| {}).await;
    database.close().await;
    done
}

const ROWS: &str = r#"SELECT string_agg("userId" || "tenantId" || role || length(id), ' ' ORDER BY "userId") FROM members WHERE "updatedAt" IS NOT NULL"#;

async fn rows(db: &TestDb) -> String {
    sqlx::query_scalar(ROWS).fetch_one(db.superuser().await.connection()).await.unwrap()
}

#[tokio::test]
async fn each_user_gets_a_membership_in_the_own_tenant_and_an_undo_deletes_those_that_nobody_changed() {
    let client = [("role", "CLIENT")];
    for forced in [false, true] {
        let db = test_support::empty_database().await;
        script(&mut db.owner().await, MADE).await;
        if forced {
            protect_tables(&db, &["users", "members"], STRICT, true).await;
        }
        for (set, said) in [
            (&[][..], "nobody said what goes into role"),
            (&[("roel", "CLIENT")][..], "it has `role`"),
            (&[("role", "KING")][..], "this value of `role`"),
            (&[("role", "CLIENT"), ("tenantId", "a")][..], "each membership has its own"),
        ] {
            let refused = made(&db, set, false).await.unwrap_err();
            assert!(refused.to_string().contains(said) && refused.exit() == Exit::Usage, "{refused}");
            assert!(refused.hint().unwrap().contains("--set"), "{:?}", refused.hint());
        }
        let dry = made(&db, &client, true).await.unwrap();
        assert_eq!((dry.made, dry.run, rows(&db).await.as_str()), (4, None, "1aADMIN3"), "a dry run keeps nothing");

        let done = made(&db, &client, false).await.unwrap();
        let all = "1aADMIN3 2aCLIENT25 5bCLIENT25 6bCLIENT25 7aCLIENT25";
        assert_eq!((done.made, done.left, rows(&db).await.as_str()), (4, 0, all));
        let again = made(&db, &client, false).await.unwrap();
        assert_eq!((again.made, again.run), (0, None), "it is found that there is nothing to do");

        // One is changed since, and one has a row that points to it.
        let used = r#"UPDATE members SET role = 'ADMIN' WHERE "userId" = 2;
            INSERT INTO invitations SELECT 1, id FROM members WHERE "userId" = 5"#;
        script(&mut db.superuser().await, used).await;
        let run = done.run.unwrap();
        let dry = undo_with(&db, &tenancy(), run, true).await.unwrap();
        assert_eq!((dry.undone, dry.kept, dry.deletes), (2, 2, true));
        let undone = undo_with(&db, &tenancy(), run, false).await.unwrap();
        assert_eq!((undone.undone, undone.kept, undone.left), (2, 2, 0));
        assert_eq!(rows(&db).await, "1aADMIN3 2aADMIN25 5bCLIENT25");
        let database = connect(&db, Role::Owner).await;
        let listed = &runs(&database, &tenancy()).await.unwrap()[0];
        let undo = listed.undo.as_ref().unwrap();
        assert_eq!((listed.job.as_str(), listed.assigned, listed.state), ("memberships", 4, RunState::Undone));
        assert_eq!((undo.undone, undo.kept), (2, 2));
        database.close().await;
    }
}

#[tokio::test]
async fn a_membership_that_appears_in_between_is_left_and_a_trigger_that_nobody_allowed_stops_it() {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, MADE).await;
    let mut application = db.superuser().await;
    script(&mut application, "BEGIN; INSERT INTO members VALUES ('m_2', 2, 'a', 'ADMIN', true, now())").await;
    let commit = async {
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let mut onlooker = db.superuser().await;
        while number(&mut onlooker, waiting).await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        script(&mut application, "COMMIT").await;
    };
    let (done, ()) = tokio::join!(made(&db, &[("role", "CLIENT")], false), commit);
    let done = done.unwrap();
    assert_eq!((done.made, done.left), (3, 1));
    assert_eq!(number(&mut application, r#"SELECT count(*) FROM members WHERE "userId" = 2"#).await, 1);

    let trigger = r#"INSERT INTO users VALUES (8, 'a');
        CREATE FUNCTION greet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER greet AFTER INSERT ON members FOR EACH ROW EXECUTE FUNCTION greet()"#;
    script(&mut db.owner().await, trigger).await;
    let refused = made(&db, &[("role", "CLIENT")], false).await.unwrap_err();
    assert!(matches!(refused, Error::Triggers(_)), "{refused}");
}

/// Users of five transactions, with a table of memberships in which nothing but us keeps a user from having two.
const MANY: &str = r#"
    CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text, status text);
    CREATE TABLE users (id bigint PRIMARY KEY, "tenantId" text);
    CREATE TABLE members (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, "userId" bigint NOT NULL REFERENCES users, "tenantId" text NOT NULL);
    INSERT INTO "Tenant" VALUES ('a', 'a', 'A', 'ACTIVE'), ('b', 'b', 'B', 'ACTIVE');
    INSERT INTO users SELECT n, CASE WHEN n % 3 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 2100) AS n;"#;

/// Cuts every session of the owner in the middle of a transaction, twice.
const CUTS: &str = r#"
    CREATE SEQUENCE inserted;
    CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('public.inserted') IN (700, 1500) THEN
            PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid();
            PERFORM pg_terminate_backend(pg_backend_pid());
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER cut BEFORE INSERT ON members FOR EACH ROW EXECUTE FUNCTION cut()"#;

/// Makes them as the owner through `url`, whatever triggers the table has. The answer has the report, and how often the connection was lost.
async fn made_through(
    url: &DatabaseUrl,
    dry_run: bool,
    mut at: impl FnMut(&BackfillEvent) + Send,
) -> (CreatedMemberships, usize) {
    let tenancy =
        Tenancy::from_toml("[tables.members]\nallow_triggers = [\"cut\"]\n", "tenancy.toml".as_ref()).unwrap();
    let mut lost = 0;
    let database = Database::connect(url, &ConnectOptions::default()).await.unwrap();
    let plan = MembershipPlan::prepare(&database, &tenancy, None, &[]).await.unwrap();
    let (_go, stop) = watch::channel(false);
    let create = CreateMemberships { database: &database, tenancy: &tenancy, plan: &plan, dry_run, holder: "a test" };
    let mut progress = |event: BackfillEvent| {
        lost += usize::from(matches!(event, BackfillEvent::Reconnecting { .. }));
        at(&event);
    };
    let done = create.run(stop, &mut progress).await.unwrap();
    database.close().await;
    (done, lost)
}

/// Users, those with exactly one membership, in the own tenant, and memberships that the journal of the only run has.
const COMPLETE: &str = r#"SELECT format('%s %s %s', (SELECT count(*) FROM users),
    (SELECT count(*) FROM (SELECT u.id FROM users AS u JOIN members AS m ON m."userId" = u.id AND m."tenantId" = u."tenantId"
                           GROUP BY u.id HAVING count(*) = 1) AS one),
    (SELECT sum(cardinality(row_keys)) FROM tenant_ops.journal))"#;

async fn complete(db: &TestDb) -> String {
    sqlx::query_scalar(COMPLETE).fetch_one(db.superuser().await.connection()).await.unwrap()
}

#[tokio::test]
async fn memberships_are_made_once_each_although_all_sessions_are_cut_in_the_middle() {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, MANY).await;
    script(&mut db.owner().await, CUTS).await;
    for dry_run in [true, false] {
        script(&mut db.owner().await, "ALTER SEQUENCE inserted RESTART").await;
        let (done, lost) = made_through(&db.url(Role::Owner), dry_run, |_| ()).await;
        assert!((done.made, done.left, done.dry_run) == (2100, 0, dry_run) && lost >= 2, "{done:?} {lost}");
    }
    assert_eq!(complete(&db).await, "2100 2100 2100");
    let database = connect(&db, Role::Owner).await;
    let listed = runs(&database, &tenancy()).await.unwrap();
    assert_eq!((listed.len(), listed[0].assigned, listed[0].state), (1, 2100, RunState::Done));
    let undone = undo_with(&db, &tenancy(), listed[0].id, false).await.unwrap();
    assert_eq!((undone.undone, undone.left), (2100, 0));
    database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memberships_whose_commit_is_not_answered_are_counted_as_made() {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, MANY).await;
    let owner = db.url(Role::Owner);
    let proxy = Proxy::open(owner.port());
    let through = DatabaseUrl::parse(&proxy.through(&owner)).unwrap();
    let mut commits = 0;
    let lose = |event: &BackfillEvent| {
        if matches!(event, BackfillEvent::Making { .. } | BackfillEvent::Batch { .. }) && commits < 2 {
            commits += 1;
            proxy.lose_next_commit();
        }
    };
    let (done, lost) = made_through(&through, false, lose).await;
    assert!((done.made, done.left) == (2100, 0) && lost >= 2 && !proxy.loses_commit(), "{done:?} {lost}");
    assert_eq!(complete(&db).await, "2100 2100 2100");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_lost_and_is_still_at_it_is_waited_for() {
    let db = test_support::empty_database().await;
    script(&mut db.owner().await, MANY).await;
    let mut other = Some(db.superuser().await);
    let at_it = |event: &BackfillEvent| {
        let Some(mut other) = other.take_if(|_| matches!(event, BackfillEvent::Making { .. })) else { return };
        let work = async move {
            let makes = "BEGIN; UPDATE tenant_ops.run SET assigned_by = ARRAY[1]; INSERT INTO members (\"userId\", \"tenantId\") VALUES (3, 'a');
                INSERT INTO tenant_ops.journal (run_id, tenant_id, row_keys, sources) SELECT max(id), 'a', '{1}', '{1}' FROM tenant_ops.run";
            script(&mut other, makes).await;
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(300)).await;
                script(&mut other, "COMMIT").await;
            });
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work));
    };
    let (done, _) = made_through(&db.url(Role::Owner), false, at_it).await;
    assert_eq!((done.made, complete(&db).await.as_str()), (2100, "2100 2100 2100"));
}

//! Users without a membership, and memberships of what is gone.

use backfill_engine::{Error, MembershipReport};
use local_db::Role;
use tenancy_config::{Exit, Tenancy, UserError};
use test_support::TestDb;

use crate::row_security::{STRICT, protect_tables};
use crate::support::{connect, script};

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

//! Definitions that are kept before a rollout, and who can dump behind it.

use local_db::Role;
use rls_rollout::{RolloutOptions, Snapshot, plan, snapshots};
use tenancy_config::Tenancy;
use tenant_inventory::Phase;
use tenant_rls::Sql;

use crate::support::{auto, catalog, clean, connect, roll, script, to};

async fn taken(db: &test_support::TestDb, options: &RolloutOptions) -> Vec<Snapshot> {
    let database = connect(db, Role::Owner).await;
    let snapshots = snapshots(&database, &Tenancy::default(), options).await.unwrap();
    database.close().await;
    snapshots
}

const MADE: &str = r#"
    ALTER TABLE bookings ENABLE ROW LEVEL SECURITY;
    CREATE POLICY "our ""own""" ON bookings AS RESTRICTIVE FOR SELECT TO app_user USING ("tenantId" <> 'nobody');
    ALTER TABLE bookings ALTER COLUMN "tenantId" SET DEFAULT 't_a', ALTER COLUMN "tenantId" SET NOT NULL;
    ALTER TABLE bookings ADD CONSTRAINT named CHECK ("tenantId" <> 'nobody');
    CREATE INDEX "INDEX partial" ON bookings ("tenantId") WHERE duration > 10;
    GRANT SELECT (id) ON bookings TO app_user WITH GRANT OPTION"#;

const LOST: &str = r#"
    DROP POLICY "our ""own""" ON bookings;
    ALTER TABLE bookings DISABLE ROW LEVEL SECURITY;
    ALTER TABLE bookings FORCE ROW LEVEL SECURITY;
    ALTER TABLE bookings ALTER COLUMN "tenantId" DROP DEFAULT, ALTER COLUMN "tenantId" DROP NOT NULL;
    ALTER TABLE bookings DROP CONSTRAINT named;
    DROP INDEX "INDEX partial";
    REVOKE SELECT (id) ON bookings FROM app_user"#;

#[tokio::test]
async fn a_snapshot_makes_again_what_was_lost_and_does_so_twice() {
    let db = clean().await;
    let mut session = db.superuser().await;
    script(&mut session, MADE).await;
    let before = catalog(&db).await;
    let taken = taken(&db, &RolloutOptions { tables: vec!["bookings".to_owned()], ..auto() }).await;
    assert_eq!(taken.iter().map(|one| one.file.as_str()).collect::<Vec<_>>(), ["public.bookings.sql"]);
    script(&mut session, LOST).await;
    assert_ne!(catalog(&db).await, before);
    for _ in 0..2 {
        session.run_script("restoring", Sql::from_catalog(taken[0].script.clone())).await.unwrap();
        assert_eq!(catalog(&db).await, before);
    }
    session.close().await;
}

/// Ends a line, turns the reading direction, clears a screen; and a backslash, which begins an escape.
const HOSTILE: &str = "x\n::error::\u{202e}\u{1b}[2J\\";

#[tokio::test]
async fn a_script_of_names_that_would_act_shows_them_and_means_the_same() {
    let db = clean().await;
    let mut session = db.superuser().await;
    let hostile = |text: &'static str| -> &'static str {
        let text = text.replace("named", &format!("\"{HOSTILE}\"")).replace("'nobody'", &format!("'{HOSTILE}'"));
        text.replace("our \"\"own\"\"", HOSTILE).replace("INDEX partial", HOSTILE).leak()
    };
    script(&mut session, hostile(MADE)).await;
    let before = catalog(&db).await;
    assert!(before.iter().any(|line| line.contains(HOSTILE)), "{before:?}");
    let taken = taken(&db, &RolloutOptions { tables: vec!["bookings".to_owned()], ..auto() }).await;
    let shown = &taken[0].script;
    assert!(!shown.contains(|c| c != '\n' && tenancy_config::plain::is_unseen(c)), "{shown}");
    assert!(!shown.lines().any(|line| line.starts_with("::")), "{shown}");
    script(&mut session, hostile(LOST)).await;
    assert_ne!(catalog(&db).await, before);
    session.run_script("restoring", Sql::from_catalog(shown.clone())).await.unwrap();
    assert_eq!(catalog(&db).await, before);
    session.close().await;
}

#[tokio::test]
async fn only_tables_that_the_rollout_touches_are_in_a_snapshot() {
    let db = clean().await;
    assert!(taken(&db, &auto()).await.len() > 5);
    roll(&db, &to(Phase::Prepare)).await.unwrap();
    assert_eq!(taken(&db, &to(Phase::Prepare)).await, []);
    assert!(taken(&db, &auto()).await.len() > 5);
}

#[tokio::test]
async fn a_plan_names_the_login_that_can_still_dump() {
    let db = clean().await;
    let database = connect(&db, Role::Owner).await;
    let plan = plan(&database, &Tenancy::default(), &auto()).await.unwrap();
    database.close().await;
    let mut session = db.superuser().await;
    let query = sqlx::query_scalar("SELECT current_user::text");
    let superuser: String = query.fetch_one(session.connection()).await.unwrap();
    session.close().await;
    let notice = plan.notices.iter().map(ToString::to_string).find(|notice| notice.contains("pg_dump")).unwrap();
    assert!(notice.contains(&superuser), "{notice}");
    assert!(!notice.contains("app_owner"), "{notice}");
}

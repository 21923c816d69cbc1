//! Schemas whose owner may drop the tables in them.

use local_db::Role;
use tenant_inventory::{Way, WayObject, WayVerdict};

use crate::ways_support::{as_login, plant, planted, ways, ways_for};

fn schemas(ways: &[Way]) -> Vec<&Way> {
    ways.iter().filter(|way| matches!(way.object, WayObject::Schema { .. })).collect()
}

#[tokio::test]
async fn who_owns_a_schema_may_drop_the_tables_in_it() {
    let db = planted("CREATE SCHEMA beside AUTHORIZATION app_user; CREATE TABLE beside.own (t text)").await;
    assert_eq!(schemas(&ways(&db).await), [] as [&Way; 0]);
    assert!(as_login(&db, "BEGIN; DROP TABLE bookings; ROLLBACK").await.is_err());
    plant(&db, "ALTER SCHEMA public OWNER TO app_user").await;
    as_login(&db, "BEGIN; DROP TABLE bookings; ROLLBACK").await.unwrap();
    let found = ways(&db).await;
    let [way] = schemas(&found)[..] else { panic!("{found:?}") };
    assert_eq!(
        (&way.verdict, way.closing.as_deref()),
        (&WayVerdict::Open, Some("ALTER SCHEMA public OWNER TO app_owner"))
    );
    let says = "the schema public belongs to app_user, which may drop public.bookings, public.visits, public.visits_2025 there";
    assert_eq!(way.to_string(), says);
    plant(&db, "ALTER SCHEMA public OWNER TO app_owner").await;
    assert_eq!(schemas(&ways(&db).await), [] as [&Way; 0]);
    assert!(as_login(&db, "BEGIN; DROP TABLE bookings; ROLLBACK").await.is_err());
}

#[tokio::test]
async fn a_schema_of_a_role_that_the_login_can_become_counts_and_one_of_the_tables_owner_does_not() {
    let db = planted(
        r#"CREATE ROLE :"x_login" LOGIN; CREATE ROLE :"x_keeper"; GRANT :"x_keeper" TO :"x_login"; ALTER SCHEMA public OWNER TO :"x_keeper""#,
    )
    .await;
    let login = format!("x_login_{}", db.name());
    let found = ways_for(&db.url(Role::Superuser), &login).await;
    let [way] = schemas(&found)[..] else { panic!("{found:?}") };
    assert!(way.is_reachable() && way.verdict == WayVerdict::Open, "{way}");
    let found = ways_for(&db.url(Role::Superuser), "app_owner").await;
    assert_eq!(schemas(&found), [] as [&Way; 0]);
    plant(&db, r#"ALTER SCHEMA public OWNER TO app_owner"#).await;
    let found = ways_for(&db.url(Role::Superuser), "app_owner").await;
    assert_eq!(schemas(&found), [] as [&Way; 0]);
    plant(&db, r#"DROP ROLE :"x_keeper", :"x_login""#).await;
}

/// The owner of the database has the rights of `pg_database_owner`, which owns `public` in newer versions.
#[tokio::test]
async fn the_owner_of_the_database_owns_what_pg_database_owner_owns() {
    let db = planted(r#"CREATE ROLE :"x_login" LOGIN; ALTER SCHEMA public OWNER TO pg_database_owner"#).await;
    let login = format!("x_login_{}", db.name());
    assert_eq!(schemas(&ways_for(&db.url(Role::Superuser), &login).await), [] as [&Way; 0]);
    plant(
        &db,
        r#"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO %I', current_database(), 'x_login_' || current_database()); END $$"#,
    )
    .await;
    assert_eq!(schemas(&ways_for(&db.url(Role::Superuser), &login).await).len(), 1);
    plant(&db, r#"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO postgres', current_database()); END $$"#)
        .await;
    plant(&db, r#"DROP ROLE :"x_login""#).await;
}

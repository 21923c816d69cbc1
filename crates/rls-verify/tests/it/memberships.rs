//! The memberships that the application reads by its user are tried as its login: that user's own, and no more.

use local_db::Role;
use rls_verify::{VerifyOptions, VerifyReport, verify};
use tenancy_config::Tenancy;
use tenancy_config::tenancy::LoginPurpose;
use tenant_inventory::claim::evidence::Evidence;
use tenant_rls::{ConnectOptions, Database, DirectConnection, Sql};

use crate::support::{clean, connect, roll_as};
use crate::verify::found;

async fn script(session: &mut DirectConnection, sql: String) {
    session.run_script("preparing a test", Sql::from_catalog(sql)).await.unwrap();
}

fn of<'r>(report: &'r VerifyReport, how: &str) -> &'r Evidence {
    let found =
        report.objects.iter().find(|check| check.object.starts_with("memberships") && check.object.ends_with(how));
    &found.unwrap_or_else(|| panic!("{how}: {:#?}", report.objects)).evidence
}

#[tokio::test]
async fn a_users_own_memberships_are_proven_and_what_more_they_show_is_found() {
    let db = clean().await;
    let role = format!("auth_{}", db.name());
    let mut superuser = db.superuser().await;
    let prepare = format!(
        r#"CREATE ROLE {role} LOGIN PASSWORD 'x';
           INSERT INTO tenant_memberships (id, "userId", "tenantId")
           SELECT u.id || t.id, u.id, t.id FROM users AS u CROSS JOIN "Tenant" AS t"#
    );
    script(&mut superuser, prepare).await;
    let text = format!(
        "[auth]\nrole = \"{role}\"\n[auth.tables.users]\nwhy = \"sign-in finds a user by email\"\nselect = [\"id\", \"email\", \"tenantId\"]\n\
         [auth.memberships]\nwhy = \"a user chooses a tenant\"\ntable = \"tenant_memberships\"\nuser = \"userId\"\n"
    );
    let tenancy = Tenancy::from_toml(&text, std::path::Path::new("tenancy.toml")).unwrap();
    let rolled = roll_as(&db, &tenancy).await.unwrap();
    assert!(rolled.is_complete(), "{rolled:#?}");
    let url = db.url(Role::AppUser).with_user(&role, Some("x"));
    let auth = Database::connect(&url, &ConnectOptions::default()).await.unwrap();
    let memberships = "SELECT string_agg(m::text, ',' ORDER BY id) FROM tenant_memberships AS m";
    let before: String = sqlx::query_scalar(memberships).fetch_one(superuser.connection()).await.unwrap();
    let prove = async |write_probes| {
        let (owner, app) = (connect(&db, Role::Owner).await, connect(&db, Role::AppUser).await);
        let options = VerifyOptions {
            logins: [(LoginPurpose::SignIn, auth.clone())].into(),
            write_probes,
            ..VerifyOptions::default()
        };
        verify(&owner, &app, &tenancy, &options, &mut |_| ()).await.unwrap()
    };

    let proven = prove(true).await;
    assert!(proven.is_proven(), "{:#?} {:#?}", found(&proven), proven.claim.missing());
    for how in ["no user is set", "an empty user", "of a user", "of other users", "changing those", "deleting those"] {
        assert_eq!(*of(&proven, how), Evidence::Held, "{how}");
    }
    assert_eq!(*of(&proven, "public.bookings while only a user is set"), Evidence::Held);
    let after: String = sqlx::query_scalar(memberships).fetch_one(superuser.connection()).await.unwrap();
    assert_eq!(after, before, "nothing stays");
    let exposed = proven.claim.exposures().iter().find(|exposure| exposure.role == "app_user").unwrap();
    assert_eq!(
        (exposed.table.to_string().as_str(), exposed.rights.join(" ").as_str(), exposed.why.as_str()),
        ("public.tenant_memberships", "SELECT where userId is app.current_user_id", "a user chooses a tenant")
    );

    let own = "current_setting('app.current_user_id', true)";
    for (planted, how, taken_back) in [
        (
            "ALTER POLICY tenant_own_memberships ON tenant_memberships USING (true)".to_owned(),
            "no user is set",
            "ALTER POLICY tenant_own_memberships ON tenant_memberships USING (\"userId\" = NULLIF(current_setting('app.current_user_id', true), ''))",
        ),
        (
            format!("CREATE POLICY p ON tenant_memberships USING ({own} <> '')"),
            "of other users",
            "DROP POLICY p ON tenant_memberships",
        ),
        (
            format!("CREATE POLICY p ON tenant_memberships FOR UPDATE USING (\"userId\" = {own})"),
            "changing those",
            "DROP POLICY p ON tenant_memberships",
        ),
        (
            format!("CREATE POLICY p ON tenant_memberships FOR DELETE USING (\"userId\" = {own})"),
            "deleting those",
            "DROP POLICY p ON tenant_memberships",
        ),
        (
            format!("CREATE POLICY p ON bookings FOR SELECT USING ({own} <> '')"),
            "public.bookings while only a user is set",
            "DROP POLICY p ON bookings",
        ),
        (
            format!(
                "CREATE POLICY p ON tenant_memberships AS RESTRICTIVE FOR SELECT TO app_user USING ({own} IS NULL)"
            ),
            "of a user",
            "DROP POLICY p ON tenant_memberships",
        ),
    ] {
        script(&mut superuser, planted.clone()).await;
        let broken = prove(true).await;
        assert!(of(&broken, how).breach().is_some(), "{planted}: {:#?}", of(&broken, how));
        script(&mut superuser, taken_back.to_owned()).await;
    }
    assert!(prove(true).await.is_proven(), "all of it is taken back");

    // A user that the login always has is somebody's to whoever forgets to set one.
    let preset = format!(
        "ALTER ROLE app_user IN DATABASE \"{}\" SET app.current_user_id = '{}'",
        db.name(),
        before.split(',').nth(1).unwrap()
    );
    script(&mut superuser, preset).await;
    let broken = prove(false).await;
    assert!(of(&broken, "no user is set").breach().is_some(), "{:#?}", broken.objects);
    let reset = format!("ALTER ROLE app_user IN DATABASE \"{}\" RESET app.current_user_id", db.name());
    script(&mut superuser, reset).await;
    auth.close().await;
    script(&mut superuser, format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

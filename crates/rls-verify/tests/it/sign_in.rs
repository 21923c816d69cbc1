//! The login of sign-in is tried without a tenant: it reaches what is declared, and what more it reaches is found.

use std::collections::BTreeMap;

use local_db::Role;
use rls_verify::{Error, VerifyOptions, VerifyReport, verify};
use tenancy_config::Tenancy;
use tenancy_config::tenancy::LoginPurpose;
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::claim::untried::Untried;
use tenant_inventory::claim::verdict::Verdict;
use tenant_rls::{ConnectOptions, Database, DirectConnection, Sql};
use test_support::TestDb;

use crate::support::{clean, connect, roll_as};
use crate::verify::found;

async fn script(session: &mut DirectConnection, sql: String) {
    session.run_script("preparing a test", Sql::from_catalog(sql)).await.unwrap();
}

async fn prove(db: &TestDb, tenancy: &Tenancy, sign_in: Option<Database>) -> Result<VerifyReport, Error> {
    let (owner, app) = (connect(db, Role::Owner).await, connect(db, Role::AppUser).await);
    let logins = sign_in.into_iter().map(|login| (LoginPurpose::SignIn, login)).collect();
    let options = VerifyOptions { logins, ..VerifyOptions::default() };
    verify(&owner, &app, tenancy, &options, &mut |_| ()).await
}

#[tokio::test]
async fn sign_in_is_proven_as_its_own_login_and_what_more_it_reaches_is_found() {
    let db = clean().await;
    let role = format!("auth_{}", db.name());
    let mut superuser = db.superuser().await;
    script(&mut superuser, format!("CREATE ROLE {role} LOGIN PASSWORD 'x'")).await;
    let text = format!(
        "[auth]\nrole = \"{role}\"\n[auth.tables.users]\nwhy = \"sign-in finds a user by email\"\nselect = [\"id\", \"email\", \"tenantId\"]\n\
         [auth.tables.tenant_memberships]\nwhy = \"a user chooses a tenant\"\nselect = [\"userId\"]\ninsert = [\"userId\"]\n"
    );
    let tenancy = Tenancy::from_toml(&text, std::path::Path::new("tenancy.toml")).unwrap();
    let rolled = roll_as(&db, &tenancy).await.unwrap();
    assert!(rolled.is_complete(), "{rolled:#?}");

    let url = db.url(Role::AppUser).with_user(&role, Some("x"));
    let auth = Database::connect(&url, &ConnectOptions::default()).await.unwrap();
    let untried = prove(&db, &tenancy, None).await.unwrap();
    assert_eq!(untried.claim.verdict(), Verdict::Unproven, "{:#?}", found(&untried));
    let missing: Vec<String> = untried.claim.missing().iter().map(ToString::to_string).collect();
    assert_eq!(missing.len(), 1, "{missing:#?}");
    assert!(
        missing[0].contains(&format!("sign-in as {role}")) && missing[0].contains("AUTH_DATABASE_URL"),
        "{missing:#?}"
    );

    let proven = prove(&db, &tenancy, Some(auth.clone())).await.unwrap();
    assert!(proven.is_proven(), "{:#?} {:#?}", found(&proven), proven.claim.missing());
    let held = |part: &str| proven.objects.iter().any(|check| check.object.contains(part) && check.evidence.holds());
    assert!(
        held("reading what is declared of public.users") && held("reading what is not declared of public.bookings")
    );
    assert!(held("reading what is declared of public.tenant_memberships"), "no row, and the catalog says so");
    let users = proven.claim.exposures().iter().find(|exposure| exposure.table.name().as_str() == "users").unwrap();
    assert_eq!(
        (users.rights.join(" ").as_str(), users.why.as_str()),
        ("SELECT (id, email, tenantId)", "sign-in finds a user by email")
    );
    let other = connect(&db, Role::AppUser).await;
    assert!(matches!(prove(&db, &tenancy, Some(other)).await, Err(Error::OtherLogin { .. })));

    let more = format!(
        "GRANT SELECT (id) ON bookings TO {role}; CREATE POLICY more ON bookings FOR SELECT TO {role} USING (true)"
    );
    script(&mut superuser, more).await;
    let broken = prove(&db, &tenancy, Some(auth.clone())).await.unwrap();
    assert_eq!(broken.claim.verdict(), Verdict::Disproven);
    let findings = found(&broken);
    let says = |part: &str| findings.iter().any(|finding| finding.contains(part));
    assert!(says("SELECT (id), the policy \"more\", which [auth] does not declare"), "{findings:#?}");
    let reached = broken.objects.iter().find(|check| check.object.contains("not declared of public.bookings")).unwrap();
    assert!(reached.evidence.breach().is_some(), "{reached:#?}");
    auth.close().await;
    script(&mut superuser, format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn what_sign_in_writes_is_tried_on_a_row_and_taken_back() {
    let db = clean().await;
    let role = format!("auth_{}", db.name());
    let mut superuser = db.superuser().await;
    script(&mut superuser, format!("CREATE ROLE {role} LOGIN PASSWORD 'x'")).await;
    let text = format!(
        "[auth]\nrole = \"{role}\"\n[auth.tables.users]\nwhy = \"the first sign-in makes a user\"\nselect = [\"id\", \"email\", \"tenantId\"]\n\
         insert = [\"id\", \"email\", \"tenantId\", \"updatedAt\"]\nupdate = [\"email\"]\ndelete = true\n\
         [auth.tables.tenant_memberships]\nwhy = \"it has no row\"\nselect = [\"id\"]\ninsert = [\"id\"]\n"
    );
    let tenancy = Tenancy::from_toml(&text, std::path::Path::new("tenancy.toml")).unwrap();
    assert!(roll_as(&db, &tenancy).await.unwrap().is_complete());
    let url = db.url(Role::AppUser).with_user(&role, Some("x"));
    let auth = Database::connect(&url, &ConnectOptions::default()).await.unwrap();
    let users = "SELECT string_agg(u::text, ',' ORDER BY id) FROM users AS u";
    let before: String = sqlx::query_scalar(users).fetch_one(superuser.connection()).await.unwrap();
    let prove = async || {
        let (owner, app) = (connect(&db, Role::Owner).await, connect(&db, Role::AppUser).await);
        let options = VerifyOptions {
            logins: [(LoginPurpose::SignIn, auth.clone())].into(),
            write_probes: true,
            ..VerifyOptions::default()
        };
        verify(&owner, &app, &tenancy, &options, &mut |_| ()).await.unwrap()
    };
    let of = |report: &VerifyReport, what: &str| {
        let found = report.objects.iter().find(|check| check.object.ends_with(what));
        found.unwrap_or_else(|| panic!("{what}: {:#?}", report.objects)).evidence.clone()
    };

    let proven = prove().await;
    for what in
        ["declared INSERT of public.users", "declared UPDATE of public.users", "declared DELETE of public.users"]
    {
        assert_eq!(of(&proven, what), Evidence::Held, "{what}");
    }
    let no_row = Evidence::HeldByDefinition { because: Untried::NoRows };
    assert_eq!(of(&proven, "declared INSERT of public.tenant_memberships"), no_row);
    let after: String = sqlx::query_scalar(users).fetch_one(superuser.connection()).await.unwrap();
    assert_eq!(after, before, "nothing stays");

    let hides = format!("CREATE POLICY hides ON users AS RESTRICTIVE FOR UPDATE TO {role} USING (false)");
    script(&mut superuser, hides).await;
    let broken = prove().await;
    assert!(of(&broken, "declared UPDATE of public.users").breach().is_some(), "{:#?}", broken.objects);
    assert_eq!(of(&broken, "declared DELETE of public.users"), Evidence::Held);
    auth.close().await;
    script(&mut superuser, format!("DROP POLICY hides ON users; DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_job_is_proven_as_its_own_login_and_an_untried_one_proves_nothing() {
    let db = clean().await;
    let role = format!("job_{}", db.name());
    let mut superuser = db.superuser().await;
    script(&mut superuser, format!("CREATE ROLE {role} LOGIN PASSWORD 'x'")).await;
    let text = format!(
        "[jobs.mails]\nrole = \"{role}\"\n[jobs.mails.tables.users]\nwhy = \"it writes to each user once a week\"\n\
         select = [\"id\", \"email\", \"tenantId\"]\n"
    );
    let tenancy = Tenancy::from_toml(&text, std::path::Path::new("tenancy.toml")).unwrap();
    assert!(roll_as(&db, &tenancy).await.unwrap().is_complete());
    let prove = async |logins: BTreeMap<LoginPurpose, Database>| {
        let (owner, app) = (connect(&db, Role::Owner).await, connect(&db, Role::AppUser).await);
        let options = VerifyOptions { logins, ..VerifyOptions::default() };
        verify(&owner, &app, &tenancy, &options, &mut |_| ()).await.unwrap()
    };
    let untried = prove(BTreeMap::new()).await;
    assert_eq!(untried.claim.verdict(), Verdict::Unproven);
    let missing: Vec<String> = untried.claim.missing().iter().map(ToString::to_string).collect();
    assert!(
        missing.len() == 1 && missing[0].contains("the job mails as") && missing[0].contains("MAILS_DATABASE_URL"),
        "{missing:#?}"
    );

    let url = db.url(Role::AppUser).with_user(&role, Some("x"));
    let login = Database::connect(&url, &ConnectOptions::default()).await.unwrap();
    let logins = BTreeMap::from([(LoginPurpose::Job { job: "mails".to_owned() }, login.clone())]);
    let proven = prove(logins.clone()).await;
    assert!(proven.is_proven(), "{:#?} {:#?}", found(&proven), proven.claim.missing());
    let exposed: Vec<_> = proven.claim.exposures().iter().map(|exposure| exposure.why.as_str()).collect();
    assert_eq!(exposed, ["it writes to each user once a week"]);

    let more = format!("GRANT SELECT ON bookings TO {role}; CREATE POLICY more ON bookings TO {role} USING (true)");
    script(&mut superuser, more).await;
    let broken = prove(logins).await;
    assert_eq!(broken.claim.verdict(), Verdict::Disproven);
    let findings = found(&broken);
    let says = |part: &str| findings.iter().any(|finding| finding.contains(part));
    assert!(says("the policy \"more\", which [jobs.mails] does not declare"), "{findings:#?}");
    login.close().await;
    script(&mut superuser, format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

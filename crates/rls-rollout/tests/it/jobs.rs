//! Jobs that work for every tenant: each has a login of its own, beside the one of sign-in, with what is declared and no more, and back.

use local_db::Role;
use rls_rollout::{Error, Goal, LoginsBack, RolloutOptions, Stop, plan, status};
use tenancy_config::Tenancy;
use tenancy_config::tenancy::LoginPurpose;
use tenant_inventory::{LoginProblemKind, misfits};
use tenant_rls::DirectConnection;

use crate::sign_in::{BY_EMAIL, Case, REFUSED, script, tried};
use crate::support::{Logins, catalog, session};

/// Two jobs beside sign-in. Their tables overlap.
fn tenancy(case: &Case) -> Tenancy {
    let role = &case.role;
    let text = format!(
        "{}\n[jobs.billing]\nrole = \"{role}_billing\"\n[jobs.billing.tables.bookings]\nwhy = \"it counts the bookings of each tenant\"\n\
         select = [\"id\", \"tenantId\"]\n\
         [jobs.sweep]\nrole = \"{role}_sweep\"\nurl_variable = \"SWEEP_URL\"\n[jobs.sweep.tables.bookings]\nwhy = \"it deletes what is too old\"\n\
         select = [\"id\"]\ndelete = true\n[jobs.sweep.tables.users]\nwhy = \"it writes to users\"\nselect = [\"id\", \"email\"]\n",
        case.declaration()
    );
    Tenancy::from_toml(&text, std::path::Path::new("tenancy.toml")).unwrap()
}

fn job(name: &str) -> LoginPurpose {
    LoginPurpose::Job { job: name.to_owned() }
}

fn options(case: &Case) -> RolloutOptions {
    RolloutOptions { password_dir: Some(case.file().parent().unwrap().to_owned()), ..case.options() }
}

async fn as_job(case: &Case, name: &str) -> DirectConnection {
    let role = format!("{}_{name}", case.role);
    let password = std::fs::read_to_string(case.file().with_file_name(format!("{role}.password"))).unwrap();
    let url = case.db.login(Role::AppUser).with_user(&role, Some(password.trim()));
    DirectConnection::as_application(&url, "tests").await.unwrap()
}

const COUNT: &str = "SELECT id, \"tenantId\" FROM bookings";

#[tokio::test]
async fn each_job_reaches_rows_of_every_tenant_in_its_own_tables_and_the_application_none_and_back() {
    let case = Case::new().await;
    let tenancy = tenancy(&case);
    let before = catalog(&case.db).await;
    let report = case.roll_with(&tenancy, &options(&case)).await.unwrap();
    let made: Vec<_> =
        report.logins.iter().map(|login| (login.purpose.clone(), login.password_file.is_some())).collect();
    assert_eq!(made, [(LoginPurpose::SignIn, true), (job("billing"), true), (job("sweep"), true)], "{report:#?}");
    assert!(report.logins.iter().all(|login| login.stopped_by.is_empty()), "{report:#?}");

    let mut billing = as_job(&case, "billing").await;
    assert_eq!(tried(&mut billing, COUNT).await, Ok(2));
    for sql in ["DELETE FROM bookings WHERE id = 1", "SELECT id FROM users", BY_EMAIL] {
        assert_eq!(tried(&mut billing, sql).await, Err(REFUSED.to_owned()), "{sql}");
    }
    billing.close().await;
    let mut sweep = as_job(&case, "sweep").await;
    assert_eq!(tried(&mut sweep, "SELECT email FROM users").await, Ok(2));
    assert_eq!(tried(&mut sweep, COUNT).await, Err(REFUSED.to_owned()), "it reads ids alone");
    assert_eq!(tried(&mut sweep, "DELETE FROM bookings WHERE id = 1").await, Ok(1));
    sweep.close().await;
    let mut sign_in = case.sign_in().await;
    assert_eq!(tried(&mut sign_in, BY_EMAIL).await, Ok(1));
    assert_eq!(tried(&mut sign_in, "SELECT id FROM bookings").await, Err(REFUSED.to_owned()));
    sign_in.close().await;
    let mut app = session(&case.db, Role::AppUser).await;
    assert_eq!(tried(&mut app, "SELECT * FROM users").await, Ok(0), "policies of other logins show it nothing");
    app.close().await;

    let owner = case.as_maker().await;
    let told = status(&owner, &tenancy, None).await.unwrap();
    assert!(told.logins.iter().flat_map(|login| &login.flows).all(|flow| flow.covered), "{:#?}", told.logins);
    assert!(told.left.is_empty(), "{:#?}", told.left);
    assert!(told.tables.iter().flat_map(|table| &table.policies).all(|policy| policy.ours), "{:#?}", told.tables);
    owner.close().await;
    let again = case.roll_with(&tenancy, &options(&case)).await.unwrap();
    assert_eq!(again.rollout, None, "there is nothing left to do");

    let dropped = ["", "_billing", "_sweep"].map(|job| format!("{}{job}", case.role));
    let Some(LoginsBack::Restored { dropped: mut was }) = case.back_with(&tenancy).await else { panic!() };
    was.sort();
    assert_eq!(was, dropped);
    assert_eq!(case.roles_like(&case.role).await, 0);
    assert_eq!(catalog(&case.db).await, before);
    case.end().await;
}

#[tokio::test]
async fn a_job_that_is_declared_no_more_loses_its_login_and_the_others_keep_theirs() {
    let case = Case::new().await;
    let tenancy = tenancy(&case);
    let logins = RolloutOptions { goal: Goal::Logins, ..options(&case) };
    assert!(case.roll_with(&tenancy, &logins).await.unwrap().is_complete());
    let mut less = tenancy.clone();
    less.jobs.remove("sweep");
    let left = case.left(&less).await;
    assert_eq!(left.iter().map(|left| left.role.to_string()).collect::<Vec<_>>(), [format!("{}_sweep", case.role)]);
    let report = case.roll_with(&less, &logins).await.unwrap();
    assert!(report.is_complete() && report.left[0].dropped, "{report:#?}");
    assert_eq!(case.roles_like(&format!("{}_sweep", case.role)).await, 0);
    let mut billing = as_job(&case, "billing").await;
    assert_eq!(tried(&mut billing, COUNT).await, Ok(2), "the other job goes on");
    billing.close().await;

    // A job that is renamed and keeps its role gets policies of its new name, and the old ones go.
    let mut renamed = less.clone();
    let section = renamed.jobs.remove("billing").unwrap();
    renamed.jobs.insert("invoices".to_owned(), section);
    let report = case.roll_with(&renamed, &logins).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    let mut owner = session(&case.db, Role::Owner).await;
    let policies =
        "SELECT string_agg(polname::text, ', ' ORDER BY polname) FROM pg_policy WHERE polname LIKE 'tenant\\_job%'";
    let names: Option<String> = sqlx::query_scalar(policies).fetch_one(owner.connection()).await.unwrap();
    assert_eq!(names.as_deref(), Some("tenant_job_invoices_select"));
    owner.close().await;
    case.back_with(&renamed).await;
    case.end().await;
}

#[tokio::test]
async fn a_job_whose_role_reaches_more_stops_its_own_tables_and_no_others() {
    let case = Case::new().await;
    let tenancy = tenancy(&case);
    let sweep = format!("{}_sweep", case.role);
    script(&case.db, &format!("CREATE ROLE {sweep} LOGIN BYPASSRLS PASSWORD 'x'")).await;
    let owner = case.as_maker().await;
    let planned = plan(&owner, &tenancy, &options(&case)).await.unwrap();
    let stopped: Vec<_> = planned.logins.iter().map(|login| login.stopped_by.len()).collect();
    assert_eq!(stopped, [0, 0, 1], "{:#?}", planned.logins);
    let Stop::Login { problem } = &planned.logins[2].stopped_by[0] else { panic!("{:#?}", planned.logins) };
    assert_eq!(
        (&problem.purpose, &problem.what),
        (&job("sweep"), &LoginProblemKind::Powerful { attribute: "BYPASSRLS" })
    );
    let told: Vec<String> = misfits(&owner, &tenancy, &[]).await.unwrap().iter().map(ToString::to_string).collect();
    let says = format!("jobs.sweep.role: {sweep} has BYPASSRLS, and the job sweep needs a login that policies filter");
    assert!(told.contains(&says), "{told:#?}");
    owner.close().await;

    let report = case.roll_with(&tenancy, &options(&case)).await.unwrap();
    let of = |table: &str| report.tables.iter().find(|outcome| outcome.table.name().as_str() == table).unwrap();
    for table in ["bookings", "users"] {
        let first = Stop::LoginFirst { purpose: job("sweep"), role: sweep.clone() };
        assert_eq!(of(table).stopped_by, [first], "{report:#?}");
    }
    assert!(report.logins[..2].iter().all(|login| login.stopped_by.is_empty()), "{report:#?}");
    case.back_with(&tenancy).await;
    script(&case.db, &format!("DROP OWNED BY {sweep}; DROP ROLE {sweep}")).await;
    case.end().await;
}

#[tokio::test]
async fn two_logins_whose_passwords_would_go_into_one_file_are_refused_before_anything_is_made() {
    let case = Case::new().await;
    let mut tenancy = tenancy(&case);
    let role = format!("{}.sweep", case.role);
    tenancy.jobs.get_mut("sweep").unwrap().role = role;
    tenancy.jobs.get_mut("billing").unwrap().role = format!("{}-sweep", case.role);
    let Err(error) = case.roll_with(&tenancy, &options(&case)).await else { panic!() };
    assert!(matches!(error, Error::OnePasswordFile { .. }), "{error}");
    assert_eq!(case.roles_like(&case.role).await, 0);
    case.end().await;
}

//! A rollout that is killed while it makes a login: the password of a login that is there is always in its file.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rls_rollout::{Error, Goal, RolloutOptions, rollout};
use tenancy_config::{DatabaseUrl, Tenancy};
use tenant_rls::{ConnectOptions, Database};
use test_support::{Limit, Proxy};
use tokio::sync::watch;

use crate::sign_in::{BY_EMAIL, Case, tried};
use crate::support::bury;

/// What tells the child where to make which login, and where its password goes.
const URL: &str = "LOGIN_THAT_IS_KILLED";
const DECLARED: &str = "LOGIN_THAT_IS_DECLARED";
const FILE: &str = "LOGIN_WITH_PASSWORD_IN";

#[tokio::test]
#[ignore = "the process that the test below kills"]
async fn the_one_that_is_killed() {
    let given = |name| tenancy_config::environment::text(name).unwrap();
    let (Some(url), Some(declared), Some(file)) = (given(URL), given(DECLARED), given(FILE)) else { return };
    let database = Database::connect(&DatabaseUrl::parse(&url).unwrap(), &ConnectOptions::default()).await.unwrap();
    let tenancy = Tenancy::from_toml(&declared, std::path::Path::new("tenancy.toml")).unwrap();
    let options = RolloutOptions { goal: Goal::Logins, auth_password_file: Some(file.into()), ..Default::default() };
    let (_go, stop) = watch::channel(false);
    rollout(&database, &tenancy, &options, "the one that is killed", stop, &mut |_| ()).await.unwrap();
}

/// This program again, with nothing but the test above.
fn child(case: &Case, proxy: &Proxy) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "sign_in_killed::the_one_that_is_killed", "--ignored", "--quiet"]);
    command.env(URL, proxy.through(&case.maker_url())).env(DECLARED, case.declaration()).env(FILE, case.file());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

async fn killed_at(case: &Case, limit: Limit) {
    let proxy = Proxy::before(case.maker_url().port(), limit);
    let mut child = child(case, &proxy);
    while child.try_wait().unwrap().is_none() {
        if proxy.is_reached() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bury(&case.db).await;
}

/// What a rollout that was killed left, and that the next one goes on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    /// A file with a password that no login has.
    PasswordAlone,
    Login,
}

async fn left_and_gone_on_from(limit: Limit) -> Left {
    let case = Case::new().await;
    let alone = RolloutOptions { goal: Goal::Logins, ..case.options() };
    killed_at(&case, limit).await;
    let left = match (case.roles_like(&case.role).await, case.file().exists()) {
        (0, false) => Left::Nothing,
        (0, true) => Left::PasswordAlone,
        (1, true) => Left::Login,
        (made, _) => panic!("{made} logins without a password, killed at {limit:?}"),
    };
    if left == Left::PasswordAlone {
        let refused = case.roll_with(&case.declared(), &alone).await.unwrap_err();
        assert!(matches!(refused, Error::PasswordFile { .. }), "{refused}");
        std::fs::remove_file(case.file()).unwrap();
    }
    let report = case.roll_with(&case.declared(), &alone).await;
    let report = report.unwrap_or_else(|error| panic!("after a kill at {limit:?}: {error}"));
    assert!(report.is_complete(), "after a kill at {limit:?}: {report:#?}");
    assert_eq!(case.roles_like(&case.role).await, 1, "killed at {limit:?}");
    let mut auth = case.sign_in().await;
    assert_eq!(tried(&mut auth, BY_EMAIL).await, Ok(1), "killed at {limit:?}");
    auth.close().await;
    case.back().await;
    assert_eq!(case.roles_like(&case.role).await, 0, "killed at {limit:?}");
    case.end().await;
    left
}

#[tokio::test]
async fn a_rollout_that_is_killed_leaves_no_login_without_its_password_and_the_next_one_makes_no_second_one() {
    let whole = Case::new().await;
    let endless = Proxy::open(whole.maker_url().port());
    assert!(child(&whole, &endless).wait().unwrap().success());
    let statements = endless.statements();
    whole.back().await;
    whole.end().await;
    // Two moments a statement: before the server has it, and while the server runs it. The search ends at the two between which the login is made.
    let (mut before, mut after) = (0, 2 * statements);
    let mut seen = Vec::new();
    while after - before > 1 {
        let moment = before.midpoint(after);
        let left = left_and_gone_on_from(Limit { statement: moment / 2 + 1, passes: moment % 2 == 1 }).await;
        if left == Left::Login {
            after = moment
        } else {
            before = moment
        }
        seen.push(left);
    }
    for left in [Left::Nothing, Left::Login] {
        assert!(seen.contains(&left), "{left:?} is not in {seen:?}");
    }
}

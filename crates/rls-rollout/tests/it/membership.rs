//! An operator acts as the roles of the rollout and does not inherit them, on servers where a membership can say so and on those where it cannot.

use local_db::Role;
use rls_rollout::{CheckResult, RolloutEvent, rollout};
use sqlx::Row;
use tenancy_config::Tenancy;
use tenant_inventory::Phase;
use tenant_rls::Sql;
use test_support::TestServer;
use tokio::sync::watch;

use crate::support::{connect, plant, script, session, to};

/// The default application's tenancy, with roles that the server does not have yet.
fn tenancy() -> Tenancy {
    let mut tenancy = Tenancy::default();
    tenancy.roles.maintenance = "own_maintenance".to_owned();
    tenancy.roles.auditor = "own_auditor".to_owned();
    tenancy
}

/// What the checks before a rollout to `prepare` warned of in memberships.
async fn warnings(server: &TestServer, role: Role) -> Vec<String> {
    let database = connect(server, role).await;
    let (_go, stop) = watch::channel(false);
    let mut warnings = Vec::new();
    let mut progress = |event| {
        if let RolloutEvent::Checked { check } = event
            && check.name() == "membership"
        {
            assert_eq!(check.verdict(), CheckResult::Warning);
            warnings.push(check.says());
        }
    };
    let report = rollout(&database, &tenancy(), &to(Phase::Prepare), "a test", stop, &mut progress).await;
    report.unwrap_or_else(|error| panic!("{}: {error}", server.major()));
    database.close().await;
    warnings
}

/// Whether the owner may act as each role, and whether it inherits each.
async fn memberships(server: &TestServer) -> [[bool; 2]; 2] {
    let mut superuser = session(server, Role::Superuser).await;
    let rows = sqlx::query(
        "SELECT pg_has_role('app_owner', role, 'MEMBER'), pg_has_role('app_owner', role, 'USAGE')
         FROM unnest(ARRAY['own_maintenance', 'own_auditor']) AS role",
    )
    .fetch_all(superuser.connection())
    .await
    .unwrap();
    superuser.close().await;
    [0, 1].map(|row| [0, 1].map(|column| rows[row].get::<bool, _>(column)))
}

const ACTS_WITHOUT_INHERITING: [[bool; 2]; 2] = [[true, false]; 2];

#[tokio::test]
async fn an_operator_does_not_inherit_the_roles_that_its_rollout_makes_and_one_that_does_is_told_and_mended() {
    let mut tried = Vec::new();
    for version in [15, 17] {
        let Ok(server) = test_support::server_of_version(version).await else { continue };
        tried.push(version);
        plant(&server).await;
        let mut superuser = session(&server, Role::Superuser).await;
        script(&mut superuser, "ALTER ROLE app_owner CREATEROLE").await;
        assert_eq!(warnings(&server, Role::Owner).await, Vec::<String>::new());
        assert_eq!(memberships(&server).await, ACTS_WITHOUT_INHERITING, "{version}: as made by the rollout");

        // As people grant it by hand.
        script(&mut superuser, "ALTER ROLE app_owner NOCREATEROLE").await;
        let by_hand = if version < 16 { "" } else { " WITH INHERIT TRUE" };
        let by_hand = Sql::from_catalog(format!("GRANT own_auditor TO app_owner{by_hand}"));
        superuser.run_script("granting by hand", by_hand).await.unwrap();
        assert_eq!(memberships(&server).await[1], [true, true], "{version}");
        let told = warnings(&server, Role::Owner).await;
        assert!(matches!(&told[..], [one] if one.starts_with("app_owner inherits own_auditor, ")), "{told:?}");

        assert_eq!(warnings(&server, Role::Superuser).await, Vec::<String>::new(), "it is mended");
        assert_eq!(memberships(&server).await, ACTS_WITHOUT_INHERITING, "{version}: replaced by a superuser's");
        assert_eq!(warnings(&server, Role::Owner).await, Vec::<String>::new());
    }
    assert!(!tried.is_empty());
}

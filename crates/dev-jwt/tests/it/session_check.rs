//! Whether a session is still one: as a role that sees everyone, and as the application's ordinary one.

use dev_jwt::{Claims, Lookup, Problem, SessionCheck};
use local_db::Role;
use serde_json::{Map, Value};
use tenancy_config::Tenancy;
use test_support::TestDb;

use crate::support::{connect, people, protected_people, strict_checks};

async fn session(db: &TestDb) -> Map<String, Value> {
    let database = connect(db, Role::Superuser).await;
    let lookup = Lookup::of("staff@example.com");
    let (person, _) = dev_jwt::find(&database, &Tenancy::default(), &lookup, &mut |_| {}).await.unwrap();
    Claims::of(&person, 0).into_map()
}

async fn check(db: &TestDb, role: Role, claims: &Map<String, Value>) -> SessionCheck {
    dev_jwt::check(&connect(db, role).await, &strict_checks(), claims).await.unwrap()
}

/// What the session meets after each of these changes.
const CHANGES: [(&str, &str, Problem); 3] = [
    (
        "signing out everywhere",
        r#"UPDATE users SET "sessionVersion" = 4 WHERE id = 'u_staff'"#,
        Problem::SessionEnded { token: 3, user: 4 },
    ),
    (
        "removing the member",
        "DELETE FROM tenant_memberships WHERE id = 'm_2'",
        Problem::MembershipGone { tenant: String::new() },
    ),
    (
        "suspending the tenant",
        r#"UPDATE "Tenant" SET status = 'SUSPENDED' WHERE id = 't_a'"#,
        Problem::TenantInactive { tenant: String::new(), status: String::new() },
    ),
];

fn kind(problem: &Problem) -> Value {
    serde_json::to_value(problem).unwrap()["problem"].clone()
}

#[tokio::test]
async fn what_has_changed_since_is_told_under_strict_force_too() {
    for (doing, change, expected) in CHANGES {
        for (db, role) in [(people().await, Role::Owner), (protected_people().await, Role::AppUser)] {
            let claims = session(&db).await;
            let before = check(&db, role, &claims).await;
            assert!(before.problems.is_empty() && before.unknown.is_empty(), "{before:?}");
            db.superuser().await.run_script(doing, change).await.unwrap();
            let after = check(&db, role, &claims).await;
            assert_eq!(after.problems.iter().map(kind).collect::<Vec<_>>(), [kind(&expected)], "{doing}");
        }
    }
}

#[tokio::test]
async fn a_user_who_is_hidden_is_not_called_gone() {
    let (open, protected) = (people().await, protected_people().await);
    let mut claims = session(&open).await;
    claims.insert("userId".into(), "u_nobody".into());
    let whole = check(&open, Role::AppUser, &claims).await;
    assert!(whole.problems.contains(&Problem::UserGone { id: "u_nobody".into() }), "{whole:?}");
    let filtered = check(&protected, Role::AppUser, &claims).await;
    assert!(!filtered.problems.iter().any(|p| matches!(p, Problem::UserGone { .. })), "{filtered:?}");
    assert!(filtered.unknown[0].contains("may hide"), "{filtered:?}");
}

#[tokio::test]
async fn a_tenant_that_is_gone_is_told() {
    let db = people().await;
    let mut claims = session(&db).await;
    claims.insert("tenantId".into(), "t_gone".into());
    assert_eq!(check(&db, Role::AppUser, &claims).await.problems, [Problem::TenantGone { id: "t_gone".into() }]);
}

#[tokio::test]
async fn what_the_application_does_not_check_is_a_fact_and_no_refusal() {
    let db = people().await;
    let claims = session(&db).await;
    for (doing, change, _) in CHANGES {
        db.superuser().await.run_script(doing, change).await.unwrap();
    }
    let check = dev_jwt::check(&connect(&db, Role::AppUser).await, &Tenancy::default(), &claims).await.unwrap();
    assert_eq!(check.problems, [Problem::SessionEnded { token: 3, user: 4 }]);
    assert_eq!(check.facts.iter().map(kind).collect::<Vec<_>>(), ["tenant_inactive", "membership_gone"]);
    let mut tenancy = Tenancy::default();
    assert_eq!(dev_jwt::check_claims(&tenancy, &claims), []);
    tenancy.session.checks.ip_hash = true;
    assert_eq!(dev_jwt::check_claims(&tenancy, &claims).len(), 1);
}

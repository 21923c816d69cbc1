//! Finding people: seen whole, and as the application's ordinary role under strict policies and FORCE.

use dev_jwt::{Claims, Error, Lookup, LookupScope, Person};
use local_db::Role;
use serde_json::json;
use tenancy_config::UserError;
use tenancy_config::{Exit, Tenancy};
use test_support::TestDb;

use crate::support::{connect, people, protected_people, strict_checks};

async fn find(db: &TestDb, role: Role, lookup: &Lookup) -> Result<(Person, LookupScope), Error> {
    find_in(db, role, lookup, &Tenancy::default()).await
}

async fn find_in(db: &TestDb, role: Role, lookup: &Lookup, tenancy: &Tenancy) -> Result<(Person, LookupScope), Error> {
    let database = connect(db, role).await;
    let found = dev_jwt::find(&database, tenancy, lookup, &mut |_| {}).await;
    database.close().await;
    found
}

fn at(email: &str, tenant: &str) -> Lookup {
    Lookup { tenant: Some(tenant.to_owned()), ..Lookup::of(email) }
}

fn slugs(person: &Person) -> Vec<&str> {
    person.memberships.iter().map(|membership| membership.tenant.slug.as_str()).collect()
}

#[tokio::test]
async fn the_claims_are_those_that_the_middleware_reads() {
    let db = people().await;
    let (person, _) = find(&db, Role::AppUser, &Lookup::of("staff@example.com")).await.unwrap();
    let claims = serde_json::to_value(Claims::of(&person, 1_700_000_000_000).into_map()).unwrap();
    let expected = json!({
        "name": "Staff", "email": "staff@example.com", "picture": null, "sub": "u_staff", "userId": "u_staff", "role": "ADMIN",
        "tenantId": "t_a", "tenantSlug": "acme", "tenantRole": "OWNER",
        "availableTenants": [
            { "id": "t_a", "slug": "acme", "name": "Acme", "role": "OWNER" },
            { "id": "t_b", "slug": "globex", "name": "Globex", "role": "MEMBER" },
            { "id": "t_s", "slug": "sleepy", "name": "Sleepy", "role": "MEMBER" },
        ],
        "sessionVersion": 3, "version": 1, "sessionIssuedAt": 1_700_000_000_000_u64,
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn a_tenant_is_asked_for_by_slug_or_id_else_the_default_counts_else_the_oldest() {
    let db = people().await;
    for (lookup, active) in [
        (Lookup::of("staff@example.com"), "acme"),
        (at("staff@example.com", "globex"), "globex"),
        (at("staff@example.com", "t_b"), "globex"),
        (Lookup::of("nodefault@example.com"), "globex"),
    ] {
        let (person, seen) = find(&db, Role::AppUser, &lookup).await.unwrap();
        assert_eq!((person.active().unwrap().tenant.slug.as_str(), seen.scopes), (active, 0));
    }
}

#[tokio::test]
async fn where_tenancy_is_strict_the_first_membership_is_never_taken() {
    let db = people().await;
    let strict = |email: &str| Lookup { strict: true, ..Lookup::of(email) };
    let error = find(&db, Role::AppUser, &strict("nodefault@example.com")).await.unwrap_err();
    assert!(matches!(&error, Error::Unresolved { candidates, .. } if candidates == &["globex", "acme"]), "{error}");
    let asked = Lookup { tenant: Some("acme".into()), ..strict("nodefault@example.com") };
    assert_eq!(find(&db, Role::AppUser, &asked).await.unwrap().0.active().unwrap().tenant.slug, "acme");
    assert_eq!(
        find(&db, Role::AppUser, &strict("staff@example.com")).await.unwrap().0.active().unwrap().tenant.slug,
        "acme"
    );
}

#[tokio::test]
async fn who_cannot_be_found_is_told_why() {
    let db = people().await;
    for (lookup, message, exit) in [
        (Lookup::of("nobody@example.com"), "no user has the email `nobody@example.com`", Exit::Usage),
        (
            Lookup::of("capital@example.com"),
            "no user has the email `capital@example.com`; there is Capital@Example.com",
            Exit::Usage,
        ),
        (Lookup::of("twin@example.com"), "`twin@example.com` is the email of 2 users: of t_a, of t_b", Exit::Usage),
        (Lookup::of("none@example.com"), "none@example.com is a member of no tenant", Exit::Usage),
        (Lookup::of("ghost@example.com"), "ghost@example.com is a member of no tenant that exists", Exit::Usage),
        (at("twin@example.com", "sleepy"), "`twin@example.com` is the email of 2 users: of t_a, of t_b", Exit::Usage),
        (
            at("homeless@example.com", "globex"),
            "homeless@example.com is no member of `globex`; a member of: acme",
            Exit::Usage,
        ),
        (at("staff@example.com", "acne"), "no tenant has the id or slug `acne`", Exit::Usage),
        (
            Lookup::of("guest@example.com"),
            "the tenant `sleepy` is SUSPENDED: the application lets nobody in",
            Exit::Refused,
        ),
    ] {
        let error = find_in(&db, Role::Superuser, &lookup, &strict_checks()).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.exit()), (message, exit));
        assert!(error.hint().is_some(), "{error}");
    }
}

#[tokio::test]
async fn a_tenant_out_of_use_is_taken_on_request() {
    let db = people().await;
    let lookup = Lookup { include_inactive: true, ..Lookup::of("guest@example.com") };
    assert_eq!(
        find_in(&db, Role::AppUser, &lookup, &strict_checks()).await.unwrap().0.active().unwrap().tenant.slug,
        "sleepy"
    );
}

#[tokio::test]
async fn of_two_users_with_one_email_the_tenant_decides() {
    let db = people().await;
    for (tenant, id) in [("acme", "u_twin_a"), ("globex", "u_twin_b")] {
        assert_eq!(find(&db, Role::AppUser, &at("twin@example.com", tenant)).await.unwrap().0.user.id, id);
    }
}

#[tokio::test]
async fn under_strict_force_an_ordinary_role_asks_tenant_by_tenant_and_finds_the_same() {
    let (open, protected) = (people().await, protected_people().await);
    for lookup in [
        Lookup::of("staff@example.com"),
        at("staff@example.com", "globex"),
        Lookup::of("nodefault@example.com"),
        at("twin@example.com", "globex"),
        // Belongs to Acme, and is a member of Globex: their row is not seen in the scope that was asked for.
        at("guest@example.com", "globex"),
    ] {
        let (whole, _) = find(&open, Role::AppUser, &lookup).await.unwrap();
        let (filtered, seen) = find(&protected, Role::AppUser, &lookup).await.unwrap();
        assert_eq!((&filtered.user, filtered.active().unwrap()), (&whole.user, whole.active().unwrap()));
        assert_eq!(slugs(&filtered), slugs(&whole));
        assert_eq!(seen, LookupScope { scopes: 3, more: false, ghosts: Vec::new() });
    }
}

#[tokio::test]
async fn several_users_with_one_email_are_noticed_tenant_by_tenant_too() {
    let db = protected_people().await;
    let error = find(&db, Role::AppUser, &Lookup::of("twin@example.com")).await.unwrap_err();
    assert!(matches!(&error, Error::SeveralUsers { homes, .. } if homes == &["t_a", "t_b"]), "{error}");
}

#[tokio::test]
async fn an_email_that_is_merely_filtered_is_never_called_unknown() {
    let db = protected_people().await;
    // The strict policy hides a user without a tenant in every scope.
    for email in ["homeless@example.com", "nobody@example.com"] {
        let error = find(&db, Role::AppUser, &Lookup::of(email)).await.unwrap_err();
        assert!(matches!(error, Error::NotSeen { asked: 3, .. }), "{error}");
        assert_eq!(error.exit(), Exit::Refused);
    }
    let error = find(&db, Role::Superuser, &Lookup::of("nobody@example.com")).await.unwrap_err();
    assert!(matches!(error, Error::UnknownEmail { .. }), "{error}");
    assert!(find(&db, Role::Superuser, &Lookup::of("homeless@example.com")).await.is_ok());
}

#[tokio::test]
async fn no_more_scopes_are_asked_than_allowed_and_that_is_said() {
    let db = protected_people().await;
    let few = Lookup { max_scopes: 1, ..Lookup::of("nodefault@example.com") };
    let error = find(&db, Role::AppUser, &few).await.unwrap_err();
    assert!(matches!(error, Error::TooManyTenants { limit: 1, .. }), "{error}");
    // The one that was named comes first.
    let named = Lookup { tenant: Some("globex".into()), ..few };
    let (person, seen) = find(&db, Role::AppUser, &named).await.unwrap();
    assert_eq!((slugs(&person), seen.more), (vec!["globex"], true));
}

#[tokio::test]
async fn where_even_the_tenants_are_hidden_the_missing_right_is_named() {
    let db = protected_people().await;
    db.owner()
        .await
        .run_script("hiding the tenants", r#"ALTER TABLE "Tenant" ENABLE ROW LEVEL SECURITY"#)
        .await
        .unwrap();
    for lookup in [Lookup::of("staff@example.com"), at("staff@example.com", "acme")] {
        let error = find(&db, Role::AppUser, &lookup).await.unwrap_err();
        assert!(matches!(error, Error::Database(tenant_rls::Error::CannotSee(_))), "{error}");
        assert!(error.to_string().contains("Tenant") && error.hint().is_some(), "{error}");
    }
}

#[tokio::test]
async fn someone_for_a_demonstration_is_in_an_active_tenant() {
    let db = people().await;
    let database = connect(&db, Role::Owner).await;
    let email = dev_jwt::someone(&database, &Tenancy::default()).await.unwrap();
    assert_eq!(email.as_deref(), Some("staff@example.com"));
}

#[tokio::test]
async fn the_default_application_lets_in_whom_its_sign_in_lets_in() {
    let db = people().await;
    // A user without a membership is in the tenant of their row, and has no role there.
    let (person, _) = find(&db, Role::AppUser, &Lookup::of("None@Example.com")).await.unwrap();
    let claims = Claims::of(&person, 0).into_map();
    assert_eq!((&claims["tenantId"], &claims["tenantRole"]), (&json!("t_a"), &json!(null)));
    let elsewhere = find(&db, Role::AppUser, &at("none@example.com", "globex")).await.unwrap_err();
    assert!(matches!(&elsewhere, Error::NotAMember { candidates, .. } if candidates == &["acme"]), "{elsewhere}");
    // So is one of a suspended tenant.
    assert_eq!(
        find(&db, Role::AppUser, &Lookup::of("guest@example.com")).await.unwrap().0.tenant().unwrap().slug,
        "sleepy"
    );
}

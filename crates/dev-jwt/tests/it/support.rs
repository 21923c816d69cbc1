//! What the tests share: a secret, a time, reading and minting, and a database of few people under strict policies.

use std::time::Duration;

use dev_jwt::{DecodedSession, Library, MintOptions, Naming, Read, ReadOptions, Secret, Session};
use local_db::Role;
use serde_json::{Map, Value, json};
use tenancy_config::Tenancy;
use tenant_rls::{ConnectOptions, Database};
use test_support::TestDb;

pub(crate) const SECRET: &str = "a secret of the tests, 32 bytes and more";

/// The time of most tests: in November 2023.
pub(crate) const NOW: Duration = Duration::from_secs(1_700_000_000);

pub(crate) fn secret() -> Secret {
    Secret::new(SECRET).unwrap()
}

/// Claims with so many tenants; 200 are far too many for one cookie.
pub(crate) fn claims(tenants: usize) -> Map<String, Value> {
    let tenant = |n| json!({ "id": format!("t_{n}"), "slug": format!("tenant-{n}"), "name": format!("Tenant {n}"), "role": "MEMBER" });
    let available: Vec<Value> = (0..tenants).map(tenant).collect();
    let claims = json!({ "sub": "u_1", "userId": "u_1", "email": "staff@example.com", "tenantId": "t_0", "availableTenants": available });
    claims.as_object().unwrap().clone()
}

pub(crate) fn options(library: Library, secure: bool) -> MintOptions {
    MintOptions { library, secure, max_age: Duration::from_secs(3600), now: NOW, naming: Naming::default() }
}

pub(crate) fn mint(claims: Map<String, Value>, library: Library, secure: bool) -> Session {
    dev_jwt::mint(claims, &secret(), &options(library, secure)).unwrap()
}

/// Reads as the application of any library and scheme, at the time of the tests.
pub(crate) fn read(text: &str) -> DecodedSession {
    read_with(text, SECRET, ReadOptions { library: None, secure: None, now: NOW, naming: Naming::default() })
}

pub(crate) fn read_with(text: &str, secret: &str, options: ReadOptions) -> DecodedSession {
    match dev_jwt::read(text, &Secret::new(secret).unwrap(), &options) {
        Read::Session(reading) => reading,
        Read::Tenant(cookie, _) => panic!("a tenant cookie: {cookie:?}"),
    }
}

/// Few people, whose memberships can be kept in mind; see `people.sql`.
pub(crate) async fn people() -> TestDb {
    let db = test_support::database().await;
    db.superuser().await.run_script("planting people", include_str!("people.sql")).await.unwrap();
    db
}

/// The same under strict policies and FORCE, on users and memberships.
pub(crate) async fn protected_people() -> TestDb {
    let db = people().await;
    db.owner().await.run_script("protecting", include_str!("protect.sql")).await.unwrap();
    db
}

/// An application that checks all that it can.
pub(crate) fn strict_checks() -> Tenancy {
    let mut tenancy = Tenancy::default();
    tenancy.session.checks.members_only = true;
    tenancy.session.checks.active_tenants_only = true;
    tenancy
}

pub(crate) async fn connect(db: &TestDb, role: Role) -> Database {
    Database::connect(&db.url(role), &ConnectOptions::default()).await.unwrap()
}

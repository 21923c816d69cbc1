//! A protected database, and the ways past its policies.

use std::path::Path;

use local_db::Role;
use tenancy_config::{DatabaseUrl, Ident, Tenancy};
use tenant_inventory::{Inventory, Way, WayVerdict, read_ways};
use tenant_rls::{ConnectOptions, Database, DirectConnection, Template};
use test_support::TestDb;

/// A database under FORCE, with what a superuser plants in it.
pub(crate) async fn planted(script: &'static str) -> TestDb {
    let db = test_support::empty_database().await;
    db.owner().await.run_script("protecting tables", include_str!("ways.sql")).await.unwrap();
    plant(&db, script).await;
    db
}

/// Runs a script as the superuser. Each `:"x_…"` in it is a role of this database's own, as all tests share the roles.
pub(crate) async fn plant(db: &TestDb, script: &'static str) {
    run(&mut db.superuser().await, db.name(), script).await;
}

pub(crate) async fn run(session: &mut DirectConnection, suffix: &str, script: &'static str) {
    let mut roles: Vec<&str> = script.split(":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    roles.sort_unstable();
    roles.dedup();
    let named = roles.into_iter().fold(Template::new(script), |script, role| {
        script.ident(role, &Ident::new(format!("{role}_{suffix}")).unwrap())
    });
    session.run_script("planting", named.build()).await.unwrap();
}

pub(crate) fn tenancy() -> Tenancy {
    Tenancy::from_toml("tables = {}\n", Path::new("tenancy.toml")).unwrap()
}

/// The ways for the ordinary login, as the owner reads them.
pub(crate) async fn ways(db: &TestDb) -> Vec<Way> {
    ways_for(&db.url(Role::Owner), "app_user").await
}

/// The same, with this `tenancy.toml`.
pub(crate) async fn ways_with(db: &TestDb, toml: &str) -> Vec<Way> {
    let tenancy = Tenancy::from_toml(toml, Path::new("tenancy.toml")).unwrap();
    read(&db.url(Role::Owner), "app_user", &tenancy).await
}

pub(crate) async fn ways_for(url: &DatabaseUrl, login: &str) -> Vec<Way> {
    read(url, login, &tenancy()).await
}

async fn read(url: &DatabaseUrl, login: &str, tenancy: &Tenancy) -> Vec<Way> {
    let options = ConnectOptions { max_connections: 1, ..ConnectOptions::default() };
    let database = Database::connect(url, &options).await.unwrap();
    let inventory = Inventory::load(&database, tenancy, Some(login), &[]).await.unwrap();
    let ways = read_ways(&database, &inventory, login, &[]).await.unwrap();
    database.close().await;
    ways
}

/// The way of this name, or of the function of this signature.
pub(crate) fn of<'a>(ways: &'a [Way], name: &str) -> &'a Way {
    find(ways, name).unwrap_or_else(|| panic!("no way {name} in {:#?}", told(ways)))
}

pub(crate) fn find<'a>(ways: &'a [Way], name: &str) -> Option<&'a Way> {
    ways.iter().find(|way| way.review_name() == name || way.function() == Some(name))
}

pub(crate) fn told(ways: &[Way]) -> Vec<String> {
    ways.iter().map(|way| format!("{way} [{:?}]", way.verdict)).collect()
}

pub(crate) fn is_open(ways: &[Way], name: &str) {
    let way = of(ways, name);
    assert_eq!(way.verdict, WayVerdict::Open, "{way}");
    assert!(way.is_reachable() && way.closing.is_some(), "{way:?}");
}

/// It is either no way, or one that the login cannot take.
pub(crate) fn is_closed(ways: &[Way], name: &str) {
    if let Some(way) = find(ways, name) {
        assert_eq!(way.verdict, WayVerdict::Closed, "{way}");
    }
}

/// What somebody reads or writes that way, as text; the statement is taken back.
pub(crate) async fn as_login(db: &TestDb, script: &'static str) -> Result<(), String> {
    let mut session = db.app_user().await;
    session.run_script("trying", script).await.map_err(|error| error.to_string())
}

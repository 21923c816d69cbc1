//! Finding a tenant by what people type.

use local_db::Role;
use tenancy_config::UserError;
use tenancy_config::{Exit, Tenancy};
use tenant_rls::{Error, Registry};

use crate::support::{connect, notes};

async fn find(name: &str) -> Result<tenant_rls::Tenant, Error> {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 2).await;
    Registry::open(&database, &Tenancy::default()).await.unwrap().find(name).await
}

#[tokio::test]
async fn a_tenant_is_found_by_id_and_by_slug() {
    let acme = find("t_a").await.unwrap();
    assert_eq!((acme.name.as_str(), acme.active), ("Acme", true));
    let globex = find("globex").await.unwrap();
    assert_eq!((globex.id.as_str(), globex.status.as_deref(), globex.active), ("t_b", Some("SUSPENDED"), false));
}

#[tokio::test]
async fn an_unknown_tenant_gets_a_suggestion() {
    let error = find("acne").await.unwrap_err();
    assert_eq!(error.hint().unwrap(), "did you mean `acme`?");
    assert_eq!(error.exit(), Exit::Usage);
}

#[tokio::test]
async fn an_id_that_is_anothers_slug_is_not_guessed() {
    assert!(matches!(find("t_x").await.unwrap_err(), Error::AmbiguousTenant { .. }));
}

#[tokio::test]
async fn names_that_can_name_no_tenant_are_refused() {
    for name in ["", "   ", "a\0b"] {
        assert!(matches!(find(name).await.unwrap_err(), Error::TenantId { .. }), "{name:?}");
    }
    assert!(matches!(find("'; DROP TABLE note; --").await.unwrap_err(), Error::UnknownTenant { .. }));
}

#[tokio::test]
async fn a_name_is_compared_as_it_is_with_its_white_space() {
    let db = notes().await;
    let other =
        r#"INSERT INTO "Tenant" (id, slug, name) SELECT 't_a ', 'acme ', 'A' || name FROM "Tenant" WHERE id = 't_a'"#;
    db.superuser().await.run_script("preparing a test", other).await.unwrap();
    let database = connect(&db, Role::AppUser, 2).await;
    let mut tenants = Registry::open(&database, &Tenancy::default()).await.unwrap();
    for (name, id) in [("acme", "t_a"), ("acme ", "t_a "), ("t_a ", "t_a ")] {
        assert_eq!(tenants.find(name).await.unwrap().id.as_str(), id, "{name:?}");
    }
    assert!(matches!(tenants.find(" acme").await.unwrap_err(), Error::UnknownTenant { .. }));
}

#[tokio::test]
async fn many_are_found_at_once_each_with_an_answer_of_its_own() {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let mut tenants = Registry::open(&database, &Tenancy::default()).await.unwrap();
    let answers = tenants.find_all(&["globex", "nobody", "t_x", "", "t_a", "acme"]).await.unwrap();
    let ids: Vec<_> = answers.iter().map(|answer| answer.as_ref().map(|tenant| tenant.id.as_str()).ok()).collect();
    assert_eq!(ids, [Some("t_b"), None, None, None, Some("t_a"), Some("t_a")]);
    assert!(matches!(answers[1], Err(Error::UnknownTenant { .. })));
    assert!(matches!(answers[2], Err(Error::AmbiguousTenant { .. })));
    assert!(matches!(answers[3], Err(Error::TenantId { .. })));
}

#[tokio::test]
async fn all_are_listed_page_by_page_each_once() {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let mut tenants = Registry::open(&database, &Tenancy::default()).await.unwrap();
    let mut seen: Vec<String> = Vec::new();
    let mut after = None;
    loop {
        let page = tenants.page(after.as_ref(), 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        seen.extend(page.iter().map(|tenant| tenant.id.to_string()));
    }
    assert_eq!(seen, ["acme-2", "t_a", "t_b", "t_x"]);
}

#[tokio::test]
async fn a_tenant_that_is_hidden_is_not_called_unknown() {
    let db = notes().await;
    let mut owner = db.owner().await;
    let hide = "ALTER TABLE \"Tenant\" ENABLE ROW LEVEL SECURITY";
    owner.run_script("hiding the tenants", hide).await.unwrap();
    let database = connect(&db, Role::AppUser, 2).await;
    let refused = Registry::open(&database, &Tenancy::default()).await.err().unwrap();
    assert!(matches!(refused, Error::CannotSee(_)), "{refused}");
}

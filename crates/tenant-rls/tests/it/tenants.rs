//! Finding a tenant by what people type.

use local_db::Role;
use tenant_rls::{ActingRole, AuditTx, Error, Exit, Tenancy, tenant};

use crate::support::{access, connect, notes};

async fn resolve(name: &str) -> Result<tenant_rls::Tenant, Error> {
    let db = notes().await;
    let database = connect(&db, Role::AppUser, 2).await;
    let login = [ActingRole::Login(database.session().role.clone())];
    let mut audit =
        AuditTx::begin(&database, &[access("Tenant", &["id", "slug", "name"])], &login, None).await.unwrap();
    tenant::resolve(&mut audit, &Tenancy::default(), name).await
}

#[tokio::test]
async fn a_tenant_is_found_by_id_and_by_slug() {
    assert_eq!(resolve("t_a").await.unwrap().name, "Acme");
    assert_eq!(resolve(" globex ").await.unwrap().id.as_str(), "t_b");
}

#[tokio::test]
async fn an_unknown_tenant_gets_a_suggestion() {
    let error = resolve("acne").await.unwrap_err();
    assert_eq!(error.hint().unwrap(), "did you mean `acme`?");
    assert_eq!(error.exit(), Exit::Usage);
}

#[tokio::test]
async fn an_id_that_is_anothers_slug_is_not_guessed() {
    assert!(matches!(resolve("t_x").await.unwrap_err(), Error::AmbiguousTenant { .. }));
}

#[tokio::test]
async fn names_that_can_name_no_tenant_are_refused() {
    for name in ["", "   ", "a\0b"] {
        assert!(matches!(resolve(name).await.unwrap_err(), Error::TenantId { .. }), "{name:?}");
    }
    assert!(matches!(resolve("'; DROP TABLE note; --").await.unwrap_err(), Error::UnknownTenant { .. }));
}

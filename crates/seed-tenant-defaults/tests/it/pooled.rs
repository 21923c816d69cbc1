//! Behind a PgBouncer in transaction mode: each tenant gets its own rows, many at once over few sessions.

use local_db::Role;
use seed_tenant_defaults::{Defaults, seed_tenant_defaults};
use tenancy_config::Tenancy;
use tenant_rls::{ConnectOptions, Database};
use test_support::TestPooler;
use tokio::sync::watch;

use crate::support::{UNEVEN, new_tenants, number, tenants};

#[tokio::test]
async fn every_tenant_gets_its_own_rows_over_three_sessions() {
    let db = tenants().await;
    let make = r#"INSERT INTO "Tenant" (id, slug, name, "updatedAt")
        SELECT 'id-' || n, 'tenant-' || n, 'Tenant ' || n, now() FROM generate_series(1, 60) AS n"#;
    db.superuser().await.run_script("making tenants", make).await.unwrap();
    let Some(pooler) = TestPooler::before(&db, 3).await else { return };
    for url in [pooler.silent_url(Role::AppUser), pooler.url(Role::AppUser)] {
        let again = "DELETE FROM organization_settings; DELETE FROM security_settings";
        db.superuser().await.run_script("beginning again", again).await.unwrap();
        let options = ConnectOptions { max_connections: 10, ..ConnectOptions::default() };
        let database = Database::connect(&url, &options).await.unwrap();
        let (_go, stop) = watch::channel(false);
        let list = new_tenants(60);
        let (tenancy, defaults) = (Tenancy::default(), Defaults::default());
        seed_tenant_defaults(&database, &tenancy, &defaults, &list.options(), stop, &mut |_| ()).await.unwrap();
        database.close().await;
        let own = r#"SELECT count(*) FROM organization_settings AS o JOIN "Tenant" AS t ON t.id = o."tenantId" AND t.name = o.name"#;
        assert_eq!(number(&db, own).await, 60, "each has its own name");
    }
    // The two of the template's that are in use were not in the list.
    assert_eq!(number(&db, UNEVEN).await, 2);
}

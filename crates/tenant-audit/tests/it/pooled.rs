//! Behind a PgBouncer in transaction mode: the same numbers.

use local_db::Role;
use tenancy_config::Tenancy;
use tenant_audit::{AuditOptions, audit};
use tenant_rls::{ConnectOptions, Database};
use test_support::TestPooler;

use crate::support::{audit_as, plant, table};

#[tokio::test]
async fn an_audit_through_a_pooler_counts_what_one_past_it_counts() {
    let db = test_support::database().await;
    plant(&db).await;
    let Some(pooler) = TestPooler::before(&db, 6).await else { return };
    let past = audit_as(&db, Role::Owner, &Tenancy::default(), &[]).await.unwrap();
    for url in [pooler.silent_url(Role::Owner), pooler.url(Role::Owner)] {
        let database = Database::connect(&url, &ConnectOptions::default()).await.unwrap();
        let report = audit(&database, &Tenancy::default(), &AuditOptions::default(), &mut |_| {}).await.unwrap();
        assert_eq!(report.role, past.role);
        let counted = |report| serde_json::to_value(table(report, "public.bookings")).unwrap();
        assert_eq!(counted(&report), counted(&past));
        database.close().await;
    }
}

//! What a schema tool took away behind the rollout's back.

use local_db::Role;
use rls_rollout::status;
use tenancy_config::Tenancy;
use tenant_inventory::Phase;

use crate::support::{all_at, auto, clean, connect, roll, script};

#[tokio::test]
async fn status_names_what_a_schema_push_dropped_and_the_next_rollout_makes_it_again() {
    let db = clean().await;
    // From the start without one, so that the index is the rollout's.
    script(&mut db.superuser().await, "DROP INDEX \"bookings_tenantId_idx\"").await;
    assert!(all_at(&roll(&db, &auto()).await.unwrap(), Phase::Enforce));
    // The statements of `prisma db push` where schema.prisma has an optional column and no @@index.
    let push = "ALTER TABLE bookings ALTER COLUMN \"tenantId\" DROP NOT NULL; DROP INDEX \"bookings_tenantId_idx\"";
    script(&mut db.owner().await, push).await;
    let database = connect(&db, Role::Owner).await;
    let found = status(&database, &Tenancy::default(), None).await.unwrap();
    database.close().await;
    let lost = |name: &str| {
        let table = found.tables.iter().find(|table| table.table.to_string() == name).unwrap();
        (table.phase, table.lost.clone())
    };
    let (phase, bookings) = lost("public.bookings");
    assert!(phase < Phase::Enforce, "{phase}");
    assert_eq!(bookings, ["NOT NULL on the tenant column", "the index \"bookings_tenantId_idx\""]);
    assert_eq!(lost("public.services"), (Phase::Enforce, Vec::new()));
    assert!(all_at(&roll(&db, &auto()).await.unwrap(), Phase::Enforce));
}

//! The columns of one table, as an insert needs them.

use local_db::Role;
use tenancy_config::TableName;
use tenant_inventory::Column;

use crate::support::connect;

#[tokio::test]
async fn the_columns_of_a_table_are_told_with_their_keys() {
    let db = test_support::empty_database().await;
    db.owner().await.run_script("preparing a test", include_str!("setting.sql")).await.unwrap();
    let database = connect(&db, Role::AppUser).await;
    let columns = Column::all(&database, &TableName::parse("setting", "public").unwrap()).await.unwrap();
    let told: Vec<_> = columns.iter().map(|c| (c.name.as_str(), c.not_null, c.is_key, c.is_unique)).collect();
    assert_eq!(
        told,
        [
            ("id", true, true, true),
            ("tenantId", true, false, true),
            ("name", true, false, false),
            ("seen", false, false, false),
            ("updatedAt", true, false, false),
        ]
    );
}

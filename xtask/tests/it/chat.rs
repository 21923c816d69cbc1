//! `assign-chat-messages` as people and programs use it, on messages that can be counted by hand.

use insta::assert_snapshot;
use local_db::Role;
use test_support::TestDb;

use crate::support::{Ended, Place, redact};

async fn messages() -> TestDb {
    let db = test_support::database().await;
    let mut superuser = db.superuser().await;
    superuser.run_script("planting a few messages", include_str!("few_messages.sql")).await.unwrap();
    superuser.close().await;
    db
}

/// Runs the command with its confirmation, and with `TENANT_ID` set, as it is on the application's hosts.
fn assign(db: &TestDb, place: &Place, arguments: &[&str]) -> Ended {
    let url = db.url(Role::Owner);
    let command = ["assign-chat-messages", "--confirm", "127.0.0.1", "--no-progress", "--database-url", url.expose()];
    place.run_with(&[&command, arguments].concat(), &[("TENANT_ID", "t_off")])
}

async fn tenants(db: &TestDb) -> String {
    let query = r#"SELECT string_agg(id || ':' || coalesce("tenantId", '-'), ' ' ORDER BY id) FROM chat_messages"#;
    sqlx::query_scalar(query).fetch_one(db.superuser().await.connection()).await.unwrap()
}

#[tokio::test]
async fn messages_get_their_authors_tenant_whatever_tenant_id_says() {
    let (db, place) = (messages().await, Place::new());
    redact(&db, || {
        assert_snapshot!("chat_dry_run", assign(&db, &place, &["--dry-run"]));
        assert_snapshot!("chat_table", assign(&db, &place, &["--review", "review.csv"]));
        assert_snapshot!("chat_json", assign(&db, &place, &["--format", "json", "-q"]));
    });
    assert_snapshot!("chat_review", std::fs::read_to_string(place.path().join("review.csv")).unwrap());
    assert_eq!(tenants(&db).await, "m_1:t_b m_2:t_b m_3:t_b m_4:t_b m_5:- m_6:-");
}

#[tokio::test]
async fn one_tenant_for_all_is_told_first_what_would_be_lost() {
    let (db, place) = (messages().await, Place::new());
    redact(&db, || {
        assert_snapshot!("chat_one_tenant_dry_run", assign(&db, &place, &["--from", "tenant", "--dry-run"]));
        assert_snapshot!("chat_one_tenant", assign(&db, &place, &["--from", "tenant", "--tenant", "acme", "-q"]));
    });
    let all = "m_1:tenant_primary m_2:tenant_primary m_3:t_b m_4:tenant_primary m_5:tenant_primary m_6:tenant_primary";
    assert_eq!(tenants(&db).await, all);
}

#[tokio::test]
async fn one_tenant_for_all_must_exist_and_be_in_use() {
    let (db, place) = (messages().await, Place::new());
    let before = tenants(&db).await;
    redact(&db, || {
        assert_snapshot!("chat_inactive", assign(&db, &place, &["--from", "tenant", "--tenant", "initech"]));
        assert_snapshot!("chat_unknown", assign(&db, &place, &["--from", "tenant", "--tenant", "globx"]));
        assert_snapshot!("chat_tenant_without_from", assign(&db, &place, &["--tenant", "acme"]));
    });
    assert_eq!(tenants(&db).await, before);
}

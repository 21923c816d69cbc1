//! The developer's database: it is started, found, stopped and reset, and nobody else's ever is.

use std::os::unix::fs::MetadataExt;

use local_db::{ClusterChange, ClusterState, Error, LocalOptions, Reset, Role, StartOptions};
use tenancy_config::UserError;
use tenant_rls::DirectConnection;

use crate::scratch::{Scratch, number, owner, tables};

#[tokio::test]
async fn the_first_up_makes_a_database_with_tables_and_the_second_finds_it() {
    let scratch = Scratch::new();
    let first = scratch.up().await;
    assert_eq!(first.change(), ClusterChange::Created);
    assert!(tables(&mut owner(&first).await).await > 0);

    let second = scratch.up().await;
    assert_eq!(second.change(), ClusterChange::None);
    assert_eq!(second.port(), first.port());
    assert_eq!(second.system_identifier(), first.system_identifier());
}

#[tokio::test]
async fn down_stops_the_server_and_keeps_its_data() {
    let scratch = Scratch::new();
    let first = scratch.up().await;
    owner(&first).await.run_script("writing", "CREATE TABLE kept (id int)").await.unwrap();

    assert!(scratch.db().down().await.unwrap());
    assert_eq!(scratch.db().status().unwrap().state, ClusterState::Stopped);
    assert!(!scratch.db().down().await.unwrap(), "the second time there is nothing to stop");
    assert!(matches!(scratch.db().running(), Err(Error::NotRunning)));

    let again = scratch.up().await;
    assert_eq!(again.change(), ClusterChange::Started);
    assert_eq!(number(&mut owner(&again).await, "SELECT count(*) FROM kept").await, 0);
}

#[tokio::test]
async fn reset_starts_anew() {
    let scratch = Scratch::new();
    let before = scratch.up().await;
    let mut session = owner(&before).await;
    session.run_script("writing", "CREATE TABLE lost (id int)").await.unwrap();
    session.close().await;

    let after = scratch.db().reset(&mut |_| (), Reset::default()).await.unwrap();
    assert_eq!(after.change(), ClusterChange::Created);
    assert_ne!(after.system_identifier(), before.system_identifier());
    assert_eq!(number(&mut owner(&after).await, "SELECT count(*) FROM pg_tables WHERE tablename = 'lost'").await, 0);
}

#[tokio::test]
async fn remove_leaves_nothing() {
    let scratch = Scratch::new();
    scratch.up().await;
    scratch.db().remove().await.unwrap();
    assert_eq!(std::fs::read_dir(scratch.root()).unwrap().count(), 0);
    assert_eq!(scratch.db().status().unwrap().state, ClusterState::Absent);
}

#[tokio::test]
async fn an_empty_database_leaves_room_for_the_applications_own_migrations() {
    let scratch = Scratch::new();
    let running = scratch.db().up(&mut |_| (), StartOptions { empty: true }).await.unwrap();
    let mut session = owner(&running).await;
    assert_eq!(tables(&mut session).await, 0);
    session.run_script("migrating", "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE mine (mood mood)").await.unwrap();
}

#[tokio::test]
async fn two_ups_at_once_make_one_database() {
    let scratch = Scratch::new();
    let (one, other) = tokio::join!(scratch.up(), scratch.up());
    assert_eq!(one.system_identifier(), other.system_identifier());
    let mut changes = [one.change(), other.change()];
    changes.sort_by_key(|change| *change == ClusterChange::None);
    assert_eq!(changes, [ClusterChange::Created, ClusterChange::None]);
}

#[tokio::test]
async fn the_server_runs_as_an_ordinary_user_and_listens_on_this_machine_only() {
    let scratch = Scratch::new();
    let running = scratch.up().await;
    let data = scratch.db().status().unwrap().data;
    assert_ne!(data.metadata().unwrap().uid(), 0, "initdb and postgres refuse root");

    let url = running.url(Role::Superuser).unwrap();
    let mut superuser = DirectConnection::as_application(&url, "tests").await.unwrap();
    for (setting, value) in [("listen_addresses", "127.0.0.1"), ("unix_socket_directories", "")] {
        let shown: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(superuser.connection())
            .await
            .unwrap();
        assert_eq!(shown, value, "{setting}");
    }
}

#[tokio::test]
async fn a_workspace_that_the_servers_user_cannot_enter_still_has_a_database() {
    let scratch = Scratch::private();
    let running = scratch.up().await;
    assert!(tables(&mut owner(&running).await).await > 0);
    let data = scratch.db().status().unwrap().data;
    scratch.db().remove().await.unwrap();
    assert!(!data.exists(), "{}", data.display());
}

#[tokio::test]
async fn a_workspace_whose_name_no_shell_would_like_still_has_a_database() {
    let scratch = Scratch::named("it's \"here\" for $5 `or` less\\-");
    let running = scratch.up().await;
    assert!(tables(&mut owner(&running).await).await > 0);
    scratch.db().remove().await.unwrap();
}

#[tokio::test]
async fn only_the_cluster_that_up_made_is_ours() {
    let scratch = Scratch::new();
    assert!(!scratch.db().is_ours("7000000000000000000").unwrap());
    let running = scratch.up().await;
    assert!(scratch.db().is_ours(running.system_identifier()).unwrap());
    assert!(!scratch.db().is_ours("7000000000000000000").unwrap());
    scratch.db().down().await.unwrap();
    assert!(scratch.db().is_ours(running.system_identifier()).unwrap(), "also while it is down");
}

#[tokio::test]
async fn another_version_than_that_of_the_data_is_refused_with_the_way_out() {
    let scratch = Scratch::new();
    let running = scratch.up().await;
    let other = if running.programs().major() == 14 { 15 } else { 14 };
    let options = LocalOptions { pg_version: Some(other), ..LocalOptions::default() };
    let error = scratch.db_with(options).up(&mut |_| (), StartOptions::default()).await.unwrap_err();
    assert!(error.hint().unwrap().contains(&format!("db reset --pg-version {other}")), "{error}");
}

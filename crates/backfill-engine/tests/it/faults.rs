//! Lost connections.

use backfill_engine::{Options, Progress};
use local_db::Role;
use tenant_rls::Tenancy;

use crate::support::{SMALL, backfill_table, planted};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_connections_are_cut_goes_on_by_itself() {
    let (db, planted) = planted(&SMALL).await;
    let superuser = db.url(Role::Superuser);
    let mut cuts = 0;
    let mut cut = move |event: Progress| {
        if !matches!(event, Progress::Batch { .. }) || cuts == 3 {
            return;
        }
        cuts += 1;
        let superuser = superuser.clone();
        // From a callback, so that it falls between two batches: the pool hands out a dead connection.
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async move {
                let mut session = tenant_rls::DirectConnection::connect(&superuser, "cutter").await.unwrap();
                let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                           WHERE usename = 'app_owner' AND datname = current_database()";
                sqlx::query(all).execute(session.connection()).await.unwrap();
            });
        });
    };
    let options = Options { batch_time: std::time::Duration::from_millis(1), ..Options::default() };
    let report = backfill_table(&db, Role::Owner, "bookings", &Tenancy::default(), &options, &mut cut).await.unwrap();
    assert_eq!(report.assigned, planted.assignable());
}

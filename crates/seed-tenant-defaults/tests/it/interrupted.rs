//! Stopped, dropped, cut off: the same run again ends as one that was not interrupted.

use seed_tenant_defaults::{Defaults, SeedEvent, SeedOptions, SeedOutcome, TenantSelection};
use tokio::sync::{oneshot, watch};

use crate::support::{UNEVEN, new_tenants, number, run, seed, tenants};

#[tokio::test]
async fn a_run_that_is_stopped_ends_after_the_tenants_in_flight_and_the_next_goes_on() {
    let db = tenants().await;
    let csv = new_tenants(700);
    let options = SeedOptions { create: true, ..csv.options() };
    let (go, stop) = watch::channel(false);
    let mut seen = 0;
    let mut progress = |event: SeedEvent<'_>| {
        seen += u32::from(matches!(event, SeedEvent::Tenant(_)));
        if seen == 20 {
            // The run may have let go of the other end.
            let _ = go.send(true);
        }
    };
    let stopped = run(&db, &Defaults::default(), &options, stop, &mut progress).await.unwrap();
    assert_eq!(stopped.outcome, SeedOutcome::Stopped);
    assert!((20..20 + 16).contains(&stopped.tenants), "{}", stopped.tenants);
    let there = number(&db, "SELECT count(*) FROM organization_settings").await;
    assert_eq!(there, stopped.tenants as i64, "what was begun was finished, and nothing else");
    let rest = seed(&db, &options).await.unwrap();
    assert_eq!((rest.outcome, rest.tenants, rest.already_there), (SeedOutcome::Done, 700, stopped.tenants));
    seed(&db, &SeedOptions::new(TenantSelection::All)).await.unwrap();
    assert_eq!(number(&db, UNEVEN).await, 0);
}

#[tokio::test]
async fn a_run_that_is_dropped_in_the_middle_leaves_whole_tenants() {
    let db = tenants().await;
    let csv = new_tenants(700);
    let options = SeedOptions { create: true, ..csv.options() };
    let half = r#"SELECT count(*) FROM organization_settings AS o FULL JOIN security_settings AS s USING ("tenantId")
                  WHERE o.id IS NULL OR s.id IS NULL"#;
    for round in 1..=3_u32 {
        let (reached, arrived) = oneshot::channel();
        let (mut reached, mut seen) = (Some(reached), 0);
        let (_go, stop) = watch::channel(false);
        let mut progress = |event: SeedEvent<'_>| {
            seen += u32::from(matches!(event, SeedEvent::Tenant(_)));
            if seen == 100 * round {
                reached.take().map(|reached| reached.send(()));
            }
        };
        let defaults = Defaults::default();
        tokio::select! {
            biased;
            _ = arrived => {}
            ended = run(&db, &defaults, &options, stop, &mut progress) => panic!("it was to be dropped: {ended:?}"),
        }
        assert_eq!(number(&db, half).await, 0, "no tenant has half of its rows");
    }
    let last = seed(&db, &options).await.unwrap();
    assert_eq!(last.failed, 0);
    seed(&db, &SeedOptions::new(TenantSelection::All)).await.unwrap();
    assert_eq!(number(&db, UNEVEN).await, 0);
}

#[tokio::test]
async fn connections_that_are_cut_are_made_anew() {
    let db = tenants().await;
    let csv = new_tenants(600);
    let options = SeedOptions { create: true, ..csv.options() };
    let (reached, arrived) = oneshot::channel();
    let (mut reached, mut seen) = (Some(reached), 0);
    let (_go, stop) = watch::channel(false);
    let mut progress = |event: SeedEvent<'_>| {
        seen += u32::from(matches!(event, SeedEvent::Tenant(_)));
        if seen == 50 {
            reached.take().map(|reached| reached.send(()));
        }
    };
    let cut = async {
        arrived.await.unwrap();
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND query LIKE '-- Rows of one tenant%'";
        db.superuser().await.run_script("cutting connections", cut).await.unwrap();
    };
    let defaults = Defaults::default();
    let (report, ()) = tokio::join!(run(&db, &defaults, &options, stop, &mut progress), cut);
    let report = report.unwrap();
    assert_eq!((report.tenants, report.failed), (600, 0), "{:?}", report.failures);
    seed(&db, &SeedOptions::new(TenantSelection::All)).await.unwrap();
    assert_eq!(number(&db, UNEVEN).await, 0);
}

//! A prediction is compared with what the server does behind the policies of a real rollout: no miss, and no false alarm.

use std::collections::BTreeSet;

use rls_predict::{PredictWay, statements};

use crate::support::{STATEMENTS, fixture, lost, plan, predicted, roll_out, run, searches};

type Searches = BTreeSet<(String, String)>;

/// What each statement searches indexes for before there is a policy.
async fn before(db: &test_support::TestDb) -> Vec<Searches> {
    let mut session = db.superuser().await;
    let mut found = Vec::new();
    for statement in statements(STATEMENTS).unwrap() {
        run(&mut session, "BEGIN").await;
        found.push(searches(&plan(&mut session, &statement.text, None).await));
        run(&mut session, "ROLLBACK").await;
    }
    session.close().await;
    found
}

/// What it can still search the same indexes for afterwards, where there is nothing else to search.
async fn still_possible(db: &test_support::TestDb, statement: &str, used: &Searches) -> Searches {
    let mut session = db.superuser().await;
    run(&mut session, "BEGIN; SET LOCAL enable_seqscan = off").await;
    let used: BTreeSet<&str> = used.iter().map(|(index, _)| index.as_str()).collect();
    let all = "SELECT indexrelid::regclass::text FROM pg_index
               WHERE indrelid IN ('people'::regclass, 'letters'::regclass) AND NOT indisprimary";
    let all: Vec<String> = sqlx::query_scalar(all).fetch_all(session.connection()).await.unwrap();
    for index in all.iter().filter(|index| !used.contains(index.trim_matches('"'))) {
        run(&mut session, &format!("DROP INDEX {index}")).await;
    }
    let found = searches(&plan(&mut session, statement, Some("t_1")).await);
    run(&mut session, "ROLLBACK").await;
    session.close().await;
    found
}

#[tokio::test]
async fn every_search_that_a_rollout_takes_away_was_predicted_and_no_other() {
    let db = fixture().await;
    let by_catalog = predicted(&db, PredictWay::Catalog, STATEMENTS).await;
    let by_trial = predicted(&db, PredictWay::Trial, STATEMENTS).await;
    assert!(by_catalog.not_planned.is_empty(), "{:#?}", by_catalog.not_planned);
    let before = before(&db).await;
    roll_out(&db).await;
    let (mut wrong, mut taken) = (Vec::new(), 0);
    for (at, statement) in statements(STATEMENTS).unwrap().iter().enumerate() {
        let after = still_possible(&db, &statement.text, &before[at]).await;
        let gone: Searches = before[at].difference(&after).cloned().collect();
        taken += usize::from(!gone.is_empty());
        for (way, report) in [("catalog", &by_catalog), ("trial", &by_trial)] {
            let predicted = lost(report, at + 1);
            if predicted != gone {
                wrong.push(format!(
                    "{way}: {}\n  predicted {predicted:?}\n  gone {gone:?}\n  of {:?}",
                    statement.text, before[at]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!((15..35).contains(&taken), "{taken} statements lose a search");
}

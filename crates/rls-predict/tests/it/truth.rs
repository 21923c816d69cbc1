//! A prediction is compared with what the server does behind the policies of a real rollout: no miss, and no false alarm.

use std::collections::BTreeSet;

use rls_predict::{Change, PredictWay, statements};

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

#[tokio::test]
async fn what_is_not_leakproof_is_called_by_its_name_with_what_helps() {
    let db = fixture().await;
    let text = "SELECT * FROM people WHERE lower(email) = $1; SELECT * FROM people WHERE title LIKE 'title77%';
                SELECT * FROM people WHERE mood = 'rare'; SELECT * FROM people WHERE data ->> 'kind' = $1;
                SELECT * FROM people WHERE \"tenantId\" = $1 AND upper(name) = $2; SELECT * FROM people WHERE id = $1 OR title LIKE $2";
    let report = predicted(&db, PredictWay::Catalog, text).await;
    let mut found: Vec<(usize, String, bool, usize)> = Vec::new();
    for prediction in &report.predictions {
        let Change::LosesIndex { lost, .. } = &prediction.change else { panic!("{prediction:?}") };
        let each = lost.iter();
        found.extend(
            each.map(|one| (prediction.number, one.not_leakproof.join(" "), one.still_narrowed, one.remedies.len())),
        );
    }
    found.sort();
    found.dedup();
    let expected = [
        (1, "lower", false, 3),
        (2, "~~", false, 1),
        (3, "=", false, 1),
        (4, "->>", false, 3),
        (5, "upper", true, 2),
        (6, "~~", false, 1),
    ];
    assert_eq!(found, expected.map(|(number, name, narrowed, remedies)| (number, name.to_owned(), narrowed, remedies)));
    let lower = report.predictions.iter().find(|one| one.number == 1).unwrap();
    assert!(matches!(lower.change, Change::LosesIndex { at_most: Some(times), .. } if times > 20.0), "{lower:?}");
}

/// What the plan of each statement costs, as a tenant if one is given.
async fn costs(db: &test_support::TestDb, tenant: Option<&str>) -> Vec<f64> {
    let mut session = db.superuser().await;
    let mut found = Vec::new();
    for statement in statements(STATEMENTS).unwrap() {
        run(&mut session, "BEGIN").await;
        found.push(plan(&mut session, &statement.text, tenant).await[0]["Plan"]["Total Cost"].as_f64().unwrap());
        run(&mut session, "ROLLBACK").await;
    }
    session.close().await;
    found
}

#[tokio::test]
async fn what_a_trial_says_of_costs_is_what_they_are_after_the_rollout_and_what_it_leaves_out_is_not_slower() {
    let db = fixture().await;
    let report = predicted(&db, PredictWay::Trial, STATEMENTS).await;
    let before = costs(&db, None).await;
    roll_out(&db).await;
    let after = costs(&db, Some("t_1")).await;
    let (mut wrong, mut slower) = (Vec::new(), 0);
    for (at, (before, after)) in before.iter().zip(&after).enumerate() {
        let prediction = report.predictions.iter().find(|one| one.number == at + 1);
        let (real, said) = (after / before, prediction.map(|one| (&one.change, one.counts)));
        let fits = match said {
            Some((Change::Replanned { ratio, .. }, counts)) => {
                slower += usize::from(counts);
                (0.8..1.25).contains(&(ratio / real)) && counts == (*ratio > 2.0)
            }
            Some(_) => false,
            None => real <= 2.0,
        };
        if !fits {
            wrong.push(format!("{}: {real}, and the prediction is {said:?}", statements(STATEMENTS).unwrap()[at].text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(slower > 10, "{slower} are slower");
    let worst_first: Vec<f64> = report
        .predictions
        .iter()
        .map(|one| match &one.change {
            Change::Replanned { ratio, .. } => *ratio,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(worst_first.is_sorted_by(|one, other| one >= other), "{worst_first:?}");
}

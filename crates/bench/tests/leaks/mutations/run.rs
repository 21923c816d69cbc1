//! Changes the database, asks `rls verify`, and asks the oracle.

use bench::leaks::database::Planting;
use bench::leaks::oracle;
use bench::leaks::run::said;
use bench::leaks::verdict::ToolVerdict;
use local_db::Role;
use tenancy_config::environment;

use super::{Mutation, Random, all};

/// How many changes the short form makes.
const SHORT: usize = 40;

fn number(variable: &str, default: u64) -> u64 {
    environment::text(variable).unwrap().map_or(default, |text| text.parse().unwrap())
}

#[derive(Debug, Default)]
struct Count {
    leaks: usize,
    found: usize,
    harmless: usize,
    proven: usize,
    failed: Vec<String>,
    wrong: Vec<String>,
    doubted: Vec<String>,
}

#[tokio::test]
#[allow(clippy::print_stderr)] // the figures are the point of the longer form
async fn no_changed_database_in_which_plain_sql_leaks_is_called_proven() {
    let version = u32::try_from(number("LEAKS_SERVER", 15)).unwrap();
    let server = match test_support::server_of_version(version).await {
        Ok(server) => server,
        Err(why) => return eprintln!("PostgreSQL {version} was skipped: {why}"),
    };
    let seed = number("MUTATION_SEED", 7);
    let count = usize::try_from(number("MUTATIONS", SHORT as u64)).unwrap();
    let mut planting = Planting::prepare(&server.url(Role::Superuser)).await.unwrap();

    planting.fresh().await.unwrap();
    let unchanged = oracle::reached(&planting).await.unwrap();
    assert_eq!(unchanged, Vec::<String>::new(), "the database that is to be changed is not clean");

    let mut counted = Count::default();
    for (done, mutation) in Random(seed).choose(all(), count).iter().enumerate() {
        one(&mut planting, mutation, &mut counted).await;
        if (done + 1) % 50 == 0 {
            // The long form takes more than an hour: what it found so far must not be lost with it.
            eprintln!(
                "after {}: {} of {} leaks found, called proven: {:?}",
                done + 1,
                counted.found,
                counted.leaks,
                counted.wrong
            );
        }
    }
    planting.clean_up().await.unwrap();
    let Count { leaks, found, harmless, proven, failed, wrong, doubted } = &counted;
    eprintln!(
        "PostgreSQL {version}, seed {seed}: {found} of {leaks} leaks found; {proven} of {harmless} in which it reached nothing were proven; {} without a report",
        failed.len()
    );
    eprintln!("without a report:\n{}", failed.join("\n"));
    eprintln!("nothing reached, and not proven:\n{}", doubted.join("\n"));
    assert!(*leaks > 0 && *harmless > 0, "the changes prove nothing: {counted:#?}");
    assert!(wrong.is_empty(), "{} leaks were called proven:\n{}", wrong.len(), wrong.join("\n"));
    assert!(found * 100 >= leaks * 95, "{found} of {leaks} found");
}

async fn one(planting: &mut Planting, mutation: &Mutation, counted: &mut Count) {
    planting.fresh().await.unwrap();
    let Mutation { kind, place, sql } = mutation;
    let mut superuser = planting.session(Role::Superuser).await.unwrap();
    let sql: &'static str = sql.clone().leak();
    superuser
        .run_script("changing the database", sql)
        .await
        .unwrap_or_else(|error| panic!("{kind} ({place}): {error}\n{sql}"));
    superuser.close().await;
    let report = said(planting, false).await;
    let reached = oracle::reached(planting).await.unwrap();
    let verdict = report.as_ref().map_or(ToolVerdict::Failed, |said| said.verdict());
    let lines = report.map_or_else(|error| vec![error.to_string()], |said| said.lines());
    if verdict == ToolVerdict::Failed {
        counted.failed.push(format!("    {kind} ({place}): {:.300}", lines.join(" | ")));
    }
    match (reached.first(), verdict) {
        (Some(leak), ToolVerdict::Proven) => {
            counted.leaks += 1;
            counted.wrong.push(format!("{kind} ({place}): {leak}\n    {sql}"));
        }
        (Some(_), ToolVerdict::Failed) => counted.leaks += 1,
        (Some(_), _) => {
            counted.leaks += 1;
            counted.found += usize::from(!lines.is_empty());
        }
        (None, verdict) => {
            counted.harmless += 1;
            counted.proven += usize::from(verdict == ToolVerdict::Proven);
            if verdict != ToolVerdict::Proven {
                counted.doubted.push(format!("    {kind} ({place}): {verdict:?} {:.200}", lines.join(" | ")));
            }
        }
    }
}

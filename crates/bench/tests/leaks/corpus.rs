//! The corpus on a server of its own.

use bench::{CaseResult, LeaksBench};
use local_db::Role;
use tenancy_config::environment;

/// Which versions of the server are tried; those that this machine lacks are skipped and named.
fn versions() -> Vec<u32> {
    let asked = environment::text("LEAKS_SERVERS").unwrap();
    asked.map_or(vec![15, 17], |asked| asked.split(',').map(|version| version.parse().unwrap()).collect())
}

/// Of each family, one case of so many is planted; 1 means all.
fn every() -> usize {
    environment::text("LEAKS_EVERY").unwrap().map_or(20, |every| every.parse().unwrap())
}

#[tokio::test]
#[allow(clippy::print_stderr)] // what was missed, and which versions this run proves nothing about
async fn planted_leaks_are_found_and_clean_databases_are_not_doubted() {
    let only = environment::text("LEAKS_ONLY").unwrap();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for version in versions() {
        let server = match test_support::server_of_version(version).await {
            Ok(server) => server,
            Err(why) => {
                eprintln!("PostgreSQL {version} was skipped: {why}");
                continue;
            }
        };
        let bench =
            LeaksBench { only: only.clone(), every: every(), pgrls: environment::path("PGRLS").map(Into::into) };
        let report = bench::leaks(&server.url(Role::Superuser), &bench, &mut |step| eprintln!("{step}")).await.unwrap();
        let score = report.score(None);
        eprintln!(
            "PostgreSQL {version}: {}/{} found, {} false alarms in {} clean databases, {:.0} s",
            score.found, score.planted, score.false_alarms, score.clean, report.seconds
        );
        if let Some(tool) = &report.other_tool {
            eprintln!("{}: {} found, {} false alarms", tool.name, score.other_found, score.other_false_alarms);
        }
        tried += report.cases.len();
        for case in report.cases.iter().filter(|case| case.outcome != CaseResult::Right) {
            let (broken, lines) = (case.broken.as_deref().unwrap_or_default(), case.lines.join(" | "));
            let names = case.names.join("|");
            wrong.push(format!(
                "{version} {}/{} [{names}] {:?} {:?} {broken}: {lines:.300}",
                case.family, case.name, case.outcome, case.verdict
            ));
        }
    }
    assert!(tried > 0, "nothing was tried");
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

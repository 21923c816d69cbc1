//! One case after the other, as roles belong to the whole server.

use std::path::PathBuf;
use std::time::Instant;

use local_db::Role;
use rls_verify::{VerifyOptions, verify};
use tenancy_config::DatabaseUrl;
use tenant_rls::{ConnectOptions, Database};

use super::corpus::{By, Case, Expected, Family, families};
use super::database::{Planting, roll_out, tenancy};
use super::oracle;
use super::other_tool::Linter;
use super::proof;
use super::report::{CaseReport, CaseResult, LeaksReport};
use super::verdict::{ToolReport, ToolVerdict};
use crate::error::{Error, Result};

/// Which leaks are planted.
#[derive(Debug, Clone, Default)]
pub struct LeaksBench {
    /// The family, or the name of one case; none means all.
    pub only: Option<String>,
    /// Of each family, only every so many-th case; 0 means all.
    pub every: usize,
    /// The program `pgrls`, whose score then stands beside ours.
    pub pgrls: Option<PathBuf>,
}

/// Plants one case after the other on a server that nobody else uses: cases change roles.
///
/// # Errors
/// [`Error`]: the base database could not be made, or the server is gone. What goes wrong with one case is in the report.
pub async fn leaks(
    superuser: &DatabaseUrl,
    bench: &LeaksBench,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<LeaksReport> {
    let began = Instant::now();
    progress("making the database and rolling out");
    let mut planting = Planting::prepare(superuser).await?;
    planting.fresh().await?;
    let linter = match &bench.pgrls {
        Some(program) => Some(Linter::new(program, &planting.copy(Role::Superuser)).await?),
        None => None,
    };
    let mut cases = Vec::new();
    for (family, case) in chosen(bench, planting.major()) {
        progress(&format!("{}: {}", family.family, case.name));
        let report = one(&mut planting, family, case, linter.as_ref()).await?;
        if report.outcome != CaseResult::Right {
            let why = report.broken.as_deref().or(report.lines.first().map(String::as_str)).unwrap_or_default();
            progress(&format!("{}: {}: {}: {why}", family.family, case.name, report.outcome));
        }
        cases.push(report);
    }
    let server = planting.major();
    planting.clean_up().await?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(LeaksReport { schema: "bench-leaks/1", server, cases, other_tool: linter.map(Linter::described), seconds })
}

fn chosen(bench: &LeaksBench, major: u32) -> impl Iterator<Item = (&'static Family, &'static Case)> {
    let wanted = |family: &Family, case: &Case| {
        bench.only.as_ref().is_none_or(|only| *only == family.family || *only == case.name)
    };
    let of_family = move |family: &'static Family| {
        let cases = family.case.iter().enumerate().filter(|(at, _)| bench.every < 2 || at % bench.every == 0);
        cases.map(move |(_, case)| (family, case))
    };
    let all = families().iter().flat_map(of_family);
    all.filter(move |(family, case)| case.fits(major) && wanted(family, case))
}

async fn one(
    planting: &mut Planting,
    family: &'static Family,
    case: &'static Case,
    linter: Option<&Linter>,
) -> Result<CaseReport> {
    planting.fresh().await?;
    let mut report = CaseReport {
        family: &family.family,
        name: &case.name,
        expected: case.expect,
        names: &case.names,
        verdict: ToolVerdict::Failed,
        named: false,
        outcome: CaseResult::Invalid,
        lines: Vec::new(),
        broken: None,
        no_proof: case.no_proof.as_deref(),
        other_tool: None,
        seconds: 0.0,
    };
    if let Err(error) = plant(planting, case).await {
        report.broken = Some(error.to_string());
        return Ok(report);
    }
    let began = Instant::now();
    match said(planting, case.fire_triggers).await {
        Ok(said) => {
            report.verdict = said.verdict();
            report.named = case.names.iter().any(|name| said.names(name));
            report.lines = said.lines();
        }
        Err(error) => report.lines = vec![error.to_string()],
    }
    report.seconds = began.elapsed().as_secs_f64();
    if let Some(linter) = linter {
        report.other_tool = Some(linter.finds(&planting.copy(Role::Superuser), &case.names).await?);
    }
    report.broken = contradiction(planting, case).await?;
    report.outcome = outcome(&report);
    Ok(report)
}

async fn plant(planting: &Planting, case: &'static Case) -> Result<()> {
    let role = if case.by == By::Superuser { Role::Superuser } else { Role::Owner };
    let mut session = planting.session(role).await?;
    let planted = session.run_script("planting a case", case.sql.0).await;
    session.close().await;
    planted?;
    if case.then_rollout { roll_out(&planting.copy(Role::Owner)).await } else { Ok(()) }
}

/// What `rls verify` says of the copy, as the owner of the tables runs it.
///
/// # Errors
/// [`Error`]: it ends with an error.
pub async fn said(planting: &Planting, fire_triggers: bool) -> Result<ToolReport> {
    let connect = ConnectOptions::default();
    let owner = Database::connect(&planting.copy(Role::Owner), &connect).await?;
    let app = Database::connect(&planting.copy(Role::AppUser), &connect).await?;
    let options = VerifyOptions { write_probes: true, fire_triggers, ..VerifyOptions::default() };
    let report = verify(&owner, &app, &tenancy(), &options, &mut |_| ()).await;
    owner.close().await;
    app.close().await;
    let unreadable =
        |error: serde_json::Error| Error::Measure { doing: "reading a report".into(), why: error.to_string() };
    ToolReport::of(&report?).map_err(unreadable)
}

/// Why the case is not what it says, by plain SQL.
async fn contradiction(planting: &Planting, case: &Case) -> Result<Option<String>> {
    if case.expect == Expected::Clean {
        let reached = oracle::reached(planting).await?;
        if let Some(first) = reached.first() {
            return Ok(Some(format!("it is not clean: {first}")));
        }
    }
    let Some(proof) = &case.proof else { return Ok(None) };
    let shown = proof::prove(planting, proof).await?;
    let wanted = case.expect == Expected::Leak;
    Ok((shown.holds != wanted).then_some(shown.seen))
}

fn outcome(report: &CaseReport) -> CaseResult {
    match (report.expected, report.verdict) {
        _ if report.broken.is_some() => CaseResult::Invalid,
        (_, ToolVerdict::Failed) => CaseResult::Failed,
        (Expected::Clean, ToolVerdict::Proven) => CaseResult::Right,
        (Expected::Clean, _) => CaseResult::FalseAlarm,
        (_, ToolVerdict::Proven) => CaseResult::Missed,
        (_, _) if report.named => CaseResult::Right,
        (_, _) => CaseResult::Unnamed,
    }
}

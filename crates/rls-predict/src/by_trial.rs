//! The prediction by trying: the tables get their policies in a transaction that is always rolled back, and each statement is planned before and after.

use std::time::Duration;

use rls_rollout::TrialTable;
use sqlx::Row;
use tenancy_config::{Ident, TableName};
use tenant_rls::{
    Backoff, Error as RlsError, Fault, OwnerTx, PlanSettings, ProbeTx, SessionSetting, Sql, StatementFailure, fault_of,
    retry_locks,
};

use crate::by_catalog::command;
use crate::error::{Error, Result};
use crate::lost::LostIndex;
use crate::plan::PlanFacts;
use crate::report::{Change, PlanSummary, PlannedAs, WhyNotPlanned};
use crate::statements::kind::{Kind, kind};
use crate::subject::{Found, Subject, is_stopped, names};

/// What was tried in one transaction.
struct Tried {
    planned_as: PlannedAs,
    tenant: Option<String>,
    /// The plans before and after, or why there is none.
    plans: Vec<(usize, Planned)>,
    not_tried: Vec<(TableName, StatementFailure)>,
}

/// A statement, before and after.
enum Planned {
    Both(PlanFacts, PlanFacts),
    OnlyBefore(StatementFailure),
    Neither(StatementFailure),
}

pub(crate) async fn predict(subject: &Subject<'_>) -> Result<Found> {
    let session = subject.owner.session();
    if session.superuser && !subject.options.trusts_statements {
        return Err(Error::Superuser { login: session.role.clone() });
    }
    let retry = subject.options.rollout.lock_retry;
    let backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(5), retry.attempts.max(1) - 1);
    let tried = retry_locks(backoff, async || once(subject).await).await.map_err(Error::Database)?;
    if let PlannedAs::Instead { login, role } = &tried.planned_as
        && session.bypass_rls
    {
        return Err(Error::Unfiltered { login: login.clone(), role: role.clone() });
    }
    let mut found = Found {
        planned_as: tried.planned_as,
        tenant: tried.tenant,
        planned: 0,
        predictions: Vec::new(),
        not_planned: Vec::new(),
        not_tried: tried.not_tried,
    };
    let before = tried.plans.iter().filter_map(|(_, planned)| match planned {
        Planned::Both(before, _) => Some(before),
        _ => None,
    });
    let names = names(subject.owner, before).await?;
    for (at, planned) in tried.plans {
        match planned {
            Planned::Neither(failure) => found.not_planned.push((at, WhyNotPlanned::Refused { failure })),
            Planned::OnlyBefore(failure) => found.predictions.push((at, Change::PlanFails { failure })),
            Planned::Both(before, after) => {
                found.planned += 1;
                let mut lost = subject.judge(&names).lost(&before);
                // The trial knows better.
                let condition = |lost: &LostIndex| {
                    let conditions = before.searches.iter().flat_map(|search| &search.conditions);
                    conditions.into_iter().find(|clause| clause.text == lost.condition).cloned()
                };
                lost.retain(|one| condition(one).is_none_or(|clause| !after.searches_for(&one.index, &clause)));
                let ratio = if before.cost > 0.0 { after.cost / before.cost } else { 1.0 };
                if !lost.is_empty() || ratio > subject.options.slower_than {
                    let (before, after) = (summary(before), summary(after));
                    found.predictions.push((at, Change::Replanned { ratio, before, after, lost }));
                }
            }
        }
    }
    let mut tx = ProbeTx::begin(subject.app, subject.tenancy, false).await?;
    for (at, statement) in subject.statements.iter().enumerate() {
        command(subject, &mut tx, at, kind(&statement.text), &mut found).await?;
    }
    tx.rollback().await?;
    Ok(found)
}

fn summary(plan: PlanFacts) -> PlanSummary {
    PlanSummary { cost: plan.cost, nodes: plan.nodes }
}

/// One transaction. It ends with the rollback, however it ends.
async fn once(subject: &Subject<'_>) -> Result<Tried, RlsError> {
    let mut tx = OwnerTx::begin(subject.owner, subject.options.rollout.lock_retry.lock_timeout).await?;
    let (planned_as, settings) = settings(subject, &mut tx).await?;
    let is_planned = |at: &usize| kind(&subject.statements[*at].text) == Kind::Planned;
    let asked = (0..subject.statements.len()).filter(is_planned).map(|at| (at, subject.text(at)));
    let mut before = Vec::new();
    for (at, text) in asked {
        before.push((at, text, plan(&mut tx, text, &settings).await?));
    }
    let tables: Vec<&TrialTable> =
        subject.trial.tables.iter().filter(|table| table.has_column && !is_stopped(table)).collect();
    let tenant = largest_tenant(&mut tx, &tables).await?;
    // Indexes first, as policies lock out readers too.
    let mut not_tried = Vec::new();
    let indexes = tables.iter().map(|table| (*table, table.index.as_slice())).filter(|(_, index)| !index.is_empty());
    let policies = tables.iter().map(|table| (*table, table.policies.as_slice()));
    for (table, statements) in indexes.chain(policies) {
        if let Some(failure) = give(&mut tx, statements).await? {
            not_tried.push((table.table.clone(), failure));
        }
    }
    let setting = SessionSetting::of(subject.tenancy);
    let behind = settings.clone().of_tenant(&setting, tenant.as_deref().unwrap_or_default());
    let mut plans = Vec::new();
    for (at, text, before) in before {
        plans.push((
            at,
            match before {
                Err(failure) => Planned::Neither(failure),
                Ok(before) => match plan(&mut tx, text, &behind).await? {
                    Ok(after) => Planned::Both(before, after),
                    Err(failure) => Planned::OnlyBefore(failure),
                },
            },
        ));
    }
    tx.rollback().await?;
    Ok(Tried { planned_as, tenant, plans, not_tried })
}

async fn plan(
    tx: &mut OwnerTx,
    text: &str,
    settings: &PlanSettings,
) -> Result<std::result::Result<PlanFacts, StatementFailure>, RlsError> {
    let no_plan = || StatementFailure::Refused { sqlstate: None, error: "the server has no plan for it".to_owned() };
    let planned = tx.plan(text, settings).await?;
    Ok(planned.and_then(|explained| PlanFacts::read(&explained).ok_or_else(no_plan)))
}

/// As whom statements are planned. Where this login may not act as the application's, it is filtered itself as soon as policies are forced.
async fn settings(subject: &Subject<'_>, tx: &mut OwnerTx) -> Result<(PlannedAs, PlanSettings), RlsError> {
    let login = subject.owner.session().role.clone();
    let role = subject.trial.inventory.logins.app.0.to_string();
    let own = PlanSettings { search_path: Some(subject.app.application_path().to_owned()), ..PlanSettings::default() };
    if login == role {
        return Ok((PlannedAs::Login { role }, own));
    }
    let acting = PlanSettings { role: Some(Ident::new(role.as_str())?), ..own.clone() };
    Ok(match tx.plan("VALUES (1)", &acting).await? {
        Ok(_) => (PlannedAs::Acting { login, role }, acting),
        Err(_) => (PlannedAs::Instead { login, role }, own),
    })
}

/// Runs the statements of one table; the answer is what the server says against them. A lock that is not to be had ends the trial, as another one
/// may get it.
async fn give(tx: &mut OwnerTx, statements: &[Sql]) -> Result<Option<StatementFailure>, RlsError> {
    let doing = "giving a table its policies";
    tx.run(doing, &Sql::from_static("SAVEPOINT one_table")).await?;
    match tx.run_all(doing, statements).await {
        Ok(()) => Ok(None),
        Err(error) if matches!(fault_of(&error), Fault::Contention | Fault::Connection) => Err(error),
        Err(error) => {
            tx.run(doing, &Sql::from_static("ROLLBACK TO SAVEPOINT one_table")).await?;
            Ok(Some(StatementFailure::from(&error)))
        }
    }
}

/// The tenant with most rows in the table that has most of them; none where there are none, or this login does not see them.
async fn largest_tenant(tx: &mut OwnerTx, tables: &[&TrialTable]) -> Result<Option<String>, RlsError> {
    let doing = "looking for the tenant with most rows";
    let (schemas, names) = TableName::apart(tables.iter().map(|table| &table.table));
    let rows = sqlx::query(include_str!("../../../sql/rls-predict/sizes.sql"))
        .bind(schemas)
        .bind(names)
        .fetch_all(tx.connection())
        .await
        .map_err(RlsError::query(doing))?;
    let positions = rows.iter().map(|row| usize::try_from(row.get::<i64, _>("position") - 1).unwrap_or_default());
    for statement in positions.filter_map(|at| tables.get(at)?.largest_tenant.as_ref()) {
        tx.run(doing, &Sql::from_static("SAVEPOINT one_table")).await?;
        let row = sqlx::query(statement).persistent(false).fetch_optional(tx.connection()).await;
        tx.run(doing, &Sql::from_static("ROLLBACK TO SAVEPOINT one_table")).await?;
        if let Ok(Some(row)) = row {
            return Ok(row.get("tenant"));
        }
    }
    Ok(None)
}

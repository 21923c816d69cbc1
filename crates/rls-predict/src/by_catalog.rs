//! The prediction from the catalog: what a plan of today searches an index for, and whether that is leakproof. Nothing is written, and no lock is
//! taken beyond those of planning.

use sqlx::Row;
use tenancy_config::{Ident, TableName};
use tenant_rls::{Error as RlsError, PlanSettings, ProbeTx, Scans};

use crate::error::Result;
use crate::lost::LostIndex;
use crate::plan::PlanFacts;
use crate::report::{Change, PlannedAs, WhyNotPlanned};
use crate::statements::kind::{Direction, Kind, kind};
use crate::subject::{Found, Subject, names};

/// What a plan costs more that uses what was switched off.
const SWITCHED_OFF: f64 = 1e9;

pub(crate) async fn predict(subject: &Subject<'_>) -> Result<Found> {
    let mut tx = ProbeTx::begin(subject.app, subject.tenancy, false).await?;
    let (planned_as, settings) = settings(subject, &mut tx).await?;
    let mut found = Found {
        planned_as,
        tenant: None,
        planned: 0,
        predictions: Vec::new(),
        not_planned: Vec::new(),
        not_tried: Vec::new(),
    };
    let mut plans = Vec::new();
    for (at, statement) in subject.statements.iter().enumerate() {
        match kind(&statement.text) {
            Kind::Planned => match tx.plan(subject.text(at), &settings).await? {
                Ok(explained) => plans.extend(PlanFacts::read(&explained).map(|plan| (at, plan))),
                Err(failure) => found.not_planned.push((at, WhyNotPlanned::Refused { failure })),
            },
            other => command(subject, &mut tx, at, other, &mut found).await?,
        }
    }
    found.planned = plans.len();
    let names = names(subject.owner, plans.iter().map(|(_, plan)| plan)).await?;
    for (at, plan) in plans {
        let lost = subject.judge(&names).lost(&plan);
        if !lost.is_empty() {
            let at_most = at_most(subject, &mut tx, &settings, (at, &plan), &lost).await?;
            found.predictions.push((at, Change::LosesIndex { lost, cost: plan.cost, at_most }));
        }
    }
    tx.rollback().await?;
    Ok(found)
}

/// As whom statements are planned: as the application's login, or as this one where that is not to be had.
async fn settings(subject: &Subject<'_>, tx: &mut ProbeTx) -> Result<(PlannedAs, PlanSettings)> {
    let login = subject.app.session().role.clone();
    let role = subject.trial.inventory.logins.app.0.to_string();
    let own = PlanSettings::default();
    if login == role {
        return Ok((PlannedAs::Login { role }, own));
    }
    let acting = PlanSettings { role: Some(Ident::new(role.as_str())?), ..PlanSettings::default() };
    Ok(match tx.plan("VALUES (1)", &acting).await? {
        Ok(_) => (PlannedAs::Acting { login, role }, acting),
        Err(_) => (PlannedAs::Instead { login, role }, own),
    })
}

/// What happens to a command that has no plan.
pub(crate) async fn command(
    subject: &Subject<'_>,
    tx: &mut ProbeTx,
    at: usize,
    kind: Kind,
    found: &mut Found,
) -> Result<()> {
    match kind {
        Kind::Planned => {}
        Kind::RowSecurityOff => found.predictions.push((at, Change::RowSecurityOff)),
        Kind::Other(command) => found.not_planned.push((at, WhyNotPlanned::Command { command })),
        Kind::Copy { table, direction } => {
            let table = resolve(tx, &table).await?.filter(|table| subject.protected.contains(table));
            match (table, direction) {
                (Some(table), Direction::In) => found.predictions.push((at, Change::CopyInFails { table })),
                (Some(table), Direction::Out) => found.predictions.push((at, Change::CopyOutFiltered { table })),
                (None, _) => found.not_planned.push((at, WhyNotPlanned::Command { command: "copy".to_owned() })),
            }
        }
    }
    Ok(())
}

/// The table that a name stands for; none where there is none.
async fn resolve(tx: &mut ProbeTx, name: &str) -> Result<Option<TableName>> {
    tx.savepoint().await?;
    let row = sqlx::query(include_str!("../../../sql/rls-predict/resolve.sql"))
        .bind(name)
        .persistent(false)
        .fetch_optional(tx.connection())
        .await
        .map_err(RlsError::query("looking for a table"));
    tx.rollback_to().await?;
    let Ok(Some(row)) = row else { return Ok(None) };
    let ident = |column: &str| Ident::new(row.get::<String, _>(column));
    Ok(Some(TableName::new(ident("schema")?, ident("name")?)))
}

/// How many times as much a statement costs at most: that of reading the whole table, where every search of an index in it is lost.
async fn at_most(
    subject: &Subject<'_>,
    tx: &mut ProbeTx,
    settings: &PlanSettings,
    (at, plan): (usize, &PlanFacts),
    lost: &[LostIndex],
) -> Result<Option<f64>> {
    let is_lost = |index: &str| lost.iter().any(|lost| lost.index == index);
    let asks_another = |lost: &LostIndex| {
        subject.trial.inventory.relation(&lost.table).is_some_and(|relation| relation.parent.is_some())
    };
    if !plan.searches.iter().all(|search| is_lost(&search.index)) || lost.iter().any(asks_another) {
        return Ok(None);
    }
    let without = PlanSettings { scans: Scans::WithoutIndexes, ..settings.clone() };
    let explained = tx.plan(subject.text(at), &without).await?;
    let cost = explained.ok().and_then(|explained| PlanFacts::read(&explained)).map(|plan| plan.cost);
    Ok(cost.filter(|cost| *cost < SWITCHED_OFF && plan.cost > 0.0).map(|cost| (cost / plan.cost).max(1.0)))
}

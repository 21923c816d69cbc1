//! The prediction: every statement is planned, and judged by the catalog or by a trial.

use rls_rollout::{Stop, Trial, TrialTable};
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::class::Unhandled;
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx, same_database};

use crate::by_catalog;
use crate::by_trial;
use crate::catalog::beside::{self, Effect};
use crate::catalog::indexes::Indexes;
use crate::error::{Error, Result};
use crate::options::{PredictOptions, PredictWay};
use crate::report::{NotPlanned, PredictReport, PredictedTable, Prediction, TableNotTried};
use crate::statements::prefix::with_prefixes;
use crate::statements::{Source, Statement, server};
use crate::subject::{Found, Subject, is_stopped};

/// Predicts which statements get slower or fail once the tables have their policies. `owner` reads the catalog, `app` is how the application logs
/// in. No statement is run: the server is asked for their plans. With [`PredictWay::Trial`] the tables get their policies in a transaction that is
/// rolled back, and are locked until then.
///
/// # Errors
/// [`Error::OtherDatabase`] where the two are not one database; [`Error::NoStatistics`], [`Error::HiddenStatistics`] and [`Error::Statistics`] where
/// the server was to tell the statements and cannot; [`Error::Rollout`] where there is nothing that could be rolled out; [`Error::Database`].
pub async fn predict(
    owner: &Database,
    app: &Database,
    tenancy: &Tenancy,
    source: Source,
    options: &PredictOptions,
) -> Result<PredictReport> {
    match same_database(owner, app).await {
        Err(RlsError::OtherDatabase { ours, other }) => {
            return Err(Error::OtherDatabase { database: ours, app: other });
        }
        proven => proven?,
    }
    let (statements, statements_of) = match source {
        Source::Given(statements) => (statements, None),
        Source::Server => counted(owner, app).await?,
    };
    let trial = rls_rollout::trial(owner, tenancy, &options.rollout).await?;
    let protected: Vec<TableName> =
        trial.tables.iter().filter(|table| gets_policies(table)).map(|table| table.table.clone()).collect();
    let mut tx = OwnerTx::begin(owner, CATALOG_LOCK_TIMEOUT).await?;
    let indexes = Indexes::read(tx.connection(), &Vec::from_iter(&protected)).await?;
    tx.rollback().await?;
    let with_prefixes: Vec<Option<String>> =
        statements.iter().map(|statement| with_prefixes(&statement.text)).collect();
    let subject = Subject {
        with_prefixes: &with_prefixes,
        owner,
        app,
        tenancy,
        options,
        trial: &trial,
        indexes: &indexes,
        protected: &protected,
        statements: &statements,
    };
    let found = match options.way {
        PredictWay::Catalog => by_catalog::predict(&subject).await?,
        PredictWay::Trial => by_trial::predict(&subject).await?,
    };
    let effects = effects(owner, &trial, &protected).await;
    let tables = trial.tables.iter().map(|table| predicted_table(table, options.way, &found)).collect();
    let mut predictions: Vec<Prediction> = found
        .predictions
        .into_iter()
        .map(|(at, change)| Prediction {
            number: at + 1,
            statement: statements[at].clone(),
            fingerprint: statements[at].fingerprint(),
            planned_as: with_prefixes[at].clone(),
            counts: change.counts(options.slower_than),
            change,
        })
        .collect();
    predictions.sort_by(|one, other| other.change.weight().total_cmp(&one.change.weight()));
    let not_planned = found.not_planned.into_iter().map(|(at, why)| NotPlanned {
        number: at + 1,
        statement: statements[at].clone(),
        why,
    });
    Ok(PredictReport {
        schema: "rls-predict/1",
        database: owner.session().database.clone(),
        tried: options.way == PredictWay::Trial,
        slower_than: options.slower_than,
        planned_as: found.planned_as,
        statements_of,
        tenant: found.tenant,
        statements: statements.len(),
        planned: found.planned,
        tables,
        predictions,
        not_planned: not_planned.collect(),
        effects,
    })
}

/// The statements that the server counted: the application's login may always read its own.
async fn counted(owner: &Database, app: &Database) -> Result<(Vec<Statement>, Option<String>)> {
    let login = &app.session().session_user;
    let counted = match server::read(owner, login).await {
        Err(Error::HiddenStatistics { .. }) => server::read(app, login).await?,
        read => read?,
    };
    Ok((counted.statements, counted.of))
}

/// Whether a table gets policies. A login that only reads may not change a table, which stops nobody else.
fn gets_policies(table: &TrialTable) -> bool {
    let intrinsic = |stop: &Stop| !matches!(stop, Stop::Unhandled { why: Unhandled::OtherOwner { .. } });
    !table.stopped_by.iter().any(|stop| matches!(stop, Stop::Unhandled { .. }) && intrinsic(stop))
}

fn predicted_table(table: &TrialTable, way: PredictWay, found: &Found) -> PredictedTable {
    let failed = found.not_tried.iter().find(|(name, _)| *name == table.table);
    let not_tried = match way {
        PredictWay::Catalog => None,
        PredictWay::Trial if !table.has_column => Some(TableNotTried::ColumnToCome),
        PredictWay::Trial if is_stopped(table) => Some(TableNotTried::Stopped),
        PredictWay::Trial => failed.map(|(_, failure)| TableNotTried::Failed { failure: failure.clone() }),
    };
    PredictedTable {
        table: table.table.clone(),
        policy: table.form,
        is_enforced: table.is_enforced,
        stopped_by: table.stopped_by.clone(),
        not_tried,
    }
}

/// What is affected beside statements. What cannot be read is named.
async fn effects(owner: &Database, trial: &Trial, protected: &[TableName]) -> Vec<Effect> {
    let read = async {
        let mut tx = OwnerTx::begin(owner, CATALOG_LOCK_TIMEOUT).await?;
        let found = beside::read(tx.connection(), &Vec::from_iter(protected)).await?;
        tx.rollback().await?;
        Ok::<_, RlsError>(found)
    };
    let mut effects = read.await.unwrap_or_else(|error| {
        vec![Effect::NotRead { what: "settings, subscriptions, publications and slots", error: error.to_string() }]
    });
    effects.push(Effect::Dumps { logins: trial.backup_logins.clone() });
    effects.extend(trial.sees_less.iter().map(|way| Effect::SeesLess { way: Box::new(way.clone()) }));
    effects
}

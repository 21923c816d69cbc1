//! How far each table is, what stops it from going on, and what somebody changed since.

use backfill_engine::{CountLimits, RowsWithoutTenant, count_not_run};
use serde::Serialize;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{AspectKind, BornClosed, Inventory, Openness, Phase, Relation, RelationKind, Way, read_ways};
use tenant_rls::{Database, Error as RlsError, PolicyForm, visibility};

use crate::declared_login::blocked;
use crate::declared_login::left::{LeftLogin, LeftRole, forget};
use crate::declared_login::report::LoginStatus;
use crate::error::Result;
use crate::journal::change::ChangeState;
use crate::options::StepStyle;
use crate::plan::coverage::RolloutCoverage;
use crate::plan::gate;
use crate::plan::notice::Notice;
use crate::plan::notices::application_owns;
use crate::state::RolloutState;
use crate::stop::{Stop, said};

/// What is there now; its JSON is `rls-status/2`.
#[derive(Debug, Clone, Serialize)]
pub struct StatusReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The database's name.
    pub database: String,
    /// The role that the application is said to log in as.
    pub app_role: String,
    /// That role exists.
    pub app_role_exists: bool,
    /// What it is or can become that no policy filters, each with the reason.
    pub app_role_escapes: Vec<String>,
    /// That policies filter the application itself from `enforce` on, where its role owns tables.
    pub application_owns: Option<Notice>,
    /// The role as which this login can still count every row; none where an audit would refuse.
    pub audited_as: Option<String>,
    /// The tables and partitions.
    pub tables: Vec<TableStatus>,
    /// What the report covers, and what else the database has.
    #[serde(flatten)]
    pub coverage: RolloutCoverage,
    /// The event trigger that closes new tables, if there is one.
    pub born_closed: Option<BornClosed>,
    /// That a rollout made one, and that it is gone.
    pub born_closed_lost: bool,
    /// The logins that are declared beside the application's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logins: Vec<LoginStatus>,
    /// What rollouts made for roles that `tenancy.toml` names no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeftRole>,
    /// What leads past the policies and may be open to the application.
    pub ways_around: Vec<Way>,
}

/// How far one table is.
#[derive(Debug, Clone, Serialize)]
pub struct TableStatus {
    /// The table, or a partition of one.
    pub table: TableName,
    /// What it is.
    pub kind: RelationKind,
    /// Its phase.
    pub phase: Phase,
    /// ENABLE ROW LEVEL SECURITY.
    pub row_security: bool,
    /// FORCE ROW LEVEL SECURITY.
    pub forced: bool,
    /// The form of its policies; none where they are not ours.
    pub policy: Option<PolicyForm>,
    /// The form that they are to have, as `tenancy.toml` declares the table.
    pub declared: PolicyForm,
    /// Its policies.
    pub policies: Vec<PolicyStatus>,
    /// What stops it from reaching the next phase, or from being protected as its phase promises, because of the catalog.
    #[serde(serialize_with = "said")]
    pub stopped_by: Vec<Stop>,
    /// Its rows without a tenant, which a strict policy would hide; none where that is meant, and for a partition, whose rows its table counts.
    pub rows_without_tenant: Option<RowsWithoutTenant>,
    /// What a rollout made and somebody removed or changed since.
    pub lost: Vec<String>,
}

/// A policy of a table.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyStatus {
    /// Its name.
    pub name: String,
    /// It is one of the rollout's, unaltered.
    pub ours: bool,
    /// It adds to what other policies let through; a restrictive one takes from that.
    pub permissive: bool,
}

/// Reports how far each table is, and counts the rows without a tenant, as far as that is quick. It writes nothing, and takes no lock that anybody would wait for.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn status(database: &Database, tenancy: &Tenancy, app_role: Option<&str>) -> Result<StatusReport> {
    let state = RolloutState::load(database, tenancy, app_role, &[]).await?;
    let mut tables = Vec::with_capacity(state.inventory.relations.len());
    for relation in &state.inventory.relations {
        let lost = state
            .recorded
            .changes(&relation.name)
            .iter()
            .filter(|change| change.state_in(&relation.definition) != ChangeState::AsLeft);
        tables.push(TableStatus { lost: lost.map(|change| change.subject()).collect(), ..table(&state, relation) });
    }
    let uncovered = (&state.inventory.catalog, state.inventory.catalog.classified.as_slice());
    for counted in count_not_run(database, tenancy, uncovered, Some(CountLimits::BRIEF), |_| false).await? {
        if let Some(status) = tables.iter_mut().find(|status| status.table == counted.table) {
            status.rows_without_tenant = Some(counted.rows);
        }
    }
    let escapes = state.inventory.logins.escapes.iter().map(|escape| format!("{} is {}", escape.role, escape.why));
    let ways = read_ways(database, &state.inventory, state.inventory.logins.app.0.as_str(), &[]).await?;
    Ok(StatusReport {
        schema: "rls-status/2",
        database: database.session().database.clone(),
        app_role: state.inventory.logins.app.0.to_string(),
        app_role_exists: state.inventory.logins.app.1.exists,
        app_role_escapes: escapes.collect(),
        application_owns: application_owns(&state.inventory),
        audited_as: audited_as(database, &state.inventory).await?,
        coverage: RolloutCoverage::of(&state.inventory, |name| {
            tables.iter().any(|table| table.table == *name && !table.stopped_by.is_empty())
        }),
        tables,
        born_closed_lost: state.inventory.born_closed.is_none()
            && state.recorded.made(&BornClosed::subject(), &BornClosed::aspect()),
        born_closed: state.inventory.born_closed.clone(),
        logins: state.inventory.declared_logins.iter().map(LoginStatus::of).collect(),
        left: state.left.iter().map(LeftLogin::told).collect(),
        ways_around: ways.into_iter().filter(|way| way.openness(tenancy) != Openness::Closed).collect(),
    })
}

fn table(state: &RolloutState, relation: &Relation) -> TableStatus {
    let phase = state.inventory.phase(relation);
    // A table that has reached the last phase can still lose what `prepare` asks for.
    let next = Phase::ROLLED_OUT.into_iter().find(|next| *next > phase).unwrap_or(Phase::Prepare);
    let policies = relation.definition.all(AspectKind::Policy).map(|(name, text)| PolicyStatus {
        name: name.to_owned(),
        ours: state.inventory.policies(relation).is_ours(name),
        permissive: text.starts_with("AS PERMISSIVE"),
    });
    TableStatus {
        table: relation.name.clone(),
        kind: relation.kind,
        phase,
        row_security: relation.definition.has(AspectKind::RowSecurity),
        forced: relation.definition.has(AspectKind::Forced),
        policy: state.inventory.policies(relation).form(),
        declared: state.inventory.policies(relation).declared_form(),
        policies: policies.collect(),
        stopped_by: stopped_by(state, relation, next),
        rows_without_tenant: None,
        lost: Vec::new(),
    }
}

fn stopped_by(state: &RolloutState, relation: &Relation, next: Phase) -> Vec<Stop> {
    let mut relation = relation.clone();
    forget(&state.left, &mut relation);
    let relation = &relation;
    let mut stops = gate::catalog(&state.inventory, relation, next, StepStyle::default());
    stops.extend(blocked::stop(state, &relation.name, &blocked::blocked(state)));
    stops
}

/// The role as which an audit of every table would read.
async fn audited_as(database: &Database, inventory: &Inventory) -> Result<Option<String>> {
    let access = tenant_audit::access(&inventory.catalog, &inventory.tenancy)?;
    match visibility::reader(database, &inventory.tenancy, &access).await {
        Ok(role) => Ok(Some(role.to_string())),
        Err(RlsError::CannotSee(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

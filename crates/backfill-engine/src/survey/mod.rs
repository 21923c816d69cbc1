//! Counts the rows without a tenant, in one snapshot and by a role that is proven to see every row.

pub(crate) mod comparison;

use sqlx::Row;
use tenancy_config::{Ident, Tenancy};
use tenant_rls::row_count::from_bigint;
use tenant_rls::{ActingRole, AuditTx, Database, Error as RlsError, Obstacle, visibility};

use crate::error::{Error, Result};
use crate::finding::GhostTenant;
use crate::plan::BackfillPlan;
use crate::statements::Statements;

/// Rows without a tenant, by the answers of their sources.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Survey {
    pub(crate) assignable: u64,
    pub(crate) conflicts: u64,
    pub(crate) unresolved: u64,
}

impl Survey {
    pub(crate) fn remaining(self) -> u64 {
        self.assignable + self.conflicts + self.unresolved
    }

    pub(crate) async fn take(audit: &mut AuditTx, statements: &Statements) -> Result<Self> {
        let row = sqlx::query(&statements.survey)
            .fetch_one(audit.connection())
            .await
            .map_err(RlsError::query("counting what is left"))?;
        let count = |name: &str| from_bigint(row.get(name));
        Ok(Self { assignable: count("assignable"), conflicts: count("conflicts"), unresolved: count("unresolved") })
    }
}

/// The survey at the end of a run.
pub(crate) struct FinalSurvey {
    pub(crate) survey: Survey,
    pub(crate) ghosts: Vec<GhostTenant>,
}

/// Counts the rows without a tenant.
pub(crate) async fn count_null(audit: &mut AuditTx, statements: &Statements) -> Result<u64> {
    let rows: i64 = sqlx::query_scalar(&statements.count_null)
        .fetch_one(audit.connection())
        .await
        .map_err(RlsError::query("counting the rows without a tenant"))?;
    Ok(from_bigint(rows))
}

/// Finds tenants that sources name and that do not exist.
pub(crate) async fn ghosts(
    audit: &mut AuditTx,
    plan: &BackfillPlan,
    statements: &Statements,
) -> Result<Vec<GhostTenant>> {
    let mut found = Vec::new();
    let pointing = plan.sources.iter().filter_map(|source| Some((source, source.pointer()?)));
    for ((source, pointer), statement) in pointing.zip(&statements.ghosts) {
        let rows = sqlx::query(statement)
            .fetch_all(audit.connection())
            .await
            .map_err(RlsError::query(format!("looking for tenants of {} that do not exist", pointer.table)))?;
        found.extend(rows.iter().map(|row| GhostTenant {
            source: source.name.clone(),
            table: pointer.table.clone(),
            tenant: row.get("tenant"),
            rows: from_bigint(row.get("rows")),
        }));
    }
    Ok(found)
}

/// Opens an audit of everything that the plan reads. The login is preferred. If rows are hidden from it, the auditor or
/// the maintenance role may be proven to see everything.
pub(crate) async fn open(database: &Database, tenancy: &Tenancy, plan: &BackfillPlan) -> Result<AuditTx> {
    Ok(AuditTx::begin(database, &plan.read_access(), &visibility::readers(database, tenancy)?, None).await?)
}

/// The role that writes: the maintenance role if it exists and has the rights, as it has the fewest; otherwise the
/// login.
///
/// Rows that have a value are another matter: the policies of the maintenance role show them, and let it change only those
/// without a tenant.
pub(crate) async fn writer(database: &Database, tenancy: &Tenancy, plan: &BackfillPlan) -> Result<ActingRole> {
    if !plan.selection.only_without() {
        return unfiltered(database, plan).await;
    }
    let maintenance = ActingRole::Assumed(Ident::new(&tenancy.roles.maintenance)?);
    let login = ActingRole::Login(database.session().role.clone());
    let mut access = plan.access();
    // The login may have rights on whole tables, which do not show for system columns.
    match visibility::acting_role(database, &access, std::slice::from_ref(&maintenance)).await {
        Ok(role) => return Ok(role),
        Err(tenant_rls::Error::CannotSee(_)) => {}
        Err(error) => return Err(error.into()),
    }
    for need in &mut access {
        need.read.retain(|column| column.as_str() != "ctid");
    }
    Ok(visibility::acting_role(database, &access, &[login, maintenance]).await?)
}

/// The login, if nothing filters it.
async fn unfiltered(database: &Database, plan: &BackfillPlan) -> Result<ActingRole> {
    let login = ActingRole::Login(database.session().role.clone());
    let mut access = plan.access();
    for need in &mut access {
        need.read.retain(|column| column.as_str() != "ctid");
    }
    let filtered = || Error::Filtered { table: plan.table.clone(), role: login.to_string() };
    match visibility::acting_role(database, &access, std::slice::from_ref(&login)).await {
        Ok(_) if visibility::reads_by_policy(database, &access, &login).await? => Err(filtered()),
        Ok(role) => Ok(role),
        Err(tenant_rls::Error::CannotSee(obstacles)) if obstacles.iter().any(Obstacle::filters) => Err(filtered()),
        Err(error) => Err(error.into()),
    }
}

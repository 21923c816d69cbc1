//! The roles as which audits and backfills work under forced policies: the statements that make them, and the steps that grant them rights.

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::{Ident, TableName};
use tenant_inventory::{Aspect, AspectKind, Phase, RegistryState, RoleState, read_definitions};
use tenant_rls::{
    CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx, RolePolicy, SessionSetting, Sql, Template,
    TenantComparison,
};

use crate::error::Result;
use crate::plan::alter;
use crate::plan::membership;
use crate::plan::step::{Lock, Step, StepSubject};
use crate::state::RolloutState;

/// The statements that make a role, let this login act as it, and let the role use the schemas of the tables, as far as that is missing. A
/// superuser, which needs no membership, gives it to the owner of the tenant table, so that the owner can go on alone.
pub(crate) fn statements(database: &Database, role: &Ident, facts: &RoleState) -> Result<Vec<Sql>> {
    let mut statements = Vec::new();
    if !facts.exists {
        let create = Template::new("CREATE ROLE :\"role\" NOLOGIN NOSUPERUSER NOBYPASSRLS");
        statements.push(create.ident("role", role).build());
    }
    statements.extend(membership::statements(database.session(), role, facts)?);
    for schema in &facts.closed_schemas {
        let grant = Template::new("GRANT USAGE ON SCHEMA :\"schema\" TO :\"role\"");
        statements.push(grant.ident("schema", schema).ident("role", role).build());
    }
    Ok(statements)
}

/// The rights on the tenant table, where they are missing.
pub(crate) async fn tenant_table(database: &Database, state: &RolloutState) -> Result<Vec<Step>> {
    let RegistryState::Table { row_security } = state.inventory.catalog.registry else { return Ok(Vec::new()) };
    let key = Ident::new(&state.inventory.tenancy.tenant.key)?;
    let readers = [
        (&state.rights.maintenance, &state.inventory.logins.maintenance.0),
        (&state.rights.auditor, &state.inventory.logins.auditor.0),
    ];
    let rights =
        ReadRights { readers: &readers, phase: Phase::Prepare, name: "let audits and backfills read the tenants" };
    let mut steps = rights.missing(database, [(&state.inventory.catalog.tenants, &key)].into()).await?;
    if row_security {
        steps.extend(tenant_table_policies(database, state, &key).await?);
    }
    Ok(steps)
}

/// The policies by which the roles read a tenant table that has row level security of its own. Without them they would see no tenant, or some.
async fn tenant_table_policies(database: &Database, state: &RolloutState, key: &Ident) -> Result<Option<Step>> {
    let inventory = &state.inventory;
    let table = &inventory.catalog.tenants;
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let there = read_definitions(tx.connection(), &[(table, key.as_str())]).await?.pop().unwrap_or_default();
    tx.rollback().await?;
    let key_type = inventory.catalog.tenant_key_type.as_deref().unwrap_or_default();
    let comparison =
        TenantComparison::new(SessionSetting::of(&inventory.tenancy), key.as_str(), key.as_str(), key_type)?;
    let mut statements = Vec::new();
    for (policy, role) in [
        (RolePolicy::MaintenanceRead, &inventory.logins.maintenance.0),
        (RolePolicy::AuditorRead, &inventory.logins.auditor.0),
    ] {
        let named = Aspect::named(AspectKind::Policy, policy.name());
        let text = there.get(&named);
        if !text.is_some_and(|text| policy.is_printed_as(text, role, &comparison)) {
            statements.extend(alter::statements(table, key, &named, text, None)?);
            statements.push(policy.create(table, role, &comparison)?);
        }
    }
    let name = "let audits and backfills read the tenants behind their policies";
    let subject = StepSubject { table, column: key, phase: Phase::Prepare, name };
    Ok((!statements.is_empty()).then(|| subject.transaction(Lock::AccessExclusive, statements)))
}

/// The auditor's rights on the tables that are not rolled out, where they are missing: once some tables are forced, only the auditor sees
/// the rows of both.
pub(crate) async fn other_tables(database: &Database, state: &RolloutState) -> Result<Vec<Step>> {
    let readers = [(&state.rights.auditor, &state.inventory.logins.auditor.0)];
    let rights =
        ReadRights { readers: &readers, phase: Phase::Enforce, name: "let audits read it beside forced tables" };
    rights.missing(database, grantable(database, &state.inventory.others).await?).await
}

/// Rights to read columns of tables that are not changed otherwise.
struct ReadRights<'a> {
    readers: &'a [(&'a BTreeMap<TableName, BTreeSet<Ident>>, &'a Ident)],
    phase: Phase,
    name: &'static str,
}

impl ReadRights<'_> {
    /// A step for each table on which a right is missing.
    async fn missing(&self, database: &Database, tables: Vec<(&TableName, &Ident)>) -> Result<Vec<Step>> {
        let columns: Vec<(&TableName, &str)> = tables.iter().map(|(table, column)| (*table, column.as_str())).collect();
        let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
        let there = read_definitions(tx.connection(), &columns).await?;
        tx.rollback().await?;
        let mut steps = Vec::new();
        for ((table, column), there) in tables.into_iter().zip(&there) {
            let mut grants = Vec::new();
            for (rights, role) in self.readers {
                for read in rights.get(table).into_iter().flatten() {
                    let aspect = Aspect::column_grant("SELECT", read, role);
                    if there.get(&aspect).is_none() {
                        grants.extend(alter::statements(table, column, &aspect, None, Some(""))?);
                    }
                }
            }
            steps.extend(self.step(table, column, grants));
        }
        Ok(steps)
    }

    fn step(&self, table: &TableName, column: &Ident, grants: Vec<Sql>) -> Option<Step> {
        let subject = StepSubject { table, column, phase: self.phase, name: self.name };
        (!grants.is_empty()).then(|| subject.transaction(Lock::None, grants))
    }
}

/// The tables on which this login may grant its rights: on the others PostgreSQL only warns, and grants nothing.
async fn grantable<'a>(
    database: &Database,
    tables: &'a [(TableName, Ident)],
) -> Result<Vec<(&'a TableName, &'a Ident)>> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let (schemas, names) = TableName::apart(tables.iter().map(|(table, _)| table));
    let positions: Vec<i64> = sqlx::query_scalar(include_str!("../../../../sql/rls-rollout/grantable.sql"))
        .bind(schemas)
        .bind(names)
        .fetch_all(tx.connection())
        .await
        .map_err(RlsError::query("asking on which tables this login may grant"))?;
    tx.rollback().await?;
    let numbered = (1..).zip(tables).filter(|(position, _)| positions.contains(position));
    Ok(numbered.map(|(_, (table, column))| (table, column)).collect())
}

//! Rows that a run made: which of them are still as they were made, so that an undo may delete them.

use std::collections::BTreeMap;

use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{KeyFacts, read_all_tables};
use tenant_ops::MadeRows;
use tenant_rls::row_count::from_bigint;
use tenant_rls::{BatchOptions, BatchTx, Database, Error as RlsError, Registry, Sql, Template, TenantId};

use crate::error::Result;
use crate::plan::BackfillPlan;
use crate::statements::keyed::{still_made, take_back_made};

/// The rows that runs made in one table.
pub(crate) struct MadeRowsOf<'a> {
    plan: &'a BackfillPlan,
    /// Whether nothing points to row `t`: deleting it could delete or change other rows with it.
    unreferenced: Sql,
}

impl<'a> MadeRowsOf<'a> {
    /// Reads what points to the table.
    pub(crate) async fn read(database: &Database, tenancy: &Tenancy, plan: &'a BackfillPlan) -> Result<Self> {
        let tables = read_all_tables(database, tenancy).await?;
        let mut conditions = Vec::new();
        for table in &tables {
            for key in table.foreign_keys.iter().filter(|key| key.target == plan.table) {
                conditions.push(points_not(&table.name, key)?);
            }
        }
        let unreferenced =
            if conditions.is_empty() { Sql::from_static("true") } else { Sql::join(conditions, " AND ") };
        Ok(Self { plan, unreferenced })
    }

    /// The statement of a loop over the journal that deletes the rows of one entry.
    pub(crate) fn take_back(&self) -> Sql {
        take_back_made(self.plan, self.unreferenced.clone())
    }

    /// Counts, tenant by tenant in its scope, the rows that an undo would delete now, and those that it would leave.
    pub(crate) async fn count(&self, database: &Database, tenancy: &Tenancy, run: i64) -> Result<(u64, u64)> {
        let sql = still_made(self.plan, self.unreferenced.clone());
        let (mut deleted, mut all, mut last) = (0, 0, None);
        loop {
            let mut tx = BatchTx::begin(database, tenancy, &BatchOptions::default()).await?;
            let entries = tenant_ops::made_rows(tx.connection().await?, run, last).await?;
            let Some((oldest, _)) = entries.last() else {
                tx.rollback().await?;
                return Ok((deleted, all - deleted));
            };
            last = Some(*oldest);
            let tenants = tenants(database, tenancy, entries.iter().map(|(_, made)| made)).await?;
            for (_, made) in &entries {
                all += made.row_keys.len() as u64;
                let Some(tenant) = tenants.get(&made.tenant) else { continue };
                let mut scope = tx.tenant(tenant).await?;
                let rows: i64 = sqlx::query_scalar(&sql)
                    .bind(&made.row_keys)
                    .bind(&made.made_in)
                    .fetch_one(scope.connection())
                    .await
                    .map_err(RlsError::query("counting the rows that are as they were made"))?;
                deleted += from_bigint(rows);
            }
            tx.rollback().await?;
        }
    }
}

/// The tenants of these entries that are there.
async fn tenants(
    database: &Database,
    tenancy: &Tenancy,
    entries: impl Iterator<Item = &MadeRows>,
) -> Result<BTreeMap<String, TenantId>> {
    let names: Vec<&str> = entries.map(|made| made.tenant.as_str()).collect();
    let mut registry = Registry::open(database, tenancy).await?;
    let found = registry.find_all(&names).await?;
    registry.close().await?;
    let there = found.into_iter().filter_map(|found| found.ok().map(|tenant| tenant.id));
    Ok(there.map(|id| (id.as_str().to_owned(), id)).collect())
}

/// Whether no row of another table points to row `t` by this key.
fn points_not(table: &TableName, key: &KeyFacts) -> Result<Sql> {
    let equal = key.columns.iter().zip(&key.references).map(|(here, there)| {
        let equal = Template::new("o.:\"here\" OPERATOR(pg_catalog.=) t.:\"there\"");
        Ok(equal.ident("here", &Ident::new(here)?).ident("there", &Ident::new(there)?).build())
    });
    let equal = Sql::join(equal.collect::<Result<Vec<_>>>()?, " AND ");
    let text = "NOT EXISTS (SELECT FROM :\"table\" AS o WHERE :equal)";
    Ok(Template::new(text).table("table", table).fragment("equal", equal).build())
}

//! Times both forms of the policies that ask another table for the tenant, on the database itself, and chooses by that. The policies are not there
//! yet, so that their conditions are timed. Everything is read in a transaction that only reads and is rolled back, within short limits.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use tenancy_config::tenancy::ThroughForm;
use tenancy_config::{Ident, TableName};
use tenant_inventory::{FormChoice, FormTimes, Inventory, NotMeasured, Relation, TimesOfForm, Took};
use tenant_rls::{
    Access, CatalogTx, Database, EachReader, EachTx, Error as RlsError, Limits, ParentComparison, SessionSetting, Sql,
    Template, visibility,
};

/// For each statement. What takes longer is slow, however long it would take.
const EACH: Limits = Limits { lock_timeout: Duration::from_millis(100), statement_timeout: Duration::from_secs(1) };

/// The SQLSTATE of a statement that ran into its limit.
const QUERY_CANCELED: &str = "57014";

/// For all tables of a plan.
const ALTOGETHER: Duration = Duration::from_secs(5);

/// The best of so many counts, as the first one also reads what was not in memory.
const REPEATED: u32 = 5;

/// What takes so many microseconds is not repeated.
const LONG_US: u64 = 50_000;

/// Chooses the form of each policy that is to be made and whose form nobody has declared. What cannot be timed follows the statistics, and says why.
pub(crate) async fn measure_forms(database: &Database, inventory: &mut Inventory) {
    let begun = Instant::now();
    let mut found: BTreeMap<TableName, Result<FormTimes, NotMeasured>> = BTreeMap::new();
    for relation in inventory.relations.iter().filter(|relation| yields(relation) && relation.unhandled.is_none()) {
        let root = inventory.audited_as(relation);
        if found.contains_key(&root) {
            continue;
        }
        let times = match inventory.relation(&root) {
            _ if begun.elapsed() > ALTOGETHER => Err(NotMeasured::OutOfTime),
            Some(root) => Timing { database, inventory, root }.times().await,
            None => continue,
        };
        found.insert(root, times);
    }
    let of_each: Vec<_> =
        inventory.relations.iter().map(|relation| found.get(&inventory.audited_as(relation)).cloned()).collect();
    for (relation, times) in inventory.relations.iter_mut().zip(of_each) {
        if let Some(times) = times.filter(|_| yields(relation)) {
            choose(relation, times);
        }
    }
}

/// The query for the tenant with most rows of a table.
pub(crate) fn largest_tenant(table: &TableName, column: &Ident) -> Sql {
    let largest = Template::new(include_str!("../../../../sql/rls-rollout/largest_tenant.sql"));
    largest.table("table", table).ident("column", column).build()
}

fn yields(relation: &Relation) -> bool {
    relation.parent.as_ref().is_some_and(|parent| parent.chosen.yields_to_measuring())
}

fn choose(relation: &mut Relation, times: Result<FormTimes, NotMeasured>) {
    let (Some(parent), Some(comparison)) = (&mut relation.parent, &mut relation.comparison.parent) else { return };
    match times {
        Ok(times) => {
            comparison.form = times.form();
            parent.chosen = FormChoice::Measured { times };
        }
        Err(why) => parent.chosen = parent.chosen.clone().without_measuring(why),
    }
}

/// The timing of one table, or of a partitioned table as a whole.
struct Timing<'a> {
    database: &'a Database,
    inventory: &'a Inventory,
    root: &'a Relation,
}

impl Timing<'_> {
    async fn times(&self) -> Result<FormTimes, NotMeasured> {
        let (Some(parent), Some(comparison)) = (&self.root.parent, &self.root.comparison.parent) else {
            return Err(NotMeasured::NoRows);
        };
        let tenant = match &parent.largest_tenant {
            Some(tenant) => tenant.clone(),
            None => self.largest_tenant(comparison).await?,
        };
        if tenant.is_empty() {
            return Err(NotMeasured::NoRows);
        }
        let mut tx = CatalogTx::begin(&self.database.limited(EACH)).await.map_err(refused)?;
        let times = self.times_of(tx.connection(), &tenant).await;
        // If it cannot be rolled back, the connection is lost.
        let _ = tx.rollback().await;
        let times = times?;
        let indexed = self.inventory.relation(&comparison.table).is_some_and(|parent| parent.tenant_index);
        if times.keys_are_slow() && !indexed { Err(NotMeasured::NoIndexYet) } else { Ok(times) }
    }

    /// Asks rows where the statistics tell nothing, as who sees all of them.
    async fn largest_tenant(&self, comparison: &ParentComparison) -> Result<String, NotMeasured> {
        let database = self.database.limited(EACH);
        let (table, column) = (comparison.table.clone(), comparison.tenant.name.clone());
        let largest = largest_tenant(&table, &column);
        let access = vec![Access { table, read: vec![column], write: None }];
        let candidates = visibility::readers(&database, &self.inventory.tenancy).map_err(refused)?;
        let readers = EachReader::of_each(&database, vec![access], &candidates).await.map_err(refused)?;
        let mut tx = EachTx::begin(&database).await.map_err(refused)?;
        let mut found = Ok(None);
        for reader in &readers {
            let connection = tx.enter(reader).await.map_err(refused)?;
            found = sqlx::query(largest.clone()).persistent(false).fetch_optional(connection).await;
        }
        let _ = tx.close().await;
        let row = found.map_err(RlsError::query("looking for the tenant with most rows")).map_err(refused)?;
        row.map(|row| row.get("tenant")).ok_or(NotMeasured::NoRows)
    }

    async fn times_of(&self, connection: &mut PgConnection, tenant: &str) -> Result<FormTimes, NotMeasured> {
        let setting = SessionSetting::of(&self.inventory.tenancy);
        sqlx::query("SELECT pg_catalog.set_config($1, $2, true)")
            .bind(setting.variable())
            .bind(setting.value(tenant))
            .execute(&mut *connection)
            .await
            .map_err(RlsError::query("setting the tenant"))
            .map_err(refused)?;
        let some_row = Template::new(include_str!("../../../../sql/rls-rollout/some_row.sql"));
        let row = sqlx::query(some_row.table("table", &self.root.name).build())
            .persistent(false)
            .fetch_optional(&mut *connection)
            .await
            .map_err(RlsError::query("looking for a row"))
            .map_err(refused)?;
        let place: String = row.ok_or(NotMeasured::NoRows)?.get("place");
        Ok(FormTimes {
            exists: self.times_of_form(connection, ThroughForm::Exists, &place).await?,
            array: self.times_of_form(connection, ThroughForm::Array, &place).await?,
        })
    }

    async fn times_of_form(
        &self,
        connection: &mut PgConnection,
        form: ThroughForm,
        place: &str,
    ) -> Result<TimesOfForm, NotMeasured> {
        let table = &self.root.name;
        let condition = self.root.comparison.through_condition(table, form).ok_or(NotMeasured::NoRows)?;
        let condition = match form {
            // A bare EXISTS in WHERE becomes a join; in a policy it stays what it is.
            ThroughForm::Exists => Template::new("(:condition) IS TRUE").fragment("condition", condition).build(),
            ThroughForm::Array => condition,
        };
        let one_row = Template::new(include_str!("../../../../sql/rls-rollout/time_one_row.sql"))
            .table("table", table)
            .literal("place", place)
            .fragment("condition", condition.clone())
            .build();
        let count = Template::new(include_str!("../../../../sql/rls-rollout/time_count.sql"))
            .table("table", table)
            .fragment("condition", condition)
            .build();
        let one_row = took(connection, &one_row).await?;
        // Without an index of the column the array is compared with each row, one value after the other.
        let can_count = form == ThroughForm::Exists || self.is_indexed();
        let count = if can_count { Some(took(connection, &count).await?) } else { None };
        Ok(TimesOfForm { one_row, count })
    }

    /// Whether there is an index of the column that points to the other table; of a partitioned table in each partition.
    fn is_indexed(&self) -> bool {
        let mut partitions = self.inventory.partitions_of(self.root).peekable();
        if partitions.peek().is_some() { partitions.all(|one| one.tenant_index) } else { self.root.tenant_index }
    }
}

/// What the server says of a statement that it ran.
#[derive(Deserialize)]
struct Explained {
    #[serde(rename = "Execution Time")]
    milliseconds: f64,
}

async fn took(connection: &mut PgConnection, statement: &Sql) -> Result<Took, NotMeasured> {
    let mut best: Option<u64> = None;
    for _ in 0..REPEATED {
        match took_once(connection, statement).await? {
            Took::Us(us) => best = Some(best.map_or(us, |best| best.min(us))),
            over => return Ok(best.map_or(over, Took::Us)),
        }
        if best.is_some_and(|us| us >= LONG_US) {
            break;
        }
    }
    best.map(Took::Us).ok_or(NotMeasured::NoRows)
}

async fn took_once(connection: &mut PgConnection, statement: &Sql) -> Result<Took, NotMeasured> {
    let in_savepoint = async |connection: &mut PgConnection, sql: &'static str| {
        let done = sqlx::raw_sql(sql).execute(connection).await;
        done.map_err(RlsError::query("timing a statement")).map_err(refused)
    };
    in_savepoint(connection, "SAVEPOINT timed").await?;
    let explained = sqlx::query(statement.clone()).persistent(false).fetch_one(&mut *connection).await;
    let answer = match explained.map_err(RlsError::query("timing a statement")) {
        Ok(row) => {
            let Json(plans): Json<Vec<Explained>> = row.get("QUERY PLAN");
            let milliseconds = plans.first().map_or(0.0, |plan| plan.milliseconds);
            Took::Us((milliseconds * 1000.0).max(0.0).round() as u64)
        }
        Err(error) if error.sqlstate() == Some(QUERY_CANCELED) => {
            Took::OverMs(tenancy_config::milliseconds(EACH.statement_timeout))
        }
        Err(error) => return Err(refused(error)),
    };
    in_savepoint(connection, "ROLLBACK TO SAVEPOINT timed").await?;
    Ok(answer)
}

fn refused(error: RlsError) -> NotMeasured {
    match error.sqlstate() {
        Some(QUERY_CANCELED) => NotMeasured::TimedOut,
        _ => NotMeasured::Refused { message: error.to_string() },
    }
}

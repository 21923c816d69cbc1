//! What a membership that is made gets: the user, the tenant, what people give, and what the database generates.

use serde_json::{Map, Value};
use tenancy_config::{Ident, TableName, Tenancy, closest};
use tenant_inventory::{Catalog, Column};
use tenant_rls::{Access, Database, Fault, Sql, Template, fault_of, values_fit};

use crate::error::{Error, Result};
use crate::fragments::list;
use crate::memberships::tables::{MembershipTables, whole};
use crate::plan::BackfillPlan;

/// How memberships are made: every column that needs a value has one.
#[derive(Debug, Clone)]
pub struct MembershipPlan {
    /// The table of the memberships.
    pub memberships_table: TableName,
    /// The table of the users.
    pub users_table: TableName,
    pub(crate) rows: BackfillPlan,
    /// What must be read to find the users.
    pub(crate) access: Vec<Access>,
    /// Finds the users without a membership, and their tenants.
    pub(crate) users: Sql,
    /// Makes memberships of one tenant.
    pub(crate) insert: Sql,
    user: Ident,
    given: Map<String, Value>,
}

impl MembershipPlan {
    /// Checks that the table can take memberships with these values of other columns. It writes nothing.
    ///
    /// # Errors
    /// Those of [`MembershipReport::count`](crate::MembershipReport::count) for the tables; [`Error::MembershipColumns`] if other
    /// columns need a value; [`Error::MembershipColumn`] if a value is for a column that is not there, or for that of the user, the
    /// tenant or the key; [`Error::MembershipValue`] if one is not of the type of its column.
    pub async fn prepare(
        database: &Database,
        tenancy: &Tenancy,
        table: Option<&str>,
        given: &[(String, String)],
    ) -> Result<Self> {
        let catalog = Catalog::load(database, tenancy).await?;
        let found = MembershipTables::find(&catalog, tenancy, table)?;
        let rows = BackfillPlan::bare(&catalog, tenancy, &found.memberships.name.to_string())?;
        let columns = Column::all(database, &rows.table).await?;
        check_given(&rows, &found.user, &columns, given)?;
        check_types(database, &rows.table, given).await?;
        let values: Map<String, Value> =
            given.iter().map(|(column, value)| (column.clone(), Value::from(value.as_str()))).collect();
        let is_given = |column: &Column| {
            column.name == found.user || column.name == rows.column || values.contains_key(column.name.as_str())
        };
        let generated = |column: &Column| Some((column.name.clone(), column.generated()?.sql()));
        let made: Vec<(Ident, Sql)> = columns.iter().filter(|column| !is_given(column)).filter_map(generated).collect();
        let filled = |column: &Column| is_given(column) || made.iter().any(|(name, _)| *name == column.name);
        let lacking = columns.iter().filter(|column| column.not_null && !column.has_default && !filled(column));
        let lacking: Vec<String> = lacking.map(|column| column.name.to_string()).collect();
        if !lacking.is_empty() {
            return Err(Error::MembershipColumns { table: rows.table, columns: lacking });
        }
        let taken = columns.iter().filter(|column| is_given(column)).map(|column| {
            let value = Template::new("given.:\"column\"").ident("column", &column.name).build();
            (column.name.clone(), value)
        });
        let all: Vec<(Ident, Sql)> = taken.chain(made).collect();
        let name = |(column, _): &(Ident, Sql)| Template::new(":\"column\"").ident("column", column).build();
        let names: Vec<Sql> = all.iter().map(name).collect();
        let insert = Template::new(include_str!("../../../../sql/backfill-engine/create_memberships.sql"))
            .table("memberships", &rows.table)
            .fragment("memberships_whole", whole(found.memberships))
            .fragment("columns", list(&names))
            .fragment("values", Sql::join(all.iter().map(|(_, value)| value.clone()), ", "))
            .ident("user", &found.user)
            .ident("tenant", &rows.column)
            .fragment("key_text", rows.key.text())
            .build();
        let text = include_str!("../../../../sql/backfill-engine/users_without_membership.sql");
        Ok(Self {
            memberships_table: rows.table.clone(),
            users_table: found.users.name.clone(),
            access: found.access(&catalog, tenancy)?,
            users: found.statement(text, &catalog, tenancy)?.build(),
            insert,
            user: found.user.clone(),
            given: values,
            rows,
        })
    }

    /// The records of these users of a tenant.
    pub(crate) fn records(&self, users: &[String], tenant: &str) -> Value {
        let record = |user: &String| {
            let mut record = self.given.clone();
            record.insert(self.user.to_string(), user.as_str().into());
            record.insert(self.rows.column.to_string(), tenant.into());
            Value::Object(record)
        };
        Value::Array(users.iter().map(record).collect())
    }
}

/// Refuses values for columns that are not there, and for those that each membership gets by itself.
fn check_given(rows: &BackfillPlan, user: &Ident, columns: &[Column], given: &[(String, String)]) -> Result<()> {
    for (name, _) in given {
        let wrong = |why: String| Error::MembershipColumn { table: rows.table.clone(), column: name.clone(), why };
        let Some(column) = columns.iter().find(|column| column.name.as_str() == name) else {
            let meant = closest(name, columns.iter().map(|column| column.name.as_str()));
            let meant = meant.map_or_else(String::new, |meant| format!("; it has `{meant}`"));
            return Err(wrong(format!("the table has no such column that can be written{meant}")));
        };
        if column.name == *user || column.name == rows.column || column.is_key {
            return Err(wrong("each membership has its own".to_owned()));
        }
    }
    Ok(())
}

/// Refuses values that are not of the type of their column.
async fn check_types(database: &Database, table: &TableName, given: &[(String, String)]) -> Result<()> {
    for (column, value) in given {
        let record = Value::Object(Map::from_iter([(column.clone(), Value::from(value.as_str()))]));
        match values_fit(database, table, &record).await {
            Err(error) if fault_of(&error) == Fault::Data => {
                return Err(Error::MembershipValue { column: column.clone(), source: Box::new(error) });
            }
            done => done?,
        }
    }
    Ok(())
}

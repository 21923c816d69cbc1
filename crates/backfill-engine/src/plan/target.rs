//! Where a source or a tie-breaker ends: at a table with a tenant column, or at the tenant table, whose rows are the tenants themselves.

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::Catalog;

use crate::error::{Error, Result};
use crate::plan::cast::Cast;
use crate::unsuitable::{UnequalTypes, Unsuitable};

/// The table at which a source or a tie-breaker ends.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: TableName,
    /// The column that says to which tenant a row belongs.
    pub(crate) tenant: String,
    /// The primary key.
    key: Vec<String>,
}

/// A source or a tie-breaker of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RuleOf<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) tenancy: &'a Tenancy,
    /// The table whose rows get a tenant by it.
    pub(crate) table: &'a TableName,
    /// Its name.
    pub(crate) name: &'a str,
}

impl RuleOf<'_> {
    /// The table at which it ends. Another one without a tenant column is an error: rows would get a tenant to which it might have objected.
    pub(crate) fn target(&self, table: &str) -> Result<Target> {
        let Self { catalog, tenancy, .. } = self;
        let table = TableName::parse(table, &tenancy.database.schema)?;
        if table == catalog.tenants && catalog.tenant_key_type.is_some() {
            let key = tenancy.tenant.key.clone();
            return Ok(Target { name: table, tenant: key.clone(), key: vec![key] });
        }
        let found = catalog.table(&table).map_err(|why| Error::NoSuchSource {
            table: self.table.clone(),
            source_name: self.name.to_owned(),
            why: Box::new(why),
        })?;
        Ok(Target { name: table, tenant: found.column.name.clone(), key: found.key.clone() })
    }

    /// How the values of a column are compared with those of another one. Of a column that is not there, the server says so.
    pub(crate) fn cast(&self, value: (&TableName, &str), column: (&TableName, &str)) -> Result<Cast> {
        let found = |(table, column): (&TableName, &str)| self.catalog.column(table, column);
        let (Some(from), Some(to)) = (found(value), found(column)) else { return Ok(Cast::None) };
        Cast::between(&from.base_type, &to.base_type).ok_or_else(|| {
            self.unsuitable(Unsuitable::NotComparable(Box::new(UnequalTypes {
                rule: self.name.to_owned(),
                column: value.1.to_owned(),
                column_type: from.type_name.clone(),
                table: column.0.clone(),
                key: column.1.to_owned(),
                key_type: to.type_name.clone(),
            })))
        })
    }

    pub(crate) fn unsuitable(&self, why: Unsuitable) -> Error {
        Error::Unsuitable { table: self.table.clone(), why: Box::new(why) }
    }
}

impl Target {
    /// Whether a column of it finds one row at most.
    pub(crate) fn is_unique(&self, column: &str, catalog: &Catalog) -> bool {
        self.key == [column] || catalog.column(&self.name, column).is_some_and(|known| known.unique)
    }
}

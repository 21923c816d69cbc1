//! The statements that make a table of tenants, where tenant columns are there and no such table.

use std::collections::BTreeMap;

use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{Sql, Template};

use crate::error::Result;
use crate::facts::{Facts, Table};
use crate::registry::is_loose;
use crate::words;

/// Names for the table, each for the columns that are named after it.
const NAMES: [&str; 6] = ["tenants", "organizations", "organisations", "workspaces", "companies", "accounts"];

/// A table that is to be made, and what makes it.
pub(crate) struct NewRegistry {
    pub(crate) table: TableName,
    pub(crate) statements: Vec<String>,
}

/// The table with a row for each tenant that the tenant columns name. Columns of another type than most of them are left out.
pub(crate) fn new_registry(facts: &Facts, tenancy: &Tenancy) -> Result<Option<NewRegistry>> {
    let mut of_type: BTreeMap<&str, Vec<(&Table, &str)>> = BTreeMap::new();
    for table in &facts.tables {
        let column = table.columns.iter().find(|column| tenancy.columns.contains(&column.name));
        if let Some(column) = column.filter(|column| is_loose(table, &column.name)) {
            of_type.entry(&column.type_name).or_default().push((table, &column.name));
        }
    }
    // Of as many columns each, the first type: the order of the names says nothing, and is the same each time.
    let most = of_type.iter().max_by_key(|(type_name, columns)| (columns.len(), std::cmp::Reverse(**type_name)));
    let (Some((type_name, columns)), Some(usual)) = (most, tenancy.columns.first()) else { return Ok(None) };
    let name = NAMES.into_iter().find(|name| words::is_named_after(usual, name)).unwrap_or(NAMES[0]);
    let called = |name: &str| TableName::parse(name, &tenancy.database.schema);
    let table = match called(name)? {
        taken if facts.table(&taken).is_some() => called(&format!("{name}_registry"))?,
        free => free,
    };
    let mut tenants = Vec::with_capacity(columns.len());
    for (table, column) in columns {
        let select = Template::new(r#"SELECT :"column" FROM :"table""#).ident("column", &Ident::new(*column)?);
        tenants.push(select.table("table", &table.name).build());
    }
    let create = Template::new(include_str!("../../../sql/tenancy-init/create_registry.sql"))
        .table("table", &table)
        .fragment("type", Sql::type_from_catalog(type_name))
        .build();
    let fill = Template::new(include_str!("../../../sql/tenancy-init/fill_registry.sql"))
        .table("table", &table)
        .fragment("tenants", Sql::join(tenants, " UNION "))
        .build();
    let statements = [create, fill].iter().map(|sql| without_comment(sql.as_str())).collect();
    Ok(Some(NewRegistry { table, statements }))
}

/// A statement on one line, without the comment that its file begins with.
fn without_comment(sql: &str) -> String {
    let lines = sql.lines().filter(|line| !line.starts_with("--"));
    format!("{};", lines.map(str::trim).collect::<Vec<_>>().join(" ").trim())
}

//! The report of `inventory`.

use tenant_inventory::class::{Class, ClassifiedTable, Suspicion, Unhandled};

use super::InventoryReport;
use crate::document::block::{Document, Table, lines, text};
use crate::document::report::Report;
use crate::number_format::counted;

impl Report for InventoryReport {
    const NAME: &'static str = "inventory";
    const SCHEMA: Option<&'static str> = Some("inventory/1");

    fn document(&self) -> Document {
        let mut tables: Vec<&ClassifiedTable> = self.tables.iter().collect();
        tables.sort_by_key(|table| rank(&table.class));
        let rows = tables.iter().map(|table| {
            vec![table.table.to_string(), name(&table.class).to_owned(), why(&table.class), security(table).to_owned()]
        });
        let table = Table::new(["table", "class", "why", "row security"].map(text), rows);
        let totals = format!("{}: {}.", counted(self.tables.len() as u64, "table", "tables"), self.totals());
        let has_registry = self.tables.iter().any(|table| table.class == Class::Registry);
        let none = (!has_registry).then(|| {
            format!("There is no tenant table {}: set [tenant] table in tenancy.toml, or --config.", self.registry)
        });
        Document::new([table.into(), lines([totals].into_iter().chain(none))])
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let row = |table: &ClassifiedTable| {
            let text = [table.table.to_string(), name(&table.class).to_owned(), why(&table.class), table.owner.clone()];
            text.into_iter().chain([table.rls_enabled.to_string(), table.rls_forced.to_string()]).collect()
        };
        let header = vec!["table", "class", "why", "owner", "rls_enabled", "rls_forced"];
        Some((header, self.tables.iter().map(row).collect()))
    }
}

impl InventoryReport {
    fn totals(&self) -> String {
        let mut names: Vec<(u8, &'static str)> =
            self.tables.iter().map(|table| (rank(&table.class), name(&table.class))).collect();
        names.sort_unstable();
        names.dedup();
        let count = |class: &str| self.tables.iter().filter(|table| name(&table.class) == class).count();
        names.iter().map(|(_, class)| format!("{} {class}", count(class))).collect::<Vec<_>>().join(", ")
    }
}

/// What needs a decision first.
fn rank(class: &Class) -> u8 {
    match class {
        Class::Unhandled { .. } => 0,
        Class::Suspect { .. } => 1,
        Class::Dependent { .. } => 2,
        Class::Registry => 3,
        Class::Tenant { .. } => 4,
        Class::Platform { .. } => 5,
        Class::Extension { .. } => 6,
        Class::Unrelated => 7,
    }
}

fn name(class: &Class) -> &'static str {
    match class {
        Class::Registry => "registry",
        Class::Tenant { .. } => "tenant",
        Class::Platform { .. } => "platform",
        Class::Unhandled { .. } => "unhandled",
        Class::Suspect { .. } => "suspect",
        Class::Dependent { .. } => "dependent",
        Class::Extension { .. } => "extension",
        Class::Unrelated => "unrelated",
    }
}

fn why(class: &Class) -> String {
    match class {
        Class::Registry => "the tenant table".to_owned(),
        Class::Tenant { column } => format!("tenant column {column}"),
        Class::Platform { column } => format!("tenant column {column}, and rows of the platform"),
        Class::Unhandled { column, why } => unhandled(column, why),
        Class::Suspect { why } => suspicion(why),
        Class::Dependent { through } => {
            format!("its rows hang on {}", through.iter().map(ToString::to_string).collect::<Vec<_>>().join(" → "))
        }
        Class::Extension { extension } => format!("made by the extension {extension}"),
        Class::Unrelated => "no column and no foreign key leads to a tenant".to_owned(),
    }
}

fn unhandled(column: &str, why: &Unhandled) -> String {
    match why {
        Unhandled::Generated => format!("{column} is computed by the server"),
        Unhandled::Identity => format!("{column} is numbered by the server"),
        Unhandled::Type { type_name } => format!("{column} has the type {type_name}"),
        Unhandled::TypesDiffer { column: own, key } => {
            format!("{column} is {own}, and the key of the tenant table {key}")
        }
        Unhandled::Foreign => "its rows are on another server".to_owned(),
        Unhandled::Inherits => "it inherits from another table".to_owned(),
        Unhandled::Distributed => "Citus distributes it".to_owned(),
    }
}

fn suspicion(why: &Suspicion) -> String {
    match why {
        Suspicion::KeyToRegistry { columns } => format!("{} points to the tenant table", columns.join(", ")),
        Suspicion::ColumnName { column } => format!("its column {column} looks like a tenant's"),
        Suspicion::CopyOf { table } => format!("it has the columns of {table}"),
    }
}

fn security(table: &ClassifiedTable) -> &'static str {
    match (table.rls_enabled, table.rls_forced) {
        (true, true) => "forced",
        (true, false) => "enabled",
        (false, _) => "off",
    }
}

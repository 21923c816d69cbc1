//! The report of `inventory`.

use tenancy_config::Hint;
use tenant_inventory::class::{Class, ClassifiedTable};
use tenant_inventory::{Openness, OtherType};

use super::InventoryReport;
use crate::document::block::{Document, Table, lines, text};
use crate::document::report::Report;
use crate::number_format::counted;

impl Report for InventoryReport {
    const NAME: &'static str = "inventory";
    const SCHEMA: Option<&'static str> = Some("inventory/2");

    fn document(&self) -> Document {
        let mut tables: Vec<&ClassifiedTable> = self.tables.iter().collect();
        tables.sort_by_key(|table| rank(&table.class));
        let rows = tables.iter().map(|table| {
            vec![
                table.table.to_string(),
                name(&table.class).to_owned(),
                table.class.to_string(),
                security(table).to_owned(),
            ]
        });
        let table = Table::new(["table", "class", "why", "row security"].map(text), rows);
        let totals = format!("{}: {}.", counted(self.tables.len() as u64, "table", "tables"), self.totals());
        let has_registry = self.tables.iter().any(|table| table.class == Class::Registry);
        let none = (!has_registry).then(|| {
            format!("There is no tenant table {}: set [tenant] table in tenancy.toml, or --config.", self.registry)
        });
        let other_types = OtherType::all(&self.tables).map(|other| other.hint());
        let totals = [totals].into_iter().chain(none).map(Hint::from).chain(other_types);
        let mut document = Document::new([table.into(), lines(totals)]);
        document.extend(self.ways_table().map(Into::into));
        let born_closed = self.born_closed.as_ref().map(|born_closed| format!("Note: {born_closed}."));
        document.push(lines([self.ways_totals()].into_iter().chain(born_closed)));
        document
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let row = |table: &ClassifiedTable| {
            let text =
                [table.table.to_string(), name(&table.class).to_owned(), table.class.to_string(), table.owner.clone()];
            text.into_iter().chain([table.rls_enabled.to_string(), table.rls_forced.to_string()]).collect()
        };
        let header = vec!["table", "class", "why", "owner", "rls_enabled", "rls_forced"];
        Some((header, self.tables.iter().map(row).collect()))
    }
}

impl InventoryReport {
    fn ways_table(&self) -> Option<Table> {
        let rows = self.ways.iter().map(|known| {
            let closes = known.way.closing.as_deref().filter(|_| known.openness != Openness::Closed);
            vec![known.openness.as_str().to_owned(), known.says.clone(), closes.unwrap_or_default().to_owned()]
        });
        (!self.ways.is_empty()).then(|| Table::new(["state", "way past the policies", "closes it"].map(text), rows))
    }

    fn ways_totals(&self) -> String {
        if !self.app_role_exists {
            return format!(
                "There is no role {}, so no way past the policies was looked for: set [roles] app in tenancy.toml.",
                self.app_role
            );
        }
        let count = |openness| self.ways.iter().filter(|known| known.openness == openness).count();
        format!(
            "Ways past the policies, for the login {}: {} open, {} unread, {} closed.",
            self.app_role,
            count(Openness::Open),
            count(Openness::Unread),
            count(Openness::Closed)
        )
    }

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
        Class::Shared { .. } => 6,
        Class::Through { .. } => 7,
        Class::Exempt { .. } => 8,
        Class::Extension { .. } => 9,
        Class::Unrelated => 10,
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
        Class::Shared { .. } => "shared",
        Class::Through { .. } => "through",
        Class::Exempt { .. } => "exempt",
        Class::Extension { .. } => "extension",
        Class::Unrelated => "unrelated",
    }
}

fn security(table: &ClassifiedTable) -> &'static str {
    match (table.rls_enabled, table.rls_forced) {
        (true, true) => "forced",
        (true, false) => "enabled",
        (false, _) => "off",
    }
}

//! What is proposed for a table that has no section: declarations of which people choose one, as comments, with what speaks against others.

use backfill_engine::{polymorphic_pairs, short_name};
use tenancy_config::Tenancy;
use tenant_inventory::class::{Class, ClassifiedTable, Suspicion};
use tenant_inventory::{CannotAdd, DependentWay};

use crate::facts::{Facts, Table};
use crate::table_notes::policies;

/// The lines for one table that has no section. `ways` are those by which its rows could belong to tenants.
pub(crate) fn proposal(
    table: &ClassifiedTable,
    called: &str,
    ways: &[DependentWay],
    facts: &Facts,
    tenancy: &Tenancy,
) -> Vec<String> {
    let known = facts.table(&table.table);
    match &table.class {
        Class::Suspect { why } => {
            let choices = Choices { column: column_of(why), ..Choices::of(ways, tenancy) };
            choices.lines(&table.class.to_string(), called, known)
        }
        Class::Dependent { .. } => Choices::of(ways, tenancy).lines(&table.class.to_string(), called, known),
        Class::Unrelated => match known {
            Some(known) if !known.policies.is_empty() => {
                let first = format!("{called}: {}. Undecided: it has policies, so somebody protects it.", table.class);
                [vec![first], pairs(Some(known)), policies(known, tenancy)].concat()
            }
            // Nothing that the server checks leads to a tenant, and its columns say that something does.
            Some(known) if !pairs(Some(known)).is_empty() => {
                Choices::default().lines(&table.class.to_string(), called, Some(known))
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The column that may be the tenant column.
fn column_of(why: &Suspicion) -> Option<&str> {
    match why {
        Suspicion::KeyToRegistry { columns } => columns.first().filter(|_| columns.len() == 1).map(String::as_str),
        Suspicion::ColumnName { column } => Some(column),
        Suspicion::CopyOf { .. } => None,
    }
}

/// What can be declared of a table.
#[derive(Default)]
struct Choices<'a> {
    column: Option<&'a str>,
    add_column: Vec<String>,
    through: Vec<String>,
    /// Why something else cannot be.
    refused: Vec<String>,
}

impl Choices<'_> {
    fn of(ways: &[DependentWay], tenancy: &Tenancy) -> Self {
        let mut choices = Self::default();
        for way in ways {
            let (column, called) = (text(&way.column), short_name(&way.table, tenancy));
            let other = text(&called);
            let key = Some(&way.key).filter(|key| *key != "id").map(|key| format!(", key = {}", text(key)));
            let add = format!("add_column = {{ through = {column}, table = {other}{} }}", key.unwrap_or_default());
            match &way.no_column {
                None => choices.add_column.push(add),
                Some(CannotAdd::ParentHasNone { .. }) => {
                    choices.add_column.push(format!("{add}   # once {called} has a tenant column"));
                }
                Some(why) => choices.refused.push(format!("No tenant column can be filled by {}: {why}.", way.column)),
            }
            match &way.no_through {
                None => choices.through.push(format!("through = {{ column = {column}, table = {other} }}")),
                Some(why) => choices.refused.push(format!("No `through` by {}: {why}.", way.column)),
            }
        }
        choices
    }

    fn lines(&self, class: &str, called: &str, table: Option<&Table>) -> Vec<String> {
        let section = format!("[tables.{}]", toml_edit::Key::new(called));
        let first = format!("{called}: {class}. Undecided: {}.", self.question());
        let column = self.column.map(|column| format!("column = {}", text(column)));
        [
            vec![first],
            pairs(table),
            self.refused.clone(),
            vec![section],
            column.into_iter().collect(),
            self.add_column.clone(),
            self.through.clone(),
            vec![exempt()],
        ]
        .concat()
    }

    /// What people must decide.
    fn question(&self) -> String {
        let hangs = !self.through.is_empty();
        let column = self.column.map(|column| format!("say that {column} is its tenant column"));
        let add = match (self.add_column.is_empty(), &column) {
            (false, _) if hangs => Some("let the rollout add a tenant column, which is best"),
            (false, _) => Some("let the rollout add a tenant column"),
            (true, None) if hangs => None,
            (true, None) => Some("add a tenant column"),
            (true, Some(_)) => None,
        };
        let through = "protect it through that table, of which the application must be able to read the key and the tenant column";
        let choices = column.into_iter().chain(add.map(str::to_owned)).chain(hangs.then(|| through.to_owned()));
        let choices: Vec<String> = choices.chain(["say why its rows need no tenant".to_owned()]).collect();
        let several = self.add_column.len() > 1 || self.through.len() > 1;
        let one = if several { "; of the lines for several keys, keep one" } else { "" };
        format!("{}{one}", choices.join(", or "))
    }
}

/// What is said of polymorphic columns in a table without a tenant column.
fn pairs(table: Option<&Table>) -> Vec<String> {
    let columns = table.into_iter().flat_map(|table| &table.columns).map(|column| column.name.as_str());
    let said = |(kind, id): (String, String)| {
        format!(
            "By their names, {kind} says of which table {id} is a key: once it has a tenant column, `backfill suggest` proposes a source for each \
             of these tables (`when`)."
        )
    };
    polymorphic_pairs(columns).into_iter().map(said).collect()
}

fn exempt() -> String {
    "exempt = \"why\"".to_owned()
}

/// A string of TOML.
fn text(value: &str) -> String {
    toml_edit::Value::from(value).to_string()
}

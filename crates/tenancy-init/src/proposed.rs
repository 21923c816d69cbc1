//! What is proposed for a table that has no section: declarations of which people choose one, as comments, with what speaks against others.

use backfill_engine::short_name;
use tenancy_config::Tenancy;
use tenant_inventory::class::{Class, ClassifiedTable, Suspicion, polymorphic_pairs};
use tenant_inventory::{CannotAdd, DependentWay};

use crate::facts::{Facts, Table};
use crate::table_notes::policies;

/// How the first line of a proposal ends: one of several lines is to be kept.
pub(crate) const DECIDE_LINES: &str = "Undecided: keep one of these lines.";

/// The same where nothing but one line can be declared.
pub(crate) const DECIDE_COLUMN: &str = "Undecided: add a tenant column, or keep this line.";

/// The same of a table that has policies, and from which nothing leads to a tenant.
pub(crate) const DECIDE_POLICIES: &str = "Undecided: it has policies, so somebody protects it.";

/// How a line ends that is all that is said of a table.
pub(crate) const DECIDE_PLAIN: &str = "Undecided: exempt = \"why\", or a tenant column.";

/// What is said behind a declaration.
pub(crate) const MEANINGS: [&str; 4] = [
    "it is its tenant column",
    "best: the rollout adds a tenant column",
    "the application must be able to read key and tenant column there",
    "its rows need no tenant",
];

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
                let first = format!("{called}: {}. {DECIDE_POLICIES}", table.class);
                [vec![first], pairs(Some(known)), policies(known, tenancy)].concat()
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
        Suspicion::CopyOf { .. } | Suspicion::Polymorphic { .. } => None,
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
            let before = format!("once {called} has a tenant column");
            let without = format!("a row whose {} is NULL gets no tenant", way.column);
            match (&way.no_column, way.may_be_null) {
                (None, false) => choices.add_column.push(add),
                (None, true) => choices.add_column.push(format!("{add}   # {without}")),
                (Some(CannotAdd::ParentHasNone { .. }), false) => {
                    choices.add_column.push(format!("{add}   # {before}"))
                }
                (Some(CannotAdd::ParentHasNone { .. }), true) => {
                    choices.add_column.push(format!("{add}   # {before}; {without}"));
                }
                (Some(why), _) => {
                    choices.refused.push(format!("No tenant column can be filled by {}: {why}.", way.column));
                }
            }
            match &way.no_through {
                None => choices.through.push(format!("through = {{ column = {column}, table = {other} }}")),
                // The line above says what that needs.
                Some(_) if matches!(way.no_column, Some(CannotAdd::ParentHasNone { .. })) => {}
                Some(why) => choices.refused.push(format!("No `through` by {}: {why}.", way.column)),
            }
        }
        choices
    }

    fn lines(&self, class: &str, called: &str, table: Option<&Table>) -> Vec<String> {
        let section = format!("[tables.{}]", toml_edit::Key::new(called));
        let column = self.column.map(|column| format!("column = {}", text(column)));
        let declared = column.is_some() || !self.add_column.is_empty() || !self.through.is_empty();
        let wanted = if declared { DECIDE_LINES } else { DECIDE_COLUMN };
        let [is_column, best, can_read, needs_none] = MEANINGS;
        [
            vec![format!("{called}: {class}. {wanted}")],
            pairs(table),
            self.refused.clone(),
            vec![section],
            explained(column.into_iter().collect(), is_column),
            explained(self.add_column.clone(), best),
            explained(self.through.clone(), can_read),
            explained(vec![exempt()], needs_none),
        ]
        .concat()
    }
}

/// Says behind the first line what lines of its kind mean.
fn explained(mut lines: Vec<String>, meaning: &str) -> Vec<String> {
    if let Some(first) = lines.first_mut() {
        let separator = if first.contains("   # ") { "; " } else { "   # " };
        *first = format!("{first}{separator}{meaning}");
    }
    lines
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

/// All that is said of a table for which nothing can be proposed.
pub(crate) fn plain(called: &str, class: &Class) -> String {
    format!("{called}: {class}. {DECIDE_PLAIN}")
}

/// The lines as comments of the file.
pub(crate) fn comment(lines: &[String]) -> String {
    lines.iter().map(|line| tenancy_config::tenancy::comment(line)).collect()
}

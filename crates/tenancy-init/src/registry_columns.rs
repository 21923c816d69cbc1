//! The columns of the table of tenants: its key, and what names a tenant and says its state.

use crate::facts::{Column, Table};
use crate::words::plain;

const SLUGS: [&str; 10] =
    ["slug", "subdomain", "handle", "code", "domain", "urlkey", "url", "shortname", "identifier", "key"];
const NAMES: [&str; 7] = ["name", "displayname", "title", "label", "companyname", "legalname", "fullname"];
const STATES: [&str; 5] = ["status", "state", "lifecycle", "lifecyclestate", "accountstatus"];
const FLAGS: [&str; 4] = ["isactive", "active", "enabled", "isenabled"];
const ENDS: [&str; 8] =
    ["deletedat", "archivedat", "disabledat", "suspendedat", "deactivatedat", "isdeleted", "deleted", "archived"];
const ACTIVE: [&str; 5] = ["active", "enabled", "live", "open", "ok"];

/// The first of the usual names that a column has, and is suitable.
fn first<'t>(table: &'t Table, names: &[&str], suitable: impl Fn(&Column) -> bool) -> Option<&'t Column> {
    names.iter().find_map(|name| table.columns.iter().find(|column| plain(&column.name) == *name && suitable(column)))
}

/// A unique text of every tenant, else the key.
pub(crate) fn slug<'t>(table: &'t Table, key: &'t Column) -> &'t Column {
    first(table, &SLUGS, |column| column.holds_text() && column.not_null && column.unique).unwrap_or(key)
}

/// What people call a tenant, else its slug.
pub(crate) fn name<'t>(table: &'t Table, slug: &'t Column) -> &'t Column {
    first(table, &NAMES, Column::holds_text).unwrap_or(slug)
}

/// The column that says whether a tenant is in use.
pub(crate) fn status(table: &Table) -> Option<&Column> {
    let state = |column: &Column| column.holds_text() || column.labels.is_some();
    first(table, &STATES, state).or_else(|| first(table, &FLAGS, |column| column.type_name == "boolean"))
}

/// Columns that end a tenant's use by a time or a flag, which `[tenant]` cannot express.
pub(crate) fn ends(table: &Table) -> Vec<&str> {
    let ends = |column: &&Column| ENDS.contains(&plain(&column.name).as_str()) && column.type_name != "text";
    table.columns.iter().filter(ends).map(|column| column.name.as_str()).collect()
}

/// The state of a tenant in use, where one of them says so.
pub(crate) fn active(states: &[String]) -> Option<&String> {
    ACTIVE.iter().find_map(|active| states.iter().find(|state| plain(state) == *active))
}

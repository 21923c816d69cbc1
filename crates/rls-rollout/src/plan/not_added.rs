//! Tables that get no tenant column although one was asked for all of them, and why.

use serde::Serialize;
use tenancy_config::TableName;
use tenant_inventory::CannotAdd;

use crate::state::RolloutState;

/// A table that depends on tenants' rows and gets no tenant column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotAdded {
    /// The table.
    pub table: TableName,
    /// Why not.
    pub why: CannotAdd,
    /// The same for people.
    pub says: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl NotAdded {
    pub(crate) fn of(state: &RolloutState) -> Vec<Self> {
        let of = |(table, why): &(TableName, CannotAdd)| Self {
            table: table.clone(),
            why: why.clone(),
            says: why.to_string(),
            hint: why.hint(table),
        };
        state.not_added.iter().map(of).collect()
    }

    /// Why not, and what to do about it.
    pub fn sentence(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}; {hint}", self.says),
            None => self.says.clone(),
        }
    }
}

//! How far a table is: each phase includes the ones before it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::definition::AspectKind;
use super::policies::Policies;
use super::relations::RelationKind;

/// A phase of the rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing was rolled out, or something of `Prepare` is missing.
    None,
    /// Row level security is on, with a policy that also shows rows without a tenant; new rows get their tenant by default.
    Prepare,
    /// The policy is strict, and constraints prove that no row is hidden by it.
    Tighten,
    /// The policy also holds for the table's owner.
    Enforce,
}

impl Phase {
    /// Those that are rolled out, in order.
    pub const ROLLED_OUT: [Self; 3] = [Self::Prepare, Self::Tighten, Self::Enforce];

    /// As the command line and the journal spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Prepare => "prepare",
            Self::Tighten => "tighten",
            Self::Enforce => "enforce",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Prepare, Self::Tighten, Self::Enforce].into_iter().find(|phase| phase.as_str() == text)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Phase {
    /// How far a table is. `has_tenants` says whether the database has the tenant table, which a foreign key must reference then.
    pub fn of(policies: &Policies<'_>, has_tenants: bool) -> Self {
        let relation = policies.relation;
        let definition = &relation.definition;
        let form = policies.form();
        let indexed = relation.tenant_index || relation.kind == RelationKind::Partitioned;
        // Tables with rows of the platform got no default until 0.1; the next rollout gives it.
        let defaulted = relation.platform_rows
            || relation.parent.is_some()
            || definition.text(AspectKind::Default) == Some(&relation.comparison.printed_default());
        let ours = policies.keeps_audits_and_backfills();
        if form.is_none() || !definition.has(AspectKind::RowSecurity) || !indexed || !defaulted || !ours {
            return Self::None;
        }
        let referenced = relation.foreign_key_valid || !has_tenants;
        // A policy that is as strict as another declaration asks for is to be replaced first.
        let strict = form == Some(policies.declared_form()) && (relation.null_rows_are_meant() || relation.never_null);
        match (strict && referenced, definition.has(AspectKind::Forced)) {
            (false, _) => Self::Prepare,
            (true, false) => Self::Tighten,
            (true, true) => Self::Enforce,
        }
    }
}

//! How a plan says through which table the rows of another one belong to tenants.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;
use tenancy_config::tenancy::ThroughForm;
use tenant_inventory::{FormChoice, Relation};

/// The table on which rows hang, and how the policy asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedThrough {
    /// The column that points there.
    pub column: String,
    /// That table.
    pub table: TableName,
    /// How the policy asks for its rows.
    pub form: ThroughForm,
    /// What decided that.
    pub chosen: FormChoice,
}

impl PlannedThrough {
    pub(crate) fn of(relation: &Relation) -> Option<Self> {
        let (parent, comparison) = (relation.parent.as_ref()?, relation.comparison.parent.as_ref()?);
        Some(Self {
            column: comparison.link.name.to_string(),
            table: parent.table.clone(),
            form: comparison.form,
            chosen: parent.chosen.clone(),
        })
    }

    /// The same where it was chosen now and not before.
    pub(crate) fn measured(relation: &Relation) -> Option<Self> {
        Self::of(relation).filter(|through| !matches!(through.chosen, FormChoice::Declared | FormChoice::Kept))
    }
}

impl fmt::Display for PlannedThrough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.form {
            ThroughForm::Array => "reads the keys of the tenant's rows there once for each statement",
            ThroughForm::Exists => "looks up the row there for each row",
        };
        write!(
            f,
            "{} points to {}: its policy {how} (form \"{}\"), {}",
            self.column,
            self.table,
            self.form.as_str(),
            self.chosen
        )
    }
}

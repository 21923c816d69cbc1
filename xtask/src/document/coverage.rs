//! The line of a report that says of which tables of the database it speaks.

use tenancy_config::Hint;
use tenant_inventory::coverage::Coverage;

/// The number of tables of each class, with the names of the first ones that were not read.
pub(crate) fn by_class(coverage: &Coverage) -> Hint {
    format!("tables by class: {coverage}").into()
}

//! The table on which the rows of another one hang, and what decides how a policy asks for its rows.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;
use tenancy_config::tenancy::ThroughForm;

/// Up to so many rows of one tenant, their keys are read once for each statement: that costs about a millisecond. Reading 200,000 keys took
/// 18 ms, which each read by key pays; looking up the other row for each of 1,000,000 rows took 590 ms, and 0.08 ms for one.
const FEW: u64 = 10_000;

/// The table on which the rows of a relation hang.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThroughParent {
    /// Its name.
    pub table: TableName,
    /// What decided how the policy asks for its rows.
    pub chosen: FormChoice,
    /// Its columns that the policy reads and the application's role may not: each statement would fail.
    pub unreadable: Vec<String>,
}

/// What decided how a policy asks for the rows of another table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum FormChoice {
    /// `form` in `tenancy.toml`.
    Declared,
    /// The policy that is there.
    Kept,
    /// The statistics of the other table.
    Measured {
        /// About so many rows the largest tenant has there.
        largest: u64,
        /// Up to so many are few.
        few: u64,
    },
    /// The other table was never analyzed.
    Unknown,
}

impl fmt::Display for FormChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared => f.write_str("as tenancy.toml says"),
            Self::Kept => f.write_str("as the policy that is there"),
            Self::Measured { largest, few } if largest <= few => {
                write!(f, "its largest tenant has about {largest} rows there, no more than {few}")
            }
            Self::Measured { largest, few } => {
                write!(f, "its largest tenant has about {largest} rows there, more than {few}")
            }
            Self::Unknown => f.write_str("it was never analyzed, so nobody knows how many rows its largest tenant has"),
        }
    }
}

/// A policy of ours keeps its form, as otherwise a table that grows would be locked for another one at some rollout.
pub(crate) fn choose(
    declared: Option<ThroughForm>,
    kept: Option<ThroughForm>,
    largest: Option<f64>,
) -> (ThroughForm, FormChoice) {
    match (declared, kept, largest) {
        (Some(form), _, _) => (form, FormChoice::Declared),
        (None, Some(form), _) => (form, FormChoice::Kept),
        (None, None, Some(largest)) => {
            let largest = largest.max(0.0).round() as u64;
            let form = if largest <= FEW { ThroughForm::Array } else { ThroughForm::Exists };
            (form, FormChoice::Measured { largest, few: FEW })
        }
        (None, None, None) => (ThroughForm::Exists, FormChoice::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declared_form_comes_first_then_the_one_that_is_there_then_the_size() {
        use ThroughForm::{Array, Exists};
        assert_eq!(choose(Some(Exists), Some(Array), Some(1.0)), (Exists, FormChoice::Declared));
        assert_eq!(choose(None, Some(Array), Some(1e9)), (Array, FormChoice::Kept));
        assert_eq!(choose(None, None, Some(10_000.0)).0, Array);
        assert_eq!(choose(None, None, Some(10_001.0)).0, Exists);
        assert_eq!(choose(None, None, None), (Exists, FormChoice::Unknown));
    }
}

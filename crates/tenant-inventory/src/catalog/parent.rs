//! The table on which the rows of another one hang, and what decides how a policy asks for its rows.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;
use tenancy_config::tenancy::ThroughForm;

use super::form_times::{FormTimes, NotMeasured};

/// Where nothing is measured: up to so many rows of one tenant, their keys are read once for each statement: that costs about a millisecond. Reading 200,000 keys took
/// 18 ms, which each read by key pays; looking up the other row for each of 1,000,000 rows took 590 ms, and 0.08 ms for one.
const FEW: u64 = 10_000;

/// The table on which the rows of a relation hang.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThroughParent {
    /// Its name.
    pub table: TableName,
    /// What decided how the policy asks for its rows.
    pub chosen: FormChoice,
    /// The tenant with most rows there, by the statistics.
    pub largest_tenant: Option<String>,
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
    /// How long both forms took on the database itself.
    Measured {
        /// The times.
        #[serde(flatten)]
        times: FormTimes,
    },
    /// The statistics of the other table.
    Statistics {
        /// About so many rows the largest tenant has there.
        largest: u64,
        /// Up to so many are few.
        few: u64,
        /// Why the forms were not measured.
        not_measured: NotMeasured,
    },
    /// The other table was never analyzed.
    Unknown {
        /// Why the forms were not measured.
        not_measured: NotMeasured,
    },
}

impl FormChoice {
    /// Whether a measurement counts for more.
    pub fn yields_to_measuring(&self) -> bool {
        matches!(self, Self::Statistics { .. } | Self::Unknown { .. })
    }

    /// The same choice, with the reason why nothing was measured.
    #[must_use]
    pub fn without_measuring(self, why: NotMeasured) -> Self {
        match self {
            Self::Statistics { largest, few, .. } => Self::Statistics { largest, few, not_measured: why },
            Self::Unknown { .. } => Self::Unknown { not_measured: why },
            chosen => chosen,
        }
    }
}

impl fmt::Display for FormChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared => f.write_str("as tenancy.toml says"),
            Self::Kept => f.write_str("as the policy that is there"),
            Self::Measured { times } => times.fmt(f),
            Self::Statistics { largest, few, not_measured } => {
                let more = if largest <= few { "no more" } else { "more" };
                write!(
                    f,
                    "{not_measured}; by its statistics the largest tenant has about {largest} rows there, {more} than {few}"
                )
            }
            Self::Unknown { not_measured } => {
                write!(f, "{not_measured}; it was never analyzed, so nobody knows how many rows its largest tenant has")
            }
        }
    }
}

/// A policy of ours keeps its form, as otherwise a table that grows would be locked for another one at some rollout.
pub(crate) fn choose(
    declared: Option<ThroughForm>,
    kept: Option<ThroughForm>,
    largest: Option<f64>,
) -> (ThroughForm, FormChoice) {
    let not_measured = NotMeasured::NotAPlan;
    match (declared, kept, largest) {
        (Some(form), _, _) => (form, FormChoice::Declared),
        (None, Some(form), _) => (form, FormChoice::Kept),
        (None, None, Some(largest)) => {
            let largest = largest.max(0.0).round() as u64;
            let form = if largest <= FEW { ThroughForm::Array } else { ThroughForm::Exists };
            (form, FormChoice::Statistics { largest, few: FEW, not_measured })
        }
        (None, None, None) => (ThroughForm::Exists, FormChoice::Unknown { not_measured }),
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
        let not_measured = NotMeasured::NotAPlan;
        assert_eq!(choose(None, None, None), (Exists, FormChoice::Unknown { not_measured }));
    }
}

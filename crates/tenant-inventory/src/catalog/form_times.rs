//! How long both forms of a policy took that asks another table for the tenant, and what follows from that.

use std::fmt;

use serde::Serialize;
use tenancy_config::tenancy::ThroughForm;

/// So much longer a statement may take for reading the keys, which each statement pays. It is about what 20,000 keys take.
const DEARER_US: u64 = 2_000;

/// How long a statement took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Took {
    /// So many microseconds, on the server.
    Us(u64),
    /// More than so many milliseconds: it was ended then.
    OverMs(u64),
}

/// The times of one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TimesOfForm {
    /// Reading one row.
    pub one_row: Took,
    /// Counting the rows of the tenant; none where an index is missing that the rollout makes.
    pub count: Option<Took>,
}

/// The times of both forms, for the tenant with most rows in the other table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FormTimes {
    /// Reading the keys of the tenant's rows once for each statement.
    pub array: TimesOfForm,
    /// Looking up the other row for each row.
    pub exists: TimesOfForm,
}

/// Why one form is better than the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Because {
    KeysAreQuick,
    KeysAreSlow,
    NothingGained,
}

/// Why nothing was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NotMeasured {
    /// One of the two tables has no rows of a tenant yet.
    NoRows,
    /// Without an index of the other table's tenant column, which the rollout makes, reading the keys takes longer than it will.
    NoIndexYet,
    /// A statement that only looks for the rows took longer than a measurement may.
    TimedOut,
    /// Other tables took the time that a plan may spend on it.
    OutOfTime,
    /// The server refused it, for want of a right or otherwise.
    Refused {
        /// What it said.
        message: String,
    },
    /// Plans measure, and this is none.
    NotAPlan,
}

impl Took {
    fn us(self) -> Option<u64> {
        match self {
            Self::Us(us) => Some(us),
            Self::OverMs(_) => None,
        }
    }

    /// Whether it took clearly longer than the other.
    fn is_dearer_than(self, other: Self) -> bool {
        match (self.us(), other.us()) {
            (Some(mine), Some(other)) => mine > other + DEARER_US,
            (None, Some(_)) => true,
            (_, None) => false,
        }
    }
}

impl FormTimes {
    /// The form that the times speak for.
    pub fn form(&self) -> ThroughForm {
        match self.because() {
            Because::KeysAreQuick => ThroughForm::Array,
            Because::KeysAreSlow | Because::NothingGained => ThroughForm::Exists,
        }
    }

    /// Whether the keys are slow to read.
    pub fn keys_are_slow(&self) -> bool {
        self.because() == Because::KeysAreSlow
    }

    fn because(&self) -> Because {
        let counts = self.array.count.zip(self.exists.count);
        if self.array.one_row.is_dearer_than(self.exists.one_row) {
            Because::KeysAreSlow
        } else if counts.is_some_and(|(array, exists)| array.is_dearer_than(exists)) {
            Because::NothingGained
        } else {
            Because::KeysAreQuick
        }
    }
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Us(us) if *us < 10_000 => write!(f, "{}.{:02} ms", us / 1000, us % 1000 / 10),
            Self::Us(us) => write!(f, "{} ms", us / 1000),
            Self::OverMs(ms) => write!(f, "more than {ms} ms"),
        }
    }
}

impl fmt::Display for TimesOfForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for one row", self.one_row)?;
        match self.count {
            Some(count) => write!(f, " and {count} for the count"),
            None => f.write_str(" (its count waits for an index that the rollout makes)"),
        }
    }
}

impl fmt::Display for FormTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = Took::Us(DEARER_US);
        write!(
            f,
            "measured here for the tenant with most rows there: \"array\" {}, \"exists\" {}; ",
            self.array, self.exists
        )?;
        match self.because() {
            Because::KeysAreQuick => write!(f, "reading the keys costs no more than {limit} a statement"),
            Because::KeysAreSlow => write!(f, "reading the keys costs more than {limit} a statement"),
            Because::NothingGained => f.write_str("with the keys the count is no quicker"),
        }
    }
}

impl fmt::Display for NotMeasured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRows => f.write_str("not measured, as there are no rows of a tenant yet"),
            Self::NoIndexYet => {
                f.write_str("not measured, as the rollout has yet to make the index by which the keys are read")
            }
            Self::TimedOut => f.write_str("not measured, as looking for rows took too long"),
            Self::OutOfTime => f.write_str("not measured, as other tables took the time for that"),
            Self::Refused { message } => write!(f, "not measured ({message})"),
            Self::NotAPlan => f.write_str("not measured"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(array: (Took, Option<Took>), exists: (Took, Option<Took>)) -> FormTimes {
        let of = |(one_row, count)| TimesOfForm { one_row, count };
        FormTimes { array: of(array), exists: of(exists) }
    }

    #[test]
    fn the_keys_are_read_where_that_costs_a_statement_little_and_a_count_gains_by_it() {
        use ThroughForm::{Array, Exists};
        use Took::{OverMs, Us};
        // The times of the design, with 1,000,000 rows: few parents, and 200,000 of them.
        assert_eq!(times((Us(200), Some(Us(2_800))), (Us(80), Some(Us(590_000)))).form(), Array);
        assert_eq!(times((Us(18_000), Some(Us(400_000))), (Us(80), Some(Us(590_000)))).form(), Exists);
        assert_eq!(times((Us(2_050), None), (Us(50), Some(OverMs(1_000)))).form(), Array, "no more than the limit");
        assert_eq!(times((Us(2_051), None), (Us(50), Some(OverMs(1_000)))).form(), Exists);
        assert_eq!(times((OverMs(1_000), None), (Us(50), Some(OverMs(1_000)))).form(), Exists);
        assert_eq!(
            times((Us(100), Some(OverMs(1_000))), (Us(50), Some(Us(9_000)))).form(),
            Exists,
            "nothing is gained"
        );
        assert_eq!(times((Us(100), Some(OverMs(1_000))), (Us(50), Some(OverMs(1_000)))).form(), Array);
    }

    #[test]
    fn a_plan_says_both_figures_and_the_reason() {
        let found = times((Took::Us(215), None), (Took::Us(80), Some(Took::Us(590_400))));
        assert_eq!(
            found.to_string(),
            "measured here for the tenant with most rows there: \"array\" 0.21 ms for one row (its count waits for an index that the rollout \
             makes), \"exists\" 0.08 ms for one row and 590 ms for the count; reading the keys costs no more than 2.00 ms a statement"
        );
    }
}

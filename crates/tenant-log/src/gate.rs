//! Whether a log is quiet enough to go on.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::Serialize;

/// The share of unresolved tenants that is allowed, in units of 1/10^8 of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MostUnresolved(u64);

/// The units in one percent and in the whole.
const PERCENT: u64 = 1_000_000;
const WHOLE: u64 = 100 * PERCENT;

impl FromStr for MostUnresolved {
    type Err = String;

    /// Reads `0`, `1%` or `0.1%`.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "0" {
            return Ok(Self(0));
        }
        let number = text.strip_suffix('%').ok_or("write a share with its sign, such as 0.1%, or 0")?.trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || part.len() > 6 || !digits(whole) || !digits(part) {
            return Err("write a share such as 0.1%, with at most six digits after the point".to_owned());
        }
        let units = |text: &str| text.parse::<u64>().unwrap_or(0);
        let share = units(whole) * PERCENT + units(&format!("{part:0<6}"));
        if share > WHOLE { Err("it is more than 100%".to_owned()) } else { Ok(Self(share)) }
    }
}

impl Display for MostUnresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / PERCENT, self.0 % PERCENT);
        let part = format!("{part:06}");
        match part.trim_end_matches('0') {
            "" => write!(f, "{whole}%"),
            part => write!(f, "{whole}.{part}%"),
        }
    }
}

impl MostUnresolved {
    /// Whether so many unresolved records are too many for so many requests.
    pub(crate) fn is_exceeded_by(self, unresolved: u64, requests: u64) -> bool {
        u128::from(unresolved) * u128::from(WHOLE) > u128::from(requests) * u128::from(self.0)
    }
}

/// What was asked and what the answer is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum GateVerdict {
    /// At most the allowed share is unresolved.
    Quiet(MeasuredShare),
    /// More than the allowed share is unresolved.
    Exceeded(MeasuredShare),
    /// The logs do not answer.
    NotTried {
        /// The share that is allowed.
        most: String,
        /// Why they do not.
        why: WhyNotTried,
    },
}

/// The numbers that a verdict rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeasuredShare {
    /// The share that is allowed.
    pub most: String,
    /// Unresolved tenants, with the lines that could not be read and have the words of one.
    pub unresolved: u64,
    /// Requests that were served.
    pub requests: u64,
}

/// Why the logs do not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum WhyNotTried {
    /// No request was served. Nobody tried.
    NoTraffic,
    /// An input could not be read to its end.
    EndedEarly {
        /// The input.
        input: String,
    },
    /// Records of unresolved tenants have no time.
    WithoutTime {
        /// How many.
        records: u64,
    },
}

impl GateVerdict {
    /// Whether the rollout may go on.
    pub fn is_quiet(&self) -> bool {
        matches!(self, Self::Quiet(_))
    }
}

impl Display for GateVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (measured, compared) = match self {
            Self::Quiet(measured) => (measured, "at most"),
            Self::Exceeded(measured) => (measured, "more than"),
            Self::NotTried { most, why } => return write!(f, "not tried whether at most {most} is unresolved: {why}"),
        };
        let MeasuredShare { most, unresolved, requests } = measured;
        write!(f, "{unresolved} unresolved for {requests} requests: {compared} {most}")
    }
}

impl Display for WhyNotTried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTraffic => f.write_str("no request was served in that time, so silence proves nothing"),
            Self::EndedEarly { input } => write!(f, "{input} could not be read to its end"),
            Self::WithoutTime { records: 1 } => f.write_str("a record of an unresolved tenant has no time"),
            Self::WithoutTime { records } => write!(f, "{records} records of unresolved tenants have no time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact() {
        for (text, shown) in [
            ("0", "0%"),
            ("0%", "0%"),
            ("0.1%", "0.1%"),
            ("100%", "100%"),
            ("0.000001 %", "0.000001%"),
            ("5.50%", "5.5%"),
        ] {
            assert_eq!(text.parse::<MostUnresolved>().unwrap().to_string(), shown);
        }
        for wrong in ["", "0.1", "1", "%", ".5%", "101%", "-1%", "1.0000001%", "1e2%", "١%", "1000%"] {
            assert!(wrong.parse::<MostUnresolved>().is_err(), "{wrong}");
        }
        let most: MostUnresolved = "0.1%".parse().unwrap();
        assert!(!most.is_exceeded_by(1, 1_000));
        assert!(most.is_exceeded_by(2, 1_999));
        assert!(!most.is_exceeded_by(2, 2_000));
        assert!("0".parse::<MostUnresolved>().unwrap().is_exceeded_by(1, u64::MAX));
    }
}

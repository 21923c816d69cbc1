//! What a check showed, for the table and the login that it was made with.

use serde::Serialize;

use super::breach::Breach;
use super::untried::Untried;

/// What a check showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "evidence", rename_all = "snake_case")]
pub enum Evidence {
    /// It was tried, and went as it must.
    Held,
    /// It was not tried. The catalog says how it goes: our policy is unaltered and forced, no other one lets the login through, and the login can
    /// become nobody whom the policy does not filter.
    HeldByDefinition {
        /// Why it was not tried.
        because: Untried,
    },
    /// It was tried, and did not go as it must.
    Broken {
        /// What happened.
        #[serde(flatten)]
        breach: Breach,
    },
    /// Nobody knows how it goes.
    NotTried {
        /// Why.
        because: Untried,
    },
}

impl Evidence {
    /// Whether a claim can rest on it.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Held | Self::HeldByDefinition { .. })
    }

    /// What was broken.
    pub fn breach(&self) -> Option<&Breach> {
        match self {
            Self::Broken { breach } => Some(breach),
            Self::Held | Self::HeldByDefinition { .. } | Self::NotTried { .. } => None,
        }
    }

    /// Why it was not tried.
    pub fn untried(&self) -> Option<&Untried> {
        match self {
            Self::HeldByDefinition { because } | Self::NotTried { because } => Some(because),
            Self::Held | Self::Broken { .. } => None,
        }
    }
}

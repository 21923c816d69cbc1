//! Whether a way is open, by the catalog and the reviews in `tenancy.toml`, and why.

use std::fmt;

use serde::Serialize;
use tenancy_config::Tenancy;

use super::way::{Reviewable, Unreadable, Way, WayVerdict};

/// Whether a way is open, and why. Where the catalog leaves it open, `rls verify` tries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum WayState {
    /// It leads past the policies, and the login can take it.
    LeadsPast,
    /// The same, and the review in `tenancy.toml` is not of what it is now.
    ReviewOutdated {
        /// The hash that `tenancy.toml` declares.
        declared: String,
        /// What a review of it is pinned to now.
        needs: Reviewable,
    },
    /// The login cannot take it; [`Reach::Cannot`](super::way::Reach::Cannot) has the reason.
    Barrier,
    /// FORCE holds its owner, who may switch that off.
    Forced,
    /// Somebody has reviewed it as it is now.
    Reviewed {
        /// The reason in `tenancy.toml`.
        why: String,
    },
    /// It may keep tenants apart itself: it is to be read as the login.
    NeedsAttempt {
        /// Its tenant column.
        column: String,
    },
    /// It depends on whether a row references a row of another tenant.
    NeedsData,
    /// Where it leads cannot be read, and nobody has reviewed it.
    NeedsReview {
        /// Why it cannot be read.
        #[serde(flatten)]
        why: Unreadable,
        /// What a review of it is pinned to.
        needs: Reviewable,
    },
}

/// What is known of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Openness {
    /// The login reaches rows of other tenants by it.
    Open,
    /// The catalog does not say.
    Unread,
    /// The login reaches none by it.
    Closed,
}

impl Way {
    /// Whether it is open, with these declarations.
    pub fn state(&self, tenancy: &Tenancy) -> WayState {
        if let Some(review) = tenancy.reviewed.get(&self.review_name()).filter(|_| self.asks_for_review()) {
            return match self.review_hash() {
                Some(hash) if hash == review.hash => WayState::Reviewed { why: review.why.clone() },
                _ => WayState::ReviewOutdated { declared: review.hash.clone(), needs: self.review.clone() },
            };
        }
        match &self.verdict {
            WayVerdict::Open => WayState::LeadsPast,
            WayVerdict::Closed => WayState::Barrier,
            WayVerdict::CanSwitchOff => WayState::Forced,
            WayVerdict::NeedsAttempt { column } => WayState::NeedsAttempt { column: column.clone() },
            WayVerdict::NeedsData => WayState::NeedsData,
            WayVerdict::NeedsReview { why } => WayState::NeedsReview { why: why.clone(), needs: self.review.clone() },
        }
    }

    /// Whether a review says anything about it: it is something to read, and the catalog does not close it.
    pub fn asks_for_review(&self) -> bool {
        let may_be_open =
            matches!(self.verdict, WayVerdict::Open | WayVerdict::NeedsReview { .. } | WayVerdict::NeedsAttempt { .. });
        may_be_open && self.review != Reviewable::NotCode
    }
}

impl WayState {
    /// What is known of the way.
    pub fn openness(&self) -> Openness {
        match self {
            Self::LeadsPast | Self::ReviewOutdated { .. } => Openness::Open,
            Self::Barrier | Self::Forced | Self::Reviewed { .. } => Openness::Closed,
            Self::NeedsAttempt { .. } | Self::NeedsData | Self::NeedsReview { .. } => Openness::Unread,
        }
    }
}

impl Openness {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Unread => "unread",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for WayState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeadsPast => f.write_str("it leads past the policies"),
            Self::ReviewOutdated { declared, needs } => {
                write!(f, "the review in tenancy.toml is of another state of it ({declared}); now {needs}")
            }
            Self::Barrier => f.write_str("the login cannot take it"),
            Self::Forced => f.write_str("FORCE holds its owner, who may switch that off"),
            Self::Reviewed { why } => write!(f, "tenancy.toml declares it reviewed: {why}"),
            Self::NeedsAttempt { column } => {
                write!(f, "it may keep tenants apart by its column {column}: `rls verify` reads it as the login")
            }
            Self::NeedsData => {
                write!(f, "it matters where a row references another tenant's: `rls verify` looks for such rows")
            }
            Self::NeedsReview { why, needs } => write!(f, "{why}; {needs}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::ways::logins::Unfiltered;
    use crate::ways::object::{FunctionKind, Privilege, WayObject};
    use crate::ways::way::{Actor, Reach};

    fn function(verdict: WayVerdict, review: Reviewable) -> Way {
        Way {
            object: WayObject::Function {
                signature: "public.total(text)".into(),
                kind: FunctionKind::Function,
                extension: None,
            },
            acts_as: Actor { role: "app_owner".into(), why: Unfiltered::BypassRls },
            tables: Vec::new(),
            chain: Vec::new(),
            reach: Reach::Calls { role: "app_user".into() },
            verdict,
            closing: None,
            review,
        }
    }

    fn hash(hash: &str) -> Reviewable {
        Reviewable::Hash { hash: hash.into() }
    }

    fn reviewed() -> Tenancy {
        let toml = "[reviewed.\"public.total(text)\"]\nwhy = \"it counts\"\nhash = \"aa\"\n";
        Tenancy::from_toml(toml, Path::new("tenancy.toml")).unwrap()
    }

    #[test]
    fn a_review_closes_what_it_is_of_and_nothing_else() {
        let (tenancy, none) = (reviewed(), Tenancy::default());
        let fits = function(WayVerdict::Open, hash("aa"));
        assert_eq!(fits.state(&tenancy), WayState::Reviewed { why: "it counts".into() });
        assert_eq!(fits.state(&none), WayState::LeadsPast);
        let changed = function(WayVerdict::Open, hash("bb")).state(&tenancy);
        assert_eq!(changed, WayState::ReviewOutdated { declared: "aa".into(), needs: hash("bb") });
        assert_eq!(changed.openness(), Openness::Open);
        let unpinned = function(WayVerdict::Open, Reviewable::NoPinnedPath).state(&tenancy);
        assert_eq!(unpinned.openness(), Openness::Open);
        // What is closed anyway is closed for its own reason.
        assert_eq!(function(WayVerdict::Closed, hash("bb")).state(&tenancy), WayState::Barrier);
    }

    #[test]
    fn a_right_is_not_closed_by_a_review_of_its_table() {
        let table = tenancy_config::TableName::parse("public.bookings", "public").unwrap();
        let right = Way {
            object: WayObject::Right { table, privilege: Privilege::Truncate },
            ..function(WayVerdict::Open, Reviewable::NotCode)
        };
        let toml = "[reviewed.\"public.bookings\"]\nwhy = \"it counts\"\nhash = \"aa\"\n";
        let tenancy = Tenancy::from_toml(toml, Path::new("tenancy.toml")).unwrap();
        assert_eq!(right.state(&tenancy), WayState::LeadsPast);
    }
}

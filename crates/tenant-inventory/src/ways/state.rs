//! Whether a way is open, by the catalog and the reviews in `tenancy.toml`, and why.

use std::fmt;

use serde::Serialize;
use tenancy_config::Tenancy;

use super::way::{Reviewable, Way, WayVerdict};

/// What `tenancy.toml` declares of a way that a review says something about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "declared", rename_all = "snake_case")]
pub enum Review {
    /// Nothing.
    None,
    /// Somebody has reviewed it as it is now.
    Current {
        /// The reason.
        why: String,
    },
    /// Somebody has reviewed it as it was. It counts for nothing.
    Outdated {
        /// The hash of that.
        hash: String,
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
    /// What is declared of it.
    pub fn declared(&self, tenancy: &Tenancy) -> Review {
        match tenancy.reviewed.get(&self.review_name()).filter(|_| self.asks_for_review()) {
            None => Review::None,
            Some(review) if self.review_hash() == Some(&review.hash) => Review::Current { why: review.why.clone() },
            Some(review) => Review::Outdated { hash: review.hash.clone() },
        }
    }

    /// Whether it is open, with these declarations. Where the catalog leaves it open, `rls verify` tries it.
    pub fn openness(&self, tenancy: &Tenancy) -> Openness {
        match (self.declared(tenancy), &self.verdict) {
            (Review::Current { .. }, _) | (_, WayVerdict::Closed | WayVerdict::CanSwitchOff) => Openness::Closed,
            (_, WayVerdict::Open) => Openness::Open,
            (_, WayVerdict::NeedsAttempt { .. } | WayVerdict::NeedsData | WayVerdict::NeedsReview { .. }) => {
                Openness::Unread
            }
        }
    }

    /// The way, and what is known of it, in one sentence.
    pub fn told(&self, tenancy: &Tenancy) -> String {
        let review = self.declared(tenancy);
        let parts = match (&review, &self.verdict) {
            (Review::Current { .. }, _) => vec![review.to_string()],
            // The sentence of the way says how the login takes it, or why it cannot.
            (Review::None, WayVerdict::Open | WayVerdict::Closed) => Vec::new(),
            (Review::None, WayVerdict::NeedsReview { .. }) => vec![self.verdict.to_string(), self.review.to_string()],
            (Review::None, verdict) => vec![verdict.to_string()],
            (Review::Outdated { .. }, WayVerdict::Open) => vec![review.to_string(), format!("now {}", self.review)],
            (Review::Outdated { .. }, verdict) => {
                vec![verdict.to_string(), review.to_string(), format!("now {}", self.review)]
            }
        };
        [self.to_string()].into_iter().chain(parts).collect::<Vec<_>>().join("; ")
    }

    /// Whether a review says anything about it: it is something to read, and the catalog does not close it.
    pub fn asks_for_review(&self) -> bool {
        let may_be_open =
            matches!(self.verdict, WayVerdict::Open | WayVerdict::NeedsReview { .. } | WayVerdict::NeedsAttempt { .. });
        may_be_open && self.review != Reviewable::NotCode
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

impl fmt::Display for Review {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("tenancy.toml declares no review of it"),
            Self::Current { why } => write!(f, "tenancy.toml declares it reviewed: {why}"),
            Self::Outdated { hash } => write!(f, "the review in tenancy.toml is of another state of it ({hash})"),
        }
    }
}

impl fmt::Display for WayVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("it leads past the policies"),
            Self::Closed => f.write_str("the login cannot take it"),
            Self::CanSwitchOff => f.write_str("FORCE holds its owner, who may switch that off"),
            Self::NeedsAttempt { column } => {
                write!(f, "it may keep tenants apart by its column {column}: `rls verify` reads it as the login")
            }
            Self::NeedsData => {
                f.write_str("it matters where a row references another tenant's: `rls verify` looks for such rows")
            }
            Self::NeedsReview { why } => why.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::ways::logins::Unfiltered;
    use crate::ways::object::{FunctionKind, Privilege, WayObject};
    use crate::ways::way::{Actor, Reach, Unreadable};

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
        assert_eq!(fits.declared(&tenancy), Review::Current { why: "it counts".into() });
        assert_eq!((fits.openness(&tenancy), fits.openness(&none)), (Openness::Closed, Openness::Open));
        let changed = function(WayVerdict::Open, hash("bb"));
        assert_eq!(changed.declared(&tenancy), Review::Outdated { hash: "aa".into() });
        assert_eq!(changed.openness(&tenancy), Openness::Open);
        assert_eq!(function(WayVerdict::Open, Reviewable::NoPinnedPath).openness(&tenancy), Openness::Open);
        // What is closed anyway is closed for its own reason.
        let closed = function(WayVerdict::Closed, hash("bb"));
        assert_eq!((closed.declared(&tenancy), closed.openness(&tenancy)), (Review::None, Openness::Closed));
    }

    /// As if there were no review.
    #[test]
    fn what_cannot_be_read_is_unread_where_its_review_is_of_another_state() {
        for verdict in
            [WayVerdict::NeedsReview { why: Unreadable::Text }, WayVerdict::NeedsAttempt { column: "tenantId".into() }]
        {
            let changed = function(verdict.clone(), hash("bb"));
            assert_eq!(changed.openness(&reviewed()), Openness::Unread);
            let told = changed.told(&reviewed());
            let ends = format!(
                "{verdict}; the review in tenancy.toml is of another state of it (aa); now a review is pinned to bb"
            );
            assert!(told.ends_with(&ends), "{told}");
            assert_eq!(function(verdict, hash("aa")).openness(&reviewed()), Openness::Closed);
        }
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
        assert_eq!(right.openness(&tenancy), Openness::Open);
    }
}

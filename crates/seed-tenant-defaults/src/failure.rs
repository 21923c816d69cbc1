//! Why a tenant got nothing, as values.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::list::slug_fault::SlugFault;

/// Why a tenant got nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum SeedFailure {
    /// The server refused a row, that of the tenant or one of its settings.
    Refused {
        /// What the server said, and to what.
        message: String,
    },
    /// The tenant is not active.
    Inactive {
        /// Its status.
        status: String,
    },
    /// It is not there, and cannot be made, as its name is no slug.
    NoSlug {
        /// The name.
        name: String,
        /// What is wrong with it.
        fault: SlugFault,
    },
    /// It was removed after it had been made.
    Removed {
        /// The name.
        name: String,
    },
    /// It was not found, or several tenants have the name.
    NotFound {
        /// What the search for it said.
        message: String,
        /// What is wrong with the name, where that may be why.
        fault: Option<SlugFault>,
    },
}

impl fmt::Display for SeedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inactive { status } => write!(f, "the tenant is {status}"),
            Self::NoSlug { name, fault } => write!(f, "no tenant `{name}` can be made: {fault}"),
            Self::Removed { name } => write!(f, "no tenant `{name}` can be made: it was removed meanwhile"),
            Self::NotFound { message, fault: Some(fault) } => write!(f, "{message}: {fault}"),
            Self::Refused { message } | Self::NotFound { message, fault: None } => f.write_str(message),
        }
    }
}

#[derive(Serialize)]
struct Told<'a> {
    reason: Option<String>,
    cause: Option<&'a SeedFailure>,
}

/// Writes a failure as its sentence, in `reason`, and as its fields, in `cause`. It is for fields with `#[serde(flatten)]`.
pub(crate) fn reason_and_cause<S: Serializer>(failure: &Option<SeedFailure>, serializer: S) -> Result<S::Ok, S::Error> {
    Told { reason: failure.as_ref().map(SeedFailure::to_string), cause: failure.as_ref() }.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_failure_has_its_tag_its_fields_and_its_sentence() {
        let text = |text: &str| text.to_owned();
        for (failure, says, json) in [
            (SeedFailure::Refused { message: text("m") }, "m", json!({"reason": "refused", "message": "m"})),
            (
                SeedFailure::Inactive { status: text("SUSPENDED") },
                "the tenant is SUSPENDED",
                json!({"reason": "inactive", "status": "SUSPENDED"}),
            ),
            (
                SeedFailure::NoSlug { name: text("A b"), fault: SlugFault::Characters },
                "no tenant `A b` can be made: a slug has small letters, digits, - and _ between them",
                json!({"reason": "no_slug", "name": "A b", "fault": "characters"}),
            ),
            (
                SeedFailure::NoSlug { name: text("a"), fault: SlugFault::TooLong },
                "no tenant `a` can be made: it is longer than 63 characters",
                json!({"reason": "no_slug", "name": "a", "fault": "too_long"}),
            ),
            (
                SeedFailure::Removed { name: text("a") },
                "no tenant `a` can be made: it was removed meanwhile",
                json!({"reason": "removed", "name": "a"}),
            ),
            (
                SeedFailure::NotFound { message: text("m"), fault: None },
                "m",
                json!({"reason": "not_found", "message": "m", "fault": null}),
            ),
            (
                SeedFailure::NotFound { message: text("m"), fault: Some(SlugFault::Blanks) },
                "m: it begins or ends with white space, which counts",
                json!({"reason": "not_found", "message": "m", "fault": "blanks"}),
            ),
        ] {
            let failure = Some(failure);
            let written = reason_and_cause(&failure, serde_json::value::Serializer).unwrap();
            assert_eq!(written, json!({"reason": says, "cause": json}));
        }
        let none = reason_and_cause(&None, serde_json::value::Serializer).unwrap();
        assert_eq!(none, json!({"reason": null, "cause": null}));
    }
}

//! The id of a tenant. Such a value exists only after the tenant table confirmed it.

use std::fmt;

use serde::Serialize;

use crate::error::{Error, Result};

/// The id of a tenant that exists: not empty, without NUL, and as it stands there: `acme ` is not `acme`. It is made only from what the tenant table
/// returned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TenantId(String);

impl TenantId {
    /// Makes an id from what the tenant table just returned.
    pub(crate) fn confirmed(id: String) -> Result<Self> {
        let why = if id.is_empty() {
            "the tenant table has a tenant whose id is the empty string: policies read that as no tenant"
        } else if id.contains('\0') {
            "an id cannot hold a NUL character"
        } else {
            return Ok(Self(id));
        };
        Err(Error::TenantId { why })
    }

    /// The id as text, as in the session variable.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

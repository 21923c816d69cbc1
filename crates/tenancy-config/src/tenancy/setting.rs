//! Where a session has its tenant.

use std::fmt;

use serde::Serialize;

use super::model::{SessionSection, Tenancy};

/// Where a session has its tenant: a setting, or a claim of the JSON document in a setting, as PostgREST and Supabase set it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TenantSetting {
    /// The session variable.
    pub variable: String,
    /// The names that lead to the claim; none where the setting is the tenant's id itself.
    pub claim: Vec<String>,
}

impl TenantSetting {
    /// The setting itself, without a claim.
    pub fn plain(variable: impl Into<String>) -> Self {
        Self { variable: variable.into(), claim: Vec::new() }
    }

    /// Whether both mean the same place. PostgreSQL finds a setting however its name is written; names in JSON are exact.
    pub fn is(&self, other: &Self) -> bool {
        self.variable.eq_ignore_ascii_case(&other.variable) && self.claim == other.claim
    }
}

impl fmt::Display for TenantSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.claim[..] {
            [] => f.write_str(&self.variable),
            claim => write!(f, "the claim {} of {}", claim.join("."), self.variable),
        }
    }
}

impl SessionSection {
    /// Where a session has its tenant.
    pub fn setting(&self) -> TenantSetting {
        TenantSetting { variable: self.variable.clone(), claim: self.claim.clone() }
    }
}

impl Tenancy {
    /// Where a session has its tenant.
    pub fn tenant_setting(&self) -> TenantSetting {
        self.session.setting()
    }
}

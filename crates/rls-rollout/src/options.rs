//! What to roll out, and how.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Serialize, Serializer};
use tenant_inventory::{AskedColumn, Phase};

/// The lease that whoever changes definitions here holds.
pub(crate) const RESOURCE: &str = "rollout of row level security";

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The declared logins alone, with their rights and policies: no table goes to another phase, and the roles of audits and backfills are not made.
    Logins,
    /// To this phase; the answer is "not yet" where a table cannot get there.
    Phase(Phase),
    /// As far as the data allows.
    Auto,
}

impl Goal {
    pub(crate) fn wants(self, phase: Phase) -> bool {
        match self {
            Self::Logins => false,
            Self::Phase(goal) => phase <= goal,
            Self::Auto => true,
        }
    }

    /// As the command line spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logins => "logins",
            Self::Phase(phase) => phase.as_str(),
            Self::Auto => "auto",
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Goal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What to roll out, and how.
#[derive(Debug, Clone)]
pub struct RolloutOptions {
    /// How far.
    pub goal: Goal,
    /// Tables, as `table` or `schema.table`; none means all.
    pub tables: Vec<String>,
    /// Tables that get a tenant column, beside those of `tenancy.toml`.
    pub add_columns: Vec<AskedColumn>,
    /// All other tables that depend on tenants' rows get one as well.
    pub add_all_columns: bool,
    /// The role that the application logs in as, where it is not the one of `tenancy.toml`.
    pub app_role: Option<String>,
    /// The bridge lets a tenant write its own rows only.
    pub strict_writes: bool,
    /// Permissive policies of others are replaced by ours.
    pub adopt: bool,
    /// Rows that reference another tenant's row do not stop a table.
    pub allow_cross_tenant_references: bool,
    /// It is agreed that policies filter the application itself where its role owns tables.
    pub application_owns_tables: bool,
    /// The directory of the files with the passwords of logins that the rollout makes; else the working directory.
    pub password_dir: Option<PathBuf>,
    /// Where the password of the login of sign-in is written instead.
    pub auth_password_file: Option<PathBuf>,
    /// How a lock is waited for.
    pub lock_retry: LockRetry,
}

/// How a lock is waited for that others would wait behind.
#[derive(Debug, Clone, Copy)]
pub struct LockRetry {
    /// How long one attempt waits.
    pub lock_timeout: Duration,
    /// How often it is tried, with growing waits in between.
    pub attempts: u32,
}

impl Default for LockRetry {
    fn default() -> Self {
        Self { lock_timeout: Duration::from_millis(500), attempts: 12 }
    }
}

impl Default for RolloutOptions {
    fn default() -> Self {
        Self {
            goal: Goal::Auto,
            tables: Vec::new(),
            add_columns: Vec::new(),
            add_all_columns: false,
            app_role: None,
            strict_writes: false,
            adopt: false,
            allow_cross_tenant_references: false,
            application_owns_tables: false,
            password_dir: None,
            auth_password_file: None,
            lock_retry: LockRetry::default(),
        }
    }
}

impl RolloutOptions {
    pub(crate) fn style(&self) -> StepStyle {
        StepStyle { strict_writes: self.strict_writes, adopt: self.adopt }
    }

    pub(crate) fn waiver(&self) -> CrossTenantWaiver {
        CrossTenantWaiver { everywhere: self.allow_cross_tenant_references }
    }
}

/// Choices among steps that lead to the same phase.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StepStyle {
    /// The bridge lets a tenant write its own rows only.
    pub(crate) strict_writes: bool,
    /// Permissive policies of others are replaced.
    pub(crate) adopt: bool,
}

/// Whether rows that reference another tenant's row may stay.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CrossTenantWaiver {
    /// In every table, as the command line said.
    pub(crate) everywhere: bool,
}

//! What was tried, what was expected, what was seen, and what may be said.

use serde::Serialize;
use tenancy_config::TableName;
use tenant_inventory::Way;
use tenant_inventory::claim::examined::{ObjectCheck, TableProof, UncoveredAccess};
use tenant_inventory::claim::finding::Finding;
use tenant_inventory::claim::verdict::{Claim, Verdict};
use tenant_inventory::class::Class;

/// The proof by trying; its JSON is `rls-verify/2`.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The database's name.
    pub database: String,
    /// The application's login, as which the attempts were made.
    pub app_login: String,
    /// Whether writes were tried too, in transactions that were taken back.
    pub wrote: bool,
    /// What may be said.
    pub claim: Claim,
    /// The evidence for tables and partitions.
    pub tables: Vec<TableProof>,
    /// Tables that no policy of ours protects, and what the login can do with them.
    pub beside: Vec<Beside>,
    /// The evidence for everything else.
    pub objects: Vec<ObjectCheck>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What is as it was declared, or concerns other logins only.
    pub notes: Vec<Note>,
}

/// A table that no policy of ours protects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Beside {
    /// The table.
    pub table: TableName,
    /// What it is to the tenants.
    #[serde(flatten)]
    pub class: Class,
    /// What the login can do with it.
    #[serde(flatten)]
    pub access: UncoveredAccess,
}

/// Something that is worth knowing and is not wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The table; none for what concerns all.
    pub table: Option<TableName>,
    /// What it is.
    #[serde(flatten)]
    pub what: NoteKind,
}

/// What a note is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum NoteKind {
    /// A policy that is not ours holds for others than the login.
    PolicyForOthers {
        /// Its name.
        policy: String,
        /// The login.
        login: String,
        /// What the catalog says of it.
        definition: String,
    },
    /// A policy that is not ours is declared.
    AllowedPolicy {
        /// Its name.
        policy: String,
        /// The declared reason.
        why: String,
        /// What the catalog says of it.
        definition: String,
    },
    /// The login has rights on the tenant table, about whose rows nothing is claimed.
    TenantTable {
        /// The role that has them: the login, or one that it can become.
        role: String,
        /// The rights.
        rights: Vec<String>,
    },
    /// Something leads past the policies, and is closed to the login.
    ClosedWay {
        /// What it is.
        way: Box<Way>,
        /// What closes it.
        by: ClosedBy,
    },
}

/// What closes a way past the policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "closed_by", rename_all = "snake_case")]
pub enum ClosedBy {
    /// The login cannot take it.
    Barrier,
    /// The login is or can become an owner whom FORCE holds, and who can switch that off.
    Forced,
    /// The login read the view, and saw no row of another tenant.
    KeepsApart,
    /// No row references a row of another tenant by the key.
    NoCrossing,
    /// `tenancy.toml` says that rows of the table may reference another tenant's (`cross_tenant_references`).
    Declared {
        /// The declared reason.
        why: String,
    },
    /// Somebody has reviewed it.
    Reviewed {
        /// The declared reason.
        why: String,
    },
}

impl std::fmt::Display for ClosedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Barrier => f.write_str("closed"),
            Self::Forced => f.write_str("held by FORCE, which an owner can switch off"),
            Self::KeepsApart => f.write_str("read as the login, it shows no row of another tenant"),
            Self::NoCrossing => f.write_str("no row of one tenant references another's by it"),
            Self::Declared { why } => write!(f, "rows of one tenant may reference another's by it: {why}"),
            Self::Reviewed { why } => write!(f, "reviewed: {why}"),
        }
    }
}

impl VerifyReport {
    /// Whether the claim is proven.
    pub fn is_proven(&self) -> bool {
        self.claim.verdict() == Verdict::Proven
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(table) = &self.table {
            write!(f, "{table}: ")?;
        }
        match &self.what {
            NoteKind::PolicyForOthers { policy, login, definition } => {
                write!(f, "the policy \"{policy}\" is not ours, and holds for others than {login}: {definition}")
            }
            NoteKind::AllowedPolicy { policy, why, definition } => {
                write!(f, "the policy \"{policy}\" is declared ({why}): {definition}")
            }
            NoteKind::TenantTable { role, rights } => write!(
                f,
                "it is the tenant table, which each tenant may read as a whole; {role} has {} on it, and what a foreign key does when a tenant is deleted is done to all of that tenant's rows",
                rights.join(", ")
            ),
            NoteKind::ClosedWay { way, by: ClosedBy::Barrier } => way.fmt(f),
            NoteKind::ClosedWay { way, by } => write!(f, "{way}; {by}"),
        }
    }
}

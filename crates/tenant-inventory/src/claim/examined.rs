//! All that a claim rests on: the tables of the database, and the evidence for them.

use serde::Serialize;
use tenancy_config::TableName;

use super::attempt::AttemptKind;
use super::evidence::Evidence;
use super::finding::Finding;
use crate::catalog::phase::Phase;
use crate::catalog::tables::Absence;
use crate::class::ClassifiedTable;

/// One attempt on a table, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// What was tried.
    pub what: AttemptKind,
    /// The login.
    pub login: String,
    /// What came of it.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// What the attempts on a table, or on a partition of one, showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableProof {
    /// The table or partition.
    pub table: TableName,
    /// The table that a partition belongs to; else the table itself.
    pub root: TableName,
    /// How far its rollout is.
    pub phase: Phase,
    /// The attempts.
    pub attempts: Vec<Attempt>,
}

/// What the login can do with a table that the attempts do not cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "access", rename_all = "snake_case")]
pub enum UncoveredAccess {
    /// The login has no right on it, nor has a role that the login can become.
    None,
    /// It has rights, and row level security is on with policies that are not ours.
    Filtered,
    /// It has rights, and nothing filters it.
    Open {
        /// The role that has them: the login, or one that it can become.
        role: String,
        /// The rights.
        rights: Vec<String>,
    },
}

/// A check of something that is not one table: a view, a function, a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectCheck {
    /// What was checked, by kind and name.
    pub object: String,
    /// What it showed.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// Rows of every tenant that a login of its own reaches before a tenant is known, because it is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// The table.
    pub table: TableName,
    /// The role of that login.
    pub role: String,
    /// What it may do there, with the columns.
    pub rights: Vec<String>,
    /// The declared reason.
    pub why: String,
}

/// All that a claim rests on.
#[derive(Debug, Clone, Copy)]
pub struct Examined<'a> {
    /// The login that the claim is about.
    pub login: &'a str,
    /// Each table of the database.
    pub classes: &'a [ClassifiedTable],
    /// What `tenancy.toml` names and the database lacks.
    pub lost: &'a [Absence],
    /// The evidence for tables.
    pub proofs: &'a [TableProof],
    /// What the login can do with the tables that have a class of their own but no proof.
    pub beside: &'a [(TableName, UncoveredAccess)],
    /// The evidence for everything else.
    pub objects: &'a [ObjectCheck],
    /// What is declared to be reached without a tenant, by a login of its own.
    pub exposures: &'a [Exposure],
    /// What the catalog alone shows to be wrong.
    pub findings: &'a [Finding],
}

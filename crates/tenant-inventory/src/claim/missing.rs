//! What a claim lacks.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;

use super::attempt::AttemptKind;
use super::evidence::Evidence;
use super::examined::{Examined, TableProof, UncoveredAccess};
use super::untried::Untried;
use crate::catalog::tables::MissingPart;
use crate::class::{Class, ClassifiedTable};

/// Something without which nothing is proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "missing", rename_all = "snake_case")]
pub enum Missing {
    /// The database has no table whose rows belong to tenants: it may be the wrong one.
    NoTables,
    /// The tenant table is not there.
    NoRegistry,
    /// `tenancy.toml` names a table that is not there, or that lost its tenant column.
    Lost {
        /// The table.
        table: TableName,
        /// What is not there.
        what: MissingPart,
    },
    /// Nothing was tried on a table whose rows belong to tenants, or look as if they did.
    NotCovered {
        /// The table.
        table: TableName,
        /// What it is to the tenants.
        #[serde(flatten)]
        class: Class,
    },
    /// Attempts on a table were not made.
    Untried {
        /// The table or partition.
        table: TableName,
        /// The attempts.
        what: Vec<AttemptKind>,
        /// Why they were not made; none where nobody says.
        because: Option<Untried>,
    },
    /// Something else was not checked.
    Unchecked {
        /// What.
        object: String,
        /// Why.
        because: Untried,
    },
}

/// So many attempts are named in a sentence, which only counts the others.
const NAMED: usize = 3;

/// Everything that is missing.
pub(super) fn all(examined: &Examined<'_>) -> Vec<Missing> {
    let mut missing = Vec::new();
    if !examined.classes.iter().any(|table| table.class == Class::Registry) {
        missing.push(Missing::NoRegistry);
    }
    if !examined.classes.iter().any(|table| table.class.is_protected()) {
        missing.push(Missing::NoTables);
    }
    missing.extend(examined.lost.iter().map(|lost| Missing::Lost { table: lost.table.clone(), what: lost.what }));
    missing.extend(examined.classes.iter().filter_map(|table| uncovered(table, examined)));
    for proof in examined.proofs {
        missing.extend(untried(proof, examined.login));
    }
    let unchecked = examined.objects.iter().filter_map(|check| match &check.evidence {
        Evidence::NotTried { because } => {
            Some(Missing::Unchecked { object: check.object.clone(), because: because.clone() })
        }
        _ => None,
    });
    missing.extend(unchecked);
    missing
}

fn uncovered(table: &ClassifiedTable, examined: &Examined<'_>) -> Option<Missing> {
    let not_covered = || Some(Missing::NotCovered { table: table.table.clone(), class: table.class.clone() });
    match &table.class {
        Class::Tenant { .. } | Class::Platform { .. } | Class::Shared { .. } | Class::Through { .. } => {
            let is_there = examined.proofs.iter().any(|proof| proof.root == table.table);
            if is_there { None } else { not_covered() }
        }
        Class::Dependent { .. } | Class::Suspect { .. } | Class::Unhandled { .. } => {
            let access = examined.beside.iter().find(|(name, _)| *name == table.table).map(|(_, access)| access);
            // Nobody reaches the one; the other is a finding.
            if matches!(access, Some(UncoveredAccess::None | UncoveredAccess::Open { .. })) {
                None
            } else {
                not_covered()
            }
        }
        Class::Registry | Class::Exempt { .. } | Class::Extension { .. } | Class::Unrelated => None,
    }
}

/// The attempts that a claim needs of a table and that do not hold for the login, nor are broken.
pub(super) fn untried(proof: &TableProof, login: &str) -> Vec<Missing> {
    let mut missing: Vec<(Option<Untried>, Vec<AttemptKind>)> = Vec::new();
    for what in AttemptKind::ALL {
        let of_kind: Vec<&Evidence> = proof
            .attempts
            .iter()
            .filter(|attempt| attempt.what == what && attempt.login == login)
            .map(|attempt| &attempt.evidence)
            .collect();
        let failed = of_kind.iter().find_map(|evidence| match evidence {
            Evidence::NotTried { because } => Some(Some(because.clone())),
            _ => None,
        });
        let absent = of_kind.is_empty() && AttemptKind::required().any(|required| required == what);
        let Some(because) = failed.or(absent.then_some(None)) else { continue };
        match missing.iter_mut().find(|(known, _)| *known == because) {
            Some((_, kinds)) => kinds.push(what),
            None => missing.push((because, vec![what])),
        }
    }
    missing.into_iter().map(|(because, what)| Missing::Untried { table: proof.table.clone(), what, because }).collect()
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTables => f.write_str("no table has a tenant column: this may be the wrong database"),
            Self::NoRegistry => f.write_str("no table is the tenant table: [tenant] table in tenancy.toml names none"),
            Self::Lost { table, what: MissingPart::Table } => {
                write!(f, "{table} stands in tenancy.toml and is not there")
            }
            Self::Lost { table, what: MissingPart::TenantColumn } => {
                write!(f, "{table} stands in tenancy.toml and has no tenant column")
            }
            Self::Lost { table, what: MissingPart::TrustedOwner } => {
                write!(f, "{table} belongs to a role that is not trusted, and was not read")
            }
            Self::NotCovered { table, class } => write!(f, "{table} was not tried: {class}"),
            Self::Untried { table, what, because } => {
                let because = because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
                let named: Vec<String> = what.iter().take(NAMED).map(ToString::to_string).collect();
                let more = what.len() - named.len();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                write!(f, "{table}: not tried, {}{more}{because}", named.join(", "))
            }
            Self::Unchecked { object, because } => write!(f, "{object} was not checked: {because}"),
        }
    }
}

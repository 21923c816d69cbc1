//! The claim itself.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;

use super::attempt::AttemptKind;
use super::breach::Breach;
use super::evidence::Evidence;
use super::examined::{Examined, Exposure, TableProof, UncoveredAccess};
use super::missing::{self, Missing};
use super::untried::Untried;
use crate::class::{Class, ClassifiedTable};

/// How sure it is that the login stays inside one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Tried or known by definition, with nothing left out.
    Proven,
    /// Something is missing, which the claim names.
    Unproven,
    /// Somebody reaches what is another tenant's.
    Disproven,
}

/// Attempts that the definition of a table stands in for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ByDefinition {
    /// The table.
    pub table: TableName,
    /// The attempts.
    pub what: Vec<AttemptKind>,
    /// Why they were not made.
    #[serde(flatten)]
    pub because: Untried,
}

/// What may be said. Only [`Claim::of`] makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
    verdict: Verdict,
    sentence: String,
    login: String,
    covered: Vec<TableName>,
    missing: Vec<Missing>,
    by_definition: Vec<ByDefinition>,
    exempt: Vec<Exempt>,
    registry: Option<TableName>,
    exposures: Vec<Exposure>,
}

/// A table that was declared to need no tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exempt {
    /// The table.
    pub table: TableName,
    /// The declared reason.
    pub why: String,
}

impl Claim {
    /// What is declared to be reached without a tenant, by a login of its own.
    pub fn exposures(&self) -> &[Exposure] {
        &self.exposures
    }

    /// Computes what may be said.
    pub fn of(examined: &Examined<'_>) -> Self {
        let missing = missing::all(examined);
        let attempts = examined.proofs.iter().flat_map(|proof| proof.attempts.iter().map(|attempt| &attempt.evidence));
        let objects = examined.objects.iter().map(|check| &check.evidence);
        let found = examined.findings.iter().map(|finding| &finding.breach);
        let breaches: Vec<&Breach> = attempts.chain(objects).filter_map(Evidence::breach).chain(found).collect();
        let open = examined.beside.iter().any(|(_, access)| matches!(access, UncoveredAccess::Open { .. }));
        let verdict = if open || breaches.iter().any(|breach| breach.crosses_tenants()) {
            Verdict::Disproven
        } else if breaches.is_empty() && missing.is_empty() {
            Verdict::Proven
        } else {
            Verdict::Unproven
        };
        let of_class = |table: &ClassifiedTable| match &table.class {
            Class::Exempt { why } => Some(Exempt { table: table.table.clone(), why: why.clone() }),
            _ => None,
        };
        let covered = covered(examined);
        Self {
            verdict,
            sentence: sentence(verdict, examined.login, covered.len()),
            login: examined.login.to_owned(),
            covered,
            missing,
            by_definition: by_definition(examined),
            exposures: examined.exposures.to_vec(),
            exempt: examined.classes.iter().filter_map(of_class).collect(),
            registry: examined.classes.iter().find(|table| table.class == Class::Registry).map(|t| t.table.clone()),
        }
    }

    /// How sure it is.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What is missing.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// The tables whose attempts all hold.
    pub fn covered(&self) -> &[TableName] {
        &self.covered
    }

    /// What was not tried because the definition says how it goes.
    pub fn by_definition(&self) -> &[ByDefinition] {
        &self.by_definition
    }

    /// The tables that were declared to need no tenant.
    pub fn exempt(&self) -> &[Exempt] {
        &self.exempt
    }

    /// The tenant table, about whose own rows nothing is claimed.
    pub fn registry(&self) -> Option<&TableName> {
        self.registry.as_ref()
    }

    /// What is outside of each claim of this kind.
    pub fn not_claimed() -> &'static str {
        "Not claimed: what errors of unique and foreign keys tell, the planner's estimates, timing, statistics, texts of statements \
         (pg_stat_activity), and the server's log; rows of the tenant table itself, \
         and of tables from which no column and no foreign key leads to a tenant."
    }
}

/// The tables for which each attempt that a claim needs holds.
fn covered(examined: &Examined<'_>) -> Vec<TableName> {
    let holds = |proof: &TableProof| {
        missing::untried(proof, examined.login).is_empty()
            && proof.attempts.iter().all(|attempt| attempt.evidence.holds())
    };
    let holds = |table: &&ClassifiedTable| {
        let mut proofs = examined.proofs.iter().filter(|proof| proof.root == table.table).peekable();
        proofs.peek().is_some() && proofs.all(holds)
    };
    examined.classes.iter().filter(holds).map(|table| table.table.clone()).collect()
}

fn by_definition(examined: &Examined<'_>) -> Vec<ByDefinition> {
    let mut all: Vec<ByDefinition> = Vec::new();
    for proof in examined.proofs {
        for attempt in &proof.attempts {
            let Evidence::HeldByDefinition { because } = &attempt.evidence else { continue };
            match all.iter_mut().find(|known| known.table == proof.table && known.because == *because) {
                Some(known) => known.what.push(attempt.what),
                None => all.push(ByDefinition {
                    table: proof.table.clone(),
                    what: vec![attempt.what],
                    because: because.clone(),
                }),
            }
        }
    }
    all
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Proven => "proven",
            Self::Unproven => "unproven",
            Self::Disproven => "disproven",
        })
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

fn sentence(verdict: Verdict, login: &str, covered: usize) -> String {
    let tables = if covered == 1 { "table" } else { "tables" };
    match verdict {
        Verdict::Proven => format!(
            "proven: {login} reads and writes the rows of one tenant at a time, in each of {covered} {tables} whose rows belong to tenants"
        ),
        Verdict::Unproven => format!(
            "unproven: {login} was held to one tenant in {covered} {tables}, and something is missing for the rest, or wrong"
        ),
        Verdict::Disproven => format!("disproven: {login} reaches what is another tenant's"),
    }
}

//! No claim holds more than its evidence, for inventories and evidence drawn at random.

use proptest::prelude::*;
use tenancy_config::{Ident, TableName};

use super::attempt::AttemptKind;
use super::breach::{Breach, Whose};
use super::evidence::Evidence;
use super::examined::{Attempt, Examined, ObjectCheck, TableProof, UncoveredAccess};
use super::finding::Finding;
use super::lack::Lack;
use super::untried::Untried;
use super::verdict::{Claim, Verdict};
use crate::catalog::phase::Phase;
use crate::catalog::tables::{Absence, MissingPart};
use crate::class::{Class, ClassifiedTable, Suspicion, Unhandled};

const APP: &str = "app";

fn name(number: usize) -> TableName {
    TableName::new(Ident::new("public").unwrap(), Ident::new(format!("t{number}")).unwrap())
}

fn reached() -> Breach {
    Breach::Reached {
        what: AttemptKind::ReadOther,
        login: APP.into(),
        rows: Some(3),
        whose: Whose::OtherTenants,
        through: Vec::new(),
    }
}

fn evidence() -> impl Strategy<Value = Evidence> {
    prop_oneof![
        40 => Just(Evidence::Held),
        10 => Just(Evidence::HeldByDefinition { because: Untried::OneTenant }),
        1 => Just(Evidence::NotTried { because: Untried::NoKey }),
        1 => Just(Evidence::Broken { breach: reached() }),
    ]
}

fn class() -> impl Strategy<Value = Class> {
    prop_oneof![
        8 => Just(Class::Tenant { column: "c".into() }),
        2 => Just(Class::Platform { column: "c".into(), why: None }),
        2 => Just(Class::Through { column: "p".into(), table: name(97) }),
        4 => Just(Class::Unrelated),
        2 => Just(Class::Exempt { why: "a reason".into() }),
        1 => Just(Class::Dependent { through: Vec::new() }),
        1 => Just(Class::Suspect { why: Suspicion::ColumnName { column: "org".into() } }),
        1 => Just(Class::Unhandled { column: "c".into(), why: Unhandled::Generated }),
    ]
}

/// Whether a table has a proof; then whether each attempt is there (by number), and its evidence.
type DrawnProof = Option<(Vec<Evidence>, Option<usize>)>;

#[derive(Debug, Clone)]
struct Drawn {
    classes: Vec<ClassifiedTable>,
    proofs: Vec<TableProof>,
    beside: Vec<(TableName, UncoveredAccess)>,
    objects: Vec<ObjectCheck>,
    findings: Vec<Finding>,
    lost: Vec<Absence>,
}

impl Drawn {
    fn examined(&self) -> Examined<'_> {
        Examined {
            login: APP,
            classes: &self.classes,
            lost: &self.lost,
            proofs: &self.proofs,
            beside: &self.beside,
            objects: &self.objects,
            exposures: &[],
            findings: &self.findings,
        }
    }
}

fn proof() -> impl Strategy<Value = DrawnProof> {
    let left_out = prop_oneof![12 => Just(None), 1 => (0..AttemptKind::ALL.len()).prop_map(Some)];
    let evidences = proptest::collection::vec(evidence(), AttemptKind::ALL.len());
    prop_oneof![9 => (evidences, left_out).prop_map(Some), 1 => Just(None)]
}

fn access() -> impl Strategy<Value = Option<UncoveredAccess>> {
    prop_oneof![
        4 => Just(Some(UncoveredAccess::None)),
        1 => Just(Some(UncoveredAccess::Filtered)),
        1 => Just(Some(UncoveredAccess::Open { role: APP.into(), rights: vec!["SELECT".into()] })),
        1 => Just(None),
    ]
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let tables = proptest::collection::vec((class(), proof(), access()), 0..5);
    let objects = proptest::collection::vec(evidence(), 0..3);
    let finding = prop_oneof![8 => Just(None), 1 => Just(Some(reached())), 1 => Just(Some(Breach::Incomplete { lacks: vec![Lack::Index] }))];
    (tables, objects, finding, proptest::bool::weighted(0.05), proptest::bool::weighted(0.9)).prop_map(
        |(tables, objects, finding, lost, registry)| {
            let classified = |number: usize, class: Class| ClassifiedTable {
                stranger: None,
                table: name(number),
                owner: "owner".into(),
                rls_enabled: true,
                rls_forced: true,
                class,
            };
            let mut drawn = Drawn {
                classes: registry.then(|| classified(99, Class::Registry)).into_iter().collect(),
                proofs: Vec::new(),
                beside: Vec::new(),
                objects: Vec::new(),
                findings: finding.map(|breach| Finding { table: None, breach }).into_iter().collect(),
                lost: lost
                    .then(|| Absence { table: name(98), what: MissingPart::Table, owner: None })
                    .into_iter()
                    .collect(),
            };
            for (number, (class, proof, access)) in tables.into_iter().enumerate() {
                let is_protected = is_tenants(&class);
                drawn.classes.push(classified(number, class));
                if let Some((evidences, left_out)) = proof.filter(|_| is_protected) {
                    let attempts = AttemptKind::ALL.into_iter().zip(evidences).enumerate();
                    let attempts = attempts
                        .filter(|(position, _)| Some(*position) != left_out)
                        .map(|(_, (what, evidence))| Attempt { what, login: APP.into(), evidence });
                    drawn.proofs.push(TableProof {
                        table: name(number),
                        root: name(number),
                        phase: Phase::Enforce,
                        attempts: attempts.collect(),
                    });
                }
                drawn.beside.extend(access.map(|access| (name(number), access)));
            }
            drawn.objects =
                objects.into_iter().map(|evidence| ObjectCheck { object: "the view v".into(), evidence }).collect();
            drawn
        },
    )
}

fn is_tenants(class: &Class) -> bool {
    matches!(class, Class::Tenant { .. } | Class::Platform { .. } | Class::Through { .. })
}

/// Whether what was drawn says that a table holds, told once more without the code under test.
fn holds(drawn: &Drawn, table: &ClassifiedTable) -> bool {
    match &table.class {
        class if is_tenants(class) => drawn.proofs.iter().any(|proof| {
            let tried = |what: AttemptKind| {
                what == AttemptKind::ReadPlatform || proof.attempts.iter().any(|attempt| attempt.what == what)
            };
            proof.table == table.table
                && AttemptKind::ALL.into_iter().all(tried)
                && proof.attempts.iter().all(|attempt| attempt.evidence.holds())
        }),
        Class::Dependent { .. } | Class::Suspect { .. } | Class::Unhandled { .. } => {
            drawn.beside.iter().any(|(name, access)| *name == table.table && *access == UncoveredAccess::None)
        }
        _ => true,
    }
}

fn reaches_others(drawn: &Drawn) -> bool {
    let broken = |evidence: &Evidence| evidence.breach().is_some();
    drawn.proofs.iter().flat_map(|proof| &proof.attempts).any(|attempt| broken(&attempt.evidence))
        || drawn.objects.iter().any(|check| broken(&check.evidence))
        || drawn.findings.iter().any(|finding| finding.breach == reached())
        || drawn.beside.iter().any(|(_, access)| matches!(access, UncoveredAccess::Open { .. }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_is_proven_beyond_what_the_evidence_holds(drawn in drawn()) {
        let claim = Claim::of(&drawn.examined());
        let complete = drawn.classes.iter().all(|table| holds(&drawn, table))
            && drawn.classes.iter().any(|table| table.class == Class::Registry)
            && drawn.classes.iter().any(|table| is_tenants(&table.class))
            && drawn.objects.iter().all(|check| check.evidence.holds())
            && drawn.findings.is_empty()
            && drawn.lost.is_empty()
            && !reaches_others(&drawn);
        prop_assert_eq!(claim.verdict() == Verdict::Proven, complete, "{:#?}", claim);
        prop_assert_eq!(claim.verdict() == Verdict::Disproven, reaches_others(&drawn), "{:#?}", claim);
        if claim.verdict() == Verdict::Unproven {
            prop_assert!(!claim.missing().is_empty() || !drawn.findings.is_empty());
        }
        for table in claim.covered() {
            let class = drawn.classes.iter().find(|known| known.table == *table).unwrap();
            prop_assert!(holds(&drawn, class));
        }
    }
}

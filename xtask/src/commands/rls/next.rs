//! What is to be done next, from what a report of `rls` found.

use std::collections::BTreeSet;

use rls_rollout::{Remedy, RolloutCoverage};
use tenancy_config::{CommandRef, Hint};
use tenant_inventory::coverage::Cover;

/// What lets stopped tables go on. `again` ends each sentence with what is run after it.
pub(super) fn for_stopped(remedies: BTreeSet<Remedy>, again: &Hint) -> impl Iterator<Item = Hint> {
    remedies.into_iter().map(move |remedy| for_one(remedy).then("; then ").then_hint(again.clone()))
}

fn for_one(remedy: Remedy) -> Hint {
    let next = Hint::from("Next: ");
    match remedy {
        Remedy::Rows => next.then_run(CommandRef::Audit).then(" shows the rows that are in the way"),
        Remedy::Counting => next.then_run(CommandRef::Audit).then(" shows what could not be counted, and what helps"),
        Remedy::Definition => {
            next.then_run(CommandRef::Inventory).then(" shows the tables that cannot be protected, and why")
        }
        Remedy::Policies => next
            .then_run(CommandRef::RlsStatus)
            .then(" shows the policies of others: drop them, or let --adopt replace those that it can"),
        Remedy::Login => next
            .then_run(CommandRef::RlsStatus)
            .then(" shows what the application's role is and can become: give it a login that policies filter"),
        Remedy::DeclaredLogin => next
            .then_run(CommandRef::RlsStatus)
            .then(" shows what a declared login lacks, and what helps"),
        Remedy::Parent => next.then("see above for the tables through which those belong to tenants"),
        Remedy::Locks => next.then(
            "end the sessions that hold the locks, or wait for them (--lock-timeout waits longer, and so does everybody else)",
        ),
        Remedy::ServerMessage => next.then("mend what the server said of the tables above"),
    }
}

/// What to do about tables of the database that a report does not cover, if there are any.
pub(super) fn for_uncovered(coverage: &RolloutCoverage) -> Option<Hint> {
    let mut dependent = coverage.coverage.open().filter(|table| matches!(table.cover, Cover::Dependent { .. }));
    let next = Hint::from("Next: ");
    match (dependent.next(), dependent.next()) {
        (Some(_), Some(_)) => {
            let next = next.then_run(CommandRef::RlsPlanAddColumns);
            return Some(next.then(" shows how the tables that depend on others get a tenant column; `through` in tenancy.toml does without one."));
        }
        (Some(one), None) => {
            let next = next.then_run(CommandRef::RlsPlanAddColumn { table: one.table.to_string() });
            return Some(next.then(" shows how a table that depends on another gets a tenant column; `through` in tenancy.toml does without one."));
        }
        (None, _) => {}
    }
    let open = coverage.has_findings() || coverage.coverage.open().next().is_some();
    open.then(|| {
        Hint::from("Next: ").then_run(CommandRef::Inventory).then(" shows why the tables beside these are not covered.")
    })
}

/// What to do when nothing is left for a rollout.
pub(super) fn verify() -> Hint {
    Hint::from("Next: ").then_run(CommandRef::RlsVerify).then(" tries to get past the policies.")
}

//! What may be said about a database, computed from its tables and from the evidence.
//!
//! [`verdict::Claim::of`] is the only way to a claim, so no report says more than its inventory and its evidence hold. A claim is *proven* if the tables
//! cover whatever may belong to a tenant, each with evidence of each kind; *disproven* if somebody reaches what is another tenant's; else
//! *unproven*, with what is missing.

pub mod attempt;
pub mod breach;
pub mod evidence;
pub mod examined;
pub mod finding;
pub mod lack;
pub mod missing;
pub mod untried;
pub mod verdict;

#[cfg(test)]
mod tests;

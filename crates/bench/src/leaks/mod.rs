//! `bench leaks`: plants one way around the policies at a time in a database at `enforce`, and looks whether `rls verify` finds it.
//!
//! | where | what |
//! | --- | --- |
//! | `corpus` | the cases, from the files in `crates/bench/leaks/` |
//! | `database` | the database that cases are planted in, and a copy of it for each |
//! | `proof` | what the application's login does with a leak: each case proves by plain SQL that it is one |
//! | `oracle` | whether the application's login reaches another tenant's rows at all, by plain SQL |
//! | `verdict` | what a report of `rls verify` says, and what it names |
//! | `other_tool` | the same cases with a linter that is installed |
//! | `run` | one case after the other |

pub(crate) mod corpus;
pub mod database;
pub mod oracle;
pub(crate) mod other_tool;
mod probes;
pub(crate) mod proof;
pub mod report;
pub mod run;
pub mod verdict;

//! Proposes a `tenancy.toml` for a database that nobody has described, and keeps one up to date. It reads the catalog; of the tenant table the
//! states that its rows have; and of tables with polymorphic columns of which tables these hold keys.
//!
//! Nothing is invented: a name that is written stands in the catalog, and what is undecided stands in a comment.

mod answers;
mod app_role;
mod draft;
mod error;
mod facts;
mod new_registry;
mod outdated;
mod propose;
mod proposed;
mod registry;
mod registry_columns;
mod session;
mod states;
mod table_notes;
mod table_writer;
mod update;
mod words;

pub use answers::{Answers, Question};
pub use error::{Error, Result};
pub use outdated::{Refreshed, refreshed};
pub use propose::{Additions, Proposal, ProposalOrQuestion, additions, propose};
pub use registry::{RegistryCandidate, RegistryChoice, RegistryClue};
pub use update::{FileComparison, compare, lost, updated};

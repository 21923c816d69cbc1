//! Proof by trying: as the application's own login, under every value of the session variable, and from the catalog.
//!
//! | where | what |
//! | --- | --- |
//! | `verify` | all tables, the policies of others, and the ways past them |
//! | `attempts` | what is tried on one table: to read, and with `attempts::writes` to write |
//! | `attempts::outcome` | what an answer of the server says about an attempt |
//! | `attempts::rows`, `attempts::key`, `attempts::columns` | the rows to try with, how a statement finds them, how one is copied |
//! | `ways` | what leads past the policies: which of it is open to the login |
//! | `ways::view`, `ways::key` | a view is read, and rows are asked whether a key crosses tenants |
//! | `report` | what was tried, what was expected, what was seen |

mod attempts;
mod error;
mod report;
mod same_database;
mod verify;
mod ways;

pub use error::{Error, Result};
pub use report::{Attempt, AttemptKind, Evidence, Finding, TableProof, VerifyReport};
pub use verify::{VerifyOptions, verify};

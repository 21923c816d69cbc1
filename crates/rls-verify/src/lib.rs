//! Proof by trying: as the application's own login, under every value of the session variable, and from the catalog.
//!
//! | where | what |
//! | --- | --- |
//! | `verify` | the flow: all tables, what stands beside them, and the ways past the policies |
//! | `attempts` | what is tried on one table: to read, and with `attempts::writes` to write |
//! | `attempts::outcome` | what an answer of the server says about an attempt |
//! | `attempts::rows`, `attempts::key`, `attempts::columns` | the rows to try with, how a statement finds them, how one is copied |
//! | `definition` | where the definition of a table stands in for an attempt that was not made |
//! | `policies` | what the catalog alone shows to be wrong with a table |
//! | `beside` | what the login can do with tables that no policy of ours protects |
//! | `ways` | views and functions past the policies: whether the login can use them |
//! | `ways::logins` | what the login is or can become that no policy filters |
//! | `report` | what was tried, what was expected, what was seen |
//!
//! What may be said of all that is computed by [`tenant_inventory::claim`].

mod attempts;
mod beside;
mod definition;
mod error;
mod policies;
mod report;
mod same_database;
mod verify;
mod ways;

pub use error::{Error, Result};
pub use report::{Beside, Note, NoteKind, VerifyReport};
pub use verify::{VerifyOptions, verify};

//! Proof by trying: as the application's own login, under every value of the session variable, and from the catalog.
//!
//! | where | what |
//! | --- | --- |
//! | `verify` | the flow: all tables, what stands beside them, and the ways past the policies |
//! | `table` | one table or partition: its policies, its attempts |
//! | `attempts` | what is tried on one table: to read; to write a row (`attempts::writes`); to write without a condition (`attempts::unqualified`) |
//! | `attempts::outcome` | what an answer of the server says about an attempt |
//! | `attempts::rows`, `attempts::key`, `attempts::columns` | the rows to try with, how a statement finds them, how one is copied |
//! | `definition` | where the definition of a table stands in for an attempt that was not made |
//! | `policies` | what the catalog alone shows to be wrong with a table |
//! | `settings` | what the settings of the login do to policies |
//! | `memberships` | what it reads of its user's memberships, before a tenant is chosen |
//! | `declared_login` | what the logins of sign-in and of jobs reach without a tenant |
//! | `beside` | what the login can do with tables that no policy of ours protects |
//! | `ways` | what leads past the policies: which of it is open to the login |
//! | `ways::view`, `ways::key` | a view is read, and rows are asked whether a key crosses tenants |
//! | `report` | what was tried, what was expected, what was seen |
//!
//! What may be said of all that is computed by [`tenant_inventory::claim`].

mod attempts;
mod beside;
mod declared_login;
mod definition;
mod error;
mod found;
mod login_writes;
mod memberships;
mod options;
mod policies;
mod report;
mod same_database;
mod settings;
mod table;
mod verify;
mod ways;

pub use error::{Error, Result};
pub use options::VerifyOptions;
pub use report::{Beside, ClosedBy, Note, NoteKind, VerifyReport};
pub use verify::verify;

//! What is wrong now: rows without a tenant, with a tenant that does not exist, or that reference another tenant's rows;
//! and what a table lacks of column, index and constraints.
//!
//! It cannot undercount: a table is read by a role that was proven to see all of its rows, all tables are read in one
//! snapshot, and a table that cannot be read, or that the snapshot cannot show whole, is a finding, never a smaller number.

mod access;
mod audit;
mod error;
mod next_steps;
mod readers;
mod report;
mod table_count;
mod uncounted;

pub use access::access;
pub use audit::{AuditOptions, AuditProgress, audit};
pub use error::{Error, Result};
pub use report::{AuditReport, AuditTotals, CrossReference, Declaration, Declared, MissingPiece, SCHEMA, TableReport};
pub use uncounted::{CountPart, Uncounted, UncountedPart, UncountedTable};

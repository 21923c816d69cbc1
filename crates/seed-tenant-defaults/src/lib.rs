//! Job: gives each tenant the default settings that it lacks, and never changes what is there.
//!
//! One tenant is one transaction in that tenant's scope, several at a time; a unique key of the database decides whether a row is there,
//! not a look beforehand. What is inserted stands in `tenant-defaults.toml`.

mod cells;
mod create;
mod defaults;
mod error;
mod identities;
mod list;
mod options;
mod plan;
mod report;
mod seed;
mod source;

pub use defaults::Defaults;
pub use error::{Error, Result};
pub use list::{CheckedList, ListError};
pub use options::{SeedEvent, SeedOptions, Selection};
pub use report::{SeedOutcome, SeedReport, TableCount, TenantLine, TenantResult};
pub use seed::seed_tenant_defaults;

//! Job: gives each tenant the default settings that it lacks, and never changes what is there.
//!
//! Each tenant is seeded in a transaction of its own, in that tenant's scope, several at a time. A unique key of the database decides
//! whether a row is there, and not a query beforehand. `tenant-defaults.toml` has what is inserted.

mod create;
mod defaults;
mod duplicates;
mod error;
mod failure;
mod list;
mod options;
mod plan;
mod report;
mod seed;
mod tenants;

pub use defaults::Defaults;
pub use error::{Error, ListError, Result};
pub use failure::SeedFailure;
pub use list::CheckedList;
pub use list::slug_fault::SlugFault;
pub use options::{SeedEvent, SeedOptions, TenantSelection};
pub use report::{SeedOutcome, SeedReport, SeededTable, TenantLine, TenantResult};
pub use seed::seed_tenant_defaults;

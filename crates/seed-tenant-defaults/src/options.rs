//! Which tenants a seed is for, how it runs, and the events that it sends.

use crate::list::CheckedList;
use crate::report::TenantLine;

/// Tenants that are looked up at once.
pub(crate) const CHUNK: usize = 500;

/// Which tenants get their defaults.
#[derive(Debug, Clone)]
pub enum TenantSelection {
    /// One tenant.
    One {
        /// Its id or slug.
        tenant: String,
        /// The organization's name, if it is to be another than the slug.
        organization_name: Option<String>,
    },
    /// Every tenant in use.
    All,
    /// Those that a CSV file names.
    List(CheckedList),
}

/// Options of one run.
#[derive(Debug, Clone)]
pub struct SeedOptions {
    /// For whom.
    pub whom: TenantSelection,
    /// Also for tenants that are not in use, such as suspended ones.
    pub include_inactive: bool,
    /// Makes tenants that are not there.
    pub create: bool,
    /// Do all but the commit.
    pub dry_run: bool,
    /// Tenants that are worked on at once, each on a connection of its own; looking tenants up takes two more.
    pub connections: usize,
}

impl SeedOptions {
    /// A run with the defaults of the command line.
    pub fn new(whom: TenantSelection) -> Self {
        Self { whom, include_inactive: false, create: false, dry_run: false, connections: 8 }
    }
}

/// An event of a running seed.
#[derive(Debug, Clone, Copy)]
pub enum SeedEvent<'a> {
    /// The defaults fit the database; tenants are seeded from here on.
    Started {
        /// How many there are; unknown where all are listed on the way.
        tenants: Option<u64>,
    },
    /// One tenant is done with. They come in the order in which they end.
    Tenant(&'a TenantLine),
}

//! The options that say how much data a seed of the local database plants.

use clap::Args;
use local_db::Seed;

/// How much data `seed` and `demo` plant.
#[derive(Debug, Clone, Args)]
pub(crate) struct DemoSeedOptions {
    /// Number of tenants, of very different size
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) tenants: u32,
    /// Number of bookings; other tables follow
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) bookings: u32,
    /// Same number, same data
    #[arg(long, default_value_t = 42, value_name = "N")]
    pub(crate) seed: u64,
}

impl From<&DemoSeedOptions> for Seed {
    fn from(options: &DemoSeedOptions) -> Self {
        Self { tenants: options.tenants, bookings: options.bookings, seed: options.seed }
    }
}

//! Whether there is room for what a benchmark makes.

use crate::databases::Databases;
use crate::error::{Error, Result};

/// What a booking takes at most while it is planted and measured: in the template with its part of the other tables and of the
/// indexes, in the copy, and there once more where it is given its tenant.
const BYTES_PER_BOOKING: u64 = 2_500;

/// The server's log grows to `max_wal_size` and somewhat more, and a copy of small tables takes something, too.
const BYTES_OF_LOG: u64 = 5 << 30;

/// Refuses to fill the disk of the server, which is on this machine.
///
/// # Errors
/// [`Error::DiskSpace`], which says how much is missing.
pub(crate) async fn check(
    databases: &mut Databases,
    bookings: u32,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<()> {
    let path = databases.data_directory().await?;
    let free = local_db::free_space(&path)?;
    let needed = needed(bookings);
    progress(&format!("disk: {} needed, {} free", gib(needed), gib(free)));
    if free < needed { Err(Error::DiskSpace { needed: gib(needed), free: gib(free), path }) } else { Ok(()) }
}

fn needed(bookings: u32) -> u64 {
    // A small benchmark writes no more log than data.
    let data = u64::from(bookings) * BYTES_PER_BOOKING;
    data + data.min(BYTES_OF_LOG)
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

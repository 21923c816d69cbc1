//! The connection that was used last, for whoever comes next. A pool asks a connection whether it still answers when it is given out and again
//! when it is given back: in a row of short transactions these are two of every eight round trips. It also takes turns between its connections, each
//! of which then learns anew what the others' statements made of a table.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::Postgres;
use sqlx::pool::PoolConnection;

/// A connection that rested for longer is given to the pool, which asks whether it still answers.
const FRESH: Duration = Duration::from_secs(1);

/// Holds at most one connection, and only while nobody waits for the pool.
#[derive(Default)]
pub(super) struct Recent(Mutex<Slot>);

#[derive(Default)]
struct Slot {
    held: Option<(PoolConnection<Postgres>, Instant)>,
    waiting: usize,
}

/// Somebody who waits for a connection of the pool.
pub(super) struct Waiting<'a>(&'a Recent);

impl Recent {
    /// The connection, if one was just used; else the caller waits for the pool.
    pub(super) fn take(&self) -> Result<PoolConnection<Postgres>, Waiting<'_>> {
        let mut slot = self.slot();
        let held = slot.held.take();
        if let Some((connection, since)) = held
            && since.elapsed() < FRESH
        {
            return Ok(connection);
        }
        slot.waiting += 1;
        Err(Waiting(self))
    }

    /// The caller waits for the pool, which gets the connection that was held.
    pub(super) fn wait(&self) -> Waiting<'_> {
        let mut slot = self.slot();
        slot.waiting += 1;
        drop(slot.held.take());
        Waiting(self)
    }

    /// Keeps a connection on which no transaction is open for the next one, or gives it to the pool.
    /// A pool that is closed waits for it.
    pub(super) fn put(&self, connection: PoolConnection<Postgres>, is_closed: impl FnOnce() -> bool) {
        let mut slot = self.slot();
        if slot.waiting == 0 && slot.held.is_none() && !is_closed() {
            slot.held = Some((connection, Instant::now()));
        }
    }

    /// The connection, however long it rested.
    pub(super) fn remove(&self) -> Option<PoolConnection<Postgres>> {
        self.slot().held.take().map(|(connection, _)| connection)
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.slot().waiting -= 1;
    }
}

impl Drop for Recent {
    fn drop(&mut self) {
        // The pool takes it back in a task, for which there may be no runtime any more.
        if let Some((connection, _)) = self.slot().held.take()
            && tokio::runtime::Handle::try_current().is_err()
        {
            drop(connection.leak());
        }
    }
}

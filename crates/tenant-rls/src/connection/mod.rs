//! Connections, what their sessions may do, and their transactions.

pub(crate) mod database;
pub(crate) mod direct;
mod options;
mod recent;
pub(crate) mod same_database;
pub(crate) mod session;
pub(crate) mod transaction;

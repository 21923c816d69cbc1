//! A real PostgreSQL for developers, started by the project itself, and its demo data.
//!
//! [`LocalDb`] is the developer's database in `.local-db/`, with the tables of [`schema`] and the data of [`demo`]. It
//! uses installed server programs, or else those that npm installs ([`Programs`]). The parts of [`server`] are public
//! for the servers of tests.

#[cfg(not(unix))]
compile_error!("this workspace runs on Linux and macOS; on Windows, build and run it inside WSL2");

mod cluster;
pub mod demo;
mod disk;
mod error;
pub mod psql;
mod role;
pub mod schema;
mod secret;
pub mod server;
mod versions;

pub use cluster::database::{ClusterChange, LocalDb, LocalOptions, Running};
pub use cluster::loss::{Loss, Sessions, Stored};
pub use cluster::reset::Reset;
pub use cluster::start::StartOptions;
pub use cluster::status::{ClusterState, Status};
pub use demo::{Planted, Seed};
pub use disk::free_space;
pub use error::{Error, Result};
pub use role::Role;
pub use secret::{ClusterSecret, login};
pub use server::programs::Programs;
pub use versions::{NEWEST, OLDEST};

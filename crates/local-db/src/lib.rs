//! A real PostgreSQL for developers and tests, started by the project itself.
//!
//! [`LocalDb`] is the developer's database in `.local-db/`; [`testing`] gives each test a database of its own on a server
//! that ends with the test run. Both use installed server programs or those that npm brings ([`Programs`]).

#[cfg(not(unix))]
compile_error!("this workspace runs on Linux and macOS; on Windows, build and run it inside WSL2");

mod cluster;
pub mod demo;
mod disk;
mod error;
pub mod psql;
mod role;
mod schema;
mod secret;
mod server;
pub mod testing;
mod versions;

pub use cluster::database::{Change, LocalDb, LocalOptions, Running};
pub use cluster::loss::{Loss, Sessions, Stored};
pub use cluster::reset::Reset;
pub use cluster::start::Up;
pub use cluster::status::{State, Status};
pub use demo::{Planted, Seed};
pub use disk::free_space;
pub use error::{Error, Result};
pub use role::Role;
pub use schema::create_tables;
pub use secret::login;
pub use server::programs::Programs;
pub use versions::{NEWEST, OLDEST};

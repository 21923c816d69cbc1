//! A real PostgreSQL for developers and tests, started by the project itself.
//!
//! [`LocalDb`] is the developer's database in `.local-db/`; [`testing`] gives each test a database of its own on a server
//! that ends with the test run. Both use installed server programs or those that npm brings ([`Programs`]).

#[cfg(not(unix))]
compile_error!("this workspace runs on Linux and macOS; on Windows, build and run it inside WSL2");

mod account;
mod cluster;
mod disk;
mod error;
mod home;
mod loss;
mod npm;
mod pid;
mod process;
pub mod programs;
pub mod psql;
mod reset;
mod role;
mod schema;
mod secret;
pub mod seed;
mod server;
mod state;
mod status;
pub mod testing;
mod upgrade;

pub use cluster::{Change, LocalDb, LocalOptions, Running, Up};
pub use disk::free_space;
pub use error::{Error, Result};
pub use loss::{Loss, Sessions, Stored};
pub use programs::{NEWEST, OLDEST, Programs};
pub use reset::Reset;
pub use role::Role;
pub use schema::create_tables;
pub use secret::login;
pub use seed::{Planted, Seed};
pub use status::{State, Status};

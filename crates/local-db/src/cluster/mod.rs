//! The developer's database: created, started, found again, repaired, stopped, reset.

pub(crate) mod database;
pub(crate) mod home;
pub(crate) mod loss;
pub(crate) mod reset;
pub(crate) mod start;
mod state;
pub(crate) mod status;
mod stop;
mod upgrade;

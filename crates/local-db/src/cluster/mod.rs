//! The developer's database: brought up, found again, repaired, taken down, started anew.

pub(crate) mod database;
pub(crate) mod home;
pub(crate) mod loss;
pub(crate) mod reset;
pub(crate) mod start;
mod state;
pub(crate) mod status;
mod stop;
mod upgrade;

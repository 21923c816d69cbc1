//! The login of its own with which the application signs users in, before a tenant is known: what `[auth]` declares, and what is there.

pub(crate) mod memberships;
pub(crate) mod problem;
pub(crate) mod read;
pub(crate) mod state;
pub(crate) mod statement;

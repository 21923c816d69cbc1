//! The logins of their own with which an application works without a tenant, for sign-in and for jobs: what `[auth]` and `[jobs]` declare, and what is there.

pub(crate) mod memberships;
pub(crate) mod problem;
pub(crate) mod read;
pub(crate) mod state;
pub(crate) mod statement;

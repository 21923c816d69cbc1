//! The declared logins: makes the roles, grants each what `[auth]` and `[jobs]` declare and no more, gives it policies, and takes all of that back.

pub(crate) mod back;
pub(crate) mod blocked;
pub(crate) mod left;
pub(crate) mod left_run;
pub(crate) mod password;
pub(crate) mod report;
pub(crate) mod role;
pub(crate) mod run;
pub(crate) mod steps;

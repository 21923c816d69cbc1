//! The login of sign-in: makes the role, grants it what `[auth]` declares and no more, gives it policies, and takes all of that back.

pub(crate) mod back;
pub(crate) mod blocked;
pub(crate) mod left;
pub(crate) mod left_run;
pub(crate) mod login;
pub(crate) mod password;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod steps;

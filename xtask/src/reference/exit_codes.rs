//! The exit statuses of `cargo xtask` and their meanings. Scripts may rely on these numbers; all but 0 come from [`Exit`].

use tenancy_config::Exit;

/// Everything asked for was done, or was done already.
pub(crate) const DONE: u8 = 0;

/// All of them with their meaning, for the help and the command reference.
pub(crate) const MEANINGS: [(u8, &str); 6] = [
    (DONE, "done, or nothing was left to do"),
    (Exit::Failed.code(), "failed"),
    (Exit::Usage.code(), "bad usage or configuration"),
    (Exit::NotYet.code(), "the answer is \"not yet\": findings, unresolved rows, some items failed"),
    (Exit::Refused.code(), "refused for safety"),
    (Exit::Stopped.code(), "stopped; the same command goes on where it ended"),
];

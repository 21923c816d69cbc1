//! The circles that there still are. This list may only become shorter.

pub(crate) const KNOWN: &[&[&str]] = &[
    &["crates/rls-rollout/src/build.rs", "crates/rls-rollout/src/site.rs"],
    &[
        "crates/rls-rollout/src/execute.rs",
        "crates/rls-rollout/src/gate.rs",
        "crates/rls-rollout/src/preflight.rs",
        "crates/rls-rollout/src/progress.rs",
        "crates/rls-rollout/src/roles.rs",
        "crates/rls-rollout/src/rollout.rs",
    ],
    &["crates/rls-rollout/src/plan.rs", "crates/rls-rollout/src/prisma.rs"],
];

//! The circles that there still are. This list may only become shorter.

pub(crate) const KNOWN: &[&[&str]] = &[
    &["crates/bench/src/databases.rs", "crates/bench/src/watch.rs"],
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
    &[
        "crates/seed-tenant-defaults/src/create.rs",
        "crates/seed-tenant-defaults/src/defaults.rs",
        "crates/seed-tenant-defaults/src/error.rs",
        "crates/seed-tenant-defaults/src/identities.rs",
        "crates/seed-tenant-defaults/src/list.rs",
        "crates/seed-tenant-defaults/src/options.rs",
        "crates/seed-tenant-defaults/src/plan.rs",
        "crates/seed-tenant-defaults/src/source.rs",
    ],
    &["crates/tenant-ops/src/error.rs", "crates/tenant-ops/src/install.rs", "crates/tenant-ops/src/trust/mod.rs"],
    &["crates/tenant-ops/src/lane.rs", "crates/tenant-ops/src/run.rs", "crates/tenant-ops/src/state.rs"],
    &["crates/tenant-ops/src/lease.rs", "crates/tenant-ops/src/lease_watch.rs"],
    &["crates/tenant-ops/src/trust/finding.rs", "crates/tenant-ops/src/trust/layout.rs"],
];

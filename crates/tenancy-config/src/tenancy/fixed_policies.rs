//! The policies of a rollout that have the same name in each database.

/// Their names. The isolation policy, which `tenancy.toml` names, cannot have one of them.
pub const FIXED_POLICIES: [&str; 8] = [
    "tenant_auditor_read",
    "tenant_maintenance_read",
    "tenant_maintenance_assign",
    "tenant_auth_select",
    "tenant_auth_insert",
    "tenant_auth_update",
    "tenant_auth_delete",
    "tenant_own_memberships",
];

/// Whether a rollout makes policies of this name, which nothing else can have: one of [`FIXED_POLICIES`], or one of a job's login.
pub fn is_fixed_policy(name: &str) -> bool {
    FIXED_POLICIES.contains(&name) || name.starts_with("tenant_job_")
}

//! The resource whose lease is held by whoever assigns the tenants of a table, or takes them back.

use std::fmt::Display;

const PREFIX: &str = "backfill of ";

/// The resource of a table, as `schema.table`.
pub fn backfill_resource(table: impl Display) -> String {
    format!("{PREFIX}{table}")
}

/// The table that a resource is of; none where it is no table's.
pub fn backfilled_table(resource: &str) -> Option<&str> {
    resource.strip_prefix(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_names_its_table_and_a_rollouts_names_none() {
        // Other processes, of earlier versions too, hold the lease by this text.
        assert_eq!(backfill_resource("public.bookings"), "backfill of public.bookings");
        assert_eq!(backfilled_table("backfill of public.bookings"), Some("public.bookings"));
        assert_eq!(backfilled_table("rollout of row level security"), None);
    }
}

//! What making memberships reports.

use serde::Serialize;
use tenancy_config::TableName;

use crate::memberships::plan::MembershipPlan;

/// What was made. The JSON shape is `backfill-memberships-create/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreatedMemberships {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The run; none for a dry run, or if there was nothing to do.
    pub run: Option<i64>,
    /// The table of the memberships.
    pub memberships_table: TableName,
    /// The table of the users.
    pub users_table: TableName,
    /// Nothing was kept.
    pub dry_run: bool,
    /// The operator stopped it; the same command goes on.
    pub stopped: bool,
    /// Memberships that were made.
    pub made: u64,
    /// Users who got a membership from somebody else in between.
    pub left: u64,
}

impl CreatedMemberships {
    /// What is said where no user lacks one.
    pub fn nothing(plan: &MembershipPlan, dry_run: bool) -> Self {
        Self {
            schema: "backfill-memberships-create/1",
            run: None,
            memberships_table: plan.memberships_table.clone(),
            users_table: plan.users_table.clone(),
            dry_run,
            stopped: false,
            made: 0,
            left: 0,
        }
    }
}

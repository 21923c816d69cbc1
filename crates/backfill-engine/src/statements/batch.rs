//! The statements inside a batch: the one that locks the rows and finds their tenants, the one that writes them, and the one that reads back what was
//! written.

use tenancy_config::TableName;
use tenant_rls::{Sql, Template};

use crate::options::OnConflict;
use crate::plan::BackfillPlan;
use crate::statements::resolution::{Resolution, leaving_out};

/// The statements of one leaf, or of an ordinary table, which `sql/tenant-ops/fragments/assign_batch.sql` needs.
#[derive(Debug)]
pub(crate) struct BatchFragments {
    pub(crate) resolve: Sql,
    pub(crate) assign: Sql,
    pub(crate) read_back: Sql,
}

impl BatchFragments {
    /// The statements that leave out the rows with these keys.
    pub(crate) fn leaving_out(
        plan: &BackfillPlan,
        resolution: &Resolution,
        on_conflict: OnConflict,
        keys: &[String],
        leaf: &TableName,
    ) -> Self {
        let of_leaf = |text: &'static str| Template::new(text).table("target", leaf);
        let resolve = of_leaf(include_str!("../../../../sql/backfill-engine/fragments/resolve.sql"))
            .fragment("key_text", plan.key.text())
            .fragment("before", plan.before())
            .fragment("open", plan.open())
            .fragment("source", resolution.source(on_conflict));
        let decision = leaving_out(resolution.decision(on_conflict), keys);
        let assign = of_leaf(include_str!("../../../../sql/backfill-engine/fragments/assign.sql"))
            .ident("column", &plan.column)
            .fragment("given", plan.given_value())
            .fragment("still", plan.still());
        let read_back = of_leaf(include_str!("../../../../sql/backfill-engine/fragments/read_back.sql"))
            .fragment("key_is_named", plan.key.is_named())
            .fragment("kept", plan.kept());
        Self {
            resolve: resolution.put_into(resolve, decision).build(),
            assign: assign.build(),
            read_back: read_back.build(),
        }
    }
}

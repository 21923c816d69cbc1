//! The statements of one backfill, composed from `sql/backfill-engine/` for its table and sources.

mod batch;
pub(crate) mod decisions;
pub(crate) mod keyed;
mod pointer;
pub(crate) mod resolution;
mod rows;
mod said;
#[cfg(test)]
mod tests;

use tenancy_config::TableName;
use tenant_ops::BatchStatement;
use tenant_rls::{Sql, Template};

use crate::error::Result;
use crate::fragments::list_or_null;
use crate::options::OnConflict;
use crate::plan::BackfillPlan;
use crate::plan::source::{Pointer, Source};
use crate::statements::batch::BatchFragments;
use crate::statements::resolution::Resolution;

/// The statements of batches on one leaf, or on an ordinary table.
#[derive(Debug)]
pub(crate) struct LeafStatements {
    pub(crate) leaf: TableName,
    pub(crate) batch: BatchStatement,
    pub(crate) key_of: Sql,
}

/// All statements of a backfill.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) leaves: Vec<LeafStatements>,
    pub(crate) survey: Sql,
    pub(crate) review: Sql,
    pub(crate) compare: Sql,
    pub(crate) count_null: Sql,
    /// One for each source that has a pointer.
    pub(crate) ghosts: Vec<Sql>,
}

impl Statements {
    pub(crate) fn new(plan: &BackfillPlan, on_conflict: OnConflict) -> Result<Self> {
        Self::leaving_out(plan, on_conflict, &[])
    }

    /// The statements whose batches leave out the rows with these keys, which the preflight found.
    pub(crate) fn leaving_out(plan: &BackfillPlan, on_conflict: OnConflict, keys: &[String]) -> Result<Self> {
        let resolution = Resolution::of(plan)?;
        let lowest = resolution.lowest();
        let decision = resolution.decision(on_conflict);
        let of_whole =
            |text: &'static str| Template::new(text).fragment("whole", plan.whole()).fragment("open", plan.open());
        let open = |text: &'static str| resolution.put_into(of_whole(text), decision.clone());
        let batch = |leaf: &TableName| {
            let BatchFragments { resolve, assign, read_back } =
                BatchFragments::leaving_out(plan, &resolution, on_conflict, keys, leaf);
            BatchStatement::new(leaf, &plan.setting, resolve, assign, read_back)
        };
        let leaf = |leaf: &TableName| LeafStatements {
            leaf: leaf.clone(),
            batch: batch(leaf),
            key_of: Template::new(include_str!("../../../../sql/backfill-engine/key_of.sql"))
                .table("target", leaf)
                .fragment("key_text", plan.key.text())
                .build(),
        };
        Ok(Self {
            leaves: plan.leaves.iter().map(leaf).collect(),
            survey: open(include_str!("../../../../sql/backfill-engine/survey.sql"))
                .fragment("lowest", lowest.clone())
                .build(),
            review: open(include_str!("../../../../sql/backfill-engine/review.sql"))
                .fragment("key_text", plan.key.text())
                .fragment("lowest", lowest)
                .fragment("ghosts", list_or_null(&resolution.ghosts))
                .fragment("tenant_texts", list_or_null(&resolution.tenant_texts))
                .fragment("ghost_texts", list_or_null(&resolution.ghost_texts))
                .fragment("pointers", list_or_null(&resolution.pointers))
                .fragment("seen", resolution.seen())
                .fragment("fingerprint", resolution.fingerprint())
                .build(),
            compare: open(include_str!("../../../../sql/backfill-engine/compare.sql")).build(),
            count_null: of_whole(include_str!("../../../../sql/backfill-engine/count_null.sql")).build(),
            ghosts: plan.sources.iter().filter_map(Source::pointer).map(|pointer| ghosts(plan, pointer)).collect(),
        })
    }
}

impl Statements {
    /// The statements of the leaf with this name, `schema.table`.
    pub(crate) fn of(&self, leaf: &str) -> Option<&LeafStatements> {
        self.leaves.iter().find(|statements| statements.leaf.to_string() == leaf)
    }
}

fn ghosts(plan: &BackfillPlan, source: &Pointer) -> Sql {
    Template::new(include_str!("../../../../sql/backfill-engine/ghosts.sql"))
        .table("source", &source.table)
        .ident("source_tenant", &source.tenant)
        .fragment(
            "compared_tenant",
            source.tenant_cast.of(Template::new("s.:\"tenant\"").ident("tenant", &source.tenant).build()),
        )
        .table("tenants", &plan.tenants)
        .ident("tenant_key", &plan.tenant_key)
        .build()
}

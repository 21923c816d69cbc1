//! The statements of one backfill, composed from `sql/backfill-engine/` for its table and sources.

pub(crate) mod keyed;
pub(crate) mod resolution;

use tenancy_config::TableName;
use tenant_ops::BatchStatement;
use tenant_rls::{Sql, Template};

use crate::error::Result;
use crate::fragments::list;
use crate::options::OnConflict;
use crate::plan::BackfillPlan;
use crate::plan::source::{Pointer, Source};
use crate::statements::resolution::{Resolution, leaving_out};

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
        let joins = Sql::join(resolution.joins.iter().cloned(), "\n");
        let rows = resolution.rows();
        let (vias, tenants) = (list(&resolution.vias), list(&resolution.tenants));
        let of_leaf = |text: &'static str, leaf: &TableName| {
            Template::new(text).table("target", leaf).ident("column", &plan.column)
        };
        let of_whole =
            |text: &'static str| Template::new(text).fragment("whole", plan.whole()).ident("column", &plan.column);
        let deciding = |template: Template, decision: &Sql| {
            template
                .fragment("vias", vias.clone())
                .fragment("rows", rows.clone())
                .fragment("tenants", tenants.clone())
                .fragment("joins", joins.clone())
                .fragment("decision", decision.clone())
        };
        let open = |text: &'static str| deciding(of_whole(text), &decision);
        let batch_decision = leaving_out(decision.clone(), keys);
        let batch = |leaf: &TableName| {
            let resolve = deciding(
                of_leaf(include_str!("../../../../sql/backfill-engine/fragments/resolve.sql"), leaf),
                &batch_decision,
            )
            .fragment("key_text", plan.key.text())
            .fragment("source", resolution.source(on_conflict))
            .build();
            let assign = of_leaf(include_str!("../../../../sql/backfill-engine/fragments/assign.sql"), leaf)
                .fragment("type", Sql::from_static(plan.column_type.cast()))
                .build();
            BatchStatement::new(resolve, assign)
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
                .fragment("ghosts", list(&resolution.ghosts))
                .fragment("tenant_texts", list(&resolution.tenant_texts))
                .fragment("ghost_texts", list(&resolution.ghost_texts))
                .fragment("pointers", list(&resolution.pointers))
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
        .table("tenants", &plan.tenants)
        .ident("tenant_key", &plan.tenant_key)
        .build()
}

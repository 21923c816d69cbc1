//! The statements over what people decided: the one that checks it, and the one that writes it.

use tenant_rls::{Sql, Template};

use crate::error::Result;
use crate::fragments::{list, list_or_null};
use crate::plan::BackfillPlan;
use crate::statements::keyed::{by_key, by_key_typeless};
use crate::statements::resolution::Resolution;

/// The statement that checks the decisions, and locks the rows that can get their tenant.
pub(crate) fn judge(plan: &BackfillPlan) -> Result<Sql> {
    let resolution = Resolution::of(plan)?;
    // Tie breakers are not asked: people decided what these could not.
    let sources = plan.sources.len();
    Ok(Template::new(include_str!("../../../../sql/backfill-engine/judge.sql"))
        .fragment("whole", plan.whole())
        .table("tenants", &plan.tenants)
        .ident("tenant_key", &plan.tenant_key)
        .fragment("key_text", plan.key.text())
        .fragment("key_is_one_of", plan.key.is_one_of(&Sql::from_static("$1")))
        .ident("column", &plan.column)
        .fragment("type", Sql::from_static(plan.tenant_type.cast()))
        .fragment("vias", list(&resolution.vias))
        .fragment("seen", resolution.seen())
        .fragment("said", list_or_null(&resolution.tenants[..sources]))
        .fragment("ghosts", list_or_null(&resolution.ghosts))
        .fragment("joins", Sql::join(resolution.joins[..sources].iter().cloned(), "\n"))
        .fragment("fingerprint", resolution.fingerprint())
        .build())
}

/// The statement that counts those of them that do not have it then.
pub(crate) fn decided_changed(plan: &BackfillPlan) -> Sql {
    by_key_typeless(include_str!("../../../../sql/backfill-engine/decided_changed.sql"), plan)
}

/// The statement that gives such rows their tenant.
pub(crate) fn decide(plan: &BackfillPlan) -> Sql {
    by_key(include_str!("../../../../sql/backfill-engine/decide.sql"), plan)
}

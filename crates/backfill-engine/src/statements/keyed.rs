//! Statements over rows that are given by key.

use tenant_rls::{Sql, Template};

use crate::plan::BackfillPlan;

/// A statement that writes the rows with the given keys.
pub(crate) fn by_key(text: &'static str, plan: &BackfillPlan) -> Sql {
    written(text, plan).fragment("key_is_one_of", plan.key.is_one_of()).build()
}

pub(crate) fn written(text: &'static str, plan: &BackfillPlan) -> Template {
    Template::new(text)
        .fragment("whole", plan.whole())
        .ident("column", &plan.column)
        .fragment("type", Sql::from_static(plan.column_type.cast()))
}

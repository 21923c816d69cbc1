//! Statements over rows that are given by key.

use tenant_rls::{Sql, Template};

use crate::plan::BackfillPlan;

/// A statement that writes the rows with the keys `$1`.
pub(crate) fn by_key(text: &'static str, plan: &BackfillPlan) -> Sql {
    of_keys(text, plan, "$1")
}

/// The statement of a loop over the journal that empties the tenant column of the rows of one entry.
pub(crate) fn take_back(plan: &BackfillPlan) -> Sql {
    of_keys(include_str!("../../../../sql/backfill-engine/fragments/take_back.sql"), plan, "entry.row_keys")
}

/// The statement of a loop over the journal that deletes the rows of one entry that are as they were made, and `unreferenced`.
pub(crate) fn take_back_made(plan: &BackfillPlan, unreferenced: Sql) -> Sql {
    let text = include_str!("../../../../sql/backfill-engine/fragments/take_back_made.sql");
    let keys = plan.key.is_one_of(&Sql::from_static("entry.row_keys"));
    written(text, plan).fragment("key_is_one_of", keys).fragment("unreferenced", unreferenced).build()
}

/// The statement that counts those of the rows with the keys `$1` that the transaction `$2` made, and that are `unreferenced`.
pub(crate) fn still_made(plan: &BackfillPlan, unreferenced: Sql) -> Sql {
    let text = include_str!("../../../../sql/backfill-engine/still_made.sql");
    let keys = plan.key.is_one_of(&Sql::from_static("$1"));
    of_whole(text, plan).fragment("key_is_one_of", keys).fragment("unreferenced", unreferenced).build()
}

/// A statement over the rows with the keys `$1` that compares tenants as texts.
pub(crate) fn by_key_typeless(text: &'static str, plan: &BackfillPlan) -> Sql {
    let keys = plan.key.is_one_of(&Sql::from_static("$1"));
    of_whole(text, plan).fragment("key_is_one_of", keys).build()
}

fn of_keys(text: &'static str, plan: &BackfillPlan, keys: &'static str) -> Sql {
    written(text, plan).fragment("key_is_one_of", plan.key.is_one_of(&Sql::from_static(keys))).build()
}

pub(crate) fn written(text: &'static str, plan: &BackfillPlan) -> Template {
    of_whole(text, plan).fragment("type", Sql::from_static(plan.column_type.cast()))
}

fn of_whole(text: &'static str, plan: &BackfillPlan) -> Template {
    Template::new(text).fragment("whole", plan.whole()).ident("column", &plan.column)
}

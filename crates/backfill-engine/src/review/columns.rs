//! The columns of a review file.

use crate::plan::BackfillPlan;
use crate::plan::source::Source;

pub(crate) const TABLE: &str = "table";
pub(crate) const ID: &str = "id";
pub(crate) const REASON: &str = "reason";
pub(crate) const DECISION: &str = "decision";
pub(crate) const FINGERPRINT: &str = "fingerprint";
/// Why a decision was not applied; a column of the file of refused lines.
pub(crate) const REFUSED: &str = "refused";

const OURS: [&str; 6] = [TABLE, ID, REASON, DECISION, FINGERPRINT, REFUSED];

/// The column of a source: its name, or `decision (source)` for a source that has the name of another column.
fn tenant_of(source: &Source) -> String {
    if OURS.contains(&source.name.as_str()) { format!("{} (source)", source.name) } else { source.name.clone() }
}

/// The columns of a source: the tenant that it names, and the key of the row where it found it.
pub(crate) fn of_source(source: &Source) -> impl Iterator<Item = String> {
    let row = source.pointer().map(|_| format!("{} row", source.name));
    [tenant_of(source)].into_iter().chain(row)
}

/// All columns, in order.
pub(crate) fn of(plan: &BackfillPlan) -> Vec<String> {
    let sources = plan.sources.iter().flat_map(of_source);
    let before = [TABLE, ID, REASON].map(str::to_owned).into_iter();
    before.chain(sources).chain([DECISION, FINGERPRINT].map(str::to_owned)).collect()
}

/// A column that a review of this plan does not have.
pub(crate) fn unknown<'a>(plan: &BackfillPlan, header: &'a [String]) -> Option<&'a str> {
    let known = of(plan);
    let unknown = |name: &&String| !name.is_empty() && *name != REFUSED && !known.contains(name);
    header.iter().find(unknown).map(String::as_str)
}

//! Which sources are good enough to be proposed, and in which order.

use crate::suggest::report::{self, Basis, SourceSuggestion, TableSuggestion};

/// The least share for a proposal, in percent of matching values and of agreeing rows.
const PROPOSED_FROM: u64 = 90;

/// The least number of distinct values for a proposed guess, as one or two can match by chance.
const PROPOSED_FROM_VALUES: u64 = 5;

/// Marks the sources that are good enough, and sorts the best first.
pub(super) fn rank(table: &mut TableSuggestion) {
    for source in &mut table.sources {
        let agrees = source.agreement().is_none_or(|share| share >= PROPOSED_FROM);
        let matches = match (source.values_matched, source.values) {
            (Some(matched), Some(values)) => {
                values >= PROPOSED_FROM_VALUES && report::percent(matched, values) >= Some(PROPOSED_FROM)
            }
            _ => true,
        };
        source.proposed = agrees && matches;
        source.reason = source.words(table.rows_without);
    }
    demote(&mut table.sources);
    table.sources.sort_by_key(|source| {
        let worse = (!source.proposed, source.basis == Basis::Guess, 100 - source.agreement().unwrap_or(100));
        (worse, std::cmp::Reverse(source.resolves), !source.not_null)
    });
}

/// Proposes sources by rows that point here, and memberships, only where they tell more than each source of this table itself.
fn demote(sources: &mut [SourceSuggestion]) {
    let is_own = |source: &SourceSuggestion| !matches!(source.basis, Basis::PointedTo | Basis::Membership);
    let own = sources.iter().filter(|source| is_own(source) && source.proposed);
    let most = own.filter_map(|source| source.resolves).max().unwrap_or(0);
    for source in sources.iter_mut().filter(|source| !is_own(source) && !source.declared) {
        source.proposed &= source.resolves > Some(most);
    }
}

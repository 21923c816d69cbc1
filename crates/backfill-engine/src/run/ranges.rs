//! The ranges of a pass: each leaf is divided into ranges of pages. There are enough of them for many workers, and the
//! range of a dead worker is soon done.

use tenant_ops::NewRange;
use tenant_rls::row_count::from_bigint;
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx};

use crate::error::Result;
use crate::plan::BackfillPlan;

/// The number of ranges of a pass; small leaves add a few.
const RANGES: u64 = 64;

/// The fewest pages of a range, except the last of a leaf.
const FEWEST_PAGES: u64 = 64;

/// Divides the table into ranges, by the current sizes of its leaves.
pub(crate) async fn ranges(database: &Database, plan: &BackfillPlan) -> Result<Vec<NewRange>> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let mut leaves = Vec::with_capacity(plan.leaves.len());
    for leaf in &plan.leaves {
        let pages: i64 = sqlx::query_scalar(include_str!("../../../../sql/backfill-engine/pages.sql"))
            .bind(leaf.schema().as_str())
            .bind(leaf.name().as_str())
            .fetch_one(tx.connection())
            .await
            .map_err(RlsError::query(format!("asking for the size of {leaf}")))?;
        leaves.push((leaf.to_string(), from_bigint(pages)));
    }
    tx.rollback().await?;
    Ok(share_out(&leaves))
}

fn share_out(leaves: &[(String, u64)]) -> Vec<NewRange> {
    let total: u64 = leaves.iter().map(|(_, pages)| pages).sum();
    let length = total.div_ceil(RANGES).max(FEWEST_PAGES);
    let ranges = leaves.iter().flat_map(|(leaf, pages)| {
        (0..*pages).step_by(usize::try_from(length).unwrap_or(usize::MAX)).map(move |first| NewRange {
            leaf: leaf.clone(),
            first,
            behind: (first + length).min(*pages),
        })
    });
    ranges.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_page_of_every_leaf_is_in_one_lane(sizes in prop::collection::vec(0u64..200_000, 0..8)) {
            let leaves: Vec<_> = sizes.iter().enumerate().map(|(n, pages)| (format!("leaf {n}"), *pages)).collect();
            let ranges = share_out(&leaves);
            for (leaf, pages) in &leaves {
                let mut next = 0;
                for range in ranges.iter().filter(|range| range.leaf == *leaf) {
                    prop_assert_eq!(range.first, next);
                    prop_assert!(range.behind > range.first);
                    next = range.behind;
                }
                prop_assert_eq!(next, *pages);
            }
            prop_assert!(ranges.len() as u64 <= RANGES + leaves.len() as u64);
        }
    }
}

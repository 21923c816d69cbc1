//! Functions and views that read tables as an owner whom policies filter once the tables are forced.

use tenant_inventory::{Inventory, Unfiltered, Way, WayObject, read_ways};
use tenant_rls::Database;

use crate::error::Result;

/// Those that no policy filters because a table is not forced yet, or has no row level security. Afterwards they see the rows of the session's
/// tenant alone.
pub(crate) async fn sees_less(database: &Database, inventory: &Inventory) -> Result<Vec<Way>> {
    let mut ways = read_ways(database, inventory, inventory.logins.app.0.as_str(), &[]).await?;
    ways.retain(|way| {
        let reads = matches!(
            way.object,
            WayObject::View { .. } | WayObject::MaterializedView { .. } | WayObject::Function { .. }
        );
        reads && matches!(way.acts_as.why, Unfiltered::OwnerOf { .. } | Unfiltered::RowSecurityOff { .. })
    });
    Ok(ways)
}

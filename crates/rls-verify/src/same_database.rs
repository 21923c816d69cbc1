//! Whether the owner's URL and the application's lead to one database.

use tenant_rls::{Database, Error as RlsError, same_database};

use crate::error::{Error, Result};

/// Refuses to try in one database what was found in another.
///
/// # Errors
/// [`Error::OtherDatabase`].
pub(crate) async fn check(owner: &Database, app: &Database) -> Result<()> {
    match same_database(owner, app).await {
        Err(RlsError::OtherDatabase { ours, other }) => Err(Error::OtherDatabase { database: ours, app: other }),
        proven => Ok(proven?),
    }
}

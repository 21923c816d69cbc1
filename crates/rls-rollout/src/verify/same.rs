//! Whether the owner's URL and the application's lead to one database.

use sqlx::Row;
use tenant_rls::{Database, Error as RlsError, ProbeTx, Tenancy};

use crate::{Error, Result};

/// What tells a database from all others.
#[derive(PartialEq, Eq)]
struct Identity {
    name: String,
    number: i64,
    server_since: String,
}

/// Refuses to try in one database what was found in another.
///
/// # Errors
/// [`Error::OtherDatabase`].
pub(crate) async fn check(owner: &Database, app: &Database, tenancy: &Tenancy) -> Result<()> {
    let (ours, theirs) = (identity(owner, tenancy).await?, identity(app, tenancy).await?);
    // The start of the server alone tells a restored copy from its original; this identity needs a right that an application lacks.
    let clusters = (&owner.session().system_identifier, &app.session().system_identifier);
    let clusters_differ = matches!(clusters, (Some(ours), Some(theirs)) if ours != theirs);
    if ours == theirs && !clusters_differ {
        return Ok(());
    }
    let place = |database: &Database, identity: &Identity| {
        let (url, Identity { name, server_since, .. }) = (database.url(), identity);
        format!("{name} at {}:{} (a server up since {server_since})", url.host(), url.port())
    };
    Err(Error::OtherDatabase { database: place(owner, &ours), app: place(app, &theirs) })
}

async fn identity(database: &Database, tenancy: &Tenancy) -> Result<Identity> {
    let mut tx = ProbeTx::begin(database, tenancy, false).await?;
    let row = sqlx::query(include_str!("../../../../sql/rls/probe_identity.sql"))
        .fetch_one(tx.connection())
        .await
        .map_err(RlsError::query("asking which database this is"))?;
    tx.rollback().await?;
    Ok(Identity { name: row.get(0), number: row.get(1), server_since: row.get(2) })
}

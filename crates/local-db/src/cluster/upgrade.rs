//! Upgrades a cluster that an earlier version of this program created.

use tenancy_config::CommandRef;
use tenant_rls::DirectConnection;

use crate::cluster::database::LocalDb;
use crate::cluster::state::Cluster;
use crate::error::Result;
use crate::role::Role;
use crate::schema;
use crate::secret::ClusterSecret;

impl LocalDb {
    /// Gives a password of its own to a cluster that was created before passwords were random. If this is killed at any
    /// point, the next `up` completes it.
    pub(crate) async fn secure(&self, cluster: &mut Cluster, notes: &mut dyn FnMut(&str)) -> Result<()> {
        if !cluster.secret.is_old() {
            return Ok(());
        }
        let next = match &cluster.next_secret {
            Some(next) => next.clone(),
            None => ClusterSecret::random()?,
        };
        cluster.next_secret = Some(next.clone());
        self.home.remember(cluster)?;
        let superuser = |secret: &ClusterSecret| secret.url(cluster.port, Role::Superuser, "postgres");
        // If an earlier attempt was killed after this step, the server has the next password already.
        let mut session = match DirectConnection::connect(&superuser(&cluster.secret)?, "local-db").await {
            Ok(session) => session,
            Err(_) => DirectConnection::connect(&superuser(&next)?, "local-db").await?,
        };
        schema::set_passwords(&mut session, &next).await?;
        session.close().await;
        (cluster.secret, cluster.next_secret) = (next, None);
        self.home.remember(cluster)?;
        notes(&format!(
            "the password of the local database was `local` for every user of this machine; now it has its own: `{}`",
            CommandRef::DbUrl
        ));
        Ok(())
    }
}

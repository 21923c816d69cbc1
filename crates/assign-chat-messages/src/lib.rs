//! Job: gives chat messages their tenant, from their authors, or one tenant to all that have none. The engine does the work; this
//! crate chooses the table and the tenant.

mod error;

use backfill_engine::{Backfill, BackfillEvent, BackfillOptions, BackfillPlan, BackfillReport, SourceComparison};
use tenancy_config::Tenancy;
use tenant_inventory::Catalog;
use tenant_rls::{Database, Registry, Tenant};
use tokio::sync::watch;

pub use error::{Error, Result};

/// The job's name in `tenant_ops.run`.
pub const JOB: &str = "assign-chat-messages";

/// The table that it works on; `tenancy.toml` has its sources and what decides where they disagree.
pub const TABLE: &str = "chat_messages";

/// Where the tenant comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageTenant {
    /// The author of each message, and what else they wrote in that room.
    Author,
    /// One tenant for all messages that have none.
    Tenant {
        /// Its id or slug.
        name: String,
        /// Whether a tenant that is not in use is accepted.
        include_inactive: bool,
    },
}

/// An assignment that is prepared; nothing was written yet.
#[derive(Debug)]
pub struct MessageAssignment {
    plan: BackfillPlan,
    /// The one tenant for all, and what the authors say about it, which a person should read first.
    pub given: Option<GivenTenant>,
}

/// One tenant for all messages that have none.
#[derive(Debug)]
pub struct GivenTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// The messages, and what their authors say.
    pub messages: SourceComparison,
}

impl MessageAssignment {
    /// Reads what there is to assign.
    ///
    /// # Errors
    /// [`Error::Inactive`] for a tenant that is not in use; [`tenant_rls::Error::UnknownTenant`] where there is no such tenant;
    /// [`tenant_rls::Error::CannotSee`] where no role sees every message and author; [`Error::Backfill`] where the table has no source
    /// or cannot be backfilled.
    pub async fn prepare(database: &Database, tenancy: &Tenancy, from: &MessageTenant) -> Result<Self> {
        let catalog = Catalog::load(database, tenancy).await?;
        let (name, include_inactive) = match from {
            MessageTenant::Author => {
                return Ok(Self { plan: BackfillPlan::new(&catalog, tenancy, TABLE)?, given: None });
            }
            MessageTenant::Tenant { name, include_inactive } => (name, *include_inactive),
        };
        let mut tenants = Registry::open(database, tenancy).await?;
        let tenant = tenants.find(name).await?;
        tenants.close().await?;
        if !(tenant.active || include_inactive) {
            return Err(Error::Inactive(Box::new(tenant)));
        }
        let plan = BackfillPlan::given(&catalog, tenancy, TABLE, &tenant.id)?;
        let messages = match BackfillPlan::new(&catalog, tenancy, TABLE) {
            Ok(authors) => authors.compare(database, tenancy, &tenant.id).await?,
            // Without a source the authors say nothing.
            Err(backfill_engine::Error::NoSource { .. }) => {
                SourceComparison { told: 0, told_another: 0, ..plan.compare(database, tenancy, &tenant.id).await? }
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Self { plan, given: Some(GivenTenant { tenant, messages }) })
    }

    /// Runs the job; see [`Backfill::run`].
    ///
    /// # Errors
    /// [`Error::Backfill`]: no role sees every row, another run works on the table, a trigger or a key forbids the assignment, or the
    /// server refuses it. What was committed stays.
    pub async fn run(
        &self,
        database: &Database,
        tenancy: &Tenancy,
        holder: &str,
        options: &BackfillOptions,
        stop: watch::Receiver<bool>,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<BackfillReport> {
        let backfill = Backfill { database, tenancy, plan: &self.plan, job: JOB, holder, options };
        Ok(backfill.run(stop, progress).await?)
    }
}

//! Demo data with known faults: what is planted here, audit and backfill must find, row for row.

use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenant_rls::{DatabaseUrl, DirectConnection, Error as RlsError};

use crate::{Error, Result};

/// How much to plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Seed {
    /// Tenants, of very different size: at least 2.
    pub tenants: u32,
    /// Bookings; the other tables follow in proportion.
    pub bookings: u32,
    /// The same seed gives the same rows, on every server version and platform.
    pub seed: u64,
}

impl Default for Seed {
    fn default() -> Self {
        Self { tenants: 20, bookings: 100_000, seed: 42 }
    }
}

/// What was planted, counted from the plan and not from the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Planted {
    /// Tenants.
    pub tenants: u64,
    /// Users.
    pub users: u64,
    /// Users with a second membership, in a tenant that is not their own.
    pub users_with_several_memberships: u64,
    /// Bookings.
    pub bookings: u64,
    /// Bookings whose tenant is NULL: the next five add up to it.
    pub bookings_without_tenant: u64,
    /// Of these: whose service request names the tenant, and nothing contradicts.
    pub by_service_request: u64,
    /// Whose client does, and their request, if any, names none.
    pub by_client: u64,
    /// Whose service alone does.
    pub by_service: u64,
    /// Whose client and service name different tenants.
    pub conflicts: u64,
    /// Whose sources name no tenant, or one that does not exist.
    pub unresolvable: u64,
    /// Bookings with a tenant whose service belongs to another one.
    pub cross_tenant_references: u64,
    /// Bookings whose tenant is the empty string.
    pub empty_string_tenants: u64,
    /// Bookings whose tenant was deleted.
    pub ghost_tenants: u64,
}

impl Planted {
    /// Bookings that a backfill must assign.
    pub fn assignable(&self) -> u64 {
        self.by_service_request + self.by_client + self.by_service
    }
}

/// Fills an empty database, in one transaction.
///
/// `progress` gets a line before each step. `superuser` because foreign keys are not fired while rows of deleted tenants are planted.
///
/// # Errors
/// [`Error::NotEmpty`] where there are bookings; [`Error::Database`] where tables are missing.
pub async fn plant(superuser: &DatabaseUrl, seed: &Seed, progress: &mut dyn FnMut(&str)) -> Result<Planted> {
    let mut session = DirectConnection::connect(superuser, "local-db seed").await?;
    let filled: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM public.bookings)")
        .fetch_one(session.connection())
        .await
        .map_err(RlsError::query("looking for bookings"))?;
    if filled {
        return Err(Error::NotEmpty);
    }
    session.run_script("opening a transaction", "BEGIN").await?;
    set(session.connection(), seed).await?;
    for (doing, script) in [
        ("preparing to seed", include_str!("../../../sql/demo/begin.sql")),
        ("planning the data", include_str!("../../../sql/demo/plan.sql")),
        ("planting tenants and people", include_str!("../../../sql/demo/people.sql")),
        ("planting bookings", include_str!("../../../sql/demo/bookings.sql")),
        ("planting the other tables", include_str!("../../../sql/demo/other.sql")),
    ] {
        progress(doing);
        session.run_script(doing, script).await?;
    }
    let planted = planted(session.connection()).await?;
    progress("making the indexes");
    session.run_script("making the indexes", include_str!("../../../sql/demo/finish.sql")).await?;
    session.run_script("keeping the data", "COMMIT").await?;
    session.run_script("gathering statistics", "ANALYZE").await?;
    session.close().await;
    Ok(planted)
}

async fn set(session: &mut PgConnection, seed: &Seed) -> Result<()> {
    let settings = [
        ("seed.tenants", u64::from(seed.tenants.max(2))),
        ("seed.bookings", u64::from(seed.bookings)),
        ("seed.seed", seed.seed),
    ];
    for (name, value) in settings {
        sqlx::query("SELECT set_config($1, $2, true)")
            .bind(name)
            .bind(value.to_string())
            .execute(&mut *session)
            .await
            .map_err(RlsError::query("setting the size of the seed"))?;
    }
    Ok(())
}

async fn planted(session: &mut PgConnection) -> Result<Planted> {
    let row = sqlx::query(include_str!("../../../sql/demo/planted.sql"))
        .fetch_one(session)
        .await
        .map_err(RlsError::query("counting what was planned"))?;
    let count = |name: &str| u64::try_from(row.get::<i64, _>(name)).unwrap_or_default();
    Ok(Planted {
        tenants: count("tenants"),
        users: count("users"),
        users_with_several_memberships: count("several_memberships"),
        bookings: count("bookings"),
        bookings_without_tenant: count("without_tenant"),
        by_service_request: count("by_request"),
        by_client: count("by_client"),
        by_service: count("by_service"),
        conflicts: count("conflicts"),
        unresolvable: count("unresolvable"),
        cross_tenant_references: count("cross_tenant"),
        empty_string_tenants: count("empty"),
        ghost_tenants: count("ghosts"),
    })
}

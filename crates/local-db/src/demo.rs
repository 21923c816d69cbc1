//! Demo data with known faults: what is planted here, audit and backfill must find, row for row.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenancy_config::{DatabaseUrl, Ident, TableName};
use tenant_rls::{DirectConnection, Error as RlsError};

use crate::error::{Error, Result};

/// What fills the tables, in order; each runs in the transaction of the seed and reads the settings `seed.*`.
const STEPS: [(&str, &[&str]); 5] = [
    (
        "preparing to seed",
        &[include_str!("../../../sql/local-db/demo/begin.sql"), include_str!("../../../sql/local-db/demo/random.sql")],
    ),
    (
        "planning the data",
        &[
            include_str!("../../../sql/local-db/demo/plan_people.sql"),
            include_str!("../../../sql/local-db/demo/plan_requests.sql"),
            include_str!("../../../sql/local-db/demo/plan_bookings.sql"),
        ],
    ),
    ("planting tenants, people and their requests", &[include_str!("../../../sql/local-db/demo/people.sql")]),
    ("planting bookings", &[include_str!("../../../sql/local-db/demo/bookings.sql")]),
    (
        "planting the other tables",
        &[
            include_str!("../../../sql/local-db/demo/work.sql"),
            include_str!("../../../sql/local-db/demo/chat.sql"),
            include_str!("../../../sql/local-db/demo/rest.sql"),
        ],
    ),
];

/// How much to plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Seed {
    /// Tenants, of very different size: the k-th has 1/k of the first one's rows. Fewer than 2 count as 2, as rows are
    /// planted that lie between two tenants.
    pub tenants: u32,
    /// Bookings; the other tables follow in proportion. 0 counts as 1. From 50 on there are some of every kind.
    pub bookings: u32,
    /// The same seed gives the same rows, on every server version and platform.
    pub seed: u64,
}

impl Default for Seed {
    fn default() -> Self {
        Self { tenants: 20, bookings: 100_000, seed: 42 }
    }
}

/// What was planted: computed from the plan or counted by the statement that inserted, never by looking afterwards.
///
/// A *source* of a booking is its service request, its client or its service, best first. One whose tenant is NULL, the empty
/// string, or not in the tenant table counts as none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planted {
    /// Tenants.
    pub tenants: u64,
    /// Users.
    pub users: u64,
    /// Users with a second membership, in a tenant that is not their own. As the membership's tenant is then not that of its user,
    /// it also counts as a reference across tenants, one that is meant.
    pub users_with_several_memberships: u64,
    /// Of these: who wrote chat messages, which their author alone therefore cannot give a tenant.
    pub authors_with_several_memberships: u64,
    /// Chat messages, with or without a tenant, whose author is not among the users.
    pub messages_of_deleted_authors: u64,
    /// Chat messages without a tenant whose author is a member of one tenant alone. With the next four: all without a tenant.
    pub messages_by_membership: u64,
    /// Whose author is a member of none, and belongs to a tenant.
    pub messages_by_author: u64,
    /// Whose author is a member of two tenants, and in whose room the author's messages with a tenant all have the same one of
    /// them: half of the rooms the author's own, half the other.
    pub messages_by_room: u64,
    /// Whose author is a member of two tenants, with messages of both in that room, or of none.
    pub messages_in_conflict: u64,
    /// Whose author is gone, or belongs to no tenant that exists.
    pub messages_unresolvable: u64,
    /// Bookings.
    pub bookings: u64,
    /// Bookings whose tenant is NULL: the next five add up to it.
    pub bookings_without_tenant: u64,
    /// Of these: the service request names a tenant, and neither client nor service names another.
    pub by_service_request: u64,
    /// The client names a tenant, the service request none (or there is none), and the service no other.
    pub by_client: u64,
    /// The service alone names a tenant.
    pub by_service: u64,
    /// Sources name different tenants.
    pub conflicts: u64,
    /// No source names a tenant.
    pub unresolvable: u64,
    /// Bookings with a tenant that exists, whose service belongs to another that exists. All other references of bookings with a
    /// tenant stay within it.
    pub cross_tenant_references: u64,
    /// Bookings whose tenant is the empty string. [`Planted::tables`] has those of other tables.
    pub empty_string_tenants: u64,
    /// Bookings whose tenant was deleted: an id that the tenant table does not have. [`Planted::tables`] has those of other
    /// tables.
    pub ghost_tenants: u64,
    /// What was planted in each table where rows can lack a tenant, bookings included.
    pub tables: BTreeMap<String, PlantedRows>,
}

/// The rows of one table, by what stands in the tenant column. All but the three faults name a tenant that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PlantedRows {
    /// All rows.
    pub rows: u64,
    /// NULL.
    pub without_tenant: u64,
    /// The empty string.
    pub empty_string_tenants: u64,
    /// An id that the tenant table does not have.
    pub ghost_tenants: u64,
}

impl Planted {
    /// Bookings that a backfill must assign.
    pub fn assignable(&self) -> u64 {
        self.by_service_request + self.by_client + self.by_service
    }

    /// Chat messages whose tenant their authors tell, or evidence.
    pub fn assignable_messages(&self) -> u64 {
        self.messages_by_membership + self.messages_by_author + self.messages_by_room
    }
}

/// Fills an empty database, in one transaction.
///
/// `progress` gets a line before each step. `superuser` because foreign keys are not fired while rows of deleted tenants are planted.
///
/// # Errors
/// [`Error::NotEmpty`] where there are bookings or tenants; [`Error::Code`] where somebody put functions there; [`tenant_rls::Error::NoTable`] for the first table that is missing, before
/// anything is written.
pub async fn plant(superuser: &DatabaseUrl, seed: &Seed, progress: &mut dyn FnMut(&str)) -> Result<Planted> {
    let mut session = DirectConnection::connect(superuser, "local-db seed").await?;
    refuse_unless_empty(session.connection()).await?;
    refuse_code(session.connection()).await?;
    session.run_script("opening a transaction", "BEGIN").await?;
    set(session.connection(), seed).await?;
    for (doing, scripts) in STEPS {
        progress(doing);
        for script in scripts {
            session.run_script(doing, *script).await?;
        }
    }
    let planted = planted(session.connection()).await?;
    progress("making the indexes");
    session.run_script("making the indexes", include_str!("../../../sql/local-db/demo/finish.sql")).await?;
    session.run_script("keeping the data", "COMMIT").await?;
    progress("gathering statistics");
    session.run_script("gathering statistics", include_str!("../../../sql/local-db/demo/analyze.sql")).await?;
    session.close().await;
    Ok(planted)
}

async fn refuse_unless_empty(session: &mut PgConnection) -> Result<()> {
    let missing: Option<String> = sqlx::query_scalar(include_str!("../../../sql/local-db/demo/missing_table.sql"))
        .fetch_optional(&mut *session)
        .await
        .map_err(RlsError::query("looking for the tables"))?;
    if let Some(name) = missing {
        let table = TableName::new(Ident::new("public")?, Ident::new(name)?);
        return Err(RlsError::NoTable { table, closest: None }.into());
    }
    let filled: bool =
        sqlx::query_scalar(r#"SELECT EXISTS (SELECT FROM public.bookings) OR EXISTS (SELECT FROM public."Tenant")"#)
            .fetch_one(session)
            .await
            .map_err(RlsError::query("looking for bookings"))?;
    if filled { Err(Error::NotEmpty) } else { Ok(()) }
}

/// The seed names tables without their schema, so it runs with `public` in its search path.
async fn refuse_code(session: &mut PgConnection) -> Result<()> {
    let code: Option<String> = sqlx::query_scalar(include_str!("../../../sql/local-db/demo/code.sql"))
        .fetch_optional(session)
        .await
        .map_err(RlsError::query("looking for code in the schema public"))?;
    code.map_or(Ok(()), |code| Err(Error::Code { code }))
}

async fn set(session: &mut PgConnection, seed: &Seed) -> Result<()> {
    let settings = [
        ("seed.tenants", u64::from(seed.tenants.max(2))),
        ("seed.bookings", u64::from(seed.bookings.max(1))),
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
    let rows = sqlx::query(include_str!("../../../sql/local-db/demo/planted_rows.sql"))
        .fetch_all(&mut *session)
        .await
        .map_err(RlsError::query("reading what was planted"))?;
    let tables: BTreeMap<String, PlantedRows> = rows
        .iter()
        .map(|row| {
            let planted = PlantedRows {
                rows: count(row.get("rows")),
                without_tenant: count(row.get("without_tenant")),
                empty_string_tenants: count(row.get("empty_string")),
                ghost_tenants: count(row.get("ghost")),
            };
            (row.get("table_name"), planted)
        })
        .collect();
    let row = sqlx::query(include_str!("../../../sql/local-db/demo/planted.sql"))
        .fetch_one(session)
        .await
        .map_err(RlsError::query("counting what was planned"))?;
    let number = |name: &str| count(row.get(name));
    Ok(Planted {
        tenants: number("tenants"),
        users: number("users"),
        users_with_several_memberships: number("users_with_several_memberships"),
        authors_with_several_memberships: number("authors_with_several_memberships"),
        messages_of_deleted_authors: number("messages_of_deleted_authors"),
        messages_by_membership: number("messages_by_membership"),
        messages_by_author: number("messages_by_author"),
        messages_by_room: number("messages_by_room"),
        messages_in_conflict: number("messages_in_conflict"),
        messages_unresolvable: number("messages_unresolvable"),
        bookings: number("bookings"),
        bookings_without_tenant: number("bookings_without_tenant"),
        by_service_request: number("by_service_request"),
        by_client: number("by_client"),
        by_service: number("by_service"),
        conflicts: number("conflicts"),
        unresolvable: number("unresolvable"),
        cross_tenant_references: number("cross_tenant_references"),
        empty_string_tenants: number("empty_string_tenants"),
        ghost_tenants: number("ghost_tenants"),
        tables,
    })
}

/// Counts of the server are never negative.
fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or_default()
}

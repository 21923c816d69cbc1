//! Demo data with known faults. Audit and backfill must find what is planted here, row for row.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenancy_config::{DatabaseUrl, Ident, TableName};
use tenant_rls::row_count::from_bigint;
use tenant_rls::{DirectConnection, Error as RlsError};

use crate::error::{Error, Result};

/// The scripts that fill the tables, in order. Each runs in the transaction of the seed and reads the settings
/// `seed.*`.
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

/// How much is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Seed {
    /// The number of tenants. Their sizes differ: the k-th has 1/k of the rows of the first. Fewer than 2 count as 2,
    /// because some rows are planted between two tenants.
    pub tenants: u32,
    /// The number of bookings; the other tables are in proportion. 0 counts as 1. From 50 on there are some of every
    /// kind.
    pub bookings: u32,
    /// The same seed gives the same rows, on every server version and platform.
    pub seed: u64,
}

impl Default for Seed {
    fn default() -> Self {
        Self { tenants: 20, bookings: 100_000, seed: 42 }
    }
}

/// What was planted. It is computed from the plan, or counted by the statement that inserts; it is never read from the
/// tables afterwards.
///
/// A *source* of a booking is its service request, its client or its service, best first. A source whose tenant is
/// NULL, the empty string, or not in the tenant table counts as none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planted {
    /// Tenants.
    pub tenants: u64,
    /// Users.
    pub users: u64,
    /// Users with a second membership, in a tenant that is not their own. The membership's tenant is then not its
    /// user's, so it also counts as a reference across tenants, one that is intended.
    pub users_with_several_memberships: u64,
    /// Those of them who wrote chat messages, whose tenant therefore does not follow from the author alone.
    pub authors_with_several_memberships: u64,
    /// Chat messages, with or without a tenant, whose author is not among the users.
    pub messages_of_deleted_authors: u64,
    /// Chat messages without a tenant whose author is a member of exactly one tenant. The next four are also without a
    /// tenant.
    pub messages_by_membership: u64,
    /// Messages whose author is a member of no tenant, but belongs to one.
    pub messages_by_author: u64,
    /// Messages whose author is a member of two tenants, and has messages with a tenant in the same room, all with the
    /// same one of the two: the author's own in half of the rooms, the other one in the other half.
    pub messages_by_room: u64,
    /// Messages whose author is a member of two tenants, and has messages of both in that room, or of none.
    pub messages_in_conflict: u64,
    /// Messages whose author does not exist any more, or belongs to no tenant that exists.
    pub messages_unresolvable: u64,
    /// Bookings.
    pub bookings: u64,
    /// Bookings whose tenant is NULL. It is the sum of the next five.
    pub bookings_without_tenant: u64,
    /// Those of which the service request names a tenant, and neither client nor service names another.
    pub by_service_request: u64,
    /// Those of which the client names a tenant, the service request names none or does not exist, and the service
    /// names no other.
    pub by_client: u64,
    /// Those of which only the service names a tenant.
    pub by_service: u64,
    /// Those whose sources name different tenants.
    pub conflicts: u64,
    /// Those of which no source names a tenant.
    pub unresolvable: u64,
    /// Bookings with a tenant that exists, whose service belongs to another one that exists. All other references of
    /// bookings with a tenant stay within that tenant.
    pub cross_tenant_references: u64,
    /// Bookings whose tenant is the empty string. For other tables, see [`Planted::tables`].
    pub empty_string_tenants: u64,
    /// Bookings whose tenant was deleted: the tenant table does not have its id. For other tables, see
    /// [`Planted::tables`].
    pub ghost_tenants: u64,
    /// What was planted in each table whose rows can lack a tenant, bookings included.
    pub tables: BTreeMap<String, PlantedRows>,
}

/// The rows of one table, by the content of the tenant column. All rows but the three faults name a tenant that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PlantedRows {
    /// All rows.
    pub rows: u64,
    /// Rows whose tenant is NULL.
    pub without_tenant: u64,
    /// Rows whose tenant is the empty string.
    pub empty_string_tenants: u64,
    /// Rows with an id that the tenant table does not have.
    pub ghost_tenants: u64,
}

impl Planted {
    /// Bookings that a backfill must assign.
    pub fn assignable(&self) -> u64 {
        self.by_service_request + self.by_client + self.by_service
    }

    /// Chat messages whose tenant follows from their authors, or from the tie-breaker.
    pub fn assignable_messages(&self) -> u64 {
        self.messages_by_membership + self.messages_by_author + self.messages_by_room
    }
}

/// Fills an empty database, in one transaction.
///
/// `progress` gets a line before each step. The login must be a superuser, because foreign keys must not be checked
/// while rows of deleted tenants are planted.
///
/// # Errors
/// [`Error::NotEmpty`]: there are bookings or tenants. [`Error::Code`]: somebody put functions into the schema.
/// [`tenant_rls::Error::NoTable`]: a table is missing; the error names the first one, and nothing is written.
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

/// The seed names tables without their schema, so it runs with `public` in its search path, where functions of others
/// could be called.
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
                rows: from_bigint(row.get("rows")),
                without_tenant: from_bigint(row.get("without_tenant")),
                empty_string_tenants: from_bigint(row.get("empty_string")),
                ghost_tenants: from_bigint(row.get("ghost")),
            };
            (row.get("table_name"), planted)
        })
        .collect();
    let row = sqlx::query(include_str!("../../../sql/local-db/demo/planted.sql"))
        .fetch_one(session)
        .await
        .map_err(RlsError::query("counting what was planned"))?;
    let number = |name: &str| from_bigint(row.get(name));
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

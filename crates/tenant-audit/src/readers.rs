//! Which role reads which table, and with how many connections.

use tenancy_config::{Ident, Tenancy};
use tenant_inventory::Catalog;
use tenant_rls::{Access, ActingRole, Database, visibility};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::access::access_of;
use crate::error::Result;
use crate::table_count::TableCount;
use crate::uncounted::{Uncounted, UncountedPart, UncountedTable};

/// The tables that a role sees whole, each with that role, and the others.
pub(crate) struct Readable {
    pub(crate) counts: Vec<(TableCount, ActingRole)>,
    /// The role of all of them, if it is one.
    pub(crate) role: Option<ActingRole>,
    pub(crate) uncounted: Vec<UncountedTable>,
}

/// Finds the roles before the first table is read: one for all tables, or, where no role sees all of them, one for each.
pub(crate) async fn readable(
    database: &Database,
    (catalog, tenancy): (&Catalog, &Tenancy),
    counts: Vec<TableCount>,
) -> Result<Readable> {
    let mut readable = Readable { counts: Vec::with_capacity(counts.len()), role: None, uncounted: Vec::new() };
    if counts.is_empty() {
        return Ok(readable);
    }
    let unseen = match visibility::reader(database, tenancy, &access_of(&counts)).await {
        Ok(role) => {
            readable.role = Some(role.clone());
            readable.counts.extend(counts.into_iter().map(|count| (count, role.clone())));
            return Ok(readable);
        }
        Err(error @ tenant_rls::Error::CannotSee(_)) => error,
        Err(error) => return Err(error.into()),
    };
    for count in counts {
        match visibility::reader(database, tenancy, &count.access).await {
            Ok(role) => readable.counts.push((count, role)),
            Err(error @ tenant_rls::Error::CannotSee(_)) => match partly(database, (catalog, tenancy), &count).await? {
                Some(counted) => readable.counts.push(counted),
                None => {
                    let why = Uncounted::of(error.into());
                    readable.uncounted.push(UncountedTable { table: count.table.name, remedy: why.remedy(), why });
                }
            },
            Err(error) => return Err(error.into()),
        }
    }
    // An audit that cannot count one table is none.
    if readable.counts.is_empty() { Err(unseen.into()) } else { Ok(readable) }
}

/// The count of a table without the parts that no role may make, with the role that makes the rest; none where no role sees the table itself.
async fn partly(
    database: &Database,
    (catalog, tenancy): (&Catalog, &Tenancy),
    whole: &TableCount,
) -> Result<Option<(TableCount, ActingRole)>> {
    let Ok(own_role) = seen(database, tenancy, &whole.own).await? else { return Ok(None) };
    let key = Ident::new(&tenancy.tenant.key).map_err(tenant_rls::Error::from)?;
    let mut uncounted = Vec::new();
    for (part, access) in &whole.parts {
        if let Err(why) = seen(database, tenancy, access).await? {
            uncounted.push(UncountedPart::new(part.clone(), why));
        }
    }
    let rest = TableCount::without(catalog, &key, &whole.table, uncounted)?;
    let why = match seen(database, tenancy, &rest.access).await? {
        Ok(role) => return Ok(Some((rest, role))),
        Err(why) => why,
    };
    // Each part has a role, and no role has them all.
    let mut uncounted = rest.uncounted;
    uncounted.extend(rest.parts.into_iter().map(|(part, _)| UncountedPart::new(part, why.clone())));
    Ok(Some((TableCount::without(catalog, &key, &whole.table, uncounted)?, own_role)))
}

/// The role that sees all of this, or why none does.
async fn seen(
    database: &Database,
    tenancy: &Tenancy,
    access: &[Access],
) -> Result<std::result::Result<ActingRole, Uncounted>> {
    match visibility::reader(database, tenancy, access).await {
        Ok(role) => Ok(Ok(role)),
        Err(error @ tenant_rls::Error::CannotSee(_)) => Ok(Err(Uncounted::of(error.into()))),
        Err(error) => Err(error.into()),
    }
}

/// Shares the pool's connections between the tables.
///
/// Under policies an [`AuditTx`](tenant_rls::AuditTx) needs two, one of which holds the locks. If each task took them one by one, all could hold one and wait
/// forever for another; so a task takes both permits at once, before it asks the pool.
pub(crate) struct Connections {
    free: Semaphore,
    each: u32,
}

impl Connections {
    /// The connections of the pool but for the coordinator's.
    pub(crate) async fn new(database: &Database, counts: &[(TableCount, ActingRole)]) -> Result<Self> {
        let mut roles: Vec<&ActingRole> = Vec::new();
        for (_, role) in counts {
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        let mut by_policy = false;
        for role in roles {
            let of_role = counts.iter().filter(|(_, other)| other == role).map(|(count, _)| count);
            by_policy |= visibility::reads_by_policy(database, &access_of(of_role), role).await?;
        }
        let each = if by_policy { 2 } else { 1 };
        database.needs_connections(1 + each)?;
        Ok(Self { free: Semaphore::new(database.max_connections() as usize - 1), each })
    }

    /// The connections of one table, until this is dropped.
    pub(crate) async fn take(&self) -> SemaphorePermit<'_> {
        self.free.acquire_many(self.each).await.expect("nobody closes the semaphore")
    }
}

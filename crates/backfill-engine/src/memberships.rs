//! Memberships: users without one, and those of users and tenants that are gone.

use serde::Serialize;
use sqlx::Row;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{Catalog, ForeignKey, TenantTable};
use tenant_rls::row_count::from_bigint;
use tenant_rls::{Access, AuditTx, Database, Error as RlsError, Sql, Template, visibility};

use crate::error::{Error, Result};

/// Users and memberships of a database. The JSON shape is `backfill-memberships/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MembershipReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The table of the memberships.
    pub memberships_table: TableName,
    /// Its column with the user.
    pub user_column: String,
    /// The table of the users.
    pub users_table: TableName,
    /// Memberships.
    pub memberships: u64,
    /// Users.
    pub users: u64,
    /// Users without a membership.
    pub without: u64,
    /// Of these, users whose own tenant exists.
    pub without_known: u64,
    /// Users with memberships, none of which is in their own tenant. It is no finding.
    pub elsewhere: u64,
    /// Memberships whose user is gone.
    pub user_gone: u64,
    /// Memberships whose tenant is gone, or that have none.
    pub tenant_gone: u64,
}

impl MembershipReport {
    /// Users without a membership, and memberships of what is gone.
    pub fn findings(&self) -> u64 {
        self.without + self.user_gone + self.tenant_gone
    }

    /// Counts in one snapshot, by a role that is proven to see every row. Without a name, the table is the one whose name speaks of members
    /// and that points to users.
    ///
    /// # Errors
    /// [`Error::NoMemberships`] if there is no such table, or several; [`RlsError::NoTable`] if there is none of this name;
    /// [`Error::Unsuitable`] if it does not point to one table of users; [`RlsError::CannotSee`] if no role sees every row;
    /// [`RlsError::Query`] if they cannot be read.
    pub async fn count(database: &Database, tenancy: &Tenancy, table: Option<&str>) -> Result<Self> {
        let catalog = Catalog::load(database, tenancy).await?;
        let found = MembershipTables::find(&catalog, tenancy, table)?;
        let access = found.access(&catalog, tenancy)?;
        let mut audit = AuditTx::begin(database, &access, &visibility::readers(database, tenancy)?, None).await?;
        let row = sqlx::query(&found.statement(&catalog, tenancy)?)
            .fetch_one(audit.connection())
            .await
            .map_err(RlsError::query("counting users and memberships"))?;
        audit.close().await?;
        let count = |name: &str| from_bigint(row.get(name));
        Ok(Self {
            schema: "backfill-memberships/1",
            memberships_table: found.memberships.name.clone(),
            user_column: found.user.to_string(),
            users_table: found.users.name.clone(),
            memberships: count("memberships"),
            users: count("users"),
            without: count("without"),
            without_known: count("without_known"),
            elsewhere: count("elsewhere"),
            user_gone: count("user_gone"),
            tenant_gone: count("tenant_gone"),
        })
    }
}

/// The table of the memberships, the one of the users, and what joins them.
struct MembershipTables<'a> {
    memberships: &'a TenantTable,
    user: Ident,
    users: &'a TenantTable,
    user_key: Ident,
}

impl<'a> MembershipTables<'a> {
    fn find(catalog: &'a Catalog, tenancy: &Tenancy, named: Option<&str>) -> Result<Self> {
        if let Some(name) = named {
            let table = catalog.table(&TableName::parse(name, &tenancy.database.schema)?)?;
            return Self::of(catalog, table)?.ok_or_else(|| Error::Unsuitable {
                table: table.name.clone(),
                why: "no foreign key of it points to exactly one table of users with a tenant column".to_owned(),
            });
        }
        let called = |table: &&TenantTable| table.name.name().as_str().to_lowercase().contains("member");
        let mut found = Vec::new();
        for table in catalog.tables.iter().filter(called) {
            found.extend(Self::of(catalog, table)?);
        }
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (last, _) => {
                let names = found.iter().chain(&last).map(|found| found.memberships.name.clone()).collect();
                Err(Error::NoMemberships { found: names })
            }
        }
    }

    /// The users that a table points to: by its only foreign key to another tenant table, or by the only one to a table that is called after people.
    fn of(catalog: &'a Catalog, memberships: &'a TenantTable) -> Result<Option<Self>> {
        let mut pairs = Vec::new();
        for key in &memberships.foreign_keys {
            let Ok(users) = catalog.table(&key.target()?) else { continue };
            if let Some((here, there)) = pair(key, memberships).filter(|_| users.name != memberships.name) {
                pairs.push((here, users, there));
            }
        }
        let is_people = |(_, users, _): &&(String, &TenantTable, String)| {
            let name = users.name.name().as_str().to_lowercase();
            ["user", "people", "person", "account", "profile"].iter().any(|word| name.contains(word))
        };
        let people: Vec<_> = pairs.iter().filter(is_people).collect();
        let chosen = match (&pairs[..], &people[..]) {
            ([only], _) => only,
            (_, [only]) => *only,
            _ => return Ok(None),
        };
        let (user, users, user_key) = chosen;
        Ok(Some(Self { memberships, user: Ident::new(user)?, users, user_key: Ident::new(user_key)? }))
    }

    fn access(&self, catalog: &Catalog, tenancy: &Tenancy) -> Result<Vec<Access>> {
        let read = |table: &TenantTable, column: &Ident| -> Result<Access> {
            let read = vec![column.clone(), Ident::new(&table.column.name)?];
            Ok(Access { table: table.name.clone(), read, write: None })
        };
        let tenants =
            Access { table: catalog.tenants.clone(), read: vec![Ident::new(&tenancy.tenant.key)?], write: None };
        Ok(vec![read(self.memberships, &self.user)?, read(self.users, &self.user_key)?, tenants])
    }

    fn statement(&self, catalog: &Catalog, tenancy: &Tenancy) -> Result<Sql> {
        Ok(Template::new(include_str!("../../../sql/backfill-engine/memberships.sql"))
            .fragment("memberships_whole", whole(self.memberships))
            .fragment("users_whole", whole(self.users))
            .table("tenants", &catalog.tenants)
            .ident("tenant_key", &Ident::new(&tenancy.tenant.key)?)
            .ident("user", &self.user)
            .ident("user_key", &self.user_key)
            .ident("member_tenant", &Ident::new(&self.memberships.column.name)?)
            .ident("user_tenant", &Ident::new(&self.users.column.name)?)
            .build())
    }
}

fn whole(table: &TenantTable) -> Sql {
    let text = if table.partitioned { ":\"table\"" } else { "ONLY :\"table\"" };
    Template::new(text).table("table", &table.name).build()
}

/// The columns of a foreign key, without the tenant column.
fn pair(key: &ForeignKey, table: &TenantTable) -> Option<(String, String)> {
    let pairs = key.columns.iter().zip(&key.references);
    let mut own: Vec<_> = pairs.filter(|(here, _)| **here != table.column.name).collect();
    let (here, there) = own.pop()?;
    own.is_empty().then(|| (here.clone(), there.clone()))
}

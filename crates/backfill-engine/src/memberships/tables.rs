//! The table of the memberships, the one of the users, and what joins them.

use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{Catalog, ForeignKey, TenantTable};
use tenant_rls::{Access, Sql, Template};

use crate::error::{Error, Result};
use crate::unsuitable::Unsuitable;

/// These tables.
pub(crate) struct MembershipTables<'a> {
    pub(crate) memberships: &'a TenantTable,
    pub(crate) user: Ident,
    pub(crate) users: &'a TenantTable,
    pub(crate) user_key: Ident,
}

impl<'a> MembershipTables<'a> {
    /// Finds them.
    pub(crate) fn find(catalog: &'a Catalog, tenancy: &Tenancy, named: Option<&str>) -> Result<Self> {
        if let Some(name) = named {
            let table = catalog.table(&TableName::parse(name, &tenancy.database.schema)?)?;
            return Self::of(catalog, table)?
                .ok_or_else(|| Error::Unsuitable { table: table.name.clone(), why: Box::new(Unsuitable::NoUsers) });
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

    /// What must be read of them.
    pub(crate) fn access(&self, catalog: &Catalog, tenancy: &Tenancy) -> Result<Vec<Access>> {
        let read = |table: &TenantTable, column: &Ident| -> Result<Access> {
            let read = vec![column.clone(), Ident::new(&table.column.name)?];
            Ok(Access { table: table.name.clone(), read, write: None })
        };
        let tenants =
            Access { table: catalog.tenants.clone(), read: vec![Ident::new(&tenancy.tenant.key)?], write: None };
        Ok(vec![read(self.memberships, &self.user)?, read(self.users, &self.user_key)?, tenants])
    }

    /// A statement over both tables and the tenants.
    pub(crate) fn statement(&self, text: &'static str, catalog: &Catalog, tenancy: &Tenancy) -> Result<Template> {
        Ok(Template::new(text)
            .fragment("memberships_whole", whole(self.memberships))
            .fragment("users_whole", whole(self.users))
            .table("tenants", &catalog.tenants)
            .ident("tenant_key", &Ident::new(&tenancy.tenant.key)?)
            .ident("user", &self.user)
            .ident("user_key", &self.user_key)
            .ident("user_tenant", &Ident::new(&self.users.column.name)?))
    }
}

pub(crate) fn whole(table: &TenantTable) -> Sql {
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

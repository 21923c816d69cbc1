//! The tenant table, which confirms that a tenant exists.

use serde::Serialize;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::access::Access;
use crate::connection::database::Database;
use crate::error::{Error, Result};
use crate::scope::audit::AuditTx;
use crate::sql::template::Template;
use crate::sql::text::Sql;
use crate::tenant_id::TenantId;
use crate::visibility::readers;
use tenancy_config::{Ident, TableName, Tenancy, closest};

/// A row of the tenant table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its slug.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Its state, such as `SUSPENDED`; `None` if `tenancy.toml` names no column for it.
    pub status: Option<String>,
    /// Whether it is in use. A tenant without a state always is.
    pub active: bool,
}

/// The tenant table, read in one snapshot by a role that is proven to see all of it.
pub struct Registry {
    audit: AuditTx,
    statements: Statements,
    active: String,
}

struct Statements {
    find: Sql,
    page: Sql,
    names: Sql,
}

impl Registry {
    /// Opens the table.
    ///
    /// # Errors
    /// [`Error::CannotSee`]: row level security hides tenants from this login. A hidden tenant must not be reported as
    /// unknown.
    pub async fn open(database: &Database, tenancy: &Tenancy) -> Result<Self> {
        let tenant = &tenancy.tenant;
        let table = TableName::parse(&tenant.table, &tenancy.database.schema)?;
        let [key, slug, name] = [&tenant.key, &tenant.slug, &tenant.name].map(Ident::new);
        let (key, slug, name) = (key?, slug?, name?);
        let status = tenant.status.as_ref().map(Ident::new).transpose()?;
        let text = |column: &Ident| Template::new(":\"column\"::pg_catalog.text").ident("column", column).build();
        let with = |file: &'static str| {
            let status = status.as_ref().map_or(Sql::from_static("NULL::pg_catalog.text"), text);
            let template = Template::new(file).table("tenants", &table).ident("key", &key).ident("slug", &slug);
            template.ident("name", &name).fragment("status", status).build()
        };
        let statements = Statements {
            find: with(include_str!("../../../sql/tenant-rls/find_tenants.sql")),
            page: with(include_str!("../../../sql/tenant-rls/tenants.sql")),
            names: Template::new(include_str!("../../../sql/tenant-rls/tenant_names.sql"))
                .table("tenants", &table)
                .ident("key", &key)
                .ident("slug", &slug)
                .build(),
        };
        let read = [key, slug, name].into_iter().chain(status).collect();
        let access = [Access { table, read, write: None }];
        let audit = AuditTx::begin(database, &access, &readers(database, tenancy)?, None).await?;
        Ok(Self { audit, statements, active: tenant.active.clone() })
    }

    /// Finds the tenant that has this id or this slug.
    ///
    /// # Errors
    /// [`Error::Query`]: a statement fails. [`Error::UnknownTenant`]: there is none; the error has the nearest id or
    /// slug. [`Error::AmbiguousTenant`]: the name is one tenant's id and another's slug. [`Error::TenantId`]: the name
    /// is empty or not usable.
    pub async fn find(&mut self, name: &str) -> Result<Tenant> {
        let mut found = self.find_all(&[name]).await?;
        match found.pop().expect("one answer a name") {
            Err(Error::UnknownTenant { name, .. }) => {
                let closest = self.closest_name(&name).await?;
                Err(Error::UnknownTenant { name, closest })
            }
            answer => answer,
        }
    }

    /// Finds many at once. The answers are in the order of the names.
    ///
    /// # Errors
    /// [`Error::Query`]: a statement fails. Each answer may be [`Error::UnknownTenant`], without a suggestion;
    /// [`Error::AmbiguousTenant`], if the name is one tenant's id and another's slug; or [`Error::TenantId`], if the
    /// name is empty or not usable.
    pub async fn find_all(&mut self, names: &[&str]) -> Result<Vec<Result<Tenant>>> {
        // PostgreSQL's text cannot hold a NUL. Such a name is answered here, and an empty one is looked up in its
        // place.
        let usable = |name: &&str| !name.trim().is_empty() && !name.contains('\0');
        let asked: Vec<&str> = names.iter().copied().map(|name| if usable(&name) { name } else { "" }).collect();
        let rows = sqlx::query(&self.statements.find).bind(asked).fetch_all(self.audit.connection()).await;
        let rows = rows.map_err(Error::query("looking up tenants"))?;
        let mut found: Vec<Option<Result<Tenant>>> = names.iter().map(|_| None).collect();
        for row in &rows {
            let position =
                usize::try_from(row.get::<i64, _>("asked_position")).expect("a position among the names") - 1;
            let answer = match found[position] {
                None => self.tenant(row),
                Some(_) => Err(Error::AmbiguousTenant { name: names[position].to_owned() }),
            };
            found[position] = Some(answer);
        }
        let answers = found.into_iter().zip(names.iter().copied()).map(|(found, name)| match found {
            _ if !usable(&name) => Err(Error::TenantId {
                why: "a tenant is named by its id or slug; the name given is empty or holds a NUL",
            }),
            Some(found) => found,
            None => Err(Error::UnknownTenant { name: name.to_owned(), closest: None }),
        });
        Ok(answers.collect())
    }

    /// The next `limit` tenants after `after`, in the order of their ids, whatever their state.
    ///
    /// # Errors
    /// [`Error::Query`]: a statement fails. [`Error::TenantId`]: a tenant has an id that no policy could match.
    pub async fn page(&mut self, after: Option<&TenantId>, limit: u32) -> Result<Vec<Tenant>> {
        let query = sqlx::query(&self.statements.page).bind(after.map(TenantId::as_str)).bind(i64::from(limit));
        let rows = query.fetch_all(self.audit.connection()).await.map_err(Error::query("listing the tenants"))?;
        rows.iter().map(|row| self.tenant(row)).collect()
    }

    /// Ends the snapshot.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost.
    pub async fn close(self) -> Result<()> {
        self.audit.close().await
    }

    fn tenant(&self, row: &PgRow) -> Result<Tenant> {
        let status: Option<String> = row.get("tenant_status");
        let active = status.as_ref().is_none_or(|status| *status == self.active);
        Ok(Tenant {
            id: TenantId::confirmed(row.get("tenant_key"))?,
            slug: row.get("tenant_slug"),
            name: row.get("tenant_name"),
            status,
            active,
        })
    }

    async fn closest_name(&mut self, name: &str) -> Result<Option<String>> {
        let names: Vec<String> = sqlx::query_scalar(&self.statements.names)
            .fetch_all(self.audit.connection())
            .await
            .map_err(Error::query("listing the tenants"))?;
        Ok(closest(name, names.iter().map(String::as_str)).map(str::to_owned))
    }
}

//! The rows and columns that the attempts are made on.

use sqlx::Row;
use tenant_rls::{Access, AuditTx, Database, Error as RlsError, Ident, Sql, Template, visibility};

use crate::Result;
use crate::site::{Relation, Site};

/// Rows of two tenants, by key, and what is needed to copy one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    /// Up to two tenants, each with the keys of some of its rows.
    pub(crate) tenants: Vec<(String, Vec<String>)>,
    /// Keys of rows without a tenant.
    pub(crate) nobodys: Vec<String>,
}

/// The columns that an INSERT may name, with their types.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    pub(crate) all: Vec<(Ident, String)>,
    pub(crate) has_triggers: bool,
}

impl Columns {
    /// Reads them; every role may.
    pub(crate) async fn read(database: &Database, relation: &Relation) -> Result<Self> {
        let mut tx = tenant_rls::OwnerTx::begin(database, std::time::Duration::from_secs(5)).await?;
        let rows = sqlx::query(include_str!("../../../../sql/rls/probe_columns.sql"))
            .bind(relation.name.schema().as_str())
            .bind(relation.name.name().as_str())
            .fetch_all(tx.connection())
            .await
            .map_err(RlsError::query(format!("reading the columns of {}", relation.name)))?;
        tx.rollback().await?;
        let mut columns = Self::default();
        for row in rows {
            columns.all.push((Ident::new(row.get::<String, _>(0))?, row.get(1)));
            columns.has_triggers = row.get(2);
        }
        Ok(columns)
    }

    /// The type of a column, as the server prints it.
    pub(crate) fn type_of(&self, column: &Ident) -> Option<Sql> {
        let found = self.all.iter().find(|(name, _)| name == column);
        found.map(|(_, name)| Sql::from_catalog(name.clone()))
    }
}

impl Rows {
    /// Finds rows as a role that sees all of them; none where there is no such role.
    pub(crate) async fn find(
        database: &Database,
        site: &Site,
        relation: &Relation,
        key: &Ident,
    ) -> Result<Option<Self>> {
        let tenant_key = Ident::new(&site.tenancy.tenant.key)?;
        let (tenants, column) = (&site.catalog.tenants, &relation.scope.column);
        let access = [
            Access { table: relation.name.clone(), read: vec![key.clone(), column.clone()], write: None },
            Access { table: tenants.clone(), read: vec![tenant_key.clone()], write: None },
        ];
        let readers = visibility::readers(database, &site.tenancy)?;
        let mut audit = match AuditTx::begin(database, &access, &readers, None).await {
            Ok(audit) => audit,
            Err(RlsError::CannotSee(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let find = Template::new(include_str!("../../../../sql/rls/probe_rows.sql"))
            .ident("key", key)
            .table("target", &relation.name)
            .ident("column", column)
            .table("tenants", tenants)
            .ident("tenant_key", &tenant_key)
            .build();
        let found = sqlx::query(&find)
            .fetch_all(audit.connection())
            .await
            .map_err(RlsError::query(format!("looking for rows of {} to try with", relation.name)))?;
        audit.close().await?;
        let mut rows = Self::default();
        for row in found {
            let keys = row.get::<Option<Vec<String>>, _>(1).unwrap_or_default();
            match row.get::<Option<String>, _>(0) {
                Some(tenant) => rows.tenants.push((tenant, keys)),
                None => rows.nobodys = keys,
            }
        }
        Ok(Some(rows))
    }
}

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

/// The columns of a table that a statement may write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    all: Vec<Column>,
    pub(crate) has_triggers: bool,
}

/// One of them.
#[derive(Debug, Clone)]
struct Column {
    name: Ident,
    /// As the server prints it.
    type_name: String,
    /// An INSERT may name it: it is not GENERATED ALWAYS.
    insertable: bool,
    /// A copy of a row needs another value, for a unique key.
    unique: bool,
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
            let name = Ident::new(row.get::<String, _>(0))?;
            columns.all.push(Column { name, type_name: row.get(1), insertable: row.get(2), unique: row.get(3) });
            columns.has_triggers = row.get(4);
        }
        Ok(columns)
    }

    /// The type of a column, as the server prints it.
    pub(crate) fn type_of(&self, column: &Ident) -> Option<Sql> {
        let found = self.all.iter().find(|known| known.name == *column);
        found.map(|known| Sql::from_catalog(known.type_name.clone()))
    }

    /// Those that an INSERT may name.
    pub(crate) fn insertable(&self) -> impl Iterator<Item = &Ident> {
        self.all.iter().filter(|column| column.insertable).map(|column| &column.name)
    }

    /// Values that no row has, for the columns of unique keys whose type is known here.
    pub(crate) fn fresh(&self) -> impl Iterator<Item = (&Ident, &'static str)> {
        let unique = self.all.iter().filter(|column| column.unique);
        unique.filter_map(|column| Some((&column.name, fresh(&column.type_name)?)))
    }
}

/// A value of a type that no row has.
fn fresh(type_name: &str) -> Option<&'static str> {
    match type_name {
        "uuid" => Some("00000000-0000-4000-8000-0123456789ab"),
        "integer" | "smallint" => Some("-32000"),
        "bigint" | "numeric" => Some("-9000000000000000001"),
        "text" | "citext" => Some("~attempt"),
        _ if type_name.starts_with("character varying") => Some("~attempt"),
        _ => None,
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

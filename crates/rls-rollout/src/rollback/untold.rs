//! Tenants of rows that would be lost with their column, as the rows that they point to do not tell them.

use std::collections::BTreeSet;

use tenancy_config::{CommandRef, Ident, TableName, Tenancy};
use tenant_inventory::{AspectKind, Definition, Inventory};
use tenant_rls::{Access, AuditTx, Database, Error as RlsError, Sql, Template, visibility};

use crate::error::Result;
use crate::plan::script::statement_text;

/// The rows of a table that have a tenant which the rows that they point to do not tell: it came from somewhere else than a backfill through them.
pub(super) struct Untold<'a> {
    table: &'a TableName,
    column: &'a Ident,
    /// Whether there is such a row, as an expression.
    exists: Sql,
    /// What the expression reads.
    access: Vec<Access>,
}

impl<'a> Untold<'a> {
    /// Where a key proves the tenant, no row of the other table is read. Tables whose columns are `dropped` already tell nothing.
    pub(super) fn of(
        inventory: &Inventory,
        dropped: &BTreeSet<TableName>,
        table: &'a TableName,
        column: &'a Ident,
        now: &Definition,
    ) -> Result<Self> {
        let mut told = Vec::new();
        let mut access = vec![Access { table: table.clone(), read: vec![column.clone()], write: None }];
        let root = inventory.relation(table).map(|relation| inventory.root(relation));
        for key in root.into_iter().flat_map(|root| &root.foreign_keys) {
            let ([link], [reference]) = (key.columns.as_slice(), key.references.as_slice()) else { continue };
            let parent = key.target()?;
            let mut others = inventory.catalog.tables.iter().filter(|other| !dropped.contains(&other.name));
            let Some(other) = others.find(|other| other.name == parent && other.name != *table) else {
                continue;
            };
            let (link, reference) = (Ident::new(link)?, Ident::new(reference)?);
            access[0].read.push(link.clone());
            if is_proven(now, column, &link) {
                told.push(Template::new("r.:\"link\" IS NOT NULL").ident("link", &link).build());
                continue;
            }
            let parent_column = Ident::new(&other.column.name)?;
            let row = Template::new(include_str!("../../../../sql/rls-rollout/fragments/told_by_row.sql"))
                .table("parent", &parent)
                .ident("key", &reference)
                .ident("link", &link)
                .ident("parent_column", &parent_column)
                .ident("column", column)
                .build();
            told.push(Sql::from_catalog(statement_text(&row).to_owned()));
            access.push(Access { table: parent, read: vec![reference, parent_column], write: None });
        }
        if told.is_empty() {
            told.push(Sql::from_static("false"));
        }
        let exists = Template::new(include_str!("../../../../sql/rls-rollout/fragments/untold.sql"))
            .table("table", table)
            .ident("column", column)
            .fragment("told", Sql::join(told, " OR "))
            .build();
        Ok(Self { table, column, exists: Sql::from_catalog(statement_text(&exists).to_owned()), access })
    }

    /// Whether there is one now; none where no role can be proven to see every row.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub(super) async fn is_there(&self, database: &Database, tenancy: &Tenancy) -> Result<Option<bool>> {
        let mut audit =
            match AuditTx::begin(database, &self.access, &visibility::readers(database, tenancy)?, None).await {
                Err(RlsError::CannotSee(_)) => return Ok(None),
                audit => audit?,
            };
        let asked = Template::new("SELECT :exists").fragment("exists", self.exists.clone()).build();
        let is_there = sqlx::query_scalar(asked).fetch_one(audit.connection()).await;
        let is_there = is_there.map_err(RlsError::query("looking for tenants that would be lost with their column"))?;
        audit.close().await?;
        Ok(Some(is_there))
    }

    /// The statement that refuses where there is one.
    ///
    /// # Errors
    /// [`crate::Error::Database`] for a name that PostgreSQL could not hold.
    pub(super) fn refuse(&self) -> Result<Sql> {
        let (table, column) = (self.table, self.column);
        let message = format!("{table} has rows with a tenant that the rows that they point to do not tell");
        let keeps = CommandRef::RlsRollbackToPrepare { table: table.to_string() };
        let runs = CommandRef::BackfillRuns;
        let hint = format!(
            "dropping {column} would lose it: take back the backfill that gave it, which `{runs}` names, or keep the column: `{keeps}`"
        );
        let body = Template::new(include_str!("../../../../sql/rls-rollout/fragments/probe_untold.sql"))
            .fragment("untold", self.exists.clone())
            .literal("message", &message)
            .literal("hint", &hint)
            .build();
        Ok(Template::new("DO :'body'").literal("body", statement_text(&body)).build())
    }
}

/// Whether a valid key references a row together with its tenant.
fn is_proven(now: &Definition, column: &Ident, link: &Ident) -> bool {
    let columns = |text: &str| -> Option<Vec<String>> {
        let columns = text.strip_prefix("FOREIGN KEY (")?.split(") REFERENCES ").next()?;
        Some(columns.split(", ").map(|name| name.trim_matches('"').replace("\"\"", "\"")).collect())
    };
    let both = |text: &str| {
        let proven = !text.ends_with(" NOT VALID") && !text.ends_with(" NOT ENFORCED");
        proven && columns(text).is_some_and(|columns| columns == [column.to_string(), link.to_string()])
    };
    now.all(AspectKind::Constraint).any(|(_, text)| both(text))
}

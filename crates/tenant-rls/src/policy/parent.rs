//! The condition of a table whose rows belong to tenants through the row that a column points to: as statements write it and as the catalog
//! prints it.

use tenancy_config::tenancy::ThroughForm;
use tenancy_config::{Ident, TableName};

use super::column_type::TenantColumnType;
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// Which rows of the other table are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParentRows {
    /// Those of the session's tenant.
    Own,
    /// Those, and those without a tenant.
    OwnOrNone,
    /// Those without a tenant.
    None,
}

/// A column, also as the catalog prints it, and its type.
#[derive(Debug, Clone)]
pub struct LinkColumn {
    /// Its name.
    pub name: Ident,
    /// Its name, quoted only if necessary.
    pub printed: String,
    /// Its type.
    pub column_type: TenantColumnType,
}

/// The other table, and how a row is found there.
#[derive(Debug, Clone)]
pub struct ParentComparison {
    /// This table, whose column points there, as the catalog prints its name without the schema.
    pub printed_child: String,
    /// The column that points there.
    pub link: LinkColumn,
    /// The other table.
    pub table: TableName,
    /// The same as the catalog prints it, with its schema.
    pub printed_table: String,
    /// Its column that is pointed to.
    pub key: LinkColumn,
    /// Its tenant column.
    pub tenant: LinkColumn,
    /// How a policy asks for its rows.
    pub form: ThroughForm,
}

impl ParentComparison {
    /// The name of the other table's row in the condition; another one where that would hide this table.
    fn alias(&self) -> &'static str {
        if self.printed_child == "parent" { "parent_row" } else { "parent" }
    }

    /// The condition of a policy of `child`, which is this table or a partition of it. `current` is the tenant of the session variable.
    pub(crate) fn condition(&self, child: &TableName, form: ThroughForm, rows: ParentRows, current: Sql) -> Sql {
        // Both names are valid, as they stand above.
        let alias = Sql::from_static(self.alias());
        let tenant = |text: &'static str| {
            Template::new(text).ident("tenant", &self.tenant.name).fragment("alias", alias.clone())
        };
        let tenant = match rows {
            ParentRows::Own => tenant(r#":alias.:"tenant" = :current"#).fragment("current", current).build(),
            ParentRows::OwnOrNone => tenant(r#":alias.:"tenant" = :current OR :alias.:"tenant" IS NULL"#)
                .fragment("current", current)
                .build(),
            ParentRows::None => tenant(r#":alias.:"tenant" IS NULL"#).build(),
        };
        let template = match form {
            ThroughForm::Array => {
                Template::new(include_str!("../../../../sql/tenant-rls/fragments/parent_in_array.sql"))
            }
            ThroughForm::Exists => {
                Template::new(include_str!("../../../../sql/tenant-rls/fragments/parent_exists.sql"))
                    .ident("child", child.name())
            }
        };
        template
            .fragment("alias", alias)
            .ident("column", &self.link.name)
            .table("parent", &self.table)
            .ident("key", &self.key.name)
            .fragment("tenant", tenant)
            .build()
    }

    /// The same as the catalog prints it. `current` is printed too.
    pub(crate) fn printed(&self, form: ThroughForm, rows: ParentRows, current: &str) -> String {
        let (alias, table) = (self.alias(), &self.printed_table);
        let tenant = format!("{alias}.{}", self.tenant.printed);
        let own = format!("({} = {current})", as_text(&tenant, self.tenant.column_type));
        let none = format!("({tenant} IS NULL)");
        let asked = match rows {
            ParentRows::Own => own,
            ParentRows::OwnOrNone => format!("({own} OR {none})"),
            ParentRows::None => none,
        };
        let key = format!("{alias}.{}", self.key.printed);
        match form {
            ThroughForm::Array => {
                let array = format!("ARRAY( SELECT {key}\n   FROM {table} {alias}\n  WHERE {asked})");
                let array = match self.key.column_type {
                    TenantColumnType::Varchar => format!("({array})::text[]"),
                    _ => array,
                };
                format!("({} = ANY ({array}))", as_text(&self.link.printed, self.link.column_type))
            }
            ThroughForm::Exists => {
                let link = format!("{}.{}", self.printed_child, self.link.printed);
                let (key, link) = (as_text(&key, self.key.column_type), as_text(&link, self.link.column_type));
                format!("(EXISTS ( SELECT\n   FROM {table} {alias}\n  WHERE (({key} = {link}) AND {asked})))")
            }
        }
    }
}

/// A column in a comparison, as the catalog prints it.
fn as_text(column: &str, column_type: TenantColumnType) -> String {
    if column_type == TenantColumnType::Varchar { format!("({column})::text") } else { column.to_owned() }
}

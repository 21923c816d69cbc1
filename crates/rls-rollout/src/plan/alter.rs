//! The statements that change one aspect of a table.

use tenancy_config::{Ident, TableName};
use tenant_inventory::{Aspect, AspectKind};
use tenant_rls::{Sql, Template};

use crate::error::{Error, Result};

/// Every right on a table that can be granted. Nothing else may take its place in a GRANT, which also makes roles members of others.
const RIGHTS: [&str; 8] = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"];

/// The options with which a right can be granted.
const OPTIONS: [&str; 2] = ["", " WITH GRANT OPTION"];

/// The statements that change one aspect of a table from `from` to `to`. They make and drop no index; for dropping see [`drop_index`].
///
/// # Errors
/// [`Error::UnknownRight`] where the aspect is a right that PostgreSQL does not have; [`Error::Database`] for a name that it could not hold.
pub(crate) fn statements(
    table: &TableName,
    column: &Ident,
    aspect: &Aspect,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Vec<Sql>> {
    let alter = |rest: &'static str| Template::new(rest).table("table", table);
    let text = |text: &str| Sql::from_catalog(text.to_owned());
    let name = |template: Template| -> Result<Template> { Ok(template.ident("name", &Ident::new(&aspect.name)?)) };
    let mut out = Vec::new();
    match aspect.kind {
        AspectKind::RowSecurity if to.is_some() => {
            out.push(alter("ALTER TABLE :\"table\" ENABLE ROW LEVEL SECURITY").build())
        }
        AspectKind::RowSecurity => out.push(alter("ALTER TABLE :\"table\" DISABLE ROW LEVEL SECURITY").build()),
        AspectKind::Forced if to.is_some() => {
            out.push(alter("ALTER TABLE :\"table\" FORCE ROW LEVEL SECURITY").build())
        }
        AspectKind::Forced => out.push(alter("ALTER TABLE :\"table\" NO FORCE ROW LEVEL SECURITY").build()),
        AspectKind::NotNull => {
            let set = |verb: &'static str| {
                let template =
                    alter("ALTER TABLE :\"table\" ALTER COLUMN :\"column\" :verb NOT NULL").ident("column", column);
                template.fragment("verb", Sql::from_static(verb)).build().running_application_code()
            };
            match to {
                Some("") => out.push(set("SET")),
                None => out.push(set("DROP")),
                // A constraint that was never validated; it can only be added where there is none.
                Some(constraint) => {
                    out.push(set("DROP"));
                    out.push(
                        alter("ALTER TABLE :\"table\" ADD :constraint")
                            .fragment("constraint", text(constraint))
                            .build(),
                    );
                }
            }
        }
        AspectKind::Default => {
            // ONLY: the partitions of a table may have defaults of their own.
            let template =
                alter("ALTER TABLE ONLY :\"table\" ALTER COLUMN :\"column\" :action").ident("column", column);
            let action = match to {
                Some(expression) => Template::new("SET DEFAULT :to").fragment("to", text(expression)).build(),
                None => Sql::from_static("DROP DEFAULT"),
            };
            out.push(template.fragment("action", action).build());
        }
        AspectKind::Policy => {
            if from.is_some() {
                out.push(name(alter("DROP POLICY :\"name\" ON :\"table\""))?.build());
            }
            if let Some(to) = to {
                let create = name(alter("CREATE POLICY :\"name\" ON :\"table\" :to"))?;
                out.push(create.fragment("to", text(to)).build());
            }
        }
        AspectKind::Constraint => {
            if from.is_some() {
                out.push(name(alter("ALTER TABLE :\"table\" DROP CONSTRAINT :\"name\""))?.build());
            }
            if let Some(to) = to {
                let add = name(alter("ALTER TABLE :\"table\" ADD CONSTRAINT :\"name\" :to"))?;
                out.push(add.fragment("to", text(to)).build());
            }
        }
        AspectKind::Grant => {
            let role = Ident::new(&aspect.role)?;
            let known = RIGHTS.contains(&aspect.name.as_str()) && to.is_none_or(|option| OPTIONS.contains(&option));
            if !known {
                return Err(Error::UnknownRight { table: table.clone(), right: aspect.name.clone() });
            }
            let of = |template: Template| -> Result<Template> {
                let right = text(&aspect.name);
                let right = if aspect.column.is_empty() {
                    right
                } else {
                    let column = Ident::new(&aspect.column)?;
                    Template::new(":right (:\"column\")").fragment("right", right).ident("column", &column).build()
                };
                Ok(template.table("table", table).fragment("right", right).ident("role", &role))
            };
            if from.is_some() {
                out.push(of(Template::new("REVOKE :right ON :\"table\" FROM :\"role\""))?.build());
            }
            if let Some(option) = to {
                let grant = of(Template::new("GRANT :right ON :\"table\" TO :\"role\":option"))?;
                out.push(grant.fragment("option", text(option)).build());
            }
        }
        AspectKind::PolicyComment | AspectKind::ConstraintComment => {
            let on = match aspect.kind {
                AspectKind::PolicyComment => "COMMENT ON POLICY :\"name\" ON :\"table\" IS :comment",
                _ => "COMMENT ON CONSTRAINT :\"name\" ON :\"table\" IS :comment",
            };
            let comment = match to {
                Some(comment) => Template::new(":'comment'").literal("comment", comment).build(),
                None => Sql::from_static("NULL"),
            };
            out.push(name(alter(on))?.fragment("comment", comment).build());
        }
        // None of them is changed with a table.
        AspectKind::Index
        | AspectKind::EventTrigger
        | AspectKind::Role
        | AspectKind::SchemaUsage
        | AspectKind::SequenceUsage => {}
        AspectKind::Column => {
            if from.is_some() {
                out.push(alter("ALTER TABLE :\"table\" DROP COLUMN :\"column\"").ident("column", column).build());
            }
            if let Some(to) = to {
                // Without a default, so that no row is rewritten.
                let add = alter("ALTER TABLE :\"table\" ADD COLUMN :\"column\" :type").ident("column", column);
                out.push(add.fragment("type", Sql::type_from_catalog(to)).build());
            }
        }
    }
    Ok(out)
}

/// The statement that drops an index without blocking anybody; it cannot run in a transaction.
pub(crate) fn drop_index(table: &TableName, index: &str) -> Result<Sql> {
    let index = TableName::new(table.schema().clone(), Ident::new(index)?);
    Ok(Template::new("DROP INDEX CONCURRENTLY IF EXISTS :\"index\"").table("index", &index).build())
}

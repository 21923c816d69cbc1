//! A plan as a Prisma migration, with what `schema.prisma` must say so that Prisma has nothing to take back.

use std::fmt::Write as _;

use serde::Serialize;
use tenancy_config::{Ident, TableName};
use tenant_inventory::{AspectKind, Relation, RelationKind};
use tenant_rls::{Sql, Template, TenantComparison};

use crate::plan::{one_line, statement_text};
use crate::seen::seen;
use crate::{Execution, PlanReport, Step};

/// What the model of one table must say behind the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchemaEdit {
    /// The table.
    pub table: TableName,
    /// Its tenant column.
    pub column: Ident,
    /// The field is required, and its relation to the tenant with it.
    pub required: bool,
    /// The argument of `@default`; none where Prisma would not see the default and set it again at each push.
    pub default: Option<String>,
    /// Indexes of the tenant column alone, by name.
    pub indexes: Vec<String>,
}

/// The files of one migration folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrismaMigration {
    /// What stands behind the timestamp in the folder's name.
    pub name: String,
    /// `migration.sql`.
    pub statements: String,
    /// `schema-edits.md`, for people.
    pub edits: String,
}

/// What the model of a relation must say, if Prisma has a model of it: of a partition it has none.
pub(crate) fn edit(relation: &Relation, steps: &[Step]) -> Option<SchemaEdit> {
    if !matches!(relation.kind, RelationKind::Table | RelationKind::Partitioned) {
        return None;
    }
    let alone = format!(" USING btree ({})", relation.comparison.printed_column);
    let there = relation.definition.all(AspectKind::Index).filter(|(_, text)| text.starts_with("CREATE INDEX "));
    let mut indexes: Vec<String> =
        there.filter(|(_, text)| text.ends_with(&alone)).map(|(name, _)| name.to_owned()).collect();
    for step in steps.iter().filter(|step| step.table == relation.name) {
        if let Execution::Concurrently { index } = &step.how {
            indexes.push(index.clone());
        }
    }
    Some(SchemaEdit {
        table: relation.name.clone(),
        column: relation.comparison.column.clone(),
        required: relation.never_null,
        default: if relation.platform_rows { None } else { schema_default(&relation.comparison) },
        indexes,
    })
}

/// Prisma takes a default that begins with `NULL`, as `NULLIF` does, for none (seen with 6.19.3).
fn schema_default(comparison: &TenantComparison) -> Option<String> {
    let printed = comparison.printed_default();
    let escaped = printed.replace('\\', "\\\\").replace('"', "\\\"");
    (!printed.starts_with("NULL")).then(|| format!("dbgenerated(\"{escaped}\")"))
}

/// The statement that makes a role wherever the migration runs.
pub(crate) fn role(role: &Ident) -> Sql {
    let body = Template::new(include_str!("../../../sql/rls/prisma_role.sql"))
        .ident("role", role)
        .literal("role_name", role.as_str())
        .build();
    Template::new("DO :'body'").literal("body", statement_text(&body)).build()
}

impl SchemaEdit {
    /// The edits as sentences, a line each.
    fn lines(&self) -> Vec<String> {
        let (field, mut lines) = (&self.column, Vec::new());
        lines.push(if self.required {
            "the field is required, without `?`, and its relation to the tenant with it".to_owned()
        } else {
            "the field stays optional, with `?`".to_owned()
        });
        match &self.default {
            Some(default) => lines.push(format!("the field has `@default({default})`")),
            None => lines.push("the field has no `@default` of the database's".to_owned()),
        }
        for index in &self.indexes {
            let usual = *index == format!("{}_{field}_idx", self.table.name());
            let map = if usual { String::new() } else { format!(", map: \"{index}\"") };
            lines.push(format!("the model has `@@index([{field}]{map})`"));
        }
        lines
    }
}

impl PlanReport {
    /// The plan as a Prisma migration; none where no step is left.
    pub fn prisma_migration(&self) -> Option<PrismaMigration> {
        if self.steps.is_empty() {
            return None;
        }
        let (mut statements, mut edits) = (String::new(), String::new());
        // Writing to a String cannot fail.
        let _ = self.write_migration(&mut statements);
        let _ = self.write_edits(&mut edits);
        Some(PrismaMigration { name: format!("rls_{}", self.goal), statements: seen(&statements), edits })
    }

    fn write_migration(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "-- Row level security, as far as `{}`.", self.goal)?;
        writeln!(
            out,
            "-- Where `cargo xtask rls rollout` has done it, beside a running application, this only counts as applied:"
        )?;
        writeln!(out, "--   npx prisma migrate resolve --applied (the name of this folder)")?;
        writeln!(
            out,
            "-- It is for databases that nobody uses yet: it builds indexes under a lock, tries nothing again, and keeps no journal."
        )?;
        for table in self.tables.iter().filter(|table| !table.stopped_by.is_empty()) {
            let name = one_line(&table.table.to_string());
            writeln!(out, "-- Left out: {name}: {}", one_line(&table.stopped_by.join("; ")))?;
        }
        for sql in &self.every_role {
            // Whatever path the migration runs under: somebody may have put functions there.
            writeln!(out, "\nBEGIN;\nSET LOCAL search_path = pg_catalog, pg_temp;\n{};\nCOMMIT;", sql.as_str())?;
        }
        for step in &self.steps {
            if step.how == Execution::Transaction {
                self.write_step(out, step)?;
                continue;
            }
            writeln!(out, "\n-- {} ({}): {}", one_line(&step.table.to_string()), step.phase, step.name)?;
            for statement in &step.statements {
                // One that is built concurrently cannot stand beside other statements.
                writeln!(out, "{};", statement_text(&statement.sql).replacen(" INDEX CONCURRENTLY ", " INDEX ", 1))?;
            }
        }
        Ok(())
    }

    fn write_edits(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "# Edits of schema.prisma that belong to this migration\n")?;
        writeln!(
            out,
            "Without them the next `prisma db push` or `migrate dev` takes constraints and indexes away. Tables and columns are \
             named as in the database; `@@map` and `@map` may have given model and field other names.\n"
        )?;
        for edit in &self.schema_edits {
            writeln!(out, "- `{}`, column `{}`", one_line(&edit.table.to_string()), one_line(edit.column.as_str()))?;
            for line in edit.lines() {
                writeln!(out, "  - {}", one_line(&line))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default_of(type_name: &str) -> Option<String> {
        let comparison = TenantComparison::new("app.current_tenant_id", "tenantId", "\"tenantId\"", type_name);
        schema_default(&comparison.unwrap())
    }

    #[test]
    fn a_default_that_prisma_would_not_see_stays_out_of_the_schema() {
        assert_eq!(default_of("text"), None);
        assert_eq!(default_of("character varying(30)"), None);
        let seen = "dbgenerated(\"(NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid\")";
        assert_eq!(default_of("uuid").as_deref(), Some(seen));
        assert!(default_of("integer").is_some() && default_of("bigint").is_some());
    }

    #[test]
    fn an_index_of_another_name_than_prismas_is_named() {
        let edit = SchemaEdit {
            table: TableName::parse("bookings", "public").unwrap(),
            column: Ident::new("tenantId").unwrap(),
            required: true,
            default: None,
            indexes: vec!["bookings_tenantId_idx".into(), "other".into()],
        };
        let lines = edit.lines();
        assert_eq!(lines[2], "the model has `@@index([tenantId])`");
        assert_eq!(lines[3], "the model has `@@index([tenantId], map: \"other\")`");
    }
}

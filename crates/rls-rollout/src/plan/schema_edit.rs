//! What `schema.prisma` must say after a plan has run, so that Prisma takes nothing back.

use serde::Serialize;
use tenancy_config::{Ident, TableName};
use tenant_inventory::{AspectKind, Relation, RelationKind};
use tenant_rls::{Sql, Template, TenantComparison};

use crate::plan::script::statement_text;
use crate::plan::step::{Execution, Step};

/// What the model of one table must say after the plan has run.
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

/// What the model of a relation must say; none for a partition, of which Prisma has no model.
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
    let body = Template::new(include_str!("../../../../sql/rls-rollout/fragments/prisma_role.sql"))
        .ident("role", role)
        .literal("role_name", role.as_str())
        .build();
    Template::new("DO :'body'").literal("body", statement_text(&body)).build()
}

impl SchemaEdit {
    /// The edits as sentences, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
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

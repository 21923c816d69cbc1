//! What `schema.prisma` must say after a plan has run, so that Prisma takes nothing back.

use prisma_schema::{Field, Model, Schema};
use serde::Serialize;
use tenancy_config::{Ident, TableName, operators_of};
use tenant_inventory::{AspectKind, Relation, RelationKind, create_login};
use tenant_rls::{Sql, Template, TenantComparison};

use crate::plan::schema_added::AddedField;
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
    /// The field itself, where the column is added.
    pub added: Option<AddedField>,
}

/// What the model of a relation must say; none for a partition, of which Prisma has no model.
pub(crate) fn edit(relation: &Relation, steps: &[Step], added: Option<AddedField>) -> Option<SchemaEdit> {
    if !matches!(relation.kind, RelationKind::Table | RelationKind::Partitioned) {
        return None;
    }
    let alone = format!(" USING btree ({})", relation.comparison.printed_column);
    let there = relation.definition.all(AspectKind::Index).filter(|(_, text)| text.starts_with("CREATE INDEX "));
    let mut indexes: Vec<String> =
        there.filter(|(_, text)| text.ends_with(&alone)).map(|(name, _)| name.to_owned()).collect();
    for step in steps.iter().filter(|step| step.table == relation.name) {
        if let Execution::Concurrently { index } = &step.how
            && !step.for_parent_key
        {
            indexes.push(index.clone());
        }
    }
    Some(SchemaEdit {
        table: relation.name.clone(),
        column: relation.comparison.column.clone(),
        required: relation.never_null,
        default: relation.parent.is_none().then(|| schema_default(&relation.comparison)).flatten(),
        indexes,
        added,
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
    let between = operators_of(role.as_str());
    let body = Template::new(include_str!("../../../../sql/rls-rollout/fragments/prisma_role.sql"))
        .ident("role", role)
        .literal("between", between.as_ref().map_or("", Ident::as_str))
        .literal("role_name", role.as_str())
        .build();
    Template::new("DO :'body'").literal("body", statement_text(&body)).build()
}

/// The same for a declared login, which has no password and so lets nobody in.
pub(crate) fn login_role(role: &Ident) -> Sql {
    let body = Template::new(include_str!("../../../../sql/rls-rollout/fragments/prisma_login_role.sql"))
        .fragment("create", Sql::from_catalog(statement_text(&create_login(role)).to_owned()))
        .literal("role_name", role.as_str())
        .build();
    Template::new("DO :'body'").literal("body", statement_text(&body)).build()
}

impl SchemaEdit {
    /// All that the model must say, as sentences, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = self.lines_of_added(None);
        lines.push(match self.required {
            true => "the field is required, without `?`, and its relation to the tenant with it".to_owned(),
            false => "the field stays optional, with `?`".to_owned(),
        });
        lines.push(match &self.default {
            Some(default) => format!("the field has `@default({default})`"),
            None => "the field has no `@default` of the database's".to_owned(),
        });
        lines.extend(
            self.indexes.iter().map(|index| format!("the model has `{}`", self.index(self.column.as_str(), index))),
        );
        lines
    }

    /// What must be added for a column that is added.
    pub(crate) fn lines_of_added(&self, schema: Option<&Schema>) -> Vec<String> {
        let added = self.added.as_ref();
        added.map(|added| added.lines(&self.table, &self.column, self.required, schema)).unwrap_or_default()
    }

    /// What of the model must change, a line each; nothing if it says all of it already.
    pub(crate) fn changes(&self, model: &Model, schema: &Schema) -> Vec<String> {
        let added = self.lines_of_added(Some(schema));
        let Some(field) = model.of_column(self.column.as_str()) else {
            if !added.is_empty() {
                let indexes = self.indexes.iter().map(|index| {
                    let usual = format!("{}_{}_idx", model.table(), self.column);
                    // The field is named as the one there.
                    let field = self.added.as_ref().map(|added| added.field_name(schema));
                    let field = field.unwrap_or_else(|| self.column.to_string());
                    format!("model {}: `{}` is added", model.name, attribute_of_index(&field, index, &usual))
                });
                return added.into_iter().chain(indexes).collect();
            }
            let missing = format!("the model {} has no field of this column", model.name);
            return std::iter::once(missing).chain(self.lines()).collect();
        };
        let mut changes = added;
        for field in [Some(field), model.relation_by(&field.name)].into_iter().flatten() {
            changes.extend(self.change_of_type(field));
        }
        let has = field.attribute("default").map(|default| default.arguments.join(", "));
        match (&self.default, has) {
            (Some(wanted), has) if has.as_ref() != Some(wanted) => {
                changes.push(format!("line {}: `{}` has `@default({wanted})`", field.line, field.name));
            }
            (None, Some(has)) if has.starts_with("dbgenerated") => {
                changes.push(format!("line {}: `{}` has no `@default({has})`", field.line, field.name));
            }
            _ => {}
        }
        for index in self.indexes.iter().filter(|index| !model.has_index(&field.name, index)) {
            changes.push(format!("model {}: `{}` is added", model.name, self.index_of(model, &field.name, index)));
        }
        changes
    }

    fn change_of_type(&self, field: &Field) -> Option<String> {
        let written =
            |optional: bool| format!("`{} {}{}`", field.name, field.type_name, if optional { "?" } else { "" });
        (field.optional == self.required)
            .then(|| format!("line {}: {} becomes {}", field.line, written(field.optional), written(!self.required)))
    }

    fn index_of(&self, model: &Model, field: &str, index: &str) -> String {
        let usual = format!("{}_{}_idx", model.table(), self.column);
        attribute_of_index(field, index, &usual)
    }

    fn index(&self, field: &str, index: &str) -> String {
        attribute_of_index(field, index, &format!("{}_{field}_idx", self.table.name()))
    }
}

/// `@@index`, which needs a name if that is not the one that Prisma gives.
fn attribute_of_index(field: &str, index: &str, usual: &str) -> String {
    let map = if index == usual { String::new() } else { format!(", map: \"{index}\"") };
    format!("@@index([{field}]{map})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default_of(type_name: &str) -> Option<String> {
        let setting = tenant_rls::SessionSetting::of(&tenancy_config::Tenancy::default());
        let comparison = TenantComparison::new(setting, "tenantId", "\"tenantId\"", type_name);
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
            added: None,
        };
        let lines = edit.lines();
        assert_eq!(lines[2], "the model has `@@index([tenantId])`");
        assert_eq!(lines[3], "the model has `@@index([tenantId], map: \"other\")`");
    }

    fn bookings(schema: &str) -> Vec<String> {
        let edit = SchemaEdit {
            table: TableName::parse("bookings", "public").unwrap(),
            column: Ident::new("tenant_id").unwrap(),
            required: true,
            default: None,
            indexes: vec!["bookings_tenant_id_idx".into()],
            added: None,
        };
        let schema = Schema::parse(schema).unwrap();
        edit.changes(schema.of_table("public", "bookings").unwrap(), &schema)
    }

    #[test]
    fn only_what_the_schema_does_not_say_yet_is_to_be_edited() {
        let before = "model Booking {\n  id String @id\n  tenantId String? @map(\"tenant_id\")\n  \
                      tenant Tenant? @relation(fields: [tenantId], references: [id])\n  @@map(\"bookings\")\n}";
        assert_eq!(
            bookings(before),
            [
                "line 3: `tenantId String?` becomes `tenantId String`",
                "line 4: `tenant Tenant?` becomes `tenant Tenant`",
                "model Booking: `@@index([tenantId])` is added",
            ]
        );
        let after = before.replace('?', "").replace("  @@map", "  @@index([tenantId])\n  @@map");
        assert!(bookings(&after).is_empty());
        let generated = after.replace("String @map", "String @default(dbgenerated(\"x\")) @map");
        assert_eq!(bookings(&generated), ["line 3: `tenantId` has no `@default(dbgenerated(\"x\"))`"]);
        assert_eq!(bookings("model bookings { id String }")[0], "the model bookings has no field of this column");
    }
}

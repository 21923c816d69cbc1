//! What `schema.prisma` must say of a tenant column that is added, and of the keys that come with it: without that Prisma takes them away again.

use prisma_schema::{Model, Schema};
use serde::Serialize;
use tenancy_config::{Ident, TableName};
use tenant_inventory::{AddedColumn, LinkAction};

use crate::plan::foreign_key::{KeyAction, NewForeignKey};
use crate::plan::step::{Execution, Step};

/// The field of a tenant column that is added, and the keys that come with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddedField {
    /// The type of the field, such as `String`.
    pub type_name: String,
    /// The attribute that gives it the column's type, such as `@db.Uuid`.
    pub native: Option<String>,
    /// The tenant table.
    pub tenants: TableName,
    /// Its key.
    pub tenant_key: Ident,
    /// The foreign key to the tenant table, where the plan adds it.
    pub tenant_reference: Option<NewForeignKey>,
    /// The column that points to the row whose tenant a row gets.
    pub link: Ident,
    /// That column may be NULL.
    pub link_may_be_null: bool,
    /// The table with that row.
    pub parent: TableName,
    /// The tenant column there.
    pub parent_column: Ident,
    /// The key there.
    pub parent_key: Ident,
    /// What the key that references both does if that row is deleted; none where there is no such key.
    pub on_delete: Option<LinkAction>,
    /// The name of that key.
    pub constraint: Option<String>,
    /// The name of the unique index on which it rests.
    pub unique: Option<String>,
}

impl AddedField {
    /// The field of a column, with the names that the steps give to keys and indexes.
    pub(crate) fn of(
        added: &AddedColumn,
        tenants: (&TableName, &Ident),
        tenant_reference: Option<NewForeignKey>,
        steps: &[Step],
    ) -> Self {
        let (type_name, native) = scalar(&added.type_name);
        let key = added.key.as_ref().ok();
        let planned_index = steps.iter().find_map(|step| match &step.how {
            Execution::Concurrently { index } if step.for_parent_key && step.table == added.parent => {
                Some(index.clone())
            }
            _ => None,
        });
        let planned_key = steps.iter().find_map(|step| step.adds_key.clone().filter(|_| step.table == added.table));
        Self {
            type_name,
            native,
            tenants: tenants.0.clone(),
            tenant_key: tenants.1.clone(),
            tenant_reference,
            link: added.link.clone(),
            link_may_be_null: added.link_may_be_null,
            parent: added.parent.clone(),
            parent_column: added.parent_column.clone(),
            parent_key: added.parent_key.clone(),
            on_delete: key.map(|key| key.on_delete),
            constraint: key.and_then(|key| key.constraint.clone()).or(planned_key),
            unique: key.and_then(|key| key.index.clone()).or(planned_index),
        }
    }

    /// The name of the field: the application names its tenant columns alike.
    pub(crate) fn field_name(&self, schema: &Schema) -> String {
        field_of(schema.of_table(self.parent.schema().as_str(), self.parent.name().as_str()), &self.parent_column)
    }

    /// What must be added to the models, a line each; of what the schema has already nothing is said. Without a schema the names are those of the
    /// database.
    pub(crate) fn lines(
        &self,
        table: &TableName,
        column: &Ident,
        required: bool,
        schema: Option<&Schema>,
    ) -> Vec<String> {
        let of = |table: &TableName| {
            schema.and_then(|schema| schema.of_table(table.schema().as_str(), table.name().as_str()))
        };
        let (own, parent, tenants) = (of(table), of(&self.parent), of(&self.tenants));
        let there = own.and_then(|model| model.of_column(column.as_str()));
        // The application names its tenant columns alike.
        let field = there.map_or_else(|| field_of(parent, &self.parent_column), |field| field.name.clone());
        let mut lines = Vec::new();
        let model = model_name(own, table);
        if there.is_none() {
            let map = if field == column.as_str() { String::new() } else { format!(" @map(\"{column}\")") };
            let native = self.native.as_ref().map(|native| format!(" {native}")).unwrap_or_default();
            let optional = if required { "" } else { "?" };
            lines.push(format!("model {model}: `{field} {}{optional}{map}{native}` is added", self.type_name));
        }
        let has = |fields: &[&str]| own.is_some_and(|model| model.relation_of(fields).is_some());
        if let Some(reference) = self.tenant_reference.as_ref().filter(|_| !has(&[&field])) {
            let (other, key) = (model_name(tenants, &self.tenants), field_of(tenants, &self.tenant_key));
            let optional = if required { "" } else { "?" };
            let (delete, update) = (action(reference.on_delete), action(reference.on_update));
            lines.push(format!(
                "model {model}: `{} {other}{optional} @relation(fields: [{field}], references: [{key}], onDelete: {delete}, onUpdate: \
                 {update})` is added, and to model {other} `{} {model}[]`",
                lower(&other),
                lower(&model)
            ));
        }
        let link = field_of(own, &self.link);
        let (Some(constraint), Some(on_delete)) = (&self.constraint, self.on_delete) else { return lines };
        if !has(&[&field, &link]) {
            let other = model_name(parent, &self.parent);
            let (tenant, key) = (field_of(parent, &self.parent_column), field_of(parent, &self.parent_key));
            let optional = if required && !self.link_may_be_null { "" } else { "?" };
            let usual = format!("{}_{column}_{}_fkey", table.name(), self.link);
            let map = if *constraint == usual { String::new() } else { format!(", map: \"{constraint}\"") };
            lines.push(format!(
                "model {model}: `{}OfTenant {other}{optional} @relation(\"{constraint}\", fields: [{field}, {link}], references: [{tenant}, \
                 {key}], onDelete: {}, onUpdate: NoAction{map})` is added, and to model {other} `{}OfTenant {model}[] \
                 @relation(\"{constraint}\")`",
                lower(&other),
                link_action(on_delete),
                lower(&model)
            ));
        }
        let (tenant, key) = (field_of(parent, &self.parent_column), field_of(parent, &self.parent_key));
        if let Some(unique) = self.unique.as_ref()
            && !parent.is_some_and(|model| model.has_unique(&[&tenant, &key]))
        {
            let usual = format!("{}_{}_{}_key", self.parent.name(), self.parent_column, self.parent_key);
            let map = if *unique == usual { String::new() } else { format!(", map: \"{unique}\"") };
            lines.push(format!(
                "model {}: `@@unique([{tenant}, {key}]{map})` is added",
                model_name(parent, &self.parent)
            ));
        }
        lines
    }
}

/// The type of a field, and the attribute for a type of the column that is not the usual one.
fn scalar(printed: &str) -> (String, Option<String>) {
    let length = printed.strip_prefix("character varying(").and_then(|rest| rest.strip_suffix(')'));
    let (name, native) = match (printed, length) {
        ("uuid", _) => ("String", Some("@db.Uuid".to_owned())),
        ("integer", _) => ("Int", None),
        ("bigint", _) => ("BigInt", None),
        (_, Some(length)) => ("String", Some(format!("@db.VarChar({length})"))),
        ("character varying", _) => ("String", Some("@db.VarChar".to_owned())),
        _ => ("String", None),
    };
    (name.to_owned(), native)
}

fn model_name(model: Option<&Model>, table: &TableName) -> String {
    model.map_or_else(|| table.name().to_string(), |model| model.name.clone())
}

fn field_of(model: Option<&Model>, column: &Ident) -> String {
    let field = model.and_then(|model| model.of_column(column.as_str()));
    field.map_or_else(|| column.to_string(), |field| field.name.clone())
}

/// The name of a field, which begins with a small letter.
fn lower(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

fn action(action: KeyAction) -> &'static str {
    match action {
        KeyAction::NoAction => "NoAction",
        KeyAction::Restrict => "Restrict",
        KeyAction::Cascade => "Cascade",
    }
}

fn link_action(action: LinkAction) -> &'static str {
    match action {
        LinkAction::NoAction => "NoAction",
        LinkAction::Restrict => "Restrict",
        LinkAction::Cascade => "Cascade",
        LinkAction::SetNull => "SetNull",
        LinkAction::SetDefault => "SetDefault",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::foreign_key::DecidedBy;

    fn name(table: &str) -> TableName {
        TableName::parse(table, "public").unwrap()
    }

    fn ident(name: &str) -> Ident {
        Ident::new(name).unwrap()
    }

    fn lines(required: bool, schema: Option<&str>) -> Vec<String> {
        let added = AddedField {
            type_name: "String".into(),
            native: Some("@db.Uuid".into()),
            tenants: name("shops"),
            tenant_key: ident("id"),
            tenant_reference: required.then(|| NewForeignKey {
                name: "items_shop_id_fkey".into(),
                on_delete: KeyAction::Restrict,
                on_update: KeyAction::Cascade,
                decided_by: DecidedBy::OtherKeys,
            }),
            link: ident("invoice_id"),
            link_may_be_null: false,
            parent: name("invoices"),
            parent_column: ident("shop_id"),
            parent_key: ident("id"),
            on_delete: Some(LinkAction::Cascade),
            constraint: Some("items_shop_id_invoice_id_fkey".into()),
            unique: Some("invoices_key".into()),
        };
        let schema = schema.map(|text| Schema::parse(text).unwrap());
        added.lines(&name("items"), &ident("shop_id"), required, schema.as_ref())
    }

    const BEFORE: &str = "model Shop {\n  id String @id @db.Uuid\n  @@map(\"shops\")\n}\n\
        model Invoice {\n  id Int @id\n  shopId String @map(\"shop_id\") @db.Uuid\n  items Item[]\n  @@map(\"invoices\")\n}\n\
        model Item {\n  id Int @id\n  invoiceId Int @map(\"invoice_id\")\n  \
        invoice Invoice @relation(fields: [invoiceId], references: [id], onDelete: Cascade)\n  @@map(\"items\")\n}\n";

    #[test]
    fn the_schema_gets_the_field_its_relations_and_the_unique_key_in_its_own_names() {
        assert_eq!(
            lines(true, Some(BEFORE)),
            [
                "model Item: `shopId String @map(\"shop_id\") @db.Uuid` is added",
                "model Item: `shop Shop @relation(fields: [shopId], references: [id], onDelete: Restrict, onUpdate: Cascade)` is added, and \
                 to model Shop `item Item[]`",
                "model Item: `invoiceOfTenant Invoice @relation(\"items_shop_id_invoice_id_fkey\", fields: [shopId, invoiceId], references: \
                 [shopId, id], onDelete: Cascade, onUpdate: NoAction)` is added, and to model Invoice `itemOfTenant Item[] \
                 @relation(\"items_shop_id_invoice_id_fkey\")`",
                "model Invoice: `@@unique([shopId, id], map: \"invoices_key\")` is added",
            ]
        );
    }

    #[test]
    fn what_the_schema_says_already_is_left_out() {
        let after = BEFORE
            .replace(
                "  invoice Invoice",
                "  shopId String @map(\"shop_id\") @db.Uuid\n  shop Shop @relation(fields: [shopId], references: [id])\n  \
                 invoiceOfTenant Invoice @relation(\"x\", fields: [shopId, invoiceId], references: [shopId, id])\n  invoice Invoice",
            )
            .replace("  @@map(\"invoices\")", "  @@unique([shopId, id])\n  @@map(\"invoices\")");
        assert!(lines(true, Some(&after)).is_empty(), "{:?}", lines(true, Some(&after)));
    }

    #[test]
    fn until_it_is_required_the_field_is_optional_and_without_a_schema_it_has_the_names_of_the_database() {
        let lines = lines(false, None);
        assert_eq!(lines[0], "model items: `shop_id String? @db.Uuid` is added");
        assert!(lines[1].starts_with("model items: `invoicesOfTenant invoices? @relation("), "{lines:?}");
        assert_eq!(lines.len(), 3, "{lines:?}");
    }
}

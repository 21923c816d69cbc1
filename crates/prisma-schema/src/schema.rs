//! The schema as a whole.

use crate::model::Model;
use crate::parser::{self, SyntaxError};

/// The models of one or several files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// In the order of the files.
    pub models: Vec<Model>,
}

impl Schema {
    /// Reads one file.
    ///
    /// # Errors
    /// [`SyntaxError`]: the text does not have the structure of a schema.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self { models: parser::models(text)? })
    }

    /// Adds what another file has.
    pub fn extend(&mut self, other: Self) {
        self.models.extend(other.models);
    }

    /// The model of a table, which is given by schema and name. A model without `@@schema` may be of any schema.
    pub fn of_table(&self, schema: &str, table: &str) -> Option<&Model> {
        let mut named = self.models.iter().filter(|model| model.table() == table);
        named.find(|model| model.schema().is_none_or(|of_model| of_model == schema))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Schema;

    const SCHEMA: &str = r#"
// A comment with a brace {
datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

enum Role { ADMIN @map("admin") USER }

/* model Gone { id Int } */
model Booking {
  id        String   @id @default(cuid()) // the key
  tenantId  String?  @map("tenant_id") @db.VarChar(30)
  tenant    Tenant?  @relation(fields: [tenantId], references: [id], onDelete: Cascade)
  tags      String[]
  place     Unsupported("point")?
  note      String   @default("a } and , and ) in \"text\"")
  parts     Part[]

  @@index([tenantId], map: "bookings_tenant")
  @@unique([tenantId, note(sort: Desc)],
           name: "both")
  @@map("bookings")
  @@schema("crm")
}
model Tenant { id String @id
  @@index(fields: [id]) }
"#;

    #[test]
    fn models_have_the_names_that_the_database_has() {
        let schema = Schema::parse(SCHEMA).unwrap();
        let names: Vec<(&str, &str)> = schema.models.iter().map(|model| (model.name.as_str(), model.table())).collect();
        assert_eq!(names, [("Booking", "bookings"), ("Tenant", "Tenant")]);
        assert!(schema.of_table("public", "bookings").is_none(), "it is of another schema");
        let booking = schema.of_table("crm", "bookings").unwrap();
        let tenant = booking.of_column("tenant_id").unwrap();
        assert_eq!((tenant.name.as_str(), tenant.optional, tenant.line), ("tenantId", true, 13));
        assert_eq!(tenant.attribute("db.VarChar").unwrap().arguments, ["30"]);
        assert_eq!(booking.relation_by("tenantId").unwrap().name, "tenant");
        assert_eq!(booking.of_column("note").unwrap().attribute("default").unwrap().arguments.len(), 1);
        assert!(booking.of_column("tenant").is_none() && booking.of_column("tags").is_none());
    }

    #[test]
    fn an_index_counts_under_the_name_that_it_has_in_the_database() {
        let schema = Schema::parse(SCHEMA).unwrap();
        let booking = schema.of_table("crm", "bookings").unwrap();
        assert!(booking.has_index("tenantId", "bookings_tenant"));
        assert!(!booking.has_index("tenantId", "bookings_tenant_id_idx"), "it has another name");
        assert!(schema.of_table("public", "Tenant").unwrap().has_index("id", "Tenant_id_idx"));
    }

    #[test]
    fn what_is_no_schema_is_refused_with_its_line() {
        for (text, line) in [
            ("model {", 1),
            ("model A", 1),
            ("model A {\n  id", 2),
            ("model A {\n  id Int\n", 2),
            ("model A {\n  id Int @default(1\n}\n", 3),
            ("\nenum A {", 2),
            ("model A {\n  id Int = 3\n}", 2),
        ] {
            let error = Schema::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[model A{}()\\[\\]@?,.:\"\\\\\n/*é-]{0,60}") {
            let _ = Schema::parse(&text);
        }
    }
}

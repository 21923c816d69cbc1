//! Tenant columns of another type than the key of the tenant table, and how they get that type.

use tenancy_config::{CommandRef, Hint, Ident, TableName};
use tenant_rls::{KeyFamily, Sql, Template, TenantColumnType};

use crate::class::{Class, ClassifiedTable};
use crate::unhandled::Unhandled;

/// A tenant column of another type than the key of the tenant table. No policy protects the rows of its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherType {
    /// The table.
    pub table: TableName,
    /// Its tenant column.
    pub column: String,
    /// The type of that.
    pub column_type: String,
    /// The type of the tenants' keys.
    pub key_type: String,
}

impl OtherType {
    /// The tenant column of a table that cannot be protected, if that is why.
    pub fn new(table: &TableName, column: &str, why: &Unhandled) -> Option<Self> {
        let Unhandled::TypesDiffer { column: column_type, key: key_type } = why else { return None };
        let (column_type, key_type) = (column_type.clone(), key_type.clone());
        Some(Self { table: table.clone(), column: column.to_owned(), column_type, key_type })
    }

    /// The tenant column of a table, if it has another type.
    pub fn of(classified: &ClassifiedTable) -> Option<Self> {
        let Class::Unhandled { column, why } = &classified.class else { return None };
        Self::new(&classified.table, column, why)
    }

    /// The tenant columns of another type, in the order of the tables.
    pub fn all(classified: &[ClassifiedTable]) -> impl Iterator<Item = Self> {
        classified.iter().filter_map(Self::of)
    }

    /// What to do about it. `audit`, `doctor`, `backfill map` and the reports of `rls` say it in the same words.
    pub fn hint(&self) -> Hint {
        let Self { table, column, column_type, key_type } = self;
        let why = format!(
            "{table} is not protected while its tenant column {column} is {column_type} and the keys of tenants are {key_type}: "
        );
        let Some(statement) = self.statement() else {
            return Hint::from(format!(
                "{why}add a column of that type, fill it, and name it in tenancy.toml (`column`)"
            ));
        };
        let statement = format!("change its type with the application's migrations: {}", statement.as_str());
        match self.is_text() {
            true => {
                let map = Hint::from(why).then_quoted(CommandRef::BackfillMapAll);
                map.then(format!(" makes slugs and names keys; when each value is one, {statement}"))
            }
            false => Hint::from(format!("{why}{statement}")),
        }
    }

    fn is_text(&self) -> bool {
        family(&self.column_type) == Some(KeyFamily::Text)
    }

    /// The statement that gives the column the type; none where no value could be cast.
    fn statement(&self) -> Option<Sql> {
        if !self.is_text() && family(&self.key_type) != Some(KeyFamily::Text) {
            return None;
        }
        let alter = "ALTER TABLE :\"table\" ALTER COLUMN :\"column\" TYPE :type USING :\"column\":::type";
        let alter = Template::new(alter).table("table", &self.table).ident("column", &Ident::new(&self.column).ok()?);
        Some(alter.fragment("type", Sql::from_catalog(self.key_type.clone())).build())
    }
}

fn family(type_name: &str) -> Option<KeyFamily> {
    TenantColumnType::of(type_name).map(TenantColumnType::family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_gets_the_type_by_a_statement_where_its_values_can_be_cast() {
        let table = || TableName::parse("comments", "public").unwrap();
        let says = |column_type: &str, key_type: &str| {
            let (column, column_type, key_type) = ("org".to_owned(), column_type.to_owned(), key_type.to_owned());
            OtherType { table: table(), column, column_type, key_type }.hint().to_string()
        };
        let text = says("text", "uuid");
        assert!(text.contains("backfill map --all"), "{text}");
        let alter = r#"ALTER TABLE "public"."comments" ALTER COLUMN "org" TYPE uuid USING "org"::uuid"#;
        assert!(text.ends_with(alter), "{text}");
        let number = says("integer", "text");
        assert!(number.ends_with(r#"TYPE text USING "org"::text"#) && !number.contains("map"), "{number}");
        let neither = says("bigint", "uuid");
        assert!(!neither.contains("ALTER") && neither.contains("add a column"), "{neither}");
    }
}

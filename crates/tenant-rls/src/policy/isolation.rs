//! The isolation policy: its forms, as statements write them and as the catalog prints them.

use tenancy_config::{Ident, NameError, TableName};

use super::column_type::TenantColumnType;
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// What an isolation policy lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyForm {
    /// Own rows, and rows without a tenant, to read and to write: a bridge, not a place to live.
    Bridge,
    /// The same to read, and only own rows to write.
    StrictWrites,
    /// Own rows.
    Strict,
    /// Own rows; where no tenant is set, rows of the platform.
    Platform,
}

impl PolicyForm {
    const ALL: [Self; 4] = [Self::Bridge, Self::StrictWrites, Self::Strict, Self::Platform];
}

/// The tenant column of one table, and the setting that its policy compares it with.
#[derive(Debug, Clone)]
pub struct TenantComparison {
    /// The session variable.
    pub variable: String,
    /// The tenant column.
    pub column: Ident,
    /// The column as the catalog prints it, in quotes only where it needs them.
    pub printed_column: String,
    /// Its type.
    pub column_type: TenantColumnType,
    /// The column's type where no policy of ours compares it: such a table is not rolled out.
    pub unhandled_type: Option<String>,
}

impl TenantComparison {
    /// The comparison of a table's tenant column with the session variable `variable`, by the column's name, how the catalog prints it,
    /// and the name of its type.
    ///
    /// # Errors
    /// [`NameError`] where PostgreSQL could not hold the name of the column.
    pub fn new(variable: &str, column: &str, printed_column: &str, type_name: &str) -> Result<Self, NameError> {
        let column_type = TenantColumnType::of(type_name);
        Ok(Self {
            variable: variable.to_owned(),
            column: Ident::new(column)?,
            printed_column: printed_column.to_owned(),
            unhandled_type: column_type.is_none().then(|| type_name.to_owned()),
            column_type: column_type.unwrap_or(TenantColumnType::Text),
        })
    }

    /// The tenant that is set, in the column's type; NULL where none is.
    pub fn current(&self) -> Sql {
        Template::new("NULLIF(current_setting(:'variable', true), ''):cast")
            .literal("variable", &self.variable)
            .fragment("cast", self.column_type.cast_of_setting())
            .build()
    }

    /// The statement that creates the policy `name` in a form.
    pub fn create(&self, table: &TableName, name: &Ident, form: PolicyForm) -> Sql {
        let own =
            Template::new(":\"column\" = :current").ident("column", &self.column).fragment("current", self.current());
        let own = own.build();
        let with =
            |text: &'static str| Template::new(text).ident("column", &self.column).fragment("own", own.clone()).build();
        let or_none = || with(":own OR :\"column\" IS NULL");
        let (using, check) = match form {
            PolicyForm::Bridge => (or_none(), or_none()),
            PolicyForm::StrictWrites => (or_none(), own.clone()),
            PolicyForm::Strict => (own.clone(), own.clone()),
            PolicyForm::Platform => {
                let platform = Template::new(
                    ":own OR (NULLIF(current_setting(:'variable', true), '') IS NULL AND :\"column\" IS NULL)",
                );
                let platform = platform
                    .ident("column", &self.column)
                    .fragment("own", own)
                    .literal("variable", &self.variable)
                    .build();
                (platform.clone(), platform)
            }
        };
        Template::new(include_str!("../../../../sql/tenant-rls/isolation_policy.sql"))
            .ident("policy", name)
            .table("table", table)
            .fragment("using", using)
            .fragment("check", check)
            .build()
    }

    /// How the catalog prints the default of the tenant column.
    pub fn printed_default(&self) -> String {
        let setting = self.printed_setting();
        match self.column_type.printed_cast() {
            None => setting,
            Some(name) => format!("({setting})::{name}"),
        }
    }

    pub(crate) fn printed_setting(&self) -> String {
        format!("NULLIF(current_setting('{}'::text, true), ''::text)", self.variable.replace('\'', "''"))
    }

    /// The form of a policy that the catalog prints as `text`; `None` where that is not ours.
    pub fn form(&self, text: &str) -> Option<PolicyForm> {
        PolicyForm::ALL.into_iter().find(|form| self.printed(*form).iter().any(|printed| printed == text))
    }

    /// How the catalog prints a policy of this form: without WITH CHECK it means the same where both sides are equal.
    pub fn printed(&self, form: PolicyForm) -> Vec<String> {
        let column = &self.printed_column;
        let compared =
            if self.column_type == TenantColumnType::Varchar { format!("({column})::text") } else { column.clone() };
        let own = format!("({compared} = {})", self.printed_default());
        let or_none = format!("({own} OR ({column} IS NULL))");
        let platform = format!("({own} OR (({} IS NULL) AND ({column} IS NULL)))", self.printed_setting());
        let (using, check) = match form {
            PolicyForm::Bridge => (or_none.clone(), or_none),
            PolicyForm::StrictWrites => (or_none, own),
            PolicyForm::Strict => (own.clone(), own),
            PolicyForm::Platform => (platform.clone(), platform),
        };
        let head = "AS PERMISSIVE FOR ALL TO PUBLIC";
        let mut printed = vec![format!("{head} USING ({using}) WITH CHECK ({check})")];
        if using == check {
            printed.push(format!("{head} USING ({using})"));
        }
        printed
    }
}

//! The isolation policy: the text of each form, as statements write it and as the catalog prints it.

use tenancy_config::{Ident, NameError, TableName};

use super::column_type::TenantColumnType;
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// Which rows an isolation policy lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyForm {
    /// A session reads and writes its tenant's rows and those without a tenant. This form is for the transition only.
    Bridge,
    /// A session reads the same rows, but writes only its tenant's.
    StrictWrites,
    /// A session reads and writes its tenant's rows only.
    Strict,
    /// A session reads and writes its tenant's rows, or platform rows if no tenant is set.
    Platform,
}

impl PolicyForm {
    const ALL: [Self; 4] = [Self::Bridge, Self::StrictWrites, Self::Strict, Self::Platform];
}

/// The tenant column of one table, and the session variable that its policy compares it with.
#[derive(Debug, Clone)]
pub struct TenantComparison {
    /// The session variable.
    pub variable: String,
    /// The tenant column.
    pub column: Ident,
    /// The column's name as the catalog prints it, quoted only if necessary.
    pub printed_column: String,
    /// Its type.
    pub column_type: TenantColumnType,
    /// The name of the column's type if we do not support it. Such a table is not rolled out.
    pub unhandled_type: Option<String>,
}

impl TenantComparison {
    /// Makes the comparison from the names of the session variable, of the column, and of the column's type.
    /// `printed_column` is the column's name as the catalog prints it.
    ///
    /// # Errors
    /// [`NameError`]: PostgreSQL could not hold the name of the column.
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

    /// The tenant of the session variable, in the column's type; NULL if none is set.
    pub fn current(&self) -> Sql {
        Template::new("NULLIF(current_setting(:'variable', true), ''):cast")
            .literal("variable", &self.variable)
            .fragment("cast", self.column_type.cast_of_setting())
            .build()
    }

    /// The statement that creates a policy with this name and form.
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

    /// The default of the tenant column, as the catalog prints it.
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

    /// The form of a policy that the catalog prints as `text`; `None` if the policy is not ours.
    pub fn form(&self, text: &str) -> Option<PolicyForm> {
        PolicyForm::ALL.into_iter().find(|form| self.printed(*form).iter().any(|printed| printed == text))
    }

    /// The texts that the catalog may print for a policy of this form. If both conditions are equal, WITH CHECK may be
    /// missing.
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

//! The isolation policy: its forms, as statements write them and as the catalog prints them.

use tenancy_config::Ident;
use tenant_rls::{Sql, Template};

use crate::Result;
use crate::definition::{Aspect, AspectKind, Definition};

/// What an isolation policy lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyForm {
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
pub(crate) struct TenantComparison {
    pub(crate) variable: String,
    pub(crate) column: Ident,
    /// The column as the catalog prints it, in quotes only where it needs them.
    pub(crate) printed_column: String,
    pub(crate) column_type: ColumnType,
    /// The column's type where no policy of ours compares it: such a table is not rolled out.
    pub(crate) unhandled_type: Option<String>,
}

/// A type that a tenant column may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Text,
    Varchar,
    /// Compared after a cast of the setting, by the type's name.
    Cast(&'static str),
}

impl ColumnType {
    /// The type that `format_type` prints as `name`.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "text" => Some(Self::Text),
            "uuid" => Some(Self::Cast("uuid")),
            "integer" => Some(Self::Cast("integer")),
            "bigint" => Some(Self::Cast("bigint")),
            _ if name.starts_with("character varying") => Some(Self::Varchar),
            _ => None,
        }
    }
}

impl TenantComparison {
    /// The tenant that is set, in the column's type; NULL where none is.
    pub(crate) fn current(&self) -> Sql {
        let cast = match self.column_type {
            ColumnType::Text | ColumnType::Varchar => Sql::from_static(""),
            ColumnType::Cast("uuid") => Sql::from_static("::uuid"),
            ColumnType::Cast("integer") => Sql::from_static("::integer"),
            ColumnType::Cast(_) => Sql::from_static("::bigint"),
        };
        Template::new("NULLIF(current_setting(:'variable', true), ''):cast")
            .literal("variable", &self.variable)
            .fragment("cast", cast)
            .build()
    }

    /// The statement that creates the policy `name` in a form.
    pub(crate) fn create(&self, table: &tenancy_config::TableName, name: &Ident, form: PolicyForm) -> Sql {
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
        Template::new(include_str!("../../../sql/rls/isolation_policy.sql"))
            .ident("policy", name)
            .table("table", table)
            .fragment("using", using)
            .fragment("check", check)
            .build()
    }

    /// How the catalog prints the default of the tenant column.
    pub(crate) fn printed_default(&self) -> String {
        let setting = self.printed_setting();
        match self.column_type {
            ColumnType::Text | ColumnType::Varchar => setting,
            ColumnType::Cast(name) => format!("({setting})::{name}"),
        }
    }

    fn printed_setting(&self) -> String {
        format!("NULLIF(current_setting('{}'::text, true), ''::text)", self.variable.replace('\'', "''"))
    }

    /// The form of the policy `name` in a definition; `None` where there is none, or one that is not ours.
    pub(crate) fn form(&self, definition: &Definition, name: &str) -> Option<PolicyForm> {
        let text = definition.get(&Aspect::named(AspectKind::Policy, name))?;
        PolicyForm::ALL.into_iter().find(|form| self.printed(*form).iter().any(|printed| printed == text))
    }

    /// How the catalog prints a policy of this form: without WITH CHECK it means the same where both sides are equal.
    pub(crate) fn printed(&self, form: PolicyForm) -> Vec<String> {
        let column = &self.printed_column;
        let compared =
            if self.column_type == ColumnType::Varchar { format!("({column})::text") } else { column.clone() };
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

/// A policy by which one role of the rollout goes on: it holds for that role alone, not for those that inherit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RolePolicy {
    AuditorRead,
    MaintenanceRead,
    MaintenanceAssign,
}

impl RolePolicy {
    /// Those that a table gets.
    pub(crate) fn of(platform_rows: bool) -> &'static [Self] {
        // Rows of the platform have no tenant on purpose: there is nothing to backfill.
        if platform_rows {
            &[Self::AuditorRead]
        } else {
            &[Self::AuditorRead, Self::MaintenanceRead, Self::MaintenanceAssign]
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AuditorRead => "tenant_auditor_read",
            Self::MaintenanceRead => "tenant_maintenance_read",
            Self::MaintenanceAssign => "tenant_maintenance_assign",
        }
    }

    /// The statement that creates it for a role.
    pub(crate) fn create(
        self,
        table: &tenancy_config::TableName,
        role: &Ident,
        scope: &TenantComparison,
    ) -> Result<Sql> {
        let on = |text: &'static str| -> Result<Template> {
            Ok(Template::new(text).ident("policy", &Ident::new(self.name())?).table("table", table).ident("role", role))
        };
        Ok(match self {
            Self::AuditorRead | Self::MaintenanceRead => {
                on(include_str!("../../../sql/rls/read_policy.sql"))?.literal("role_name", role.as_str()).build()
            }
            Self::MaintenanceAssign => on(include_str!("../../../sql/rls/assign_policy.sql"))?
                .ident("column", &scope.column)
                .literal("variable", &scope.variable)
                .build(),
        })
    }

    /// Whether a definition has it, for this role and unaltered.
    pub(crate) fn is_in(self, definition: &Definition, role: &Ident, scope: &TenantComparison) -> bool {
        let Some(text) = definition.get(&Aspect::named(AspectKind::Policy, self.name())) else { return false };
        let column = &scope.printed_column;
        let compared = if scope.column_type == ColumnType::Text { column.clone() } else { format!("({column})::text") };
        let (command, clauses) = match self {
            Self::AuditorRead | Self::MaintenanceRead => {
                let name = role.as_str().replace('\'', "''");
                ("SELECT", format!("USING ((CURRENT_USER = '{name}'::name))"))
            }
            Self::MaintenanceAssign => {
                let check = format!("({compared} = {})", scope.printed_setting());
                ("UPDATE", format!("USING (({column} IS NULL)) WITH CHECK ({check})"))
            }
        };
        let quoted = format!("\"{}\"", role.as_str().replace('"', "\"\""));
        let for_role = |role: &str| *text == format!("AS PERMISSIVE FOR {command} TO {role} {clauses}");
        for_role(role.as_str()) || for_role(&quoted)
    }
}

/// The scope of a table.
pub(crate) fn scope(variable: &str, column: &str, printed_column: &str, type_name: &str) -> Result<TenantComparison> {
    let column_type = ColumnType::of(type_name);
    Ok(TenantComparison {
        variable: variable.to_owned(),
        column: Ident::new(column)?,
        printed_column: printed_column.to_owned(),
        unhandled_type: column_type.is_none().then(|| type_name.to_owned()),
        column_type: column_type.unwrap_or(ColumnType::Text),
    })
}

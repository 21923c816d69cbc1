//! What the oracle tries: relations, functions and roles from the catalog, and the statements on them.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use tenancy_config::{Ident, TableName};
use tenant_rls::{Sql, Template};

use super::database::TENANT;
use crate::error::{Error, Result, query};

/// The tenant whose rows must not be reached.
pub(super) const OTHER: &str = "t_b";

/// A relation, and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) name: TableName,
    pub(super) is_table: bool,
    spare: Option<Ident>,
    pub(super) tenant_column: Option<Ident>,
    /// How many rows the tenant has; none without a tenant column.
    pub(super) own: Option<u64>,
    /// A row of the other tenant, as JSON.
    sample: Option<String>,
}

/// Everything that is tried.
#[derive(Debug)]
pub(super) struct Probes {
    pub(super) targets: Vec<Target>,
    pub(super) calls: Vec<(String, Sql)>,
    pub(super) roles: Vec<Ident>,
}

impl Probes {
    /// Reads the catalog as the superuser.
    pub(super) async fn read(superuser: &mut PgConnection) -> Result<Self> {
        let rows = rows(superuser, include_str!("../../../../sql/bench/leaks/oracle_relations.sql")).await?;
        let mut targets = Vec::new();
        for row in &rows {
            targets.push(target(superuser, row).await?);
        }
        let rows = self::rows(superuser, include_str!("../../../../sql/bench/leaks/oracle_functions.sql")).await?;
        let mut calls = Vec::new();
        for row in &rows {
            calls.extend(calls_of(row)?);
        }
        let rows = self::rows(superuser, include_str!("../../../../sql/bench/leaks/oracle_roles.sql")).await?;
        let roles = rows.iter().map(|row| Ok(Ident::new(row.get::<String, _>("role"))?)).collect::<Result<_>>()?;
        Ok(Self { targets, calls, roles })
    }
}

async fn rows(superuser: &mut PgConnection, sql: &'static str) -> Result<Vec<PgRow>> {
    sqlx::query(sql).fetch_all(superuser).await.map_err(query("asking what there is to try"))
}

async fn target(superuser: &mut PgConnection, row: &PgRow) -> Result<Target> {
    let ident = |name: Option<String>| name.map(Ident::new).transpose().map_err(Error::from);
    let name = TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?);
    let (spare, tenant_column) = (ident(row.get("spare"))?, ident(row.get("tenant_column"))?);
    let (mut own, mut sample) = (None, None);
    if let Some(column) = &tenant_column {
        let with = |text, tenant| {
            Template::new(text).table("table", &name).ident("column", column).literal("tenant", tenant).build()
        };
        let count = with(include_str!("../../../../sql/bench/leaks/oracle_own.sql"), TENANT);
        let counted: Option<i64> = sqlx::query_scalar(count).fetch_one(&mut *superuser).await.ok();
        own = counted.and_then(|count| u64::try_from(count).ok());
        let one = with(include_str!("../../../../sql/bench/leaks/oracle_sample.sql"), OTHER);
        sample = sqlx::query_scalar(one).fetch_optional(superuser).await.ok().flatten();
    }
    let is_table = matches!(row.get::<String, _>("kind").as_str(), "r" | "p");
    Ok(Target { name, is_table, spare, tenant_column, own, sample })
}

/// The calls of a function: once for each text that is worth trying, if it takes a text.
fn calls_of(row: &PgRow) -> Result<Vec<(String, Sql)>> {
    let types: Vec<String> = row.get("types");
    let takes_text = types.iter().any(|name| matches!(name.as_str(), "text" | "varchar"));
    let texts: &[&str] = if takes_text {
        &["%", OTHER, "expense_t_b_1", "SELECT string_agg(b::text, ',') FROM public.bookings AS b"]
    } else {
        &[""]
    };
    let name = TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?);
    let statement = if row.get("procedure") {
        include_str!("../../../../sql/bench/leaks/oracle_call_procedure.sql")
    } else {
        include_str!("../../../../sql/bench/leaks/oracle_call.sql")
    };
    let call = |text: &&str| {
        let argument = |name: &String| match name.as_str() {
            "text" | "varchar" => Template::new(":'value'").literal("value", text).build(),
            "int2" | "int4" | "int8" | "numeric" => Sql::from_static("10"),
            _ => Sql::from_static("NULL"),
        };
        let arguments = Sql::join(types.iter().map(argument), ", ");
        let sql = Template::new(statement).table("function", &name).fragment("arguments", arguments).build();
        (format!("calling {name}({text})"), sql)
    };
    Ok(texts.iter().map(call).collect())
}

impl Target {
    fn on(&self, text: &'static str) -> Template {
        Template::new(text).table("table", &self.name)
    }

    /// The ways to read it, the one that shows most first.
    pub(super) fn reads(&self) -> Vec<Sql> {
        let mut reads = vec![
            self.on(include_str!("../../../../sql/bench/leaks/oracle_read.sql")).build(),
            self.on(include_str!("../../../../sql/bench/leaks/oracle_count.sql")).build(),
        ];
        if let Some(column) = &self.tenant_column {
            let tenants = self.on(include_str!("../../../../sql/bench/leaks/oracle_tenants.sql"));
            reads.insert(1, tenants.ident("column", column).build());
        }
        reads
    }

    /// A digest of what a tenant sees in it.
    pub(super) fn digest(&self) -> Sql {
        self.on(include_str!("../../../../sql/bench/leaks/oracle_view.sql")).build()
    }

    /// Writes that change as many rows as they are let.
    pub(super) fn sweeping(&self) -> Vec<(&'static str, Sql)> {
        let mut writes = vec![(
            "an unqualified DELETE",
            self.on(include_str!("../../../../sql/bench/leaks/oracle_delete.sql")).build(),
        )];
        if let Some(column) = &self.spare {
            let update = self.on(include_str!("../../../../sql/bench/leaks/oracle_update.sql"));
            writes.push(("an unqualified UPDATE", update.ident("column", column).build()));
        }
        writes
    }

    /// Writes of which nothing may be let in: rows of the other tenant.
    pub(super) fn foreign(&self) -> Vec<(&'static str, Sql)> {
        let mut writes = Vec::new();
        if let Some(sample) = &self.sample {
            let insert = self.on(include_str!("../../../../sql/bench/leaks/oracle_insert.sql"));
            writes.push(("an INSERT of another tenant's row", insert.literal("sample", sample).build()));
        }
        if let Some(column) = &self.tenant_column {
            let give = self.on(include_str!("../../../../sql/bench/leaks/oracle_give.sql"));
            writes.push(("giving rows away", give.ident("column", column).literal("tenant", OTHER).build()));
        }
        writes
    }

    /// What only an owner may do, where the rows are tenants'.
    pub(super) fn forbidden(&self) -> Vec<(&'static str, Sql)> {
        if !self.is_table || self.tenant_column.is_none() {
            return Vec::new();
        }
        vec![
            ("TRUNCATE", self.on(include_str!("../../../../sql/bench/leaks/oracle_truncate.sql")).build()),
            (
                "turning its policies off",
                self.on(include_str!("../../../../sql/bench/leaks/oracle_disable.sql")).build(),
            ),
        ]
    }

    /// An insert that leaves all to defaults, rules and triggers.
    pub(super) fn defaults(&self) -> Sql {
        self.on(include_str!("../../../../sql/bench/leaks/oracle_insert_defaults.sql")).build()
    }

    /// Removes the rows that are not the tenant's.
    pub(super) fn forget(&self) -> Option<Sql> {
        let column = self.tenant_column.as_ref().filter(|_| self.is_table)?;
        let forget = self.on(include_str!("../../../../sql/bench/leaks/oracle_forget.sql"));
        Some(forget.ident("column", column).literal("tenant", TENANT).build())
    }
}

/// Statements that reach the server's files and programs.
pub(super) fn server() -> [(&'static str, &'static str); 3] {
    [
        ("reading a file of the server", include_str!("../../../../sql/bench/leaks/oracle_files.sql")),
        ("running a program on the server", include_str!("../../../../sql/bench/leaks/oracle_program.sql")),
        ("writing a file of the server", include_str!("../../../../sql/bench/leaks/oracle_write_file.sql")),
    ]
}

/// Becomes a role.
pub(super) fn become_role(role: &Ident) -> Sql {
    Template::new(include_str!("../../../../sql/bench/leaks/oracle_become.sql")).ident("role", role).build()
}

/// Makes the login a member of a role.
pub(super) fn grant_role(role: &Ident, major: u32) -> Sql {
    let options = Sql::from_static(if major < 16 { "" } else { "WITH SET TRUE" });
    Template::new(include_str!("../../../../sql/bench/leaks/oracle_grant.sql"))
        .ident("role", role)
        .fragment("options", options)
        .build()
}

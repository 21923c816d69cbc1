//! The roles of the rollout, and what the application's login can become.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use tenancy_config::tenancy::LoginPurpose;
use tenancy_config::{Ident, TableName, Tenancy, operators_of};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error, OwnerTx, Result};

use super::roles::Roles;
use crate::catalog::policies::Policies;
use crate::catalog::relations::{self, Relation};

/// A role that the rollout makes or checks.
#[derive(Debug, Clone, Default)]
pub struct RoleState {
    /// It exists.
    pub exists: bool,
    /// This login can act as it.
    pub assumable: bool,
    /// Schemas of tenant tables that it may not look into.
    pub closed_schemas: Vec<Ident>,
    /// The owner of the tenant table, if it cannot act as the role, and is not what the application logs in as.
    pub owner_without: Option<Ident>,
    /// How logins act as it.
    pub membership: Membership,
}

/// How logins act as a role of the rollout. They should not inherit it: its policies would hold for them too, and their statements would lose
/// the index on the tenant column. From PostgreSQL 16 on a membership says so itself. Before, another role stands between, which inherits nothing.
#[derive(Debug, Clone, Default)]
pub struct Membership {
    /// The role between, if its name fits into 63 bytes.
    pub between: Option<Ident>,
    /// The role between exists.
    pub between_exists: bool,
    /// The role between is a member of the role.
    pub between_is_member: bool,
    /// Which of this login and the owner of the tenant table inherit the role.
    pub heirs: Vec<Ident>,
    /// Those of them that do so by memberships of their own, which can be replaced.
    pub direct_heirs: Vec<Ident>,
    /// This login may replace memberships: it is a superuser or, before PostgreSQL 16, may make roles.
    pub may_replace: bool,
}

impl Membership {
    fn of(role: &str, row: &PgRow) -> Result<Self> {
        let names = |column| -> Result<Vec<Ident>> {
            Ok(row.get::<Vec<String>, _>(column).into_iter().map(Ident::new).collect::<Result<_, _>>()?)
        };
        Ok(Self {
            between: operators_of(role),
            between_exists: row.get("between_exists"),
            between_is_member: row.get("between_is_member"),
            heirs: names("heirs")?,
            direct_heirs: names("direct_heirs")?,
            may_replace: row.get("may_replace"),
        })
    }
}

/// The roles of the rollout and of the application, each with its state.
#[derive(Debug, Clone)]
pub struct Logins {
    /// The role that the application logs in as.
    pub app: (Ident, RoleState),
    /// The role that fills tenant columns.
    pub maintenance: (Ident, RoleState),
    /// The role that counts rows.
    pub auditor: (Ident, RoleState),
    /// What the application's role is or can become that no policy filters.
    pub escapes: Vec<Escape>,
}

/// A role that the application's role is or can become, and that no policy filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escape {
    /// The role.
    pub role: String,
    /// Why no policy filters it.
    pub why: Unfiltered,
}

/// What a right on something of the server's lets a role do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gives {
    /// It reads or writes files of the server.
    Files,
    /// It reads values that the server keeps of rows: in statistics, or of rows that are too long for their table.
    Values,
    /// It reads what roles log in with, here or on other servers.
    Secrets,
    /// It connects to servers as the one that the server itself runs as.
    Connections,
    /// It reads large objects, on which there are no policies.
    LargeObjects,
    /// It changes a setting that runs programs or code, or that rights, keys and triggers depend on.
    Settings,
    /// It reads and writes on another server.
    OtherServer,
    /// It is not known.
    Unknown,
}

/// Why row level security does not filter a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Unfiltered {
    /// It is a superuser.
    Superuser,
    /// It has BYPASSRLS.
    BypassRls,
    /// It owns a table, so policies filter it there only while row level security is forced.
    OwnerOf {
        /// The table.
        table: String,
    },
    /// A policy that does not hold for the application's login lets it through.
    LetThrough {
        /// The policy.
        policy: String,
        /// Its table.
        table: String,
    },
    /// Row level security is off.
    RowSecurityOff {
        /// The table.
        table: String,
    },
    /// It has REPLICATION, and reads every change of every row.
    Replication,
    /// It has CREATEROLE, and the server's version lets it grant itself every role but superusers.
    CreateRole,
    /// It reads or writes files of the server, or runs programs there.
    ServerRole {
        /// The role whose rights it has.
        role: String,
    },
    /// It has a right on something of the server's that is not given to everybody.
    ServerRight {
        /// What that lets it do.
        gives: Gives,
    },
    /// It is a role of the rollout, whose policies show it keys of each tenant's rows.
    RolloutRole,
    /// It is a declared login, whose policies show it rows of every tenant.
    DeclaredLogin {
        /// What it is for.
        #[serde(flatten)]
        purpose: LoginPurpose,
    },
    /// The rows were stored when the view was refreshed, and no policy is asked when it is read.
    Stored,
    /// The rows are on another server, where our policies do not reach.
    OtherServer,
    /// No policy of the rollout is on the table where the rows are.
    Unprotected {
        /// The table; none where it is not known.
        table: Option<String>,
    },
    /// Policies do not limit what it may do.
    NotLimited,
    /// There are no policies on the book-keeping.
    NoPolicies,
    /// It has a tenant of its own.
    OwnTenant,
    /// The server keeps references intact past the policies.
    ReferentialAction,
}

impl fmt::Display for Unfiltered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Superuser => f.write_str("a superuser"),
            Self::BypassRls => f.write_str("BYPASSRLS"),
            Self::OwnerOf { table } => write!(f, "the owner of {table}"),
            Self::LetThrough { policy, table } => write!(f, "let through by the policy \"{policy}\" of {table}"),
            Self::RowSecurityOff { table } => {
                write!(f, "filtered by no policy, as row level security is off for {table}")
            }
            Self::Replication => f.write_str("able to replicate the database (REPLICATION)"),
            Self::CreateRole => f.write_str("able to grant itself any role but superusers (CREATEROLE)"),
            Self::ServerRole { role } => write!(f, "a member of {role}"),
            Self::ServerRight { gives } => gives.fmt(f),
            Self::RolloutRole => f.write_str("a role of the rollout that sees keys of each tenant's rows"),
            Self::DeclaredLogin { purpose } => {
                write!(f, "the login of {purpose}, which reaches rows of every tenant")
            }
            Self::Stored => f.write_str("asked for no policy when what it stored is read"),
            Self::OtherServer => f.write_str("on another server, where our policies do not reach"),
            Self::Unprotected { table: Some(table) } => write!(f, "filtered by no policy on {table}"),
            Self::Unprotected { table: None } => f.write_str("filtered by no policy"),
            Self::NotLimited => f.write_str("limited by no policy in this"),
            Self::NoPolicies => f.write_str("limited by no policy there"),
            Self::OwnTenant => f.write_str("shown the rows of the tenant that the function sets"),
            Self::ReferentialAction => f.write_str("not filtered where it keeps references intact"),
        }
    }
}

impl fmt::Display for Gives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "able to read or write files of the server, which hold every row",
            Self::Values => "able to read values that the server keeps of every tenant's rows",
            Self::Secrets => "able to read what other roles log in with",
            Self::Connections => "able to connect to this server as the one that it runs as, without a password",
            Self::LargeObjects => "able to read large objects, on which there are no policies",
            Self::Settings => {
                "able to run code in the server by it, or to switch off what keys, triggers and rights say"
            }
            Self::OtherServer => "able to reach rows on another server, where our policies do not reach",
            Self::Unknown => "able to do what is not known here",
        })
    }
}

impl Escape {
    fn from_row(row: &PgRow) -> Self {
        let why = match (row.get("superuser"), row.get("bypass_rls")) {
            (true, _) => Unfiltered::Superuser,
            (false, true) => Unfiltered::BypassRls,
            (false, false) => Unfiltered::OwnerOf { table: row.get("owned") },
        };
        Self { role: row.get("role"), why }
    }
}

/// Reads the roles of the rollout, and what the application's can become.
pub(crate) async fn read_logins(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    app: &str,
    relations: &[Relation],
    schemas: BTreeSet<&str>,
) -> Result<Logins> {
    let names = [app, &tenancy.roles.maintenance, &tenancy.roles.auditor];
    let tenants = TableName::parse(&tenancy.tenant.table, &tenancy.database.schema)?;
    let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/roles.sql"))
        .bind(names.to_vec())
        .bind(schemas.into_iter().collect::<Vec<_>>())
        .bind(tenants.schema().as_str())
        .bind(tenants.name().as_str())
        .bind(names.map(|name| operators_of(name).map(|between| between.as_str().to_owned())).to_vec())
        .fetch_all(&mut *connection)
        .await
        .map_err(Error::query("looking for the roles"))?;
    let facts = |at: usize| -> Result<(Ident, RoleState)> {
        let row = &rows[at];
        let closed_schemas =
            row.get::<Vec<String>, _>("closed_schemas").into_iter().map(Ident::new).collect::<Result<_, _>>()?;
        let owner_without = row.get::<Option<String>, _>("owner_without").map(Ident::new).transpose()?;
        Ok((
            Ident::new(names[at])?,
            RoleState {
                exists: row.get("is_there"),
                assumable: row.get("assumable"),
                closed_schemas,
                owner_without,
                membership: Membership::of(names[at], row)?,
            },
        ))
    };
    let (app_facts, maintenance, auditor) = (facts(0)?, facts(1)?, facts(2)?);
    let mut escapes = Vec::new();
    if app_facts.1.exists {
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/escapes.sql"))
            .bind(reachable(connection, app).await?)
            .bind(relations::schemas(relations))
            .bind(relations::names(relations))
            .fetch_all(&mut *connection)
            .await
            .map_err(Error::query("asking what the application's role can become"))?;
        escapes = rows.iter().map(Escape::from_row).collect();
    }
    Ok(Logins { app: app_facts, maintenance, auditor, escapes })
}

/// The names of the roles that a login can act as, itself first.
async fn reachable(connection: &mut PgConnection, login: &str) -> Result<Vec<String>> {
    let roles = Roles::read(connection).await?;
    let reached = roles.named(login).map(|role| roles.reachable(role.id)).unwrap_or_default();
    Ok(reached.iter().map(|reached| roles.name(reached.id)).collect())
}

/// What the application's login is and can become, and which policies hold for that.
pub struct LoginReach {
    /// The roles that it can act as, itself first.
    pub roles: Vec<String>,
    /// For each policy, by schema, table and name, the first of these roles that it holds for.
    policies: BTreeMap<(String, String, String), Option<String>>,
}

/// A policy that is not the rollout's, or was altered.
pub struct OtherPolicy<'a> {
    /// Its name.
    pub name: &'a str,
    /// What the catalog says of it.
    pub text: &'a str,
    /// The role of the login's that it holds for, if any.
    pub role: Option<&'a str>,
}

impl LoginReach {
    /// Reads it; every role may.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Query`].
    pub async fn read(database: &Database, relations: &[Relation], login: &str) -> Result<Self> {
        let doing = || Error::query(format!("asking what {login} can become"));
        let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
        let roles = reachable(tx.connection(), login).await?;
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/probe_policies.sql"))
            .bind(relations::schemas(relations))
            .bind(relations::names(relations))
            .bind(&roles)
            .fetch_all(tx.connection())
            .await
            .map_err(doing())?;
        tx.rollback().await?;
        let policies = rows
            .iter()
            .map(|row| ((row.get("schema"), row.get("table_name"), row.get("policy")), row.get("holds_for")))
            .collect();
        Ok(Self { roles, policies })
    }

    /// The policies of a table that widen what the rollout's let through.
    pub fn other_policies<'a>(&'a self, policies: Policies<'a>) -> impl Iterator<Item = OtherPolicy<'a>> {
        let others = policies.permissive().filter(move |(name, _)| !policies.is_ours(name));
        others.map(move |(name, text)| OtherPolicy { name, text, role: self.holds_for(policies.relation, name) })
    }

    /// The policies of a table that narrow what the rollout's let through.
    pub fn restrictive_policies<'a>(&'a self, policies: Policies<'a>) -> impl Iterator<Item = OtherPolicy<'a>> {
        let role = move |name| self.holds_for(policies.relation, name);
        policies.restrictive().map(move |(name, text)| OtherPolicy { name, text, role: role(name) })
    }

    fn holds_for(&self, relation: &Relation, policy: &str) -> Option<&str> {
        let (schema, table) = (relation.name.schema().to_string(), relation.name.name().to_string());
        self.policies.get(&(schema, table, policy.to_owned()))?.as_deref()
    }
}

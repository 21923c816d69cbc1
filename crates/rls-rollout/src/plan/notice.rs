//! What changes for the application and its people, phase by phase, as values.

use std::fmt;

use serde::Serialize;
use tenancy_config::{CommandRef, TableName};
use tenant_inventory::{BornClosed, RegistryState, Way};

/// Something to know before a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// From `prepare` on, sessions see the rows of their tenant and those without one.
    Filtered {
        /// The session variable, or the claim in it.
        variable: String,
    },
    /// In these tables a row without a tenant is the platform's.
    PlatformRows {
        /// The tables.
        tables: Vec<TableName>,
        /// The session variable, or the claim in it.
        variable: String,
    },
    /// From `tighten` on, inserts that set no tenant fail.
    InsertsNeedTenant,
    /// From `enforce` on, the owner is filtered: dumps and migrations as the owner too.
    OwnerFiltered {
        /// Logins that can still dump every table.
        backup_logins: Vec<String>,
        /// The role that may read what audits need.
        auditor: String,
    },
    /// The application's role owns tables, or can become their owner: from `enforce` on, policies filter the application there too.
    ApplicationOwns {
        /// The application's role.
        app_role: String,
        /// The tables.
        tables: Vec<TableName>,
    },
    /// A function or view reads tables as an owner whom policies filter from `enforce` on: it will see less.
    SeesLess {
        /// The function or view.
        way: Box<Way>,
    },
    /// The event trigger that closes new tables.
    BornClosed {
        /// What it is.
        born_closed: BornClosed,
    },
    /// Logins inherit a role of the rollout, so that its policies hold for them too.
    Inherits {
        /// The role.
        role: String,
        /// The logins.
        heirs: Vec<String>,
    },
    /// The tenant table cannot be referenced.
    Registry {
        /// What it is.
        state: RegistryState,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filtered { variable } => write!(
                f,
                "from `prepare` on, a session sees the rows of the tenant in {variable} and those without one; where it sets none, only the \
                 latter"
            ),
            Self::PlatformRows { tables, variable } => write!(
                f,
                "{}: a row without a tenant is the platform's (`platform_rows`). From `prepare` on, only a session that sets no {variable} sees and \
                 writes such rows. In a tenant's session an insert that leaves the column out gets that tenant, and one that writes NULL fails",
                tables.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            ),
            Self::InsertsNeedTenant => f.write_str(
                "`tighten` runs only where an audit finds no row that it would hide. From then on, inserts that set no tenant fail",
            ),
            Self::OwnerFiltered { backup_logins, auditor } => write!(
                f,
                "from `enforce` on, the owner is filtered too: pg_dump and COPY as the owner fail or see less, and so do its jobs and those \
                 of its migrations that touch rows. {}",
                dump_as(backup_logins, auditor)
            ),
            Self::ApplicationOwns { app_role, tables } => write!(
                f,
                "the application logs in as {app_role}, which owns {} or can become the owner: from `enforce` on, policies filter it there, \
                 and each of its statements needs a tenant",
                tables.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            ),
            Self::SeesLess { way } => write!(
                f,
                "{way}: from `enforce` on, policies filter {}, and it sees the rows of the session's tenant alone",
                way.acts_as.role
            ),
            Self::BornClosed { born_closed } => born_closed.fmt(f),
            Self::Inherits { role, heirs } => write!(
                f,
                "{} {role}, so the policies of that role hold there as well, and no index on a tenant column is used. `{}` as a superuser \
                 replaces the membership by one that is not inherited",
                if let [heir] = &heirs[..] { format!("{heir} inherits") } else { format!("{} inherit", heirs.join(" and ")) },
                CommandRef::RlsSetup,
            ),
            Self::Registry { state } => write!(f, "{state}"),
        }
    }
}

fn dump_as(backup_logins: &[String], auditor: &str) -> String {
    if backup_logins.is_empty() {
        format!(
            "No login here can still dump everything. A superuser makes one: CREATE ROLE dumper LOGIN BYPASSRLS; \
             GRANT pg_read_all_data TO dumper. Where the host gives nobody that, dump as {auditor} what it may read, or take \
             `enforce` back for the dump"
        )
    } else {
        format!("Dump as {}, which no policy filters", backup_logins.join(" or "))
    }
}

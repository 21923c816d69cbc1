//! What else policies affect beside the statements of the application, from the catalog alone.

use std::fmt;

use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use tenancy_config::TableName;
use tenant_inventory::Way;
use tenant_rls::{Error as RlsError, Result as RlsResult};

/// Something beside the statements that fails or sees less once the policies are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Sessions begin with `row_security = off`: each statement that a policy filters fails.
    RowSecurityOff {
        /// Of this role; none for all.
        role: Option<String>,
        /// In this database; none for all.
        database: Option<String>,
    },
    /// A subscription writes into the tables as an owner whom policies filter: it stops with an error.
    Subscription {
        /// Its name.
        name: String,
        /// The role that writes.
        owner: String,
        /// The tables.
        tables: Vec<TableName>,
    },
    /// A publication sends rows of the tables. What reads it, reads every tenant's rows as before; a new copy of a table by a filtered login does not.
    Publication {
        /// Its name.
        name: String,
        /// How many of the tables it has.
        tables: i64,
    },
    /// A stream of changes, which no policy filters.
    Slot {
        /// Its name.
        name: String,
        /// The plugin that writes it.
        plugin: Option<String>,
    },
    /// Dumps: these logins can still make them.
    Dumps {
        /// The logins; none where nobody can.
        logins: Vec<String>,
    },
    /// A function or view sees less.
    SeesLess {
        /// It.
        way: Box<Way>,
    },
    /// What this login may not read of the catalog was left out.
    NotRead {
        /// What was to be read.
        what: &'static str,
        /// What the server said.
        error: String,
    },
}

impl Effect {
    /// Whether something fails that works now.
    pub fn fails(&self) -> bool {
        match self {
            Self::RowSecurityOff { .. } | Self::Subscription { .. } => true,
            Self::Dumps { logins } => logins.is_empty(),
            Self::Publication { .. } | Self::Slot { .. } | Self::SeesLess { .. } | Self::NotRead { .. } => false,
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RowSecurityOff { role, database } => {
                match role {
                    Some(role) => write!(f, "sessions of {role}")?,
                    None => f.write_str("sessions")?,
                }
                if let Some(database) = database {
                    write!(f, " in {database}")?;
                }
                f.write_str(
                    " begin with row_security = off: unless no policy filters them, each of their statements on these tables fails. \
                     Take the setting back, or give the login BYPASSRLS",
                )
            }
            Self::Subscription { name, owner, tables } => write!(
                f,
                "the subscription {name} writes into {} as {owner}, whom policies filter: it stops with an error. Let it write as a role with BYPASSRLS",
                tables.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            ),
            Self::Publication { name, tables } => write!(
                f,
                "the publication {name} sends the rows of {tables} of these tables: no policy filters them, and the first copy of a table reads it \
                 as the login of the subscriber, whom policies filter"
            ),
            Self::Slot { name, plugin } => write!(
                f,
                "the slot {name} ({}) streams the changes of every tenant: no policy filters it",
                plugin.as_deref().unwrap_or("no plugin")
            ),
            Self::Dumps { logins } if logins.is_empty() => f.write_str(
                "no login can dump the tables any more: make one with BYPASSRLS and pg_read_all_data before `enforce`",
            ),
            Self::Dumps { logins } => write!(f, "dumps of the tables are complete as {} only", logins.join(" or ")),
            Self::SeesLess { way } => write!(f, "{way}: it will see the rows of the session's tenant alone"),
            Self::NotRead { what, error } => write!(f, "{what} could not be read: {error}"),
        }
    }
}

#[derive(Deserialize)]
struct Setting {
    role: Option<String>,
    database: Option<String>,
}

#[derive(Deserialize)]
struct Subscribed {
    name: String,
    owner: String,
    tables: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    schema: String,
    name: String,
}

#[derive(Deserialize)]
struct Published {
    name: String,
    tables: i64,
}

#[derive(Deserialize)]
struct Streamed {
    name: String,
    plugin: Option<String>,
}

/// Reads settings, subscriptions, publications and slots.
pub(crate) async fn read(connection: &mut PgConnection, tables: &[&TableName]) -> RlsResult<Vec<Effect>> {
    let (schemas, names) = TableName::apart(tables.iter().copied());
    let row = sqlx::query(include_str!("../../../../sql/rls-predict/beside.sql"))
        .bind(schemas)
        .bind(names)
        .fetch_one(connection)
        .await
        .map_err(RlsError::query("reading subscriptions, publications and settings"))?;
    let Json(settings): Json<Vec<Setting>> = row.get("settings");
    let Json(subscriptions): Json<Vec<Subscribed>> = row.get("subscriptions");
    let Json(publications): Json<Vec<Published>> = row.get("publications");
    let Json(slots): Json<Vec<Streamed>> = row.get("slots");
    let mut found: Vec<Effect> = Vec::new();
    found.extend(settings.into_iter().map(|Setting { role, database }| Effect::RowSecurityOff { role, database }));
    for Subscribed { name, owner, tables } in subscriptions {
        let tables = tables.iter().map(|named| Ok(TableName::new(ident(&named.schema)?, ident(&named.name)?)));
        found.push(Effect::Subscription { name, owner, tables: tables.collect::<RlsResult<_>>()? });
    }
    found.extend(publications.into_iter().map(|Published { name, tables }| Effect::Publication { name, tables }));
    found.extend(slots.into_iter().map(|Streamed { name, plugin }| Effect::Slot { name, plugin }));
    Ok(found)
}

fn ident(name: &str) -> RlsResult<tenancy_config::Ident> {
    Ok(tenancy_config::Ident::new(name)?)
}

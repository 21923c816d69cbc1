//! Whether new tables are born closed: the event trigger that switches row level security on for them, and the rules by which it decides.

use std::fmt;

use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenancy_config::{CommandRef, Ident, TableName, Tenancy};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error, OwnerTx, Result};

use crate::catalog::definition::{Aspect, AspectKind};

/// The file that makes the function; its body is what the catalog keeps of it.
const FUNCTION: &str = include_str!("../../../../sql/tenant-ops/born_closed.sql");

/// How the journal begins the text of one that was switched off, and of one that was not ours.
const DISABLED: &str = "DISABLED ";
const OTHER: &str = "OTHER ";

/// The event trigger that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BornClosed {
    /// Whether it does what it is to do.
    #[serde(flatten)]
    pub state: BornClosedState,
    /// Who owns the event trigger.
    pub owner: String,
    /// The rules of its function.
    #[serde(skip)]
    pub rules: Option<String>,
}

/// Whether an event trigger does what it is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum BornClosedState {
    /// New tables are closed.
    InForce,
    /// It was made for another `tenancy.toml`, and may take no tenant column for one.
    Outdated,
    /// Somebody switched it off.
    Disabled,
    /// It has the name of ours, and is not ours.
    NotOurs,
}

/// What a tenant column is to the event trigger, in the form in which its function reads it.
#[derive(Serialize)]
struct Rules<'a> {
    /// Names of tenant columns.
    columns: &'a [String],
    /// Schema and name of the tenant table.
    registry: [&'a str; 2],
    /// Schema, name and tenant column of the tables that have another one.
    own: Vec<[String; 3]>,
    /// Schema and name of the tables whose rows need no tenant.
    exempt: Vec<[String; 2]>,
}

impl BornClosed {
    /// The name of the event trigger.
    pub const TRIGGER: &'static str = "tenant_born_closed";

    /// The rules that follow from `tenancy.toml`.
    ///
    /// # Errors
    /// [`Error::Name`](tenant_rls::Error::Name) for a name in it that no table can have.
    pub fn rules(tenancy: &Tenancy) -> Result<String> {
        let parse = |name: &str| TableName::parse(name, &tenancy.database.schema);
        let registry = parse(&tenancy.tenant.table)?;
        let (mut own, mut exempt) = (Vec::new(), Vec::new());
        for (name, rules) in &tenancy.tables {
            let table = parse(name)?;
            let [schema, name] = [table.schema(), table.name()].map(|name| name.as_str().to_owned());
            match (&rules.exempt, &rules.column) {
                (Some(_), _) => exempt.push([schema, name]),
                (None, Some(column)) => own.push([schema, name, column.clone()]),
                (None, None) => {}
            }
        }
        let registry = [registry.schema().as_str(), registry.name().as_str()];
        let rules = Rules { columns: &tenancy.columns, registry, own, exempt };
        Ok(serde_json::to_string(&rules).expect("strings and lists of strings can be written as JSON"))
    }

    /// Reads the event trigger; none where there is no such thing.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Query`].
    pub async fn load(database: &Database, tenancy: &Tenancy) -> Result<Option<Self>> {
        let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
        let read = Self::read(tx.connection(), tenancy).await;
        tx.rollback().await?;
        read
    }

    /// The same, in a transaction that is open.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn read(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<Option<Self>> {
        let row = sqlx::query(include_str!("../../../../sql/tenant-inventory/born_closed.sql"))
            .bind(FUNCTION.split("$$").nth(1).unwrap_or_default())
            .fetch_optional(connection)
            .await
            .map_err(Error::query("looking for the event trigger that closes new tables"))?;
        let Some(row) = row else { return Ok(None) };
        let rules: Option<String> = row.get("rules");
        let state = if !row.get::<bool, _>("ours") {
            BornClosedState::NotOurs
        } else if !row.get::<bool, _>("enabled") {
            BornClosedState::Disabled
        } else if !row.get::<bool, _>("this_version") || rules.as_deref() != Some(&Self::rules(tenancy)?) {
            BornClosedState::Outdated
        } else {
            BornClosedState::InForce
        };
        Ok(Some(Self { state, owner: row.get("owner"), rules }))
    }

    /// What the journal of rollouts calls it, in the place of a table.
    ///
    /// # Panics
    /// Never: both are names.
    pub fn subject() -> TableName {
        let name = |name| Ident::new(name).expect("a short name is a name");
        TableName::new(name("tenant_ops"), name("born_closed"))
    }

    /// The same as an aspect of that.
    pub fn aspect() -> Aspect {
        Aspect::named(AspectKind::EventTrigger, Self::TRIGGER)
    }

    /// The rules in such a text, and whether it was switched on; none for what was not ours.
    pub fn from_text(text: &str) -> Option<(&str, bool)> {
        if text.starts_with(OTHER) {
            return None;
        }
        Some(text.strip_prefix(DISABLED).map_or((text, true), |rules| (rules, false)))
    }

    /// The text that makes it again: its rules. One that is not ours, or that somebody switched off, has no such text, and is like none that ours had.
    pub fn text(&self) -> String {
        let rules = self.rules.as_deref().unwrap_or_default();
        match self.state {
            BornClosedState::InForce | BornClosedState::Outdated => rules.to_owned(),
            BornClosedState::Disabled => format!("{DISABLED}{rules}"),
            BornClosedState::NotOurs => format!("{OTHER}{rules}"),
        }
    }
}

impl fmt::Display for BornClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trigger, owner) = (Self::TRIGGER, &self.owner);
        match self.state {
            BornClosedState::InForce => write!(
                f,
                "new tables with a tenant column, or with a foreign key to the tenant table, are born closed until the next rollout, by the event \
                 trigger {trigger} of {owner}"
            ),
            BornClosedState::Outdated => write!(
                f,
                "new tables may stay open: the event trigger {trigger} of {owner} was made for another tenancy.toml, or by another version: `{}` renews it",
                CommandRef::RlsBornClosed
            ),
            BornClosedState::Disabled => write!(
                f,
                "new tables are not born closed: the event trigger {trigger} of {owner} is switched off; `{}` makes it again",
                CommandRef::RlsBornClosed
            ),
            BornClosedState::NotOurs => {
                write!(f, "new tables are not born closed: the event trigger {trigger} of {owner} is not ours")
            }
        }
    }
}

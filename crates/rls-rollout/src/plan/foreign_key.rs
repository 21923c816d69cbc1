//! What the foreign keys that a rollout adds do where a tenant is deleted.

use std::fmt;

use serde::Serialize;
use sqlx::Row;
use tenancy_config::{Ident, OnDelete, TableName};
use tenant_inventory::{Aspect, AspectKind, Inventory};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx, Sql};

use crate::error::Result;
use crate::journal::Recorded;

/// What a foreign key does where the row that it references is deleted or its key changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyAction {
    /// The statement fails.
    NoAction,
    /// The statement fails at once.
    Restrict,
    /// The rows are deleted or changed too.
    Cascade,
}

impl KeyAction {
    /// As SQL spells it.
    pub(crate) fn sql(self) -> Sql {
        Sql::from_static(match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
        })
    }

    fn of_catalog(letter: &str) -> Option<Self> {
        match letter {
            "a" => Some(Self::NoAction),
            "r" => Some(Self::Restrict),
            "c" => Some(Self::Cascade),
            // A tenant column that is NOT NULL can be set to nothing else.
            _ => None,
        }
    }
}

impl From<OnDelete> for KeyAction {
    fn from(action: OnDelete) -> Self {
        match action {
            OnDelete::NoAction => Self::NoAction,
            OnDelete::Restrict => Self::Restrict,
            OnDelete::Cascade => Self::Cascade,
        }
    }
}

/// Who decided what a foreign key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// `on_delete` in `tenancy.toml`.
    Declared,
    /// The other keys to the tenant table, which all do the same.
    OtherKeys,
    /// Nobody: there are no others, or they differ.
    Nobody,
}

/// A foreign key that a rollout adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewForeignKey {
    /// Its name.
    pub name: String,
    /// What it does where a tenant is deleted.
    pub on_delete: KeyAction,
    /// What it does where the key of a tenant changes.
    pub on_update: KeyAction,
    /// Who decided what happens where a tenant is deleted.
    pub decided_by: DecidedBy,
}

impl fmt::Display for NewForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let does = match self.on_delete {
            KeyAction::Cascade => "deleting a tenant deletes its rows",
            KeyAction::NoAction | KeyAction::Restrict => "a tenant that has rows cannot be deleted",
        };
        let why = match self.decided_by {
            DecidedBy::Declared => "as tenancy.toml says",
            DecidedBy::OtherKeys => "as the other keys to the tenant table do",
            DecidedBy::Nobody => "`on_delete` in tenancy.toml chooses otherwise",
        };
        write!(f, "a new foreign key \"{}\": {does}, {why}", self.name)
    }
}

/// What the keys to the tenant table do that the application made; `None` where they differ or there are none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OtherKeys {
    on_delete: Option<KeyAction>,
    on_update: Option<KeyAction>,
}

impl OtherKeys {
    /// Reads them, without those that a rollout made.
    pub(crate) async fn read(database: &Database, inventory: &Inventory, recorded: &Recorded) -> Result<Self> {
        let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
        let rows = sqlx::query(include_str!("../../../../sql/rls-rollout/keys_to_tenants.sql"))
            .bind(inventory.catalog.tenants.schema().as_str())
            .bind(inventory.catalog.tenants.name().as_str())
            .fetch_all(tx.connection())
            .await
            .map_err(RlsError::query("reading the foreign keys to the tenant table"))?;
        tx.rollback().await?;
        let (mut on_delete, mut on_update) = (Vec::new(), Vec::new());
        for row in rows {
            let (schema, table): (String, String) = (row.get("schema"), row.get("name"));
            let table = TableName::new(Ident::new(schema)?, Ident::new(table)?);
            let key = Aspect::named(AspectKind::Constraint, &row.get::<String, _>("key"));
            if recorded.made(&table, &key) {
                continue;
            }
            on_delete.push(KeyAction::of_catalog(row.get("on_delete")));
            on_update.push(KeyAction::of_catalog(row.get("on_update")));
        }
        Ok(Self { on_delete: unanimous(&on_delete), on_update: unanimous(&on_update) })
    }

    /// What a new key of a table does.
    pub(crate) fn new_key(&self, inventory: &Inventory, table: &TableName, name: String) -> NewForeignKey {
        let rules = inventory.tenancy.rules(table).and_then(|rules| rules.on_delete);
        let declared = rules.or(inventory.tenancy.tenant.on_delete).map(KeyAction::from);
        let (on_delete, decided_by) = match (declared, self.on_delete) {
            (Some(action), _) => (action, DecidedBy::Declared),
            (None, Some(action)) => (action, DecidedBy::OtherKeys),
            (None, None) => (KeyAction::NoAction, DecidedBy::Nobody),
        };
        NewForeignKey { name, on_delete, on_update: self.on_update.unwrap_or(KeyAction::NoAction), decided_by }
    }
}

fn unanimous(actions: &[Option<KeyAction>]) -> Option<KeyAction> {
    let first = (*actions.first()?)?;
    actions.iter().all(|action| *action == Some(first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_differ_decide_nothing() {
        let (cascade, nothing) = (Some(KeyAction::Cascade), Some(KeyAction::NoAction));
        assert_eq!(unanimous(&[cascade, cascade]), cascade);
        assert_eq!(unanimous(&[cascade, nothing]), None);
        assert_eq!(unanimous(&[cascade, None]), None, "SET NULL is none of these");
        assert_eq!(unanimous(&[]), None);
    }
}

//! To which tables a rollout adds a tenant column, and through which row each of their rows gets its tenant.

use std::collections::BTreeMap;

use tenancy_config::tenancy::AddColumnRule;
use tenancy_config::{Ident, TableName, Tenancy, closest};
use tenant_rls::{CatalogTx, Database, Error, Result};

use super::added::{AddedColumn, NoParentKey};
use super::all_tables::{KeyFacts, TableFacts, all_tables};
use super::cannot_add::CannotAdd;
use crate::class::{Class, ClassifiedTable, classify};
use crate::unhandled::unhandled_table;

/// A table to which a tenant column is to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedColumn {
    /// The table, as `table` or `schema.table`.
    pub table: String,
    /// The column that points to the row whose tenant a row gets, where there are several.
    pub through: Option<String>,
}

/// Columns that can be added, and why others cannot.
pub(crate) struct Resolved {
    pub(crate) added: Vec<AddedColumn>,
    pub(crate) not_added: Vec<(TableName, CannotAdd)>,
}

/// The same tenancy, in which a rollout also adds a tenant column to the tables that were asked for.
///
/// # Errors
/// [`Error::NoTable`] for a table that is not there, [`Error::Query`]; inside, the first table to which none can be added, and why.
pub async fn adding_columns(
    database: &Database,
    tenancy: &Tenancy,
    asked: &[AskedColumn],
) -> Result<Result<Tenancy, (TableName, CannotAdd)>> {
    let mut tx = CatalogTx::begin(database).await?;
    let facts = all_tables(tx.connection(), tenancy).await?;
    tx.rollback().await?;
    let classified = classify(&facts, tenancy)?;
    let mut named = Vec::with_capacity(asked.len());
    for one in asked {
        named.push(TableName::parse(&one.table, &tenancy.database.schema)?);
    }
    let mut adding = tenancy.clone();
    for (table, one) in named.iter().zip(asked) {
        let declared = tenancy.rules(table).and_then(|rules| rules.add_column.as_ref());
        if declared.is_some_and(|rule| one.through.as_ref().is_none_or(|column| *column == rule.through)) {
            continue;
        }
        let names: Vec<&str> = facts.iter().map(|known| known.name.name().as_str()).collect();
        let known = facts.iter().find(|known| known.name == *table).ok_or_else(|| Error::NoTable {
            table: table.clone(),
            closest: closest(table.name().as_str(), names).map(str::to_owned),
        })?;
        let tenants = |other: &TableName| {
            named.contains(other) || class_of(&classified, other).is_some_and(|class| class.tenant_column().is_some())
        };
        match rule_for(known, &classified, one.through.as_deref(), &tenants) {
            Ok(rule) => adding = adding.adding_column(table, rule),
            Err(why) => return Ok(Err((table.clone(), why))),
        }
    }
    Ok(Ok(adding))
}

/// The rule by which a table gets a tenant column.
fn rule_for(
    table: &TableFacts,
    classified: &[ClassifiedTable],
    through: Option<&str>,
    tenants: &dyn Fn(&TableName) -> bool,
) -> Result<AddColumnRule, CannotAdd> {
    refuse_class(table, class_of(classified, &table.name))?;
    let single = table.foreign_keys.iter().filter(|key| key.columns.len() == 1 && key.target != table.name);
    let single = single.filter(|key| through.is_none_or(|column| key.columns == [column]));
    let (leading, others): (Vec<&KeyFacts>, Vec<&KeyFacts>) = single.partition(|key| tenants(&key.target));
    let mut ways: Vec<AddColumnRule> = Vec::new();
    for key in leading {
        let (Some(column), Some(reference)) = (key.columns.first(), key.references.first()) else { continue };
        let rule = AddColumnRule { through: column.clone(), table: key.target.to_string(), key: reference.clone() };
        if !ways.iter().any(|known| known.through == rule.through && known.table == rule.table) {
            ways.push(rule);
        }
    }
    if ways.len() > 1 {
        let ways = ways.into_iter().map(|rule| (rule.through, rule.table)).collect();
        return Err(CannotAdd::Several { ways });
    }
    let dependent = others
        .iter()
        .find(|key| matches!(class_of(classified, &key.target), Some(Class::Dependent { .. } | Class::Through { .. })));
    ways.pop().ok_or_else(|| match (through, dependent) {
        (_, Some(key)) => CannotAdd::ParentHasNone { table: key.target.clone() },
        (Some(column), None) => CannotAdd::NoForeignKey { column: column.to_owned(), table: None },
        (None, None) => CannotAdd::NoParent,
    })
}

/// Refuses a table that cannot have a tenant column, whatever it depends on.
fn refuse_class(table: &TableFacts, class: Option<&Class>) -> Result<(), CannotAdd> {
    if let Some(why) = unhandled_table(table) {
        return Err(CannotAdd::Table { why: why.to_string() });
    }
    match class {
        Some(Class::Registry) => Err(CannotAdd::Table { why: "it is the tenant table itself".to_owned() }),
        Some(Class::Exempt { why }) => Err(CannotAdd::Table { why: format!("tenancy.toml declares it exempt: {why}") }),
        Some(Class::Through { table, .. }) => {
            Err(CannotAdd::Table { why: format!("tenancy.toml says that its rows depend on {table} (`through`)") })
        }
        Some(Class::Extension { extension }) => {
            Err(CannotAdd::Table { why: format!("the extension {extension} made it") })
        }
        _ => Ok(()),
    }
}

fn class_of<'a>(classified: &'a [ClassifiedTable], name: &TableName) -> Option<&'a Class> {
    classified.iter().find(|table| table.table == *name).map(|table| &table.class)
}

/// The columns that `tenancy.toml` says a rollout adds. A table follows the one on which its rows hang.
pub(crate) fn resolve(
    facts: &[TableFacts],
    classified: &[ClassifiedTable],
    tenancy: &Tenancy,
    key_type: Option<&str>,
) -> Result<Resolved> {
    let schema = &tenancy.database.schema;
    let mut open: BTreeMap<TableName, &AddColumnRule> = BTreeMap::new();
    for (name, rules) in &tenancy.tables {
        if let Some(rule) = &rules.add_column {
            open.insert(TableName::parse(name, schema)?, rule);
        }
    }
    let mut resolved = Resolved { added: Vec::new(), not_added: Vec::new() };
    loop {
        let parent_of = |rule: &AddColumnRule| TableName::parse(&rule.table, schema);
        let mut next = None;
        for (table, rule) in &open {
            if !open.contains_key(&parent_of(rule)?) {
                next = Some((table.clone(), *rule));
                break;
            }
        }
        // In a circle nothing leads to a tenant: the first one says so.
        let Some((table, rule)) = next.or_else(|| open.iter().next().map(|(table, rule)| (table.clone(), *rule)))
        else {
            return Ok(resolved);
        };
        open.remove(&table);
        // A table that is not there is named among what is missing.
        let Some(known) = facts.iter().find(|known| known.name == table) else { continue };
        let exists = class_of(classified, &table).and_then(Class::tenant_column);
        match added(known, classified, &resolved.added, rule, &parent_of(rule)?, key_type) {
            Ok((key, parent_column)) => {
                let own = tenancy.rules(&table).and_then(|rules| rules.column.as_deref());
                let usual = tenancy.columns.iter().find(|name| **name == parent_column).or(tenancy.columns.first());
                let column = exists.or(own).or(usual.map(String::as_str)).unwrap_or(&parent_column);
                resolved.added.push(AddedColumn {
                    table,
                    column: Ident::new(column)?,
                    type_name: key_type.unwrap_or_default().to_owned(),
                    exists: exists.is_some(),
                    link: Ident::new(&rule.through)?,
                    // What the catalog says of the keys is read next.
                    link_may_be_null: false,
                    parent: key.target.clone(),
                    parent_column: Ident::new(parent_column)?,
                    parent_key: Ident::new(&rule.key)?,
                    parent_filtered: false,
                    key: Err(NoParentKey::Partitioned),
                });
            }
            // Where the column is there, nothing is to be added.
            Err(_) if exists.is_some() => {}
            Err(why) => resolved.not_added.push((table, why)),
        }
    }
}

/// The key that leads to the other table, and the tenant column there.
fn added<'a>(
    table: &'a TableFacts,
    classified: &[ClassifiedTable],
    before: &[AddedColumn],
    rule: &AddColumnRule,
    parent: &TableName,
    key_type: Option<&str>,
) -> Result<(&'a KeyFacts, String), CannotAdd> {
    let class = class_of(classified, &table.name);
    refuse_class(table, class)?;
    if key_type.is_none() {
        return Err(CannotAdd::Table { why: "the tenant table is not there, or lacks its key".to_owned() });
    }
    let leads = |key: &&KeyFacts| key.columns == [rule.through.as_str()] && key.target == *parent;
    let Some(key) = table.foreign_keys.iter().find(leads) else {
        return Err(CannotAdd::NoForeignKey { column: rule.through.clone(), table: Some(parent.clone()) });
    };
    if key.references != [rule.key.as_str()] {
        return Err(CannotAdd::OtherKey { references: key.references.join(", "), key: rule.key.clone() });
    }
    if let Some(known) = before.iter().find(|known| known.table == *parent) {
        return Ok((key, known.column.to_string()));
    }
    match class_of(classified, parent) {
        Some(Class::Tenant { column }) => Ok((key, column.clone())),
        Some(Class::Platform { .. } | Class::Shared { .. }) => Err(CannotAdd::CommonRows { table: parent.clone() }),
        Some(Class::Unhandled { why, .. }) => Err(CannotAdd::Parent { table: parent.clone(), why: why.to_string() }),
        _ => Err(CannotAdd::ParentHasNone { table: parent.clone() }),
    }
}

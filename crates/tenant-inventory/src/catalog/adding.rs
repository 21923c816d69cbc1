//! To which tables a rollout adds a tenant column, and through which row each of their rows gets its tenant.

use std::collections::BTreeMap;

use tenancy_config::tenancy::{AddColumnRule, SourceRule};
use tenancy_config::{Ident, TableName, Tenancy, closest};
use tenant_rls::{CatalogTx, Database, Error, Result};

use super::added::{AddedColumn, NoParentKey};
use super::all_tables::{KeyFacts, TableFacts, all_tables};
use super::cannot_add::{CannotAdd, NoTenantColumn};
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

/// Tables to which tenant columns are to be added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedColumns {
    /// Those that were named.
    pub tables: Vec<AskedColumn>,
    /// All others that depend on tenants' rows, too.
    pub all: bool,
    /// With `all`, those that have their column from an earlier rollout: it may still have to be filled.
    pub begun: Vec<TableName>,
}

/// A tenancy in which a rollout adds tenant columns.
#[derive(Debug, Clone)]
pub struct Adding {
    /// It says so of each table that gets one.
    pub tenancy: Tenancy,
    /// The other tables that depend on tenants' rows, where all of them were asked for, and why they get none.
    pub not_added: Vec<(TableName, CannotAdd)>,
}

/// Columns that can be added, and why others cannot.
pub(crate) struct Resolved {
    pub(crate) added: Vec<AddedColumn>,
    pub(crate) not_added: Vec<(TableName, CannotAdd)>,
}

/// The same tenancy, in which a rollout also adds a tenant column to the tables that were asked for.
///
/// # Errors
/// [`Error::NoTable`] for a table that is not there, [`Error::Query`]; inside, the first table that was named to which none can be added, and why.
pub async fn adding_columns(
    database: &Database,
    tenancy: &Tenancy,
    asked: &AskedColumns,
) -> Result<Result<Adding, (TableName, CannotAdd)>> {
    let mut tx = CatalogTx::begin(database).await?;
    let facts = all_tables(tx.connection(), tenancy).await?;
    tx.rollback().await?;
    let facts = without_columns(facts, tenancy, &asked.begun)?;
    let classified = classify(&facts, tenancy)?;
    let mut named = Vec::with_capacity(asked.tables.len());
    for one in &asked.tables {
        let table = TableName::parse(&one.table, &tenancy.database.schema)?;
        let names: Vec<&str> = facts.iter().map(|known| known.name.name().as_str()).collect();
        let known = facts.iter().find(|known| known.name == table).ok_or_else(|| Error::NoTable {
            table: table.clone(),
            closest: closest(table.name().as_str(), names).map(str::to_owned),
        })?;
        let declared = tenancy.rules(&table).and_then(|rules| rules.add_column.as_ref());
        if declared.is_none_or(|rule| one.through.as_ref().is_some_and(|column| *column != rule.through)) {
            named.push((known, one.through.as_deref()));
        }
    }
    let is_free = |table: &TableName| {
        let declared = tenancy.rules(table).is_some_and(|rules| rules.add_column.is_some());
        asked.all && !declared && named.iter().all(|(known, _)| known.name != *table)
    };
    let is_open = |table: &&ClassifiedTable| matches!(table.class, Class::Dependent { .. }) && is_free(&table.table);
    let open = classified.iter().filter(is_open);
    let mut open: Vec<&TableFacts> =
        open.filter_map(|table| facts.iter().find(|known| known.name == table.table)).collect();
    let mut not_added = Vec::new();
    loop {
        let tenants = |other: &TableName| {
            named.iter().any(|(known, _)| known.name == *other)
                || open.iter().any(|known| known.name == *other)
                || asked.begun.contains(other)
                || tenancy.rules(other).is_some_and(|rules| rules.add_column.is_some())
                || class_of(&classified, other).is_some_and(|class| class.tenant_column().is_some())
        };
        let mut adding = tenancy.clone();
        for (known, through) in &named {
            match way_of(known, &classified, *through, &tenants) {
                Ok(way) => adding = adding.adding_column(&known.name, way.rule, way.others),
                Err(why) => return Ok(Err((known.name.clone(), why))),
            }
        }
        let mut left = Vec::with_capacity(open.len());
        for known in &open {
            match way_of(known, &classified, None, &tenants) {
                Ok(way) => {
                    adding = adding.adding_column(&known.name, way.rule, way.others);
                    left.push(*known);
                }
                // What has its column already lacks nothing.
                Err(_) if asked.begun.contains(&known.name) => {}
                Err(why) => not_added.push((known.name.clone(), why)),
            }
        }
        // Without a column there, the tables that depend on this one get none either.
        if left.len() == open.len() {
            not_added.sort_by(|(one, _), (other, _)| one.cmp(other));
            return Ok(Ok(Adding { tenancy: adding, not_added }));
        }
        open = left;
    }
}

/// The tables as they were before rollouts gave some of them their tenant column: what leads to a tenant from there is decided as it was then.
fn without_columns(mut facts: Vec<TableFacts>, tenancy: &Tenancy, begun: &[TableName]) -> Result<Vec<TableFacts>> {
    if begun.is_empty() {
        return Ok(facts);
    }
    let classified = classify(&facts, tenancy)?;
    for table in facts.iter_mut().filter(|table| begun.contains(&table.name)) {
        if let Some(column) = class_of(&classified, &table.name).and_then(Class::tenant_column) {
            table.columns.retain(|known| known.name != column);
            table.foreign_keys.retain(|key| key.columns.iter().all(|known| known != column));
        }
    }
    Ok(facts)
}

/// How a table gets a tenant column.
struct Way {
    rule: AddColumnRule,
    /// The other ways from each of its rows to a tenant. A row for which one names another tenant is a conflict.
    others: Vec<SourceRule>,
}

/// The way by which a table gets a tenant column. Of several, one that each row has, to a table that has its tenant column already and whose
/// rows all belong to tenants.
fn way_of(
    table: &TableFacts,
    classified: &[ClassifiedTable],
    through: Option<&str>,
    tenants: &dyn Fn(&TableName) -> bool,
) -> Result<Way, CannotAdd> {
    refuse_class(table, class_of(classified, &table.name))?;
    let single = table.foreign_keys.iter().filter(|key| key.columns.len() == 1 && key.target != table.name);
    let single = single.filter(|key| through.is_none_or(|column| key.columns == [column]));
    let leads_back = |key: &KeyFacts| {
        through.is_none() && class_of(classified, &key.target).is_some_and(|class| class.depends_through(&table.name))
    };
    let (all, others): (Vec<&KeyFacts>, Vec<&KeyFacts>) =
        single.partition(|key| tenants(&key.target) && !leads_back(key));
    let mut leading: Vec<&KeyFacts> = Vec::new();
    for key in all {
        // The same key may be there twice, under two names.
        if !leading.iter().any(|known| known.columns == key.columns && known.target == key.target) {
            leading.push(key);
        }
    }
    // Another way may lead to a tenant where this one does not.
    let refused = |key: &&KeyFacts| refused_parent(&key.target, class_of(classified, &key.target));
    let (unfit, leading): (Vec<&KeyFacts>, Vec<&KeyFacts>) =
        leading.into_iter().partition(|key| refused(key).is_some());
    match leading[..] {
        [] => {}
        [only] => return Ok(Way { rule: rule_of(only), others: Vec::new() }),
        _ => return best_of(table, classified, &leading),
    }
    if let Some(why) = unfit.iter().find_map(refused) {
        return Err(why);
    }
    let dependent = others
        .iter()
        .find(|key| matches!(class_of(classified, &key.target), Some(Class::Dependent { .. } | Class::Through { .. })));
    Err(match (through, dependent) {
        (_, Some(key)) => CannotAdd::ParentHasNone { table: key.target.clone() },
        (Some(column), None) => CannotAdd::NoForeignKey { column: column.to_owned(), table: None },
        (None, None) => CannotAdd::NoParent,
    })
}

/// Of several keys, one that each row has, to a table that has its tenant column already; of two such, the first column's.
fn best_of(table: &TableFacts, classified: &[ClassifiedTable], keys: &[&KeyFacts]) -> Result<Way, CannotAdd> {
    let has_column =
        |key: &KeyFacts| class_of(classified, &key.target).is_some_and(|class| class.tenant_column().is_some());
    let position = |key: &KeyFacts| table.columns.iter().position(|column| key.columns == [column.name.as_str()]);
    let always = |key: &KeyFacts| position(key).is_some_and(|at| table.columns[at].never_null);
    let Some(best) = keys.iter().filter(|key| always(key)).min_by_key(|key| (!has_column(key), position(key))) else {
        let ways = keys.iter().map(|key| (key.columns.concat(), key.target.to_string()));
        return Err(CannotAdd::Several { ways: ways.collect() });
    };
    let others = keys.iter().filter(|other| !std::ptr::eq(**other, *best) && has_column(other));
    Ok(Way { rule: rule_of(best), others: others.map(|key| SourceRule::from(rule_of(key))).collect() })
}

/// The rule that follows a key of one column.
fn rule_of(key: &KeyFacts) -> AddColumnRule {
    AddColumnRule { through: key.columns.concat(), table: key.target.to_string(), key: key.references.concat() }
}

/// Refuses a table that cannot have a tenant column, whatever it depends on.
fn refuse_class(table: &TableFacts, class: Option<&Class>) -> Result<(), CannotAdd> {
    if let Some(why) = unhandled_table(table) {
        return Err(CannotAdd::Table { cause: Box::new(NoTenantColumn::Unhandled { why }) });
    }
    let cause = match class {
        Some(Class::Registry) => NoTenantColumn::Registry,
        Some(Class::Exempt { why }) => NoTenantColumn::Exempt { why: why.clone() },
        Some(Class::Through { table, .. }) => NoTenantColumn::Through { table: table.clone() },
        Some(Class::Extension { extension }) => NoTenantColumn::Extension { extension: extension.clone() },
        _ => return Ok(()),
    };
    Err(CannotAdd::Table { cause: Box::new(cause) })
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
pub(super) fn added<'a>(
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
        return Err(CannotAdd::Table { cause: Box::new(NoTenantColumn::NoTenantKey) });
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
    let class = class_of(classified, parent);
    match (class, refused_parent(parent, class)) {
        (_, Some(why)) => Err(why),
        (Some(Class::Tenant { column }), None) => Ok((key, column.clone())),
        _ => Err(CannotAdd::ParentHasNone { table: parent.clone() }),
    }
}

/// Why no row can get its tenant from this table, although it has a tenant column.
fn refused_parent(parent: &TableName, class: Option<&Class>) -> Option<CannotAdd> {
    match class {
        Some(Class::Platform { .. } | Class::Shared { .. }) => Some(CannotAdd::CommonRows { table: parent.clone() }),
        Some(Class::Unhandled { why, .. }) => {
            Some(CannotAdd::Parent { table: parent.clone(), cause: Box::new(why.clone()) })
        }
        _ => None,
    }
}

//! How the rows of tables without a tenant column could belong to tenants: what `tenancy.toml` could declare of each foreign key, and why not.

use std::collections::BTreeMap;

use tenancy_config::tenancy::{AddColumnRule, ThroughRule};
use tenancy_config::{TableName, Tenancy};
use tenant_rls::Result;

use super::adding::added;
use super::all_tables::{KeyFacts, TableFacts};
use super::cannot_add::CannotAdd;
use crate::class::{Class, classify, not_through};
use crate::unhandled::Unlinked;

/// A foreign key of one column from a table without a tenant column to one whose rows belong to tenants, or depend on such rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependentWay {
    /// The column.
    pub column: String,
    /// The other table.
    pub table: TableName,
    /// The column of the other table that the key references.
    pub key: String,
    /// The column may be NULL: such a row depends on nothing there.
    pub may_be_null: bool,
    /// Why a rollout could not add a tenant column that is filled by it. [`CannotAdd::ParentHasNone`]: not before the other table has one.
    pub no_column: Option<CannotAdd>,
    /// Why it could not be protected through the other table.
    pub no_through: Option<Unlinked>,
}

/// The ways of each table that depends on others or looks like a tenant's, as the rules of a rollout judge them, best first: by a column that each
/// row has, to a table that has its tenant column already, in the order of the columns. Tables without a way are left out.
///
/// # Errors
/// [`tenant_rls::Error::Name`] for a name in `tenancy.toml` that no table can have.
pub fn dependent_ways(facts: &[TableFacts], tenancy: &Tenancy) -> Result<BTreeMap<TableName, Vec<DependentWay>>> {
    let classified = classify(facts, tenancy)?;
    let class_of = |name: &TableName| classified.iter().find(|table| table.table == *name).map(|table| &table.class);
    let registry = TableName::parse(&tenancy.tenant.table, &tenancy.database.schema)?;
    let registry = facts.iter().find(|table| table.name == registry);
    let key_type = registry.and_then(|table| table.columns.iter().find(|column| column.name == tenancy.tenant.key));
    let key_type = key_type.map(|column| column.type_name.as_str());
    let is_open = |class: &Class| matches!(class, Class::Dependent { .. } | Class::Suspect { .. });
    let leads = |table: &TableFacts, key: &KeyFacts| {
        let class = class_of(&key.target);
        let leads = class.is_some_and(|class| {
            is_open(class) || class.tenant_column().is_some() || matches!(class, Class::Through { .. })
        });
        leads && !class.is_some_and(|class| class.depends_through(&table.name)) && key.target != table.name
    };
    let mut found = BTreeMap::new();
    for table in facts.iter().filter(|table| class_of(&table.name).is_some_and(is_open)) {
        let mut ways: Vec<DependentWay> = Vec::new();
        for key in table.foreign_keys.iter().filter(|key| leads(table, key)) {
            let ([column], [references]) = (key.columns.as_slice(), key.references.as_slice()) else { continue };
            if ways.iter().any(|way| way.column == *column && way.table == key.target) {
                continue;
            }
            let other = key.target.to_string();
            let add = AddColumnRule { through: column.clone(), table: other.clone(), key: references.clone() };
            let through = ThroughRule { column: column.clone(), table: other, key: None, form: None };
            let own = table.columns.iter().find(|known| known.name == *column);
            ways.push(DependentWay {
                may_be_null: own.is_none_or(|own| !own.never_null),
                column: column.clone(),
                table: key.target.clone(),
                key: references.clone(),
                no_column: added(table, &classified, &[], &add, &key.target, key_type).err(),
                no_through: not_through(facts, tenancy, table, &through)?,
            });
        }
        let position = |way: &DependentWay| table.columns.iter().position(|column| column.name == way.column);
        ways.sort_by_key(|way| (way.may_be_null, way.no_column.is_some(), position(way)));
        if !ways.is_empty() {
            found.insert(table.name.clone(), ways);
        }
    }
    Ok(found)
}

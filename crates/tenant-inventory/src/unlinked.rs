//! Whether a table can be protected through the table that it is declared to depend on.

use tenancy_config::TableName;
use tenancy_config::tenancy::ThroughRule;
use tenant_rls::TenantColumnType;

use crate::catalog::all_tables::{KeyFacts, TableFacts};
use crate::unhandled::{Unhandled, Unlinked};

/// What a class is that something may depend on.
pub(crate) enum ParentClass {
    Tenant,
    HasCommonRows,
    Through,
    Unhandled(Unhandled),
    NoTenants,
}

/// The table through which another one is protected, if it can be; `parent` is the table that `rule` names, where it is there.
pub(crate) fn unlinked<'a>(
    table: &TableFacts,
    rule: &ThroughRule,
    parent: Option<(&'a TableFacts, ParentClass)>,
) -> Result<&'a TableName, Unlinked> {
    let column = rule.column.clone();
    let Some((parent, of_parent)) = parent else { return Err(Unlinked::NoParent { table: rule.table.clone() }) };
    let name = || parent.name.clone();
    let Some(link) = table.columns.iter().find(|known| known.name == column) else {
        return Err(Unlinked::NoColumn { column });
    };
    match of_parent {
        ParentClass::Tenant => {}
        ParentClass::HasCommonRows => return Err(Unlinked::CommonRows { table: name() }),
        ParentClass::Through => return Err(Unlinked::Chain { table: name() }),
        ParentClass::Unhandled(why) => return Err(Unlinked::Parent { table: name(), cause: Box::new(why) }),
        ParentClass::NoTenants => return Err(Unlinked::NoTenants { table: name() }),
    }
    let leads = |key: &&KeyFacts| {
        let declared = rule.key.as_ref().is_none_or(|declared| key.references == [declared.as_str()]);
        key.target == parent.name && key.columns == [column.as_str()] && declared
    };
    let Some(key) = table.foreign_keys.iter().filter(leads).max_by_key(|key| key.valid) else {
        return Err(Unlinked::NoForeignKey { column, table: name() });
    };
    if !key.valid {
        return Err(Unlinked::KeyNotValid { column, table: name() });
    }
    if !link.never_null {
        return Err(Unlinked::MayBeNull { column });
    }
    let referenced = parent.columns.iter().find(|known| key.references == [known.name.as_str()]);
    let referenced = referenced.map(|known| known.type_name.as_str()).unwrap_or_default();
    let family = |name: &str| TenantColumnType::of(name).map(TenantColumnType::family);
    if family(&link.type_name).is_none() || family(&link.type_name) != family(referenced) {
        return Err(Unlinked::Types { column: link.type_name.clone(), key: referenced.to_owned() });
    }
    Ok(&parent.name)
}

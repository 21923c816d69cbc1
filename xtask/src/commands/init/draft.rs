//! Drafts a `tenancy.toml` from a catalog. Foreign keys tell which table has the tenants, and where rows get theirs from.

use std::collections::BTreeMap;

use backfill_engine::{short_name, sources_from_keys};
use tenancy_config::tenancy::TableRules;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{Catalog, TenantTable};

/// The usual names of tenant columns, the clearest first.
pub(super) const USUAL_COLUMNS: [&str; 12] = [
    "tenantId",
    "tenant_id",
    "organizationId",
    "organization_id",
    "orgId",
    "org_id",
    "workspaceId",
    "workspace_id",
    "accountId",
    "account_id",
    "companyId",
    "company_id",
];

/// A tenancy in which every table with one of the usual columns is a tenant table.
pub(super) fn wide_net(tenancy: &Tenancy) -> Tenancy {
    let columns = USUAL_COLUMNS.iter().map(ToString::to_string).collect();
    Tenancy { columns, tables: BTreeMap::new(), ..tenancy.clone() }
}

/// The tenancy of a database whose names are known: its tables, with the rules that are known for them.
pub(super) fn of_known(tenancy: &Tenancy, catalog: &Catalog) -> Tenancy {
    let rules = |table: &TenantTable| {
        let mut rules = tenancy.rules(&table.name).cloned().unwrap_or_else(|| derived(table, catalog, tenancy));
        let there = |table: &str| {
            TableName::parse(table, &tenancy.database.schema)
                .is_ok_and(|name| catalog.tables.iter().any(|t| t.name == name))
        };
        rules.sources.retain(|source| there(&source.table));
        rules.tie_breakers.retain(|tie_breaker| there(&tie_breaker.table));
        rules
    };
    let tables = catalog.tables.iter().map(|table| (short_name(&table.name, tenancy), rules(table))).collect();
    Tenancy { tables, ..tenancy.clone() }
}

/// The tenancy of a database that nobody has described. The table that most tenant columns reference has the tenants; if a schema
/// is named, it is searched for in that schema only.
pub(super) fn of_unknown(wide: &Tenancy, catalog: &Catalog, schema: Option<&str>) -> Option<Tenancy> {
    let mut targets: BTreeMap<(&str, &str, &str), Vec<&TenantTable>> = BTreeMap::new();
    for table in &catalog.tables {
        for key in table.foreign_keys.iter().filter(|key| key.columns == [table.column.name.clone()]) {
            let target = (key.schema.as_str(), key.table.as_str(), key.references.first()?.as_str());
            targets.entry(target).or_default().push(table);
        }
    }
    let here = targets.into_iter().filter(|((target, ..), _)| schema.is_none_or(|schema| schema == *target));
    let ((schema, tenants, key), tables) = here.max_by_key(|(_, tables)| tables.len())?;
    let mut tenancy = wide.clone();
    tenancy.columns = USUAL_COLUMNS
        .iter()
        .filter(|column| tables.iter().any(|table| table.column.name == **column))
        .map(ToString::to_string)
        .collect();
    tenancy.database.schema = schema.to_owned();
    tenancy.tenant.table = tenants.to_owned();
    tenancy.tenant.key = key.to_owned();
    // The catalog does not say which columns name a tenant. Its key always does.
    tenancy.tenant.slug = key.to_owned();
    tenancy.tenant.name = key.to_owned();
    tenancy.tenant.status = None;
    let rules = |table: &&TenantTable| (short_name(&table.name, &tenancy), derived(table, catalog, &tenancy));
    let tables = tables.iter().map(rules).collect();
    Some(Tenancy { tables, ..tenancy })
}

/// The rules that the foreign keys of a table suggest.
fn derived(table: &TenantTable, catalog: &Catalog, tenancy: &Tenancy) -> TableRules {
    let sources = sources_from_keys(table, catalog, tenancy);
    TableRules { sources, platform_rows: table.platform_rows, ..TableRules::default() }
}

#[cfg(test)]
mod tests {
    use tenancy_config::Ident;
    use tenant_inventory::{ForeignKey, RegistryState, TenantColumn};

    use super::*;

    fn name(table: &str) -> TableName {
        TableName::new(Ident::new("public").unwrap(), Ident::new(table).unwrap())
    }

    fn key(column: &str, table: &str) -> ForeignKey {
        ForeignKey {
            name: format!("{column}_fkey"),
            columns: vec![column.into()],
            schema: "public".into(),
            table: table.into(),
            references: vec!["id".into()],
            validated: true,
        }
    }

    fn table(table: &str, column: &str, foreign_keys: Vec<ForeignKey>) -> TenantTable {
        TenantTable {
            name: name(table),
            partitioned: false,
            column: TenantColumn {
                name: column.into(),
                type_name: "text".into(),
                not_null: false,
                never_null: false,
                default: None,
            },
            rls_enabled: false,
            rls_forced: false,
            key: vec!["id".into()],
            key_types: vec!["text".into()],
            partitioned_by_tenant: false,
            leaves: Vec::new(),
            estimated_rows: 0.0,
            tenant_index: true,
            foreign_keys,
            platform_rows: false,
            shared_rows: false,
            unhandled: None,
        }
    }

    fn catalog(tables: Vec<TenantTable>) -> Catalog {
        Catalog {
            tenants: name("Tenant"),
            registry: RegistryState::Missing,
            registry_columns: Vec::new(),
            tenant_key_type: None,
            tables,
            missing: Vec::new(),
            classified: Vec::new(),
            through: Vec::new(),
        }
    }

    #[test]
    fn the_table_that_most_tenant_columns_reference_is_the_tenants() {
        let catalog = catalog(vec![
            table("projects", "org_id", vec![key("org_id", "organizations")]),
            table("tasks", "org_id", vec![key("org_id", "organizations"), key("project_id", "projects")]),
            table("payments", "account_id", vec![key("account_id", "bank_accounts")]),
        ]);
        let draft = of_unknown(&wide_net(&Tenancy::default()), &catalog, None).unwrap();
        assert_eq!(draft.columns, ["org_id"]);
        assert_eq!((draft.tenant.table.as_str(), draft.tenant.key.as_str()), ("organizations", "id"));
        assert_eq!(draft.tables.keys().collect::<Vec<_>>(), ["projects", "tasks"]);
        let source = &draft.tables["tasks"].sources[0];
        assert_eq!(
            (source.name.as_str(), source.column.as_str(), source.table.as_str()),
            ("project", "project_id", "projects")
        );
    }

    #[test]
    fn the_schema_that_somebody_named_decides_which_tenants_are_meant() {
        let catalog = catalog(vec![table("projects", "org_id", vec![key("org_id", "organizations")])]);
        let wide = wide_net(&Tenancy::default());
        assert_eq!(of_unknown(&wide, &catalog, Some("public")).unwrap().database.schema, "public");
        assert!(of_unknown(&wide, &catalog, Some("app")).is_none());
    }

    #[test]
    fn what_is_written_reads_back() {
        let catalog = catalog(vec![table("Odd \"Table\"", "orgId", vec![key("orgId", "Org")])]);
        let draft = of_unknown(&wide_net(&Tenancy::default()), &catalog, None).unwrap();
        let read = Tenancy::from_toml(&draft.annotated(), "tenancy.toml".as_ref()).unwrap();
        assert_eq!(read, draft);
    }

    #[test]
    fn known_rules_are_kept_for_tables_that_are_there() {
        let both = catalog(vec![table("bookings", "tenantId", vec![]), table("users", "tenantId", vec![])]);
        let draft = of_known(&Tenancy::default(), &both);
        let sources: Vec<_> = draft.tables["bookings"].sources.iter().map(|source| source.name.as_str()).collect();
        assert_eq!(sources, ["client"], "the tables of the other sources are not there");
        let draft = of_known(&Tenancy::default(), &catalog(vec![table("chat_messages", "tenantId", vec![])]));
        let chat = &draft.tables["chat_messages"];
        assert_eq!((chat.sources.len(), chat.tie_breakers[0].name.as_str()), (0, "room"));
    }

    #[test]
    fn a_database_without_tenants_gives_nothing() {
        assert!(of_unknown(&wide_net(&Tenancy::default()), &catalog(Vec::new()), None).is_none());
    }
}

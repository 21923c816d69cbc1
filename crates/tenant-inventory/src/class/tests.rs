//! What each table of a database is to the tenants, by its columns and keys.

use proptest::prelude::*;
use tenancy_config::Ident;

use super::*;
use crate::catalog::all_tables::KeyFacts;

fn name(name: &str) -> TableName {
    TableName::new(Ident::new("public").unwrap(), Ident::new(name).unwrap())
}

/// A table with these columns, as `name type`, and with foreign keys to these tables.
fn table(called: &str, columns: &[&str], targets: &[&str]) -> TableFacts {
    let column = |text: &&str| {
        let (name, type_name) = text.split_once(' ').unwrap_or((text, "text"));
        let (generated, identity, unique, never_null) = (false, false, name == "id", true);
        let (name, type_name) = (name.to_owned(), type_name.to_owned());
        ColumnFacts { name, base_type: type_name.clone(), type_name, generated, identity, unique, never_null }
    };
    TableFacts {
        name: name(called),
        owner: "owner".to_owned(),
        foreign: false,
        rls_enabled: false,
        rls_forced: false,
        extension: None,
        inherits: false,
        distributed: false,
        foreign_partition: None,
        stranger: None,
        columns: columns.iter().map(column).collect(),
        foreign_keys: targets.iter().map(|to| key_to(name(to))).collect(),
    }
}

fn key_to(target: TableName) -> KeyFacts {
    KeyFacts { columns: vec!["x".into()], target, references: vec!["id".into()], valid: true }
}

fn tenancy() -> Tenancy {
    Tenancy::from_toml("tables = {}\n[tenant]\ntable = \"orgs\"\nkey = \"id\"", "t".as_ref()).unwrap()
}

fn class_of(tables: &[TableFacts], called: &str) -> Class {
    let classified = classify(tables, &tenancy()).unwrap();
    classified.into_iter().find(|table| table.table == name(called)).unwrap().class
}

fn orgs() -> TableFacts {
    table("orgs", &["id uuid"], &[])
}

#[test]
fn the_tenant_table_and_tables_with_a_tenant_column_are_what_they_say() {
    let tables = [orgs(), table("bookings", &["id", "tenant_id uuid"], &["orgs"])];
    assert_eq!(class_of(&tables, "orgs"), Class::Registry);
    assert_eq!(class_of(&tables, "bookings"), Class::Tenant { column: "tenant_id".into() });
}

#[test]
fn a_table_that_hangs_on_one_with_a_tenant_column_is_protected_through_it_or_not_handled() {
    let toml = "[tenant]\ntable = \"orgs\"\nkey = \"id\"\n[tables.items]\nthrough = { column = \"x\", table = \"invoices\" }\n\
                [tables.notes]\nthrough = { column = \"x\", table = \"items\" }";
    let tenancy = Tenancy::from_toml(toml, "t".as_ref()).unwrap();
    let of = |change: fn(&mut TableFacts, &mut TableFacts), called: &str| {
        let mut invoices = table("invoices", &["id uuid", "tenant_id uuid"], &["orgs"]);
        let mut items = table("items", &["id uuid", "x uuid"], &["invoices"]);
        change(&mut invoices, &mut items);
        let notes = table("notes", &["id uuid", "x uuid"], &["items"]);
        let classified = classify(&[orgs(), invoices, items, notes], &tenancy).unwrap();
        classified.into_iter().find(|table| table.table == name(called)).unwrap().class
    };
    let refused = |change| match of(change, "items") {
        Class::Unhandled { column, why: Unhandled::Through { why } } if column == "x" => why,
        other => panic!("{other:?}"),
    };
    let items = of(|_, _| (), "items");
    assert_eq!(items, Class::Through { column: "x".into(), table: name("invoices") });
    assert_eq!((items.tenant_column(), items.is_protected()), (None, true));
    let chain = Unhandled::Through { why: Unlinked::Chain { table: name("items") } };
    assert_eq!(of(|_, _| (), "notes"), Class::Unhandled { column: "x".into(), why: chain });
    let (column, on) = ("x".to_owned(), name("invoices"));
    assert_eq!(refused(|_, items| items.columns[1].never_null = false), Unlinked::MayBeNull { column: column.clone() });
    let no_key = Unlinked::NoForeignKey { column: column.clone(), table: on.clone() };
    assert_eq!(refused(|_, items| items.foreign_keys.clear()), no_key);
    let not_valid = Unlinked::KeyNotValid { column, table: on.clone() };
    assert_eq!(refused(|_, items| items.foreign_keys[0].valid = false), not_valid);
    assert_eq!(refused(|_, items| items.columns.truncate(1)), Unlinked::NoColumn { column: "x".into() });
    assert_eq!(refused(|on, _| on.columns.truncate(1)), Unlinked::NoTenants { table: on.clone() });
    let types = Unlinked::Types { column: "text".into(), key: "uuid".into() };
    assert_eq!(refused(|_, items| items.columns[1].type_name = "text".into()), types);
    assert!(matches!(refused(|_, items| items.inherits = true), Unlinked::Table { .. }));
    assert!(matches!(refused(|on, _| on.inherits = true), Unlinked::Parent { .. }));
    let shared =
        Tenancy::from_toml(&format!("{toml}\n[tables.invoices]\nshared_rows = \"all\""), "t".as_ref()).unwrap();
    let tables =
        [orgs(), table("invoices", &["id uuid", "tenant_id uuid"], &[]), table("items", &["x uuid"], &["invoices"])];
    let found = classify(&tables, &shared).unwrap().into_iter().find(|table| table.table == name("items")).unwrap();
    let common = Unhandled::Through { why: Unlinked::CommonRows { table: on } };
    assert_eq!(found.class, Class::Unhandled { column: "x".into(), why: common });
}

#[test]
fn a_tenant_column_that_policies_cannot_compare_or_nobody_can_write_is_unhandled() {
    let of = |change: fn(&mut TableFacts), type_name: &str| {
        let mut bookings = table("bookings", &[&format!("tenant_id {type_name}")], &[]);
        change(&mut bookings);
        match class_of(&[orgs(), bookings], "bookings") {
            Class::Unhandled { why, .. } => why,
            other => panic!("{other:?}"),
        }
    };
    let differ = Unhandled::TypesDiffer { column: "text".into(), key: "uuid".into() };
    assert_eq!(of(|_| (), "text"), differ);
    assert_eq!(of(|_| (), "uuid[]"), Unhandled::Type { type_name: "uuid[]".into() });
    assert_eq!(of(|t| t.columns[0].generated = true, "uuid"), Unhandled::Generated);
    assert_eq!(of(|t| t.columns[0].identity = true, "bigint"), Unhandled::Identity);
    assert_eq!(of(|t| t.foreign = true, "uuid"), Unhandled::Foreign);
    assert_eq!(of(|t| t.inherits = true, "uuid"), Unhandled::Inherits);
    assert_eq!(of(|t| t.distributed = true, "uuid"), Unhandled::Distributed);
    let partition = name("bookings_old");
    let foreign = Unhandled::ForeignPartition { partition: partition.clone() };
    assert_eq!(of(|t| t.foreign_partition = Some(name("bookings_old")), "uuid"), foreign);
    let belongs = |t: &mut TableFacts| {
        t.stranger = Some(Member { table: name("bookings_old"), owner: "mallory".to_owned() });
    };
    let stranger = Unhandled::Stranger { table: partition, owner: "mallory".to_owned() };
    assert_eq!(of(belongs, "uuid"), stranger);
}

#[test]
fn no_table_is_handled_where_nothing_makes_the_tenants_key_unique() {
    let mut orgs = orgs();
    orgs.columns[0].unique = false;
    let tables = [orgs, table("bookings", &["tenant_id uuid"], &[])];
    let why = Unhandled::KeyNotUnique { table: name("orgs"), key: "id".into() };
    assert_eq!(class_of(&tables, "bookings"), Class::Unhandled { column: "tenant_id".into(), why });
}

#[test]
fn a_table_that_looks_like_a_tenants_is_suspect_whatever_it_is_called() {
    let bookings = table("bookings", &["id", "tenant_id uuid", "starts", "ends"], &[]);
    let why = |suspect: TableFacts| match class_of(&[orgs(), bookings.clone(), suspect], "t") {
        Class::Suspect { why } => why,
        other => panic!("{other:?}"),
    };
    let named = |column: &str| Suspicion::ColumnName { column: column.to_owned() };
    assert_eq!(why(table("t", &["id", "organizationId"], &[])), named("organizationId"));
    assert_eq!(why(table("t", &["id", "Tenant_Id"], &[])), named("Tenant_Id"));
    assert_eq!(why(table("t", &["id", "org_id"], &[])), named("org_id"));
    assert_eq!(why(table("t", &["id"], &["orgs"])), Suspicion::KeyToRegistry { columns: vec!["x".into()] });
    let copy = table("t", &["id", "starts", "ends", "copied_at"], &[]);
    assert_eq!(why(copy), Suspicion::CopyOf { table: name("bookings") });
}

#[test]
fn rows_that_name_what_they_belong_to_may_belong_to_a_tenant_and_so_may_what_depends_on_them() {
    let comments = table("comments", &["id", "entity_type", "entity_id", "parent"], &["comments"]);
    let why = Suspicion::Polymorphic { type_column: "entity_type".into(), id_column: "entity_id".into() };
    assert_eq!(class_of(&[orgs(), comments.clone()], "comments"), Class::Suspect { why });
    let reactions = table("reactions", &["id", "comment"], &["comments"]);
    let through = vec![name("comments")];
    assert_eq!(class_of(&[orgs(), comments, reactions], "reactions"), Class::Dependent { through });
    let bookings = table("bookings", &["id", "tenant_id uuid"], &[]);
    let notes = table("notes", &["id", "subjectType", "subjectId"], &["bookings"]);
    let through = vec![name("bookings")];
    assert_eq!(class_of(&[orgs(), bookings, notes], "notes"), Class::Dependent { through });
    let tokens = table("tokens", &["id", "token_type", "account_id"], &[]);
    assert_eq!(class_of(&[orgs(), tokens], "tokens"), Class::Unrelated);
}

#[test]
fn a_column_that_is_named_as_a_tenants_and_points_to_a_tenants_row_depends_on_that_row() {
    let workspaces = table("workspaces", &["id", "tenant_id uuid"], &[]);
    let mut pages = table("pages", &["id", "workspace_id"], &["workspaces"]);
    pages.foreign_keys[0].columns = vec!["workspace_id".into()];
    let through = vec![name("workspaces")];
    assert_eq!(class_of(&[orgs(), workspaces, pages.clone()], "pages"), Class::Dependent { through });
    let named = Suspicion::ColumnName { column: "workspace_id".into() };
    let workspaces = table("workspaces", &["id"], &[]);
    assert_eq!(class_of(&[orgs(), workspaces, pages], "pages"), Class::Suspect { why: named });
}

#[test]
fn columns_that_any_table_has_make_no_copy() {
    let common = ["id", "created_at", "updatedAt"];
    let contacts = table("contacts", &[&common[..], &["tenant_id uuid"]].concat(), &[]);
    let plans = table("plans", &[&common[..], &["price"]].concat(), &[]);
    assert_eq!(class_of(&[orgs(), contacts, plans], "plans"), Class::Unrelated);
    let tags = table("tags", &[&common[..], &["name", "tenant_id uuid"]].concat(), &[]);
    let countries = table("countries", &[&common[..], &["name", "code", "continent", "currency"]].concat(), &[]);
    assert_eq!(class_of(&[orgs(), tags.clone(), countries], "countries"), Class::Unrelated);
    let copy = table("copy", &[&common[..], &["name", "copied_at"]].concat(), &[]);
    let why = Suspicion::CopyOf { table: name("tags") };
    assert_eq!(class_of(&[orgs(), tags, copy], "copy"), Class::Suspect { why });
}

#[test]
fn a_table_that_hangs_on_tenants_rows_is_dependent_by_the_shortest_way() {
    let tables = [
        orgs(),
        table("invoices", &["tenant_id uuid"], &[]),
        table("items", &["id"], &["invoices"]),
        table("discounts", &["id"], &["items"]),
        table("notes", &["id"], &["discounts", "invoices"]),
        table("countries", &["id"], &[]),
    ];
    assert_eq!(class_of(&tables, "items"), Class::Dependent { through: vec![name("invoices")] });
    assert_eq!(class_of(&tables, "discounts"), Class::Dependent { through: vec![name("items"), name("invoices")] });
    assert_eq!(class_of(&tables, "notes"), Class::Dependent { through: vec![name("invoices")] });
    assert_eq!(class_of(&tables, "countries"), Class::Unrelated);
}

#[test]
fn what_hangs_on_a_suspect_table_is_not_called_unrelated() {
    let tables = [orgs(), table("teams", &["orgId"], &[]), table("seats", &["id"], &["teams"])];
    assert_eq!(class_of(&tables, "seats"), Class::Dependent { through: vec![name("teams")] });
}

#[test]
fn a_table_of_an_extension_is_that_unless_it_has_a_tenant_column() {
    let of_extension = |columns: &[&str]| {
        let mut table = table("spatial", columns, &[]);
        table.extension = Some("postgis".to_owned());
        class_of(&[orgs(), table], "spatial")
    };
    assert_eq!(of_extension(&["id"]), Class::Extension { extension: "postgis".into() });
    assert_eq!(of_extension(&["tenant_id uuid"]), Class::Tenant { column: "tenant_id".into() });
}

proptest! {
    /// The classes are compared with the closure of the foreign keys, which is computed in another way.
    #[test]
    fn no_table_whose_keys_lead_to_tenants_rows_is_called_unrelated(
        kinds in proptest::collection::vec(0..4u8, 1..8),
        edges in proptest::collection::vec((0..8usize, 0..8usize), 0..16),
    ) {
        let called = |n: usize| format!("t{n}");
        let columns = |kind: u8| match kind { 0 => "tenant_id uuid", 1 => "organizationId", _ => "other" };
        let mut tables: Vec<TableFacts> =
            kinds.iter().enumerate().map(|(n, kind)| table(&called(n), &[columns(*kind)], &[])).collect();
        let edges = edges.iter().map(|(from, to)| (from % kinds.len(), to % kinds.len())).collect::<Vec<_>>();
        for (from, to) in &edges {
            tables[*from].foreign_keys.push(key_to(name(&called(*to))));
        }
        tables.push(orgs());
        let mut leads: Vec<bool> = kinds.iter().map(|kind| *kind < 2).collect();
        for _ in 0..kinds.len() {
            for (from, to) in &edges {
                leads[*from] |= leads[*to];
            }
        }
        let classified = classify(&tables, &tenancy()).unwrap();
        for (n, table) in classified.iter().enumerate().take(kinds.len()) {
            match &table.class {
                Class::Unrelated => prop_assert!(!leads[n], "{table:?}"),
                Class::Dependent { through } => {
                    prop_assert!(leads[n] && kinds[n] >= 2);
                    let last = classified.iter().find(|other| Some(&other.table) == through.last()).unwrap();
                    prop_assert!(matches!(last.class, Class::Tenant { .. } | Class::Suspect { .. }), "{table:?}");
                }
                _ => prop_assert!(kinds[n] < 2, "{table:?}"),
            }
        }
    }
}

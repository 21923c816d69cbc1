//! What each table of the database is to the tenants. A statement about the whole database is made of the classes of all its tables, not of the
//! tables that a command happened to read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use tenancy_config::tenancy::ThroughRule;
use tenancy_config::{TableName, Tenancy};
use tenant_rls::Result;

use crate::catalog::all_tables::{ColumnFacts, Member, TableFacts};
pub use crate::unhandled::Unhandled;
use crate::unhandled::{unhandled, unhandled_table};
pub use crate::unlinked::Unlinked;
use crate::unlinked::{Parent, unlinked};

/// What a table is to the tenants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum Class {
    /// The tenant table.
    Registry,
    /// Each row belongs to the tenant that its tenant column names.
    Tenant {
        /// The tenant column.
        column: String,
    },
    /// The same, and rows without a tenant belong to the whole platform (`platform_rows` in `tenancy.toml`).
    Platform {
        /// The tenant column.
        column: String,
    },
    /// The same, and rows without a tenant are read by every tenant and written by none (`shared_rows` in `tenancy.toml`).
    Shared {
        /// The tenant column.
        column: String,
        /// The reason that was given.
        why: String,
    },
    /// Each row belongs to the tenant of the row that a column points to (`through` in `tenancy.toml`).
    Through {
        /// That column.
        column: String,
        /// The table that it points to, which has a tenant column.
        table: TableName,
    },
    /// It has a tenant column or is declared to hang on a table that has one, and row level security of ours cannot protect it.
    Unhandled {
        /// The tenant column, or the one that was declared.
        column: String,
        /// Why not.
        why: Unhandled,
    },
    /// It has no tenant column, and looks as if its rows belonged to tenants.
    Suspect {
        /// What it looks like.
        why: Suspicion,
    },
    /// It has no tenant column, and its foreign keys lead to rows that belong to tenants.
    Dependent {
        /// The tables on the shortest way, without this one. The rows of the last one belong to tenants, or look as if they did.
        through: Vec<TableName>,
    },
    /// `tenancy.toml` says that its rows need no tenant.
    Exempt {
        /// The declared reason.
        why: String,
    },
    /// An extension made it.
    Extension {
        /// Its name.
        extension: String,
    },
    /// Nothing leads from it to a tenant.
    Unrelated,
}

impl Class {
    /// The tenant column of a table that has one.
    pub fn tenant_column(&self) -> Option<&str> {
        match self {
            Self::Unhandled { why: Unhandled::Through { .. }, .. } => None,
            Self::Tenant { column }
            | Self::Platform { column }
            | Self::Shared { column, .. }
            | Self::Unhandled { column, .. } => Some(column),
            _ => None,
        }
    }

    /// Whether policies of ours protect the table once it is rolled out.
    pub fn is_protected(&self) -> bool {
        matches!(self, Self::Tenant { .. } | Self::Platform { .. } | Self::Shared { .. } | Self::Through { .. })
    }

    /// The column by which the rows hang on another table, where that is declared.
    pub(crate) fn link(&self) -> Option<&str> {
        match self {
            Self::Through { column, .. } | Self::Unhandled { column, why: Unhandled::Through { .. } } => Some(column),
            _ => None,
        }
    }
}

/// What makes a table without a tenant column look as if it needed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Suspicion {
    /// A foreign key leads to the tenant table.
    KeyToRegistry {
        /// The columns of that key.
        columns: Vec<String>,
    },
    /// A column has a name that tenant columns have.
    ColumnName {
        /// The column.
        column: String,
    },
    /// It has the columns of a tenant table, but for the tenant column.
    CopyOf {
        /// That table.
        table: TableName,
    },
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry => f.write_str("the tenant table"),
            Self::Tenant { column } => write!(f, "tenant column {column}"),
            Self::Platform { column } => write!(f, "tenant column {column}, and rows of the platform"),
            Self::Shared { column, why } => {
                write!(f, "tenant column {column}, and rows that every tenant reads: {why}")
            }
            Self::Through { column, table } => {
                write!(f, "{column} points to the row of {table} whose tenant is its own")
            }
            Self::Unhandled { column, why } => write!(f, "{why} ({column})"),
            Self::Suspect { why } => why.fmt(f),
            Self::Dependent { through } => {
                let through: Vec<String> = through.iter().map(ToString::to_string).collect();
                write!(f, "its rows hang on {}", through.join(" → "))
            }
            Self::Exempt { why } => write!(f, "declared exempt: {why}"),
            Self::Extension { extension } => write!(f, "made by the extension {extension}"),
            Self::Unrelated => f.write_str("no column and no foreign key leads to a tenant"),
        }
    }
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyToRegistry { columns } => write!(f, "{} points to the tenant table", columns.join(", ")),
            Self::ColumnName { column } => write!(f, "its column {column} looks like a tenant's"),
            Self::CopyOf { table } => write!(f, "it has the columns of {table}"),
        }
    }
}

/// A table and its class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassifiedTable {
    /// The table.
    pub table: TableName,
    /// Its owner.
    pub owner: String,
    /// ENABLE ROW LEVEL SECURITY.
    pub rls_enabled: bool,
    /// FORCE ROW LEVEL SECURITY.
    pub rls_forced: bool,
    /// What of it belongs to a role that nobody said to rely on. Such a table is never read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stranger: Option<Member>,
    /// What it is to the tenants.
    #[serde(flatten)]
    pub class: Class,
}

/// Tables with fewer other columns than these are alike by chance.
const COLUMNS_OF_A_COPY: usize = 3;

/// Names that tenant columns have in other applications, without case and underscores.
const USUAL_NAMES: [&str; 5] = ["tenantid", "organizationid", "organisationid", "orgid", "workspaceid"];

/// Gives each table its class, in the order of `tables`.
///
/// # Errors
/// [`tenant_rls::Error::Name`] for a name in `tenancy.toml` that no table can have.
pub fn classify(tables: &[TableFacts], tenancy: &Tenancy) -> Result<Vec<ClassifiedTable>> {
    let schema = &tenancy.database.schema;
    let registry = TableName::parse(&tenancy.tenant.table, schema)?;
    let key = tables.iter().find(|table| table.name == registry).and_then(|table| column(table, &tenancy.tenant.key));
    let classifier = Classifier { tenancy, registry, key, tables };
    let own: Vec<Option<Class>> = tables.iter().map(|table| classifier.by_itself(table)).collect();
    let ways = classifier.ways(&own);
    let classified = tables.iter().zip(own).map(|(table, own)| {
        let class = own
            .or_else(|| ways.get(&table.name).map(|through| Class::Dependent { through: through.clone() }))
            .or_else(|| classifier.copied(table))
            .unwrap_or(Class::Unrelated);
        let (rls_enabled, rls_forced) = (table.rls_enabled, table.rls_forced);
        let (name, owner, stranger) = (table.name.clone(), table.owner.clone(), table.stranger.clone());
        ClassifiedTable { table: name, owner, rls_enabled, rls_forced, stranger, class }
    });
    Ok(classified.collect())
}

struct Classifier<'a> {
    tenancy: &'a Tenancy,
    registry: TableName,
    /// The key of the tenant table, where both are there.
    key: Option<&'a ColumnFacts>,
    tables: &'a [TableFacts],
}

impl Classifier<'_> {
    /// The class that does not depend on other tables but the tenant table.
    fn by_itself(&self, table: &TableFacts) -> Option<Class> {
        if table.name == self.registry {
            return Some(Class::Registry);
        }
        if let Some(why) = self.tenancy.rules(&table.name).and_then(|rules| rules.exempt.as_ref()) {
            return Some(Class::Exempt { why: why.clone() });
        }
        if let Some(rule) = self.tenancy.rules(&table.name).and_then(|rules| rules.through.as_ref()) {
            return Some(self.through(table, rule));
        }
        if let Some(column) = self.tenant_column(table) {
            let name = column.name.clone();
            let rules = self.tenancy.rules(&table.name);
            let shared = rules.and_then(|rules| rules.shared_rows.clone());
            return Some(match (unhandled(table, column, self.key.map(|key| (&self.registry, key))), shared) {
                (Some(why), _) => Class::Unhandled { column: name, why },
                (None, Some(why)) => Class::Shared { column: name, why },
                (None, None) if rules.is_some_and(|rules| rules.platform_rows) => Class::Platform { column: name },
                (None, None) => Class::Tenant { column: name },
            });
        }
        if let Some(extension) = &table.extension {
            return Some(Class::Extension { extension: extension.clone() });
        }
        self.suspicion(table).map(|why| Class::Suspect { why })
    }

    /// The column that `tenancy.toml` names for the table, else the first of the usual ones that it has.
    fn tenant_column<'t>(&self, table: &'t TableFacts) -> Option<&'t ColumnFacts> {
        match self.tenancy.rules(&table.name).and_then(|rules| rules.column.as_ref()) {
            Some(name) => column(table, name),
            None => self.tenancy.columns.iter().find_map(|name| column(table, name)),
        }
    }

    /// The class of a table that is declared to hang on another one.
    fn through(&self, table: &TableFacts, rule: &ThroughRule) -> Class {
        let column = rule.column.clone();
        let parent = TableName::parse(&rule.table, &self.tenancy.database.schema).ok();
        let parent = parent.as_ref().and_then(|name| self.tables.iter().find(|other| other.name == *name));
        let of_parent = parent.map(|parent| (parent, self.by_itself_or_through(parent)));
        match unlinked(table, rule, of_parent) {
            Err(why) => Class::Unhandled { column, why: Unhandled::Through { why } },
            Ok(parent) => match unhandled_table(table) {
                Some(why) => Class::Unhandled {
                    column,
                    why: Unhandled::Through { why: Unlinked::Table { why: why.to_string() } },
                },
                None => Class::Through { column, table: parent.clone() },
            },
        }
    }

    /// The class of a parent, without following it any further.
    fn by_itself_or_through(&self, table: &TableFacts) -> Parent {
        let rules = self.tenancy.rules(&table.name);
        if rules.is_some_and(|rules| rules.through.is_some()) {
            return Parent::Through;
        }
        match self.by_itself(table) {
            Some(Class::Tenant { .. }) => Parent::Tenant,
            Some(Class::Platform { .. } | Class::Shared { .. }) => Parent::HasCommonRows,
            Some(Class::Unhandled { why, .. }) => Parent::Unhandled(why.to_string()),
            _ => Parent::NoTenants,
        }
    }

    fn suspicion(&self, table: &TableFacts) -> Option<Suspicion> {
        if let Some(key) = table.foreign_keys.iter().find(|key| key.target == self.registry) {
            return Some(Suspicion::KeyToRegistry { columns: key.columns.clone() });
        }
        let singular = self.registry.name().as_str().trim_end_matches('s');
        let configured = self.tenancy.columns.iter().map(|name| plain(name));
        let names: BTreeSet<String> =
            configured.chain(USUAL_NAMES.map(str::to_owned)).chain([plain(singular) + "id"]).collect();
        let named = table.columns.iter().find(|column| names.contains(&plain(&column.name)))?;
        Some(Suspicion::ColumnName { column: named.name.clone() })
    }

    /// The shortest way by foreign keys from each table without a class to a table whose rows belong to tenants, or may.
    fn ways(&self, own: &[Option<Class>]) -> BTreeMap<TableName, Vec<TableName>> {
        // What hangs on a suspect table belongs to tenants if that does: only a decision about the latter makes it unrelated.
        let is_tenants = |class: &Option<Class>| {
            matches!(
                class,
                Some(class) if class.tenant_column().is_some() || class.link().is_some() || matches!(class, Class::Suspect { .. })
            )
        };
        let mut ways: BTreeMap<TableName, Vec<TableName>> = BTreeMap::new();
        let mut reached: Vec<TableName> =
            self.tables.iter().zip(own).filter(|(_, class)| is_tenants(class)).map(|(t, _)| t.name.clone()).collect();
        // Breadth first, so that the first way found is the shortest.
        while !reached.is_empty() {
            let mut next = Vec::new();
            for (table, _) in self.tables.iter().zip(own).filter(|(_, class)| class.is_none()) {
                if ways.contains_key(&table.name) {
                    continue;
                }
                let leads = |target: &TableName| reached.contains(target);
                let Some(key) = table.foreign_keys.iter().find(|key| leads(&key.target)) else { continue };
                let beyond = ways.get(&key.target).cloned().unwrap_or_default();
                next.push((table.name.clone(), [vec![key.target.clone()], beyond].concat()));
            }
            reached = next.iter().map(|(name, _)| name.clone()).collect();
            ways.extend(next);
        }
        ways
    }

    fn copied(&self, table: &TableFacts) -> Option<Class> {
        let names: BTreeSet<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let original = self.tables.iter().find(|other| {
            let Some(tenant) = self.tenant_column(other) else { return false };
            let mut rest = other.columns.iter().filter(|column| column.name != tenant.name).peekable();
            other.columns.len() > COLUMNS_OF_A_COPY && rest.peek().is_some() && rest.all(|c| names.contains(&*c.name))
        })?;
        Some(Class::Suspect { why: Suspicion::CopyOf { table: original.name.clone() } })
    }
}

fn column<'t>(table: &'t TableFacts, name: &str) -> Option<&'t ColumnFacts> {
    table.columns.iter().find(|column| column.name == name)
}

/// A name without what people write differently.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
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
            ColumnFacts {
                name: name.to_owned(),
                type_name: type_name.to_owned(),
                generated,
                identity,
                unique,
                never_null,
            }
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
        assert_eq!(
            refused(|_, items| items.columns[1].never_null = false),
            Unlinked::MayBeNull { column: column.clone() }
        );
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
        let tables = [
            orgs(),
            table("invoices", &["id uuid", "tenant_id uuid"], &[]),
            table("items", &["x uuid"], &["invoices"]),
        ];
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
}

//! What is read of one table: the statement that counts it in one scan, and exactly the columns that this needs.

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::{Ident, TableName};
use tenant_inventory::Catalog;
use tenant_inventory::{ForeignKey, TenantTable};
use tenant_rls::{Access, Result, Sql, Template};

use crate::report::{CrossReference, MissingPiece};
use crate::uncounted::{CountPart, UncountedPart};

/// How one table is audited.
pub(crate) struct TableCount {
    pub(crate) table: TenantTable,
    /// Every table and column that the statement reads, and no other: grants on these columns are enough.
    pub(crate) access: Vec<Access>,
    /// Returns the rows, NULLs, empty strings, ghosts, and an array with the rows of each of `references`.
    pub(crate) statement: Sql,
    /// Foreign keys to tenant tables, not yet counted.
    pub(crate) references: Vec<CrossReference>,
    /// Whether there is a tenant table to look for ghosts in, and a role that reads it.
    pub(crate) looks_for_ghosts: bool,
    pub(crate) missing: Vec<MissingPiece>,
    /// What the count of the table by itself reads.
    pub(crate) own: Vec<Access>,
    /// What each part that reads another table needs, with that.
    pub(crate) parts: Vec<(CountPart, Vec<Access>)>,
    /// The parts that are left out, as no role may read what they need.
    pub(crate) uncounted: Vec<UncountedPart>,
}

impl TableCount {
    pub(crate) fn new(catalog: &Catalog, tenant_key: &Ident, table: &TenantTable) -> Result<Self> {
        Self::without(catalog, tenant_key, table, Vec::new())
    }

    /// The same, but for some parts.
    pub(crate) fn without(
        catalog: &Catalog,
        tenant_key: &Ident,
        table: &TenantTable,
        uncounted: Vec<UncountedPart>,
    ) -> Result<Self> {
        let is_left_out = |part: &CountPart| uncounted.iter().any(|uncounted| uncounted.part == *part);
        let column = Ident::new(&table.column.name)?;
        let mut own = Reads::default();
        own.add(&table.name, &column);
        let (mut joins, mut parts) = (Vec::new(), Vec::new());

        let key_type = catalog.tenant_key_type.as_ref().filter(|_| !is_left_out(&CountPart::Ghosts));
        let ghosts = if let Some(key_type) = key_type {
            let mut reads = Reads::default();
            reads.add(&catalog.tenants, tenant_key);
            parts.push((CountPart::Ghosts, reads));
            joins.push(
                Template::new(include_str!("../../../sql/tenant-audit/fragments/tenant_join.sql"))
                    .table("tenants", &catalog.tenants)
                    .ident("key", tenant_key)
                    .ident("column", &column)
                    .fragment("cast", cast(key_type, &table.column.type_name))
                    .build(),
            );
            Template::new(include_str!("../../../sql/tenant-audit/fragments/ghost_count.sql"))
                .ident("column", &column)
                .build()
        } else {
            none()
        };

        let (mut references, mut crossings) = (Vec::new(), Vec::new());
        for key in &table.foreign_keys {
            let target = key.target()?;
            let Some(target) = catalog.tables.iter().find(|other| other.name == target) else { continue };
            let part = CountPart::Reference { constraint: key.name.clone(), references: target.name.clone() };
            if is_left_out(&part) {
                continue;
            }
            references.push(CrossReference {
                constraint: key.name.clone(),
                columns: key.columns.clone(),
                references: target.name.clone(),
                rows: 0,
            });
            let mut reads = Reads::default();
            if keeps_tenant(key, table, target) {
                crossings.push(broken_count(key, target, table, &mut reads)?);
                parts.push((part, reads));
                continue;
            }
            let alias = Ident::new(format!("r{}", references.len()))?;
            joins.push(reference_join(key, target, table, &alias, &mut reads)?);
            crossings.push(reference_count(target, table, &alias, &mut reads)?);
            parts.push((part, reads));
        }

        let statement = Template::new(include_str!("../../../sql/tenant-audit/count_table.sql"))
            .fragment("nulls", nulls(table, &column))
            .fragment("empties", empties(table, &column))
            .fragment("ghosts", ghosts)
            .fragment("crossings", Sql::join(crossings, ",\n"))
            .fragment("only", only(table))
            .table("table", &table.name)
            .fragment("joins", Sql::join(joins, "\n"))
            .build();
        Ok(Self {
            table: table.clone(),
            access: parts.iter().fold(own.clone(), |all, (_, reads)| all.and(reads)).into_access(),
            statement,
            references,
            looks_for_ghosts: key_type.is_some(),
            missing: missing(table, catalog, tenant_key)?,
            parts: parts.into_iter().map(|(part, reads)| (part, own.clone().and(&reads).into_access())).collect(),
            own: own.into_access(),
            uncounted,
        })
    }
}

/// Columns by table.
#[derive(Default, Clone)]
struct Reads(BTreeMap<TableName, BTreeSet<Ident>>);

impl Reads {
    fn add(&mut self, table: &TableName, column: &Ident) {
        self.0.entry(table.clone()).or_default().insert(column.clone());
    }

    fn and(mut self, others: &Self) -> Self {
        for (table, columns) in &others.0 {
            self.0.entry(table.clone()).or_default().extend(columns.iter().cloned());
        }
        self
    }

    fn into_access(self) -> Vec<Access> {
        let access = |(table, read): (_, BTreeSet<_>)| Access { table, read: read.into_iter().collect(), write: None };
        self.0.into_iter().map(access).collect()
    }
}

fn pairs(key: &ForeignKey) -> impl Iterator<Item = (&String, &String)> {
    key.columns.iter().zip(&key.references)
}

/// Whether the tenant is a part of the key on both sides, so that it references rows of the same tenant only.
fn keeps_tenant(key: &ForeignKey, table: &TenantTable, target: &TenantTable) -> bool {
    pairs(key).any(|(here, there)| *here == table.column.name && *there == target.column.name)
}

/// Rows of one tenant that reference a row of another although the tenant is a part of the key. The server checks nothing that was there before
/// a key that is NOT VALID, nor what it was hidden when the key was validated.
fn broken_count(key: &ForeignKey, target: &TenantTable, table: &TenantTable, reads: &mut Reads) -> Result<Sql> {
    let (mut all, mut others) = (Vec::new(), Vec::new());
    for (here, there) in pairs(key) {
        let is_tenant = *here == table.column.name && *there == target.column.name;
        let (here, there) = (Ident::new(here)?, Ident::new(there)?);
        reads.add(&table.name, &here);
        reads.add(&target.name, &there);
        let equal = Template::new(r#"r.:"there" OPERATOR(pg_catalog.=) t.:"here""#);
        let equal = equal.ident("there", &there).ident("here", &here).build();
        if !is_tenant {
            others.push(equal.clone());
        }
        all.push(equal);
    }
    if others.is_empty() {
        return Ok(none());
    }
    Ok(Template::new(include_str!("../../../sql/tenant-audit/fragments/broken_count.sql"))
        .ident("column", &Ident::new(&table.column.name)?)
        .ident("tenant", &Ident::new(&target.column.name)?)
        .table("target", &target.name)
        .fragment("only", only(target))
        .fragment("cast", cast(&target.column.type_name, &table.column.type_name))
        .fragment("all", Sql::join(all, " AND "))
        .fragment("others", Sql::join(others, " AND "))
        .build())
}

fn reference_join(
    key: &ForeignKey,
    target: &TenantTable,
    table: &TenantTable,
    alias: &Ident,
    reads: &mut Reads,
) -> Result<Sql> {
    let mut keys = Vec::new();
    for (here, there) in pairs(key) {
        let (here, there) = (Ident::new(here)?, Ident::new(there)?);
        reads.add(&table.name, &here);
        reads.add(&target.name, &there);
        let equal = Template::new(r#":"r".:"there" OPERATOR(pg_catalog.=) t.:"here""#);
        keys.push(equal.ident("r", alias).ident("there", &there).ident("here", &here).build());
    }
    Ok(Template::new(include_str!("../../../sql/tenant-audit/fragments/reference_join.sql"))
        .fragment("only", only(target))
        .table("target", &target.name)
        .ident("r", alias)
        .fragment("keys", Sql::join(keys, " AND "))
        .build())
}

fn reference_count(target: &TenantTable, table: &TenantTable, alias: &Ident, reads: &mut Reads) -> Result<Sql> {
    let tenant = Ident::new(&target.column.name)?;
    reads.add(&target.name, &tenant);
    Ok(Template::new(include_str!("../../../sql/tenant-audit/fragments/reference_count.sql"))
        .ident("column", &Ident::new(&table.column.name)?)
        .ident("r", alias)
        .ident("tenant", &tenant)
        .fragment("cast", cast(&target.column.type_name, &table.column.type_name))
        .build())
}

fn nulls(table: &TenantTable, column: &Ident) -> Sql {
    if table.column.never_null {
        return none();
    }
    Template::new(r#"pg_catalog.count(*) FILTER (WHERE t.:"column" IS NULL)"#).ident("column", column).build()
}

fn empties(table: &TenantTable, column: &Ident) -> Sql {
    if matches!(table.column.type_name.as_str(), "uuid" | "smallint" | "integer" | "bigint") {
        return none();
    }
    Template::new(r#"pg_catalog.count(*) FILTER (WHERE t.:"column"::pg_catalog.text OPERATOR(pg_catalog.=) '')"#)
        .ident("column", column)
        .build()
}

fn none() -> Sql {
    Sql::from_static("0::bigint")
}

/// Columns of one type are compared as they are; of two types, as text.
fn cast(one: &str, other: &str) -> Sql {
    Sql::from_static(if one == other { "" } else { "::pg_catalog.text" })
}

/// A partitioned table has its rows in its partitions; any other table's own rows never include those of tables that
/// inherit from it, which are audited by themselves.
fn only(table: &TenantTable) -> Sql {
    Sql::from_static(if table.partitioned { "" } else { "ONLY" })
}

fn missing(table: &TenantTable, catalog: &Catalog, tenant_key: &Ident) -> Result<Vec<MissingPiece>> {
    let mut missing = Vec::new();
    if !table.tenant_index {
        missing.push(MissingPiece::Index);
    }
    if !table.column.never_null && !table.null_rows_are_meant() {
        missing.push(if table.column.not_null { MissingPiece::NotNullValidation } else { MissingPiece::NotNull });
    }
    let mut validated = None;
    for key in &table.foreign_keys {
        let ours = key.columns == [table.column.name.as_str()] && key.references == [tenant_key.as_str()];
        if ours && key.target()? == catalog.tenants {
            validated = Some(key.validated || validated == Some(true));
        }
    }
    if validated != Some(true) && has_tenants_of_others(table, catalog, tenant_key)? {
        validated = Some(true);
    }
    match validated {
        None => missing.push(MissingPiece::ForeignKey),
        Some(false) => missing.push(MissingPiece::ForeignKeyValidation),
        Some(true) => {}
    }
    Ok(missing)
}

/// Whether keys of several columns prove that the tenants of rows exist: each row has the tenant of a row of a table of which that is known.
fn has_tenants_of_others(table: &TenantTable, catalog: &Catalog, tenant_key: &Ident) -> Result<bool> {
    let mut open = vec![table];
    let mut known = BTreeSet::from([&table.name]);
    while let Some(next) = open.pop() {
        for key in next.foreign_keys.iter().filter(|key| key.validated && key.whole) {
            let target = key.target()?;
            let leads_to = |column: &str| pairs(key).any(|(here, there)| *here == next.column.name && there == column);
            if target == catalog.tenants && leads_to(tenant_key.as_str()) {
                return Ok(true);
            }
            let other = catalog.tables.iter().find(|other| other.name == target && leads_to(&other.column.name));
            open.extend(other.filter(|other| known.insert(&other.name)));
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use local_db::Role;
    use tenancy_config::Tenancy;
    use tenant_rls::{ConnectOptions, Database};

    use super::*;

    const TABLES: &str = r#"
        CREATE TABLE "Tenant" (id text PRIMARY KEY);
        CREATE TABLE customer (id text PRIMARY KEY, "tenantId" text);
        CREATE TABLE invoice (year int, number int, "tenantId" varchar(30) NOT NULL, PRIMARY KEY (year, number));
        CREATE TABLE payment (id text PRIMARY KEY, "customerId" text REFERENCES customer, year int, number int, "tenantId" text,
                              FOREIGN KEY (year, number) REFERENCES invoice) PARTITION BY HASH (id)"#;

    #[tokio::test]
    async fn the_counts_of_a_table_are_as_in_their_snapshots_and_the_server_explains_them() {
        let db = test_support::empty_database().await;
        let mut owner = db.owner().await;
        owner.run_script("preparing a test", TABLES).await.unwrap();
        let database = Database::connect(&db.url(Role::Owner), &ConnectOptions::default()).await.unwrap();
        let rules = "[tenant]\ntable = \"Tenant\"";
        let tenancy = Tenancy::from_toml(rules, "tenancy.toml".as_ref()).unwrap();
        let catalog = Catalog::load(&database, &tenancy).await.unwrap();
        for (name, table) in [("no_reference", "customer"), ("references", "payment")] {
            let table = catalog.table(&TableName::parse(table, &tenancy.database.schema).unwrap()).unwrap();
            let count = TableCount::new(&catalog, &Ident::new(&tenancy.tenant.key).unwrap(), table).unwrap();
            let explain = Template::new("EXPLAIN :statement").fragment("statement", count.statement.clone()).build();
            owner.run_script("explaining a count", explain).await.unwrap();
            // The comments stay in the files.
            let code = |line: &str| line.split("--").next().unwrap_or_default().trim_end().to_owned();
            let lines = count.statement.as_str().lines().map(code).filter(|line| !line.is_empty());
            insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(format!("count_with_{name}"), lines.collect::<Vec<_>>().join("\n"));
            });
        }
        database.close().await;
    }
}

//! What is there now: tenant tables with their partitions, their definitions, and the roles, read in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use backfill_engine::BackfillPlan;
use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{Access, Catalog, Database, Error as RlsError, OwnerTx, PolicyForm, TenantComparison};

use crate::build::{StepBuilder, StepStyle};
use crate::definition::{self, Aspect, AspectKind, Definition};
use crate::{Error, Phase, Result, journal};

/// How long the catalog is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Everything that plan, status and rollout decide from.
#[derive(Debug, Clone)]
pub(crate) struct Inventory {
    pub(crate) tenancy: Tenancy,
    pub(crate) catalog: Catalog,
    /// Tables and partitions, a partition before its parent.
    pub(crate) relations: Vec<Relation>,
    pub(crate) roles: Roles,
    /// What the maintenance role and the auditor must be allowed to read, by table.
    pub(crate) rights: RoleGrants,
    /// Tenant tables that are not to be rolled out this time, each with its tenant column. An audit reads them beside the others.
    pub(crate) others: Vec<(TableName, Ident)>,
}

/// What a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// An ordinary table.
    Table,
    /// A partitioned table, which holds no rows itself.
    Partitioned,
    /// A partition.
    Partition,
    /// A partition on another server.
    ForeignPartition,
}

/// A table, or a partition of one.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    pub(crate) name: TableName,
    /// Where its table, or the root of its partitions, stands in the catalog.
    position: usize,
    pub(crate) kind: RelationKind,
    pub(crate) owner: String,
    /// This login may change its definition.
    pub(crate) may_alter: bool,
    pub(crate) never_null: bool,
    pub(crate) tenant_index: bool,
    pub(crate) foreign_key: Option<String>,
    pub(crate) foreign_key_valid: bool,
    /// It has children by inheritance, or is one.
    pub(crate) inherits: bool,
    /// Row level security filters this login.
    pub(crate) filtered: bool,
    /// A rollout lifted FORCE to validate a foreign key, and did not live to restore it.
    pub(crate) lifted: bool,
    /// Names of relations in its schema that an index of its tenant column cannot have.
    pub(crate) taken_names: Vec<String>,
    pub(crate) platform_rows: bool,
    pub(crate) comparison: TenantComparison,
    pub(crate) definition: Definition,
}

/// A role that the rollout makes or checks.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoleState {
    pub(crate) exists: bool,
    /// This login can act as it.
    pub(crate) assumable: bool,
    /// Schemas of tenant tables that it may not look into.
    pub(crate) closed_schemas: Vec<Ident>,
}

#[derive(Debug, Clone)]
pub(crate) struct Roles {
    pub(crate) app: (Ident, RoleState),
    pub(crate) maintenance: (Ident, RoleState),
    pub(crate) auditor: (Ident, RoleState),
    /// What the application's role is or can become that no policy filters: role and why.
    pub(crate) escapes: Vec<(String, String)>,
}

/// Columns that a role reads, by table.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoleGrants {
    pub(crate) maintenance: BTreeMap<TableName, BTreeSet<Ident>>,
    pub(crate) auditor: BTreeMap<TableName, BTreeSet<Ident>>,
}

impl Relation {
    /// The form of the policy `name`; `None` where there is none, or one that is not ours.
    pub(crate) fn form(&self, name: &str) -> Option<PolicyForm> {
        self.comparison.form(self.definition.get(&Aspect::named(AspectKind::Policy, name))?)
    }
}

impl Inventory {
    /// Reads what is there; of `tables`, or of every tenant table where that is empty.
    pub(crate) async fn load(
        database: &Database,
        tenancy: &Tenancy,
        app_role: Option<&str>,
        tables: &[String],
    ) -> Result<Self> {
        let mut catalog = Catalog::load(database, tenancy).await?;
        let rights = RoleGrants::of(&catalog, tenancy)?;
        let mut others = Vec::new();
        if !tables.is_empty() {
            let mut wanted = BTreeSet::new();
            for name in tables {
                wanted.insert(catalog.table(&TableName::parse(name, &tenancy.database.schema)?)?.name.clone());
            }
            for table in catalog.tables.iter().filter(|table| !wanted.contains(&table.name)) {
                others.push((table.name.clone(), Ident::new(&table.column.name)?));
            }
            catalog.tables.retain(|table| wanted.contains(&table.name));
        }
        let mut tx = OwnerTx::begin(database, LOCK_TIMEOUT).await?;
        let mut relations = relations(tx.connection(), &catalog, tenancy).await?;
        let app = app_role.unwrap_or(&tenancy.roles.app);
        let tables = relations.iter().map(|relation| &relation.name).chain(others.iter().map(|(name, _)| name));
        let schemas: BTreeSet<&str> = tables.chain([&catalog.tenants]).map(|name| name.schema().as_str()).collect();
        let roles = roles(tx.connection(), tenancy, app, &relations, schemas).await?;
        tx.rollback().await?;
        let lifted = journal::lifted(&journal::steps(database, tenancy).await?);
        for relation in &mut relations {
            relation.lifted = lifted.contains(&relation.name) && !relation.definition.has(AspectKind::Forced);
        }
        Ok(Self { tenancy: tenancy.clone(), catalog, relations, roles, rights, others })
    }

    /// How far a relation is.
    pub(crate) fn phase(&self, relation: &Relation) -> Phase {
        let definition = &relation.definition;
        let form = relation.form(&self.tenancy.session.policy);
        let indexed = relation.tenant_index || relation.kind == RelationKind::Partitioned;
        let defaulted = relation.platform_rows
            || definition.text(AspectKind::Default) == Some(&relation.comparison.printed_default());
        let builder = StepBuilder { site: self, relation, style: StepStyle::default() };
        let ours = builder.keeps_audits_and_backfills();
        if form.is_none() || !definition.has(AspectKind::RowSecurity) || !indexed || !defaulted || !ours {
            return Phase::None;
        }
        let referenced = relation.foreign_key_valid || self.catalog.tenant_key_type.is_none();
        let strict = match form {
            Some(PolicyForm::Strict) => relation.never_null,
            Some(PolicyForm::Platform) => relation.platform_rows,
            _ => false,
        };
        match (strict && referenced, definition.has(AspectKind::Forced)) {
            (false, _) => Phase::Prepare,
            (true, false) => Phase::Tighten,
            (true, true) => Phase::Enforce,
        }
    }

    /// The table under which the audit counts the rows of a relation: a partition's are its root's.
    pub(crate) fn audited_as(&self, relation: &Relation) -> TableName {
        self.catalog.tables[relation.position].name.clone()
    }

    /// The schema of each relation, for a query over all of them.
    pub(crate) fn schemas(&self) -> Vec<&str> {
        self.relations.iter().map(|relation| relation.name.schema().as_str()).collect()
    }

    /// The name of each relation, in the same order.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.relations.iter().map(|relation| relation.name.name().as_str()).collect()
    }

    pub(crate) fn relation(&self, name: &TableName) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.name == *name)
    }
}

async fn relations(connection: &mut PgConnection, catalog: &Catalog, tenancy: &Tenancy) -> Result<Vec<Relation>> {
    let tables = &catalog.tables;
    let rows = sqlx::query(include_str!("../../../sql/rls/relations.sql"))
        .bind(tables.iter().map(|table| table.name.schema().as_str()).collect::<Vec<_>>())
        .bind(tables.iter().map(|table| table.name.name().as_str()).collect::<Vec<_>>())
        .bind(tables.iter().map(|table| table.column.name.as_str()).collect::<Vec<_>>())
        .bind(catalog.tenants.schema().as_str())
        .bind(catalog.tenants.name().as_str())
        .fetch_all(&mut *connection)
        .await
        .map_err(RlsError::query("reading the tables and their partitions"))?;
    let mut relations = Vec::with_capacity(rows.len());
    for row in rows {
        let position = usize::try_from(row.get::<i64, _>(0)).unwrap_or(1);
        let table = &tables[position - 1];
        let name = TableName::new(Ident::new(row.get::<String, _>(1))?, Ident::new(row.get::<String, _>(2))?);
        let (relkind, parent): (String, Option<String>) = (row.get(3), row.get(4));
        let printed: String = row.get(7);
        let (column, type_name) = (&table.column.name, &table.column.type_name);
        let comparison = TenantComparison::new(&tenancy.session.variable, column, &printed, type_name)?;
        relations.push(Relation {
            kind: match (relkind.as_str(), &parent) {
                ("p", _) => RelationKind::Partitioned,
                ("f", _) => RelationKind::ForeignPartition,
                (_, Some(_)) => RelationKind::Partition,
                _ => RelationKind::Table,
            },
            name,
            position: position - 1,
            owner: row.get(5),
            may_alter: row.get(6),
            never_null: row.get(8),
            tenant_index: row.get(9),
            foreign_key: row.get(10),
            foreign_key_valid: row.get(11),
            inherits: row.get(12),
            filtered: row.get(13),
            lifted: false,
            taken_names: row.get(15),
            platform_rows: table.platform_rows,
            comparison,
            definition: Definition::default(),
        });
    }
    let named: Vec<_> =
        relations.iter().map(|relation| (&relation.name, relation.comparison.column.as_str())).collect();
    let definitions = definition::read(connection, &named).await?;
    for (relation, definition) in relations.iter_mut().zip(definitions) {
        relation.definition = definition;
    }
    Ok(relations)
}

async fn roles(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    app: &str,
    relations: &[Relation],
    schemas: BTreeSet<&str>,
) -> Result<Roles> {
    let names = [app, &tenancy.roles.maintenance, &tenancy.roles.auditor];
    let rows = sqlx::query(include_str!("../../../sql/rls/roles.sql"))
        .bind(names.to_vec())
        .bind(schemas.into_iter().collect::<Vec<_>>())
        .fetch_all(&mut *connection)
        .await
        .map_err(RlsError::query("looking for the roles"))?;
    let facts = |at: usize| -> Result<(Ident, RoleState)> {
        let row = &rows[at];
        let closed_schemas = row.get::<Vec<String>, _>(3).into_iter().map(Ident::new).collect::<Result<_, _>>()?;
        Ok((Ident::new(names[at])?, RoleState { exists: row.get(1), assumable: row.get(2), closed_schemas }))
    };
    let (app_facts, maintenance, auditor) = (facts(0)?, facts(1)?, facts(2)?);
    let mut escapes = Vec::new();
    if app_facts.1.exists {
        let rows = sqlx::query(include_str!("../../../sql/rls/escapes.sql"))
            .bind(app)
            .bind(relations.iter().map(|relation| relation.name.schema().as_str()).collect::<Vec<_>>())
            .bind(relations.iter().map(|relation| relation.name.name().as_str()).collect::<Vec<_>>())
            .fetch_all(connection)
            .await
            .map_err(RlsError::query("asking what the application's role can become"))?;
        escapes = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    }
    Ok(Roles { app: app_facts, maintenance, auditor, escapes })
}

impl RoleGrants {
    fn of(catalog: &Catalog, tenancy: &Tenancy) -> Result<Self> {
        let mut rights = Self::default();
        for access in tenant_audit::access(catalog, tenancy)? {
            rights.auditor.entry(access.table).or_default().extend(access.read);
        }
        // The maintenance role, which reads the keys of all others, has no business with rows of the platform; `verify` finds them by key.
        for table in catalog.tables.iter().filter(|table| table.platform_rows) {
            let columns = table.key.iter().chain([&table.column.name]).map(Ident::new);
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            rights.auditor.entry(table.name.clone()).or_default().extend(columns);
        }
        let ctid = Ident::new("ctid")?;
        for table in catalog.tables.iter().filter(|table| !table.platform_rows) {
            let mut read = vec![ctid.clone(), Ident::new(&table.column.name)?];
            for key in &table.key {
                read.push(Ident::new(key)?);
            }
            let own = Access { table: table.name.clone(), read, write: None };
            // A table without sources has nothing to be backfilled from; what is wrong with its sources is for the backfill to say.
            let plan = BackfillPlan::new(catalog, tenancy, &table.name.to_string())
                .map(|plan| plan.access())
                .unwrap_or_default();
            for access in plan.into_iter().chain([own]) {
                rights.maintenance.entry(access.table).or_default().extend(access.read);
            }
        }
        Ok(rights)
    }
}

/// Why a relation cannot be rolled out at all.
pub(crate) fn unsuitable(relation: &Relation) -> Option<Error> {
    let why = match relation.kind {
        RelationKind::ForeignPartition => {
            "it is a partition on another server, where our policies do not reach".to_owned()
        }
        _ if relation.inherits => {
            "it takes part in table inheritance: a policy on a parent does not protect its children; make them partitions"
                .to_owned()
        }
        _ if !relation.may_alter => {
            format!("it belongs to {}, and this login may not change its definition", relation.owner)
        }
        _ => {
            let type_name = relation.comparison.unhandled_type.as_ref()?;
            format!("its tenant column has the type {type_name}; text, varchar, uuid, integer and bigint are handled")
        }
    };
    Some(Error::Unsuitable { table: relation.name.clone(), why })
}

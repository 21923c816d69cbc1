//! What the database has now: tenant tables with their partitions, their definitions, and the roles, read in one transaction.

use std::collections::BTreeSet;

use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, OwnerTx, Result};

use crate::catalog::born_closed::BornClosed;
use crate::catalog::parents::{links, placed, read_parents};
use crate::catalog::phase::Phase;
use crate::catalog::policies::Policies;
use crate::catalog::relations::{self, Relation, read_relations};
use crate::catalog::tables::{Catalog, TenantTable};
use crate::declared_login::memberships::Memberships;
use crate::declared_login::read::read_declared_logins;
use crate::declared_login::state::DeclaredLogin;
use crate::ways::logins::{Logins, read_logins};

/// Everything that the database has, of all tenant tables or of some.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// What the user said.
    pub tenancy: Tenancy,
    /// The tenant table, and the tenant tables that were asked for.
    pub catalog: Catalog,
    /// Tables and partitions, a partition before its parent.
    pub relations: Vec<Relation>,
    /// The roles of the rollout and of the application.
    pub logins: Logins,
    /// The tenant tables that were not asked for, each with its tenant column. An audit reads them beside the others.
    pub others: Vec<(TableName, Ident)>,
    /// The event trigger that closes new tables, if there is one.
    pub born_closed: Option<BornClosed>,
    /// The logins that are declared beside the application's own: the one of sign-in first, then those of jobs.
    pub declared_logins: Vec<DeclaredLogin>,
}

impl Inventory {
    /// Reads `tables`, or every tenant table where that is empty. `app_role` is the role that the application logs in as, where it is not the
    /// one of `tenancy.toml`.
    ///
    /// # Errors
    /// [`Error::Connect`](tenant_rls::Error::Connect) or [`Error::Query`](tenant_rls::Error::Query);
    /// [`Error::NoTable`](tenant_rls::Error::NoTable) where one of `tables` is none;
    /// [`Error::Strangers`](tenant_rls::Error::Strangers) where a table belongs to a role that is not trusted.
    pub async fn load(
        database: &Database,
        tenancy: &Tenancy,
        app_role: Option<&str>,
        tables: &[String],
    ) -> Result<Self> {
        Self::of(database, tenancy, Catalog::load(database, tenancy).await?, app_role, tables).await
    }

    /// Reads the same, where the catalog was read already.
    ///
    /// # Errors
    /// [`Error::Connect`](tenant_rls::Error::Connect) or [`Error::Query`](tenant_rls::Error::Query);
    /// [`Error::NoTable`](tenant_rls::Error::NoTable) where one of `tables` is none.
    pub async fn of(
        database: &Database,
        tenancy: &Tenancy,
        mut catalog: Catalog,
        app_role: Option<&str>,
        tables: &[String],
    ) -> Result<Self> {
        let mut others = Vec::new();
        // Before the tables are left out on which others hang.
        let links = links(&catalog, tenancy);
        if !tables.is_empty() {
            let mut wanted = BTreeSet::new();
            for name in tables {
                wanted
                    .insert(catalog.rolled_out_table(&TableName::parse(name, &tenancy.database.schema)?)?.name.clone());
            }
            for table in catalog.rolled_out().filter(|table| !wanted.contains(&table.name)) {
                others.push((table.name.clone(), Ident::new(&table.column.name)?));
            }
            catalog.tables.retain(|table| wanted.contains(&table.name));
            catalog.through.retain(|table| wanted.contains(&table.name));
        }
        let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
        let mut relations = read_relations(tx.connection(), &catalog, tenancy).await?;
        let app = app_role.unwrap_or(&tenancy.roles.app);
        read_parents(tx.connection(), tenancy, app, &placed(&catalog, links), &mut relations).await?;
        let tables = relations.iter().map(|relation| &relation.name).chain(others.iter().map(|(name, _)| name));
        let schemas: BTreeSet<&str> = tables.chain([&catalog.tenants]).map(|name| name.schema().as_str()).collect();
        let logins = read_logins(tx.connection(), tenancy, app, &relations, schemas).await?;
        let born_closed = BornClosed::read(tx.connection(), tenancy).await?;
        let declared_logins =
            read_declared_logins(tx.connection(), tenancy, app, &catalog.classified, &relations).await?;
        tx.rollback().await?;
        Ok(Self { tenancy: tenancy.clone(), catalog, relations, logins, others, born_closed, declared_logins })
    }

    /// The memberships that the application reads by their user, if they are declared.
    pub fn memberships(&self) -> Option<&Memberships> {
        self.declared_logins.iter().find_map(|login| login.memberships.as_ref())
    }

    /// The policies of a relation, with what is needed to tell ours from others.
    pub fn policies<'a>(&'a self, relation: &'a Relation) -> Policies<'a> {
        Policies {
            relation,
            isolation: &self.tenancy.session.policy,
            maintenance: &self.logins.maintenance.0,
            auditor: &self.logins.auditor.0,
            memberships: self.memberships().filter(|memberships| memberships.table == relation.name),
            declared_logins: &self.declared_logins,
        }
    }

    /// The permissive policies of others that nobody has declared as intended (`allow_policies`), names and texts.
    pub fn other_policies<'a>(&'a self, relation: &'a Relation) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let policies = self.policies(relation);
        let rules = self.tenancy.rules(&self.audited_as(relation));
        let is_allowed = move |name: &str| rules.is_some_and(|rules| rules.allow_policies.contains_key(name));
        policies.permissive().filter(move |(name, _)| !policies.is_named_as_ours(name) && !is_allowed(name))
    }

    /// How far a relation is.
    pub fn phase(&self, relation: &Relation) -> Phase {
        Phase::of(&self.policies(relation), self.catalog.tenant_key_type.is_some())
    }

    /// The table of a relation: of a partition, its root.
    ///
    /// # Panics
    /// Never: each relation was read for one of the tables.
    pub fn root(&self, relation: &Relation) -> &TenantTable {
        self.catalog.rolled_out().nth(relation.position).expect("each relation was read for a table")
    }

    /// The table under which the audit counts the rows of a relation: of a partition, its root.
    pub fn audited_as(&self, relation: &Relation) -> TableName {
        self.root(relation).name.clone()
    }

    /// The partitions of a partitioned table, of every level, where that is the root.
    pub fn partitions_of<'a>(&'a self, root: &'a Relation) -> impl Iterator<Item = &'a Relation> {
        let is_root = self.audited_as(root) == root.name;
        self.relations.iter().filter(move |other| is_root && other.position == root.position && other.name != root.name)
    }

    /// The schema of each relation, for a query over all of them.
    pub fn schemas(&self) -> Vec<&str> {
        relations::schemas(&self.relations)
    }

    /// The name of each relation, in the same order.
    pub fn names(&self) -> Vec<&str> {
        relations::names(&self.relations)
    }

    /// The relation of this name.
    pub fn relation(&self, name: &TableName) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.name == *name)
    }
}

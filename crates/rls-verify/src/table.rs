//! The evidence for one table or partition: its policies by the catalog, and the attempts.

use std::collections::BTreeMap;

use tenancy_config::TableName;
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::examined::{Attempt, TableProof};
use tenant_inventory::claim::finding::Finding;
use tenant_inventory::claim::untried::Untried;
use tenant_inventory::{AspectKind, Inventory, LoginReach, Relation, RelationKind};
use tenant_rls::{Database, EachReader, PolicyForm, ProbeSessions};

use crate::attempts::Attempts;
use crate::attempts::columns::Columns;
use crate::attempts::key::PrimaryKey;
use crate::attempts::outcome::{self, none_tried};
use crate::attempts::rows::Rows;
use crate::definition;
use crate::error::{Error, Result};
use crate::found::Found;
use crate::options::VerifyOptions;
use crate::policies;
use crate::report::Note;

/// What is needed for each table.
pub(crate) struct Verifier<'a> {
    pub(crate) owner: &'a Database,
    pub(crate) app: &'a Database,
    /// Where attempts are made, as the owner and as the application.
    pub(crate) owner_sessions: ProbeSessions,
    pub(crate) app_sessions: ProbeSessions,
    pub(crate) inventory: &'a Inventory,
    pub(crate) reach: &'a LoginReach,
    pub(crate) options: &'a VerifyOptions,
    pub(crate) inactive_tenants: Vec<String>,
    /// The columns of each table, and of the tenant table.
    pub(crate) columns: BTreeMap<TableName, Columns>,
    /// Who reads the rows of each table to try with.
    pub(crate) readers: BTreeMap<TableName, EachReader>,
    /// For a tenant table that has no columns.
    pub(crate) no_columns: Columns,
}

impl Verifier<'_> {
    /// Adds the evidence for one relation. Whatever fails is the evidence for this one.
    pub(crate) async fn prove(&self, relation: &Relation, has_rights: bool, found: &mut Found) {
        let of_table = |what| Note { table: Some(relation.name.clone()), what };
        let policies = policies::inspect(self.inventory, self.reach, relation);
        let breach = |breach| Finding { table: Some(relation.name.clone()), breach };
        found.findings.extend(policies.breaches.into_iter().map(breach));
        found.notes.extend(policies.notes.into_iter().map(of_table));
        let mut attempts = match self.table(relation).await {
            Ok(attempts) => attempts,
            Err(Error::Database(error)) => self.nothing(&outcome::left_out(&error)),
            Err(error) => self.nothing(&Untried::Failed { message: error.to_string() }),
        };
        if definition::holds(self.inventory, self.reach, relation, self.app.session().superuser) {
            definition::settle(&mut attempts, has_rights);
        }
        found.of_attempts(&relation.name, &mut attempts, &self.holding(relation));
        found.tables.push(TableProof {
            table: relation.name.clone(),
            root: self.inventory.audited_as(relation),
            phase: self.inventory.phase(relation),
            attempts,
        });
    }

    /// No attempt at all, for this reason.
    fn nothing(&self, because: &Untried) -> Vec<Attempt> {
        none_tried(AttemptKind::required(), &self.app.session().role, because)
    }

    /// The policies of others that hold for the login.
    fn holding(&self, relation: &Relation) -> Vec<String> {
        let policies = self.inventory.policies(relation);
        let others = self.reach.other_policies(policies).chain(self.reach.restrictive_policies(policies));
        let login = self.inventory.logins.app.0.as_str();
        others.filter(|policy| policy.role == Some(login)).map(|policy| policy.name.to_owned()).collect()
    }

    /// The attempts on one table.
    async fn table(&self, relation: &Relation) -> Result<Vec<Attempt>> {
        if relation.kind == RelationKind::ForeignPartition {
            return Ok(self.nothing(&Untried::Foreign));
        }
        if !relation.definition.has(AspectKind::RowSecurity) {
            return Ok(Vec::new());
        }
        let (Some(columns), Some(reader)) = (self.columns.get(&relation.name), self.readers.get(&relation.name)) else {
            return Ok(self.nothing(&Untried::NoKey));
        };
        let keys = &self.inventory.root(relation).key;
        let Some(key) = PrimaryKey::new(keys, columns)? else { return Ok(self.nothing(&Untried::NoKey)) };
        match Rows::find(self.owner, self.inventory, relation, (&key, reader), &self.inactive_tenants).await? {
            Ok(rows) => self.attempts(relation, columns, &key, &rows).await,
            Err(because) => Ok(self.nothing(&because)),
        }
    }

    async fn attempts(
        &self,
        relation: &Relation,
        columns: &Columns,
        key: &PrimaryKey,
        rows: &Rows,
    ) -> Result<Vec<Attempt>> {
        let form = self.inventory.policies(relation).form();
        let tenants = &self.inventory.catalog.tenants;
        let parent = relation.comparison.parent.as_ref();
        let parent = parent.map(|parent| self.columns.get(&parent.table).unwrap_or(&self.no_columns));
        let attempts = Attempts {
            tenancy: &self.inventory.tenancy,
            relation,
            key,
            rows,
            columns,
            shows_without_tenant: !relation.platform_rows && form.is_some_and(PolicyForm::shows_unassigned),
            gives_without_tenant: matches!(form, Some(PolicyForm::Bridge | PolicyForm::Claimable)),
            tenants: (tenants, self.columns.get(tenants).unwrap_or(&self.no_columns)),
            parent,
            fire_triggers: self.options.fire_triggers,
        };
        let mut tried = attempts.read(&self.app_sessions).await?;
        let owner = self.owner.session();
        if relation.definition.has(AspectKind::Forced) && !owner.superuser && !owner.bypass_rls {
            tried.extend(attempts.read(&self.owner_sessions).await?);
        }
        let writes = || AttemptKind::required().filter(|what| what.writes());
        let login = &self.app.session().role;
        match (self.options.write_probes, columns.has_triggers && !self.options.fire_triggers) {
            (false, _) => tried.extend(none_tried(writes(), login, &Untried::WritesNotAsked)),
            (true, true) => {
                let because = Untried::TriggersWouldFire { table: relation.name.to_string() };
                tried.extend(none_tried(writes(), login, &because));
            }
            (true, false) => tried.extend(attempts.write(&self.app_sessions).await?),
        }
        Ok(tried)
    }
}

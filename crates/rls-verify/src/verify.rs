//! Proof by trying: as the application's own login, under every value of the session variable, and from the catalog.

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::breach::{Breach, Finding};
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::claim::examined::{Access, Attempt, Examined, ObjectCheck, TableProof};
use tenant_inventory::claim::untried::Untried;
use tenant_inventory::claim::verdict::Claim;
use tenant_inventory::class::{Class, ClassifiedTable, classify};
use tenant_inventory::{AspectKind, Inventory, LoginReach, Relation, RelationKind, read_all_tables, ways_around};
use tenant_rls::{Database, Limits, PolicyForm, ProbeTx};

use crate::attempts::Attempts;
use crate::attempts::columns::Columns;
use crate::attempts::key::PrimaryKey;
use crate::attempts::outcome::{self, none_tried};
use crate::attempts::rows::{self, Rows};
use crate::beside;
use crate::definition;
use crate::error::{Error, Result};
use crate::policies;
use crate::report::{Beside, Note, NoteKind, VerifyReport};
use crate::same_database;
use crate::ways::logins::unfiltered;
use crate::ways::{self, WayResult};

/// What to verify.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// Tables, as `table` or `schema.table`; none means all.
    pub tables: Vec<String>,
    /// Also try to write, in transactions that are taken back. What that does not take back: numbers drawn from sequences, and dead
    /// rows, which vacuum removes.
    pub write_probes: bool,
    /// Also write to tables whose triggers would fire.
    pub fire_triggers: bool,
}

/// Tries to reach other tenants' rows on a connection with the application's own URL. `owner` reads the catalog, and finds rows
/// to try with, as a role that sees all of them. No statement of either waits for a lock for more than 100 ms, or runs for more than 2 s.
///
/// # Errors
/// [`Error::OtherDatabase`] where the two are not one database; [`Error::Database`] where a statement failed, unless it was an attempt. What
/// is wrong is in the report.
pub async fn verify(
    owner: &Database,
    app: &Database,
    tenancy: &Tenancy,
    options: &VerifyOptions,
    progress: &mut (dyn FnMut(&TableName) + Send),
) -> Result<VerifyReport> {
    let (owner, app) = (&owner.limited(Limits::BRIEF), &app.limited(Limits::BRIEF));
    same_database::check(owner, app).await?;
    let app_login = app.session().role.clone();
    let classes = classify(&read_all_tables(owner, tenancy).await?, tenancy)?;
    let inventory = Inventory::load(owner, tenancy, Some(&app_login), &options.tables).await?;
    let reach = LoginReach::read(owner, &inventory.relations, &app_login).await?;
    let verifier = Verifier {
        owner,
        app,
        inventory: &inventory,
        reach: &reach,
        options,
        inactive_tenants: rows::inactive_tenants(owner, &inventory).await?,
        tenants: Columns::read(owner, &inventory.catalog.tenants).await?,
    };
    let mut found = Found::default();
    found.of_login(unfiltered(&reach, &inventory, app.session().superuser));
    found.of_login(settings(app, tenancy).await?);
    let rights = beside::access(owner, &reach, inventory.relations.iter().map(|relation| &relation.name)).await?;
    for relation in &inventory.relations {
        progress(&relation.name);
        let has_rights = rights.get(&relation.name).is_some_and(|access| *access != Access::None);
        verifier.prove(relation, has_rights, &mut found).await;
    }
    let beside = beside(owner, &reach, &classes, &mut found).await?;
    for way in ways_around(owner, &inventory.relations).await? {
        found.of_way(&ways::inspect(owner, app, &inventory, &reach, &way).await?);
    }
    let accesses: Vec<(TableName, Access)> =
        beside.iter().map(|beside| (beside.table.clone(), beside.access.clone())).collect();
    let claim = Claim::of(&Examined {
        login: &app_login,
        classes: &classes,
        lost: &inventory.catalog.missing,
        proofs: &found.tables,
        beside: &accesses,
        objects: &found.objects,
        findings: &found.findings,
    });
    let Found { tables, objects, findings, notes } = found;
    Ok(VerifyReport {
        schema: "rls-verify/2",
        database: owner.session().database.clone(),
        app_login,
        wrote: options.write_probes,
        claim,
        tables,
        beside,
        objects,
        findings,
        notes,
    })
}

/// What was found so far.
#[derive(Default)]
struct Found {
    tables: Vec<TableProof>,
    objects: Vec<ObjectCheck>,
    findings: Vec<Finding>,
    notes: Vec<Note>,
}

impl Found {
    fn of_login(&mut self, breaches: impl IntoIterator<Item = Breach>) {
        self.findings.extend(breaches.into_iter().map(|breach| Finding { table: None, breach }));
    }

    fn of_way(&mut self, result: &WayResult) {
        match result {
            WayResult::Open { object, way } => {
                let breach = Breach::Way { way: way.clone() };
                let evidence = Evidence::Broken { breach: breach.clone() };
                self.objects.push(ObjectCheck { object: object.clone(), evidence });
                self.findings.push(Finding { table: None, breach });
            }
            WayResult::Closed { object, way } => {
                self.objects.push(ObjectCheck { object: object.clone(), evidence: Evidence::Held });
                self.notes.push(Note { table: None, what: NoteKind::ClosedWay { way: way.clone() } });
            }
        }
    }

    /// What the attempts on a table found, with the policies that may have let it through.
    fn of_attempts(&mut self, table: &TableName, attempts: &mut [Attempt], through: &[String]) {
        for attempt in attempts {
            let Evidence::Broken { breach } = &mut attempt.evidence else { continue };
            *breach = breach.clone().through_policies(through);
            self.findings.push(Finding { table: Some(table.clone()), breach: breach.clone() });
        }
    }
}

/// What the login's own settings do to policies: a tenant before the application sets one, and `row_security`.
async fn settings(app: &Database, tenancy: &Tenancy) -> Result<Vec<Breach>> {
    let login = app.session().role.clone();
    let mut tx = ProbeTx::begin(app, tenancy, false).await?;
    let mut found = Vec::new();
    if let Some(value) = tx.preset().filter(|value| !value.is_empty()) {
        let (variable, value) = (tenancy.session.variable.clone(), value.to_owned());
        found.push(Breach::Preset { variable, value, login: login.clone() });
    }
    let row_security: String = sqlx::query_scalar("SELECT pg_catalog.current_setting('row_security')")
        .fetch_one(tx.connection())
        .await
        .map_err(tenant_rls::Error::query("reading the settings of the application's login"))?;
    if row_security != "on" {
        found.push(Breach::RowSecuritySetting { login });
    }
    tx.rollback().await?;
    Ok(found)
}

/// The tables whose rows may belong to tenants and that no policy of ours protects.
async fn beside(
    owner: &Database,
    reach: &LoginReach,
    classes: &[ClassifiedTable],
    found: &mut Found,
) -> Result<Vec<Beside>> {
    let needs_tenant = |table: &&ClassifiedTable| {
        matches!(table.class, Class::Dependent { .. } | Class::Suspect { .. } | Class::Unhandled { .. })
    };
    let tables: Vec<&ClassifiedTable> = classes.iter().filter(needs_tenant).collect();
    let mut access = beside::access(owner, reach, tables.iter().map(|table| &table.table)).await?;
    let mut all = Vec::new();
    for table in tables {
        // It was dropped meanwhile.
        let Some(access) = access.remove(&table.table) else { continue };
        let class = table.class.clone();
        if let Access::Open { role, rights } = &access {
            let breach = Breach::Exposed { class: class.clone(), role: role.clone(), rights: rights.clone() };
            found.findings.push(Finding { table: Some(table.table.clone()), breach });
        }
        all.push(Beside { table: table.table.clone(), class, access });
    }
    Ok(all)
}

/// What is needed for each table.
struct Verifier<'a> {
    owner: &'a Database,
    app: &'a Database,
    inventory: &'a Inventory,
    reach: &'a LoginReach,
    options: &'a VerifyOptions,
    inactive_tenants: Vec<String>,
    /// The columns of the tenant table.
    tenants: Columns,
}

impl Verifier<'_> {
    /// Adds the evidence for one relation. Whatever fails is the evidence for this one.
    async fn prove(&self, relation: &Relation, has_rights: bool, found: &mut Found) {
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
        let columns = Columns::read(self.owner, &relation.name).await?;
        let keys = &self.inventory.catalog.table(&self.inventory.audited_as(relation))?.key;
        let Some(key) = PrimaryKey::new(keys, &columns)? else { return Ok(self.nothing(&Untried::NoKey)) };
        match Rows::find(self.owner, self.inventory, relation, &key, &self.inactive_tenants).await? {
            Ok(rows) => self.attempts(relation, &columns, &key, &rows).await,
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
        let attempts = Attempts {
            tenancy: &self.inventory.tenancy,
            relation,
            key,
            rows,
            columns,
            shows_without_tenant: !relation.platform_rows && form.is_some_and(PolicyForm::shows_unassigned),
            tenants: (&self.inventory.catalog.tenants, &self.tenants),
            fire_triggers: self.options.fire_triggers,
        };
        let mut tried = attempts.read(self.app).await?;
        let owner = self.owner.session();
        if relation.definition.has(AspectKind::Forced) && !owner.superuser && !owner.bypass_rls {
            tried.extend(attempts.read(self.owner).await?);
        }
        let writes = || AttemptKind::required().filter(|what| what.writes());
        let login = &self.app.session().role;
        match (self.options.write_probes, columns.has_triggers && !self.options.fire_triggers) {
            (false, _) => tried.extend(none_tried(writes(), login, &Untried::WritesNotAsked)),
            (true, true) => {
                let because = Untried::TriggersWouldFire { table: relation.name.to_string() };
                tried.extend(none_tried(writes(), login, &because));
            }
            (true, false) => tried.extend(attempts.write(self.app).await?),
        }
        Ok(tried)
    }
}

//! Proof by trying: as the application's own login, under every value of the session variable, and from the catalog.

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{AspectKind, Inventory, LoginReach, Phase, Relation, RelationKind, ways_around};
use tenant_rls::{Database, Limits, PolicyForm, ProbeTx};

use crate::attempts::Attempts;
use crate::attempts::columns::Columns;
use crate::attempts::key::PrimaryKey;
use crate::attempts::outcome::{self, not_tried};
use crate::attempts::rows::{self, Rows};
use crate::error::{Error, Result};
use crate::report::{Attempt, AttemptKind, Evidence, Finding, TableProof, VerifyReport};
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
    let inventory = Inventory::load(owner, tenancy, Some(&app_login), &options.tables).await?;
    let reach = LoginReach::read(owner, &inventory.relations, &app_login).await?;
    let (mut findings, mut notes) = (unfiltered(&reach, &inventory, app.session().superuser), Vec::new());
    findings.extend(preset(app, tenancy).await?);
    let verifier = Verifier {
        owner,
        app,
        inventory: &inventory,
        options,
        inactive_tenants: rows::inactive_tenants(owner, &inventory).await?,
        tenants: Columns::read(owner, &inventory.catalog.tenants).await?,
    };
    let mut tables = Vec::new();
    for relation in inventory.relations.iter().filter(|relation| relation.kind != RelationKind::ForeignPartition) {
        progress(&relation.name);
        let phase = inventory.phase(relation);
        let of_table = |what| Finding { table: Some(relation.name.clone()), what };
        findings.extend(catalog(&inventory, &reach, relation, phase).into_iter().map(of_table));
        notes.extend(for_others(&inventory, &reach, relation).map(of_table));
        let attempts = verifier.table(relation).await?;
        findings.extend(leaks(&inventory, &reach, relation, &attempts).into_iter().map(of_table));
        tables.push(TableProof { table: relation.name.clone(), phase, attempts });
    }
    for way in ways_around(owner, &inventory.relations).await? {
        match ways::inspect(owner, app, &inventory, &reach, &way).await? {
            WayResult::Open(finding) => findings.push(finding),
            WayResult::Closed(note) => notes.push(note),
        }
    }
    Ok(VerifyReport {
        schema: "rls-verify/1",
        database: owner.session().database.clone(),
        app_login,
        wrote: options.write_probes,
        tables,
        findings,
        notes,
    })
}

/// The finding that the session variable holds a tenant before the application sets one.
async fn preset(app: &Database, tenancy: &Tenancy) -> Result<Option<Finding>> {
    let tx = ProbeTx::begin(app, tenancy, false).await?;
    let found = tx.preset().filter(|found| !found.is_empty()).map(|found| {
        let (login, variable) = (&app.session().role, &tenancy.session.variable);
        let what = format!(
            "{variable} is {found} before {login} sets anything: by ALTER ROLE or ALTER DATABASE, by the URL, or left behind in a pool"
        );
        Finding { table: None, what }
    });
    tx.rollback().await?;
    Ok(found)
}

/// What is wrong with a relation by the catalog alone.
fn catalog(inventory: &Inventory, reach: &LoginReach, relation: &Relation, phase: Phase) -> Vec<String> {
    if !relation.definition.has(AspectKind::RowSecurity) {
        let root = inventory.audited_as(relation);
        let is_partition = relation.kind == RelationKind::Partition;
        let partition = is_partition.then(|| format!(", and a partition of {root} is read past its policies"));
        return vec![format!("row level security is off{}", partition.unwrap_or_default())];
    }
    let login = inventory.logins.app.0.as_str();
    let mut found: Vec<String> = Vec::new();
    for policy in reach.other_policies(inventory.policies(relation)) {
        let Some(role) = policy.role else { continue };
        let whom = if role == login { String::new() } else { format!(" for {role}, which {login} can become,") };
        let (name, text) = (policy.name, policy.text);
        found.push(format!("the policy \"{name}\" lets through{whom} what it says, and is not ours: {text}"));
    }
    if found.is_empty() && phase == Phase::None {
        found.push("it lacks a part of `prepare`: `cargo xtask rls status` tells which phase it is in".to_owned());
    }
    if phase == Phase::Prepare {
        found.push("the bridging policy is on: every tenant sees and takes rows without one".to_owned());
    }
    found
}

/// Notes of policies that are not the rollout's and do not hold for the login.
fn for_others<'a>(
    inventory: &'a Inventory,
    reach: &'a LoginReach,
    relation: &'a Relation,
) -> impl Iterator<Item = String> {
    let others = reach.other_policies(inventory.policies(relation)).filter(|policy| policy.role.is_none());
    others.map(|policy| {
        let (name, login, text) = (policy.name, &inventory.logins.app.0, policy.text);
        format!("the policy \"{name}\" is not ours, and holds for others than {login}: {text}")
    })
}

/// What is needed for every table.
struct Verifier<'a> {
    owner: &'a Database,
    app: &'a Database,
    inventory: &'a Inventory,
    options: &'a VerifyOptions,
    inactive_tenants: Vec<String>,
    /// The columns of the tenant table.
    tenants: Columns,
}

impl Verifier<'_> {
    /// The attempts on one table.
    async fn table(&self, relation: &Relation) -> Result<Vec<Attempt>> {
        if !relation.definition.has(AspectKind::RowSecurity) {
            return Ok(Vec::new());
        }
        let left_out = |why: &str| Ok(vec![not_tried(AttemptKind::ReadOwn, &self.app.session().role, why)]);
        let prepared = async {
            let columns = Columns::read(self.owner, &relation.name).await?;
            let keys = &self.inventory.catalog.table(&self.inventory.audited_as(relation))?.key;
            let Some(key) = PrimaryKey::new(keys, &columns)? else { return Ok(Err("it has no primary key")) };
            let rows = Rows::find(self.owner, self.inventory, relation, &key, &self.inactive_tenants).await?;
            Ok(rows
                .map(|rows| (columns, key, rows))
                .ok_or("no role of this login sees its rows: proven from the catalog only"))
        };
        match prepared.await {
            Ok(Ok((columns, key, rows))) => self.attempts(relation, &columns, &key, &rows).await,
            Ok(Err(why)) => left_out(why),
            Err(Error::Database(error)) => left_out(&outcome::held_up(error)?),
            Err(error) => Err(error),
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
        match (self.options.write_probes, columns.has_triggers && !self.options.fire_triggers) {
            (false, _) => {}
            (true, true) => {
                let (login, why) = (&self.app.session().role, "its triggers would fire; --fire-triggers lets them");
                tried.push(not_tried(AttemptKind::InsertOwn, login, why));
            }
            (true, false) => tried.extend(attempts.write(self.app).await?),
        }
        Ok(tried)
    }
}

/// What the attempts found, with the policies that let it through.
fn leaks(inventory: &Inventory, reach: &LoginReach, relation: &Relation, attempts: &[Attempt]) -> Vec<String> {
    let wrong = attempts.iter().filter(|attempt| matches!(attempt.result, Evidence::Leak | Evidence::Hidden));
    let login = inventory.logins.app.0.as_str();
    let holding = reach.other_policies(inventory.policies(relation)).filter(|policy| policy.role == Some(login));
    let names: Vec<String> = holding.map(|policy| format!("\"{}\"", policy.name)).collect();
    let through = match names.as_slice() {
        [] => String::new(),
        [one] => format!(", through the policy {one}"),
        several => format!(", through one of the policies {}", several.join(", ")),
    };
    wrong
        .map(|attempt| {
            let kind = if attempt.result == Evidence::Leak { "leak" } else { "hidden" };
            let detail = attempt.detail.as_deref().unwrap_or_default();
            format!("{kind} as {}, {}: {detail}{through}", attempt.login, attempt.what.words())
        })
        .collect()
}

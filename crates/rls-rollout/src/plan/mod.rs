//! What a rollout would do, statement by statement: for people to read, and as a script to run by hand.

pub(crate) mod added;
pub(crate) mod alter;
pub(crate) mod backup_logins;
pub(crate) mod coverage;
pub(crate) mod foreign_key;
pub(crate) mod gate;
pub(crate) mod grants;
pub(crate) mod measured;
pub(crate) mod membership;
pub(crate) mod names;
pub(crate) mod not_added;
pub(crate) mod notice;
pub(crate) mod notices;
pub(crate) mod prisma;
mod psql;
pub(crate) mod replaced;
pub(crate) mod schema_added;
pub(crate) mod schema_edit;
pub(crate) mod script;
pub(crate) mod sees_less;
pub(crate) mod snapshot;
pub(crate) mod step;
pub(crate) mod steps;
pub(crate) mod through;
mod tighten;
pub(crate) mod trial;
pub(crate) mod unseen;

use backfill_engine::short_name;
use prisma_schema::Schema;
use serde::Serialize;
use tenancy_config::tenancy::LoginPurpose;
use tenancy_config::tenancy::{SourceRule, TableRules, fragment};
use tenancy_config::{Ident, TableName, Tenancy, milliseconds};
use tenant_inventory::{AspectKind, Inventory, Phase, Relation};
use tenant_rls::{Database, PolicyForm, Sql};

use crate::declared_login;
use crate::declared_login::blocked::blockers;
use crate::declared_login::left::forget;
use crate::declared_login::report::{PlannedLeft, PlannedLogin};
use crate::error::Result;
use crate::options::{Goal, RolloutOptions};
use crate::plan::added::{ColumnBuilder, PlannedColumn};
use crate::plan::coverage::RolloutCoverage;
use crate::plan::foreign_key::NewForeignKey;
use crate::plan::measured::measure_forms;
use crate::plan::not_added::NotAdded;
use crate::plan::notice::Notice;
use crate::plan::notices::notices;
use crate::plan::replaced::{Replaced, replaced};
use crate::plan::schema_added::AddedField;
use crate::plan::schema_edit::SchemaEdit;
use crate::plan::step::Step;
use crate::plan::steps::StepBuilder;
use crate::plan::through::PlannedThrough;
use crate::state::RolloutState;
use crate::stop::{Stop, said};

/// What a rollout would do; its JSON is `rls-plan/2`.
#[derive(Debug, Clone, Serialize)]
pub struct PlanReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The database's name.
    pub database: String,
    /// How far it is to go.
    pub goal: Goal,
    /// Statements that make the roles, first of all.
    pub roles: Vec<String>,
    /// The logins that are declared beside the application's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logins: Vec<PlannedLogin>,
    /// What is taken from roles that `tenancy.toml` names no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<PlannedLeft>,
    /// The tables and partitions, and what stops them because of the catalog. `audit` tells what stops them because of their rows.
    pub tables: Vec<PlannedTable>,
    /// The tables that depend on tenants' rows and get no tenant column, where one was asked for all of them.
    pub not_added: Vec<NotAdded>,
    /// The sections of `tenancy.toml` for the columns that it adds and that nobody has declared there.
    pub to_declare: Vec<String>,
    /// What the plan is about, as the tables are now, and what else the database has.
    #[serde(flatten)]
    pub coverage: RolloutCoverage,
    /// The steps, in the order in which they would run.
    pub steps: Vec<Step>,
    /// How long each exclusive lock is waited for, in milliseconds.
    pub lock_timeout_ms: u64,
    /// What changes for the application and its people.
    #[serde(serialize_with = "said")]
    pub notices: Vec<Notice>,
    /// What `schema.prisma` must say of each table that is not left out.
    pub schema_edits: Vec<SchemaEdit>,
    /// The application's `schema.prisma`, where it is known.
    #[serde(skip)]
    pub schema_prisma: Option<Schema>,
    /// Statements that make the roles wherever they are missing.
    #[serde(skip)]
    pub(crate) every_role: Vec<Sql>,
}

/// One table of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedTable {
    /// The table, or a partition of one.
    pub table: TableName,
    /// How far it is.
    pub phase: Phase,
    /// The form of its policies; none where they are not ours.
    pub policy: Option<PolicyForm>,
    /// The form that they are to have, as `tenancy.toml` declares the table.
    pub declared: PolicyForm,
    /// What stops it from reaching the goal because of the catalog.
    #[serde(serialize_with = "said")]
    pub stopped_by: Vec<Stop>,
    /// What of its own definition is replaced.
    #[serde(serialize_with = "said")]
    pub replaces: Vec<Replaced>,
    /// The foreign key to the tenant table that is added.
    pub foreign_key: Option<NewForeignKey>,
    /// The table on which its rows hang, where it has no tenant column.
    pub through: Option<PlannedThrough>,
    /// The tenant column that it is given.
    pub added: Option<PlannedColumn>,
}

/// Plans a rollout from what the catalog says now, and writes nothing. It reads rows only to [choose](PlannedThrough) how a policy asks another table.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn plan(database: &Database, tenancy: &Tenancy, options: &RolloutOptions) -> Result<PlanReport> {
    let mut state = RolloutState::for_rollout(database, tenancy, options).await?;
    if options.goal.wants(Phase::Prepare) {
        measure_forms(database, &mut state.inventory).await;
    }
    let state = state;
    let inventory = &state.inventory;
    let mut logins = Vec::new();
    for login in &inventory.declared_logins {
        logins.push(PlannedLogin::of(login, blockers(&state, login))?);
    }
    let blocked: Vec<&LoginPurpose> =
        logins.iter().filter(|login| !login.stopped_by.is_empty()).map(|login| &login.purpose).collect();
    let mut left = Vec::new();
    let logins_only = options.goal == Goal::Logins;
    let mut planned = if logins_only { Vec::new() } else { grants::tenant_table(database, &state).await? };
    for login in inventory.declared_logins.iter().filter(|login| !blocked.contains(&&login.purpose)) {
        planned.extend(declared_login::steps::steps(&state, login)?);
    }
    for login in &state.left {
        planned.extend(login.steps()?);
        left.push(PlannedLeft::of(login)?);
    }
    // Before the first table is forced.
    let mut others = grants::other_tables(database, &state).await?;
    let mut predicted = inventory.relations.clone();
    predicted.iter_mut().for_each(|relation| forget(&state.left, relation));
    let mut stops: Vec<Vec<Stop>> = vec![Vec::new(); predicted.len()];
    let (mut replaces, mut keys) = (vec![Vec::new(); predicted.len()], vec![None; predicted.len()]);
    if options.goal.wants(Phase::Prepare) {
        let columns = columns_to_add(&state, options, &mut stops)?;
        // The index for such keys leads with the tenant column, and serves the policy too.
        let indexed = |relation: &Relation| columns.iter().any(|s| s.for_parent_key && s.table == relation.name);
        predicted.iter_mut().filter(|relation| indexed(relation)).for_each(|relation| relation.tenant_index = true);
        planned.extend(columns);
    }
    for phase in Phase::ROLLED_OUT.into_iter().filter(|phase| options.goal.wants(*phase)) {
        for (position, relation) in predicted.iter_mut().enumerate() {
            // What `prepare` makes is mended at each phase: a new source needs rights, another declaration another policy.
            let reached = phase > Phase::Prepare && inventory.phase(relation) >= phase;
            if reached || !stops[position].is_empty() {
                continue;
            }
            let builder = StepBuilder { state: &state, relation, style: options.style() };
            stops[position].extend(gate::catalog(inventory, relation, phase, builder.style));
            let is_stopped = |other: &Relation| {
                inventory
                    .relations
                    .iter()
                    .zip(&stops)
                    .any(|(known, stops)| known.name == other.name && !stops.is_empty())
            };
            let of_parent = gate::parent(inventory, relation, phase, is_stopped);
            stops[position].extend(of_parent);
            stops[position].extend(declared_login::blocked::stop(&state, &relation.name, &blocked));
            if !stops[position].is_empty() {
                continue;
            }
            match phase {
                Phase::Prepare => replaces[position] = replaced(inventory, relation, builder.style),
                Phase::Tighten => keys[position] = builder.foreign_key_to_add(),
                Phase::Enforce => planned.append(&mut others),
                Phase::None => {}
            }
            let steps = builder.steps(phase)?;
            let form = builder.first_form();
            if !steps.is_empty() || inventory.phase(relation) < phase {
                predict(inventory, relation, phase, form);
            }
            let needs_tenants = needed_tenants(inventory, &inventory.relations[position], phase);
            planned.extend(steps.into_iter().map(|step| Step { needs_tenants: needs_tenants.clone(), ..step }));
        }
        if phase == Phase::Prepare {
            let open = state.added().filter(|(_, relation)| stops_of(inventory, &stops, relation).is_empty());
            planned
                .extend(open.filter_map(|(added, relation)| ColumnBuilder { state: &state, added, relation }.fill()));
            expect_keys(database, tenancy, &state, &stops, &mut predicted).await?;
        }
    }
    let mut make = Vec::new();
    let roles = [&inventory.logins.maintenance, &inventory.logins.auditor];
    for (role, facts) in roles.into_iter().filter(|_| !logins_only) {
        make.extend(grants::statements(database, role, facts)?.iter().map(|sql| sql.as_str().to_owned()));
    }
    let not_left_out = predicted.iter().zip(&stops).filter(|(_, stopped_by)| stopped_by.is_empty());
    let tenant_key = Ident::new(&tenancy.tenant.key)?;
    let added_field = |relation: &Relation| {
        let (added, _) = state.added().find(|(added, _)| added.table == relation.name)?;
        let position = inventory.relations.iter().position(|known| known.name == relation.name)?;
        Some(AddedField::of(added, (&inventory.catalog.tenants, &tenant_key), keys[position].clone(), &planned))
    };
    let schema_edits =
        not_left_out.filter_map(|(relation, _)| schema_edit::edit(relation, &planned, added_field(relation))).collect();
    let coverage = RolloutCoverage::of(inventory, |table| {
        let position = inventory.relations.iter().position(|relation| relation.name == *table);
        position.is_some_and(|position| !stops[position].is_empty())
    });
    let facts = stops.into_iter().zip(replaces).zip(keys);
    let tables = inventory.relations.iter().zip(facts).map(|(relation, ((stopped_by, replaces), foreign_key))| {
        planned_table(inventory, relation, stopped_by, replaces, foreign_key)
    });
    let backup_logins = backup_logins::backup_logins(database, inventory).await?;
    let sees_less = sees_less::sees_less(database, inventory).await?;
    Ok(PlanReport {
        schema: "rls-plan/2",
        database: database.session().database.clone(),
        goal: options.goal,
        roles: make,
        logins,
        left,
        tables: tables.collect(),
        not_added: NotAdded::of(&state),
        to_declare: to_declare(&state, tenancy),
        coverage,
        notices: notices(&planned, inventory, backup_logins, sees_less),
        steps: planned,
        schema_edits,
        schema_prisma: None,
        every_role: [&inventory.logins.maintenance, &inventory.logins.auditor]
            .map(|(role, _)| schema_edit::role(role))
            .into_iter()
            .filter(|_| !logins_only)
            .chain(inventory.declared_logins.iter().map(|login| schema_edit::login_role(&login.role)))
            .collect(),
        lock_timeout_ms: milliseconds(options.lock_retry.lock_timeout),
    })
}

/// What stands in `tenancy.toml` for each column that is added because the options say so, and not that file.
fn to_declare(state: &RolloutState, tenancy: &Tenancy) -> Vec<String> {
    let asked_for = |table: &TableName| {
        let rules = state.inventory.tenancy.rules(table)?;
        let rule = rules.add_column.as_ref()?;
        let known = tenancy.rules(table);
        let declared = known.is_some_and(|rules| rules.add_column.is_some());
        let is_new = |source: &&SourceRule| {
            source.column != rule.through && known.is_none_or(|known| !known.sources.contains(source))
        };
        let sources = rules.sources.iter().filter(is_new).cloned().collect();
        let rules = TableRules { add_column: Some(rule.clone()), sources, ..TableRules::default() };
        (!declared).then(|| fragment(&short_name(table, tenancy), &rules, &|_| None).trim().to_owned())
    };
    state.added().filter_map(|(added, _)| asked_for(&added.table)).collect()
}

/// The steps that add tenant columns, before those that need them. What stops a table, stops its partitions too.
fn columns_to_add(state: &RolloutState, options: &RolloutOptions, stops: &mut [Vec<Stop>]) -> Result<Vec<Step>> {
    let inventory = &state.inventory;
    let mut steps: Vec<Step> = Vec::new();
    for (added, relation) in state.added() {
        let stopped_by = gate::catalog(inventory, relation, Phase::Prepare, options.style());
        if !stopped_by.is_empty() {
            for (other, stops) in inventory.relations.iter().zip(stops.iter_mut()) {
                if inventory.audited_as(other) == relation.name {
                    stops.clone_from(&stopped_by);
                }
            }
            continue;
        }
        for step in (ColumnBuilder { state, added, relation }).steps()? {
            // Two tables that depend on one need its index once.
            if !steps.iter().any(|known| known.table == step.table && known.how == step.how && known.name == step.name)
            {
                steps.push(step);
            }
        }
    }
    Ok(steps)
}

/// Expects that the key to a row and its tenant proves the tenant of a table that is given its column, where that of the other row is proven by
/// then: such a table needs no key to the tenant table.
async fn expect_keys(
    database: &Database,
    tenancy: &Tenancy,
    state: &RolloutState,
    stops: &[Vec<Stop>],
    predicted: &mut [Relation],
) -> Result<()> {
    let inventory = &state.inventory;
    for (added, relation) in state.added() {
        let stopped = !stops_of(inventory, stops, relation).is_empty();
        if stopped || added.link_may_be_null || !(ColumnBuilder { state, added, relation }).has_key() {
            continue;
        }
        let is_proven = match predicted.iter().find(|known| known.name == added.parent) {
            Some(parent) => parent.foreign_key_valid,
            None if inventory.catalog.added.iter().any(|other| other.table == added.parent && !other.exists) => false,
            // It is not rolled out this time.
            None => {
                let parent = Inventory::load(database, tenancy, None, &[added.parent.to_string()]).await?;
                parent.relation(&added.parent).is_some_and(|parent| parent.foreign_key_valid)
            }
        };
        let child = predicted.iter_mut().find(|known| known.name == relation.name);
        child.into_iter().for_each(|child| child.foreign_key_valid |= is_proven);
    }
    Ok(())
}

/// The rows that must have a tenant before a table goes to a phase; none where that is proven, or where rows without one are meant.
fn needed_tenants(inventory: &Inventory, relation: &Relation, phase: Phase) -> Option<(TableName, Ident)> {
    if let Some(parent) = &relation.comparison.parent {
        return needed_tenants(inventory, inventory.relation(&parent.table)?, phase);
    }
    let is_asked = phase == Phase::Enforce || phase == Phase::Tighten && !relation.never_null;
    let asks = is_asked && !relation.null_rows_are_meant() && !relation.definition.has(AspectKind::Forced);
    asks.then(|| (inventory.audited_as(relation), relation.comparison.column.clone()))
}

/// What stops a relation so far.
fn stops_of<'a>(inventory: &Inventory, stops: &'a [Vec<Stop>], relation: &Relation) -> &'a [Stop] {
    let position = inventory.relations.iter().position(|known| known.name == relation.name);
    position.map(|position| stops[position].as_slice()).unwrap_or_default()
}

fn planned_table(
    inventory: &Inventory,
    relation: &Relation,
    stopped_by: Vec<Stop>,
    replaces: Vec<Replaced>,
    foreign_key: Option<NewForeignKey>,
) -> PlannedTable {
    let policies = inventory.policies(relation);
    PlannedTable {
        table: relation.name.clone(),
        phase: inventory.phase(relation),
        policy: policies.form(),
        declared: policies.declared_form(),
        stopped_by,
        replaces,
        foreign_key,
        through: PlannedThrough::of(relation),
        added: inventory
            .catalog
            .added
            .iter()
            .find(|added| added.table == relation.name)
            .map(|added| PlannedColumn::of(added, &inventory.tenancy)),
    }
}

/// Changes a relation to what it will be after a phase, as far as the steps of the next phase depend on it.
fn predict(inventory: &Inventory, relation: &mut Relation, phase: Phase, form: PolicyForm) {
    let policy = &inventory.tenancy.session.policy;
    let declared = inventory.policies(relation).declared_form();
    let unassigned = inventory.policies(relation).unassigned();
    match phase {
        Phase::None => {}
        Phase::Prepare => {
            relation.tenant_index = true;
            relation.definition.expect_policy(policy, relation.comparison.printed(form).swap_remove(0));
            if form.has_two_policies() {
                relation.definition.expect_policy(&unassigned, relation.comparison.printed_unassigned());
            } else {
                relation.definition.forget_policy(&unassigned);
            }
            relation.definition.expect(AspectKind::RowSecurity, String::new());
            if relation.parent.is_none() {
                relation.definition.expect(AspectKind::Default, relation.comparison.printed_default());
            }
        }
        Phase::Tighten => {
            relation.never_null |= !relation.null_rows_are_meant();
            relation.foreign_key_valid = true;
            relation.definition.expect_policy(policy, relation.comparison.printed(declared).swap_remove(0));
            if !declared.has_two_policies() {
                relation.definition.forget_policy(&unassigned);
            }
        }
        Phase::Enforce => relation.definition.expect(AspectKind::Forced, String::new()),
    }
}

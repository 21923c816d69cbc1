//! The tenancy that the facts suggest, without its tables.

use backfill_engine::short_name;
use tenancy_config::tenancy::Notes;
use tenancy_config::{TableName, Tenancy};
use tenant_rls::Database;

use crate::answers::{Answers, Question};
use crate::app_role::{AppRole, app_role};
use crate::error::{Error, Result};
use crate::facts::{Facts, Table};
use crate::new_registry::new_registry;
use crate::registry::{RegistryChoice, registry};
use crate::registry_columns as columns;
use crate::states::{States, states};

/// The table of tenants, or the question which it is. `schema` is the one that somebody named.
pub(crate) fn choose<'f>(
    facts: &'f Facts,
    answers: &Answers,
    base: &Tenancy,
    schema: Option<&str>,
) -> Result<std::result::Result<Option<&'f Table>, Question>> {
    if let Some(name) = &answers.tenant_table {
        let table = TableName::parse(name, &base.database.schema)?;
        let table = facts.table(&table).ok_or_else(|| Error::NoTable { name: name.clone() })?;
        return if table.key().is_some() { Ok(Ok(Some(table))) } else { Err(Error::NoKey { name: name.clone() }) };
    }
    Ok(match registry(facts, schema) {
        RegistryChoice::Found(candidate) => Ok(facts.table(&candidate.table)),
        RegistryChoice::Missing => Ok(None),
        RegistryChoice::Several(candidates) => {
            let candidates: Vec<String> = candidates.iter().map(ToString::to_string).collect();
            let question = Question::TenantTable { candidates: candidates.clone() };
            if answers.unanswered.contains(&question) {
                return Err(Error::SeveralRegistries(candidates.join("; ")));
            }
            Err(question)
        }
    })
}

/// Writes the columns of the table of tenants into `[tenant]`.
pub(crate) async fn describe(
    database: &Database,
    table: &Table,
    answers: &Answers,
    tenancy: &mut Tenancy,
    notes: &mut Notes,
) -> Result<Option<Question>> {
    let Some(key) = table.key() else { return Err(Error::NoKey { name: table.name.to_string() }) };
    let slug = columns::slug(table, key);
    tenancy.tenant.key.clone_from(&key.name);
    tenancy.tenant.slug.clone_from(&slug.name);
    tenancy.tenant.name.clone_from(&columns::name(table, slug).name);
    tenancy.tenant.status = None;
    if slug.name == key.name {
        notes.tenant.push(
            "No column is a unique NOT NULL text with a name such as slug, so tenants are named by their key.".into(),
        );
    }
    let ends = columns::ends(table);
    if !ends.is_empty() {
        notes.tenant.push(format!(
            "{} may end a tenant's use. `status` cannot express that: such tenants count as in use.",
            ends.join(", ")
        ));
    }
    let Some(column) = columns::status(table) else { return Ok(None) };
    let undecided = |why: &str| {
        format!("{} looks like a tenant's state: {why}. Decide: status = {:?}, and `active`.", column.name, column.name)
    };
    let states = match states(database, tenancy, &table.name, column).await? {
        States::Known(states) if states.is_empty() && answers.active.is_none() => {
            notes.tenant.push(undecided("it has no value yet"));
            return Ok(None);
        }
        States::Known(states) => states,
        States::Many if answers.active.is_none() => {
            notes.tenant.push(undecided("it has too many values for states"));
            return Ok(None);
        }
        States::Hidden if answers.active.is_none() => {
            notes.tenant.push(undecided("this login does not see all rows of the table, so its values are not known"));
            return Ok(None);
        }
        States::Many | States::Hidden => Vec::new(),
    };
    let active = answers.active.as_ref().or_else(|| columns::active(&states));
    let active = if column.type_name == "boolean" { active.or(states.first()) } else { active };
    match active {
        Some(active) => {
            tenancy.tenant.status = Some(column.name.clone());
            tenancy.tenant.active.clone_from(active);
            notes.tenant.push(format!("Values of {}: {}.", column.name, states.join(", ")));
            Ok(None)
        }
        None => {
            let question = Question::Active { column: column.name.clone(), states: states.clone() };
            if !answers.unanswered.contains(&question) {
                return Ok(Some(question));
            }
            notes.tenant.push(undecided(&format!(
                "its values are {}, and nothing tells which means in use",
                states.join(", ")
            )));
            Ok(None)
        }
    }
}

/// What is said where there is no table of tenants: what follows from that, and the statements that make one.
pub(crate) fn without_registry(facts: &Facts, tenancy: &Tenancy, notes: &mut Notes) -> Result<()> {
    notes.no_tenant_table = true;
    notes.tenant = vec![
        "This database has tenant columns, and no table of tenants that they reference. Without one nothing proves that the \
         tenants of rows exist: foreign keys cannot be added, tenants cannot be named by a slug, new tenants cannot be seeded, and \
         a rollout of all tables and a verification of them end with that finding. Tables can still be audited and given policies."
            .to_owned(),
    ];
    if let Some(new) = new_registry(facts, tenancy)? {
        let table = short_name(&new.table, tenancy);
        notes.tenant.push(format!(
            "To do: make a table with one row for each of them, by these statements or by your migrations; then `init --force \
             --tenant-table {table}` describes it here."
        ));
        notes.tenant.extend(new.statements);
    }
    Ok(())
}

/// Writes the roles.
pub(crate) fn roles(
    facts: &Facts,
    answers: &Answers,
    tenancy: &mut Tenancy,
    notes: &mut Notes,
) -> Result<Option<Question>> {
    for (key, role) in [("maintenance", &tenancy.roles.maintenance), ("auditor", &tenancy.roles.auditor)] {
        if facts.role(role).is_some_and(|role| role.may_log_in || role.unfiltered) {
            notes.roles.push(format!("{role} is there already as something else: it logs in, or policies do not filter it. Choose another name for `{key}`."));
        }
    }
    if let Some(given) = &answers.app_role {
        let Some(role) = facts.role(given) else { return Err(Error::NoRole(given.clone())) };
        tenancy.roles.app.clone_from(given);
        if role.unfiltered {
            notes.roles.push(format!("Policies do not filter {given}: it is a superuser or has BYPASSRLS. The application needs another login."));
        } else if role.owns {
            notes.roles.push(format!("{given} owns tables: until FORCE, policies do not filter it on those."));
        }
        return Ok(None);
    }
    let candidates = match app_role(facts) {
        AppRole::Found(role) => {
            notes.roles.push(format!(
                "{role} is the only login that policies filter and that may change rows of most tables."
            ));
            tenancy.roles.app = role;
            return Ok(None);
        }
        AppRole::Unknown(candidates) => candidates,
    };
    let question = Question::AppRole { candidates: candidates.clone() };
    if !answers.unanswered.contains(&question) {
        return Ok(Some(question));
    }
    let found = match candidates.len() {
        0 => "No login is filtered by policies and may change rows of most tables.".to_owned(),
        _ => format!(
            "Several logins are filtered by policies and may change rows of most tables: {}.",
            candidates.join(", ")
        ),
    };
    notes.roles.push(format!("Undecided: as which role does the application log in? {found}"));
    notes.roles.push(format!(
        "Without this key, commands look for the role {}, which nobody has confirmed.",
        tenancy.roles.app
    ));
    notes.no_app_role = true;
    Ok(None)
}

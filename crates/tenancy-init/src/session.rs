//! The setting that names the tenant and the name of the policy, as existing policies have them.

use std::collections::BTreeMap;

use tenancy_config::Tenancy;
use tenancy_config::tenancy::TenantSetting;
use tenant_inventory::{PolicyReading, SettingRead};

use crate::answers::{Answers, Question};
use crate::facts::Facts;

/// Settings, each with how many policies compare a column with it.
type Counted = BTreeMap<TenantSetting, usize>;

/// Sets both, and returns what is to be said of them; or the question that must be answered first.
pub(crate) fn session(facts: &Facts, answers: &Answers, tenancy: &mut Tenancy) -> Result<Vec<String>, Question> {
    let compared = compared(facts);
    let (mut settings, mut names) = (Counted::new(), BTreeMap::<(TenantSetting, &str), usize>::new());
    for (_, policy, read) in &compared {
        *settings.entry(read.setting.clone()).or_default() += 1;
        *names.entry((read.setting.clone(), policy)).or_default() += 1;
    }
    settings.retain(|setting, _| setting.variable.contains('.'));
    let chosen = match chosen(&settings, answers)? {
        Some(chosen) => chosen,
        None => return Ok(others(facts)),
    };
    let mut notes = vec![match settings.len() {
        0 | 1 => "Existing policies read this setting.".to_owned(),
        _ => format!("Existing policies read several settings: {}.", listed(&settings)),
    }];
    let of_it = names.iter().filter(|((setting, _), _)| *setting == chosen);
    if let Some(((_, policy), count)) = of_it.max_by_key(|(_, count)| **count).filter(|(_, count)| **count > 1) {
        tenancy.session.policy = (*policy).to_owned();
        notes.push(format!("{count} tables have a policy of this name, which a rollout replaces."));
    }
    notes.extend(findings(&compared));
    notes.extend(through(&compared, &chosen));
    tenancy.session.variable = chosen.variable;
    tenancy.session.claim = chosen.claim;
    notes.extend(others(facts));
    Ok(notes)
}

/// The policies whose first condition compares a column with a setting: the table, the policy, and how it reads the setting.
fn compared(facts: &Facts) -> Vec<(String, &str, SettingRead)> {
    let policies = facts.tables.iter().flat_map(|table| table.policies.iter().map(move |policy| (table, policy)));
    let read = policies.filter_map(|(table, policy)| {
        let PolicyReading::Setting { read, .. } = PolicyReading::of(policy.expressions.first()?) else { return None };
        Some((table.name.to_string(), policy.name.as_str(), read))
    });
    read.collect()
}

/// The setting that somebody named, or the only one; `None` where policies read none and nobody named one.
fn chosen(settings: &Counted, answers: &Answers) -> Result<Option<TenantSetting>, Question> {
    let given = answers.variable.as_ref();
    let named = |setting: &&TenantSetting| {
        given.is_none_or(|given| *given == setting.variable || *given == setting.to_string())
    };
    let exact = settings.keys().find(|setting| given.is_some_and(|given| *given == setting.to_string()));
    let mut candidates: Vec<&TenantSetting> = settings.keys().filter(named).collect();
    if let (Some(exact), true) = (exact, candidates.len() > 1) {
        candidates = vec![exact];
    }
    match (given, &candidates[..]) {
        (Some(given), []) => Ok(Some(TenantSetting::plain(given))),
        (None, []) => Ok(None),
        (_, [only]) => Ok(Some((*only).clone())),
        (_, [first, rest @ ..]) => {
            let question = Question::Variable { candidates: candidates.iter().map(ToString::to_string).collect() };
            if !answers.unanswered.contains(&question) {
                return Err(question);
            }
            let count = |setting: &TenantSetting| settings.get(setting).copied().unwrap_or_default();
            let most = rest.iter().fold(*first, |most, one| if count(one) > count(most) { *one } else { most });
            Ok(Some(most.clone()))
        }
    }
}

fn listed(settings: &Counted) -> String {
    settings.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Where existing policies fail with an error.
fn findings(compared: &[(String, &str, SettingRead)]) -> Vec<String> {
    let place = |table: &str, policy: &str| format!("{policy} of {table}");
    let empty = compared.iter().filter_map(|(table, policy, read)| {
        read.fails_on_empty.as_ref().map(|cast| format!("{} casts '' to {cast}", place(table, policy)))
    });
    let unset = compared.iter().filter(|(_, _, read)| !read.missing_ok).map(|(table, policy, _)| place(table, policy));
    let empty = finding(
        "It fails with an error where the setting is empty, as it is after a transaction that set it",
        &empty.collect::<Vec<_>>(),
    );
    let unset = finding("It fails with an error where the setting was never set", &unset.collect::<Vec<_>>());
    empty.into_iter().chain(unset).collect()
}

fn finding(what: &str, places: &[String]) -> Option<String> {
    let (first, rest) = places.split_first()?;
    let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
    Some(format!("{what}: {first}{more}."))
}

/// Functions through which policies read the chosen setting: our policies read it themselves.
fn through(compared: &[(String, &str, SettingRead)], chosen: &TenantSetting) -> Option<String> {
    let mut reads = compared.iter().filter(|(_, _, read)| read.setting.is(chosen));
    let function = reads.find_map(|(_, _, read)| read.through.as_ref())?;
    Some(format!(
        "Policies call {function}() for it, which reads {} on Supabase: see whether it does here.",
        chosen.variable
    ))
}

/// By what policies decide that is no setting.
fn others(facts: &Facts) -> Vec<String> {
    let expressions = facts.tables.iter().flat_map(|table| &table.policies).flat_map(|policy| &policy.expressions);
    let said = |expression: &String| match PolicyReading::of(expression) {
        PolicyReading::AuthUser => Some("Policies ask auth.uid() for the user".to_owned()),
        PolicyReading::AnyOf { function: Some(function) } | PolicyReading::Function { function } => {
            Some(format!("The function {function} decides in policies"))
        }
        PolicyReading::SettingAndMore { reads } => {
            let claim = reads.iter().find(|read| !read.setting.claim.is_empty())?;
            Some(format!("Policies read {claim}, and more than that"))
        }
        _ => None,
    };
    let mut others: Vec<String> = expressions.filter_map(said).collect();
    others.sort();
    others.dedup();
    let keep = "which a setting cannot express: `allow_policies` of the table keeps them.";
    others.into_iter().map(|other| format!("{other}, {keep}")).collect()
}

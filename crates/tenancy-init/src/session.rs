//! The session variable and the name of the policy, as existing policies have them.

use std::collections::BTreeMap;

use tenancy_config::Tenancy;

use crate::answers::{Answers, Question};
use crate::facts::Facts;
use crate::policy_reading::PolicyReading;

/// Sets both, and returns what is to be said of them; or the question that must be answered first.
pub(crate) fn session(facts: &Facts, answers: &Answers, tenancy: &mut Tenancy) -> Result<Vec<String>, Question> {
    let (mut variables, mut names) = (BTreeMap::<String, usize>::new(), BTreeMap::<(String, String), usize>::new());
    let (mut empty, mut unset) = (Vec::new(), Vec::new());
    for table in &facts.tables {
        for policy in &table.policies {
            let Some(PolicyReading::SessionVariable { variable, missing_ok, fails_on_empty, .. }) =
                policy.expressions.iter().map(|expression| PolicyReading::of(expression)).next()
            else {
                continue;
            };
            *variables.entry(variable.clone()).or_default() += 1;
            *names.entry((variable, policy.name.clone())).or_default() += 1;
            let place = format!("{} of {}", policy.name, table.name);
            empty.extend(fails_on_empty.map(|cast| format!("{place} casts '' to {cast}")));
            unset.extend((!missing_ok).then_some(place));
        }
    }
    variables.retain(|variable, _| variable.contains('.'));
    let candidates: Vec<String> = variables.keys().cloned().collect();
    let chosen = match (&answers.variable, &candidates[..]) {
        (Some(given), _) => given.clone(),
        (None, []) => return Ok(others(facts)),
        (None, [only]) => only.clone(),
        (None, _) => {
            let question = Question::Variable { candidates: candidates.clone() };
            if !answers.unanswered.contains(&question) {
                return Err(question);
            }
            variables.iter().max_by_key(|(_, count)| **count).map(|(name, _)| name.clone()).expect("several candidates")
        }
    };
    let mut notes = vec![match candidates.len() {
        0 | 1 => "Existing policies read this setting.".to_owned(),
        _ => format!("Existing policies read several settings: {}.", candidates.join(", ")),
    }];
    let of_it = names.iter().filter(|((variable, _), _)| *variable == chosen);
    if let Some(((_, policy), count)) = of_it.max_by_key(|(_, count)| **count).filter(|(_, count)| **count > 1) {
        tenancy.session.policy.clone_from(policy);
        notes.push(format!("{count} tables have a policy of this name, which a rollout replaces."));
    }
    tenancy.session.variable = chosen;
    notes.extend(finding(
        "It fails with an error where the setting is empty, as it is after a transaction that set it",
        &empty,
    ));
    notes.extend(finding("It fails with an error where the setting was never set", &unset));
    notes.extend(others(facts));
    Ok(notes)
}

fn finding(what: &str, places: &[String]) -> Option<String> {
    let (first, rest) = places.split_first()?;
    let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
    Some(format!("{what}: {first}{more}."))
}

/// Where a tenant comes from that no setting of our form names.
fn others(facts: &Facts) -> Vec<String> {
    let readings = facts.tables.iter().flat_map(|table| &table.policies).flat_map(|policy| &policy.expressions);
    let mut from: Vec<String> = readings
        .filter_map(|expression| match PolicyReading::of(expression) {
            PolicyReading::JsonClaims { from } => {
                Some(format!("Policies read claims in JSON from {from}, which `variable` cannot express."))
            }
            PolicyReading::AuthUser => {
                Some("Policies ask auth.uid() for the user, which `variable` cannot express.".to_owned())
            }
            _ => None,
        })
        .collect();
    from.sort();
    from.dedup();
    from
}

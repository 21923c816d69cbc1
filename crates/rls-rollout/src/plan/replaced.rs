//! What of a table's own definition a rollout replaces, and whether that shows or hides more than ours.

use std::fmt;

use serde::Serialize;
use tenancy_config::tenancy::TenantSetting;
use tenant_inventory::{AspectKind, Inventory, Phase, Policies, PolicyReading, Relation, settings_read};

use crate::options::StepStyle;
use crate::stop::Stop;

/// Something of the application's that a rollout replaces. A rollback brings it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Replaced {
    /// A policy.
    Policy {
        /// The phase that replaces it.
        phase: Phase,
        /// Its name.
        name: String,
        /// Its definition, as the catalog has it.
        definition: String,
    },
    /// The default of the tenant column. Rows that are inserted without one got it; from this phase on they get the tenant of the session, and
    /// none where that has none.
    Default {
        /// The phase that replaces it.
        phase: Phase,
        /// The expression, as the catalog has it.
        expression: String,
    },
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy { phase, name, definition } => {
                write!(f, "`{phase}` replaces the policy \"{name}\": {definition}")
            }
            Self::Default { phase, expression } => write!(
                f,
                "`{phase}` replaces the default {expression} of the tenant column: an insert that names no tenant gets that of its session, \
                 and none where the session has none"
            ),
        }
    }
}

/// What the steps of `prepare` replace.
pub(crate) fn replaced(inventory: &Inventory, relation: &Relation, style: StepStyle) -> Vec<Replaced> {
    let phase = Phase::Prepare;
    let mut replaced: Vec<Replaced> = in_the_way(inventory, relation, style.adopt)
        .into_iter()
        .map(|(name, definition)| Replaced::Policy { phase, name: name.to_owned(), definition: definition.to_owned() })
        .collect();
    let default = relation.definition.text(AspectKind::Default);
    let ours = relation.comparison.printed_default();
    if let Some(expression) = default.filter(|text| *text != ours && relation.parent.is_none()) {
        replaced.push(Replaced::Default { phase, expression: expression.to_owned() });
    }
    replaced
}

/// The permissive policies that are not ours and that a rollout replaces: those of our policies' names, and with `adopt` all others that nobody
/// allowed.
fn in_the_way<'a>(inventory: &'a Inventory, relation: &'a Relation, adopt: bool) -> Vec<(&'a str, &'a str)> {
    let policies = inventory.policies(relation);
    let altered = policies.permissive().filter(|(name, _)| policies.is_named_as_ours(name) && !policies.is_ours(name));
    altered.chain(inventory.other_policies(relation).filter(|_| adopt)).collect()
}

/// Why the policies that are there cannot be replaced.
pub(crate) fn irreplaceable(inventory: &Inventory, relation: &Relation, adopt: bool) -> Vec<Stop> {
    let ours = inventory.tenancy.tenant_setting();
    let mut stops = Vec::new();
    for (policy, definition) in in_the_way(inventory, relation, adopt) {
        let (policy, definition) = (policy.to_owned(), definition.to_owned());
        let other = other_setting(&definition, &ours);
        if let Ok(Some(setting)) = other {
            stops.push(Stop::OtherVariable { policy, variable: setting.to_string(), definition });
        } else if relation.definition.has(AspectKind::RowSecurity) {
            if let Some(reading) = other_reading(&definition) {
                stops.push(Stop::ByUser { policy, reading, definition });
            } else if other == Err(Unread)
                || shows_unassigned(&definition, &relation.comparison.printed_column) == Unassigned::Unclear
            {
                stops.push(Stop::UnclearPolicy { policy, definition });
            }
        }
    }
    stops
}

/// Whether the table hides rows without a tenant as it is: then no policy of ours may show them.
pub(crate) fn hides_unassigned(policies: &Policies<'_>) -> bool {
    let relation = policies.relation;
    let mut others = policies.permissive().filter(|(name, _)| !policies.is_ours(name));
    relation.definition.has(AspectKind::RowSecurity)
        && policies.form().is_none()
        && others.all(|(_, definition)| {
            shows_unassigned(definition, &relation.comparison.printed_column) == Unassigned::Hidden
        })
}

/// What a policy does with rows without a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unassigned {
    Shown,
    Hidden,
    Unclear,
}

/// Reads a policy as the catalog prints it. A comparison of the tenant column alone hides NULL, as a comparison with NULL is not true.
fn shows_unassigned(definition: &str, column: &str) -> Unassigned {
    let reads = definition.contains(" FOR ALL ") || definition.contains(" FOR SELECT ");
    let using = definition.split(" USING ").nth(1).map(|rest| rest.split(" WITH CHECK ").next().unwrap_or(rest));
    let Some(using) = using.filter(|_| reads) else { return Unassigned::Hidden };
    if using == "(true)" || using.contains(&format!("({column} IS NULL)")) {
        return Unassigned::Shown;
    }
    let compared = [format!("({column} = "), format!("(({column})::text = ")];
    // The parentheses around the condition, and those of an operator.
    let condition = using.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(using);
    if compared.iter().any(|text| condition.starts_with(text.as_str())) && is_one_operator(condition) {
        return Unassigned::Hidden;
    }
    let branches = [" OR ", "NOT ", "COALESCE(", "CASE "].iter().any(|text| using.contains(text));
    let and_compares = compared.iter().any(|text| condition.contains(text.as_str())) && condition.contains(" AND ");
    if and_compares && !branches { Unassigned::Hidden } else { Unassigned::Unclear }
}

/// Whether the first parenthesis is closed by the last one.
fn is_one_operator(condition: &str) -> bool {
    let (mut depth, mut quoted) = (0_i32, false);
    for (at, c) in condition.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 && !quoted {
            return at + 1 == condition.len();
        }
    }
    false
}

/// The first setting that a definition reads and that is not ours.
fn other_setting(definition: &str, ours: &TenantSetting) -> Result<Option<TenantSetting>, Unread> {
    let read = settings_read(definition).ok_or(Unread)?;
    Ok(read.into_iter().map(|read| read.setting).find(|setting| !setting.is(ours)))
}

/// It cannot be told what a definition reads.
#[derive(Debug, PartialEq)]
struct Unread;

/// By what a policy decides, where that is the user of the session or what the application's functions say of it: a session that only sets the
/// tenant would have that no longer.
fn other_reading(definition: &str) -> Option<PolicyReading> {
    let (using, check) = match definition.split_once(" USING ") {
        Some((_, rest)) => rest.split_once(" WITH CHECK ").map_or((Some(rest), None), |(a, b)| (Some(a), Some(b))),
        None => (None, definition.split_once(" WITH CHECK ").map(|(_, check)| check)),
    };
    let readings = using.into_iter().chain(check).map(PolicyReading::of);
    let by_user = |reading: &PolicyReading| match reading {
        PolicyReading::AuthUser | PolicyReading::Function { .. } => true,
        PolicyReading::AnyOf { function } => function.is_some(),
        _ => false,
    };
    readings.into_iter().find(by_user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_not_ours_is_found_in_a_condition() {
        let plain = TenantSetting::plain("app.current_tenant_id");
        let of = |text| other_setting(text, &plain).unwrap().map(|setting| setting.to_string());
        assert_eq!(of("USING (a = current_setting('app.tenant'::text))").as_deref(), Some("app.tenant"));
        assert_eq!(of("USING (a = NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))"), None);
        assert_eq!(of("USING (true)"), None);
        let claim = TenantSetting { claim: vec!["org".to_owned()], ..TenantSetting::plain("request.jwt.claims") };
        for (name, other) in [("org", None), ("orgs", Some("the claim orgs of request.jwt.claims"))] {
            let text = format!("USING (a = ((current_setting('request.jwt.claims'::text))::jsonb ->> '{name}'::text))");
            let found = other_setting(&text, &claim).unwrap().map(|setting| setting.to_string());
            assert_eq!(found.as_deref(), other, "{text}");
        }
        assert_eq!(other_setting("USING (a = 'b)", &plain), Err(Unread));
    }

    #[test]
    fn a_policy_that_asks_for_the_user_is_told_from_one_that_compares_a_setting() {
        for (definition, by_user) in [
            ("AS PERMISSIVE FOR ALL TO PUBLIC USING (is_member(org))", true),
            ("AS PERMISSIVE FOR ALL TO PUBLIC USING ((org = ANY (my_orgs()))) WITH CHECK (true)", true),
            ("AS PERMISSIVE FOR INSERT TO PUBLIC WITH CHECK ((owner = auth.uid()))", true),
            ("AS PERMISSIVE FOR ALL TO PUBLIC USING (true)", false),
            ("AS PERMISSIVE FOR ALL TO PUBLIC USING ((org = ANY (ARRAY['a'::text])))", false),
            ("AS PERMISSIVE FOR ALL TO PUBLIC USING ((org = current_setting('app.org'::text)))", false),
        ] {
            assert_eq!(other_reading(definition).is_some(), by_user, "{definition}");
        }
    }

    #[test]
    fn whether_a_policy_shows_rows_without_a_tenant_is_read_or_said_to_be_unclear() {
        let of = |using: &str| {
            shows_unassigned(&format!("AS PERMISSIVE FOR ALL TO PUBLIC USING ({using}) WITH CHECK (true)"), "org")
        };
        for using in ["true", "((org = 'a'::text) OR (org IS NULL))", "(org IS NULL)"] {
            assert_eq!(of(using), Unassigned::Shown, "{using}");
        }
        for using in ["(org = COALESCE(x, org))", "((org = 'a)'::text) AND (b OR_c))", "((org)::text = f(x))"] {
            assert_eq!(of(using), Unassigned::Hidden, "{using}");
        }
        for using in
            ["(published = 1)", "((org = 'a'::text) OR published)", "((org = x) IS NOT TRUE)", "(NOT (org = x))"]
        {
            assert_eq!(of(using), Unassigned::Unclear, "{using}");
        }
        let writes = "AS PERMISSIVE FOR DELETE TO PUBLIC USING (true)";
        assert_eq!(shows_unassigned(writes, "org"), Unassigned::Hidden);
    }
}

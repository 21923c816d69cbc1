//! Schemas of protected tables that the login owns, or whose owner it can become. The owner of a schema may drop what is in it.

use super::facts::{RelationFacts, SchemaFacts};
use super::found::Analysis;
use super::logins::Unfiltered;
use super::object::WayObject;
use super::rights::is_owner;
use super::roles::Reached;
use super::way::{Actor, Reach, Reviewable, Way, WayVerdict};

/// The ways. Who owns the tables themselves is told apart as a role.
pub(crate) fn schema_ways(analysis: &Analysis<'_>, reached: &[Reached]) -> Vec<Way> {
    analysis.facts.schemas.iter().filter_map(|schema| schema_way(analysis, schema, reached)).collect()
}

fn schema_way(analysis: &Analysis<'_>, schema: &SchemaFacts, reached: &[Reached]) -> Option<Way> {
    let owner = |reached: &&Reached| {
        let superuser = analysis.roles.get(reached.id).is_some_and(|role| role.superuser);
        !superuser && analysis.roles.has_rights_of(reached.id, schema.owner)
    };
    let (by, tables) = reached.iter().filter(owner).find_map(|by| {
        let tables = others_tables(analysis, schema, &analysis.roles.name(by.id));
        (!tables.is_empty()).then_some((by, tables))
    })?;
    let role = analysis.roles.name(by.id);
    // The owner of a table in it may own the schema too.
    let to = tables.first().and_then(|table| analysis.roles.get(table.owner)).map(|role| &role.printed);
    let mut names: Vec<_> = tables.iter().map(|table| table.name.clone()).collect();
    names.sort();
    Some(Way {
        object: WayObject::Schema { schema: schema.name.clone() },
        acts_as: Actor { role, why: Unfiltered::NotLimited },
        tables: names,
        chain: Vec::new(),
        reach: Reach::Acts { steps: by.steps.clone() },
        verdict: WayVerdict::Open,
        closing: to.map(|to| format!("ALTER SCHEMA {} OWNER TO {to}", schema.printed)),
        review: Reviewable::NotCode,
    })
}

/// The protected tables in a schema that a role does not own itself.
fn others_tables<'a>(analysis: &'a Analysis<'_>, schema: &SchemaFacts, role: &str) -> Vec<&'a RelationFacts> {
    let tables = analysis.filter.protected.iter().filter_map(|id| analysis.facts.relations.get(id));
    let inside = tables.filter(|table| table.name.schema().as_str() == schema.name);
    inside.filter(|table| !is_owner(analysis, role, table)).collect()
}

//! The `search_path` that a function is pinned to.

use super::facts::{FunctionFacts, Places};

/// The schema for temporary objects, which is searched first for relations and types where a path does not name it.
const TEMPORARY: &str = "pg_temp";

const SETTING: &str = "search_path=";

/// A name in the text of a function that is looked up when it runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Looked {
    /// A relation or a type.
    Relation(String),
    /// A function or an operator.
    Call(String),
}

impl Looked {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Relation(name) | Self::Call(name) => name,
        }
    }
}

/// The schemas that a function is pinned to, as its settings print them.
pub(crate) fn pinned(function: &FunctionFacts) -> Option<Vec<&str>> {
    let path = function.settings.iter().find_map(|setting| setting.strip_prefix(SETTING))?;
    Some(path.split(',').map(str::trim).filter(|schema| !schema.is_empty() && *schema != "\"\"").collect())
}

/// Whether the login decides what a name stands for that is looked up under the path of this function.
pub(crate) fn is_callers(function: &FunctionFacts, looked: &Looked, places: &Places) -> bool {
    let Some(schemas) = pinned(function) else { return true };
    let makes = schemas.iter().any(|schema| places.makes_in.iter().any(|made| made == schema));
    makes || matches!(looked, Looked::Relation(_)) && schemas.last() != Some(&TEMPORARY)
}

/// The path that closes it: what the login makes is looked for last, or not at all.
pub(crate) fn closing(function: &FunctionFacts, places: &Places) -> String {
    let own = vec![function.schema.as_str()];
    let schemas = pinned(function).unwrap_or(own);
    let keeps = |schema: &&str| {
        *schema != TEMPORARY && *schema != "pg_catalog" && !places.makes_in.iter().any(|made| made == schema)
    };
    let schemas = schemas.into_iter().filter(keeps);
    let path: Vec<&str> = std::iter::once("pg_catalog").chain(schemas).chain([TEMPORARY]).collect();
    format!("ALTER ROUTINE {} SET search_path = {}", function.signature, path.join(", "))
}

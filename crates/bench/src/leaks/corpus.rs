//! The cases, from the files in `crates/bench/leaks/`.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// One file a family, in the order of the report.
const FILES: [&str; 15] = [
    include_str!("../../leaks/policies.toml"),
    include_str!("../../leaks/commands.toml"),
    include_str!("../../leaks/partitions.toml"),
    include_str!("../../leaks/views.toml"),
    include_str!("../../leaks/functions.toml"),
    include_str!("../../leaks/triggers.toml"),
    include_str!("../../leaks/roles.toml"),
    include_str!("../../leaks/rights.toml"),
    include_str!("../../leaks/tables.toml"),
    include_str!("../../leaks/keys.toml"),
    include_str!("../../leaks/settings.toml"),
    include_str!("../../leaks/columns.toml"),
    include_str!("../../leaks/schemas.toml"),
    include_str!("../../leaks/server.toml"),
    include_str!("../../leaks/indirect.toml"),
];

/// A family of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Family {
    pub(crate) family: String,
    pub(crate) case: Vec<Case>,
}

/// One thing that is planted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) by: By,
    /// What is run; `{tenant}` stands for the expression with which our policies read the tenant.
    pub(crate) sql: Statement,
    pub(crate) expect: Expected,
    /// What a finding must name: one of these.
    #[serde(default)]
    pub(crate) names: Vec<String>,
    /// The oldest and the newest major version of the server that it means something on.
    #[serde(default = "oldest")]
    pub(crate) server: u32,
    #[serde(default = "newest")]
    pub(crate) until: u32,
    /// The rollout runs once more afterwards, as people are told to do.
    #[serde(default)]
    pub(crate) then_rollout: bool,
    /// Triggers may fire.
    #[serde(default)]
    pub(crate) fire_triggers: bool,
    pub(crate) proof: Option<Proof>,
    /// Why no statement of the login can show it.
    pub(crate) no_proof: Option<String>,
}

/// Who plants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    Owner,
    Superuser,
}

/// What must come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// It is found and named.
    Leak,
    /// Isolation is proven.
    Clean,
    /// Isolation is not proven, and what could not be tried is named.
    Unproven,
}

/// What the application's login does, and what that shows.
#[derive(Debug, Deserialize)]
pub(crate) struct Proof {
    /// The statements, the last of which returns a number as `shown`; `count = "…"` in the file is short for `SELECT count(*) AS shown FROM …`.
    #[serde(flatten)]
    pub(crate) statements: Statements,
    /// The value of the session variable.
    #[serde(default = "tenant_a")]
    pub(crate) tenant: String,
    /// No statement sets it.
    #[serde(default)]
    pub(crate) unset: bool,
    #[serde(default)]
    pub(crate) shows: Shows,
    /// How many rows the tenant has of its own.
    #[serde(default = "two")]
    pub(crate) own: i64,
}

/// Statements, in one of the two ways to write them.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Statements {
    Count(Counted),
    Sql(Statement),
}

impl Statements {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Count(Counted(text)) | Self::Sql(Statement(text)) => text,
        }
    }
}

/// A statement of the corpus, which is a part of the program: it is read once and never given back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement(pub(crate) &'static str);

/// The statement that counts what a case names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted(&'static str);

impl<'de> Deserialize<'de> for Statement {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(deserializer)?.replace("{tenant}", TENANT).leak()))
    }
}

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(format!("SELECT count(*) AS shown FROM {}", String::deserialize(deserializer)?).leak()))
    }
}

/// What a proof shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shows {
    /// More rows than its own.
    #[default]
    More,
    /// Fewer rows than its own.
    Fewer,
    /// The server refuses what the tenant may do.
    Refused,
    /// Rows that are not its own have changed.
    Write,
}

fn oldest() -> u32 {
    15
}

fn newest() -> u32 {
    u32::MAX
}

fn tenant_a() -> String {
    "t_a".to_owned()
}

fn two() -> i64 {
    2
}

/// The expression with which our policies read the tenant.
const TENANT: &str = "NULLIF(current_setting('app.current_tenant_id', true), '')";

/// All families.
pub(crate) fn families() -> &'static [Family] {
    static FAMILIES: LazyLock<Vec<Family>> = LazyLock::new(|| {
        FILES.iter().map(|text| toml::from_str(text).unwrap_or_else(|error| panic!("the corpus: {error}"))).collect()
    });
    &FAMILIES
}

impl Case {
    /// Whether it means something on a server of this major version.
    pub(crate) fn fits(&self, major: u32) -> bool {
        (self.server..=self.until).contains(&major)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_corpus_is_whole() {
        let cases: Vec<&Case> = families().iter().flat_map(|family| &family.case).collect();
        let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), cases.len(), "two cases have one name");
        assert!(cases.len() >= 110, "{} cases", cases.len());
        let clean = cases.iter().filter(|case| case.expect == Expected::Clean).count();
        assert!(clean >= 25, "{clean} clean cases");
        for case in cases {
            let proven = case.proof.is_some() || case.no_proof.is_some();
            assert!(proven || case.expect != Expected::Leak, "{} proves nothing", case.name);
            assert_eq!(case.names.is_empty(), case.expect == Expected::Clean, "{}: what must be named?", case.name);
        }
    }
}

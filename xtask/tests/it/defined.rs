//! All commands and options, read from the reference, which is generated from their definitions. So every test that
//! goes through them includes a new one.

use crate::support::Place;

/// A command.
#[derive(Debug)]
pub(crate) struct Defined {
    /// Its words, such as `["backfill", "run"]`.
    pub(crate) words: Vec<String>,
    /// Its options that take a value, such as `--review`, including those of every command.
    pub(crate) options: Vec<String>,
    /// The values of `--format`.
    pub(crate) formats: Vec<String>,
}

impl Defined {
    pub(crate) fn name(&self) -> String {
        self.words.join(" ")
    }

    /// The words, followed by more arguments.
    pub(crate) fn with<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        self.words.iter().map(String::as_str).chain(more.iter().copied()).collect()
    }
}

/// Every command, including groups such as `db` and the hidden one.
pub(crate) fn commands() -> Vec<Defined> {
    let reference = Place::new().run(&["reference"]).stdout;
    let sections: Vec<&str> = reference.split("\n## ").flat_map(|part| part.split("\n### ")).collect();
    let global = sections.iter().find(|section| section.starts_with("Options of every command")).unwrap();
    let commands: Vec<Defined> = sections
        .iter()
        .filter(|section| section.contains(&format!("Usage: cargo xtask {}", section.lines().next().unwrap())))
        .map(|section| defined(section, global))
        .chain([Defined { words: vec!["reference".to_owned()], options: Vec::new(), formats: Vec::new() }])
        .collect();
    assert!(commands.len() > 40, "the reference is read as it is written: {commands:?}");
    commands
}

fn defined(section: &str, global: &str) -> Defined {
    let words = section.lines().next().unwrap().split(' ').map(str::to_owned).collect();
    let all = || [section, global].into_iter().flat_map(str::lines).filter_map(spelled);
    let options = all().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name.to_owned()).collect();
    let formats =
        all().find(|(name, _)| *name == "--format").map(|(_, value)| value.split("\\|").map(str::to_owned).collect());
    Defined { words, options, formats: formats.unwrap() }
}

/// Reads ``| `--review FILE.csv` | … |`` as `--review` and `FILE.csv`.
fn spelled(line: &str) -> Option<(&str, &str)> {
    let spelled = line.strip_prefix("| `")?.split_once("` |")?.0;
    let (name, value) = spelled.split_once(' ').unwrap_or((spelled, ""));
    // `-q, --quiet` is an option without a value.
    (name.starts_with("--") && !value.starts_with("--")).then_some((name, value))
}

//! The commands and options that there are, read from the reference that the definitions give: whoever adds one is in every test that
//! goes through them.

use crate::support::Place;

/// A command.
#[derive(Debug)]
pub(crate) struct Defined {
    /// `["backfill", "run"]`.
    pub(crate) words: Vec<String>,
    /// Its options that take a value, and those of every command: `--review`.
    pub(crate) options: Vec<String>,
    /// The values of `--format`.
    pub(crate) formats: Vec<String>,
}

impl Defined {
    pub(crate) fn name(&self) -> String {
        self.words.join(" ")
    }

    /// The words, and more arguments behind them.
    pub(crate) fn with<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        self.words.iter().map(String::as_str).chain(more.iter().copied()).collect()
    }
}

/// Every command, groups such as `db` included, and the hidden one.
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

/// ``| `--review FILE.csv` | … |`` is `--review` and `FILE.csv`.
fn spelled(line: &str) -> Option<(&str, &str)> {
    let spelled = line.strip_prefix("| `")?.split_once("` |")?.0;
    let (name, value) = spelled.split_once(' ').unwrap_or((spelled, ""));
    // `-q, --quiet` is no option with a value.
    (name.starts_with("--") && !value.starts_with("--")).then_some((name, value))
}

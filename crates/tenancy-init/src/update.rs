//! Compares a file with the database, and adds to it what is new. Nothing that stands there is touched.

use std::path::Path;

use backfill_engine::short_name;
use serde::Serialize;
use tenancy_config::Tenancy;
use tenancy_config::plain::one_line;
use tenancy_config::tenancy::{TableRules, comments_in, fragment};
use tenant_inventory::class::Class;
use tenant_inventory::{Absent, Catalog, Misfit};
use tenant_rls::Database;
use toml_edit::DocumentMut;

use crate::error::{Error, Result};
use crate::propose::Additions;
use crate::proposed::{comment, plain};

/// How a file fits the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileComparison {
    /// What it names and the database does not have.
    pub absent: Vec<Absent>,
    /// What it declares that does not fit what is there.
    pub misfits: Vec<Misfit>,
    /// Tables of the database that stand nowhere in it, each with its class.
    pub unlisted: Vec<Unlisted>,
}

/// A table that stands nowhere in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unlisted {
    /// Its name, as the file would have it.
    pub table: String,
    /// What it is.
    #[serde(flatten)]
    pub class: Class,
}

impl FileComparison {
    /// Whether everything fits.
    pub fn is_empty(&self) -> bool {
        self.absent.is_empty() && self.misfits.is_empty() && self.unlisted.is_empty()
    }

    /// Whether something is to be changed: not only advice is given.
    pub fn differs(&self) -> bool {
        !self.absent.is_empty() || !self.unlisted.is_empty() || self.misfits.iter().any(|misfit| !misfit.is_advice())
    }
}

/// Compares. `text` is the file's: a table that a comment names is listed.
///
/// # Errors
/// The database cannot be read.
pub async fn compare(database: &Database, tenancy: &Tenancy, text: &str) -> Result<FileComparison> {
    let absent = tenant_inventory::absent(database, tenancy).await?;
    let misfits = tenant_inventory::misfits(database, tenancy, &absent).await?;
    let catalog = Catalog::load(database, tenancy).await?;
    let unlisted = catalog.classified.iter().filter_map(|table| {
        let called = short_name(&table.table, tenancy);
        let counts = !matches!(table.class, Class::Registry | Class::Extension { .. });
        let listed = tenancy.rules(&table.table).is_some() || in_comment(text, &called);
        (counts && !listed).then(|| Unlisted { table: called, class: table.class.clone() })
    });
    Ok(FileComparison { absent, misfits, unlisted: unlisted.collect() })
}

/// Whether a comment has the name as a whole word.
fn in_comment(text: &str, name: &str) -> bool {
    let name = &*one_line(name);
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '.' || c == '$';
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    // A name with a space may stand at the end of one line and the beginning of the next.
    let written: Vec<String> = comments_in(&lines).filter_map(|(said, _)| said).collect();
    let others = lines.iter().copied().filter(|line| line.starts_with('#'));
    let comments = written.iter().map(String::as_str).chain(others);
    comments.flat_map(|line| line.match_indices(name).map(move |(at, _)| (line, at))).any(|(line, at)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        !before.ends_with(part) && !after.starts_with(|c| part(c) && c != '.')
    })
}

/// The file with sections for tenant tables that are new, and comments about other tables, with what `proposed` has of them.
///
/// # Errors
/// [`Error::File`]: the text is not TOML, or tables cannot be added to it.
pub fn updated(text: &str, comparison: &FileComparison, proposed: &Additions) -> Result<String> {
    let wrong = |error: &dyn std::fmt::Display| Error::File(format!("tenancy.toml cannot be updated: {error}"));
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| wrong(&error.message()))?;
    let (mut blocks, mut rest) = (Vec::new(), Vec::new());
    let last = last_position(document.as_table());
    let mut position = last;
    for new in &comparison.unlisted {
        let lines = proposed.notes.get(&new.table);
        if new.class.tenant_column().is_none() {
            let plain = plain(&new.table, &new.class);
            match lines {
                Some(lines) => blocks.push(comment(lines)),
                None => rest.push(plain),
            }
            continue;
        }
        let rules = proposed.tenancy.tables.get(&new.table).cloned().unwrap_or_else(TableRules::default);
        let written: DocumentMut = fragment(&new.table, &rules, &|_| None)
            .parse()
            .map_err(|error: toml_edit::TomlError| wrong(&error.message()))?;
        let tables = document.entry("tables").or_insert_with(implicit);
        let Some(tables) = tables.as_table_mut() else {
            return Err(wrong(&"[tables] is written as an inline table; write it as a section"));
        };
        // With the key as it was written: what is not seen in a name is spelt out there.
        let Some((key, mut item)) = written["tables"]
            .as_table()
            .and_then(|tables| tables.get_key_value(&new.table))
            .map(|(key, item)| (key.clone(), item.clone()))
        else {
            continue;
        };
        position += 1;
        if let Some(table) = item.as_table_mut() {
            table.set_position(Some(position));
            table.decor_mut().set_prefix(format!("\n{}", comment(lines.map_or(&[], Vec::as_slice))));
        }
        tables.insert_formatted(&key, item);
    }
    let mut out = document.to_string();
    blocks.extend((!rest.is_empty()).then(|| comment(&rest)));
    for block in blocks {
        out += &format!("\n{block}");
    }
    let read = Tenancy::from_toml(&out, Path::new("tenancy.toml")).map_err(|error| wrong(&error))?;
    debug_assert!(
        comparison
            .unlisted
            .iter()
            .all(|new| new.class.tenant_column().is_none() || read.tables.contains_key(&new.table))
    );
    Ok(out)
}

/// The keys of a file that would be gone if `new` took its place, such as `reviewed."public.total(text)"`. Sources are left out, as foreign keys
/// tell them anew, and so is a table that has nothing else.
///
/// # Errors
/// [`Error::File`]: the old text is not TOML, so that nobody knows what is in it.
pub fn lost(old: &str, new: &str) -> Result<Vec<String>> {
    let parse = |text: &str| {
        text.parse::<DocumentMut>()
            .map_err(|error| Error::File(format!("the file that is there cannot be read: {}", error.message())))
    };
    let (old, new) = (parse(old)?, parse(new)?);
    let mut found = Vec::new();
    missing(old.as_table(), Some(new.as_table()), "", &mut found);
    Ok(found)
}

fn missing(
    old: &dyn toml_edit::TableLike,
    new: Option<&dyn toml_edit::TableLike>,
    above: &str,
    found: &mut Vec<String>,
) {
    for (key, item) in old.iter() {
        let path = format!("{above}{}", toml_edit::Key::new(key).display_repr());
        let there = new.and_then(|new| new.get(key));
        match item.as_table_like() {
            Some(table) => {
                missing(table, there.and_then(toml_edit::Item::as_table_like), &format!("{path}."), found);
            }
            None if there.is_none() && key != "sources" => found.push(path),
            None => {}
        }
    }
}

fn implicit() -> toml_edit::Item {
    let mut table = toml_edit::Table::new();
    table.set_implicit(true);
    toml_edit::Item::Table(table)
}

/// The place of the last section in the file.
fn last_position(table: &toml_edit::Table) -> isize {
    let below = table.iter().filter_map(|(_, item)| item.as_table()).map(last_position);
    below.chain(table.position()).max().unwrap_or_default()
}

//! Proposals in the comments of a file that no longer fit the database. Only what `init` wrote itself, and what nobody has changed, is replaced or
//! taken away.

use std::ops::Range;

use tenancy_config::plain::one_line;
use tenancy_config::tenancy::comments_in;
use toml_edit::DocumentMut;

use crate::propose::Additions;
use crate::proposed::{DECIDE_COLUMN, DECIDE_LINES, DECIDE_PLAIN, DECIDE_POLICIES, MEANINGS, comment};

/// A file without proposals that no longer fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// The text of the file.
    pub text: String,
    /// The tables of which a proposal was replaced or taken away, as comments name them.
    pub tables: Vec<String>,
}

/// Replaces proposals by what would be proposed now, and takes those away for which there is nothing to decide any more: the table is gone, has a
/// section, or has a tenant column.
pub fn refreshed(text: &str, proposed: &Additions) -> Refreshed {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let pieces = Piece::all(&lines);
    let mut out = Refreshed { text: String::new(), tables: Vec::new() };
    let mut at = 0;
    while at < pieces.len() {
        let Some((name, block)) = proposal_at(&pieces, at) else {
            out.text += &pieces[at].lines.concat();
            at += 1;
            continue;
        };
        at = block.end;
        let known = proposed.undecided.iter().find(|(called, _)| *one_line(called) == name);
        let now = known.map(|(_, lines)| comment(lines));
        let there: String = pieces[block].iter().flat_map(|piece| piece.lines).copied().collect();
        if now.as_deref().is_some_and(|now| now.trim_end() == there.trim_end()) {
            out.text += &there;
            continue;
        }
        match now {
            Some(now) => out.text += &now,
            // With one of the empty lines around it.
            None if out.text.ends_with("\n\n")
                && pieces.get(at).is_none_or(|piece| piece.lines.concat().trim().is_empty()) =>
            {
                out.text.pop();
            }
            None => {}
        }
        out.tables.push(name);
    }
    out
}

/// A comment, which may go on over several lines, or a line that is none.
struct Piece<'a> {
    /// What the comment says.
    said: Option<String>,
    lines: &'a [&'a str],
}

impl<'a> Piece<'a> {
    fn all(lines: &'a [&'a str]) -> Vec<Self> {
        let mut rest = lines;
        let mut piece = |(said, count)| {
            let (lines, after) = rest.split_at(count);
            rest = after;
            Self { said, lines }
        };
        comments_in(lines).map(&mut piece).collect()
    }
}

/// The table of the proposal that begins at a piece, and its pieces; none where one is not as `init` writes it.
fn proposal_at(pieces: &[Piece<'_>], at: usize) -> Option<(String, Range<usize>)> {
    let said = |at: usize| pieces.get(at)?.said.as_deref();
    let first = said(at)?;
    let (name, _) = first.split_once(": ")?;
    let end = if first.ends_with(DECIDE_PLAIN) {
        at + 1
    } else if first.ends_with(DECIDE_POLICIES) {
        end_of(at + 1, said, is_about_policies, is_allowing)?
    } else if first.ends_with(DECIDE_LINES) || first.ends_with(DECIDE_COLUMN) {
        let end =
            end_of(at + 1, said, is_choice, |line| line.strip_prefix("exempt = \"why\"").is_some_and(is_meaning))?;
        let header = |line: &str| section(line).is_some_and(|table| *one_line(&table) == *name);
        (at..end).filter_map(said).any(header).then_some(end)?
    } else {
        return None;
    };
    Some((name.to_owned(), at..end))
}

/// The line behind the first one that is the last of its kind; none where another one comes before.
fn end_of<'a>(
    mut at: usize,
    said: impl Fn(usize) -> Option<&'a str>,
    is_inner: impl Fn(&str) -> bool,
    is_last: impl Fn(&str) -> bool,
) -> Option<usize> {
    loop {
        let line = said(at)?;
        at += 1;
        if is_last(line) {
            return Some(at);
        }
        if !is_inner(line) {
            return None;
        }
    }
}

/// A line between the first and the last one of what can be declared of a table.
fn is_choice(line: &str) -> bool {
    let is_said = line.starts_with("By their names, ") && line.ends_with("(`when`).")
        || (line.starts_with("No tenant column can be filled by ") || line.starts_with("No `through` by "))
            && line.ends_with('.');
    let declares = || {
        let (declared, meaning) =
            line.split_once("   # ").map_or((line, ""), |(declared, meaning)| (declared, meaning));
        let key = ["column = ", "add_column = ", "through = "].iter().any(|key| declared.starts_with(key));
        key && declared.parse::<DocumentMut>().is_ok() && (meaning.is_empty() || is_meaning(&format!("   # {meaning}")))
    };
    is_said || section(line).is_some() || declares()
}

/// Whether what stands behind a declaration is what `init` writes there, or nothing.
fn is_meaning(behind: &str) -> bool {
    let Some(said) = behind.strip_prefix("   # ") else { return behind.is_empty() };
    said.split("; ").all(|part| {
        MEANINGS.contains(&part)
            || part.starts_with("once ") && part.ends_with(" has a tenant column")
            || part.starts_with("a row whose ") && part.ends_with(" is NULL gets no tenant")
    })
}

/// The table of a section's first line.
fn section(line: &str) -> Option<String> {
    let key = line.strip_prefix("[tables.")?.strip_suffix(']')?;
    let mut path = toml_edit::Key::parse(key).ok()?;
    path.pop().filter(|_| path.is_empty()).map(|key| key.get().to_owned())
}

fn is_about_policies(line: &str) -> bool {
    line.starts_with("Policy ") && line.ends_with('.') || line.starts_with("By their names, ")
}

/// The last line about policies, in which nobody gave a reason yet.
fn is_allowing(line: &str) -> bool {
    let Some(declared) = line.strip_prefix("If it is intended: ") else { return false };
    let Ok(document) = declared.parse::<DocumentMut>() else { return false };
    let allowed = document.get("allow_policies").and_then(toml_edit::Item::as_inline_table);
    allowed.is_some_and(|allowed| allowed.iter().all(|(_, why)| why.as_str() == Some("why")))
}

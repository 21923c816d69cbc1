//! Parses env files by the grammar that version 16 of the `dotenv` package has in one regular expression.
//!
//! `export` may precede a name. A value is in single, double or back quotes, and may then span lines; or it ends at `#`
//! or at the end of the line. Any other line is ignored, as in that package.

/// Names and values in the order of the file, without quotes, before expansion.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut pairs = Vec::new();
    let mut rest = text.trim_start_matches('\u{FEFF}');
    loop {
        // Done once here: if each line were trimmed anew, each would scan all the line breaks that follow it.
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let (pair, after) = match entry(rest) {
            Some((name, value, after)) => (Some((name, value)), after),
            None => (None, rest),
        };
        pairs.extend(pair);
        rest = after.split_once('\n').map_or("", |(_, next)| next);
    }
    pairs
}

/// The entry at the start of a line, and what follows its value.
fn entry(line: &str) -> Option<(String, String, &str)> {
    let exported = line.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace));
    exported.and_then(|rest| assignment(rest.trim_start())).or_else(|| assignment(line))
}

fn assignment(text: &str) -> Option<(String, String, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')))?;
    let (name, rest) = text.split_at(end);
    let rest = match (rest.trim_start().strip_prefix('='), rest.strip_prefix(':')) {
        (Some(rest), _) => rest,
        (None, Some(rest)) => rest.strip_prefix(char::is_whitespace)?,
        (None, None) => return None,
    };
    let (raw, after) = quoted(rest).unwrap_or_else(|| rest.split_at(rest.find(['#', '\n']).unwrap_or(rest.len())));
    (!name.is_empty()).then(|| (name.to_owned(), unquote(raw.trim()), after))
}

/// A value in quotes. Only a comment may follow it on its last line.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let start = text.len() - text.trim_start().len();
    let quote = text[start..].chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
    let mut ends = Vec::new();
    let mut escaped = false;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at <= start) {
        if c == quote {
            ends.push(at + 1);
            if !escaped {
                break;
            }
        }
        escaped = c == '\\' && !escaped;
    }
    // The last unescaped quote if there is one; but `'C:\'` must end somewhere too.
    let end = ends.into_iter().rev().find(|&end| {
        let behind = text[end..].split('\n').next().unwrap_or_default().trim_start();
        behind.is_empty() || behind.starts_with('#')
    })?;
    Some(text.split_at(end))
}

/// Removes the quotes. `
/// ` and `\r` are escapes in double quotes only.
fn unquote(raw: &str) -> String {
    let bare =
        ['\'', '"', '`'].into_iter().find_map(|quote| raw.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(raw);
    if raw.starts_with('"') { bare.replace("\\n", "\n").replace("\\r", "\r") } else { bare.to_owned() }
}

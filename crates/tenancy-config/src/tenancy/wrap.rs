//! Comments of a `tenancy.toml` that are no wider than a line. Lines that people uncomment stay whole.

use crate::plain::one_line;

/// The most characters of a line.
const WIDTH: usize = 100;

/// What a line begins with that goes on with the comment of the line before.
const GOES_ON: &str = "#  ";

/// The text as a comment: several lines, each with its end, if one would be too wide. A name may contain a line break, which would end the
/// comment; what is not seen is written out. [`comments_in`] reads it back.
pub fn comment(text: &str) -> String {
    let text = one_line(text);
    if text.chars().count() + 2 <= WIDTH || is_code(&text) {
        return format!("# {text}\n");
    }
    let mut lines = vec![String::from("#")];
    for word in words(&text) {
        let line = lines.last_mut().expect("there is a line");
        // A word that is wider than a line has one of its own.
        if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(format!("{GOES_ON}{word}"));
        } else {
            *line += " ";
            *line += word;
        }
    }
    lines.join("\n") + "\n"
}

/// The comments among lines of a file, as [`comment`] was given them, each with the number of its lines; none for a line that is no comment.
pub fn comments_in<'a>(lines: &'a [&'a str]) -> impl Iterator<Item = (Option<String>, usize)> + 'a {
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = lines.get(at)?.trim_end();
        let Some(first) = first.strip_prefix("# ") else {
            at += 1;
            return Some((None, 1));
        };
        let goes_on = |line: &&'a str| line.trim_end().strip_prefix(GOES_ON).filter(|more| !more.starts_with(' '));
        let more = lines[at + 1..].iter().map_while(goes_on);
        let (text, count) = more.fold((first.to_owned(), 1), |(text, count), more| (text + " " + more, count + 1));
        at += count;
        Some((Some(text), count))
    })
}

/// Whether people uncomment the line: a section, a key with its value, a member of a list, or a statement.
fn is_code(text: &str) -> bool {
    let is_key = |key: &str| {
        let bare = key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        !key.is_empty() && (bare || key.starts_with(['"', '\'']))
    };
    let assigns = text.split_once(" = ").is_some_and(|(key, _)| is_key(key));
    text.starts_with(['{', '[']) || assigns || (text.starts_with(char::is_uppercase) && text.ends_with(';'))
}

/// The words between spaces. What stands in backticks or braces is one word, if they are closed.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = end_of_word(rest);
        words.extend(Some(&rest[..end]).filter(|word| !word.is_empty()));
        rest = rest[end..].strip_prefix(' ').unwrap_or(&rest[end..]);
    }
    words
}

fn end_of_word(text: &str) -> usize {
    let mut at = 0;
    while let Some(next) = text[at..].find([' ', '`', '{']).map(|found| at + found) {
        let closing = match text.as_bytes()[next] {
            b' ' => return next,
            b'`' => '`',
            _ => '}',
        };
        at = text[next + 1..].find(closing).map_or(next + 1, |found| next + 2 + found);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_between_words_and_what_is_uncommented_stays_whole() {
        assert_eq!(comment("short"), "# short\n");
        let long = format!("{}`backfill suggest --missing` {}", "a word ".repeat(12), "and more ".repeat(12));
        let lines: Vec<String> = comment(&long).lines().map(str::to_owned).collect();
        assert!(lines.len() > 2 && lines.iter().all(|line| line.starts_with('#') && line.chars().count() <= WIDTH));
        assert!(lines.iter().any(|line| line.contains("`backfill suggest --missing`")), "{lines:?}");
        let file: Vec<&str> =
            ["a = 1\n", "# before\n", "#    list"].into_iter().chain(lines.iter().map(String::as_str)).collect();
        let read: Vec<_> = comments_in(&file).collect();
        let list = (Some("   list".to_owned()), 1);
        let expected =
            [(None, 1), (Some("before".to_owned()), 1), list, (Some(long.trim_end().to_owned()), lines.len())];
        assert_eq!(read, expected);
        let tail = "x ".repeat(60);
        for code in [
            format!("{{ name = \"a\", column = \"b\" }},   # {tail}"),
            format!("add_column = {{ through = \"a\" }}   # {tail}"),
            format!("[tables.a]   # {tail}"),
            format!("\"a b\" = \"{tail}\""),
            format!("CREATE TABLE a ({tail});"),
        ] {
            assert_eq!(comment(&code).lines().count(), 1, "{code}");
        }
        let wide = "w".repeat(150);
        assert_eq!(comment(&format!("a {wide} b {{ ` {wide}")).lines().count(), 4);
        assert_eq!(comment("a\nb"), "# a\\nb\n");
    }
}

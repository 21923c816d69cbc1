//! Shows what is invisible in a script: names and texts that hold such characters, or lines that look like a command, are written with
//! Unicode escapes. The script means the same to the server.

use tenancy_config::plain::is_unseen;

/// The script with such names and texts written with escapes.
pub(crate) fn show_unseen(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    let mut rest = script;
    while let Some(at) = rest.find(['"', '\'', '-', '/', '$']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let escaped = out.ends_with(['&', 'E', 'e']);
        let token = token(rest, escaped);
        match rest.as_bytes()[0] {
            b'"' if !escaped && token.len() > 2 && token.contains(is_unseen) => out.push_str(&unicode(token)),
            b'\'' if !escaped && acts(token) => out.push_str(&unicode(token)),
            b'-' if token.len() > 1 => out.push_str(&token.replace(is_unseen, " ")),
            _ => out.push_str(token),
        }
        rest = &rest[token.len()..];
    }
    out + rest
}

/// Whether a text is to be escaped. Our own texts, such as the body of a block, are not: they have several lines, which nobody could read.
fn acts(text: &str) -> bool {
    let command = |line: &str| line.trim_start().starts_with("::") || line.contains("##");
    text.contains(|c| c != '\n' && is_unseen(c)) || text.lines().skip(1).any(command)
}

/// The name, text or comment that begins here; else one character.
fn token(rest: &str, escaped: bool) -> &str {
    let length = match rest.as_bytes() {
        [quote @ (b'"' | b'\''), ..] => quoted(rest, *quote, escaped),
        [b'-', b'-', ..] => rest.find('\n'),
        [b'/', b'*', ..] => rest.find("*/").map(|end| end + 2),
        [b'$', ..] => dollar_quoted(rest),
        _ => Some(1),
    };
    &rest[..length.unwrap_or(rest.len())]
}

/// The length up to the closing quote, which is not doubled. A backslash escapes a quote only in `E'…'`.
fn quoted(rest: &str, quote: u8, escaped: bool) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'\\' if escaped && quote == b'\'' => at += 2,
            byte if *byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if *byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn dollar_quoted(rest: &str) -> Option<usize> {
    let tag = rest[1..].find('$').map(|end| &rest[..end + 2]);
    let is_tag = |tag: &&str| tag[1..tag.len() - 1].chars().all(|c| c.is_alphanumeric() || c == '_');
    let Some(tag) = tag.filter(is_tag) else { return Some(1) };
    rest[tag.len()..].find(tag).map(|end| end + 2 * tag.len())
}

/// `U&"…"`, in which a backslash begins an escape.
fn unicode(token: &str) -> String {
    let mut out = "U&".to_owned();
    for c in token.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if is_unseen(c) && u32::from(c) <= 0xffff => out.push_str(&format!("\\{:04X}", u32::from(c))),
            c if is_unseen(c) => out.push_str(&format!("\\+{:06X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_in_a_name_or_a_text_is_an_escape() {
        for (script, shown) in [
            ("DROP TABLE \"x\n::error::\u{202e}\";", "DROP TABLE U&\"x\\000A::error::\\202E\";"),
            ("SELECT 'a\\b\u{1b}', \"a\"\"\u{e0041}\"", "SELECT U&'a\\\\b\\001B', U&\"a\"\"\\+0E0041\""),
            (
                "DO 'BEGIN\n  DROP TABLE \"x\n::error::\"\nEND'",
                "DO U&'BEGIN\\000A  DROP TABLE \"x\\000A::error::\"\\000AEND'",
            ),
            ("-- of \u{202e}x\nSELECT 1", "-- of  x\nSELECT 1"),
            ("SELECT $a$ ' $b$ \" $a$, \"\t\"", "SELECT $a$ ' $b$ \" $a$, U&\"\\0009\""),
            ("SELECT E'it\\'s', \"\t\"", "SELECT E'it\\'s', U&\"\\0009\""),
        ] {
            assert_eq!(show_unseen(script), shown);
        }
    }

    #[test]
    fn an_ordinary_script_stays_as_it_is() {
        for script in [
            "BEGIN;\n-- it's \"one\nSELECT '''x''', \"We\"\"ird; -- no\" FROM a / b - c;\nDO 'BEGIN\n    NULL;\nEND';\nCOMMIT;\n",
            "SELECT $1, 'open",
            "/* ' */ SELECT \"a b",
            "",
        ] {
            assert_eq!(show_unseen(script), script);
        }
    }
}

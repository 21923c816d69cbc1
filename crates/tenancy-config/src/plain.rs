//! Makes text from outside visible: a character that would move the cursor, end a line, change the reading direction or
//! be invisible is written as an escape, as in a Rust string.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

/// Whether a character is something else than a visible one: a control character, a line separator, a direction mark,
/// or one that Unicode lets a program ignore. The two variation selectors that follow ordinary emoji are not.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text in one line. Otherwise a name with a line break could write a line of its own.
pub fn one_line(text: &str) -> Cow<'_, str> {
    written_out(text, is_unseen)
}

/// A value in one line.
pub fn plain(value: impl Display) -> String {
    one_line(&value.to_string()).into_owned()
}

/// The text with its line breaks kept, because they are ours.
pub fn lines(text: &str) -> Cow<'_, str> {
    written_out(text, |c| c != '\n' && is_unseen(c))
}

fn written_out(text: &str, which: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&which) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if which(c) { write_out(c, &mut out) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Writes the escape of a character: `
/// `, `\t`, `\r`, or a form like `\u{202e}`.
pub(crate) fn write_out(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        // Writing to a String cannot fail.
        c => drop(write!(out, "\\u{{{:x}}}", u32::from(c))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_act_is_written_out() {
        assert_eq!(plain("x\n::error::no"), "x\\n::error::no");
        assert_eq!(plain("\u{1b}[2J\u{9b}1m\u{7f}"), "\\u{1b}[2J\\u{9b}1m\\u{7f}");
        assert_eq!(plain("user\u{202e}nimda\u{2066}"), "user\\u{202e}nimda\\u{2066}");
        assert_eq!(lines("a\nb\tc\r\n"), "a\nb\\tc\\r\n");
    }

    #[test]
    fn every_mark_of_direction_and_every_joiner_is_found() {
        let ranges = [0x202a..=0x202e, 0x2066..=0x2069, 0x200b..=0x200f, 0x2028..=0x2029, 0x80..=0x9f, 0x00..=0x1f];
        for code in ranges.into_iter().flatten().chain([0x61c, 0xfeff, 0x7f, 0x85, 0xad, 0xe0041]) {
            assert!(is_unseen(char::from_u32(code).unwrap()), "U+{code:04X}");
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["Café Zürich", "日本語", "❤\u{fe0f} & Söhne", "a b\u{a0}c", "ﷺ"] {
            assert!(matches!(one_line(text), Cow::Borrowed(_)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_unseen_is_left(text in any::<String>()) {
            prop_assert!(!one_line(&text).contains(is_unseen));
            prop_assert!(!lines(&text).contains(|c| c != '\n' && is_unseen(c)));
            prop_assert_eq!(lines(&text).matches('\n').count(), text.matches('\n').count());
        }
    }
}

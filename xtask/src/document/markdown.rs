//! Text in Markdown.

/// Text that Markdown shows as it is.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_word = false;
    while let Some(c) = chars.next() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' => out.push_str("<br>"),
            // Inside a word it marks nothing, and names have many of them.
            '_' if in_word && chars.peek().is_some_and(|next| next.is_alphanumeric()) => out.push(c),
            '|' | '*' | '_' | '`' | '[' | ']' | '#' | '~' | '\\' | '$' => out.extend(['\\', c]),
            c => out.push(c),
        }
        in_word = c.is_alphanumeric();
    }
    out
}

//! Statements and names as lines of a script.

use tenant_rls::Sql;

/// A statement without the comment that its file begins with.
pub(crate) fn statement_text(sql: &Sql) -> &str {
    let mut text = sql.as_str().trim();
    while let Some(rest) = text.strip_prefix("--") {
        text = rest.split_once('\n').map_or("", |(_, after)| after).trim_start();
    }
    text
}

/// A name in a comment must not end the comment.
pub(crate) fn one_line(text: &str) -> String {
    tenancy_config::plain::one_line(text).into_owned()
}

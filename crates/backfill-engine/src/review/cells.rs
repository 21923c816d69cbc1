//! Cells that a spreadsheet shows as text: one that begins as a formula does gets an apostrophe before it, which is taken away again
//! when the file is read.

use std::borrow::Cow;

/// What a spreadsheet takes for the beginning of a formula, and the apostrophe itself, so that each text comes back as it was.
fn is_special(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\'' | '＝' | '＋' | '－' | '＠')
}

/// The text as it stands in the file.
pub(crate) fn guard(text: &str) -> Cow<'_, str> {
    if text.starts_with(is_special) { format!("'{text}").into() } else { text.into() }
}

/// The text that a cell of the file means. What people typed without an apostrophe means itself.
pub(crate) fn unguard(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| text.starts_with(is_special)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_run_as_a_formula_is_text() {
        for formula in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert!(guard(formula).starts_with('\''), "{formula}");
        }
        assert_eq!(guard("c083f55890afa5e2"), "c083f55890afa5e2");
    }

    #[test]
    fn what_people_type_means_itself() {
        for typed in ["acme", "'acme", "=cmd", "", "'", "O'Brien"] {
            assert_eq!(unguard(typed), typed);
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in r"(['=+@＝\-\t\r\n]{0,3}.{0,8}|\PC*)") {
            let cell = guard(&text);
            prop_assert_eq!(unguard(&cell), text.as_str());
            prop_assert!(!cell.starts_with(|c| is_special(c) && c != '\''));
        }
    }
}

//! Cuts a text into its statements.

use std::fmt;

use crate::statements::{Origin, Statement};
use crate::tokens::{Kind, tokens};

/// A text that cannot be cut: a string, a quoted name or a comment in it has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEnd {
    /// The line in which that begins.
    pub line: usize,
}

impl fmt::Display for NoEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: a string, a quoted name or a comment begins here and has no end", self.line)
    }
}

impl std::error::Error for NoEnd {}

/// The statements of a text, which semicolons separate. What stands in quotes, dollar quotes and comments separates nothing, and neither does the
/// body of a function in standard SQL.
///
/// # Errors
/// [`NoEnd`].
pub fn statements(text: &str) -> Result<Vec<Statement>, NoEnd> {
    let tokens = tokens(text).map_err(|unterminated| NoEnd { line: lines(&text[..unterminated.at]) + 1 })?;
    let mut found = Vec::new();
    let mut atomic = 0_usize;
    let (mut begin, mut end) = (None, 0);
    let mut before: Option<&str> = None;
    for token in &tokens {
        // BEGIN ATOMIC … END, in which CASE has an END of its own.
        if token.is_word("atomic") && before.is_some_and(|before| before.eq_ignore_ascii_case("begin")) {
            atomic = 1;
        } else if atomic > 0 && token.is_word("case") {
            atomic += 1;
        } else if atomic > 0 && token.is_word("end") {
            atomic -= 1;
        }
        before = Some(token.text);
        if token.kind != Kind::Semicolon || atomic > 0 {
            begin = begin.or(Some(token.at));
            end = token.at + token.text.len();
        } else if let Some(begin) = begin.take() {
            found.push((begin, end));
        }
    }
    found.extend(begin.map(|begin| (begin, end)));
    // Counted on from the statement before: a file may have many.
    let (mut line, mut counted) = (1, 0);
    let statement = |(begin, end): (usize, usize)| {
        line += lines(&text[counted..begin]);
        counted = begin;
        Statement { text: text[begin..end].to_owned(), origin: Origin::Script { line } }
    };
    Ok(found.into_iter().map(statement).collect())
}

fn lines(text: &str) -> usize {
    text.matches('\n').count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        statements(text).unwrap().into_iter().map(|statement| statement.text).collect()
    }

    #[test]
    fn only_a_semicolon_between_statements_separates_them() {
        for one in [
            "SELECT ';', E'\\';', U&';', N';', B'0;'",
            "SELECT \";\" FROM \"a;b\"",
            "SELECT $$;$$, $a$;$$;$a$",
            "SELECT 1 /* ; /* ; */ ; */ + 2",
            "SELECT 1 -- ;\n + 2",
            "SELECT $1, $2 FROM t WHERE a = $3",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
            "SELECT '\\'",
        ] {
            assert_eq!(texts(&format!("{one};\n{one} ;; ")), [one, one], "{one}");
        }
        assert!(texts(" ; -- nothing\n /* ; */ ").is_empty());
    }

    #[test]
    fn a_statement_has_the_line_in_which_it_begins() {
        let found = statements("-- first\n\nSELECT 1;\n\n/* two */\n  SELECT\n2").unwrap();
        let lines: Vec<&Origin> = found.iter().map(|statement| &statement.origin).collect();
        assert_eq!(lines, [&Origin::Script { line: 3 }, &Origin::Script { line: 6 }]);
        assert_eq!(statements("SELECT 1;\nSELECT 'x"), Err(NoEnd { line: 2 }));
    }

    #[test]
    fn a_text_of_many_statements_is_read_once() {
        let count = 200_000;
        let (sender, read) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(statements(&"SELECT 1;\n".repeat(count)).unwrap()));
        let found = read.recv_timeout(std::time::Duration::from_secs(5)).expect("each line is counted once");
        assert_eq!(found.last().unwrap().origin, Origin::Script { line: count });
    }

    proptest! {
        #[test]
        fn what_is_quoted_in_any_way_comes_back_whole(
            content in "[a-z;'\"\\\\ \n-]{0,12}",
            count in 1..4_usize,
        ) {
            let quoted = [
                format!("SELECT '{}'", content.replace('\'', "''")),
                format!("SELECT E'{}'", content.replace('\\', "\\\\").replace('\'', "''")),
                format!("SELECT \"x{}\"", content.replace('"', "\"\"")),
                format!("SELECT $q${content}$q$"),
                format!("SELECT /* {content} */ 1"),
            ];
            for one in quoted {
                prop_assert_eq!(texts(&[one.as_str()].repeat(count).join(";")), vec![one; count]);
            }
        }

        #[test]
        fn any_text_is_cut_or_refused(text in "\\PC{0,40}") {
            if let Ok(found) = statements(&text) {
                prop_assert!(found.iter().all(|one| text.contains(&one.text) && !one.text.trim().is_empty()));
            }
        }
    }
}

//! What a function's text may touch: the names in it, and what cannot be read in it. Names are found by the server's lexical rules and not by its
//! grammar, so that an alias counts as a table of the same name: more is suspected than is true, never less (docs/decisions.md, 42).

use std::collections::BTreeSet;

use super::loose::{Loose, loose};
use super::targets::{Target, cut, targets};
use crate::tokens::{Token, Unlexed, tokens};

/// What a function's text holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Body {
    /// Every name in it, as the catalog would have it.
    pub(crate) names: BTreeSet<String>,
    /// Every operator in it.
    pub(crate) operators: BTreeSet<String>,
    /// The first word that makes the text depend on more than itself, such as `execute`.
    pub(crate) opaque: Option<String>,
    /// It may write.
    pub(crate) writes: bool,
    /// It may delete rows.
    pub(crate) deletes: bool,
    /// It may change rows.
    pub(crate) updates: bool,
    /// What its statements write to.
    pub(crate) written: BTreeSet<Target>,
    /// The first names in it without a schema.
    pub(crate) loose: Loose,
}

/// Statements that reach further than the names in them; they count where a statement may begin.
const STATEMENTS: [&str; 10] =
    ["alter", "copy", "create", "drop", "grant", "import", "load", "reassign", "revoke", "truncate"];

/// Words after which a statement may begin, in SQL and in PL/pgSQL.
const BEFORE_STATEMENTS: [&str; 5] = ["atomic", "begin", "else", "loop", "then"];

/// Functions that run a text as a statement, or read what is no table.
const OPAQUE: [&str; 14] = [
    "connectby",
    "cursor_to_xml",
    "cursor_to_xmlschema",
    "get_raw_page",
    "loread",
    "lowrite",
    "pg_read_binary_file",
    "pg_read_file",
    "run_job",
    "schedule",
    "schedule_in_database",
    "ts_rewrite",
    "ts_stat",
    "xpath_table",
];

/// The beginnings of the names of more such functions.
const OPAQUE_BEGINNINGS: [&str; 10] = [
    "crosstab",
    "database_to_xml",
    "dblink",
    "lo_",
    "pg_file_",
    "pg_logical_",
    "pg_ls_",
    "query_to_xml",
    "schema_to_xml",
    "table_to_xml",
];

impl Body {
    /// Reads a text in SQL or PL/pgSQL.
    ///
    /// # Errors
    /// [`Unlexed`]: it cannot be told where a string or a name in it ends.
    pub(crate) fn read(text: &str) -> Result<Self, Unlexed> {
        let tokens = tokens(text)?;
        let mut body = Self { written: targets(&tokens), loose: loose(&tokens), ..Self::default() };
        for (at, token) in tokens.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| &tokens[before]);
            match token {
                Token::Word(word) => body.word(word, before, tokens.get(at + 1)),
                Token::Quoted(name) => body.name(name),
                Token::Operator(operator) => {
                    body.operators.insert(operator.clone());
                }
                Token::Text(_) | Token::Other(_) => {}
            }
        }
        Ok(body)
    }

    fn word(&mut self, word: &str, before: Option<&Token>, after: Option<&Token>) {
        self.name(word);
        // Outside of UTF-8 the server may fold more letters.
        self.name(&word.to_lowercase());
        let begins = match before {
            None | Some(Token::Other(';')) => true,
            Some(Token::Operator(label)) => label.ends_with(">>"),
            Some(Token::Word(word)) => BEFORE_STATEMENTS.contains(&word.as_str()),
            Some(_) => false,
        };
        let next = |words: &[&str]| matches!(after, Some(Token::Word(next)) if words.contains(&next.as_str()));
        let statement = begins && STATEMENTS.contains(&word) && !(word == "create" && next(&["temp", "temporary"]));
        let block = word == "do" && (matches!(after, Some(Token::Text(_))) || next(&["language"]));
        if word == "execute" || statement || block {
            self.opaque.get_or_insert_with(|| word.to_owned());
        }
        self.writes |= ["insert", "update", "delete", "merge"].contains(&word);
        self.deletes |= ["delete", "merge"].contains(&word);
        self.updates |= ["update", "merge"].contains(&word);
    }

    fn name(&mut self, name: &str) {
        if OPAQUE.contains(&name) || OPAQUE_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) {
            self.opaque.get_or_insert_with(|| name.to_owned());
        }
        self.names.insert(cut(name).to_owned());
    }

    /// Whether it may call something by this operator.
    pub(crate) fn has_operator(&self, operator: &str) -> bool {
        // A minus or plus at the end of a run belongs to the operator or to what follows, so a part counts.
        self.operators.iter().any(|run| run.contains(operator))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Body {
        Body::read(text).unwrap()
    }

    #[test]
    fn names_are_found_and_strings_and_comments_are_not_names() {
        let body = read(
            r#"SELECT 'bookings', E'it\'s expenses', $$ clients $$, $a$ x $$ staff $a$ -- invoices
               /* leads /* nested */ services */ FROM "Work""Order" JOIN Tasks t USING (id) WHERE a $1"#,
        );
        for name in ["Work\"Order", "tasks", "using", "id", "t"] {
            assert!(body.names.contains(name), "{name} in {body:?}");
        }
        for name in ["bookings", "expenses", "clients", "staff", "invoices", "leads", "services", "Tasks"] {
            assert!(!body.names.contains(name), "{name} in {body:?}");
        }
        assert_eq!((body.opaque, body.writes), (None, false));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for text in ["SELECT 'a", "SELECT \"a", "/* /* */", "$a$ x $$", r#"SELECT U&"b\006fokings""#, r"SELECT 'a\'' x"]
        {
            assert!(Body::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn text_that_is_run_and_statements_that_reach_further_are_opaque() {
        for (text, word) in [
            ("BEGIN RETURN QUERY EXECUTE q; END", "execute"),
            ("SELECT query_to_xml(q, true, true, '')", "query_to_xml"),
            ("SELECT * FROM dblink_exec('x')", "dblink_exec"),
            ("BEGIN DO $x$ BEGIN END $x$; END", "do"),
            ("BEGIN IF a THEN GRANT x TO y; END IF; END", "grant"),
            ("TRUNCATE ledger", "truncate"),
            ("<<here>> COPY ledger TO PROGRAM 'x'", "copy"),
        ] {
            assert_eq!(read(text).opaque.as_deref(), Some(word), "{text}");
        }
        for text in [
            "INSERT INTO l VALUES (1) ON CONFLICT DO NOTHING",
            "SELECT copy, load FROM l",
            "BEGIN CREATE TEMP TABLE x (y int); END",
        ] {
            assert_eq!(read(text).opaque, None, "{text}");
        }
    }

    #[test]
    fn a_name_is_cut_as_the_server_cuts_it() {
        let long = "x".repeat(70);
        assert!(read(&format!("SELECT {long}")).names.contains(&"x".repeat(63)));
    }

    #[test]
    fn an_operator_is_found_inside_of_a_run() {
        let body = read("SELECT a ===- b");
        assert!(body.has_operator("==="));
        assert!(!body.has_operator("~~~"));
    }
}

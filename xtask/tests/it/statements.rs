//! Where statements stand: in `sql/`, each file a whole statement or script, or a fragment that says what it needs.

use std::path::{Path, PathBuf};

use syn::buffer::{Cursor, TokenBuffer};
use syn::visit::{self, Visit};

use crate::names::{bare, files};

/// What a statement begins with.
const STATEMENTS: [&str; 22] = [
    "alter", "analyze", "begin", "call", "copy", "create", "delete", "do", "drop", "explain", "grant", "insert",
    "lock", "merge", "revoke", "select", "set", "truncate", "update", "vacuum", "values", "with",
];

/// What keeps the text from being a whole statement or script, as far as that shows without a server.
fn no_statement(text: &str) -> Option<String> {
    let code = bare(text);
    let code = code.trim();
    let first = code.trim_start_matches('(').split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
    let line = code.lines().next().unwrap_or_default();
    // Without a semicolon BEGIN opens the body of a block.
    if !STATEMENTS.contains(&first) || first == "begin" && !line.ends_with(';') {
        return Some(format!("it begins with `{line}`"));
    }
    let count = |wanted: char| code.chars().filter(|c| *c == wanted).count();
    [('(', ')'), ('[', ']')]
        .into_iter()
        .find(|(open, close)| count(*open) != count(*close))
        .map(|(open, close)| format!("it has {} {open} and {} {close}", count(open), count(close)))
}

/// What a fragment's first line fails to say.
fn says_no_need(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    !(first.starts_with("-- A fragment") && first.contains(" It needs "))
}

#[test]
fn each_file_is_a_whole_statement_or_a_fragment_that_says_what_it_needs() {
    let (fragments, statements): (Vec<_>, Vec<_>) = files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .partition(|path| path.parent().is_some_and(|folder| folder.ends_with("fragments")));
    assert!(fragments.len() > 10 && statements.len() > 100);
    for path in statements {
        if let Some(why) = no_statement(&std::fs::read_to_string(&path).unwrap()) {
            panic!("{}: {why}; what is no statement stands in fragments/", path.display());
        }
    }
    for path in fragments {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!says_no_need(&text), "{} begins without `-- A fragment …. It needs …`", path.display());
    }
}

#[test]
fn what_is_no_whole_statement_is_found() {
    for text in [
        "-- A join.\nLEFT JOIN t ON true",
        "-- An aggregate.\npg_catalog.count(*)",
        "-- A block.\nDECLARE\n    n int;\nBEGIN\nEND",
        "-- Another.\nBEGIN\n    NULL;\nEND",
        "-- A part of WITH.\n:\"step\" AS (SELECT)",
        "-- Half of one.\nSELECT (1",
        "-- Nothing.",
    ] {
        assert!(no_statement(text).is_some(), "{text}");
    }
    for text in
        ["-- One.\nSELECT ')' -- (", "-- Two.\n(SELECT 1)\nUNION ALL\n(SELECT 2)", "-- A script.\nBEGIN;\nSELECT 2"]
    {
        assert_eq!(no_statement(text), None);
    }
    assert!(says_no_need("-- A fragment of FROM.\nJOIN t") && says_no_need("-- A join. It needs rows `l`."));
}

/// The code of the crates, without tests.
fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let crates = std::fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let built = crates.filter(|path| !path.ends_with("test-support")).chain([root.join("xtask")]);
    let (mut found, mut folders) = (Vec::new(), built.map(|path| path.join("src")).collect::<Vec<_>>());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
                found.push(path);
            }
        }
    }
    found
}

/// The strings of a file, those among the arguments of macros too. Documentation is left out.
#[derive(Default)]
struct Strings(Vec<String>);

impl Strings {
    fn among(&mut self, mut at: Cursor<'_>) {
        while let Some((tree, next)) = at.token_tree() {
            match at.any_group() {
                Some((inside, ..)) => self.among(inside),
                None => self.0.extend(syn::parse_str::<syn::LitStr>(&tree.to_string()).ok().map(|text| text.value())),
            }
            at = next;
        }
    }
}

impl Visit<'_> for Strings {
    fn visit_attribute(&mut self, _: &syn::Attribute) {}

    fn visit_lit_str(&mut self, text: &syn::LitStr) {
        self.0.push(text.value());
    }

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.among(TokenBuffer::new2(call.tokens.clone()).begin());
        visit::visit_macro(self, call);
    }
}

/// A statement, or a part of one, that does not fit a line.
fn is_long_sql(text: &str) -> bool {
    let begins =
        ["SELECT ", "WITH ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "ALTER ", "GRANT ", "BEGIN", "DO ", "SET "];
    let is_sql = begins.iter().any(|word| text.trim_start().starts_with(word)) || text.contains("pg_catalog.");
    is_sql && (text.trim().contains('\n') || text.len() > 100)
}

/// Only what stands in a file can be run in psql, and read with its comment.
#[test]
fn a_statement_longer_than_a_line_stands_in_a_file() {
    assert!(is_long_sql("BEGIN;\nSET LOCAL row_security = off;") && !is_long_sql("SELECT 1\n"));
    let mut found = Vec::new();
    for path in sources() {
        let name = path.display();
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let mut strings = Strings::default();
        strings.visit_file(&syn::parse_file(code).unwrap_or_else(|error| panic!("{name}: {error}")));
        found.extend(strings.0.into_iter().filter(|text| is_long_sql(text)).map(|text| format!("{name}: {text}")));
    }
    assert!(found.is_empty(), "put them into sql/:\n{}", found.join("\n"));
}

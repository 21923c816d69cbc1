//! Statements that reach the application's tables run under its search path, where anybody may have put functions,
//! operators and types. So they must write every name with its schema. `traps` proves this for the commands; this test
//! names the line.

use std::path::{Path, PathBuf};

/// The line at the top of each file with such a statement.
const MARK: &str = "-- It runs under the search path of the application.";

/// Words that the grammar defines, whatever the path.
const GRAMMAR: [&str; 35] = [
    "all",
    "and",
    "any",
    "array",
    "as",
    "by",
    "coalesce",
    "conflict",
    "else",
    "exists",
    "filter",
    "from",
    "greatest",
    "into",
    "join",
    "lateral",
    "least",
    "materialized",
    "not",
    "on",
    "only",
    "operator",
    "or",
    "over",
    "returning",
    "row",
    "select",
    "set",
    "then",
    "union",
    "values",
    "when",
    "where",
    "with",
    "within",
];

/// Types whose names are part of the grammar.
const TYPES: [&str; 6] = ["bigint", "bigint[]", "boolean", "int", "integer", "smallint"];

/// Words that look up an operator by its bare name.
const HIDDEN_OPERATORS: [&str; 6] = [" in (", "nullif(", "distinct from", "between ", " like ", "using ("];

fn files() -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql")]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// The statement without comments, strings, quoted names and variables.
fn bare(text: &str) -> String {
    let code: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let mut out = String::new();
    let mut quote = None;
    for c in code.join("\n").chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                out.push('_');
            }
            None => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

/// The names in a statement that would be looked up in the search path.
fn unqualified(text: &str) -> Vec<String> {
    let mut code = bare(text);
    while let Some(start) = code.find("operator(pg_catalog.") {
        let end = start + code[start..].find(')').expect("a closed OPERATOR()");
        code.replace_range(start..=end, "&operator");
    }
    // The assignment of an UPDATE is not an operator.
    let set = code.find("\nset ").or_else(|| code.find(" set "));
    let assignment = set.and_then(|set| code[set..].find('=').map(|at| set + at));
    if let Some(at) = assignment {
        code.replace_range(at..=at, " ");
    }
    let code = code.replace("&operator", " ").replace("(*)", "()").replace(".*", "").replace("select *", "select");
    let mut found: Vec<String> =
        HIDDEN_OPERATORS.iter().filter(|word| code.contains(**word)).map(|word| format!("`{word}`")).collect();
    if code.split("case").skip(1).any(|rest| !rest.trim_start().starts_with("when") && code.contains("end")) {
        found.push("`CASE value WHEN`".to_owned());
    }
    found.extend(code.chars().filter(|c| "=<>~!@#%^&|?+-*/".contains(*c)).map(|c| format!("operator {c}")));
    found.extend(calls(&code));
    found.extend(casts(&code));
    found
}

/// Functions that are called without a schema.
fn calls(code: &str) -> Vec<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in code.match_indices('(') {
        let before = code[..at].trim_end();
        let start = before.rfind(|c: char| !is_name(c)).map_or(0, |i| i + 1);
        let (name, ahead) = (&before[start..], &before[..start]);
        let named =
            ahead.ends_with(['.', ':']) || ahead.trim_end().ends_with(" as") || ahead.trim_end().ends_with("\nas");
        let plain = name.is_empty() || name.chars().all(|c| c == '_') || name.starts_with(|c: char| c.is_ascii_digit());
        if !plain && !named && !GRAMMAR.contains(&name) {
            found.push(format!("function {name}"));
        }
    }
    found
}

/// Types that are named without a schema.
fn casts(code: &str) -> Vec<String> {
    let types = code.split("::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_.[]:".contains(c))).unwrap_or(rest.len());
        &rest[..end]
    });
    let known = |name: &str| {
        name.starts_with("pg_catalog.") || name.starts_with(':') || name.is_empty() || TYPES.contains(&name)
    };
    types.filter(|name| !known(name)).map(|name| format!("type {name}")).collect()
}

#[test]
fn statements_under_the_search_path_of_the_application_write_every_name_with_its_schema() {
    let marked: Vec<_> =
        files().into_iter().filter(|path| std::fs::read_to_string(path).unwrap().contains(MARK)).collect();
    assert!(marked.len() > 30, "the mark is {MARK}");
    for path in marked {
        let found = unqualified(&std::fs::read_to_string(&path).unwrap());
        assert!(found.is_empty(), "{}: {}", path.display(), found.join(", "));
    }
}

#[test]
fn each_way_to_leave_a_schema_out_is_found() {
    for (statement, wrong) in [
        ("SELECT FROM t WHERE a = 1", "operator ="),
        ("SELECT a || 'x' FROM t", "operator |"),
        ("SELECT FROM t WHERE a IN (1, 2)", "` in (`"),
        ("SELECT nullif(a, b)", "`nullif(`"),
        ("SELECT a IS NOT DISTINCT FROM b", "`distinct from`"),
        ("SELECT CASE a WHEN 1 THEN 2 END", "`CASE value WHEN`"),
        ("SELECT FROM t JOIN u USING (id)", "`using (`"),
        ("SELECT lower(a) FROM t", "function lower"),
        ("SELECT count(*) FROM t", "function count"),
        ("SELECT a::text FROM t", "type text"),
    ] {
        assert!(unqualified(statement).iter().any(|found| found == wrong), "{statement}: {:?}", unqualified(statement));
    }
    let right = "SELECT pg_catalog.count(*) FROM t AS a (x) WHERE a.x::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1) AND CASE WHEN true THEN 1 END";
    assert!(unqualified(right).is_empty(), "{:?}", unqualified(right));
}

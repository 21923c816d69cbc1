//! The conditions that a plan prints: which operator compares what.

use crate::tokens::{Kind, Token, depth_after, tokens};

/// One of the conditions that a node of a plan joins by AND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clause {
    /// As the plan has it.
    pub(crate) text: String,
    /// What stands on the left, without space and the names of tables, so that it can be compared; of a function's call, its first argument.
    pub(crate) left: String,
    /// The operator, without its schema; none for a function's call, or `IS NULL`.
    pub(crate) operator: Option<String>,
    /// The function that is called where there is no operator.
    pub(crate) function: Option<String>,
    /// What stands on the right.
    pub(crate) right: String,
}

impl Clause {
    /// The type of the right side, or of its elements, where it is a parameter of these types or a cast.
    pub(crate) fn right_type<'a>(&'a self, parameters: &'a [String]) -> Option<&'a str> {
        let value = self.right.strip_prefix("ANY (").and_then(|rest| rest.strip_suffix(')')).unwrap_or(&self.right);
        let parameter = value.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        let kind = match parameter {
            Some(number) => parameters.get(number.checked_sub(1)?)?.as_str(),
            None => value.rsplit_once("::")?.1,
        };
        Some(kind.trim_end_matches("[]"))
    }

    /// The functions that the right side calls with a column of a table.
    pub(crate) fn right_functions(&self) -> Vec<String> {
        let Ok(tokens) = tokens(&self.right) else { return Vec::new() };
        let column = |window: &[Token<'_>]| is_name(&window[0]) && window[1].text == "." && is_name(&window[2]);
        if !tokens.windows(3).any(column) {
            return Vec::new();
        }
        let call = |window: &[Token<'_>]| window[0].kind == Kind::Word && window[1].text == "(";
        let keyword = |name: &str| ["ANY", "ALL", "ROW", "ARRAY", "AND", "OR"].contains(&name);
        let calls = tokens.windows(2).filter(|window| call(window) && !keyword(window[0].text));
        calls.map(|window| window[0].text.to_owned()).collect()
    }
}

fn is_name(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Word | Kind::Quoted)
}

/// The conditions of a text such as `((a = 1) AND (lower(b) = 'x'::text))`.
pub(crate) fn clauses(text: &str) -> Vec<Clause> {
    parts(bare(text), &["AND"]).into_iter().map(clause).collect()
}

/// The conditions of a text, those that are joined by OR and negated ones too.
pub(crate) fn all_clauses(text: &str) -> Vec<Clause> {
    let text = bare(text);
    let text = text.strip_prefix("NOT ").map_or(text, bare);
    match parts(text, &["AND", "OR"]).as_slice() {
        [_] => vec![clause(text)],
        several => several.iter().flat_map(|part| all_clauses(part)).collect(),
    }
}

/// A text, cut at these words outside of parentheses.
fn parts<'a>(text: &'a str, words: &[&str]) -> Vec<&'a str> {
    let Ok(tokens) = tokens(text) else { return Vec::new() };
    let mut depth = 0;
    let mut begin = 0;
    let mut parts = Vec::new();
    for token in &tokens {
        depth = depth_after(depth, token);
        if depth == 0 && token.kind == Kind::Word && words.contains(&token.text) {
            parts.push(&text[begin..token.at]);
            begin = token.at + token.text.len();
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// A text without the parentheses around all of it.
pub(crate) fn bare(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        let Ok(tokens) = tokens(inner) else { return text };
        let mut depth = 1_usize;
        let balanced = tokens.iter().all(|token| {
            depth = depth_after(depth, token);
            depth > 0
        });
        if !balanced {
            return text;
        }
        text = inner.trim();
    }
    text
}

fn clause(text: &str) -> Clause {
    let text = bare(text);
    let tokens = tokens(text).unwrap_or_default();
    let (mut depth, mut found) = (0, None);
    for (position, token) in tokens.iter().enumerate() {
        let before = depth;
        depth = depth_after(depth, token);
        if before == 0 && position > 0 && (token.kind == Kind::Operator || token.is_word("operator")) {
            found = Some((position, token));
            break;
        }
    }
    if let Some((position, token)) = found {
        let (operator, end) = operator(text, &tokens[position..]);
        return Clause {
            text: text.to_owned(),
            left: comparable(&text[..token.at]),
            operator: Some(operator),
            function: None,
            right: bare(&text[end..]).to_owned(),
        };
    }
    let (function, argument) = match tokens.as_slice() {
        [name, open, ..] if name.kind == Kind::Word && open.text == "(" && text.ends_with(')') => {
            (Some(name.text.to_owned()), first_argument(&text[open.at + 1..text.len() - 1]))
        }
        _ => (None, text),
    };
    Clause { text: text.to_owned(), left: comparable(argument), operator: None, function, right: String::new() }
}

/// The name of an operator, and where it ends.
fn operator(text: &str, tokens: &[Token<'_>]) -> (String, usize) {
    let joined = |tokens: &[Token<'_>]| {
        let mut end = tokens[0].at;
        let run = tokens.iter().take_while(|token| {
            let joins = token.kind == Kind::Operator && token.at == end;
            end = token.at + token.text.len();
            joins
        });
        let last = run.last().unwrap_or(&tokens[0]);
        let end = last.at + last.text.len();
        (text[tokens[0].at..end].to_owned(), end)
    };
    if tokens[0].kind == Kind::Operator {
        return joined(tokens);
    }
    // OPERATOR(schema.=)
    let close = tokens.iter().find(|token| token.text == ")").map_or(text.len(), |close| close.at + 1);
    match tokens.iter().position(|token| token.kind == Kind::Operator) {
        Some(position) => (joined(&tokens[position..]).0, close),
        None => (String::new(), close),
    }
}

fn first_argument(arguments: &str) -> &str {
    let mut depth = 0;
    for token in tokens(arguments).unwrap_or_default() {
        depth = depth_after(depth, &token);
        if depth == 0 && token.text == "," {
            return &arguments[..token.at];
        }
    }
    arguments
}

/// An expression without space, the parentheses around it and the names of tables and schemas, so that a plan's and the catalog's can be compared.
pub(crate) fn comparable(expression: &str) -> String {
    let tokens = tokens(bare(expression)).unwrap_or_default();
    let mut out = String::new();
    for (position, token) in tokens.iter().enumerate() {
        let dot = |at: usize| tokens.get(at).is_some_and(|token| token.text == ".");
        let qualifies = is_name(token) && dot(position + 1);
        if !(qualifies || dot(position)) {
            out.push_str(token.text);
            out.push(' ');
        }
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_apart(text: &str) -> Vec<(String, Option<String>, String)> {
        clauses(text).into_iter().map(|clause| (clause.left, clause.operator, clause.right)).collect()
    }

    #[test]
    fn conditions_are_taken_apart_as_plans_print_them() {
        let of =
            |left: &str, operator: &str, right: &str| (comparable(left), Some(operator.to_owned()), right.to_owned());
        for (text, expected) in [
            ("(users.email = $1)", vec![of("email", "=", "$1")]),
            ("(lower((u.email)::text) = 'a AND b'::text)", vec![of("lower((email)::text)", "=", "'a AND b'::text")]),
            (
                "((t.a = 1) AND (t.b ~>=~ 'x'::text) AND (t.b ~<~ 'y'::text))",
                vec![of("a", "=", "1"), of("b", "~>=~", "'x'::text"), of("b", "~<~", "'y'::text")],
            ),
            ("(t.\"A B\" = ANY ('{1,2}'::integer[]))", vec![of("\"A B\"", "=", "ANY ('{1,2}'::integer[])")]),
            ("(e.at OPERATOR(public.@>) 5)", vec![of("at", "@>", "5")]),
            ("((t.data ->> 'k'::text) = $1)", vec![of("data ->> 'k'::text", "=", "$1")]),
        ] {
            assert_eq!(taken_apart(text), expected, "{text}");
        }
        let called = clauses("starts_with(t.name, 'a, b'::text)");
        assert_eq!((called[0].function.as_deref(), called[0].left.as_str()), (Some("starts_with"), "name"));
        assert_eq!(clauses("(t.a IS NULL)")[0].operator, None);
        let nested = all_clauses("((t.a = 1) AND ((t.b ~~ 'x%'::text) OR (NOT (t.c = 2))))");
        assert_eq!(nested.iter().map(|clause| clause.left.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn a_function_counts_on_the_right_only_with_a_column() {
        assert_eq!(clauses("(b.x = lower(a.y))")[0].right_functions(), ["lower"]);
        assert!(clauses("(b.x = lower($1))")[0].right_functions().is_empty());
        assert!(clauses("(b.x = ANY (ARRAY[a.y, 'z']))")[0].right_functions().is_empty());
        let types = ["date".to_owned(), "text[]".to_owned()];
        for (text, kind) in [
            ("(b.x = '1'::numeric)", Some("numeric")),
            ("(b.x = $1)", Some("date")),
            ("(b.x = ANY ($2))", Some("text")),
            ("(b.x = ANY ('{1}'::integer[]))", Some("integer")),
            ("(b.x = a.y)", None),
        ] {
            assert_eq!(clauses(text)[0].right_type(&types), kind, "{text}");
        }
    }
}

//! Names in a text without a schema: what they stand for is decided by the `search_path` under which the text runs.

use super::targets::cut;
use crate::tokens::Token;

/// The first of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Loose {
    /// A relation or a type, which the schema for temporary objects may hold too.
    pub(crate) relation: Option<String>,
    /// A function or an operator, which is never looked for there.
    pub(crate) call: Option<String>,
}

/// Types that the grammar knows, and words that stand where a type could.
const NO_TYPES: [&str; 25] = [
    "alias",
    "bigint",
    "bit",
    "boolean",
    "char",
    "character",
    "cursor",
    "dec",
    "decimal",
    "double",
    "float",
    "int",
    "integer",
    "interval",
    "national",
    "nchar",
    "no",
    "numeric",
    "real",
    "record",
    "scroll",
    "smallint",
    "time",
    "timestamp",
    "varchar",
];

/// Types that a string often stands behind.
const BEFORE_STRINGS: [&str; 8] = ["date", "inet", "json", "jsonb", "regclass", "text", "timestamptz", "uuid"];

/// Words before a parenthesis that call nothing.
const NO_CALLS: [&str; 38] = [
    "all", "and", "any", "array", "as", "by", "case", "cast", "coalesce", "cube", "else", "elsif", "exists", "filter",
    "from", "greatest", "grouping", "if", "in", "into", "join", "lateral", "least", "not", "nullif", "on", "operator",
    "or", "over", "return", "rollup", "row", "select", "some", "then", "using", "values", "when",
];

/// Words that end a list of tables.
const ENDS_LIST: [&str; 17] = [
    "except",
    "fetch",
    "for",
    "group",
    "having",
    "intersect",
    "into",
    "limit",
    "loop",
    "offset",
    "order",
    "returning",
    "select",
    "set",
    "union",
    "where",
    "window",
];

/// Calls in which FROM stands before no table.
const FROM_IN_CALLS: [&str; 4] = ["extract", "overlay", "substring", "trim"];

/// What is open in one pair of parentheses.
#[derive(Debug, Default)]
struct Frame {
    /// It is one of the calls with a FROM of their own.
    from_in_call: bool,
    cast: bool,
    /// A comma stands before another table.
    lists: bool,
}

/// Finds them. What cannot be told apart counts as one.
pub(crate) fn loose(tokens: &[Token]) -> Loose {
    let mut reader = Reader { tokens, loose: Loose::default(), frames: vec![Frame::default()], queries: Vec::new() };
    let mut declares = false;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Word(word) => {
                declares = word == "declare" || declares && word != "begin";
                reader.word(at, word);
            }
            Token::Operator(operator) => reader.operator(at, operator),
            Token::Other(other) => reader.other(at, *other),
            Token::Quoted(_) | Token::Text(_) => {}
        }
        reader.call(at);
        let begins = token == &Token::Other(';') || reader.is(Some(at), &["declare"]);
        if declares && begins && !reader.is(Some(at + 1), &["begin"]) {
            let constant = reader.is(Some(at + 2), &["constant"]);
            reader.type_at(at + if constant { 3 } else { 2 });
        }
    }
    reader.loose
}

struct Reader<'a> {
    tokens: &'a [Token],
    loose: Loose,
    frames: Vec<Frame>,
    /// The names that WITH gave to queries of this statement.
    queries: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn is(&self, at: Option<usize>, words: &[&str]) -> bool {
        let word = at.and_then(|at| self.tokens.get(at));
        matches!(word, Some(Token::Word(word)) if words.contains(&word.as_str()))
    }

    fn is_other(&self, at: Option<usize>, other: char) -> bool {
        at.and_then(|at| self.tokens.get(at)) == Some(&Token::Other(other))
    }

    fn name(&self, at: usize) -> Option<&'a str> {
        match self.tokens.get(at)? {
            Token::Word(name) | Token::Quoted(name) => Some(cut(name)),
            _ => None,
        }
    }

    fn frame(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn other(&mut self, at: usize, other: char) {
        let before = at.checked_sub(1);
        match other {
            '(' => {
                let from_in_call = self.is(before, &FROM_IN_CALLS);
                let cast = self.is(before, &["cast"]);
                self.frames.push(Frame { from_in_call, cast, lists: false });
            }
            ')' => {
                self.frames.pop();
            }
            ';' => {
                self.queries.clear();
                self.frames = vec![Frame::default()];
            }
            ',' if self.frame().lists => self.relation(at + 1),
            ':' if self.is_other(before, ':') => self.type_at(at + 1),
            _ => {}
        }
    }

    fn word(&mut self, at: usize, word: &'a str) {
        let before = at.checked_sub(1);
        if self.is_other(before, '.') {
            return;
        }
        match word {
            "as" if self.frame().cast => self.type_at(at + 1),
            "as" => self.query(at),
            _ if BEFORE_STRINGS.contains(&word) && matches!(self.tokens.get(at + 1), Some(Token::Text(_))) => {
                self.type_at(at)
            }
            _ if self.names_relations(at, word) => {
                self.frame().lists = word != "into" && word != "table";
                self.relation(at + 1);
            }
            _ if ENDS_LIST.contains(&word) => self.frame().lists = false,
            _ => {}
        }
    }

    fn names_relations(&mut self, at: usize, word: &str) -> bool {
        let before = at.checked_sub(1);
        match word {
            "from" => {
                let distinct = self.is(before, &["distinct"]) && self.is(at.checked_sub(2), &["is", "not"]);
                !distinct && !self.frame().from_in_call
            }
            "join" => true,
            "into" => self.is(before, &["insert", "merge"]),
            "update" => !self.is(before, &["for", "key", "on", "do"]) && !self.is(Some(at + 1), &["set"]),
            "using" => {
                let assigns = matches!(self.tokens.get(at + 2), Some(Token::Operator(operator)) if operator == "=");
                !assigns && !self.is_other(Some(at + 1), '(')
            }
            "table" => !self.is(before, &["returns", "create", "temp", "temporary", "unlogged"]),
            _ => false,
        }
    }

    /// A query that WITH gives a name to, if there is one before this AS.
    fn query(&mut self, as_at: usize) {
        let mut body = as_at + 1;
        while self.is(Some(body), &["not", "materialized"]) {
            body += 1;
        }
        if !self.is_other(Some(body), '(') {
            return;
        }
        let mut name = as_at.checked_sub(1);
        if self.is_other(name, ')') {
            name = self.tokens[..as_at].iter().rposition(|token| *token == Token::Other('('));
            name = name.and_then(|open| open.checked_sub(1));
        }
        let begins = name.and_then(|name| name.checked_sub(1));
        if self.is(begins, &["with", "recursive"]) || self.is_other(begins, ',') {
            self.queries.extend(name.and_then(|name| self.name(name)));
        }
    }

    /// The table or view that is named here.
    fn relation(&mut self, mut at: usize) {
        while self.is(Some(at), &["only", "lateral"]) || self.is_other(Some(at), '(') {
            at += 1;
        }
        let Some(name) = self.name(at) else { return };
        let is_query = self.is(Some(at), &["select", "values", "with", "table"]);
        let qualified = self.is_other(Some(at + 1), '.');
        let called = self.is_other(Some(at + 1), '(') && !self.is(at.checked_sub(1), &["into"]);
        if !is_query && !qualified && !called && !self.queries.contains(&name) {
            self.found(name);
        }
    }

    /// The type that is named here.
    fn type_at(&mut self, at: usize) {
        let at = if self.is(Some(at), &["setof"]) { at + 1 } else { at };
        let Some(name) = self.name(at) else { return };
        let mut parts = 1;
        let mut end = at + 1;
        while self.is_other(Some(end), '.') && self.name(end + 1).is_some() {
            parts += 1;
            end += 2;
        }
        let copied = matches!(self.tokens.get(end), Some(Token::Operator(operator)) if operator.starts_with('%'));
        let wanted = if copied && self.is(Some(end + 1), &["type"]) { 3 } else { 2 };
        if parts < wanted && (copied || !self.is(Some(at), &NO_TYPES)) {
            self.found(name);
        }
    }

    fn found(&mut self, name: &str) {
        self.loose.relation.get_or_insert_with(|| name.to_owned());
    }

    fn call(&mut self, at: usize) {
        let qualified = self.is_other(at.checked_sub(1), '.');
        let calls = self.is_other(Some(at + 1), '(') && !self.is(Some(at), &NO_CALLS);
        if let Some(name) = self.name(at).filter(|_| calls && !qualified) {
            self.loose.call.get_or_insert_with(|| name.to_owned());
        }
    }

    fn operator(&mut self, at: usize, operator: &str) {
        let before = at.checked_sub(1);
        let star = operator == "*"
            && (self.is(before, &["select", "distinct", "all"])
                || [',', '('].iter().any(|c| self.is_other(before, *c)));
        let assigns = self.is_other(before, ':') || operator == "=>" || operator == "%";
        if !star && !assigns && !self.is_other(before, '.') {
            self.loose.call.get_or_insert_with(|| operator.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::tokens;

    fn found(text: &str) -> Option<String> {
        loose(&tokens(text).unwrap()).relation
    }

    #[test]
    fn relations_and_types_without_a_schema_are_found_wherever_they_stand() {
        for (text, name) in [
            ("SELECT * FROM countries", "countries"),
            ("SELECT * FROM public.a, b", "b"),
            ("SELECT * FROM public.a AS x (c, d) JOIN ONLY \"B\" ON true", "B"),
            ("SELECT * FROM (a JOIN public.b ON true)", "a"),
            ("BEGIN INSERT INTO feed VALUES (1); END", "feed"),
            ("INSERT INTO feed (x) VALUES (1)", "feed"),
            ("BEGIN IF a THEN UPDATE feed SET x = 1; END IF; END", "feed"),
            ("DELETE FROM public.a USING b", "b"),
            ("TABLE a", "a"),
            ("WITH n AS (SELECT 1) SELECT * FROM n; SELECT * FROM n", "n"),
            ("SELECT $1::text", "text"),
            ("SELECT CAST(x AS kind)", "kind"),
            ("SELECT date '2025-01-01'", "date"),
            ("DECLARE a public.t; b CONSTANT text := ''; BEGIN END", "text"),
            ("DECLARE a t%ROWTYPE; BEGIN END", "t"),
            ("DECLARE a t.c%TYPE; BEGIN END", "t"),
        ] {
            assert_eq!(found(text).as_deref(), Some(name), "{text}");
        }
    }

    #[test]
    fn what_has_a_schema_and_what_is_no_relation_is_not_found() {
        for text in [
            "WITH n AS (SELECT 1), m (a, b) AS MATERIALIZED (SELECT 1, 2) SELECT * FROM n, m, public.c",
            "SELECT extract(year FROM x), a IS DISTINCT FROM b, x::int FROM pg_catalog.generate_series(1, 2) AS x",
            "SELECT 1 FROM public.a JOIN public.b USING (id) ORDER BY 1, 2 FOR UPDATE",
            "DECLARE n bigint; r record; t public.t%ROWTYPE; c public.t.c%TYPE; BEGIN SELECT 1 INTO n FROM public.a; END",
            "INSERT INTO public.a VALUES (1) ON CONFLICT DO UPDATE SET x = 1",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn functions_and_operators_without_a_schema_are_told_apart() {
        let call = |text: &str| loose(&tokens(text).unwrap()).call;
        assert_eq!(call("SELECT pg_catalog.now(), 1 OPERATOR(pg_catalog.+) 2, * FROM public.a"), None);
        assert_eq!(call("SELECT now()").as_deref(), Some("now"));
        assert_eq!(call("SELECT a || b").as_deref(), Some("||"));
    }
}

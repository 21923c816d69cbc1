//! Where a text reads a setting: the call of `current_setting`, and what is done with its value behind it, such as a cast or a step into JSON.
//!
//! The server prints an expression in postfix order, `(((current_setting('a.b'::text))::jsonb -> 'c'::text) ->> 'd'::text)`, so that what is done
//! with the value follows the call, token by token.

use serde::Serialize;
use tenancy_config::tenancy::TenantSetting;

use crate::tokens::Token;

/// The setting in which the functions of Supabase and PostgREST find the claims of a token.
const JWT_CLAIMS: &str = "request.jwt.claims";

/// A setting that a text reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingRead {
    /// The setting, with the claim in it that is read.
    pub setting: TenantSetting,
    /// The function that reads it, such as `auth.jwt`, where that is not `current_setting`.
    pub through: Option<String>,
    /// No error where the setting was never set: `current_setting(…, true)`.
    pub missing_ok: bool,
    /// The type that the setting is cast to, where '' is no value of it and no `NULLIF` takes that away.
    pub fails_on_empty: Option<String>,
}

/// The same with its place among the tokens.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) read: SettingRead,
    /// The value is text, or was cast from text: the end of a path into JSON is `->>`.
    pub(super) is_text: bool,
    /// The first token of the value.
    pub(super) begin: usize,
    /// The first token behind it.
    pub(super) end: usize,
}

/// What a parenthesis before the call belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    Nothing,
    NullIf,
    Select,
}

/// The settings that a text reads, in its order.
pub(super) fn places(tokens: &[Token]) -> Vec<Place> {
    (0..tokens.len()).filter_map(|at| Scan::begin(tokens, at).map(Scan::run)).collect()
}

struct Scan<'t> {
    tokens: &'t [Token],
    /// Parentheses around the call that are open, the innermost last, each with its first token.
    around: Vec<(Around, usize)>,
    place: Place,
    /// '' cannot come this far.
    no_empty: bool,
}

impl<'t> Scan<'t> {
    fn begin(tokens: &'t [Token], at: usize) -> Option<Self> {
        let called = |words: &[&str]| begins_with(&tokens[at..], words);
        let (setting, through, missing_ok, end) = if called(&["current_setting", "("]) {
            let Some(Token::Text(variable)) = tokens.get(at + 2) else { return None };
            let after = behind_casts(tokens, at + 3);
            let missing_ok = begins_with(&tokens[after..], &[",", "true"]);
            let end = if missing_ok { after + 2 } else { after };
            (TenantSetting::plain(variable), None, missing_ok, end)
        } else if called(&["auth", ".", "jwt", "("]) {
            (TenantSetting::plain(JWT_CLAIMS), Some("auth.jwt".to_owned()), true, at + 4)
        } else {
            return None;
        };
        if !is(tokens.get(end), ")") {
            return None;
        }
        let begin = if at >= 2 && begins_with(&tokens[at - 2..], &["pg_catalog", "."]) { at - 2 } else { at };
        let no_empty = through.is_some();
        let read = SettingRead { setting, through, missing_ok, fails_on_empty: None };
        let place = Place { read, is_text: true, begin, end: end + 1 };
        Some(Self { tokens, around: around(tokens, begin), place, no_empty })
    }

    fn run(mut self) -> Place {
        while self.step() {}
        self.place
    }

    /// Goes on by what follows, if that is done with the value.
    fn step(&mut self) -> bool {
        let rest = &self.tokens[self.place.end..];
        match rest {
            [colon, second, ..] if is(Some(colon), ":") && is(Some(second), ":") => self.cast(),
            [Token::Operator(step), Token::Text(name), ..] if step == "->" || step == "->>" => {
                self.descend(step == "->>", vec![name.clone()])
            }
            [Token::Operator(step), Token::Text(path), ..] if step == "#>" || step == "#>>" => {
                path_of(path).is_some_and(|path| self.descend(step == "#>>", path))
            }
            [comma, Token::Text(empty), ..] if is(Some(comma), ",") && empty.is_empty() => self.null_if(),
            [first, ..] if is(Some(first), ")") => self.close(1, Around::Nothing) || self.close(1, Around::Select),
            [Token::Word(word), _, ..] if word == "as" => self.close(3, Around::Select),
            _ => false,
        }
    }

    fn cast(&mut self) -> bool {
        let (name, end) = type_name(self.tokens, self.place.end + 2);
        let holds_text = matches!(name.as_str(), "text" | "character varying" | "varchar" | "character");
        if !holds_text && !self.no_empty && self.place.read.setting.claim.is_empty() {
            self.place.read.fails_on_empty.get_or_insert(name);
        }
        self.place.end = end;
        true
    }

    fn descend(&mut self, to_text: bool, path: Vec<String>) -> bool {
        // Behind `->>` the value is text again; a step into that is none into the same document.
        if self.place.read.setting.claim.is_empty() || !self.place.is_text {
            self.place.read.setting.claim.extend(path);
            self.place.is_text = to_text;
            self.place.end = behind_casts(self.tokens, self.place.end + 2);
            return true;
        }
        false
    }

    fn null_if(&mut self) -> bool {
        let end = behind_casts(self.tokens, self.place.end + 2);
        let in_claim = !self.place.read.setting.claim.is_empty();
        let closes = is(self.tokens.get(end), ")");
        let done = closes && self.close(end + 1 - self.place.end, Around::NullIf);
        self.no_empty |= done && !in_claim;
        done
    }

    /// Goes on behind a parenthesis that is so many tokens long from here, if it is of this kind.
    fn close(&mut self, tokens: usize, kind: Around) -> bool {
        let end = self.place.end + tokens;
        if !is(self.tokens.get(end - 1), ")") {
            return false;
        }
        match self.around.last() {
            Some((around, begin)) if *around == kind => {
                (self.place.begin, self.place.end) = (*begin, end);
                self.around.pop();
                true
            }
            _ => false,
        }
    }
}

/// The parentheses that are open before a token and hold nothing else before it, the innermost last.
fn around(tokens: &[Token], mut begin: usize) -> Vec<(Around, usize)> {
    const NO_FUNCTIONS: [&str; 12] =
        ["and", "or", "not", "in", "select", "where", "using", "check", "on", "when", "then", "else"];
    let word = |at: Option<usize>| match at.and_then(|at| tokens.get(at)) {
        Some(Token::Word(word)) => Some(word.as_str()),
        Some(Token::Quoted(_)) => Some("\""),
        _ => None,
    };
    let mut around = Vec::new();
    loop {
        let mut kind = Around::Nothing;
        if word(begin.checked_sub(1)) == Some("select") {
            (kind, begin) = (Around::Select, begin - 1);
        }
        let Some(open) = begin.checked_sub(1).filter(|open| is(tokens.get(*open), "(")) else { break };
        begin = match word(open.checked_sub(1)) {
            Some("nullif") if kind == Around::Nothing => {
                kind = Around::NullIf;
                open - 1
            }
            Some(other) if !NO_FUNCTIONS.contains(&other) => break,
            _ => open,
        };
        around.push((kind, begin));
    }
    // The innermost was found first.
    around.reverse();
    around
}

/// Behind the casts that follow, whatever they are to.
pub(super) fn behind_casts(tokens: &[Token], mut at: usize) -> usize {
    while begins_with(&tokens[at.min(tokens.len())..], &[":", ":"]) {
        at = type_name(tokens, at + 2).1;
    }
    at
}

/// The name of a type without its schema, and what follows it.
fn type_name(tokens: &[Token], at: usize) -> (String, usize) {
    let word = |at: usize| match tokens.get(at) {
        Some(Token::Word(word) | Token::Quoted(word)) => Some(word),
        _ => None,
    };
    let Some(first) = word(at) else { return (String::new(), at) };
    let (mut name, mut at) = (first.clone(), at + 1);
    while let Some(part) = word(at + 1).filter(|_| is(tokens.get(at), ".")) {
        (name, at) = (part.clone(), at + 2);
    }
    for second in ["varying", "precision"] {
        if is(tokens.get(at), second) {
            (name, at) = (format!("{name} {second}"), at + 1);
        }
    }
    for (open, close) in [("(", ")"), ("[", "]")] {
        if is(tokens.get(at), open)
            && let Some(length) = tokens[at..].iter().position(|token| is(Some(token), close))
        {
            at += length + 1;
        }
    }
    let zoned = ["with", "without"].iter().any(|with| begins_with(&tokens[at..], &[with, "time", "zone"]));
    (name, if zoned { at + 3 } else { at })
}

/// The names in `{a,b}`. A name that needs quotes there has what a path here is not read with; a number may be the place in a list, which `->` with
/// a name does not find.
fn path_of(array: &str) -> Option<Vec<String>> {
    let names = array.strip_prefix('{')?.strip_suffix('}')?;
    let plain = !names.is_empty() && !names.contains(['"', '\\', '{', ' ']);
    let names: Vec<String> = plain.then(|| names.split(',').map(str::to_owned).collect())?;
    let is_place = |name: &String| name.parse::<i64>().is_ok();
    (!names.iter().any(is_place)).then_some(names)
}

/// Whether a token is this word, or this character.
pub(super) fn is(token: Option<&Token>, text: &str) -> bool {
    match token {
        Some(Token::Word(word)) => word == text,
        Some(Token::Operator(operator)) => operator == text,
        Some(Token::Other(c)) => text.chars().eq([*c]),
        _ => false,
    }
}

/// Whether tokens begin with these words and characters.
pub(super) fn begins_with(tokens: &[Token], words: &[&str]) -> bool {
    tokens.len() >= words.len() && words.iter().zip(tokens).all(|(word, token)| is(Some(token), word))
}

//! Which tables and views a text writes to, as far as its statements name them.

use std::collections::BTreeSet;

use crate::tokens::Token;

/// What a statement writes to, as the text names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    /// The schema, where the text has it.
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

/// What stands after INSERT INTO, MERGE INTO, UPDATE and DELETE FROM. What stands after UPDATE elsewhere, such as SET, is among it too.
pub(crate) fn targets(tokens: &[Token]) -> BTreeSet<Target> {
    let is = |at: Option<usize>, words: &[&str]| {
        let word = at.and_then(|at| tokens.get(at));
        matches!(word, Some(Token::Word(word)) if words.contains(&word.as_str()))
    };
    let names_one = |at: usize| {
        let before = at.checked_sub(1);
        is(Some(at), &["update"])
            || is(Some(at), &["into"]) && is(before, &["insert", "merge"])
            || is(Some(at), &["from"]) && is(before, &["delete"])
    };
    let after = |at: usize| tokens.get(if is(Some(at + 1), &["only"]) { at + 2 } else { at + 1 }..);
    (0..tokens.len()).filter(|at| names_one(*at)).filter_map(|at| target(after(at)?)).collect()
}

/// The name at the beginning, with what its dots part.
fn target(tokens: &[Token]) -> Option<Target> {
    let mut target = Target { schema: None, name: name(tokens.first()?)? };
    for part in tokens[1..].chunks(2) {
        let [Token::Other('.'), part] = part else { break };
        target = Target { schema: Some(target.name), name: name(part)? };
    }
    Some(target)
}

fn name(token: &Token) -> Option<String> {
    match token {
        Token::Word(name) | Token::Quoted(name) => Some(cut(name).to_owned()),
        _ => None,
    }
}

/// A name as the server cuts it where it is too long.
pub(crate) fn cut(name: &str) -> &str {
    let mut end = name.len().min(63);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::tokens;

    fn found(text: &str) -> Vec<String> {
        let targets = targets(&tokens(text).unwrap());
        targets.into_iter().map(|t| format!("{}{}", t.schema.map(|s| s + ".").unwrap_or_default(), t.name)).collect()
    }

    #[test]
    fn what_is_written_is_told_from_what_is_read() {
        for (text, wanted) in [
            ("INSERT INTO feed SELECT code FROM countries", "feed"),
            ("BEGIN INSERT INTO public.\"Feed\" (a) VALUES (NEW.a); RETURN NEW; END", "public.Feed"),
            ("UPDATE ONLY feed SET a = 1 FROM countries", "feed"),
            ("DELETE FROM db.audit.feed", "audit.feed"),
            ("MERGE INTO feed USING countries ON true WHEN MATCHED THEN DO NOTHING", "feed"),
            ("INSERT /* here */ INTO -- there\n feed DEFAULT VALUES", "feed"),
        ] {
            assert_eq!(found(text), [wanted], "{text}");
        }
        for text in ["SELECT a INTO feed FROM countries", "SELECT 'INSERT INTO feed'", "SELECT 1 FROM feed"] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}

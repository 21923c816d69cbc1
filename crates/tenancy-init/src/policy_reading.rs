//! What an existing policy says, by its form. `pg_get_expr` prints an expression in one way only, so a form is recognised by its tokens, without
//! parentheses and casts.

use std::fmt;

/// What a policy compares rows with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyReading {
    /// A column with a session variable: what our policies do.
    SessionVariable {
        /// The column.
        column: String,
        /// The variable.
        variable: String,
        /// `current_setting(…, true)`: without it, the policy fails where the variable was never set.
        missing_ok: bool,
        /// The type that the variable is cast to, where '' is no value of it and no `NULLIF` takes that away.
        fails_on_empty: Option<String>,
    },
    /// A session variable, and something else.
    SessionVariableAndMore {
        /// The variable.
        variable: String,
    },
    /// Claims of a token as JSON.
    JsonClaims {
        /// The variable or function that has the claims.
        from: String,
    },
    /// The user of the session: `auth.uid()`.
    AuthUser,
    /// A list: `= ANY (…)`.
    AnyOf,
    /// A function decides.
    Function {
        /// Its name, with its schema where that is printed.
        function: String,
    },
    /// Rows of other tables decide.
    Subquery,
    /// Every row.
    Everything,
    /// None of these.
    Other,
}

impl fmt::Display for PolicyReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionVariable { column, variable, .. } => {
                write!(f, "it compares {column} with the setting {variable}")
            }
            Self::SessionVariableAndMore { variable } => {
                write!(f, "it reads the setting {variable}, and more than that")
            }
            Self::JsonClaims { from } => write!(f, "it reads claims in JSON from {from}"),
            Self::AuthUser => f.write_str("it asks auth.uid() for the user"),
            Self::AnyOf => f.write_str("it compares with a list (= ANY)"),
            Self::Function { function } => write!(f, "the function {function} decides"),
            Self::Subquery => f.write_str("rows of other tables decide"),
            Self::Everything => f.write_str("it lets every row through"),
            Self::Other => f.write_str("its form is not one that is recognised"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Sign(String),
}

impl PolicyReading {
    /// Reads an expression that `pg_get_expr` printed.
    pub fn of(expression: &str) -> Self {
        let Some(all) = tokens(expression) else { return Self::Other };
        let (bare, casts) = without_casts(&all);
        let names =
            || bare.iter().filter_map(|token| if let Token::Name(name) = token { Some(name.as_str()) } else { None });
        let variable = variable(&bare);
        if let Some(from) = claims(&bare, variable.as_deref()) {
            return Self::JsonClaims { from };
        }
        if has_names(&bare, &["auth", ".", "uid"]) {
            return Self::AuthUser;
        }
        if let Some(variable) = variable {
            return session_variable(&bare, &casts).unwrap_or(Self::SessionVariableAndMore { variable });
        }
        if names().any(|name| name == "any") {
            return Self::AnyOf;
        }
        if names().any(|name| name == "select" || name == "exists") {
            return Self::Subquery;
        }
        match (function(&all), &bare[..]) {
            (Some(function), _) => Self::Function { function },
            (None, [Token::Name(name)]) if name == "true" => Self::Everything,
            _ => Self::Other,
        }
    }
}

/// `column = current_setting(…)`, with or without NULLIF, either way round.
fn session_variable(bare: &[Token], casts: &[String]) -> Option<PolicyReading> {
    let flat: Vec<&Token> =
        bare.iter().filter(|token| !matches!(token, Token::Sign(s) if s == "(" || s == ")")).collect();
    let at = flat.iter().position(|token| **token == Token::Sign("=".into()))?;
    let (left, right) = (&flat[..at], &flat[at + 1..]);
    let (column, value) =
        if right.len() == 1 { (right[0], left) } else { (*left.first().filter(|_| left.len() == 1)?, right) };
    let Token::Name(column) = column else { return None };
    let words: Vec<String> = value
        .iter()
        .map(|token| match token {
            Token::Name(name) => name.to_lowercase(),
            Token::Text(_) => "'".to_owned(),
            Token::Sign(sign) => sign.clone(),
        })
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // `( SELECT current_setting(…) AS current_setting)` is computed once for a statement, and the same otherwise.
    let words = match &words[..] {
        ["select", rest @ .., "as", _] => rest,
        words => words,
    };
    let (nullif, missing_ok) = match words {
        ["current_setting", "'"] => (false, false),
        ["current_setting", "'", ",", "true"] => (false, true),
        ["nullif", "current_setting", "'", ",", "'"] => (true, false),
        ["nullif", "current_setting", "'", ",", "true", ",", "'"] => (true, true),
        _ => return None,
    };
    let variable = variable(bare)?;
    let fails_on_empty =
        casts.iter().find(|cast| !nullif && !matches!(cast.as_str(), "text" | "character varying")).cloned();
    Some(PolicyReading::SessionVariable { column: column.clone(), variable, missing_ok, fails_on_empty })
}

/// What `current_setting` is called with.
fn variable(bare: &[Token]) -> Option<String> {
    bare.windows(3).find_map(|three| match three {
        [Token::Name(call), Token::Sign(open), Token::Text(variable)] if call == "current_setting" && open == "(" => {
            Some(variable.clone())
        }
        _ => None,
    })
}

fn claims(bare: &[Token], variable: Option<&str>) -> Option<String> {
    let json =
        bare.iter().any(|token| matches!(token, Token::Sign(sign) if sign.starts_with("->") || sign.starts_with("#>")));
    match variable {
        Some(variable) if json || variable.starts_with("request.jwt.") => Some(variable.to_owned()),
        None if has_names(bare, &["auth", ".", "jwt"]) => Some("auth.jwt()".to_owned()),
        _ => None,
    }
}

fn has_names(bare: &[Token], words: &[&str]) -> bool {
    bare.windows(words.len()).any(|window| {
        window.iter().zip(words).all(|(token, word)| match token {
            Token::Name(name) => name == word,
            Token::Sign(sign) => sign == word,
            Token::Text(_) => false,
        })
    })
}

/// The first name before a parenthesis that is no keyword.
fn function(all: &[Token]) -> Option<String> {
    let at = all.windows(2).position(|two| match two {
        [Token::Name(name), Token::Sign(open)] => {
            open == "(" && !["and", "or", "not", "in"].contains(&name.to_lowercase().as_str())
        }
        _ => false,
    })?;
    let Token::Name(name) = &all[at] else { return None };
    match at.checked_sub(2).map(|from| &all[from..at]) {
        Some([Token::Name(schema), Token::Sign(dot)]) if dot == "." => Some(format!("{schema}.{name}")),
        _ => Some(name.clone()),
    }
}

/// The tokens without `::type`, and the types.
fn without_casts(all: &[Token]) -> (Vec<Token>, Vec<String>) {
    let (mut bare, mut casts) = (Vec::new(), Vec::new());
    let mut rest = all;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != Token::Sign("::".into()) {
            bare.push(first.clone());
            continue;
        }
        let mut cast = Vec::new();
        while let Some((Token::Name(name), after)) = rest.split_first() {
            let goes_on = cast.is_empty() || ["varying", "precision"].contains(&name.as_str());
            if !goes_on {
                break;
            }
            cast.push(name.clone());
            rest = after;
            if let Some((Token::Sign(dot), after)) =
                rest.split_first().filter(|(sign, _)| **sign == Token::Sign(".".into()))
            {
                debug_assert_eq!(dot, ".");
                cast.clear();
                rest = after;
            }
        }
        casts.push(cast.join(" "));
    }
    (bare, casts)
}

/// The tokens of a printed expression; `None` where a quote has no end.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if c.is_whitespace() => c.len_utf8(),
            '\'' | '"' => {
                let (content, length) = quoted(rest, first)?;
                tokens.push(if first == '"' { Token::Name(content) } else { Token::Text(content) });
                length
            }
            c if c.is_alphanumeric() || c == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
                let word = &rest[..end];
                let keyword = word.chars().all(|c| c.is_ascii_uppercase());
                tokens.push(Token::Name(if keyword { word.to_lowercase() } else { word.to_owned() }));
                end
            }
            c if "+-*/<>=~!@#%^&|`?:".contains(c) => {
                let end = rest.find(|c| !"+-*/<>=~!@#%^&|`?:".contains(c)).unwrap_or(rest.len());
                tokens.push(Token::Sign(rest[..end].to_owned()));
                end
            }
            c => {
                tokens.push(Token::Sign(c.to_string()));
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    Some(tokens)
}

fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut content = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c != quote {
            content.push(c);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            content.push(quote);
        } else {
            return Some((content, at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(variable: &str, missing_ok: bool, fails_on_empty: Option<&str>) -> PolicyReading {
        let fails_on_empty = fails_on_empty.map(str::to_owned);
        PolicyReading::SessionVariable {
            column: "org_id".into(),
            variable: variable.into(),
            missing_ok,
            fails_on_empty,
        }
    }

    #[test]
    fn forms_are_recognised_as_the_server_prints_them() {
        let function = |name: &str| PolicyReading::Function { function: name.into() };
        let claims = |from: &str| PolicyReading::JsonClaims { from: from.into() };
        for (expression, reading) in [
            ("(org_id = (current_setting('app.org'::text))::uuid)", ours("app.org", false, Some("uuid"))),
            ("((org_id)::text = current_setting('app.org'::text, true))", ours("app.org", true, None)),
            (
                "(org_id = (NULLIF(current_setting('app.org'::text, true), ''::text))::uuid)",
                ours("app.org", true, None),
            ),
            (
                "(org_id = ( SELECT (current_setting('app.org'::text, true))::bigint AS current_setting))",
                ours("app.org", true, Some("bigint")),
            ),
            (
                "(org_id = (((current_setting('request.jwt.claims'::text, true))::json ->> 'org_id'::text))::uuid)",
                claims("request.jwt.claims"),
            ),
            ("(org_id = ((auth.jwt() ->> 'org'::text))::uuid)", claims("auth.jwt()")),
            ("(user_id = ( SELECT auth.uid() AS uid))", PolicyReading::AuthUser),
            ("app.is_member(org_id)", function("app.is_member")),
            ("(org_id = ANY (my_orgs()))", PolicyReading::AnyOf),
            ("(EXISTS ( SELECT 1 FROM members m WHERE (m.org_id = p.org_id)))", PolicyReading::Subquery),
            (
                "((org_id = (current_setting('app.org'::text))::uuid) OR (public = true))",
                PolicyReading::SessionVariableAndMore { variable: "app.org".into() },
            ),
            ("true", PolicyReading::Everything),
            ("(org_id IS NULL)", PolicyReading::Other),
        ] {
            assert_eq!(PolicyReading::of(expression), reading, "{expression}");
        }
    }
}

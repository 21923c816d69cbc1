//! Reads the blocks of a schema. Of those that are no models only the end is looked for.

use crate::model::{Attribute, Field, Model};
use crate::token::{Kind, Token, tokens};

/// A text is not a schema, or ends in the middle of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct SyntaxError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: &'static str,
}

type Result<T> = std::result::Result<T, SyntaxError>;

pub(crate) fn models(text: &str) -> Result<Vec<Model>> {
    let mut reader = Reader { text, tokens: tokens(text), next: 0 };
    let mut models = Vec::new();
    while reader.skip_newlines() {
        models.extend(reader.block()?);
    }
    Ok(models)
}

struct Reader<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    next: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.next).copied()
    }

    fn take(&mut self) -> Option<Token<'a>> {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn take_sign(&mut self, sign: char) -> bool {
        let is_there = self.peek().is_some_and(|token| token.kind == Kind::Sign(sign));
        self.next += usize::from(is_there);
        is_there
    }

    fn word(&mut self, what: &'static str) -> Result<&'a str> {
        match self.peek().map(|token| token.kind) {
            Some(Kind::Word(word)) => {
                self.next += 1;
                Ok(word)
            }
            _ => Err(self.wrong(what)),
        }
    }

    fn wrong(&self, what: &'static str) -> SyntaxError {
        let token = self.peek().or_else(|| self.tokens.last().copied());
        SyntaxError { line: token.map_or(1, |token| token.line), what }
    }

    /// Whether anything is left after the ends of lines.
    fn skip_newlines(&mut self) -> bool {
        while self.peek().is_some_and(|token| token.kind == Kind::Newline) {
            self.next += 1;
        }
        self.peek().is_some()
    }

    /// One block: `kind name { … }`.
    fn block(&mut self) -> Result<Option<Model>> {
        let line = self.peek().map_or(1, |token| token.line);
        let kind = self.word("a block begins with its kind, such as `model`")?;
        let name = self.word("a block has a name")?.to_owned();
        if !self.take_sign('{') {
            return Err(self.wrong("a `{` follows the name of a block"));
        }
        if kind != "model" {
            self.skip_block()?;
            return Ok(None);
        }
        let mut model = Model { name, line, fields: Vec::new(), attributes: Vec::new() };
        loop {
            if !self.skip_newlines() {
                return Err(self.wrong("a block does not end"));
            }
            if self.take_sign('}') {
                return Ok(Some(model));
            }
            if self.take_sign('@') {
                if !self.take_sign('@') {
                    return Err(self.wrong("an attribute of a model begins with `@@`"));
                }
                model.attributes.push(self.attribute()?);
            } else {
                model.fields.push(self.field()?);
            }
        }
    }

    fn skip_block(&mut self) -> Result<()> {
        let mut depth = 1;
        while let Some(token) = self.take() {
            match token.kind {
                Kind::Sign('{') => depth += 1,
                Kind::Sign('}') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
        Err(self.wrong("a block does not end"))
    }

    fn field(&mut self) -> Result<Field> {
        let line = self.peek().map_or(1, |token| token.line);
        let name = self.word("a field begins with its name")?.to_owned();
        let type_name = self.word("a field has a type")?.to_owned();
        if self.take_sign('(') {
            // Unsupported("…")
            self.arguments()?;
        }
        let list = self.take_sign('[') && self.take_sign(']');
        let optional = self.take_sign('?');
        let mut field = Field { name, line, type_name, optional, list, attributes: Vec::new() };
        while self.take_sign('@') {
            field.attributes.push(self.attribute()?);
        }
        match self.peek().map(|token| token.kind) {
            None | Some(Kind::Newline | Kind::Sign('}')) => Ok(field),
            Some(_) => Err(self.wrong("a field ends with its line")),
        }
    }

    /// An attribute, whose `@` was read.
    fn attribute(&mut self) -> Result<Attribute> {
        let mut name = self.word("an attribute has a name")?.to_owned();
        while self.take_sign('.') {
            name.push('.');
            name.push_str(self.word("a name follows the dot")?);
        }
        let arguments = if self.take_sign('(') { self.arguments()? } else { Vec::new() };
        Ok(Attribute { name, arguments })
    }

    /// What stands in parentheses, of which the first was read; divided at the commas that are in no other brackets.
    fn arguments(&mut self) -> Result<Vec<String>> {
        let (mut arguments, mut depth) = (Vec::new(), 0);
        let mut begin = self.peek().map_or(self.text.len(), |token| token.begin);
        while let Some(token) = self.take() {
            let Kind::Sign(sign) = token.kind else { continue };
            match sign {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth > 0 => depth -= 1,
                ')' | ',' if depth == 0 => {
                    let argument = self.text[begin..token.begin].trim();
                    if !argument.is_empty() {
                        arguments.push(argument.to_owned());
                    }
                    begin = token.end;
                    if sign == ')' {
                        return Ok(arguments);
                    }
                }
                _ => {}
            }
        }
        Err(self.wrong("a parenthesis is not closed"))
    }
}

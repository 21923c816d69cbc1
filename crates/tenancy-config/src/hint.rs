//! Sentences that name commands: what a user can do next.

use std::fmt::{self, Display};

use serde::{Serialize, Serializer};

use crate::command_ref::CommandRef;

/// A sentence, in pieces. Whoever shows it can tell a command from the words around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hint {
    pieces: Vec<Piece>,
}

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Words.
    Text(String),
    /// A command in the middle of a sentence. Plain text has it in backticks.
    Quoted(CommandRef),
    /// A command that ends a sentence or stands alone. Plain text has it as it is typed.
    Bare(CommandRef),
}

impl Hint {
    /// A sentence that begins with a command: `` `cargo xtask rls status` `` and what it is for.
    pub fn quoted(command: CommandRef) -> Self {
        Self::default().then_quoted(command)
    }

    /// A command alone.
    pub fn run(command: CommandRef) -> Self {
        Self::default().then_run(command)
    }

    /// Adds words.
    #[must_use]
    pub fn then(mut self, text: impl Into<String>) -> Self {
        self.pieces.push(Piece::Text(text.into()));
        self
    }

    /// Adds a command in the middle of the sentence.
    #[must_use]
    pub fn then_quoted(mut self, command: CommandRef) -> Self {
        self.pieces.push(Piece::Quoted(command));
        self
    }

    /// Adds a command at the end of the sentence.
    #[must_use]
    pub fn then_run(mut self, command: CommandRef) -> Self {
        self.pieces.push(Piece::Bare(command));
        self
    }

    /// Adds another sentence.
    #[must_use]
    pub fn then_hint(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// Whether its text has this in it.
    pub fn contains(&self, text: &str) -> bool {
        self.to_string().contains(text)
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self { pieces: vec![Piece::Text(text)] }
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// Two sentences are equal if they read the same.
impl PartialEq<str> for Hint {
    fn eq(&self, text: &str) -> bool {
        let said = self.to_string();
        said == text
    }
}

impl PartialEq<&str> for Hint {
    fn eq(&self, text: &&str) -> bool {
        *self == **text
    }
}

impl PartialEq<String> for Hint {
    fn eq(&self, text: &String) -> bool {
        *self == **text
    }
}

impl Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| piece.fmt(f))
    }
}

impl Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Quoted(command) => write!(f, "`{command}`"),
            Self::Bare(command) => command.fmt(f),
        }
    }
}

/// Its JSON is its text.
impl Serialize for Hint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_in_backticks_except_at_the_end() {
        let hint = Hint::quoted(CommandRef::BackfillRuns).then(" lists them; to go on: ").then_run(CommandRef::Audit);
        assert_eq!(hint.to_string(), "`cargo xtask backfill runs` lists them; to go on: cargo xtask audit");
        assert_eq!(serde_json::to_string(&hint).unwrap(), format!("\"{hint}\""));
    }
}

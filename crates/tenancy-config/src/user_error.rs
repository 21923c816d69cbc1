//! What every error tells the person who ran a command: what to do next (its hint), and the exit code of the process.

use crate::hint::Hint;

/// How a command ended that did not do everything that was asked. A command that did exits with 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// 1: it failed, for example by a lost connection, a missing right or a bug.
    Failed,
    /// 2: the usage or configuration is wrong; nothing was tried.
    Usage,
    /// 3: the answer is "not yet": there are findings or unresolved rows, some items failed, or a gate stops a table.
    NotYet,
    /// 4: refused for safety; nothing was written.
    Refused,
    /// 130: the operator stopped it. What was done is kept, and the same command resumes.
    Stopped,
}

impl Exit {
    /// The code that the process exits with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotYet => 3,
            Self::Refused => 4,
            Self::Stopped => 130, // 128 + SIGINT, as shells report it
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// An error that a command can end with.
pub trait UserError: std::error::Error {
    /// What the user can do about it.
    fn hint(&self) -> Option<Hint>;

    /// The exit code for this error.
    fn exit(&self) -> Exit;
}

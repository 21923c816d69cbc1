//! How wide a line may be.

use std::os::fd::AsFd;

use terminal_size::terminal_size_of;

/// The narrowest and the widest lines that are made for a terminal.
const NARROWEST: u16 = 60;
const WIDEST: u16 = 200;

/// How wide a line may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// The columns of a terminal.
    Columns(u16),
    /// No line is broken. Files and pipes get this: who searches in them expects a sentence or a row in one line.
    Unlimited,
}

impl Width {
    /// The width for a stream: a terminal has columns.
    pub(crate) fn of(stream: impl AsFd) -> Self {
        terminal_size_of(stream).map_or(Self::Unlimited, |(columns, _)| Self::of_terminal(columns.0))
    }

    /// The width for a terminal with so many columns.
    fn of_terminal(columns: u16) -> Self {
        Self::Columns(columns.clamp(NARROWEST, WIDEST))
    }

    /// The longest line, in columns.
    pub(crate) fn limit(self) -> usize {
        match self {
            Self::Columns(columns) => columns.into(),
            Self::Unlimited => usize::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_that_is_very_narrow_or_very_wide_is_read_as_one_that_can_be_read() {
        for (columns, width) in [(0, 60), (20, 60), (80, 80), (200, 200), (500, 200)] {
            assert_eq!(Width::of_terminal(columns), Width::Columns(width));
        }
    }
}

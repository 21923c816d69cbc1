//! What refers to something else, and as whom it reaches that.

/// Something that refers to something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    /// Reading a table or view.
    Relation(i64),
    /// What happens when somebody writes to it: triggers, rules, defaults, checks.
    Fired(i64),
    /// What happens to other tables when its rows are deleted.
    Deleted(i64),
    /// What happens to other tables when keys of its rows are changed.
    Updated(i64),
    /// The actions of a rule.
    Rule(i64),
    /// A call of a function.
    Function(i64),
}

/// As whom it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum As {
    /// Whoever reads the view, or runs the statement.
    Reader,
    /// Whoever runs the statement, whatever views lie between.
    Session,
    /// This role.
    Role(i64),
    /// Nobody at that moment: this role once stored what it saw.
    Stored(i64),
}

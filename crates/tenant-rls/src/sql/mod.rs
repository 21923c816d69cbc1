//! Statements, and the names in them.

pub(crate) mod quote;
pub(crate) mod template;
pub(crate) mod text;

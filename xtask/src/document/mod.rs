//! What a command answers: a report in one of its shapes, and the pieces that reports are made of.

pub(crate) mod markdown;
pub(crate) mod report;
pub(crate) mod summary;
pub(crate) mod text;

//! Reports of commands in each of their shapes, and the tables and lines that they are made of.

pub(crate) mod markdown;
pub(crate) mod report;
pub(crate) mod summary;
pub(crate) mod text;

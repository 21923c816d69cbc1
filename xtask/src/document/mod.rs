//! Reports as documents, and a file for each form in which they are shown.

pub(crate) mod block;
pub(crate) mod coverage;
#[cfg(test)]
mod examples;
mod html;
mod markdown;
pub(crate) mod report;
pub(crate) mod sparkline;
pub(crate) mod summary;
pub(crate) mod terminal;

//! What people and programs see of a command while it runs: the streams, the questions and the progress.

pub(crate) mod colour;
pub(crate) mod harmless;
pub(crate) mod printer;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod secrets;
pub(crate) mod width;

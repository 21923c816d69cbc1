//! Scopes. Each is one transaction with the settings that make it safe, and ends when its value is dropped.

pub(crate) mod audit;
pub(crate) mod batch;
pub(crate) mod catalog;
pub(crate) mod each;
pub(crate) mod insert;
pub(crate) mod owner;
pub(crate) mod planning;
pub(crate) mod probe;
pub(crate) mod tenant;

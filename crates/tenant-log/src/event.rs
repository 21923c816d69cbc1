//! One record that matters.

use crate::kind::What;
use crate::time::Millis;

/// What one record of a log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event<'a> {
    pub(crate) what: What,
    pub(crate) time: Option<Millis>,
    pub(crate) path: Option<&'a str>,
    pub(crate) tenant: Option<&'a str>,
    pub(crate) model: Option<&'a str>,
    pub(crate) request: Option<&'a str>,
}

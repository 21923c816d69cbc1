//! `platform_rows` of a table: whether its rows without a tenant are the platform's, and why.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Whether rows without a tenant are intended and belong to the whole platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PlatformRows {
    /// They are not: the key is not there, or `false`.
    #[default]
    None,
    /// They are, and nobody said why: `true`, the only form until 0.1.
    Unexplained,
    /// They are, for this reason.
    Because(String),
}

impl PlatformRows {
    /// Whether rows without a tenant are intended.
    pub fn are_meant(&self) -> bool {
        *self != Self::None
    }

    /// Why they are intended, if that is said.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Because(why) => Some(why),
            Self::None | Self::Unexplained => None,
        }
    }
}

impl<'de> Deserialize<'de> for PlatformRows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either)
    }
}

struct Either;

impl Visitor<'_> for Either {
    type Value = PlatformRows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reason as a text, or true or false")
    }

    fn visit_bool<E: Error>(self, meant: bool) -> Result<PlatformRows, E> {
        Ok(if meant { PlatformRows::Unexplained } else { PlatformRows::None })
    }

    fn visit_str<E: Error>(self, why: &str) -> Result<PlatformRows, E> {
        Ok(PlatformRows::Because(why.to_owned()))
    }
}

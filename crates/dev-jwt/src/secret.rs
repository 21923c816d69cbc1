//! The secret that keys are derived from. Nothing can print it.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// A secret of fewer bytes can be guessed from a token.
pub const SHORT: usize = 32;

/// Key material, overwritten when it is dropped.
pub struct Secret {
    first: Zeroizing<String>,
    /// Those that tokens of earlier sessions were made with.
    earlier: Vec<Zeroizing<String>>,
}

impl Secret {
    /// Takes the secret as the application gets it: nothing is trimmed.
    ///
    /// # Errors
    /// [`Error::EmptySecret`].
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = Zeroizing::new(text.into());
        if text.is_empty() { Err(Error::EmptySecret) } else { Ok(Self { first: text, earlier: Vec::new() }) }
    }

    /// Its length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "an empty one is not made")]
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// Accepts sessions of earlier secrets, too, as Auth.js does where secrets rotate. Empty ones are passed over.
    #[must_use]
    pub fn with_earlier(mut self, texts: impl IntoIterator<Item = String>) -> Self {
        self.earlier.extend(texts.into_iter().filter(|text| !text.is_empty()).map(Zeroizing::new));
        self
    }

    /// The one that signs.
    pub(crate) fn first(&self) -> &[u8] {
        self.first.as_bytes()
    }

    /// The one that signs, then the earlier ones.
    pub(crate) fn all(&self) -> impl Iterator<Item = &[u8]> {
        [&self.first].into_iter().chain(&self.earlier).map(|secret| secret.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_debug_form_shows_nothing_of_it() {
        let secret = Secret::new("hunter2").unwrap();
        assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(****) Secret(****)");
    }

    #[test]
    fn an_empty_one_is_none() {
        assert!(matches!(Secret::new(""), Err(Error::EmptySecret)));
    }
}

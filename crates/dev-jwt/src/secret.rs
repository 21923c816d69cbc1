//! The secret that keys are derived from. Nothing can print it.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// A secret of fewer bytes can be guessed from a token.
pub const SHORT: usize = 32;

/// Key material, overwritten when it is dropped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the secret as the application gets it: nothing is trimmed.
    ///
    /// # Errors
    /// [`Error::EmptySecret`].
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = Zeroizing::new(text.into());
        if text.is_empty() { Err(Error::EmptySecret) } else { Ok(Self(text)) }
    }

    /// Its length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "an empty one is not made")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
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

//! Options of relations, as the server reads them.

/// Whether an option is on. The server takes any unique beginning of `true`, `yes`, `false` and `no`, `on`, `off`, `1` and `0`, in any case.
pub(crate) fn is_on(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    let begins = |word: &str| !value.is_empty() && word.starts_with(&value);
    begins("true") || begins("yes") || value == "on" || value == "1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_spellings_of_true_are_on_and_others_are_off() {
        for value in ["true", "TRUE", "t", "tr", "on", "On", "1", "yes", "y"] {
            assert!(is_on(value), "{value}");
        }
        for value in ["false", "f", "off", "o", "0", "no", "", "trueish", "11"] {
            assert!(!is_on(value), "{value}");
        }
    }
}

//! Names of cookies as they are shown. What is no usual name may be a part of a value, and hold a secret.

/// What is shown instead of such a name.
const UNUSUAL: &str = "(an unusual name)";

/// The name, if it is made of words as names of cookies are: short parts between dots, dashes and underscores.
pub(crate) fn shown_name(name: &str) -> String {
    let usual = !name.is_empty()
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && name.split(['.', '-', '_']).all(|part| part.len() <= 15);
    if usual { name.to_owned() } else { UNUSUAL.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_value_is_not_shown_as_a_name() {
        for usual in ["__Secure-next-auth.session-token.0", "authjs.session-token.sandbox", "tenant_sig", "a"] {
            assert_eq!(shown_name(usual), usual);
        }
        for unusual in
            ["", "token:secret@host/", "next-auth.session-tokeniOiJkaXIiLCJlbmMi", "1b638306caf10bdde7b084cd", "a b"]
        {
            assert_eq!(shown_name(unusual), UNUSUAL, "{unusual}");
        }
    }
}

//! Whether a stream gets colours: `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR` and `TERM`, as <https://bixense.com/clicolors>
//! and <https://no-color.org> define them.

/// Decides for one stream. `env` reads the environment.
pub(crate) fn wanted(env: impl Fn(&str) -> Option<String>, terminal: bool) -> bool {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    let refused = set("CLICOLOR").is_some_and(|value| value == "0") || set("TERM").is_some_and(|value| value == "dumb");
    terminal && !refused
}

#[cfg(test)]
mod tests {
    use super::wanted;

    fn with<'a>(name: &'a str, value: &'a str) -> impl Fn(&str) -> Option<String> + use<'a> {
        move |asked| (asked == name).then(|| value.to_owned())
    }

    #[test]
    fn a_terminal_gets_colours_and_a_file_does_not() {
        assert!(wanted(|_| None, true));
        assert!(!wanted(|_| None, false));
    }

    #[test]
    fn no_color_wins_on_a_terminal_unless_it_is_empty() {
        assert!(!wanted(with("NO_COLOR", "1"), true));
        assert!(wanted(with("NO_COLOR", ""), true));
    }

    #[test]
    fn colours_can_be_forced_into_a_file_and_kept_from_a_terminal() {
        assert!(wanted(with("CLICOLOR_FORCE", "1"), false));
        assert!(!wanted(with("CLICOLOR", "0"), true));
        assert!(!wanted(with("TERM", "dumb"), true));
    }
}

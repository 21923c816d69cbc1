//! "Did you mean": finds the known name that is nearest to a mistyped one.

/// The known name that `wanted` was most likely meant to be, if one is near enough: at most one edit for every three
/// characters. Swapping two neighbours counts as one edit; capitals, `-` and `_` count as none.
pub fn closest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace('-', "_");
    let wanted = plain(wanted);
    let limit = (wanted.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wanted, &plain(name)), name))
        .filter(|&(edits, name)| edits <= limit && edits < name.chars().count())
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::closest;

    const KNOWN: [&str; 4] = ["platform_rows", "column", "sources", "key"];

    #[test]
    fn a_typing_mistake_is_recognised() {
        assert_eq!(closest("platfrom_rows", KNOWN), Some("platform_rows"));
        assert_eq!(closest("Platform-Rows", KNOWN), Some("platform_rows"));
        assert_eq!(closest("source", KNOWN), Some("sources"));
        assert_eq!(closest("kay", KNOWN), Some("key"));
    }

    #[test]
    fn another_word_is_not_a_typing_mistake() {
        assert_eq!(closest("colour", KNOWN), None);
        assert_eq!(closest("tenant", KNOWN), None);
        assert_eq!(closest("", KNOWN), None);
        assert_eq!(closest("x", ["y"]), None);
    }
}

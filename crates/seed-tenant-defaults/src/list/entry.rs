//! One tenant that a file or the command line names.

use crate::list::slug_fault::SlugFault;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) line: u64,
    /// The tenant's id or slug.
    pub(crate) tenant: String,
    /// The organization's name; none, an empty cell, means that of the defaults.
    pub(crate) organization_name: Option<String>,
}

/// That a name which no tenant has begins or ends with white space, which a file gets by accident.
pub(crate) fn stray_blanks(name: &str) -> Option<SlugFault> {
    (name.trim() != name).then_some(SlugFault::Blanks)
}

/// Why a name cannot be the slug of a new tenant. A slug is a part of host names and paths, so it has only small letters, digits, `-`
/// and `_`; anything else in a file is more likely a name in the wrong column.
pub(crate) fn no_slug(name: &str) -> Option<SlugFault> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if let Some(fault) = stray_blanks(name) {
        return Some(fault);
    }
    if name.len() > 63 {
        return Some(SlugFault::TooLong);
    }
    let ends = name.starts_with(['-', '_']) || name.ends_with(['-', '_']);
    (ends || !name.chars().all(allowed)).then_some(SlugFault::Characters)
}

#[cfg(test)]
mod tests {
    use super::no_slug;

    #[test]
    fn a_new_tenant_needs_a_slug_that_fits_a_host_name() {
        for slug in ["acme", "acme-2", "tenant_primary", "7"] {
            assert_eq!(no_slug(slug), None, "{slug}");
        }
        for name in ["Acme", "acme corp", "-acme", "acme_", "ácme", "a/b", "acme ", &"a".repeat(64)] {
            assert!(no_slug(name).is_some(), "{name}");
        }
    }
}

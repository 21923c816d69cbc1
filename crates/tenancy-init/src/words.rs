//! Names that people give to tenants and their columns.

/// Names of tables of tenants, in the singular.
const REGISTRIES: [&str; 10] =
    ["tenant", "organization", "organisation", "org", "workspace", "company", "account", "team", "client", "merchant"];

/// The usual stems of tenant columns, the clearest first. `account`, `client` and others name many things beside tenants.
const STEMS: [&str; 7] = ["tenant", "organization", "organisation", "org", "workspace", "company", "account"];

/// A name without what people write differently.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// `organizations` and `Organization` are both `organization`, `companies` is `company`.
pub(crate) fn singular(table: &str) -> String {
    let plain = plain(table);
    match plain.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => plain.strip_suffix('s').filter(|stem| !stem.ends_with('s')).unwrap_or(&plain).to_owned(),
    }
}

/// Whether a table is named as tables of tenants are.
pub(crate) fn names_a_registry(table: &str) -> bool {
    REGISTRIES.contains(&singular(table).as_str())
}

/// How usual a name is for a tenant column: 0 is the most usual.
pub(crate) fn tenant_column_rank(column: &str) -> Option<usize> {
    let plain = plain(column);
    let stem = plain.strip_suffix("id")?;
    STEMS.iter().position(|usual| *usual == stem)
}

/// Whether a column is named after a table: `org_id`, `orgId` for `orgs`.
pub(crate) fn is_named_after(column: &str, table: &str) -> bool {
    let (column, singular) = (plain(column), singular(table));
    column.strip_suffix("id").is_some_and(|stem| stem == singular)
        || column.strip_suffix("id") == Some("org") && matches!(singular.as_str(), "organization" | "organisation")
}

/// Whether a column is named after a table and its key: `school_code` for the key `code` of `schools`.
pub(crate) fn is_named_after_key(column: &str, table: &str, key: &str) -> bool {
    plain(column) == singular(table) + &plain(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_number_and_underscores() {
        assert_eq!((singular("companies").as_str(), singular("Organization").as_str()), ("company", "organization"));
        assert!(names_a_registry("Tenants") && !names_a_registry("bank_accounts"));
        assert!(is_named_after("orgId", "organizations") && is_named_after("workspace_id", "workspaces"));
        assert!(tenant_column_rank("tenantId") < tenant_column_rank("account_id"));
        assert!(is_named_after_key("school_code", "schools", "code") && !is_named_after_key("code", "schools", "code"));
        assert_eq!(tenant_column_rank("user_id"), None);
    }
}

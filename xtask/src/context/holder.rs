//! The name of whoever runs a command, as another operator reads it.

/// `ana on laptop, process 4711`.
pub(crate) fn name(env: impl Fn(&str) -> Option<String>) -> String {
    let set = |names: &[&str]| names.iter().find_map(|name| env(name).filter(|value| !value.is_empty()));
    let user = set(&["USER", "LOGNAME", "GITHUB_ACTOR"]).unwrap_or_else(|| "somebody".to_owned());
    let host = tenant_ops::host(&env).map_or_else(String::new, |host| format!(" on {host}"));
    format!("{user}{host}, process {}", std::process::id())
}

/// What the second of two operators reads while it waits for the first.
pub(crate) fn waiting(holder: &str) -> String {
    format!("{holder} holds the lease on this table; waiting to see whether it is alive")
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn it_names_user_host_and_process() {
        let env = |name: &str| match name {
            "USER" => Some("ana".to_owned()),
            "HOSTNAME" => Some("laptop".to_owned()),
            _ => None,
        };
        assert_eq!(name(env), format!("ana on laptop, process {}", std::process::id()));
    }
}

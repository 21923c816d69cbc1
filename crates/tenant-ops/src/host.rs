//! The name of this machine, for journals and for a second operator.

/// The machine's name, if it has one.
pub fn host(env: impl Fn(&str) -> Option<String>) -> Option<String> {
    // Shells know the host's name but rarely export it; on Linux the kernel tells.
    let kernel = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    env("HOSTNAME").filter(|name| !name.is_empty()).or_else(kernel).filter(|name| !name.is_empty())
}

/// The name of this machine, or words that say that it has none.
pub(crate) fn this_host() -> String {
    host(tenancy_config::environment::checked).unwrap_or_else(|| "unknown host".to_owned())
}

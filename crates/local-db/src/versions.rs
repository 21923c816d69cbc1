//! The supported versions of PostgreSQL, and how to install one.

use tenancy_config::environment;

/// The oldest major version that is supported.
pub const OLDEST: u32 = 14;
/// The newest major version that was tested. A newer one is used if no other is installed.
pub const NEWEST: u32 = 18;

/// How to install a server on this system.
pub(crate) fn install_hint(version: Option<u32>) -> String {
    let folders = environment::program_folders();
    let has = |program: &str| folders.iter().any(|folder| folder.join(program).is_file());
    let number = |separator: &str| version.map(|v| format!("{separator}{v}")).unwrap_or_default();
    let command = if has("brew") {
        format!("brew install postgresql@{}", version.unwrap_or(NEWEST))
    } else if has("apt-get") {
        format!("sudo apt-get install postgresql{}", number("-"))
    } else if has("dnf") {
        format!("sudo dnf install postgresql{}-server", number(""))
    } else if has("zypper") {
        format!("sudo zypper install postgresql{}-server", number(""))
    } else if has("pacman") {
        "sudo pacman -S postgresql".to_owned()
    } else if has("apk") {
        format!("sudo apk add postgresql{}", number(""))
    } else {
        "your system's package manager has it as `postgresql`".to_owned()
    };
    format!("install it: {command}; or install Node.js, whose npm brings one; or name its folder with --pg-bin")
}

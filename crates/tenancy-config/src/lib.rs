//! What the user said: names, settings, env files, URLs and `tenancy.toml`; and the files that settings are read from
//! and reports are written to. This crate connects to nothing.

mod closest;
pub mod csv;
mod env_files;
pub mod environment;
pub mod files;
mod milliseconds;
pub mod name;
pub mod plain;
mod redact;
pub mod settings;
pub mod tenancy;
pub mod trust;
pub mod url;
pub mod user_error;

pub use closest::closest;
pub use files::FileError;
pub use milliseconds::milliseconds;
pub use name::{Ident, NameError, TableName};
pub use redact::without_urls;
pub use settings::{DatabaseChoice, Flags, SettingOrigin, Settings};
pub use tenancy::{OnDelete, Tenancy};
pub use trust::Trust;
pub use url::DatabaseUrl;
pub use user_error::{Exit, UserError};

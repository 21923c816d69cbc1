//! What the user said: names, settings, env files, URLs and `tenancy.toml`; and the files that settings are read from
//! and reports are written to. This crate connects to nothing.

mod cause;
mod closest;
pub mod command_ref;
pub mod csv;
mod env_files;
pub mod environment;
pub mod files;
pub mod hint;
mod milliseconds;
pub mod name;
pub mod plain;
pub mod program;
mod quoted_urls;
pub mod settings;
pub mod tenancy;
pub mod trust;
pub mod url;
pub mod user_error;

pub use cause::why_and_cause;
pub use closest::closest;
pub use command_ref::CommandRef;
pub use files::FileError;
pub use hint::Hint;
pub use milliseconds::milliseconds;
pub use name::{Ident, NameError, TableName, operators_of};
pub use quoted_urls::without_urls;
pub use settings::{DatabaseChoice, Flags, SettingOrigin, Settings};
pub use tenancy::{OnDelete, SessionChecks, Tenancy};
pub use trust::Trust;
pub use url::DatabaseUrl;
pub use user_error::{Exit, UserError};

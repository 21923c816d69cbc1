//! `tenancy.toml`: the tables, columns, roles and sources of one application.

mod annotated;
mod annotated_auth;
mod annotated_log;
mod annotated_session;
mod auth;
mod auth_rules;
mod check;
mod checks;
mod default_app;
mod error;
mod fixed_policies;
mod log;
mod model;
mod notes;
mod platform_rows;
mod read;
mod setting;
mod toml_text;
mod wrap;

#[cfg(test)]
mod tests;

pub use annotated::{fragment, inline_source};
pub use auth::{AuthMemberships, AuthSection, JobSection, LoginDeclaration, LoginPurpose, LoginRight, LoginTable};
pub use error::TenancyError;
pub use fixed_policies::{FIXED_POLICIES, is_fixed_policy};
pub use log::{LogMessages, LogSection};
pub use model::{
    AddColumnRule, DatabaseSection, HopRule, OnDelete, ReviewRule, RolesSection, SessionChecks, SessionSection,
    SourceRule, TableRules, Tenancy, TenantSection, ThroughForm, ThroughRule, TieBreakerRule,
};
pub use notes::Notes;
pub use platform_rows::PlatformRows;
pub use read::line_at;
pub(crate) use read::{in_schema, names_schema};
pub use setting::TenantSetting;
pub use wrap::{comment, comments_in};

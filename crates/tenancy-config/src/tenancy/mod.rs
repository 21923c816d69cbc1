//! `tenancy.toml`: the tables, columns, roles and sources of one application.

mod annotated;
mod check;
mod default_app;
mod error;
mod model;
mod notes;
mod read;

#[cfg(test)]
mod tests;

pub use annotated::fragment;
pub use error::TenancyError;
pub use model::{
    DatabaseSection, OnDelete, ReviewRule, RolesSection, SessionSection, SourceRule, TableRules, Tenancy,
    TenantSection, TieBreakerRule,
};
pub use notes::Notes;
pub use read::line_at;
pub(crate) use read::{in_schema, names_schema};

//! The one crate that talks to PostgreSQL: settings, connections, tenant scopes and the catalog of tenant tables.
//!
//! Every job reads and writes through one of these scopes, each of which is one transaction:
//!
//! | scope | what it may see and do |
//! | --- | --- |
//! | [`TenantTx`] | one tenant: policies see its id for the whole transaction |
//! | [`TenantInsert`] | one tenant, inserts only, in one autocommit statement that sets the scope itself |
//! | [`BatchTx`] | a short write transaction that lends tenant scopes one after the other |
//! | [`AuditTx`] | read only, one snapshot: sees every row or fails, it never counts less |
//! | [`OwnerTx`] | DDL: `row_security = off`, a short `lock_timeout`, retried with backoff |
//! | [`ProbeTx`] | attempts at isolation, with any value of the session variable; it cannot be committed |
//!
//! A guard that is dropped without [`commit`](TenantTx::commit) rolls back, also after an error, a panic or a cancelled
//! future; what it was running on the server is cancelled there too.
//!
//! Only here are connections made and identifiers quoted into SQL; `clippy.toml` forbids both elsewhere.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // this crate is the replacement that the ban names

pub mod catalog;
mod columns;
pub mod csv;
mod database;
mod direct;
mod env_files;
pub mod environment;
mod error;
mod exit;
pub mod files;
mod ident;
pub mod plain;
mod redact;
mod retry;
mod same_database;
mod scope;
mod server_error;
mod session;
pub mod settings;
mod suggest;
mod template;
pub mod tenancy;
pub mod tenant;
pub mod trust;
pub mod url;
pub mod visibility;

pub use catalog::{Catalog, Leaf, TenantTable};
pub use columns::{Column, Generated};
pub use database::{ConnectOptions, Database, Limits};
pub use direct::DirectConnection;
pub use error::{Error, Result};
pub use exit::Exit;
pub use files::FileError;
pub use ident::{Ident, TableName};
pub use redact::without_urls;
pub use retry::{Backoff, retry_locks};
pub use same_database::same_database;
pub use scope::{AuditTx, BatchOptions, BatchTx, InsertInto, OwnerTx, ProbeTx, TenantInsert, TenantScope, TenantTx};
pub use server_error::{Fault, fault_of};
pub use session::{Pooler, SessionFacts};
pub use settings::{Flags, Origin, Settings, Target};
pub use suggest::closest;
pub use template::{Sql, Template};
pub use tenancy::Tenancy;
pub use tenant::{Tenant, TenantId, Tenants};
pub use trust::Trust;
pub use url::DatabaseUrl;
pub use visibility::{Access, ActingRole};

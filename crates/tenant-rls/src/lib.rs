//! The one crate that talks to PostgreSQL: connections, tenant scopes and the text of policies.
//!
//! Every job reads and writes through one of these scopes, each of which is one transaction:
//!
//! | scope | what it may see and do |
//! | --- | --- |
//! | [`TenantTx`] | one tenant: policies see its id for the whole transaction |
//! | [`TenantInsert`] | one tenant, inserts only, in one autocommit statement that sets the scope itself |
//! | [`BatchTx`] | a short write transaction that lends tenant scopes one after the other |
//! | [`AuditTx`] | read only, one snapshot: it sees every row or fails, and never counts less |
//! | [`EachTx`] | read only, table by table: it sees every row of one or fails for that one alone |
//! | [`OwnerTx`] | DDL: `row_security = off`, a short `lock_timeout`, retried with backoff |
//! | [`CatalogTx`] | reads the catalog |
//! | [`ProbeTx`] | attempts at isolation, with any value of the session variable; it cannot be committed |
//!
//! A guard that is dropped without [`commit`](TenantTx::commit) rolls back, also after an error, a panic or a cancelled
//! future, and its running statement is cancelled on the server.
//!
//! Connections are made and identifiers quoted into SQL only here; `clippy.toml` forbids both elsewhere.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // this crate is the replacement that the ban names

mod access;
mod connection;
mod error;
mod policy;
pub mod registry;
mod retry;
pub mod row_count;
mod scope;
mod server_error;
mod sql;
pub mod sqlstate;
mod statement_failure;
mod tenant_id;
pub mod visibility;

pub use access::{Access, ActingRole, Obstacle};
pub use connection::database::{ConnectOptions, Database, Limits};
pub use connection::direct::DirectConnection;
pub use connection::same_database::same_database;
pub use connection::session::{Pooler, SessionFacts};
pub use error::{Error, Result, fault_of};
pub use policy::column_type::{KeyFamily, TenantColumnType, holds_text};
pub use policy::isolation::{PolicyForm, TenantComparison, unassigned_policy};
pub use policy::login_policy::LoginPolicy;
pub use policy::membership_policy::MembershipPolicy;
pub use policy::parent::{LinkColumn, ParentComparison};
pub use policy::raising::{RaisingPolicy, raising_policy};
pub use policy::role_policy::RolePolicy;
pub use policy::setting::SessionSetting;
pub use registry::{Registry, Tenant};
pub use retry::{Backoff, retry_locks, retry_on};
pub use scope::audit::AuditTx;
pub use scope::batch::{BatchOptions, BatchTx, TenantScope};
pub use scope::catalog::CatalogTx;
pub use scope::each::{EachReader, EachTx};
pub use scope::insert::{GeneratedValue, TenantInsert, TenantRow, values_fit};
pub use scope::owner::{CATALOG_LOCK_TIMEOUT, OwnerTx};
pub use scope::planning::{Plan, PlanSettings, Planned, Scans};
pub use scope::probe::{ProbeSessions, ProbeTx, VariableBefore};
pub use scope::tenant::TenantTx;
pub use server_error::Fault;
pub use sql::quote::quoted_role;
pub use sql::template::Template;
pub use sql::text::Sql;
pub use statement_failure::StatementFailure;
pub use tenant_id::TenantId;

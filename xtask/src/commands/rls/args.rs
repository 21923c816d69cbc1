//! The options that several commands of `rls` share.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use rls_rollout::{Goal, LockRetry, RolloutOptions};
use tenant_inventory::{AskedColumn, Phase};

/// The options of `plan`, `setup` and `rollout`.
#[derive(Debug, Clone, Args)]
pub(super) struct RolloutArgs {
    /// Only these tables
    #[arg(long, value_delimiter = ',', value_name = "TABLE,…")]
    tables: Vec<String>,
    /// Give these tables, which have none, a tenant column: that of the row to which their foreign key, or COLUMN, points
    #[arg(long, value_delimiter = ',', value_name = "TABLE[=COLUMN],…", value_parser = asked_column)]
    add_column: Vec<AskedColumn>,
    /// Give all other tables one that have none and depend on tenants' rows; those with several ways to a tenant, none of which each row has, are named
    #[arg(long)]
    add_columns: bool,
    /// The role that the application logs in as [default: roles.app of tenancy.toml]
    #[arg(long, value_name = "ROLE")]
    app_role: Option<String>,
    /// The bridging policy of `prepare` lets write own rows only: for an application that always sets a tenant
    #[arg(long)]
    strict_writes: bool,
    /// Replace permissive policies of others, which would let through what ours do not
    #[arg(long)]
    adopt: bool,
    /// Tighten although rows reference another tenant's rows
    #[arg(long)]
    allow_cross_tenant_references: bool,
    /// Agree that policies filter the application itself where its role owns tables
    #[arg(long)]
    application_owns_tables: bool,
    /// The directory of the files ROLE.password, for the declared logins that the rollout makes [default: .]
    #[arg(long, value_name = "DIR")]
    password_dir: Option<PathBuf>,
    /// The file for the password of the login of sign-in instead
    #[arg(long, value_name = "FILE")]
    auth_password_file: Option<PathBuf>,
    #[command(flatten)]
    lock: LockArgs,
}

/// Reads `TABLE` or `TABLE=COLUMN`.
fn asked_column(text: &str) -> Result<AskedColumn, String> {
    let (table, through) = match text.split_once('=') {
        Some((table, column)) => (table.trim(), Some(column.trim().to_owned())),
        None => (text.trim(), None),
    };
    if table.is_empty() || through.as_ref().is_some_and(String::is_empty) {
        return Err("a table, or a table and its column that points to the other table: items=invoice_id".to_owned());
    }
    Ok(AskedColumn { table: table.to_owned(), through })
}

/// How long and how often a statement waits for its lock.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct LockArgs {
    /// How long a statement that others would wait behind waits for its lock
    #[arg(long, default_value = "500ms", value_parser = crate::context::duration_arg::parse, value_name = "TIME")]
    lock_timeout: Duration,
    /// How often it is tried, with growing waits in between
    #[arg(long, default_value_t = LockRetry::default().attempts, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    lock_attempts: u32,
}

impl From<LockArgs> for LockRetry {
    fn from(lock: LockArgs) -> Self {
        Self { lock_timeout: lock.lock_timeout, attempts: lock.lock_attempts }
    }
}

impl RolloutArgs {
    pub(super) fn options(self, goal: Goal) -> RolloutOptions {
        RolloutOptions {
            goal,
            tables: self.tables,
            add_columns: self.add_column,
            add_all_columns: self.add_columns,
            app_role: self.app_role,
            strict_writes: self.strict_writes,
            adopt: self.adopt,
            allow_cross_tenant_references: self.allow_cross_tenant_references,
            application_owns_tables: self.application_owns_tables,
            password_dir: self.password_dir,
            auth_password_file: self.auth_password_file,
            lock_retry: self.lock.into(),
        }
    }
}

/// The value of `--phase`.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum PhaseArg {
    Logins,
    Prepare,
    Tighten,
    Enforce,
    #[default]
    Auto,
}

impl From<PhaseArg> for Goal {
    fn from(phase: PhaseArg) -> Self {
        match phase {
            PhaseArg::Logins => Self::Logins,
            PhaseArg::Prepare => Self::Phase(Phase::Prepare),
            PhaseArg::Tighten => Self::Phase(Phase::Tighten),
            PhaseArg::Enforce => Self::Phase(Phase::Enforce),
            PhaseArg::Auto => Self::Auto,
        }
    }
}

/// The tables that were named, or all of them.
pub(super) fn named(tables: &[String]) -> String {
    if tables.is_empty() { "each table with a tenant column".to_owned() } else { tables.join(", ") }
}

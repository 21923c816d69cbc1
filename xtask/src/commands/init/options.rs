//! The options of `init`.

use clap::Args;

/// Write an annotated tenancy.toml from a database's catalog
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask init
  cargo xtask init --stdout
  cargo xtask init --tenant-table app.organizations --app-role web
  cargo xtask init --check
  cargo xtask init --database-url postgresql://… --output apps/web/tenancy.toml --force

It writes the file that --output names, else the one of --config or TENANCY_CONFIG, else ./tenancy.toml.
It asks at most four questions, on a terminal only. Each has an option: --tenant-table, --active, --variable, --app-role.")]
pub(crate) struct Options {
    /// Print it instead of writing a file
    #[arg(long, conflicts_with = "output")]
    pub(super) stdout: bool,
    /// Replace a file that is there, unless it says what a new one would not: reviews, reasons, tables that are gone
    #[arg(long)]
    pub(super) force: bool,
    /// Say what in the file no longer fits the database, and which tables stand nowhere in it (exit 3)
    #[arg(long, conflicts_with_all = ["stdout", "force", "update"])]
    pub(super) check: bool,
    /// Add new tables to the file, and renew proposals that init wrote and nobody changed; what people wrote stays
    #[arg(long, conflicts_with = "force")]
    pub(super) update: bool,
    /// The table with one row for each tenant
    #[arg(long, value_name = "NAME")]
    pub(super) tenant_table: Option<String>,
    /// The state of a tenant that is in use
    #[arg(long, value_name = "STATE")]
    pub(super) active: Option<String>,
    /// The setting that policies read the tenant from, or "the claim NAME of SETTING"
    #[arg(long, value_name = "NAME")]
    pub(super) variable: Option<String>,
    /// The role that the application logs in as [default: the user of APP_DATABASE_URL, else what the grants say]
    #[arg(long, value_name = "ROLE")]
    pub(super) app_role: Option<String>,
}

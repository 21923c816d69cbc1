//! `backfill memberships`: users without a membership, and memberships of users and tenants that are gone.

use backfill_engine::MembershipReport;
use clap::Args;
use tenancy_config::Exit;

use crate::context::{CommandResult, Context, stop};
use crate::document::block::{Document, Table, number, paragraph, text};
use crate::document::report::{self, Report};
use crate::number_format::{count, counted};

/// Count users without a membership, and memberships of users and tenants that are gone
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill memberships
  cargo xtask backfill memberships --table workspace_users --format json

The table is the one whose name speaks of members and that points to users; --table names another. It only reads, and ends
with 3 where there is something to find.")]
pub(super) struct Options {
    /// The table of the memberships
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
}

/// Counts them. It does not write to the database.
///
/// # Errors
/// The engine failed.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    report::refuse_csv("backfill memberships", context.global.format())?;
    let settings = context.settings()?;
    let counted = stop::at_once(async {
        let connected = context.connect(&settings).await?;
        context.printer.note(&format!("reading {}", connected.line()));
        let counted =
            MembershipReport::count(&connected.database, settings.tenancy(), options.table.as_deref()).await?;
        connected.database.close().await;
        Ok(counted)
    })
    .await?;
    context.report(&counted)?;
    Ok((counted.findings() > 0).then_some(Exit::NotYet))
}

impl Report for MembershipReport {
    const NAME: &'static str = "backfill memberships";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let row = |what: &str, rows: u64, meaning: String| vec![what.to_owned(), count(rows), meaning];
        let known = counted(self.without_known, "of them has", "of them have");
        let rows = [
            row("users", self.users, self.users_table.to_string()),
            row("without a membership", self.without, format!("{known} a tenant that exists")),
            row("only elsewhere", self.elsewhere, "they are members, but not of their own tenant".to_owned()),
            row("memberships", self.memberships, format!("{}, by {}", self.memberships_table, self.user_column)),
            row("of users that are gone", self.user_gone, String::new()),
            row("of tenants that are gone", self.tenant_gone, String::new()),
        ];
        let said = match self.findings() {
            0 => "0 users without a membership and 0 memberships of what is gone were counted.".to_owned(),
            _ => "A user without a membership may sign in to no tenant; one of what is gone is dead weight.".to_owned(),
        };
        Document::new([Table::new([text(""), number("rows"), text("")], rows).into(), paragraph(said)])
    }
}

//! `assign-chat-messages`: gives each chat message its author's tenant, or one tenant to all that have none.

use assign_chat_messages::{GivenTenant, MessageAssignment, MessageTenant};
use backfill_engine::BackfillReport;
use clap::{Args, ValueEnum};
use tenancy_config::Tenancy;
use tenant_rls::Database;

use crate::commands::backfill::args::BackfillArgs;
use crate::commands::backfill::session::{self, BackfillSession};
use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context, stop};
use crate::number_format::{count, counted};
use crate::terminal::printer::Printer;

/// The tenant that takes all messages if none is named. `TENANT_ID` is not read: it would silently widen or narrow a repair.
const PRIMARY: &str = "tenant_primary";

/// Give each chat message its author's tenant, or one tenant to all that are left
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask assign-chat-messages --dry-run
  cargo xtask assign-chat-messages --review review.csv
  cargo xtask assign-chat-messages --from tenant --tenant acme --dry-run
  cargo xtask assign-chat-messages --confirm production --format json --output chat.json

Ctrl-C ends it after the running batch; the same command goes on where it ended.")]
pub(crate) struct Options {
    /// Where the tenant comes from: each message's author, or one tenant for all messages without one
    #[arg(long, value_enum, default_value_t, value_name = "author|tenant", hide_possible_values = true)]
    from: From,
    /// With --from tenant: the tenant, by id or slug [default: tenant_primary]
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// With --from tenant: also a tenant that is not in use
    #[arg(long)]
    include_inactive: bool,
    #[command(flatten)]
    backfill: BackfillArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum From {
    #[default]
    Author,
    Tenant,
}

/// Runs the job on the database that the settings name.
///
/// # Errors
/// The job failed. What was committed stays.
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    let origin = origin(options.from, options.tenant, options.include_inactive)?;
    let session = BackfillSession::open(context, "assign-chat-messages", options.backfill).await?;
    let prepared = async { Ok(MessageAssignment::prepare(session.database(), session.tenancy(), &origin).await?) };
    let assignment = stop::at_once(prepared).await?;
    if let Some(given) = &assignment.given {
        say(&context.printer, given);
    }
    session.begin(&[&session.table(assign_chat_messages::TABLE)?]).await?;
    let report = assign(context, &assignment, session.database(), session.tenancy(), &session.options).await?;
    session.end(report).await
}

/// Runs the job with its progress and with Ctrl-C. The demo calls it too.
pub(crate) async fn assign(
    context: &Context,
    assignment: &MessageAssignment,
    database: &Database,
    tenancy: &Tenancy,
    options: &backfill_engine::BackfillOptions,
) -> Result<BackfillReport, CommandFailure> {
    session::run_job(context, async |holder, stop, progress| {
        assignment.run(database, tenancy, holder, options, stop, progress).await
    })
    .await
}

fn origin(from: From, tenant: Option<String>, include_inactive: bool) -> Result<MessageTenant, CommandFailure> {
    match from {
        From::Tenant => {
            Ok(MessageTenant::Tenant { name: tenant.unwrap_or_else(|| PRIMARY.to_owned()), include_inactive })
        }
        From::Author if tenant.is_some() || include_inactive => Err(CommandError::usage(
            "--tenant and --include-inactive are for --from tenant; from their authors, messages get many tenants",
            "add --from tenant, which gives all messages without a tenant to one",
        )),
        From::Author => Ok(MessageTenant::Author),
    }
}

/// Says how many messages get which tenant, and warns about authors of other tenants. `--quiet` does not silence it.
fn say(printer: &Printer, GivenTenant { tenant, messages }: &GivenTenant) {
    let rows = counted(messages.rows, "chat message has", "chat messages have");
    printer.line(&format!(
        "{rows} no tenant, to be given to {} (slug {}, id {})",
        if tenant.name.is_empty() { "a tenant without a name" } else { &tenant.name },
        tenant.slug,
        tenant.id
    ));
    if messages.told > 0 {
        printer.warning(&format!(
            "their authors tell the tenant of {} of these, which for {} is another one; run it with --from author first",
            count(messages.told),
            count(messages.told_another)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tenant_for_all_is_only_given_on_request_and_is_then_the_primary_one() {
        assert_eq!(origin(From::default(), None, false).unwrap(), MessageTenant::Author);
        let primary = MessageTenant::Tenant { name: "tenant_primary".into(), include_inactive: false };
        assert_eq!(origin(From::Tenant, None, false).unwrap(), primary);
        let named = MessageTenant::Tenant { name: "acme".into(), include_inactive: true };
        assert_eq!(origin(From::Tenant, Some("acme".into()), true).unwrap(), named);
        assert!(origin(From::Author, Some("acme".into()), false).is_err());
        assert!(origin(From::Author, None, true).is_err());
    }
}

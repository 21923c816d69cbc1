//! `backfill memberships`: users without a membership, and memberships of users and tenants that are gone.

use backfill_engine::{BackfillEvent, CreateMemberships, CreatedMemberships, MembershipPlan, MembershipReport};
use clap::Args;
use tenancy_config::{CommandRef, Exit, Hint};

use super::progress::lost_connection;
use crate::context::{CommandResult, Context, holder, stop};
use crate::document::block::{Document, Table, lines, number, paragraph, text};
use crate::document::report::{self, Report};
use crate::number_format::{count, counted};
use crate::terminal::progress::Meter;

/// Count users without a membership, and memberships of users and tenants that are gone; make those that are known, on request
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill memberships
  cargo xtask backfill memberships --table workspace_users --format json
  cargo xtask backfill memberships --create --set role=MEMBER --dry-run
  cargo xtask backfill memberships --create --set role=MEMBER

The table is the one whose name speaks of members and that points to users; --table names another. Without --create, it only
reads, and ends with 3 where there is something to find. With it, each user without a membership whose own tenant exists gets one in
that tenant; backfill undo deletes those that nobody has changed. Memberships of what is gone are not removed, as no undo could
bring a deleted row back whole: delete them yourself, with a backup.")]
pub(super) struct Options {
    /// The table of the memberships
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Make a membership for each user without one whose own tenant exists
    #[arg(long)]
    create: bool,
    /// With --create: the value of another column, the same for each membership; it may be given several times
    #[arg(long, requires = "create", value_name = "COLUMN=VALUE", value_parser = given)]
    set: Vec<(String, String)>,
    /// With --create: do everything but the commit
    #[arg(long, requires = "create")]
    dry_run: bool,
}

fn given(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((column, value)) if !column.is_empty() => Ok((column.to_owned(), value.to_owned())),
        _ => Err("a column and its value, such as role=MEMBER".to_owned()),
    }
}

/// Counts them, or makes them.
///
/// # Errors
/// The engine failed. What was committed stays.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    report::refuse_csv("backfill memberships", context.global.format())?;
    if options.create {
        return create(context, options).await;
    }
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

async fn create(context: &Context, Options { table, set, dry_run, .. }: Options) -> CommandResult {
    let settings = context.settings()?;
    let tenancy = settings.tenancy();
    let connected = stop::at_once(context.connect(&settings)).await?;
    let database = &connected.database;
    let looked = async {
        let plan = MembershipPlan::prepare(database, tenancy, table.as_deref(), &set).await?;
        Ok((MembershipReport::count(database, tenancy, table.as_deref()).await?.without_known, plan))
    };
    let (users, plan) = stop::at_once(looked).await?;
    let done = if users == 0 {
        CreatedMemberships::nothing(&plan, dry_run)
    } else if dry_run {
        context.printer.note(&format!("dry run on {}: nothing will be kept", connected.line()));
        make(context, CreateMemberships { database, tenancy, plan: &plan, dry_run, holder: "" }, users).await?
    } else {
        let who = counted(users, "user", "users");
        let what = format!("memberships in {} for {who} of {} without one", plan.memberships_table, plan.users_table);
        context.before_writing(&connected, &what).await?;
        make(context, CreateMemberships { database, tenancy, plan: &plan, dry_run, holder: "" }, users).await?
    };
    connected.database.clone().close().await;
    context.report(&done)?;
    Ok(done.stopped.then_some(Exit::Stopped))
}

async fn make(
    context: &Context,
    create: CreateMemberships<'_>,
    users: u64,
) -> Result<CreatedMemberships, backfill_engine::Error> {
    let holder = holder::name(tenancy_config::environment::checked);
    let create = CreateMemberships { holder: &holder, ..create };
    let mut meter = None;
    let mut progress = |event| match event {
        BackfillEvent::Waiting { holder } => context.printer.note(&holder::waiting(&holder)),
        BackfillEvent::Making { .. } => {
            meter = Some(Meter::start(&context.printer, "memberships", "users", 0, Some(users)));
        }
        BackfillEvent::Batch { examined, assigned } => {
            if let Some(meter) = &mut meter {
                meter.set(examined, &format!("{} made", count(assigned)));
            }
        }
        BackfillEvent::Reconnecting { error, wait } => context.printer.warning(&lost_connection(&error, wait)),
        _ => {}
    };
    let done = stop::gently(&context.printer, |stop| create.run(stop, &mut progress)).await;
    if let Some(meter) = meter {
        meter.finish();
    }
    done
}

impl Report for CreatedMemberships {
    const NAME: &'static str = "backfill memberships";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let (table, users) = (&self.memberships_table, &self.users_table);
        if self.made + self.left == 0 && !self.stopped {
            let said =
                format!("{table}: nothing to do: no user in {users} without a membership has a tenant that exists.");
            return Document::new([paragraph(said)]);
        }
        let made = counted(self.made, "membership", "memberships");
        let verb = if self.dry_run { "would be made" } else { "made" };
        let mut said = vec![Hint::from(format!("{table}: {made} {verb}, each in the tenant of its user in {users}."))];
        if self.left > 0 {
            let left = counted(self.left, "user", "users");
            said.push(format!("{left} got one from somebody else in between, and no second one.").into());
        }
        if self.stopped {
            said.push("Stopped; the same command goes on.".into());
        }
        match self.run {
            Some(run) => {
                let undo = Hint::quoted(CommandRef::BackfillUndo { run });
                said.push(undo.then(" deletes those again that nobody has changed."));
            }
            None if self.dry_run => said.push("Next: the same without --dry-run.".into()),
            None => {}
        }
        Document::new([lines(said)])
    }
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
        let makes = (self.without_known > 0).then(|| {
            let users = counted(self.without_known, "user", "users");
            format!("--create makes a membership for the {users} whose tenant exists.")
        });
        let table = Table::new([text(""), number("rows"), text("")], rows).into();
        Document::new([table, lines([said].into_iter().chain(makes))])
    }
}

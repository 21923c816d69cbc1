//! `demo`: the whole way on a database of its own, in under a minute.

#[cfg(feature = "jwt")]
mod session;

use std::time::Instant;

use assign_chat_messages::{MessageAssignment, MessageTenant};
use backfill_engine::BackfillReport;
use clap::Args;
use local_db::{LocalDb, Planted, Reset, Role, Running, demo};
use tenancy_config::{Exit, Tenancy, environment};
use tenant_audit::AuditReport;
use tenant_rls::{ConnectOptions, Database};

use crate::app::{CommandContext, Outcome};
use crate::commands::assign_chat_messages::assign;
use crate::commands::audit::audit;
use crate::commands::backfill_bookings::backfill;
use crate::commands::db::{SeedOptions, ServerOptions};
use crate::failure::CommandError;
use crate::report::{Format, Report};
use crate::text::{count, counted, duration};
use crate::{root, stop};

#[cfg_attr(
    feature = "jwt",
    doc = "See it all work: a database with defects, audit, backfill, audit again, and a session"
)]
#[cfg_attr(not(feature = "jwt"), doc = "See it all work: a database with defects, audit, backfill, and audit again")]
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask demo
  cargo xtask demo --bookings 1000000 --keep")]
pub(crate) struct Options {
    #[command(flatten)]
    data: SeedOptions,
    #[command(flatten)]
    server: ServerOptions,
    /// Leave the database running, to look around in it
    #[arg(long)]
    keep: bool,
}

/// Tells the story on a local database of its own, and removes it.
///
/// # Errors
/// The local server, the audit or the backfill failed; the database is removed then too.
pub(crate) async fn run(app: &CommandContext, options: Options) -> Outcome {
    app.refuse_a_url("demo")?;
    if app.global.format() != Format::Table || app.global.output.is_some() {
        return Err(CommandError::usage(
            "`demo` tells a story, for people at a terminal",
            "leave --format and --output out",
        ));
    }
    // Inside the folder that git ignores, beside the developer's own database, which the demo never touches.
    let root = root::find(environment::checked, &app.cwd);
    let local = LocalDb::beside(&root, "demo", app.local_options(options.server.into())?)?;
    // A signal that comes between two chapters must not leave the server running.
    let _awaited = stop::Awaited::here();
    let outcome = story(app, &local, &options.data).await;
    if options.keep {
        let file = local.write_url(Role::Owner)?;
        let file = file.strip_prefix(&app.cwd).unwrap_or(&file).display();
        app.printer.note(&format!("kept, as --keep says; open it with psql \"$(cat '{file}')\""));
        return outcome;
    }
    local.remove().await?;
    // Only where nothing else is in it.
    let _ = std::fs::remove_dir(root.join(".local-db/demo"));
    outcome
}

async fn story(app: &CommandContext, local: &LocalDb, data: &SeedOptions) -> Outcome {
    let began = Instant::now();
    let say = |text: &str| app.printer.data(text);
    say("1. A database with the defects of a live one\n\n")?;
    let (running, planted) = stop::at_once(prepare(app, local, data)).await?;
    say(&planted.table())?;

    let tenancy = Tenancy::default();
    let database = Database::connect(&running.url(Role::Owner)?, &ConnectOptions::default()).await?;
    say("\n2. What is wrong?   cargo xtask audit\n\n")?;
    let before = stop::at_once(audit(app, &database, &tenancy, Vec::new())).await?;
    say(&before.table())?;

    say("\n3. Bookings get their tenant   cargo xtask backfill-bookings\n\n")?;
    let options = backfill_engine::BackfillOptions::default();
    let bookings = backfill(app, &database, &tenancy, &options).await?;
    say(&bookings.table())?;
    if bookings.outcome == backfill_engine::RunOutcome::Stopped {
        return Ok(Some(Exit::Stopped));
    }

    say("\n4. Chat messages get theirs   cargo xtask assign-chat-messages\n\n")?;
    let assignment = MessageAssignment::prepare(&database, &tenancy, &MessageTenant::Author).await?;
    let messages = assign(app, &assignment, &database, &tenancy, &options).await?;
    say(&messages.table())?;
    if messages.outcome == backfill_engine::RunOutcome::Stopped {
        return Ok(Some(Exit::Stopped));
    }

    say("\n5. What is still wrong?   cargo xtask audit\n\n")?;
    let after = stop::at_once(audit(app, &database, &tenancy, Vec::new())).await?;
    say(&after.table())?;

    #[cfg(feature = "jwt")]
    {
        say("\n6. A session in one of the tenants   cargo xtask jwt\n\n")?;
        say(&stop::at_once(session::mint(&database, &tenancy)).await?)?;
    }
    database.close().await;

    let time = duration(began.elapsed());
    say(&closing(&planted, [&bookings, &messages], [&before, &after], &time))?;
    Ok(None)
}

async fn prepare(app: &CommandContext, local: &LocalDb, data: &SeedOptions) -> anyhow::Result<(Running, Planted)> {
    // What an earlier demo left with --keep, or when it was killed.
    let running = local.reset(&mut app.notes(), Reset { disconnect: true, ..Reset::default() }).await?;
    app.printer.note(&format!(
        "PostgreSQL {} on port {}; planting {} bookings",
        running.programs().major(),
        running.port(),
        count(u64::from(data.bookings))
    ));
    let planted = demo::plant(&running.url(Role::Superuser)?, &data.into(), &mut app.notes()).await?;
    Ok((running, planted))
}

/// The number of the last step: a build without `jwt` has no session to show.
const LAST: u32 = if cfg!(feature = "jwt") { 7 } else { 6 };

/// What happened, in plain words, and what to try next.
fn closing(
    planted: &Planted,
    [bookings, messages]: [&BackfillReport; 2],
    [before, after]: [&AuditReport; 2],
    time: &str,
) -> String {
    let found = [bookings, messages].map(|report| (report.assigned, report.conflicts, report.unresolved));
    let known = [
        (planted.assignable(), planted.conflicts, planted.unresolvable),
        (planted.assignable_messages(), planted.messages_in_conflict, planted.messages_unresolvable),
    ];
    let exactly = if found == known {
        "exactly those that were planted as decidable"
    } else {
        "NOT the number that was planted, which is a bug"
    };
    format!(
        "\n{LAST}. What happened, in {time}\n\n\
         {} had no tenant: under row level security nobody would have seen them. The backfill read three\n\
         sources for each - its service request, its client, its service - and assigned {}. A chat message has its author\n\
         alone, who may be a member of several tenants: {} got theirs, {} of them by what the author\n\
         wrote in the same room. All of these are {exactly}. Each batch was one\n\
         short transaction that also wrote a journal entry and a checkpoint: neither Ctrl-C nor a crash loses anything.\n\n\
         {} and {} are left, with several candidates or none: a guess could show one tenant's data to\n\
         another. All in all {} rows without a tenant became {}; other tables have their own jobs.\n\
         {}\n\
         Try next:\n\
         \x20 cargo xtask demo --keep                              and look around in the database\n\
         \x20 cargo xtask db seed                                  a database of your own, then\n\
         \x20 cargo xtask backfill-bookings --review review.csv    the undecided rows, with their candidates\n\
         \x20 DATABASE_URL=… cargo xtask doctor                    what it would meet in yours\n",
        counted(planted.bookings_without_tenant, "booking", "bookings"),
        count(bookings.assigned),
        count(messages.assigned),
        count(messages.assigned_by_source.last().map_or(0, |room| room.rows)),
        counted(bookings.remaining, "booking", "bookings"),
        counted(messages.remaining, "message", "messages"),
        count(before.totals.null_rows),
        count(after.totals.null_rows),
        crossings(before, after),
    )
}

/// Why the second audit counts more references across tenants, which would otherwise look like the backfill's doing.
fn crossings(before: &AuditReport, after: &AuditReport) -> String {
    let more = after.totals.cross_rows.saturating_sub(before.totals.cross_rows);
    if more == 0 {
        return String::new();
    }
    format!(
        "\nThe second audit counts {} more references across tenants. They were there before: bookings whose client or\n\
         service names an empty or a deleted tenant. Only a booking that has a tenant can be seen to differ from them.\n",
        count(more)
    )
}

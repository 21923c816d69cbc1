//! `demo`: shows the whole way on a database of its own, in under a minute.

#[cfg(feature = "jwt")]
mod session;
mod view;

use std::time::Instant;

use assign_chat_messages::{MessageAssignment, MessageTenant};
use clap::Args;
use local_db::{LocalDb, Planted, Reset, Role, Running, demo};
use tenancy_config::{CommandRef, Exit, Hint, Tenancy, environment};
use tenant_rls::{ConnectOptions, Database};

use crate::commands::assign_chat_messages::assign;
use crate::commands::audit::audit;
use crate::commands::backfill_bookings::backfill;
use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::seed_options::DemoSeedOptions;
use crate::context::server_options::ServerOptions;
use crate::context::{CommandResult, Context, project_root, stop};
use crate::document::block::{Document, heading};
use crate::document::report::{Format, Report};
use crate::number_format::{count, duration};

/// See it all work, on a database with planted defects
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask demo
  cargo xtask demo --bookings 1000000 --keep")]
pub(crate) struct Options {
    #[command(flatten)]
    data: DemoSeedOptions,
    #[command(flatten)]
    server: ServerOptions,
    /// Leave the database running, to look around in it
    #[arg(long)]
    keep: bool,
}

/// Runs the demo on a local database of its own, and removes that database.
///
/// # Errors
/// The local server, the audit or the backfill failed. The database is removed then too.
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    context.refuse_a_url("demo")?;
    if context.global.format() != Format::Table || context.global.output.is_some() {
        return Err(CommandError::usage(
            "`demo` tells a story, for people at a terminal",
            "leave --format and --output out",
        ));
    }
    // It is in the folder that git ignores, beside the developer's own database, which the demo never touches.
    let root = project_root::find(environment::checked, &context.cwd);
    let local = LocalDb::beside(&root, "demo", context.local_options(options.server.into())?)?;
    // A signal that comes between two steps must not leave the server running.
    let _awaited = stop::Awaited::here();
    let outcome = steps(context, &local, &options.data).await;
    if options.keep {
        let file = local.write_url(Role::Owner)?;
        let file = file.strip_prefix(&context.cwd).unwrap_or(&file).display();
        context.printer.note(&format!("kept, as --keep says; open it with psql \"$(cat '{file}')\""));
        return outcome;
    }
    local.remove().await?;
    // This removes the folder only if it is empty.
    let _ = std::fs::remove_dir(root.join(".local-db/demo"));
    outcome
}

async fn steps(context: &Context, local: &LocalDb, data: &DemoSeedOptions) -> CommandResult {
    let began = Instant::now();
    let title = |title: Hint| context.show_part(&Document::new([heading(title)]));
    let step = |name: &str, command| title(Hint::from(name).then("   ").then_run(command));
    let say = |document: Document| context.show_part(&document);
    title("1. A database with the defects of a live one".into())?;
    let (running, planted) = stop::at_once(prepare(context, local, data)).await?;
    say(planted.document())?;

    let tenancy = Tenancy::default();
    let database = Database::connect(&running.url(Role::Owner)?, &ConnectOptions::default()).await?;
    step("2. What is wrong?", CommandRef::Audit)?;
    let before = stop::at_once(audit(context, &database, &tenancy, Vec::new())).await?;
    say(before.document())?;

    step("3. Bookings get their tenant", CommandRef::BackfillBookings)?;
    let options = backfill_engine::BackfillOptions::default();
    let bookings = backfill(context, &database, &tenancy, &options).await?;
    say(bookings.document())?;
    if bookings.outcome == backfill_engine::RunOutcome::Stopped {
        return Ok(Some(Exit::Stopped));
    }

    step("4. Chat messages get theirs", CommandRef::AssignChatMessages)?;
    let assignment = MessageAssignment::prepare(&database, &tenancy, &MessageTenant::Author).await?;
    let messages = assign(context, &assignment, &database, &tenancy, &options).await?;
    say(messages.document())?;
    if messages.outcome == backfill_engine::RunOutcome::Stopped {
        return Ok(Some(Exit::Stopped));
    }

    step("5. What is still wrong?", CommandRef::Audit)?;
    let after = stop::at_once(audit(context, &database, &tenancy, Vec::new())).await?;
    say(after.document())?;

    #[cfg(feature = "jwt")]
    {
        step("6. A session in one of the tenants", CommandRef::Jwt)?;
        say(stop::at_once(session::mint(&database, &tenancy)).await?)?;
    }
    database.close().await;

    let time = duration(began.elapsed());
    context.show(&view::summary(&planted, [&bookings, &messages], [&before, &after], &time))?;
    Ok(None)
}

async fn prepare(
    context: &Context,
    local: &LocalDb,
    data: &DemoSeedOptions,
) -> Result<(Running, Planted), CommandFailure> {
    // An earlier demo with --keep, or one that was killed, left its database.
    let running = local.reset(&mut context.notes(), Reset { disconnect: true, ..Reset::default() }).await?;
    context.printer.note(&format!(
        "PostgreSQL {} on port {}; planting {} bookings",
        running.programs().major(),
        running.port(),
        count(u64::from(data.bookings))
    ));
    let planted = demo::plant(&running.url(Role::Superuser)?, &data.into(), &mut context.notes()).await?;
    Ok((running, planted))
}

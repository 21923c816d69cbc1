//! `demo`: the whole way on a database of its own, in under a minute.

use std::time::Instant;

use backfill_engine::BackfillReport;
use clap::Args;
use local_db::{LocalDb, Planted, Role, Running, Up, seed};
use tenant_audit::AuditReport;
use tenant_rls::{ConnectOptions, Database, Exit, Tenancy};

use crate::app::{App, Outcome};
use crate::commands::audit::audit;
use crate::commands::backfill_bookings::backfill;
use crate::commands::db::{SeedOptions, Server};
use crate::failure::Mistake;
use crate::report::{Format, Report};
use crate::text::{count, counted, duration};
use crate::{root, stop};

/// See it all work: a database with defects, an audit, the backfill, and an audit again
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask demo
  cargo xtask demo --bookings 1000000 --keep")]
pub(crate) struct Options {
    #[command(flatten)]
    data: SeedOptions,
    #[command(flatten)]
    server: Server,
    /// Leave the database running, to look around in it
    #[arg(long)]
    keep: bool,
}

/// Tells the story on a local database of its own, and removes it.
///
/// # Errors
/// The local server, the audit or the backfill failed; the database is removed then too.
pub(crate) async fn run(app: &App, options: Options) -> Outcome {
    app.refuse_a_url("demo")?;
    if app.global.format() != Format::Table || app.global.output.is_some() {
        return Err(Mistake::usage(
            "`demo` tells a story, for people at a terminal",
            "leave --format and --output out",
        ));
    }
    // Inside the folder that git ignores, beside the developer's own database, which the demo never touches.
    let home = root::find(|name| std::env::var(name).ok(), &app.cwd).join(".local-db").join("demo");
    std::fs::create_dir_all(&home)?;
    let local = LocalDb::at(&home, options.server.into());
    let outcome = story(app, &local, &options.data).await;
    if options.keep {
        if let Ok(running) = local.running() {
            app.printer
                .note(&format!("kept, as --keep says; connect to it with {}", running.url(Role::Owner)?.expose()));
        }
        return outcome;
    }
    local.remove().await?;
    // Only where nothing else is in it.
    let _ = std::fs::remove_dir(&home);
    outcome
}

async fn story(app: &App, local: &LocalDb, data: &SeedOptions) -> Outcome {
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
    let report = backfill(app, &database, &tenancy, &backfill_engine::Options::default()).await?;
    say(&report.table())?;
    if report.outcome == backfill_engine::Outcome::Stopped {
        return Ok(Some(Exit::Stopped));
    }

    say("\n4. What is still wrong?   cargo xtask audit\n\n")?;
    let after = stop::at_once(audit(app, &database, &tenancy, Vec::new())).await?;
    say(&after.table())?;
    database.close().await;

    let time = duration(began.elapsed());
    say(&closing(&planted, &report, &before, &after, &time))?;
    Ok(None)
}

async fn prepare(app: &App, local: &LocalDb, data: &SeedOptions) -> anyhow::Result<(Running, Planted)> {
    // What an earlier demo left with --keep, or when it was killed.
    let running = local.reset(&mut app.notes(), Up::default()).await?;
    app.printer.note(&format!(
        "PostgreSQL {} on port {}; planting {} bookings",
        running.programs().major(),
        running.port(),
        count(u64::from(data.bookings))
    ));
    let planted = seed::plant(&running.url(Role::Superuser)?, &data.into(), &mut app.notes()).await?;
    Ok((running, planted))
}

/// What happened, in plain words, and what to try next.
fn closing(
    planted: &Planted,
    report: &BackfillReport,
    before: &AuditReport,
    after: &AuditReport,
    time: &str,
) -> String {
    let as_planted = report.assigned == planted.assignable() && report.conflicts == planted.conflicts;
    let exactly = if as_planted {
        "exactly those that were planted as decidable"
    } else {
        "NOT the number that was planted, which is a bug"
    };
    format!(
        "\n5. What happened, in {time}\n\n\
         {} had no tenant: under row level security nobody would have seen them. The backfill read three\n\
         sources for each - its service request, its client, its service - and assigned {},\n\
         {exactly}. Each batch was one short transaction that also wrote a\n\
         journal entry and a checkpoint: neither Ctrl-C nor a crash loses anything.\n\n\
         It left {} whose sources disagree and {} that nobody knows about: a guess could show one tenant's data\n\
         to another. All in all {} rows without a tenant became {}; other tables have their own jobs.\n\
         {}\n\
         Try next:\n\
         \x20 cargo xtask demo --keep                              and look around in the database\n\
         \x20 cargo xtask db seed                                  a database of your own, then\n\
         \x20 cargo xtask backfill-bookings --review review.csv    the undecided rows, with their candidates\n\
         \x20 DATABASE_URL=… cargo xtask doctor                    what it would meet in yours\n",
        counted(planted.bookings_without_tenant, "booking", "bookings"),
        count(report.assigned),
        count(report.conflicts),
        count(report.unresolved),
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

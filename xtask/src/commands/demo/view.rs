//! The last step of the demo: what happened, and what to try next.

use backfill_engine::BackfillReport;
use local_db::Planted;
use tenancy_config::CommandRef;
use tenant_audit::AuditReport;

use crate::document::block::{Block, Document, Pairs, heading, paragraph};
use crate::number_format::{count, counted};

/// The number of the last step: a build without `jwt` has no session to show.
const LAST: u32 = if cfg!(feature = "jwt") { 7 } else { 6 };

/// What happened, and what to try next.
pub(super) fn summary(
    planted: &Planted,
    [bookings, messages]: [&BackfillReport; 2],
    [before, after]: [&AuditReport; 2],
    time: &str,
) -> Document {
    let left = format!(
        "{} and {} are left, with several candidates or none: a guess could show one tenant's data to another. All in all {} rows \
         without a tenant became {}; other tables have their own jobs.",
        counted(bookings.remaining, "booking", "bookings"),
        counted(messages.remaining, "message", "messages"),
        count(before.totals.null_rows),
        count(after.totals.null_rows),
    );
    let mut document = Document::new([
        heading(format!("{LAST}. What happened, in {time}")),
        paragraph(assigned(planted, bookings, messages)),
        paragraph(left),
    ]);
    document.extend(crossings(before, after));
    document.push(next());
    document
}

fn assigned(planted: &Planted, bookings: &BackfillReport, messages: &BackfillReport) -> String {
    let counted_now = [bookings, messages].map(|report| (report.assigned, report.conflicts, report.unresolved));
    let planted_counts = [
        (planted.assignable(), planted.conflicts, planted.unresolvable),
        (planted.assignable_messages(), planted.messages_in_conflict, planted.messages_unresolvable),
    ];
    let exactly = if counted_now == planted_counts {
        "exactly those that were planted as decidable"
    } else {
        "NOT the number that was planted, which is a bug"
    };
    format!(
        "{} had no tenant: under row level security nobody would have seen them. The backfill read three sources for each - its \
         service request, its client, its service - and assigned {}. A chat message has its author alone, who may be a member of \
         several tenants: {} got theirs, {} of them by what the author wrote in the same room. All of these are {exactly}. Each \
         batch was one short transaction that also wrote a journal entry and a checkpoint: neither Ctrl-C nor a crash loses anything.",
        counted(planted.bookings_without_tenant, "booking", "bookings"),
        count(bookings.assigned),
        count(messages.assigned),
        count(messages.assigned_by_source.last().map_or(0, |room| room.rows)),
    )
}

fn next() -> Block {
    let review = CommandRef::BackfillBookingsReview { file: "review.csv".to_owned() };
    let commands = [
        (CommandRef::DemoKeep.to_string(), "and look around in the database"),
        (CommandRef::DbSeed.to_string(), "a database of your own, then"),
        (review.to_string(), "the undecided rows, with their candidates"),
        (format!("DATABASE_URL=… {}", CommandRef::Doctor), "what it would meet in yours"),
    ];
    Pairs::new(commands).titled("Try next:").into()
}

/// Explains why the second audit counts more references across tenants, so that nobody blames the backfill.
fn crossings(before: &AuditReport, after: &AuditReport) -> Option<Block> {
    let more = after.totals.cross_rows.saturating_sub(before.totals.cross_rows);
    let explained = || {
        format!(
            "The second audit counts {} more references across tenants. They were there before: bookings whose client or service \
             names an empty or a deleted tenant. Only a booking that has a tenant can be seen to differ from them.",
            count(more)
        )
    };
    (more > 0).then(|| paragraph(explained()))
}

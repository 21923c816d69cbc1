//! The commands that hints name. A library cannot call the command line, but it may tell the user what to run next. A test of
//! `xtask` parses an example of each, so that no hint names a command or an option that does not exist.

use std::fmt::{self, Display};

use crate::program;

/// Makes of each line a variant of [`CommandRef`], its arguments, and an example.
macro_rules! command_refs {
    ($($(#[$doc:meta])* $variant:ident $({ $($field:ident: $type:ty),* })? => [$($argument:expr),*],)*) => {
        /// A command with the arguments that a hint gives it.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum CommandRef {
            $(
                $(#[$doc])*
                $variant $({ $(
                    #[doc = concat!("The value of ", stringify!($field), ".")]
                    $field: $type
                ),* })?,
            )*
        }

        impl CommandRef {
            /// The words after the name of the program.
            pub fn arguments(&self) -> Vec<String> {
                match self {
                    $(Self::$variant $({ $($field),* })? => vec![$($argument.to_string()),*],)*
                }
            }

            /// One of each, to be parsed by a test.
            #[doc(hidden)]
            pub fn examples() -> Vec<Self> {
                vec![$(Self::$variant $({ $($field: Example::example()),* })?),*]
            }
        }
    };
}

command_refs! {
    /// Counts what is wrong.
    Audit => ["audit"],
    /// Shows which tenant each chat message would get.
    AssignChatMessages => ["assign-chat-messages"],
    /// Counts what the job would do.
    AssignChatMessagesDryRun => ["assign-chat-messages", "--dry-run"],
    /// Tries decisions.
    BackfillApplyDryRun { file: String } => ["backfill", "apply", file, "--dry-run"],
    /// Gives bookings their tenant.
    BackfillBookings => ["backfill-bookings"],
    /// Counts what the job would do.
    BackfillBookingsDryRun => ["backfill-bookings", "--dry-run"],
    /// Writes the rows that people must decide.
    BackfillBookingsReview { file: String } => ["backfill-bookings", "--review", file],
    /// Helps another process.
    BackfillHelp { table: String } => ["backfill", "run", table, "--join"],
    /// Lists the values that are no tenant's key, with proposals.
    BackfillMapAll => ["backfill", "map", "--all"],
    /// Shows what a file of such values would change.
    BackfillMapFile { tables: String, file: String } => ["backfill", "map", tables, "--file", file, "--dry-run"],
    /// Writes them into a file, to be filled in.
    BackfillMapOutput { tables: String, file: String } => ["backfill", "map", tables, "--format", "csv", "--output", file],
    /// Shows what it would be to give the rest of a table to one tenant.
    BackfillRestDryRun { table: String, tenant: String } => ["backfill", "run", table, "--rest-to", tenant, "--dry-run"],
    /// Holds a run.
    BackfillPause { run: i64 } => ["backfill", "pause", run],
    /// Lets a run go on.
    BackfillResume { run: i64 } => ["backfill", "resume", run],
    /// Backfills a table.
    BackfillRun { table: String } => ["backfill", "run", table],
    /// Counts what a backfill of a table would do.
    BackfillRunDryRun { table: String } => ["backfill", "run", table, "--dry-run"],
    /// Lists the runs.
    BackfillRuns => ["backfill", "runs"],
    /// Shows a run.
    BackfillStatus { run: i64 } => ["backfill", "status", run],
    /// Takes a run back.
    BackfillUndo { run: i64 } => ["backfill", "undo", run],
    /// Opens psql.
    DbPsql => ["db", "psql"],
    /// Starts the local database anew.
    DbReset => ["db", "reset"],
    /// Starts the local database anew, without tables.
    DbResetEmpty => ["db", "reset", "--empty"],
    /// Starts the local database anew, in another version.
    DbResetTo { version: u32 } => ["db", "reset", "--pg-version", version],
    /// Starts the local database anew without a question.
    DbResetYes => ["db", "reset", "--yes"],
    /// Fills the local database.
    DbSeed => ["db", "seed"],
    /// Starts the local database.
    DbUp => ["db", "up"],
    /// Starts the local database in a version.
    DbUpVersion { version: u32 } => ["db", "up", "--pg-version", version],
    /// Prints the URL of the local database.
    DbUrl => ["db", "url"],
    /// Shows the whole way, and keeps its database.
    DemoKeep => ["demo", "--keep"],
    /// Compares settings and database.
    Doctor => ["doctor"],
    /// Writes a `tenancy.toml`.
    Init => ["init"],
    /// Adds new tables to a `tenancy.toml`.
    InitUpdate => ["init", "--update"],
    /// Classifies the tables.
    Inventory => ["inventory"],
    /// Mints a session.
    Jwt => ["jwt"],
    /// Mints a session as a command to paste.
    JwtCurl { email: String, tenant: String } => ["jwt", "--email", email, "--tenant", tenant, "--format", "curl"],
    /// Mints a session for end-to-end tests.
    JwtPlaywright { email: String } => ["jwt", "--email", email, "--format", "playwright"],
    /// Has new tables born closed.
    RlsBornClosed => ["rls", "born-closed"],
    /// Shows the statements of the first phase.
    RlsPlanPrepare => ["rls", "plan", "--phase", "prepare"],
    /// Shows how a table gets a tenant column.
    RlsPlanAddColumn { table: String } => ["rls", "plan", "--add-column", table],
    /// The same for all tables that depend on others.
    RlsPlanAddColumns => ["rls", "plan", "--add-columns"],
    /// Tries to get past the policies, by reading and by writing.
    RlsVerify => ["rls", "verify", "--write-probes"],
    /// Takes rollouts back.
    RlsRollback => ["rls", "rollback"],
    /// Takes one rollout back.
    RlsRollbackRun { rollout: i64 } => ["rls", "rollback", "--run", rollout],
    /// Takes every table back to the first phase.
    RlsRollbackAllToPrepare => ["rls", "rollback", "--to", "prepare"],
    /// Takes every table back to the second phase.
    RlsRollbackAllToTighten => ["rls", "rollback", "--to", "tighten"],
    /// Takes a table back to the first phase.
    RlsRollbackToPrepare { table: String } => ["rls", "rollback", "--to", "prepare", "--tables", table],
    /// Rolls out.
    RlsRollout => ["rls", "rollout"],
    /// Rolls out the first phase.
    RlsRolloutPrepare => ["rls", "rollout", "--phase", "prepare"],
    /// Shows the phase of each table.
    RlsStatus => ["rls", "status"],
    /// Makes the roles, and takes the tables to the first phase.
    RlsSetup => ["rls", "setup"],
    /// Makes a tenant with its defaults.
    SeedTenantCreate { tenant: String } => ["seed-tenant-defaults", "--tenant", tenant, "--create"],
}

/// A value for a test.
trait Example {
    fn example() -> Self;
}

impl Example for i64 {
    fn example() -> Self {
        7
    }
}

impl Example for u32 {
    fn example() -> Self {
        18
    }
}

impl Example for String {
    fn example() -> Self {
        "bookings".to_owned()
    }
}

impl CommandRef {
    /// The command as a user of `program` types it. An argument that a shell would change is quoted.
    pub fn typed(&self, program: &str) -> String {
        let words = self.arguments();
        std::iter::once(program.to_owned()).chain(words.iter().map(|word| quoted(word))).collect::<Vec<_>>().join(" ")
    }
}

/// It is written as the user of this program types it.
impl Display for CommandRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed(program::name()))
    }
}

/// A word as POSIX shells read it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./,:=@+%^".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_for_the_program_that_was_started() {
        assert_eq!(CommandRef::RlsStatus.to_string(), "cargo xtask rls status");
        assert_eq!(CommandRef::BackfillUndo { run: 7 }.typed("rowfence"), "rowfence backfill undo 7");
    }

    #[test]
    fn a_name_cannot_be_a_command_of_its_own() {
        let table = "odd; rm 'x'".to_owned();
        let typed = CommandRef::BackfillRun { table }.typed("rowfence");
        assert_eq!(typed, r"rowfence backfill run 'odd; rm '\''x'\'''");
    }
}

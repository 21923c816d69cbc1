//! What the help says.

use insta::assert_snapshot;

use crate::support::Place;

/// Every command. The help of each is compared.
const COMMANDS: [&[&str]; 42] = [
    &[],
    &["db"],
    &["db", "up"],
    &["db", "down"],
    &["db", "status"],
    &["db", "url"],
    &["db", "psql"],
    &["db", "reset"],
    &["db", "seed"],
    &["demo"],
    &["doctor"],
    &["audit"],
    &["backfill-bookings"],
    &["seed-tenant-defaults"],
    &["assign-chat-messages"],
    &["backfill"],
    &["backfill", "run"],
    &["backfill", "apply"],
    &["backfill", "suggest"],
    &["backfill", "status"],
    &["backfill", "pause"],
    &["backfill", "resume"],
    &["backfill", "cancel"],
    &["backfill", "runs"],
    &["backfill", "undo"],
    &["backfill", "why"],
    &["rls"],
    &["rls", "status"],
    &["rls", "plan"],
    &["rls", "setup"],
    &["rls", "rollout"],
    &["rls", "rollback"],
    &["rls", "verify"],
    &["init"],
    &["bench"],
    &["bench", "backfill"],
    &["bench", "seed"],
    &["bench", "rls"],
    &["jwt"],
    &["jwt", "decode"],
    &["jwt", "tenant-cookie"],
    &["bench", "jwt"],
];

#[test]
fn without_a_command_the_commands_are_listed_in_groups() {
    assert_snapshot!("overview", Place::new().run(&[]));
}

#[test]
fn every_command_explains_itself() {
    for command in COMMANDS {
        let name = if command.is_empty() { "help".to_owned() } else { format!("help {}", command.join(" ")) };
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let ended = Place::new().run(&arguments);
        assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{name}");
        assert_snapshot!(name.replace(' ', "_"), ended.stdout);
    }
}

#[test]
fn a_pipe_gets_no_colours() {
    let forced = [("CLICOLOR_FORCE", "1")];
    let escape = '\u{1b}';
    assert!(!Place::new().run(&["nonsense"]).stderr.contains(escape));
    assert!(Place::new().run_with(&["nonsense"], &forced).stderr.contains(escape));
    let no_color = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
    assert!(!Place::new().run_with(&["nonsense"], &no_color).stderr.contains(escape));
}

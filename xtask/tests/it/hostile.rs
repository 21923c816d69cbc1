//! Whatever a database, a file or an argument contains, a terminal, a CI log and a spreadsheet only show it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use local_db::Role;
use tenancy_config::DatabaseUrl;
use tenancy_config::plain::is_unseen;
use test_support::TestServer;

use crate::defined::{Defined, commands};
use crate::support::{Ended, Place};

/// A name that ends a line, writes a command into a CI log, clears the screen, changes the reading direction, and is
/// markup.
const HOSTILE: &str = "\n::error::x\n##[error]\u{1b}[2J\u{202e}\u{9b}\u{7f}\u{200b}|<b>";

/// A token with all of this in its header.
const TOKEN: &str = "eyJhbGciOiAiXG46OmVycm9yOjp4XG4jI1tlcnJvcl1cdTAwMWJbMkrigK4iLCAiZW5jIjogIlxuOjplcnJvcjo6eFxuIyNbZXJyb3JdXHUwMDFiWzJK4oCuIiwgImtpZCI6ICJcbjo6ZXJyb3I6OnhcbiMjW2Vycm9yXVx1MDAxYlsySuKAriIsICJcbjo6ZXJyb3I6OnhcbiMjW2Vycm9yXVx1MDAxYlsySuKAriI6ICJcbjo6ZXJyb3I6OnhcbiMjW2Vycm9yXVx1MDAxYlsySuKAriJ9....x";

/// How each command is started so that it shows the name. Some are started in several ways. The order matters, because
/// each needs what earlier ones made. `HOSTILE` is replaced by the name.
const STARTED: [(&str, &[&str]); 83] = [
    ("doctor", &[]),
    ("inventory", &[]),
    ("audit", &[]),
    ("audit", &["--ci"]),
    ("audit", &["--tables", "HOSTILE"]),
    ("audit", &["--tables", "HOSTILE.HOSTILE"]),
    ("audit", &["--config", "HOSTILE"]),
    ("tenant-log", &["hostile.log"]),
    ("tenant-log", &["HOSTILE/x.log"]),
    ("tenant-log", &["hostile.log", "--max-unresolved", "HOSTILE"]),
    ("init", &["--stdout"]),
    ("init", &["--output", "HOSTILE/x"]),
    ("init", &["--check"]),
    ("init", &["--update", "--stdout"]),
    ("rls status", &[]),
    ("rls plan", &[]),
    ("rls plan", &["--prisma", "."]),
    ("rls plan", &["--prisma", "HOSTILE"]),
    ("rls plan", &["--prisma", ".", "--schema", "HOSTILE"]),
    ("rls plan", &["--tables", "HOSTILE.HOSTILE", "--adopt"]),
    ("rls predict", &["--statements", "hostile.sql"]),
    ("rls predict", &["--statements", "hostile.sql", "--try"]),
    ("rls predict", &["--statements", "HOSTILE"]),
    ("rls verify", &["--write-probes"]),
    ("backfill suggest", &[]),
    ("backfill suggest", &["HOSTILE.HOSTILE"]),
    ("backfill-bookings", &["--dry-run"]),
    ("backfill-bookings", &["--review", "review.csv"]),
    ("backfill-bookings", &["--review", "HOSTILE/review.csv"]),
    ("backfill run", &["--all", "--dry-run"]),
    ("backfill run", &["HOSTILE.HOSTILE", "--review", "hostile.csv"]),
    ("backfill run", &["HOSTILE.HOSTILE", "HOSTILE", "--review", "two.csv"]),
    ("backfill run", &["no HOSTILE"]),
    ("backfill run", &["HOSTILE.HOSTILE", "--rest-to", "HOSTILE"]),
    ("backfill run", &["HOSTILE.HOSTILE", "--rest-to", "new HOSTILE", "--create", "--dry-run"]),
    ("backfill memberships", &[]),
    ("backfill memberships", &["--table", "HOSTILE.HOSTILE"]),
    ("backfill memberships", &["--create", "--set", "HOSTILE=HOSTILE"]),
    ("backfill map", &["--all"]),
    ("backfill map", &["HOSTILE.HOSTILE", "--from", "HOSTILE", "--to", "s HOSTILE", "--dry-run"]),
    ("backfill map", &["bookings", "--from", "HOSTILE", "--to", "no HOSTILE"]),
    ("backfill map", &["--all", "--file", "HOSTILE.csv"]),
    ("backfill apply", &["decided.csv", "--refused", "refused.csv"]),
    ("backfill apply", &["refused.csv", "--dry-run"]),
    ("backfill apply", &["tenancy.toml"]),
    ("backfill runs", &[]),
    ("backfill status", &["1"]),
    ("backfill pause", &["1"]),
    ("backfill resume", &["1"]),
    ("backfill cancel", &["1"]),
    ("backfill why", &["bookings", "assignable HOSTILE"]),
    ("backfill why", &["HOSTILE.HOSTILE", "row HOSTILE"]),
    ("backfill why", &["HOSTILE", "HOSTILE"]),
    ("backfill undo", &["1"]),
    ("backfill undo", &["2", "--dry-run"]),
    ("assign-chat-messages", &[]),
    ("assign-chat-messages", &["--from", "tenant", "--tenant", "s HOSTILE", "--dry-run"]),
    ("assign-chat-messages", &["--from", "tenant", "--tenant", "no HOSTILE"]),
    ("seed-tenant-defaults", &["--all"]),
    ("seed-tenant-defaults", &["--tenant", "s HOSTILE"]),
    ("seed-tenant-defaults", &["--tenant", "no HOSTILE"]),
    ("seed-tenant-defaults", &["--csv", "tenants.csv"]),
    ("rls rollout", &["--snapshot", "snapshot"]),
    ("rls rollout", &["--tables", "HOSTILE.HOSTILE,audit_logs", "--adopt"]),
    ("rls setup", &["--app-role", "HOSTILE"]),
    ("rls born-closed", &["--dry-run"]),
    ("rls born-closed", &[]),
    ("rls rollback", &[]),
    ("rls rollback", &["--run", "99"]),
    ("jwt", &["--email", "e@HOSTILE", "--tenant", "s HOSTILE"]),
    ("jwt", &["--email", "no@HOSTILE"]),
    ("jwt decode", &[TOKEN]),
    ("jwt decode", &["HOSTILE", "--offline"]),
    ("jwt tenant-cookie", &["--email", "e@HOSTILE", "--tenant", "no HOSTILE"]),
    ("reference", &[]),
    ("db status", &[]),
    ("db seed", &["--tenants", "HOSTILE"]),
    ("demo", &["HOSTILE"]),
    ("bench backfill", &["--HOSTILE"]),
    ("bench seed", &["--HOSTILE=HOSTILE"]),
    ("bench rls", &["--profile", "HOSTILE"]),
    ("bench leaks", &["HOSTILE"]),
    ("bench jwt", &["-HOSTILE"]),
];

/// Commands that would start a local server. They show only their arguments, so they are given one too many.
const LOCAL: [&str; 5] = ["db up", "db down", "db url", "db psql", "db reset"];

/// A server with the name everywhere, and the URL of such a database.
async fn planted() -> (TestServer, DatabaseUrl) {
    let server = test_support::throwaway_server(None).await;
    let mut superuser = server.connect(Role::Superuser).await;
    let plant = include_str!("hostile.sql").replace("HOSTILE", HOSTILE).leak();
    superuser.run_script("planting", &*plant).await.unwrap();
    superuser.close().await;
    let url = server.url(Role::Superuser);
    let mut beside = tenant_rls::DirectConnection::connect(&url.with_database("postgres"), "tests").await.unwrap();
    let rename = format!("ALTER DATABASE app RENAME TO \"{HOSTILE}\"").leak();
    beside.run_script("naming the database", &*rename).await.unwrap();
    beside.close().await;
    (server, url.with_database(HOSTILE))
}

/// The files that the test writes; commands write all others.
const GIVEN: [&str; 4] = ["tenancy.toml", "tenants.csv", "hostile.log", "hostile.sql"];

/// A folder with files that contain the name.
fn place() -> Place {
    let place = Place::new();
    let name = serde_json::to_string(HOSTILE).unwrap().replace('\u{7f}', "\\u007f");
    let name = name.trim_matches('"');
    let own = include_str!("../../../tenancy.toml");
    let users = format!("[tables.users]\ncross_tenant_references = \"{name}\"\n");
    let own = own.replace("[tables.users]\n", &users);
    let own = own.replace("# environment = \"production\"", "environment = \"production\"");
    let own = own.replace("[tables.bookings]\n", &format!("[tables.bookings]\nallow_triggers = [\"{name}\"]\n"));
    let source = format!("column = \"user {name}\", table = \"users\"");
    place.write(
        "tenancy.toml",
        &format!(
            "{own}
[tables.\"{name}.{name}\"]\nsources = [{{ name = \"{name}\", {source} }}]\n
[tables.\"{name}\"]\nsources = [{{ name = \"=other\", {source} }}]\n"
        ),
    );
    let context =
        format!("\"pathname\":\"/{name}\",\"tenantId\":\"{name}\",\"model\":\"{name}\",\"requestId\":\"{name}\"");
    let message = "Tenant guard blocked tenant mismatch on create";
    let refused = "new row violates row-level security policy for table \"";
    let server = format!("ERROR:  {refused}{}\"", HOSTILE.trim_start());
    let log = format!(
        "{{\"message\":\"{message}\",\"context\":{{{context}}}}}\n{server}\n{{\"message\":\"{message}{HOSTILE}"
    );
    place.write("hostile.log", &log);
    let statements = format!(
        "SELECT '{HOSTILE}' FROM nowhere; COPY users FROM '{HOSTILE}'; SELECT * FROM \"{HOSTILE}\"; SELECT $x${HOSTILE}$x$"
    );
    place.write("hostile.sql", &statements);
    place.write("tenants.csv", &format!("tenant,organization_name\n\"s {HOSTILE}\",x\n"));
    place
}

/// Fills in every decision, one of them with a name that no tenant has.
fn decide(place: &Place) {
    let review = std::fs::read_to_string(place.path().join("review.csv")).unwrap();
    let fingerprint = review.lines().nth(1).unwrap().rsplit_once(',').unwrap().1.split('-').next().unwrap().to_owned();
    let decided = review.replacen(&format!(",,{fingerprint}-"), ",::warning::slug,v1-", 1);
    place.write("decided.csv", &decided.replace(&format!(",,{fingerprint}-"), ",=no such,v1-"));
}

/// The lines that do more than show text. This includes lines with a part that a value made: if the gate had to stop
/// one, it was built wrongly.
fn acting<'a>(ended: &'a Ended, started: &str) -> Vec<&'a str> {
    let acts = |line: &&str| {
        let begins = line.trim_start();
        let ours = begins.starts_with("::error title=") && started.starts_with("audit --ci");
        let stopped = begins.starts_with("\\u{3a}:error") || begins.starts_with("\\u{23}#[error]");
        line.contains(is_unseen) || (begins.starts_with("::") && !ours) || line.contains("##[") || stopped
    };
    ended.stdout.lines().chain(ended.stderr.lines()).filter(acts).collect()
}

/// All files that are left in a folder and below it.
fn written(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { written(&path) } else { vec![path] }).collect()
}

/// Markdown without the blocks of code, in which nothing is markup.
fn outside_of_fences(markdown: &str) -> String {
    let parts = markdown.split("\n```");
    parts.step_by(2).collect()
}

fn formats(command: &Defined) -> impl Iterator<Item = &str> {
    // Without the option, the format is the first of them.
    std::iter::once("").chain(command.formats.iter().skip(1).map(String::as_str))
}

#[tokio::test]
async fn no_report_of_any_command_does_anything_but_being_read() {
    let (_server, url) = planted().await;
    let place = place();
    let summary = place.path().join("summary.md");
    let env = [
        ("NEXTAUTH_SECRET", "hunter2 and more, to be 32 bytes long"),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    let defined = commands();
    let groups = ["db", "rls", "backfill", "bench"].map(str::to_owned);
    let known: BTreeSet<String> =
        STARTED.iter().map(|(name, _)| *name).chain(LOCAL).map(str::to_owned).chain(groups).collect();
    let all: BTreeSet<String> = defined.iter().map(Defined::name).collect();
    assert_eq!(known, all, "each command is started here");
    let (mut wrong, mut answered) = (Vec::new(), 0);
    for (name, arguments) in STARTED.into_iter().chain(LOCAL.map(|name| (name, &["HOSTILE"][..]))) {
        let command = defined.iter().find(|command| command.name() == name).unwrap();
        if arguments.first() == Some(&"decided.csv") {
            decide(&place);
        }
        for format in formats(command) {
            let arguments: Vec<String> =
                arguments.iter().map(|argument| argument.replace("HOSTILE", HOSTILE)).collect();
            let mut all: Vec<&str> = command.with(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
            if !format.is_empty() {
                all.extend(["--format", format]);
            }
            if !arguments.iter().any(|argument| argument == "--offline") {
                all.extend(["--confirm", "production", "--database-url", url.expose()]);
            }
            let ended = place.run_with(&all, &env);
            let started = format!("{name} {} {format}", arguments.join(" "));
            assert!(!ended.stderr.contains("panicked"), "{started}\n{ended}");
            wrong.extend(acting(&ended, &started).iter().map(|line| format!("{started:?}: {line:?}")));
            answered += usize::from(matches!(ended.status, 0 | 3));
            if format == "json" && matches!(ended.status, 0 | 3) {
                assert!(serde_json::from_str::<serde_json::Value>(&ended.stdout).is_ok(), "{started}\n{ended}");
            }
        }
    }
    for file in written(place.path()).iter().filter(|file| !GIVEN.iter().any(|given| file.ends_with(given))) {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(!text.contains(|c| c != '\n' && is_unseen(c)), "{}: {text:?}", file.display());
    }
    let summary = std::fs::read_to_string(&summary).unwrap();
    assert!(!summary.contains(|c| c != '\n' && is_unseen(c)), "{summary}");
    assert!(!outside_of_fences(&summary).contains("<b>"), "{summary}");
    assert!(answered > 60, "most of them do what they are asked to: {answered}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

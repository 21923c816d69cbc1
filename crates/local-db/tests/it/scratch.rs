//! A workspace for one test that makes a developer's database. Everything in it is removed afterwards.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use local_db::{LocalDb, LocalOptions, Role, Running, StartOptions};
use tenant_rls::DirectConnection;

/// The developer's database outlives its command. This program ends it with the test, even if the test is killed: it
/// waits for the end of its standard input, which the test holds open.
const REAPER: &str = r#"
cat >/dev/null
for home in "$0/.local-db" "$0"/*/.local-db "$(cat "$0/.local-db/elsewhere" 2>/dev/null)"; do
    [ -n "$home" ] || continue
    if read -r pid <"$home/server/data/postmaster.pid"; then
        kill -s QUIT "$pid"
        for _ in 1 2 3 4 5 6 7 8 9 10; do kill -s 0 "$pid" || break; sleep 0.2; done
    fi
    rm -rf "$home"
done 2>/dev/null
rm -rf "$0"
"#;

pub(crate) struct Scratch {
    root: std::path::PathBuf,
    reaper: Child,
}

impl Scratch {
    /// A workspace that every user can enter.
    pub(crate) fn new() -> Self {
        let scratch = Self::private();
        std::fs::set_permissions(&scratch.root, PermissionsExt::from_mode(0o755)).unwrap();
        scratch
    }

    /// A workspace that only its owner can enter.
    pub(crate) fn private() -> Self {
        Self::named("local-db-scratch-")
    }

    /// A workspace whose name begins with `name`.
    pub(crate) fn named(name: &str) -> Self {
        let root = tempfile::Builder::new().prefix(name).tempdir().unwrap().keep();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", REAPER]).arg(&root).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { reaper: shell.process_group(0).spawn().unwrap(), root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn db(&self) -> LocalDb {
        self.db_with(LocalOptions::default())
    }

    pub(crate) fn db_with(&self, options: LocalOptions) -> LocalDb {
        LocalDb::at(&self.root, options)
    }

    pub(crate) async fn up(&self) -> Running {
        self.db().up(&mut |_| (), StartOptions::default()).await.unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.reaper.stdin.take());
        let _ = self.reaper.wait();
    }
}

/// A session of the owner.
pub(crate) async fn owner(running: &Running) -> DirectConnection {
    DirectConnection::as_application(&running.url(Role::Owner).unwrap(), "tests").await.unwrap()
}

/// The first number that a statement returns.
pub(crate) async fn number(session: &mut DirectConnection, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(session.connection()).await.unwrap()
}

/// How many tables the application has.
pub(crate) async fn tables(session: &mut DirectConnection) -> i64 {
    number(session, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").await
}

/// Waits for a condition, and fails the test if it never becomes true.
pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if condition() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("waited in vain for: {what}");
}

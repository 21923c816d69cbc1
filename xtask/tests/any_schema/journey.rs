//! One way through the commands, as a team would go it: the binary, its files and its exit codes.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use local_db::Role;
use serde_json::Value;
use sqlx::Row;
use tempfile::TempDir;
use tenant_rls::{SessionSetting, Sql};
use test_support::TestDb;

/// How the proof is to end.
pub(crate) enum Verdict {
    /// Exit 0.
    Proven,
}

/// A database with somebody's schema, and a folder with their `tenancy.toml`.
pub(crate) struct Journey {
    pub(crate) db: TestDb,
    folder: TempDir,
}

/// How a command ended, with all that it said.
struct Ended {
    arguments: String,
    status: i32,
    stdout: String,
    stderr: String,
}

impl Ended {
    #[track_caller]
    fn must_be(self, statuses: &[i32]) -> Self {
        let Self { arguments, status, stdout, stderr } = &self;
        assert!(statuses.contains(status), "{arguments}: exit {status}\n{stdout}\n{stderr}");
        self
    }
}

impl Journey {
    pub(crate) async fn begin(schema: &str) -> Self {
        let db = test_support::empty_database().await;
        let mut owner = db.owner().await;
        owner.run_script("making somebody's tables", Sql::from_catalog(schema.to_owned())).await.unwrap();
        owner.close().await;
        let folder = tempfile::tempdir().unwrap();
        // This makes it the root of a repository, so that nothing above it is searched.
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        Self { db, folder }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let (owner, app) = (self.db.url(Role::Owner), self.db.url(Role::AppUser));
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).env_clear();
        command.env("DATABASE_URL", owner.expose()).env("APP_DATABASE_URL", app.expose());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended {
            arguments: arguments.join(" "),
            status: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    fn write(&self, arguments: &[&str]) -> Ended {
        self.run(&[arguments, &["--confirm", "127.0.0.1"]].concat())
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("tenancy.toml")
    }

    /// Where the policies find the tenant of a session.
    pub(crate) fn setting(&self) -> SessionSetting {
        let text = std::fs::read_to_string(self.file()).unwrap();
        let toml = tenancy_config::Tenancy::from_toml(&text, &self.file()).unwrap();
        SessionSetting::of(&toml)
    }

    /// Answers the questions. Where there is no table of tenants, its owner runs the statements that the file proposes, and asks again.
    pub(crate) async fn init(&self, answers: &[&str]) {
        self.run(&[&["init"], answers].concat()).must_be(&[0]);
        let text = std::fs::read_to_string(self.file()).unwrap();
        let begins = ["# CREATE TABLE ", "# INSERT INTO "];
        let proposed = text.lines().filter(|line| begins.iter().any(|begin| line.starts_with(begin)));
        let statements: Vec<&str> = proposed.map(|line| line.trim_start_matches("# ")).collect();
        if !statements.is_empty() {
            let mut owner = self.db.owner().await;
            let statements = Sql::from_catalog(statements.join("\n"));
            owner.run_script("making what the file proposes", statements).await.unwrap();
            owner.close().await;
            self.run(&[&["init", "--force"], answers].concat()).must_be(&[0]);
        }
    }

    /// Adds what people declare. A section that `init` wrote for the same table gives way.
    pub(crate) fn declare(&self, declared: &str) {
        let mut text = std::fs::read_to_string(self.file()).unwrap();
        for header in declared.lines().filter(|line| line.starts_with('[')) {
            if let Some(begin) = text.find(&format!("{header}\n")) {
                let rest = &text[begin + header.len()..];
                let end = rest.find("\n[").map_or(text.len(), |end| begin + header.len() + end);
                text.replace_range(begin..end, "");
            }
        }
        std::fs::write(self.file(), format!("{text}\n{declared}")).unwrap();
    }

    pub(crate) fn doctor(&self) {
        self.run(&["doctor"]).must_be(&[0]);
    }

    /// Audits, lets the sources decide, and sends what nobody can decide to one tenant.
    pub(crate) fn assign_tenants(&self, rest_to: &[(&str, &str)]) {
        self.run(&["audit"]).must_be(&[0, 3]);
        let first = self.write(&["backfill", "run", "--all"]).must_be(&[0, 3]);
        for (table, tenant) in rest_to {
            self.write(&["backfill", "run", table, "--rest-to", tenant]).must_be(&[0]);
        }
        // After 0 no row is left without a tenant.
        if first.status == 3 {
            let again = self.write(&["backfill", "run", "--all"]).must_be(&[0]);
            assert!(again.stdout.contains("0 rows without a tenant were counted"), "{}{}", again.stdout, again.stderr);
        }
    }

    /// Plans and rolls out with these options, and once more without them.
    pub(crate) fn roll_out(&self, options: &[&str]) {
        self.run(&[&["rls", "plan", "--adopt"], options].concat()).must_be(&[0]);
        self.write(&[&["rls", "rollout", "--adopt"], options].concat()).must_be(&[0]);
        self.run(&["rls", "status"]).must_be(&[0]);
        let again = self.write(&["rls", "rollout"]).must_be(&[0]);
        assert!(again.stdout.contains("No step was left"), "{}{}", again.stdout, again.stderr);
    }

    pub(crate) fn verify(&self, verdict: &Verdict) {
        match verdict {
            Verdict::Proven => {
                self.write(&["rls", "verify", "--write-probes"]).must_be(&[0]);
            }
        }
    }

    pub(crate) fn roll_back(&self) {
        self.write(&["rls", "rollback", "--to", "none"]).must_be(&[0]);
    }

    /// The tables with a tenant column, each with that column and its class. The column of a table that is protected through another one
    /// names no tenant.
    pub(crate) fn tenant_tables(&self) -> Vec<(String, String, String)> {
        let ended = self.run(&["inventory", "--format", "json"]).must_be(&[0]);
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let tables = report["tables"].as_array().unwrap().iter();
        let of_tenants = tables.filter(|table| table["column"].is_string() && table["class"] != "through");
        of_tenants.map(|table| (text(&table["table"]), text(&table["column"]), text(&table["class"]))).collect()
    }

    /// Every definition of every table, a line each.
    pub(crate) async fn catalog(&self) -> Vec<String> {
        let mut session = self.db.superuser().await;
        let query = include_str!("../../../crates/rls-rollout/tests/it/catalog.sql");
        let rows = sqlx::query(Sql::from_static(query)).fetch_all(session.connection()).await.unwrap();
        session.close().await;
        rows.iter().map(|row| row.get("line")).collect()
    }
}

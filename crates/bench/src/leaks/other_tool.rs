//! The same cases with `pgrls`, a linter of policies, where it is installed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tenancy_config::DatabaseUrl;
use tokio::process::Command;

use super::report::OtherTool;
use super::verdict::has_word;
use crate::error::{Error, Result};

/// The linter, and what it finds before anything is planted.
#[derive(Debug)]
pub(crate) struct Linter {
    program: PathBuf,
    version: String,
    before: BTreeSet<String>,
}

impl Linter {
    /// Asks the program for its version, and for what it finds in a database in which nothing is wrong.
    ///
    /// # Errors
    /// [`Error::Measure`]: the program cannot be run, or does not say what it finds.
    pub(crate) async fn new(program: &Path, clean: &DatabaseUrl) -> Result<Self> {
        let said = Command::new(program).arg("--version").output().await?;
        let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        let mut linter = Self { program: program.to_owned(), version, before: BTreeSet::new() };
        linter.before = linter.findings(clean).await?;
        Ok(linter)
    }

    /// Whether it finds something that it did not find before and that names one of these; any such finding where there are no names.
    ///
    /// # Errors
    /// [`Error::Measure`]: the program cannot be run, or does not say what it finds.
    pub(crate) async fn finds(&self, database: &DatabaseUrl, names: &[String]) -> Result<bool> {
        let found = self.findings(database).await?;
        let mut fresh = found.difference(&self.before);
        Ok(fresh.any(|line| names.is_empty() || names.iter().any(|name| has_word(line, name))))
    }

    /// Its findings, a line each.
    async fn findings(&self, database: &DatabaseUrl) -> Result<BTreeSet<String>> {
        let mut command = Command::new(&self.program);
        command.args(["lint", "--format", "json"]).env("DATABASE_URL", database.expose());
        let output = command.output().await?;
        let failed = || Error::Measure {
            doing: format!("linting with {}", self.program.display()),
            why: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        };
        let report: Value = serde_json::from_slice(&output.stdout).map_err(|_| failed())?;
        let violations = report["violations"].as_array().ok_or_else(failed)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let line =
            |violation: &Value| ["rule_id", "location", "message"].map(|field| text(&violation[field])).join(" ");
        Ok(violations.iter().map(line).collect())
    }

    pub(crate) fn described(self) -> OtherTool {
        OtherTool { name: self.version, before: self.before.len() }
    }
}

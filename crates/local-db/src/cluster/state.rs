//! `cluster.json`, the state file: which cluster this is. There is no cluster only if there is no such file. A file
//! that cannot be read or understood is an error, because its cluster may be running and hold somebody's data.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tenancy_config::Trust;
use tenancy_config::trust::ReadError;

use crate::error::{Error, Result};
use crate::secret::ClusterSecret;

/// The version of the file's format. Files without a version have the first one.
const VERSION: u64 = 2;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// There is no file.
    Nothing,
    /// A set-up or a reset was begun: the folder holds nobody's data.
    Unfinished {
        /// The port to use again.
        port: Option<u16>,
    },
    /// A cluster whose set-up is complete.
    Cluster(Cluster),
}

/// What is known about a cluster whose set-up is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cluster {
    /// Tells this cluster from every other one; `initdb` chose it.
    pub(crate) system_identifier: String,
    pub(crate) port: u16,
    /// The major version of its data.
    pub(crate) major: u32,
    /// The folder of the programs that ran it last.
    pub(crate) bin: PathBuf,
    /// Whether the application's tables were created, or are left to the application's own migrations.
    pub(crate) tables: bool,
    #[serde(default = "ClusterSecret::old")]
    pub(crate) secret: ClusterSecret,
    /// The password that the server is being given. While this is set, we do not know which of the two it has.
    #[serde(default)]
    pub(crate) next_secret: Option<ClusterSecret>,
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u64,
    #[serde(flatten)]
    content: Content,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    Unfinished { port: Option<u16> },
    Cluster(Cluster),
}

/// Reads the file, if it exists and is trusted.
pub(crate) fn read(path: &Path, trust: &Trust) -> Result<Known> {
    let text = match trust.read(path) {
        Ok(None) => return Ok(Known::Nothing),
        Ok(Some(text)) => text,
        Err(ReadError::Untrusted(untrusted)) => return Err(untrusted.into()),
        Err(ReadError::Io(error)) => return Err(damaged(path, error.to_string())),
    };
    if text.trim().is_empty() {
        return Err(damaged(path, "it is empty".to_owned()));
    }
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| damaged(path, why(&error)))?;
    let understood = match value.get("version") {
        None => serde_json::from_value(value).map(Known::Cluster),
        Some(version) if version.as_u64().is_some_and(|version| version > VERSION) => {
            return Err(damaged(path, "a newer version of this program wrote it".to_owned()));
        }
        Some(_) => serde_json::from_value(value).map(|document: Document| match document.content {
            Content::Unfinished { port } => Known::Unfinished { port },
            Content::Cluster(cluster) => Known::Cluster(cluster),
        }),
    };
    understood.map_err(|error| damaged(path, why(&error)))
}

/// The text of the file.
pub(crate) fn text(known: Known) -> Result<Option<String>, io::Error> {
    let content = match known {
        Known::Nothing => return Ok(None),
        Known::Unfinished { port } => Content::Unfinished { port },
        Known::Cluster(cluster) => Content::Cluster(cluster),
    };
    Ok(Some(serde_json::to_string_pretty(&Document { version: VERSION, content })?))
}

pub(crate) fn damaged(path: &Path, why: String) -> Error {
    Error::State { path: path.to_owned(), why }
}

/// What is wrong with it, without quoting the text, which contains a password.
fn why(error: &serde_json::Error) -> String {
    format!("it is incomplete or was changed (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &[u8]) -> Result<Known> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.json");
        std::fs::write(&path, text).unwrap();
        read(&path, &Trust::new(None, folder.path()))
    }

    fn cluster() -> Cluster {
        let (system_identifier, bin) = ("7".to_owned(), "/bin".into());
        let secret = ClusterSecret::random().unwrap();
        Cluster { system_identifier, port: 5433, major: 18, bin, tables: true, secret, next_secret: None }
    }

    #[test]
    fn what_is_written_reads_back() {
        for known in
            [Known::Unfinished { port: None }, Known::Unfinished { port: Some(5433) }, Known::Cluster(cluster())]
        {
            let text = text(known.clone()).unwrap().unwrap();
            assert_eq!(read_text(text.as_bytes()).unwrap(), known);
        }
    }

    #[test]
    fn a_file_of_the_first_version_is_a_cluster_with_the_old_password() {
        let text = r#"{"system_identifier": "7", "port": 5433, "major": 18, "bin": "/bin", "tables": true}"#;
        let Known::Cluster(cluster) = read_text(text.as_bytes()).unwrap() else { panic!("it is one") };
        assert!(cluster.secret.is_old());
    }

    #[test]
    fn no_part_of_a_file_is_taken_for_the_whole_nor_for_none() {
        let whole = text(Known::Cluster(cluster())).unwrap().unwrap();
        for length in 0..whole.len() {
            let error = read_text(&whole.as_bytes()[..length]).expect_err("it was cut off");
            assert!(matches!(error, Error::State { .. }), "{length}: {error}");
        }
    }

    #[test]
    fn anything_else_is_an_error_that_quotes_nothing() {
        for text in [&b""[..], b" \n", b"null", b"[]", b"{}", b"\xFF", b"{\"version\": 2}", b"\"hunter2\""] {
            let error = read_text(text).unwrap_err();
            assert!(matches!(error, Error::State { .. }) && !error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_file_of_a_newer_version_is_said_to_be_one() {
        let error =
            read_text(br#"{"version": 3, "cluster": {"system_identifier": "7", "tablespaces": []}}"#).unwrap_err();
        assert!(error.to_string().contains("a newer version of this program wrote it"), "{error}");
    }
}

//! The real libraries, which npm installs at locked versions: the tests and the benchmark compare with them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::error::{Error, Result};

/// The files that are written before npm is called. The lock file holds hashes and no address: npm takes its own registry and refuses
/// anything but these bytes.
const FILES: [(&str, &str); 5] = [
    ("package.json", include_str!("../tests/node/package.json")),
    ("package-lock.json", include_str!("../tests/node/package-lock.json")),
    (".npmrc", include_str!("../tests/node/.npmrc")),
    ("libraries.mjs", include_str!("../tests/node/libraries.mjs")),
    ("mint.mjs", include_str!("../tests/node/mint.mjs")),
];

/// A folder in which Node finds `next-auth` and `@auth/core`.
#[derive(Debug)]
pub struct Node {
    folder: PathBuf,
}

impl Node {
    /// Lets npm install the libraries into an empty folder. No script of theirs runs.
    ///
    /// # Errors
    /// [`Error::Node`] with what npm said.
    pub fn install(folder: &Path) -> Result<Self> {
        let failed = |why: String| Error::Node { why };
        for (name, text) in FILES {
            std::fs::write(folder.join(name), text).map_err(|error| failed(format!("{name}: {error}")))?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", "--loglevel=error"]);
        finished(npm.current_dir(folder).stdin(Stdio::null()).output()).map_err(failed)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The libraries in `store`, where they stay; npm is called only if they are not there yet.
    ///
    /// # Errors
    /// [`Error::Node`] with what npm said, or with why the folder cannot be written to.
    pub fn kept_in(store: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| Error::Node { why: format!("{}: {error}", store.display()) };
        let mut hasher = DefaultHasher::new();
        FILES.hash(&mut hasher);
        let folder = store.join(format!("real-libraries-{:016x}", hasher.finish()));
        if folder.is_dir() {
            return Ok(Self { folder });
        }
        // The folder is filled under another name, so that one of this name is complete.
        let incoming = store.join(format!(".real-libraries-{}", std::process::id()));
        std::fs::create_dir_all(&incoming).map_err(failed)?;
        let put = Self::install(&incoming).and_then(|_| std::fs::rename(&incoming, &folder).map_err(failed));
        if put.is_err() {
            // The error that is reported is why it failed, and not whether the folder can be removed.
            let _ = std::fs::remove_dir_all(&incoming);
        }
        // Another process may have been faster.
        if folder.is_dir() { Ok(Self { folder }) } else { put.map(|()| Self { folder }) }
    }

    /// The command `node SCRIPT` in that folder.
    pub fn command(&self, script: &str) -> Command {
        let mut node = Command::new("node");
        node.arg(script).current_dir(&self.folder).stdin(Stdio::null());
        node
    }

    /// The folder, which has the scripts.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The standard output of a command that succeeded, else its message.
fn finished(output: std::io::Result<Output>) -> Result<String, String> {
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().find(|line| !line.contains("npm error code")).unwrap_or("no reason given").to_owned())
}

//! Env files, read as Next.js reads them in development, so that a URL that works for `next dev` works here.
//!
//! Nothing here is printed, and no error quotes a line: these files are where the secrets are. `dotenvy` is not used: it
//! fails on lines that Next.js takes (`A=b c`), quotes them in its errors, and looks variables up in this process.

mod expand;
mod parse;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The files, best first.
const NAMES: [&str; 4] = [".env.development.local", ".env.local", ".env.development", ".env"];

/// The variables that an app's env files set. It has no `Debug`, as the values are secrets.
pub(crate) struct EnvFiles {
    variables: BTreeMap<String, Variable>,
}

struct Variable {
    value: String,
    path: PathBuf,
}

impl EnvFiles {
    /// Reads the files of the app in `directory`; those that are not there are left out. `$NAME` in a value is looked up
    /// in `environment` first, then in better files, then in its own.
    ///
    /// # Errors
    /// The path of a file that is there and cannot be read.
    pub(crate) fn read(
        directory: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let mut variables: BTreeMap<String, Variable> = BTreeMap::new();
        for name in NAMES {
            let path = directory.join(name);
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(_) if path.is_dir() => continue,
                Err(error) => return Err((path, error)),
            };
            let better =
                |name: &str| environment(name).or_else(|| variables.get(name).map(|known| known.value.clone()));
            let own = expand::expand(parse::pairs(&text), &better);
            for (name, value) in own {
                variables.entry(name).or_insert_with(|| Variable { value, path: path.clone() });
            }
        }
        Ok(Self { variables })
    }

    /// The value of a variable, and the file that it is from.
    pub(crate) fn get(&self, name: &str) -> Option<(&str, &Path)> {
        self.variables.get(name).map(|variable| (variable.value.as_str(), variable.path.as_path()))
    }
}

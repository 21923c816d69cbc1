//! Reads env files as Next.js does in development, so that a URL that works for `next dev` works here.
//!
//! These files hold secrets: nothing here is printed, and no error quotes a line. We do not use `dotenvy`, because it
//! fails on lines that Next.js accepts (`A=b c`), quotes them in its errors, and looks variables up in this process.

mod expand;
mod parse;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::environment::Lookup;
use crate::settings::SettingsError;
use crate::trust::{ReadError, Trust};

/// The names of the files; the first that sets a variable wins.
const NAMES: [&str; 4] = [".env.development.local", ".env.local", ".env.development", ".env"];

/// The variables that an application's env files set. It has no `Debug`, because the values are secrets.
pub(crate) struct EnvFiles {
    variables: BTreeMap<String, Variable>,
}

struct Variable {
    value: String,
    path: PathBuf,
}

impl EnvFiles {
    /// Reads the env files of the application in `directory`, and skips those that do not exist. A `$NAME` in a value
    /// is looked up in `environment` first, then in the files that win over this one, then in this one.
    ///
    /// # Errors
    /// A file exists, but cannot be read or is not trusted; or it refers to a variable that is not UTF-8.
    pub(crate) fn read(directory: &Path, environment: &Lookup<'_>, trust: &Trust) -> Result<Self, SettingsError> {
        let not_text = RefCell::new(None);
        let in_environment = |name: &str| {
            environment(name).unwrap_or_else(|error| {
                not_text.borrow_mut().get_or_insert(error);
                None
            })
        };
        let mut variables: BTreeMap<String, Variable> = BTreeMap::new();
        for name in NAMES {
            let path = directory.join(name);
            let text = match trust.read(&path) {
                Ok(Some(text)) => text,
                Ok(None) => continue,
                Err(ReadError::Untrusted(untrusted)) => return Err(untrusted.into()),
                Err(ReadError::Io(source)) => return Err(SettingsError::EnvFile { path, source }),
            };
            let better =
                |name: &str| in_environment(name).or_else(|| variables.get(name).map(|known| known.value.clone()));
            let own = expand::expand(parse::pairs(&text), &better);
            for (name, value) in own {
                variables.entry(name).or_insert_with(|| Variable { value, path: path.clone() });
            }
        }
        not_text.into_inner().map_or(Ok(Self { variables }), |error| Err(error.into()))
    }

    /// The value of a variable, and the file that it comes from.
    pub(crate) fn get(&self, name: &str) -> Option<(&str, &Path)> {
        self.variables.get(name).map(|variable| (variable.value.as_str(), variable.path.as_path()))
    }
}

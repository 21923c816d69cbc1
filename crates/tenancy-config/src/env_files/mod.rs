//! Env files, read as Next.js reads them in development, so that a URL that works for `next dev` works here.
//!
//! Nothing here is printed, and no error quotes a line: these files are where the secrets are. `dotenvy` is not used: it
//! fails on lines that Next.js takes (`A=b c`), quotes them in its errors, and looks variables up in this process.

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
    /// A file that is there and cannot be read or is not believed, and a variable in it that is not UTF-8.
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

    /// The value of a variable, and the file that it is from.
    pub(crate) fn get(&self, name: &str) -> Option<(&str, &Path)> {
        self.variables.get(name).map(|variable| (variable.value.as_str(), variable.path.as_path()))
    }
}

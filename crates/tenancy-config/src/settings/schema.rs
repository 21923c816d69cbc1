//! Decides the schema of tables that are named without one: from `?schema=` of a URL, as Prisma reads it, or from
//! `tenancy.toml`.

use super::config_file::Config;
use super::error::SettingsError;
use super::origin::SettingOrigin;
use super::sources::Found;
use crate::tenancy::{self, Tenancy};

/// The tenancy in the schema that a setting names, and that setting. If two settings name different schemas, they are
/// refused: what is meant for the one would be read from, or written to, the tables of the other.
pub(super) fn decide(config: Config, urls: [&Found; 2]) -> Result<(Tenancy, Option<SettingOrigin>), SettingsError> {
    let Config { path, mut tenancy, names_schema, .. } = config;
    let mut named = path.as_ref().filter(|_| names_schema).map(|path| SettingOrigin::ConfigFile(path.clone()));
    for (url, origin) in urls.into_iter().flatten() {
        let Some(schema) = url.schema() else { continue };
        match &named {
            Some(other) if schema != tenancy.database.schema => {
                let here = (schema.to_owned(), origin.clone());
                return Err(SettingsError::Schemas(Box::new([here, (tenancy.database.schema, other.clone())])));
            }
            Some(_) => {}
            None => {
                tenancy = tenancy::in_schema(tenancy, schema, path.as_deref())?;
                named = Some(origin.clone());
            }
        }
    }
    Ok((tenancy, named))
}

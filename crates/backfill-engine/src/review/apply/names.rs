//! Finds the tenants that people name, by id or slug.

use std::collections::{BTreeSet, HashMap};

use tenancy_config::Tenancy;
use tenancy_config::UserError;
use tenant_rls::{Database, Error as RlsError, Registry, TenantId};

use crate::error::Result;

/// The most names that are kept in memory.
const REMEMBERED: usize = 10_000;

/// The number of unknown names for which the most similar slug is looked for.
const SUGGESTIONS: usize = 20;

/// The tenant of each name that was looked up, or the reason why there is none.
#[derive(Debug, Default)]
pub(super) struct TenantNames {
    known: HashMap<String, Result<TenantId, String>>,
    suggested: usize,
}

impl TenantNames {
    /// Looks up the names that are not known yet, in one snapshot.
    ///
    /// # Errors
    /// [`RlsError::CannotSee`] if tenants are hidden from every role that may be used; [`RlsError::Query`] if they
    /// cannot be read.
    pub(super) async fn look_up(
        &mut self,
        database: &Database,
        tenancy: &Tenancy,
        names: BTreeSet<&str>,
    ) -> Result<()> {
        if self.known.len() > REMEMBERED {
            self.known.clear();
        }
        let asked: Vec<&str> = names.into_iter().filter(|name| !self.known.contains_key(*name)).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let mut tenants = Registry::open(database, tenancy).await?;
        let answers = tenants.find_all(&asked).await?;
        for (name, answer) in asked.into_iter().zip(answers) {
            let answer = match answer {
                Err(RlsError::UnknownTenant { .. }) if self.suggested < SUGGESTIONS => {
                    self.suggested += 1;
                    tenants.find(name).await
                }
                answer => answer,
            };
            self.known.insert(name.to_owned(), answer.map(|tenant| tenant.id).map_err(|error| why(&error)));
        }
        Ok(tenants.close().await?)
    }

    /// The tenant of a name that was looked up.
    pub(super) fn get(&self, name: &str) -> Result<TenantId, String> {
        self.known.get(name).cloned().unwrap_or_else(|| Err("the tenant was not looked up".to_owned()))
    }
}

fn why(error: &RlsError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

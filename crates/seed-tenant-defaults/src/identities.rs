//! Who was named before: the same words twice in a file, and the same tenant once by its id and once by its slug.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::hash::{BuildHasher, RandomState};

use tenancy_config::Tenancy;
use tenant_rls::{Database, Registry};

use crate::list::Entry;
use crate::source::CHUNK;
use crate::{CheckedList, Result};

/// On which line each name was seen first. 16 bytes a name: 96 bits of its hash, in which two names never meet, and the line.
#[derive(Debug, Default)]
pub(crate) struct SeenNames {
    seen: HashMap<[u32; 3], u32>,
    hashers: [RandomState; 2],
}

impl SeenNames {
    /// Notes a name, and tells the line on which it was seen before.
    pub(crate) fn add(&mut self, name: &str, line: u64) -> Option<u64> {
        let [first, second] = self.hashers.each_ref().map(|hasher| hasher.hash_one(name));
        let key = [first as u32, (first >> 32) as u32, second as u32];
        match self.seen.entry(key) {
            Slot::Occupied(before) => Some(u64::from(*before.get())),
            Slot::Vacant(slot) => {
                slot.insert(u32::try_from(line).unwrap_or(u32::MAX));
                None
            }
        }
    }
}

/// Looks up every tenant of the file before any is written to, and checks that no two lines mean the same.
///
/// # Errors
/// [`Error::List`](crate::Error::List) for the second of two such lines.
pub(crate) async fn check(database: &Database, tenancy: &Tenancy, checked: &CheckedList) -> Result<()> {
    let (mut list, mut mentions) = (checked.open()?, SeenNames::default());
    loop {
        let chunk = list.chunk(CHUNK)?;
        if chunk.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = chunk.iter().map(|entry: &Entry| entry.tenant.as_str()).collect();
        let mut tenants = Registry::open(database, tenancy).await?;
        let answers = tenants.find_all(&names).await?;
        tenants.close().await?;
        // Whom nobody finds fails by itself, later.
        for (entry, tenant) in chunk.iter().zip(answers).filter_map(|(entry, answer)| Some((entry, answer.ok()?))) {
            if let Some(first) = mentions.add(tenant.id.as_str(), entry.line) {
                let what = format!("`{}` is the tenant of line {first}, by its other name (id or slug)", entry.tenant);
                return Err(list.wrong(entry.line, Some(list.tenant_column()), what, None));
            }
        }
    }
}

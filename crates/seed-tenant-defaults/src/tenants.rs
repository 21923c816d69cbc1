//! The tenants of a run, some hundred at a time: one that is named, all of them, or those that a file names.

use tenancy_config::Tenancy;
use tenant_rls::{Database, Error as RlsError, Registry, Tenant, TenantId};

use crate::error::{Error, Result};
use crate::failure::SeedFailure;
use crate::list::TenantList;
use crate::list::entry::{Entry, no_slug, stray_blanks};
use crate::options::{CHUNK, SeedOptions, TenantSelection};
use crate::plan::SeedPlan;
use crate::report::{TenantLine, TenantResult};

/// What is to be done about one tenant.
#[derive(Debug)]
pub(crate) enum TenantAnswer {
    /// It gets what it lacks.
    Seed(TenantToSeed),
    /// Nothing: its result is known.
    Settled(TenantLine),
}

/// A tenant that exists.
#[derive(Debug)]
pub(crate) struct TenantToSeed {
    pub(crate) line: Option<u64>,
    pub(crate) tenant: Tenant,
    pub(crate) organization_name: Option<String>,
    pub(crate) made: bool,
}

/// Gives the tenants of one run. No snapshot is held between two chunks.
pub(crate) struct TenantStream<'a> {
    database: &'a Database,
    tenancy: &'a Tenancy,
    options: &'a SeedOptions,
    plan: &'a SeedPlan,
    rest: Rest,
}

enum Rest {
    One(Entry),
    All(Option<TenantId>),
    List(TenantList),
    Nothing,
}

impl<'a> TenantStream<'a> {
    pub(crate) fn new(
        database: &'a Database,
        tenancy: &'a Tenancy,
        options: &'a SeedOptions,
        plan: &'a SeedPlan,
    ) -> Result<Self> {
        let rest = match &options.whom {
            TenantSelection::One { tenant, organization_name } => {
                Rest::One(Entry { line: 0, tenant: tenant.clone(), organization_name: organization_name.clone() })
            }
            TenantSelection::All => Rest::All(None),
            TenantSelection::List(list) => Rest::List(list.open()?),
        };
        Ok(Self { database, tenancy, options, plan, rest })
    }

    /// The next tenants and the rest of the stream, in the form of [`try_unfold`](futures_util::stream::try_unfold); `None` at the end.
    pub(crate) async fn step(mut self) -> Result<Option<(Vec<TenantAnswer>, Self)>> {
        Ok(self.next().await?.map(|chunk| (chunk, self)))
    }

    async fn next(&mut self) -> Result<Option<Vec<TenantAnswer>>> {
        match std::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::One(entry) => Ok(Some(vec![self.one(entry).await?])),
            Rest::All(after) => self.page(after).await,
            Rest::List(mut list) => {
                let chunk = list.chunk(CHUNK)?;
                self.rest = Rest::List(list);
                if chunk.is_empty() { Ok(None) } else { Ok(Some(self.resolve(chunk).await?)) }
            }
            Rest::Nothing => Ok(None),
        }
    }

    /// The one tenant that was asked for; anything that is wrong with it ends the run.
    async fn one(&self, entry: Entry) -> Result<TenantAnswer> {
        let mut tenants = Registry::open(self.database, self.tenancy).await?;
        let answer = tenants.find(&entry.tenant).await;
        tenants.close().await?;
        match answer {
            Ok(tenant) if !tenant.active && !self.options.include_inactive => {
                let Tenant { slug, status, .. } = tenant;
                Err(Error::Inactive { tenant: slug, status: status.unwrap_or_default() })
            }
            Ok(tenant) => Ok(self.to_seed(entry, tenant, false)),
            Err(RlsError::UnknownTenant { .. }) if self.options.create => {
                let mut answers = self.resolve(vec![entry]).await?;
                Ok(answers.pop().expect("one answer an entry"))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn page(&mut self, after: Option<TenantId>) -> Result<Option<Vec<TenantAnswer>>> {
        let mut tenants = Registry::open(self.database, self.tenancy).await?;
        let page = tenants.page(after.as_ref(), CHUNK as u32).await?;
        tenants.close().await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.rest = Rest::All(Some(last.id.clone()));
        let wanted = page.into_iter().filter(|tenant| tenant.active || self.options.include_inactive);
        let to_seed =
            |tenant| TenantAnswer::Seed(TenantToSeed { line: None, tenant, organization_name: None, made: false });
        Ok(Some(wanted.map(to_seed).collect()))
    }

    /// Looks tenants up, and makes those that are missing if the options say so.
    async fn resolve(&self, entries: Vec<Entry>) -> Result<Vec<TenantAnswer>> {
        let answers = self.find(&entries).await?;
        let unknown = |answer: &Result<Tenant, RlsError>| matches!(answer, Err(RlsError::UnknownTenant { .. }));
        let new =
            entries.iter().zip(&answers).filter(|(entry, answer)| unknown(answer) && no_slug(&entry.tenant).is_none());
        let new: Vec<&Entry> = new.map(|(entry, _)| entry).collect();
        if !self.options.create || new.is_empty() {
            return Ok(entries.into_iter().zip(answers).map(|(entry, answer)| self.answer(entry, answer)).collect());
        }
        let made = self.plan.create.run(self.database, self.tenancy, &new, self.options.dry_run).await?;
        let answers = if self.options.dry_run { answers } else { self.find(&entries).await? };
        let answers = entries.into_iter().zip(answers).map(|(entry, answer)| {
            if let Some(message) = made.refused.get(&entry.tenant) {
                return TenantAnswer::Settled(failed(entry, SeedFailure::Refused { message: message.clone() }));
            }
            match answer {
                Ok(tenant) if made.slugs.contains(&tenant.slug) => self.to_seed(entry, tenant, true),
                Err(_) if made.slugs.contains(&entry.tenant) => TenantAnswer::Settled(self.would_be_made(entry)),
                answer => self.answer(entry, answer),
            }
        });
        Ok(answers.collect())
    }

    async fn find(&self, entries: &[Entry]) -> Result<Vec<Result<Tenant, RlsError>>> {
        let names: Vec<&str> = entries.iter().map(|entry| entry.tenant.as_str()).collect();
        let mut tenants = Registry::open(self.database, self.tenancy).await?;
        let answers = tenants.find_all(&names).await?;
        tenants.close().await?;
        Ok(answers)
    }

    fn answer(&self, entry: Entry, answer: Result<Tenant, RlsError>) -> TenantAnswer {
        match answer {
            Ok(tenant) if !tenant.active && !self.options.include_inactive => {
                let status = tenant.status.unwrap_or_default();
                TenantAnswer::Settled(TenantLine {
                    id: Some(tenant.id),
                    ..failed(entry, SeedFailure::Inactive { status })
                })
            }
            Ok(tenant) => self.to_seed(entry, tenant, false),
            Err(RlsError::UnknownTenant { name, .. }) if self.options.create => TenantAnswer::Settled(failed(
                entry,
                match no_slug(&name) {
                    Some(fault) => SeedFailure::NoSlug { name, fault },
                    None => SeedFailure::Removed { name },
                },
            )),
            Err(error) => {
                let unknown = matches!(error, RlsError::UnknownTenant { .. });
                let fault = stray_blanks(&entry.tenant).filter(|_| unknown);
                TenantAnswer::Settled(failed(entry, SeedFailure::NotFound { message: error.to_string(), fault }))
            }
        }
    }

    fn to_seed(&self, entry: Entry, tenant: Tenant, made: bool) -> TenantAnswer {
        let (line, organization_name) = (line(&entry), entry.organization_name);
        TenantAnswer::Seed(TenantToSeed { line, tenant, organization_name, made })
    }

    /// A dry run rolls a new tenant back before its settings can be tried; as it is new, it would get every row.
    fn would_be_made(&self, entry: Entry) -> TenantLine {
        TenantLine {
            line: line(&entry),
            tenant: entry.tenant,
            id: None,
            result: TenantResult::Created,
            made: true,
            created: self.plan.tables.clone(),
            failure: None,
        }
    }
}

/// Lines count from 1; the tenant of the command line has none.
fn line(entry: &Entry) -> Option<u64> {
    (entry.line > 0).then_some(entry.line)
}

fn failed(entry: Entry, failure: SeedFailure) -> TenantLine {
    TenantLine {
        line: line(&entry),
        tenant: entry.tenant,
        id: None,
        result: TenantResult::Failed,
        made: false,
        created: Vec::new(),
        failure: Some(failure),
    }
}

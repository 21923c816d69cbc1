//! Ways past the policies: which of them are open to the application's login. What the catalog leaves open is tried.

pub(crate) mod key;
pub(crate) mod untried;
pub(crate) mod view;

use tenant_inventory::claim::breach::Breach;
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::claim::untried::Untried;
use tenant_inventory::{Inventory, Review, Way, WayObject, WayVerdict};
use tenant_rls::Database;

use crate::error::Result;
use crate::report::ClosedBy;
use crate::ways::key::Key;
use crate::ways::view::Reading;

/// What a way showed, and what closes it if it is closed.
pub(crate) struct WayResult {
    pub(crate) evidence: Evidence,
    pub(crate) closed_by: Option<ClosedBy>,
}

/// What is needed to try the ways.
pub(crate) struct Ways<'a> {
    pub(crate) owner: &'a Database,
    pub(crate) app: &'a Database,
    pub(crate) inventory: &'a Inventory,
    /// A few tenants to read as.
    pub(crate) tenants: Vec<String>,
}

impl Ways<'_> {
    /// What a way shows. Whatever goes wrong is evidence of this way, and ends nothing else.
    pub(crate) async fn inspect(&self, way: &Way) -> WayResult {
        let outdated = match way.declared(&self.inventory.tenancy) {
            Review::Current { why } => return held(ClosedBy::Reviewed { why }),
            Review::Outdated { hash } => Some(hash),
            Review::None => None,
        };
        match &way.verdict {
            WayVerdict::Closed => held(ClosedBy::Barrier),
            WayVerdict::CanSwitchOff => held(ClosedBy::Forced),
            WayVerdict::Open => broken(way, outdated.map(|hash| Review::Outdated { hash }.to_string())),
            WayVerdict::NeedsReview { why } => {
                let (why, review) = (why.clone(), way.review.clone());
                not_tried(Untried::NotReviewed { way: way.to_string(), why, outdated, review })
            }
            WayVerdict::NeedsAttempt { column } => match self.read(way, column).await {
                Ok(Reading::Apart) => held(ClosedBy::KeepsApart),
                Ok(Reading::Others { value }) => broken(way, Some(value.map_or_else(|| NOT_SET.to_owned(), under))),
                Ok(Reading::Untried(because)) => not_tried(because),
                Err(error) => not_tried(untried::of(&error)),
            },
            WayVerdict::NeedsData if self.hangs(way) => not_tried(Untried::RowsDepend),
            WayVerdict::NeedsData => match self.crosses(way).await {
                Ok(true) => match self.declared(way) {
                    Some(why) => held(ClosedBy::Declared { why }),
                    None => broken(way, Some("there are rows of one tenant that reference another's".to_owned())),
                },
                Ok(false) => held(ClosedBy::NoCrossing),
                Err(error) => not_tried(untried::of(&error)),
            },
        }
    }

    /// Why rows of the table with a foreign key may reference another tenant's, if `tenancy.toml` says so.
    fn declared(&self, way: &Way) -> Option<String> {
        let WayObject::CascadingKey { table, .. } = &way.object else { return None };
        self.inventory.tenancy.rules(table)?.cross_tenant_references.clone()
    }

    /// Whether a key begins or ends at a table without a tenant column.
    fn hangs(&self, way: &Way) -> bool {
        let WayObject::CascadingKey { table, parent, .. } = &way.object else { return false };
        [table, parent]
            .iter()
            .any(|name| self.inventory.relation(name).is_some_and(|relation| relation.parent.is_some()))
    }

    async fn read(&self, way: &Way, column: &str) -> Result<Reading> {
        let WayObject::View { name } = &way.object else { return Ok(Reading::Untried(Untried::NoRows)) };
        view::read(self.app, self.inventory, name, column, &self.tenants).await
    }

    async fn crosses(&self, way: &Way) -> Result<bool> {
        let WayObject::CascadingKey { table, columns, tenant, parent, referenced, parent_tenant, validated, .. } =
            &way.object
        else {
            return Ok(true);
        };
        let key = Key { child: table, columns, tenant, parent, referenced, parent_tenant };
        let error = match key::crosses(self.owner, self.inventory, key).await {
            Ok(crosses) => return Ok(crosses),
            Err(error) => error,
        };
        // What a valid key references exists, and belongs to a tenant: to another one, where its own does not see it.
        let has_tenant = self.inventory.relation(parent).is_some_and(|parent| parent.never_null);
        if *validated && has_tenant && matches!(key::crosses_for_some(self.owner, self.inventory, key).await, Ok(true))
        {
            return Ok(true);
        }
        Err(error)
    }
}

const NOT_SET: &str = "the login sees tenants' rows in it without a tenant";

fn under(value: String) -> String {
    format!("the login sees rows of others in it as {value:?}")
}

fn broken(way: &Way, shows: Option<String>) -> WayResult {
    let evidence = Evidence::Broken { breach: Breach::Way { way: Box::new(way.clone()), shows } };
    WayResult { evidence, closed_by: None }
}

fn held(by: ClosedBy) -> WayResult {
    WayResult { evidence: Evidence::Held, closed_by: Some(by) }
}

fn not_tried(because: Untried) -> WayResult {
    WayResult { evidence: Evidence::NotTried { because }, closed_by: None }
}

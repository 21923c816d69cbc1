//! What the application's login is and can become, and which policies hold for that.

use std::collections::BTreeMap;

use sqlx::Row;
use tenant_rls::{Database, Error as RlsError, OwnerTx};

use super::report::Finding;
use crate::Result;
use crate::build::{StepBuilder, StepStyle};
use crate::definition::AspectKind;
use crate::site::{Inventory, Relation};

/// The login's reach.
pub(crate) struct LoginReach {
    /// The roles that it can act as, itself first.
    pub(crate) roles: Vec<String>,
    /// For each policy, by schema, table and name, the first of these roles that it holds for.
    policies: BTreeMap<(String, String, String), Option<String>>,
}

/// A permissive policy that is not the rollout's, or was altered.
pub(crate) struct OtherPolicy<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
    /// The role of the login's that it holds for, if any.
    pub(crate) role: Option<&'a str>,
}

impl LoginReach {
    /// Reads it; every role may.
    pub(crate) async fn read(database: &Database, site: &Inventory, login: &str) -> Result<Self> {
        let doing = || RlsError::query(format!("asking what {login} can become"));
        let mut tx = OwnerTx::begin(database, std::time::Duration::from_secs(5)).await?;
        let roles: Vec<String> = sqlx::query_scalar(include_str!("../../../../sql/rls/probe_become.sql"))
            .bind(login)
            .fetch_all(tx.connection())
            .await
            .map_err(doing())?;
        let rows = sqlx::query(include_str!("../../../../sql/rls/probe_policies.sql"))
            .bind(site.schemas())
            .bind(site.names())
            .bind(&roles)
            .fetch_all(tx.connection())
            .await
            .map_err(doing())?;
        tx.rollback().await?;
        let policies = rows.iter().map(|row| ((row.get(0), row.get(1), row.get(2)), row.get(3))).collect();
        Ok(Self { roles, policies })
    }

    /// The policies of a relation that widen what the rollout's let through.
    pub(crate) fn foreign<'a>(
        &'a self,
        site: &'a Inventory,
        relation: &'a Relation,
    ) -> impl Iterator<Item = OtherPolicy<'a>> {
        let builder = StepBuilder { site, relation, style: StepStyle::default() };
        let permissive =
            relation.definition.all(AspectKind::Policy).filter(|(_, text)| text.starts_with("AS PERMISSIVE"));
        let foreign = permissive.filter(move |(name, _)| !builder.is_ours(name));
        foreign.map(|(name, text)| OtherPolicy { name, text, role: self.holds_for(relation, name) })
    }

    fn holds_for(&self, relation: &Relation, policy: &str) -> Option<&str> {
        let (schema, table) = (relation.name.schema().to_string(), relation.name.name().to_string());
        self.policies.get(&(schema, table, policy.to_owned()))?.as_deref()
    }

    /// What the login is or can become that no policy filters, or that a policy shows every tenant's rows.
    pub(crate) fn unfiltered(&self, site: &Inventory, superuser: bool) -> Vec<Finding> {
        let app = site.roles.app.0.to_string();
        let forced = |why: &str| {
            why.starts_with("the owner of ") && site.relations.iter().all(|r| r.definition.has(AspectKind::Forced))
        };
        let unfiltered = site.roles.escapes.iter().filter(|(_, why)| !forced(why)).map(|(role, why)| {
            if *role == app {
                format!("the login {app} is {why}: no policy filters it")
            } else {
                format!("the login {app} can become {role}, which is {why}: no policy filters that")
            }
        });
        let ours = [&site.roles.auditor.0, &site.roles.maintenance.0].map(ToString::to_string);
        let shown = ours.iter().filter(|role| !superuser && self.roles.contains(role)).map(|role| {
            format!("the login {app} can become {role}, whose policies show it keys of the rows of every tenant")
        });
        unfiltered.chain(shown).map(|what| Finding { table: None, what }).collect()
    }
}

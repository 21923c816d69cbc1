//! What reaches the rows of tenants without the policy that holds for the application's login. It is read from the catalog alone, in a few
//! statements over the whole database.
//!
//! | where | what |
//! | --- | --- |
//! | `way`, `object`, `words` | a way as a value, and in words |
//! | `state` | whether a way is open, by the catalog and the reviews in `tenancy.toml` |
//! | `facts`, `read` | what the catalog says; `review`: the definitions of what was found, and the hash that a review is pinned to |
//! | `roles`, `logins` | what the login can become |
//! | `filter` | whom the policies of a table filter |
//! | `tokens`, `targets`, `body`, `texts` | what the text of a function names |
//! | `loose`, `path` | names without a schema, and the `search_path` that a function is pinned to |
//! | `node`, `edges`, `graph` | what refers to what, and what is reached through that, as whom |
//! | `granted` | from whom a right is to be taken |
//! | `passing` | views that pass DELETE or UPDATE on to a table |
//! | `writable` | what the login can write to, and so fire |
//! | `flows` | where rows go from a trigger or rule |
//! | `found` | what one view, function, rule or trigger reaches past the policies |
//! | `view_ways`, `code_ways`, `caller_ways`, `cascade_ways`, `copy_ways`, `rights`, `role_ways`, `schema_ways`, `server_ways` | the ways of each kind |

mod body;
mod caller_ways;
mod cascade_ways;
mod code_ways;
mod copy_ways;
mod edges;
mod facts;
mod filter;
mod flows;
mod found;
mod granted;
mod graph;
pub(crate) mod logins;
mod loose;
mod node;
pub(crate) mod object;
mod options;
mod passing;
mod path;
mod read;
mod review;
mod rights;
mod role_ways;
pub(crate) mod roles;
mod schema_ways;
mod server_ways;
mod shared_parents;
pub(crate) mod state;
mod targets;
mod texts;
mod view_ways;
pub(crate) mod way;
mod words;
mod writable;

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::TableName;
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, OwnerTx, Result};

use crate::catalog::relations::RelationKind;
use crate::inventory::Inventory;
use code_ways::CodeWays;
use copy_ways::CopyWays;
use facts::Facts;
use filter::{Filter, OurPolicies, OurPolicy};
use flows::Flows;
use found::Analysis;
use graph::Graph;
use logins::Unfiltered;
use object::WayObject;
use review::{Definitions, FunctionReviews};
use roles::Roles;
use way::Way;

/// The first version that knows `security_invoker`.
const SECURITY_INVOKER: i32 = 150_000;

/// Reads the ways past the policies of the inventory's tables and partitions, and of the tables `beside` them whose rows belong to tenants too.
/// `app_login` is the role that the application logs in as; where there is no such role, there is no way for it.
///
/// # Errors
/// [`Error::Connect`](tenant_rls::Error::Connect) or [`Error::Query`](tenant_rls::Error::Query).
pub async fn read_ways(
    database: &Database,
    inventory: &Inventory,
    app_login: &str,
    beside: &[TableName],
) -> Result<Vec<Way>> {
    let version = database.session().server_version_num;
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let roles = Roles::read(tx.connection()).await?;
    let Some(login) = roles.named(app_login) else {
        tx.rollback().await?;
        return Ok(Vec::new());
    };
    let reached = roles.reachable(login.id);
    let names: Vec<String> = reached.iter().map(|reached| roles.name(reached.id)).collect();
    let tables = protected_names(inventory, beside);
    let roots = inventory.relations.iter().filter(|relation| relation.kind != RelationKind::Partition);
    let tenants: Vec<_> = roots.map(|root| (root.name.clone(), root.comparison.column.clone())).collect();
    let mut facts = Facts::read(tx.connection(), &names, &tables, &tenants, version).await?;
    facts.replaces = reached.iter().flat_map(|reached| roles.inherited(reached.id)).collect();
    let protected = protected_ids(&facts, &tables);
    let our_policies = our_policies(inventory);
    let filter = Filter::new(&facts, &roles, login.id, &our_policies, &protected);
    let texts = texts::texts(&facts);
    let graph = Graph::new(&facts, &protected, &texts);
    let knows_security_invoker = version >= SECURITY_INVOKER;
    let analysis = Analysis {
        facts: &facts,
        roles: &roles,
        filter: &filter,
        graph: &graph,
        login: app_login,
        knows_security_invoker,
    };
    let views = view_ways::reaching_views(&analysis);
    let rules = code_ways::rules(&analysis);
    let view_ids: Vec<i64> = views.keys().copied().collect();
    let foreign = view_ways::foreign(&analysis, &view_ids);
    let rule_ids: Vec<i64> = rules.iter().map(|rule| rule.id).collect();
    let triggers: Vec<i64> = facts.triggers.iter().map(|trigger| trigger.id).collect();
    let columns = tenant_columns(inventory);
    let definitions = Definitions::read(tx.connection(), &view_ids, &foreign, &rule_ids, &triggers, &columns).await?;
    tx.rollback().await?;

    let writable = writable::writable(&facts, &texts);
    let reviews = FunctionReviews::new(&facts, &roles, &texts);
    let code = CodeWays { analysis: &analysis, writable: &writable, definitions: &definitions, reviews: &reviews };
    let rollout = [&inventory.logins.maintenance.0, &inventory.logins.auditor.0];
    let mut ours: BTreeMap<&str, Unfiltered> = rollout.map(|role| (role.as_str(), Unfiltered::RolloutRole)).into();
    let declared = inventory.declared_logins.iter();
    ours.extend(
        declared.map(|login| (login.role.as_str(), Unfiltered::DeclaredLogin { purpose: login.purpose.clone() })),
    );
    let mut ways = role_ways::role_ways(&analysis, &reached, &ours, version);
    ways.extend(view_ways::view_ways(&analysis, views, &definitions));
    let functions = code.functions();
    let names = code.callers_names(&functions);
    ways.extend(functions.into_iter().chain(names));
    ways.extend(code.cascaded(version));
    ways.extend(code.own_tenants(&inventory.tenancy.session.variable));
    ways.extend(code.rules(&rules));
    let flows = Flows::new(&facts, &protected, &texts, &rules, |rule| definitions.rule(rule).text);
    let (tenancy, registry) = (&inventory.tenancy, &inventory.catalog.tenants);
    ways.extend(CopyWays { code: &code, flows: &flows, tenancy, registry }.ways(&rules));
    ways.extend(schema_ways::schema_ways(&analysis, &reached));
    ways.extend(server_ways::server_ways(&analysis));
    ways.extend(code.leakproof());
    ways.extend(rights::right_ways(&analysis));
    ways.extend(rights::ops_ways(&analysis));
    ways.extend(rights::key_ways(&analysis).into_iter().filter(|way| !is_link(inventory, way)));
    ways.extend(shared_parents::shared_parent_ways(&analysis));
    Ok(ways)
}

/// Whether a key is the one by which rows depend on rows of another table: what it changes belongs to the same tenant.
fn is_link(inventory: &Inventory, way: &Way) -> bool {
    let WayObject::CascadingKey { table, columns, parent, .. } = &way.object else { return false };
    let comparison = inventory.relation(table).and_then(|relation| relation.comparison.parent.as_ref());
    comparison.is_some_and(|link| link.table == *parent && *columns == [link.link.name.as_str()])
}

/// The tables whose policies are to hold, with their partitions.
fn protected_names(inventory: &Inventory, beside: &[TableName]) -> Vec<TableName> {
    let relations = inventory.relations.iter().map(|relation| &relation.name);
    let others = inventory.others.iter().map(|(name, _)| name);
    relations.chain(others).chain(beside).collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

fn protected_ids(facts: &Facts, tables: &[TableName]) -> BTreeSet<i64> {
    let relations = facts.relations.values().filter(|relation| tables.contains(&relation.name));
    relations.map(|relation| relation.id).collect()
}

fn our_policies(inventory: &Inventory) -> OurPolicies {
    let mut ours = OurPolicies::new();
    for relation in &inventory.relations {
        let policies = inventory.policies(relation);
        for (name, _) in policies.permissive().filter(|(name, _)| policies.is_ours(name)) {
            let of_role = policies.known_role_policies().find(|(policy, _)| policy.name() == name);
            let of_role = of_role.map(|(_, role)| role).or(policies.login_policy(name).map(|(_, role)| role));
            let kind = of_role.map_or(OurPolicy::Isolation, |role| OurPolicy::Role(role.to_string()));
            ours.insert((relation.name.clone(), name.to_owned()), kind);
        }
    }
    ours
}

/// The names that tenant columns have, the configured ones first.
fn tenant_columns(inventory: &Inventory) -> Vec<String> {
    let mut columns = inventory.tenancy.columns.clone();
    for relation in inventory.relations.iter().filter(|relation| relation.parent.is_none()) {
        let column = relation.comparison.column.as_str();
        if !columns.iter().any(|known| known == column) {
            columns.push(column.to_owned());
        }
    }
    columns
}

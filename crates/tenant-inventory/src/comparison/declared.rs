//! Compares what `tenancy.toml` declares of tables, policies and reviewed objects with what they are.

use tenancy_config::tenancy::{LoginPurpose, TableRules};
use tenancy_config::{TableName, Tenancy};
use tenant_rls::{Database, Result};

use super::misfit::{Misfit, MisfitKind, NoReviewNeeded, WhyClosed};
use super::report::Absent;
use crate::catalog::all_tables::{TableFacts, read_all_tables};
use crate::class::Class;
use crate::declared_login::problem::{LoginProblem, LoginProblemKind};
use crate::inventory::Inventory;
use crate::unhandled::{Unhandled, Unlinked};
use crate::ways::read_ways;
use crate::ways::state::Review;
use crate::ways::way::{Way, WayVerdict};

/// Every declaration of `tenancy.toml` about something that is there and that does not fit it, in the order of the file. Any role may read it.
/// `absent` is what is not there, of which nothing more is said.
///
/// # Errors
/// [`tenant_rls::Error::Connect`] or [`tenant_rls::Error::Query`] if the server does not answer; [`tenant_rls::Error::Name`] for a name in
/// `tenancy.toml` that no table can have.
pub async fn misfits(database: &Database, tenancy: &Tenancy, absent: &[Absent]) -> Result<Vec<Misfit>> {
    let facts = read_all_tables(database, tenancy).await?;
    let inventory = Inventory::load(database, tenancy, None, &[]).await?;
    let mut declared = Declarations { tenancy, inventory: &inventory, facts: &facts, misfits: Vec::new() };
    for (name, rules) in &tenancy.tables {
        declared.table(name, rules)?;
    }
    declared.logins();
    if !tenancy.reviewed.is_empty() {
        let unprotected = inventory.catalog.classified.iter().filter(|table| table.class.is_unprotected());
        let beside: Vec<TableName> = unprotected.map(|table| table.table.clone()).collect();
        declared.reviews(&read_ways(database, &inventory, inventory.logins.app.0.as_str(), &beside).await?);
    }
    let is_absent = |key: &str| absent.iter().any(|absent| absent.key == key);
    declared.misfits.retain(|misfit| !is_absent(&misfit.key));
    Ok(declared.misfits)
}

struct Declarations<'a> {
    tenancy: &'a Tenancy,
    inventory: &'a Inventory,
    facts: &'a [TableFacts],
    misfits: Vec<Misfit>,
}

impl Declarations<'_> {
    fn table(&mut self, name: &str, rules: &TableRules) -> Result<()> {
        let key = format!("tables.{name}");
        let table = TableName::parse(name, &self.tenancy.database.schema)?;
        let inventory = self.inventory;
        let classified = inventory.catalog.classified.iter().find(|known| known.table == table);
        // A table that is not there is told as such.
        let Some(class) = classified.map(|known| &known.class) else { return Ok(()) };
        if *class == Class::Registry {
            self.of_registry(&key, rules);
            return Ok(());
        }
        self.rows_without_tenant(&key, &table, class, rules);
        if rules.cross_tenant_references.is_some() && !self.has_references(&table) {
            self.add(format!("{key}.cross_tenant_references"), MisfitKind::NoReference { table: table.clone() });
        }
        if let Class::Unhandled { why: Unhandled::Through { why }, .. } = class
            && !matches!(why, Unlinked::NoParent { .. } | Unlinked::NoColumn { .. })
        {
            self.add(format!("{key}.through"), MisfitKind::NotThrough { why: why.clone() });
        }
        if let Some(relation) = inventory.relation(&table) {
            let policies = inventory.policies(relation);
            for policy in rules.allow_policies.keys().filter(|policy| policies.is_ours(policy)) {
                let what = MisfitKind::OwnPolicy { policy: policy.clone() };
                self.add(format!("{key}.allow_policies.{policy}"), what);
            }
        }
        Ok(())
    }

    /// What is declared of the rows of the tenant table as if they belonged to tenants.
    fn of_registry(&mut self, key: &str, rules: &TableRules) {
        let declared = [
            ("exempt", rules.exempt.is_some()),
            ("platform_rows", rules.platform_rows.are_meant()),
            ("shared_rows", rules.shared_rows.is_some()),
            ("through", rules.through.is_some()),
            ("cross_tenant_references", rules.cross_tenant_references.is_some()),
        ];
        for (name, _) in declared.into_iter().filter(|(_, given)| *given) {
            self.add(format!("{key}.{name}"), MisfitKind::OfRegistry);
        }
    }

    fn rows_without_tenant(&mut self, key: &str, table: &TableName, class: &Class, rules: &TableRules) {
        let platform = rules.platform_rows.are_meant();
        if platform && rules.platform_rows.why().is_none() {
            self.add(format!("{key}.platform_rows"), MisfitKind::ReasonMissing);
        }
        let declared = [("platform_rows", platform), ("shared_rows", rules.shared_rows.is_some())];
        let Some((name, _)) = declared.into_iter().find(|(_, given)| *given) else { return };
        let facts = self.facts.iter().find(|known| known.name == *table);
        let columns = facts.into_iter().flat_map(|facts| &facts.columns);
        let mut tenant = columns.filter(|column| Some(column.name.as_str()) == class.tenant_column());
        if let Some(column) = tenant.find(|column| column.never_null) {
            let what = MisfitKind::NoRowsWithoutTenant { table: table.clone(), column: column.name.clone() };
            self.add(format!("{key}.{name}"), what);
        }
    }

    /// Whether a foreign key leads to a table whose rows belong to tenants.
    fn has_references(&self, table: &TableName) -> bool {
        let Some(facts) = self.facts.iter().find(|known| known.name == *table) else { return false };
        let classified = &self.inventory.catalog.classified;
        let belongs = |name: &TableName| {
            classified.iter().any(|known| {
                known.table == *name && (known.class.tenant_column().is_some() || known.class.link().is_some())
            })
        };
        facts.foreign_keys.iter().any(|key| belongs(&key.target))
    }

    /// What the declared logins are, beside what is declared. A name that is not there is told as such.
    fn logins(&mut self) {
        let inventory = self.inventory;
        for login in &inventory.declared_logins {
            for table in login.tables.iter().filter(|table| table.open_to_app) {
                let key = self.key_of_table(&login.purpose, &table.table);
                let what =
                    MisfitKind::OpenToApplication { table: table.table.clone(), login: inventory.logins.app.0.clone() };
                self.add(key, what);
            }
        }
        for problem in inventory.declared_logins.iter().flat_map(|login| &login.problems) {
            let is_absence =
                matches!(problem.what, LoginProblemKind::NoTable { .. } | LoginProblemKind::NoColumns { .. });
            if !is_absence {
                self.add(self.key_of(problem), MisfitKind::Login { problem: problem.clone() });
            }
        }
    }

    /// Where `tenancy.toml` has what a problem is about.
    fn key_of(&self, problem: &LoginProblem) -> String {
        match problem.what.table() {
            _ if problem.what.is_of_memberships() => "auth.memberships".to_owned(),
            None => format!("{}.role", problem.purpose.key()),
            Some(table) => self.key_of_table(&problem.purpose, table),
        }
    }

    /// Where `tenancy.toml` has what a login does with a table.
    fn key_of_table(&self, purpose: &LoginPurpose, table: &TableName) -> String {
        let named =
            |name: &str| TableName::parse(name, &self.tenancy.database.schema).is_ok_and(|parsed| parsed == *table);
        let logins = self.tenancy.declared_logins();
        let tables = logins.iter().find(|login| login.purpose == *purpose).map(|login| login.tables);
        if let Some(name) = tables.and_then(|tables| tables.keys().find(|name| named(name))) {
            return format!("{}.tables.{name}", purpose.key());
        }
        let memberships = self.tenancy.auth.as_ref().and_then(|auth| auth.memberships.as_ref());
        match purpose {
            LoginPurpose::SignIn if memberships.is_some_and(|rules| named(&rules.table)) => {
                "auth.memberships".to_owned()
            }
            _ => format!("{}.tables", purpose.key()),
        }
    }

    fn reviews(&mut self, ways: &[Way]) {
        let tenancy = self.tenancy;
        for name in tenancy.reviewed.keys() {
            let of_name: Vec<&Way> = ways.iter().filter(|way| way.review_name() == *name).collect();
            let key = format!("reviewed.{name}");
            let mut asked = of_name.iter().filter(|way| way.asks_for_review()).peekable();
            if asked.peek().is_none() {
                let why = match of_name.first() {
                    None if !self.inventory.logins.app.1.exists => NoReviewNeeded::NoLogin,
                    None => NoReviewNeeded::NoWay,
                    Some(way) => not_needed(way),
                };
                self.add(key, MisfitKind::ReviewNotNeeded { why });
                continue;
            }
            for way in asked {
                if let Review::Outdated { hash: declared } = way.declared(tenancy) {
                    let (object, needs) = (way.object.to_string(), way.review.clone());
                    self.add(key.clone(), MisfitKind::ReviewOutdated { object, declared, needs });
                }
            }
        }
    }

    fn add(&mut self, key: String, what: MisfitKind) {
        self.misfits.push(Misfit { key, what });
    }
}

/// Why a way needs no review.
fn not_needed(way: &Way) -> NoReviewNeeded {
    match way.verdict {
        WayVerdict::Closed => NoReviewNeeded::Closed { cause: WhyClosed::Reach { reach: way.reach.clone() } },
        WayVerdict::CanSwitchOff => NoReviewNeeded::Closed { cause: WhyClosed::CanSwitchOff },
        _ => NoReviewNeeded::NotCode,
    }
}

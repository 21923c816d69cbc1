//! Sign-in before a tenant is known, and jobs for every tenant: each is tried as its own login, while no tenant is set. It reaches what is declared, and nothing else.

use tenancy_config::tenancy::LoginRight;
use tenancy_config::{Ident, TableName};
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::breach::{Breach, Whose};
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::claim::examined::{Exposure, ObjectCheck};
use tenant_inventory::claim::finding::Finding;
use tenant_inventory::claim::untried::Untried;
use tenant_inventory::class::{Class, ClassifiedTable};
use tenant_inventory::{DeclaredLogin, DeclaredTable};
use tenant_rls::{Database, Limits, ProbeSessions, ProbeTx, Sql, Template, VariableBefore};

use crate::attempts::key::PrimaryKey;
use crate::attempts::outcome::{self, ExpectedRows};
use crate::attempts::rows::{Keys, Rows};
use crate::attempts::{AttemptStatement, attempt};
use crate::error::{Error, Result};
use crate::found::Found;
use crate::login_writes::KnownRows;
use crate::same_database;
use crate::table::Verifier;

/// What is read where no tenant is set.
const WHAT: AttemptKind = AttemptKind::ReadUnset;

/// Adds the evidence for the declared logins. The answer is what they reach by declaration.
///
/// # Errors
/// [`Error::OtherLogin`] where a URL is another login's; [`Error::OtherDatabase`] where it leads elsewhere.
pub(crate) async fn inspect(
    verifier: &Verifier<'_>,
    classes: &[ClassifiedTable],
    found: &mut Found,
) -> Result<Vec<Exposure>> {
    let mut exposures = Vec::new();
    for login in &verifier.inventory.declared_logins {
        inspect_one(verifier, login, classes, found).await?;
        exposures.extend(login.tables.iter().map(|table| exposure(login, table)));
    }
    Ok(exposures)
}

async fn inspect_one(
    verifier: &Verifier<'_>,
    declared: &DeclaredLogin,
    classes: &[ClassifiedTable],
    found: &mut Found,
) -> Result<()> {
    let problems = declared.problems.iter().filter(|problem| !problem.what.is_of_this_login()).cloned();
    let breaches = problems.map(|problem| Breach::Login { problem: Box::new(problem) });
    found.findings.extend(breaches.map(|breach| Finding { table: None, breach }));
    let Some(database) = verifier.options.logins.get(&declared.purpose) else {
        let variable = declared.url_variable.clone();
        found.objects.push(ObjectCheck {
            object: format!("{} as {}", declared.purpose, declared.role),
            evidence: Evidence::NotTried { because: Untried::NoLoginUrl { variable } },
        });
        return Ok(());
    };
    let database = &database.limited(Limits::BRIEF);
    let login = database.session().role.clone();
    if login != declared.role.as_str() {
        let purpose = declared.purpose.clone();
        return Err(Error::OtherLogin { purpose, declared: declared.role.to_string(), login });
    }
    same_database::check(verifier.owner, database).await?;
    found.objects.extend(Attempts { verifier, declared, database, login }.all(classes).await?);
    Ok(())
}

fn exposure(login: &DeclaredLogin, table: &DeclaredTable) -> Exposure {
    let right = |right: LoginRight| match table.rules.columns(right) {
        [] => right.as_str().to_owned(),
        columns => format!("{} ({})", right.as_str(), columns.join(", ")),
    };
    Exposure {
        table: table.table.clone(),
        role: login.role.to_string(),
        rights: table.rules.rights().map(right).collect(),
        why: table.rules.why.clone(),
    }
}

/// A table of a declared login, and rows there.
type KnownTable<'a> = (&'a DeclaredTable, std::result::Result<KnownRows<'a>, Untried>);

struct Attempts<'a> {
    verifier: &'a Verifier<'a>,
    declared: &'a DeclaredLogin,
    database: &'a Database,
    login: String,
}

impl Attempts<'_> {
    async fn all(&self, classes: &[ClassifiedTable]) -> Result<Vec<ObjectCheck>> {
        let sessions = ProbeSessions::new(self.database, &self.verifier.inventory.tenancy);
        let mut tables = Vec::new();
        for table in self.declared.tables.iter().filter(|table| table.is_there) {
            tables.push((table, self.known(table).await?));
        }
        let mut checks = self.writes(&sessions, &tables).await?;
        let mut tx = sessions.begin(false, VariableBefore::NeverSet).await?;
        tx.savepoint().await?;
        for (table, known) in tables.iter().filter(|(table, _)| table.rules.may(LoginRight::Select)) {
            let evidence = self.declared(&mut tx, table, known.as_ref().ok()).await?;
            checks.push(self.check(&table.table, "reading what is declared", evidence));
        }
        let declared = |name: &TableName| self.declared.tables.iter().any(|table| table.table == *name);
        let others = classes.iter().filter(|table| !declared(&table.table) && table.stranger.is_none());
        for other in others.filter(|table| may_be_tenants(&table.class)) {
            checks.push(self.check(
                &other.table,
                "reading what is not declared",
                self.beyond(&mut tx, &other.table).await?,
            ));
        }
        tx.rollback().await?;
        Ok(checks)
    }

    fn check(&self, table: &TableName, what: &str, evidence: Evidence) -> ObjectCheck {
        ObjectCheck { object: format!("{} as {}, {what} of {table}", self.declared.purpose, self.login), evidence }
    }

    /// Writes what is declared, on a row that is there, and takes it back.
    async fn writes(&self, sessions: &ProbeSessions, tables: &[KnownTable<'_>]) -> Result<Vec<ObjectCheck>> {
        let mut tx = sessions.begin(self.verifier.options.write_probes, VariableBefore::NeverSet).await?;
        tx.savepoint().await?;
        let mut checks = Vec::new();
        for (table, known) in tables {
            let tried = match (self.untried(table), known) {
                (Some(because), _) => Err(because),
                (None, Err(because)) => Err(because.clone()),
                (None, Ok(known)) => Ok(known.writes(&mut tx, &self.login).await?),
            };
            for right in table.rules.rights().filter(|right| *right != LoginRight::Select) {
                let evidence = match &tried {
                    Err(because) => Evidence::NotTried { because: because.clone() },
                    Ok(tried) => tried
                        .iter()
                        .find(|(known, _)| *known == right)
                        .map_or(Evidence::NotTried { because: Untried::LoginWrites }, |(_, evidence)| evidence.clone()),
                };
                let evidence = match evidence {
                    Evidence::NotTried { because } if says_the_catalog(&because) => {
                        self.by_catalog(&table.table, because)
                    }
                    evidence => evidence,
                };
                checks.push(self.check(&table.table, &format!("declared {}", right.as_str()), evidence));
            }
        }
        tx.rollback().await?;
        Ok(checks)
    }

    /// Why nothing is written to a table, if nothing is.
    fn untried(&self, table: &DeclaredTable) -> Option<Untried> {
        let options = self.verifier.options;
        let fires = self.verifier.columns.get(&table.table).is_none_or(|columns| columns.has_triggers);
        match options.write_probes {
            false => Some(Untried::WritesNotAsked),
            true if fires && !options.fire_triggers => {
                Some(Untried::TriggersWouldFire { table: table.table.to_string() })
            }
            true => None,
        }
    }

    /// Reads a row, with each column that is declared; and where rows of two tenants are known, looks them up by their keys.
    async fn declared(
        &self,
        tx: &mut ProbeTx,
        table: &DeclaredTable,
        known: Option<&KnownRows<'_>>,
    ) -> Result<Evidence> {
        let columns = table.rules.select.iter().map(Ident::new).collect::<Result<Vec<_>, _>>()?;
        let named = columns.iter().map(|column| Template::new("t.:\"column\"").ident("column", column).build());
        let read = Template::new(include_str!("../../../sql/rls-verify/login_read.sql"))
            .fragment("columns", Sql::join(named, ", "))
            .table("target", &table.table)
            .build();
        let seen = attempt(tx, None, sqlx::query(&read)).await?;
        if matches!(seen, Ok(0)) && known.is_none() {
            return Ok(self.by_catalog(&table.table, Untried::NoRows));
        }
        let evidence = outcome::read(WHAT, &self.login, ExpectedRows::All(1), seen).evidence;
        let Some(known) = known.filter(|_| evidence.holds()) else { return Ok(evidence) };
        let see = known.on_given(include_str!("../../../sql/rls-verify/probe_see.sql")).build();
        let by_key: AttemptStatement<'_> = sqlx::query(&see).bind(sqlx::types::Json(&known.keys));
        let seen = attempt(tx, None, by_key).await?;
        Ok(outcome::read(WHAT, &self.login, ExpectedRows::All(known.keys.len()), seen).evidence)
    }

    /// Rows of two tenants by their keys; else why none are known, or why the login cannot name one.
    async fn known<'t>(&'t self, table: &'t DeclaredTable) -> Result<std::result::Result<KnownRows<'t>, Untried>> {
        let verifier = self.verifier;
        let of_tenants = verifier.inventory.relation(&table.table);
        let readable = verifier.columns.get(&table.table).zip(verifier.readers.get(&table.table));
        let Some((relation, (columns, reader))) = of_tenants.zip(readable) else {
            return Ok(Err(Untried::LoginWrites));
        };
        let names = &verifier.inventory.root(relation).key;
        let Some(key) = PrimaryKey::new(names, columns)? else { return Ok(Err(Untried::NoKey)) };
        if !names.iter().all(|name| table.rules.select.contains(name)) {
            return Ok(Err(Untried::LoginWrites));
        }
        let of = (&key, reader);
        let rows = Rows::find(verifier.owner, verifier.inventory, relation, of, &verifier.inactive_tenants).await?;
        Ok(rows.and_then(|rows| {
            let keys: Keys = rows.tenants.into_iter().flat_map(|(_, keys)| keys).collect();
            if keys.is_empty() { Err(Untried::NoRows) } else { Ok(KnownRows { table, relation, key, keys }) }
        }))
    }

    /// Tries to read any row. A right that is missing is what must be.
    async fn beyond(&self, tx: &mut ProbeTx, table: &TableName) -> Result<Evidence> {
        let read = Template::new(include_str!("../../../sql/rls-verify/login_beyond.sql")).table("target", table);
        let seen = attempt(tx, None, sqlx::query(read.build())).await?;
        let none = ExpectedRows::None(Whose::OtherTenants);
        Ok(match outcome::read(WHAT, &self.login, none, seen).evidence {
            Evidence::NotTried { because: Untried::NoRight { .. } } => Evidence::Held,
            evidence => evidence,
        })
    }

    /// What the catalog says where nothing was tried.
    fn by_catalog(&self, table: &TableName, because: Untried) -> Evidence {
        if self.declared.covers(table) {
            Evidence::HeldByDefinition { because }
        } else {
            Evidence::NotTried { because }
        }
    }
}

/// Whether the catalog can stand in for an attempt to write that was not made.
fn says_the_catalog(because: &Untried) -> bool {
    because.leaves_the_definition() || matches!(because, Untried::LoginWrites)
}

/// Whether the rows of a table may belong to tenants.
fn may_be_tenants(class: &Class) -> bool {
    class.is_protected() || class.is_unprotected()
}

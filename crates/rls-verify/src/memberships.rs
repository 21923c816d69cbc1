//! The memberships that the application's login reads by the user whose id it sets: tried as that login, before a tenant is chosen.

use sqlx::Row;
use sqlx::types::Json;
use tenancy_config::TableName;
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::breach::Whose;
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::claim::examined::{Exposure, ObjectCheck};
use tenant_inventory::claim::untried::Untried;
use tenant_inventory::{Memberships, Relation};
use tenant_rls::{Error as RlsError, MembershipPolicy, ProbeTx, Sql, Template};

use crate::attempts::attempt;
use crate::attempts::key::PrimaryKey;
use crate::attempts::outcome::{self, ExpectedRows};
use crate::attempts::rows::{Keys, Rows, only};
use crate::error::Result;
use crate::found::Found;
use crate::table::Verifier;

/// Adds the evidence, if memberships are declared. The answer is what they show by declaration.
pub(crate) async fn inspect(verifier: &Verifier<'_>, found: &mut Found) -> Result<Option<Exposure>> {
    let Some(memberships) = verifier.inventory.memberships() else { return Ok(None) };
    if let Some(policy) = &memberships.policy {
        let login = verifier.app.session().role.clone();
        let attempts = Attempts { verifier, memberships, policy, login };
        found.objects.extend(attempts.all().await?);
    }
    let rules = &memberships.rules;
    Ok(Some(Exposure {
        table: memberships.table.clone(),
        role: memberships.app.to_string(),
        rights: vec![format!("SELECT where {} is {}", rules.user, rules.setting)],
        why: rules.why.clone(),
    }))
}

struct Attempts<'a> {
    verifier: &'a Verifier<'a>,
    memberships: &'a Memberships,
    policy: &'a MembershipPolicy,
    login: String,
}

/// Rows of a tenant, and the user of one of them.
struct Known<'a> {
    relation: &'a Relation,
    key: PrimaryKey,
    keys: Keys,
    user: String,
    /// How many of the rows are that user's.
    rows: u64,
}

impl Attempts<'_> {
    async fn all(&self) -> Result<Vec<ObjectCheck>> {
        let table = &self.memberships.table;
        let mut checks = Vec::new();
        let nobody = [(AttemptKind::ReadUnset, None), (AttemptKind::ReadEmpty, Some(""))];
        for (what, user) in nobody {
            let mut tx = self.begin(false).await?;
            let any = Template::new(include_str!("../../../sql/rls-verify/memberships_any.sql"))
                .table("target", table)
                .ident("user", self.policy.column())
                .build();
            let evidence = self.none(&mut tx, what, user, &any).await?;
            let how = if user.is_none() { "while no user is set" } else { "for an empty user" };
            checks.push(self.check(table, how, evidence));
            tx.rollback().await?;
        }
        match self.known().await? {
            Ok(known) => checks.extend(self.of_user(&known).await?),
            Err(because) => checks.push(self.check(table, "of a user", self.by_catalog(because))),
        }
        Ok(checks)
    }

    /// What one user sees: their own rows, and nobody else's, also of other tables; and that they write none.
    async fn of_user(&self, known: &Known<'_>) -> Result<Vec<ObjectCheck>> {
        let (table, user) = (&self.memberships.table, Some(known.user.as_str()));
        let mut checks = Vec::new();
        let mut tx = self.begin(false).await?;
        let own = self.on_users(known, include_str!("../../../sql/rls-verify/memberships_own.sql"));
        self.set_user(&mut tx, user).await?;
        let query = sqlx::query(&own).bind(Json(&known.keys)).bind(&known.user);
        let seen = attempt(&mut tx, None, query).await?;
        let all = ExpectedRows::All(usize::try_from(known.rows).unwrap_or(usize::MAX));
        let evidence = outcome::read(AttemptKind::ReadOwn, &self.login, all, seen).evidence;
        checks.push(self.check(table, "of a user", self.settled(evidence)));
        let others = Template::new(include_str!("../../../sql/rls-verify/memberships_others.sql"))
            .table("target", table)
            .ident("user", self.policy.column())
            .build();
        self.set_user(&mut tx, user).await?;
        let seen = attempt(&mut tx, None, sqlx::query(&others).bind(&known.user)).await?;
        let none = ExpectedRows::None(Whose::OtherTenants);
        let evidence = outcome::read(AttemptKind::ReadOther, &self.login, none, seen).evidence;
        checks.push(self.check(table, "of other users", self.settled(evidence)));
        let beside = self.verifier.inventory.relations.iter();
        let beside = beside.filter(|relation| relation.name != *table && relation.comparison.parent.is_none());
        for relation in beside.filter(|relation| relation.unhandled.is_none() && relation.parent.is_none()) {
            let any = Template::new(include_str!("../../../sql/rls-verify/memberships_any.sql"))
                .table("target", &relation.name)
                .ident("user", &relation.comparison.column)
                .build();
            let evidence = self.none(&mut tx, AttemptKind::ReadUnset, user, &any).await?;
            checks.push(self.check(&relation.name, "while only a user is set", evidence));
        }
        tx.rollback().await?;
        checks.extend(self.writes(known).await?);
        Ok(checks)
    }

    /// Tries to change and to delete the rows that the user sees.
    async fn writes(&self, known: &Known<'_>) -> Result<Vec<ObjectCheck>> {
        let table = &self.memberships.table;
        let options = self.verifier.options;
        let fires = self.verifier.columns.get(table).is_none_or(|columns| columns.has_triggers);
        let untried = match options.write_probes {
            false => Some(Untried::WritesNotAsked),
            true if fires && !options.fire_triggers => Some(Untried::TriggersWouldFire { table: table.to_string() }),
            true => None,
        };
        let update = self.on_users(known, include_str!("../../../sql/rls-verify/memberships_update.sql"));
        let delete = self.on_given(known, include_str!("../../../sql/rls-verify/probe_delete.sql")).build();
        let tried = [
            (AttemptKind::UpdateOther, "changing those", update),
            (AttemptKind::DeleteOther, "deleting those", delete),
        ];
        let mut checks = Vec::new();
        let mut tx = self.begin(options.write_probes).await?;
        for (what, how, statement) in tried {
            let evidence = match &untried {
                Some(because) => self.by_catalog(because.clone()),
                None => {
                    self.set_user(&mut tx, Some(&known.user)).await?;
                    let done = attempt(&mut tx, None, sqlx::query(&statement).bind(Json(&known.keys))).await?;
                    let evidence = outcome::refused(what, &self.login, Whose::OtherTenants, done).evidence;
                    self.settled(evidence)
                }
            };
            checks.push(self.check(table, &format!("of a user, {how}"), evidence));
        }
        tx.rollback().await?;
        Ok(checks)
    }

    /// Opens a session of its own: in another one the user may have been set before, and is empty from then on.
    async fn begin(&self, writes: bool) -> Result<ProbeTx> {
        let mut tx = ProbeTx::begin(self.verifier.app, &self.verifier.inventory.tenancy, writes).await?;
        tx.savepoint().await?;
        Ok(tx)
    }

    /// Sets the user for the next attempt, after which it is taken back.
    async fn set_user(&self, tx: &mut ProbeTx, user: Option<&str>) -> Result<()> {
        let Some(user) = user else { return Ok(()) };
        sqlx::query("SELECT pg_catalog.set_config($1, $2, true)")
            .bind(&self.memberships.rules.setting)
            .bind(user)
            .execute(tx.connection())
            .await
            .map_err(RlsError::query("setting the user of memberships"))?;
        Ok(())
    }

    async fn none(&self, tx: &mut ProbeTx, what: AttemptKind, user: Option<&str>, any: &Sql) -> Result<Evidence> {
        self.set_user(tx, user).await?;
        let seen = attempt(tx, None, sqlx::query(any)).await?;
        let none = ExpectedRows::None(Whose::OtherTenants);
        Ok(match outcome::read(what, &self.login, none, seen).evidence {
            Evidence::NotTried { because: Untried::NoRight { .. } } => Evidence::Held,
            evidence => evidence,
        })
    }

    /// Rows of a tenant by their keys, and the user of one of them, as the application reads it in the scope of that tenant.
    async fn known(&self) -> Result<std::result::Result<Known<'_>, Untried>> {
        let verifier = self.verifier;
        let table = &self.memberships.table;
        let of_tenants = verifier.inventory.relation(table);
        let readable = verifier.columns.get(table).zip(verifier.readers.get(table));
        let Some((relation, (columns, reader))) = of_tenants.zip(readable) else { return Ok(Err(Untried::NoRows)) };
        let Some(key) = PrimaryKey::new(&verifier.inventory.root(relation).key, columns)? else {
            return Ok(Err(Untried::NoKey));
        };
        let of = (&key, reader);
        let rows = Rows::find(verifier.owner, verifier.inventory, relation, of, &verifier.inactive_tenants).await?;
        let rows = match rows {
            Ok(rows) => rows,
            Err(because) => return Ok(Err(because)),
        };
        let Some((tenant, keys)) = rows.tenants.into_iter().next() else { return Ok(Err(Untried::NoRows)) };
        let mut known = Known { relation, key, keys, user: String::new(), rows: 0 };
        let read = self.on_users(&known, include_str!("../../../sql/rls-verify/memberships_user.sql"));
        let mut tx = self.begin(false).await?;
        tx.set(&tenant).await?;
        let user = sqlx::query(&read).bind(Json(&known.keys)).fetch_optional(tx.connection()).await;
        tx.rollback_to().await?;
        tx.rollback().await?;
        Ok(match user {
            Err(error) => Err(outcome::unprepared(&error)),
            Ok(None) => Err(Untried::NoRows),
            Ok(Some(row)) => {
                known.user = row.get("user_id");
                known.rows = row.get::<i64, _>("rows").unsigned_abs();
                Ok(known)
            }
        })
    }

    /// A statement on the rows whose keys are $1, and on their users.
    fn on_users(&self, known: &Known<'_>, text: &'static str) -> Sql {
        self.on_given(known, text).ident("user", self.policy.column()).build()
    }

    fn on_given(&self, known: &Known<'_>, text: &'static str) -> Template {
        Template::new(text)
            .table("target", &self.memberships.table)
            .fragment("only", only(known.relation))
            .fragment("given", known.key.is_given())
    }

    fn check(&self, table: &TableName, how: &str, evidence: Evidence) -> ObjectCheck {
        ObjectCheck { object: format!("memberships as {}, rows of {table} {how}", self.login), evidence }
    }

    /// What the catalog says where an attempt could not be made.
    fn settled(&self, evidence: Evidence) -> Evidence {
        match evidence {
            Evidence::NotTried { because } => self.by_catalog(because),
            evidence => evidence,
        }
    }

    fn by_catalog(&self, because: Untried) -> Evidence {
        if self.memberships.is_made() && because.leaves_the_definition() {
            return Evidence::HeldByDefinition { because };
        }
        Evidence::NotTried { because }
    }
}

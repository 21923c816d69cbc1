//! The facts that `doctor` reports, as in its JSON.

use std::path::PathBuf;

use rls_rollout::LeftRole;
use serde::Serialize;
use tenancy_config::{CommandRef, DatabaseUrl, Hint, SettingOrigin, Settings, Tenancy};
use tenant_inventory::coverage::Coverage;
use tenant_inventory::{Absence, Absent, Catalog, Misfit, OtherType};
use tenant_rls::{ActingRole, Database, Pooler, SessionFacts, visibility};

use crate::context::failure::CommandFailure;
use crate::context::target;

/// The variables that may hold the secret, in the order in which they are read.
const SECRETS: [&str; 2] = ["NEXTAUTH_SECRET", "AUTH_SECRET"];

/// The whole report.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    pub(super) database: DatabaseFacts,
    pub(super) direct: Option<Place>,
    pub(super) session: Option<SessionFacts>,
    pub(super) tables: Option<TableFacts>,
    pub(super) settings: SettingsFacts,
    /// Advice about everything unusual.
    pub(super) advice: Vec<Hint>,
}

#[derive(Debug, Serialize)]
pub(super) struct DatabaseFacts {
    /// Without its password.
    pub(super) url: Option<String>,
    pub(super) from: String,
    /// A cluster that `db up` created: writes need no confirmation.
    pub(super) local: bool,
    /// What `--confirm` must name before a write.
    pub(super) confirm: Option<String>,
    pub(super) reachable: bool,
    pub(super) error: Option<String>,
}

/// A URL and where it came from.
#[derive(Debug, Serialize)]
pub(super) struct Place {
    pub(super) url: String,
    pub(super) from: String,
}

impl TableFacts {
    fn differ(&self) -> bool {
        let misfits = self.misfits.iter().any(|fact| !fact.misfit.is_advice());
        let left = self.left.as_ref().is_some_and(|left| !left.is_empty());
        !self.absent.is_empty() || !self.missing.is_empty() || misfits || left
    }
}

#[derive(Debug, Serialize)]
pub(super) struct TableFacts {
    pub(super) tenants: String,
    pub(super) tenant_key_type: Option<String>,
    pub(super) found: usize,
    pub(super) rls_enabled: usize,
    pub(super) rls_forced: usize,
    pub(super) missing: Vec<Absence>,
    /// What `tenancy.toml` names and the database does not have.
    pub(super) absent: Vec<Absent>,
    /// What it declares that does not fit what is there.
    pub(super) misfits: Vec<MisfitFact>,
    /// Tenant columns of another type than the tenants' keys. The advice names them.
    #[serde(skip)]
    pub(super) other_types: Vec<OtherType>,
    /// What rollouts made for roles that `tenancy.toml` names no more; none where this login may not read their journal.
    pub(super) left: Option<Vec<LeftFact>>,
    /// What the tables of the database are to the tenants. Those with a tenant column count as covered.
    pub(super) coverage: Coverage,
    /// The role that sees every row of every tenant table, of those that this login can act as.
    pub(super) seen_whole_by: Option<String>,
    /// Why the login does not see every row, if it does not.
    pub(super) obstacles: Option<String>,
}

/// A role that `tenancy.toml` names no more, in words, too.
#[derive(Debug, Serialize)]
pub(super) struct LeftFact {
    #[serde(flatten)]
    pub(super) left: LeftRole,
    pub(super) says: String,
}

/// A declaration that does not fit, in words, too.
#[derive(Debug, Serialize)]
pub(super) struct MisfitFact {
    #[serde(flatten)]
    pub(super) misfit: Misfit,
    pub(super) says: String,
    pub(super) hint: String,
}

impl From<Misfit> for MisfitFact {
    fn from(misfit: Misfit) -> Self {
        Self { says: misfit.to_string(), hint: misfit.hint(), misfit }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct SettingsFacts {
    pub(super) tenancy_toml: Option<PathBuf>,
    /// The schema of tables that are named without one.
    pub(super) schema: String,
    /// The setting that names it, if there is one.
    pub(super) schema_from: Option<String>,
    pub(super) app_dir: PathBuf,
    pub(super) secret: Option<SecretSetting>,
    /// The URLs of other places that nothing reads.
    pub(super) unused_urls: Vec<Place>,
    #[serde(skip)]
    advice_on_urls: Vec<String>,
}

/// A secret without its value.
#[derive(Debug, Serialize)]
pub(super) struct SecretSetting {
    pub(super) from: String,
    /// In bytes.
    pub(super) length: usize,
}

impl SettingsFacts {
    fn of(settings: &Settings) -> Self {
        // A build without `jwt` signs nothing, so it reads no secret.
        let mut secrets = SECRETS.iter().filter(|_| cfg!(feature = "jwt"));
        let secret = secrets.find_map(|name| settings.env(name));
        Self {
            tenancy_toml: settings.config_path().map(Into::into),
            schema: settings.tenancy().database.schema.clone(),
            schema_from: settings.schema_from().map(ToString::to_string),
            app_dir: settings.app_dir().to_owned(),
            secret: secret.map(|(value, origin)| SecretSetting { from: origin.to_string(), length: value.len() }),
            unused_urls: settings.unused_urls().iter().map(place).collect(),
            advice_on_urls: target::unused_urls(settings),
        }
    }

    fn advice(&self) -> Vec<Hint> {
        let urls = self.advice_on_urls.iter().cloned().map(Hint::from);
        urls.chain(self.advice_on_the_secret()).collect()
    }

    fn advice_on_the_secret(&self) -> Option<Hint> {
        match &self.secret {
            None if cfg!(not(feature = "jwt")) => None,
            None => Some("no NEXTAUTH_SECRET: development sessions cannot be signed; it stands in the application's .env files (--app-dir)".into()),
            Some(secret) if secret.length < 32 => Some(format!("the secret from {} has {} bytes; 32 random ones are the usual minimum: openssl rand -base64 32", secret.from, secret.length).into()),
            Some(_) => None,
        }
    }
}

fn direct(settings: &Settings) -> Option<Place> {
    settings.direct().as_ref().map(place)
}

fn place((url, origin): &(DatabaseUrl, SettingOrigin)) -> Place {
    Place { url: url.to_string(), from: origin.to_string() }
}

impl Facts {
    /// Whether `tenancy.toml` names something that the database does not have, or declares what does not fit it.
    pub(super) fn differs(&self) -> bool {
        self.tables.as_ref().is_some_and(TableFacts::differ)
    }

    /// The facts about a database that does not answer.
    pub(super) fn unreachable(
        settings: &Settings,
        url: Option<&DatabaseUrl>,
        from: String,
        why: String,
        hint: Option<Hint>,
    ) -> Self {
        let settings_facts = SettingsFacts::of(settings);
        let advice = hint.into_iter().chain(settings_facts.advice()).collect();
        let database = DatabaseFacts {
            url: url.map(ToString::to_string),
            from,
            local: url.is_none(),
            confirm: None,
            reachable: false,
            error: Some(why),
        };
        Self { database, direct: direct(settings), session: None, tables: None, settings: settings_facts, advice }
    }
}

/// A database that answered.
pub(super) struct Reached<'a> {
    pub(super) database: &'a Database,
    pub(super) origin: String,
    pub(super) ours: bool,
}

impl Reached<'_> {
    pub(super) async fn facts(&self, settings: &Settings) -> Result<Facts, CommandFailure> {
        let session = self.database.session().clone();
        let tables = self.tables(settings.tenancy()).await?;
        let direct = direct(settings);
        let confirm = (!self.ours).then(|| target::environment(settings, self.database.url()));
        let settings = SettingsFacts::of(settings);
        let mut advice = advice_on_session(&session, direct.is_some());
        advice.extend(ignored(self.database.url()));
        advice.extend(advice_on_tables(&tables));
        advice.extend(settings.advice());
        let database = DatabaseFacts {
            url: Some(self.database.url().to_string()),
            from: self.origin.clone(),
            local: self.ours,
            confirm,
            reachable: true,
            error: None,
        };
        Ok(Facts { database, direct, session: Some(session), tables: Some(tables), settings, advice })
    }

    async fn tables(&self, tenancy: &Tenancy) -> Result<TableFacts, CommandFailure> {
        let catalog = Catalog::load(self.database, tenancy).await?;
        let login = ActingRole::Login(self.database.session().role.clone());
        // What an audit reads, and by the same choice: what is said here of it is what it does.
        let needs = tenant_audit::access(&catalog, tenancy)?;
        let own = visibility::acting_role(self.database, &needs, std::slice::from_ref(&login)).await;
        let obstacles = match own {
            Ok(_) => None,
            Err(error @ tenant_rls::Error::CannotSee(_)) => Some(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        let seen_whole_by = if obstacles.is_none() {
            Some(login.to_string())
        } else {
            match visibility::reader(self.database, tenancy, &needs).await {
                Ok(role) => Some(role.to_string()),
                Err(tenant_rls::Error::CannotSee(_)) => None,
                Err(error) => return Err(error.into()),
            }
        };
        let absent = tenant_inventory::absent(self.database, tenancy).await?;
        let misfits = tenant_inventory::misfits(self.database, tenancy, &absent).await?;
        let left = match rls_rollout::left_roles(self.database, tenancy).await {
            Ok(left) => Some(left.into_iter().map(|left| LeftFact { says: left.to_string(), left }).collect()),
            Err(rls_rollout::Error::Ops(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let coverage = Coverage::read(self.database, tenancy, |_| true).await?;
        let other_types = OtherType::all(&catalog.classified).collect();
        Ok(TableFacts {
            other_types,
            absent,
            misfits: misfits.into_iter().map(MisfitFact::from).collect(),
            left,
            coverage,
            tenants: catalog.tenants.to_string(),
            tenant_key_type: catalog.tenant_key_type,
            found: catalog.tables.len(),
            rls_enabled: catalog.tables.iter().filter(|table| table.rls_enabled).count(),
            rls_forced: catalog.tables.iter().filter(|table| table.rls_forced).count(),
            missing: catalog.missing,
            seen_whole_by,
            obstacles,
        })
    }
}

fn advice_on_session(session: &SessionFacts, has_direct: bool) -> Vec<Hint> {
    let mut advice = Vec::new();
    if session.in_recovery {
        advice.push(
            "this is a standby: it can be audited, and nothing can be written; connect to the primary to write".into(),
        );
    } else if session.read_only {
        advice.push("transactions are read only by default here: ALTER ROLE … SET default_transaction_read_only = off, or another role".into());
    }
    if matches!(session.pooler, Pooler::Suspected(_)) && !has_direct {
        advice.push("a pooler stands between, and DDL needs the server itself: set DIRECT_URL".into());
    }
    if session.superuser || session.bypass_rls {
        advice.push(
            format!(
                "row level security never filters {}: tests of isolation must log in as the application's role",
                session.role
            )
            .into(),
        );
    }
    advice
}

fn ignored(url: &DatabaseUrl) -> Option<Hint> {
    let ignored = url.ignored_parameters();
    (!ignored.is_empty())
        .then(|| format!("parameters of the URL that mean nothing here: {}", ignored.join(", ")).into())
}

fn advice_on_tables(tables: &TableFacts) -> Vec<Hint> {
    let mut advice: Vec<Hint> = Vec::new();
    if tables.tenant_key_type.is_none() {
        let none = Hint::from(format!("there is no table of tenants {}: ", tables.tenants));
        advice.push(none.then_quoted(CommandRef::Init).then(" writes a tenancy.toml that fits this database"));
    } else if !tables.absent.is_empty() || !tables.missing.is_empty() {
        advice.push("tenancy.toml names what is not there: correct it, or run the application's migrations".into());
    }
    advice.extend(tables.other_types.iter().map(OtherType::hint));
    if let (Some(_), None) = (&tables.obstacles, &tables.seen_whole_by) {
        let none = Hint::from("no role of this login sees all rows of all tables: ").then_quoted(CommandRef::Audit);
        advice.push(none.then(" says for which tables, and what is lacking"));
    }
    advice
}

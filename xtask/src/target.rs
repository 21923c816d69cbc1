//! Which database a command works on, said in one line, and the question before a write to anything but the project's own.

use local_db::{ClusterChange, LocalDb, LocalOptions, Role, StartOptions};
use tenancy_config::plain::plain;
use tenancy_config::settings::WithoutUrl;
use tenancy_config::{DatabaseChoice, DatabaseUrl, SettingOrigin, Settings, Trust, environment, trust};
use tenant_rls::{ConnectOptions, Database, Pooler};

use crate::app::CommandContext;
use crate::failure::CommandError;
use crate::{printer, root, stop};

/// A connected database and where its URL came from.
pub(crate) struct Connected {
    pub(crate) database: Database,
    pub(crate) origin: SettingOrigin,
    /// What a person must name before something is written; `None` on the project's local database.
    environment: Option<String>,
}

impl Connected {
    /// Whether it is the project's own, which `db up` made.
    pub(crate) fn is_local(&self) -> bool {
        self.environment.is_none()
    }

    /// `database app at 127.0.0.1:5432 (from DATABASE_URL in .env.local) as app_owner`.
    pub(crate) fn line(&self) -> String {
        let url = self.database.url();
        let role = &self.database.session().role;
        format!("database {} at {}:{} (from {}) as {role}", url.database(), url.host(), url.port(), self.origin)
    }
}

impl CommandContext {
    /// The project's local database, running or not.
    ///
    /// # Errors
    /// `TENANCY_TRUST` is not text.
    pub(crate) fn local(&self, options: LocalOptions) -> anyhow::Result<LocalDb> {
        Ok(LocalDb::at(&root::find(environment::checked, &self.cwd), self.local_options(options)?))
    }

    /// The options with whom the environment trusts.
    ///
    /// # Errors
    /// As [`local`](Self::local).
    pub(crate) fn local_options(&self, options: LocalOptions) -> anyhow::Result<LocalOptions> {
        let trust = Trust::new(environment::text(trust::VARIABLE)?.as_deref(), &self.cwd);
        Ok(LocalOptions { trust, ..options })
    }

    /// Connects to the database that the settings name; without one, starts the local database and says so.
    ///
    /// # Errors
    /// The settings, the local server or the connection failed.
    pub(crate) async fn connect(&self, settings: &Settings) -> anyhow::Result<Connected> {
        self.connect_with(settings, ConnectOptions::default().max_connections).await
    }

    /// The same for a command that works on so many connections at once.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub(crate) async fn connect_with(&self, settings: &Settings, max_connections: u32) -> anyhow::Result<Connected> {
        let local = self.local(LocalOptions::default())?;
        let (url, origin) = match settings.database() {
            DatabaseChoice::Url { url, origin } => (url.clone(), origin.clone()),
            DatabaseChoice::Local => {
                let why = if self.global.local { "as --local says" } else { "no database URL is set" };
                self.printer.note(&format!("{why}: using the project's local database"));
                let running = local.up(&mut self.notes(), StartOptions::default()).await?;
                if running.change() == ClusterChange::Created {
                    self.printer.note("it was made just now and has no rows; `cargo xtask db seed` fills it");
                }
                (running.url(Role::Owner)?, SettingOrigin::LocalDatabase)
            }
        };
        self.connect_to(settings, &local, &url, origin, max_connections).await
    }

    /// Connects to the database that somebody named: a command on policies never takes the local one by itself.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and where neither a URL nor `--local` was given.
    pub(crate) async fn connect_by_choice(&self, settings: &Settings) -> anyhow::Result<Connected> {
        settings.target(WithoutUrl::Nothing).map_err(tenant_rls::Error::from)?;
        self.connect(settings).await
    }

    /// The same for DDL, which goes past a transaction pooler: sessions behind one are nobody's.
    ///
    /// # Errors
    /// As [`connect_by_choice`](Self::connect_by_choice), and where a pooler stands between and no direct URL is given.
    pub(crate) async fn connect_for_ddl(&self, settings: &Settings) -> anyhow::Result<Connected> {
        let connected = self.connect_by_choice(settings).await?;
        // Before anything is done there: the settings may name two databases.
        connected.database.prove_direct().await?;
        let Pooler::Suspected(why) = &connected.database.session().pooler else { return Ok(connected) };
        let Some((url, origin)) = settings.direct() else {
            return Err(CommandError::refused(
                format!("a pooler stands between ({why}), and DDL needs the server itself"),
                "set DIRECT_URL, or give --direct-url: the same database without the pooler",
            ));
        };
        connected.database.close().await;
        let connections = ConnectOptions::default().max_connections;
        let direct =
            self.connect_to(settings, &self.local(LocalOptions::default())?, &url, origin, connections).await?;
        let Pooler::Suspected(why) = &direct.database.session().pooler else { return Ok(direct) };
        Err(CommandError::refused(
            format!("the direct URL leads through a pooler as well ({why}), and DDL needs the server itself"),
            "give the URL of the server: the host's own port, or the provider's connection string without pooling",
        ))
    }

    async fn connect_to(
        &self,
        settings: &Settings,
        local: &LocalDb,
        url: &DatabaseUrl,
        origin: SettingOrigin,
        max_connections: u32,
    ) -> anyhow::Result<Connected> {
        let options = ConnectOptions {
            tls_no_verify: settings.tls_no_verify(),
            direct: settings.direct().map(|(url, _)| url.clone()),
            max_connections,
            ..ConnectOptions::default()
        };
        let database = Database::connect(url, &options).await?;
        let ours = match database.session().system_identifier.as_deref() {
            Some(id) => local.is_ours(id)?,
            None => false,
        };
        let environment = (!ours).then(|| environment(settings, url));
        Ok(Connected { database, origin, environment })
    }

    /// Says where something is about to be written and `what`, and has it confirmed unless the database is the project's own.
    ///
    /// # Errors
    /// Nobody confirmed; nothing was written.
    pub(crate) async fn before_writing(&self, connected: &Connected, what: &str) -> anyhow::Result<()> {
        connected.database.needs_writing()?;
        // One that is not reached from here is no reason to refuse what does not need it; it is proven again where it is used.
        if let Err(error @ tenant_rls::Error::OtherDatabase { .. }) = connected.database.prove_direct().await {
            return Err(error.into());
        }
        self.confirmed(connected, &WRITING, what).await
    }

    #[cfg(feature = "jwt")]
    /// Says whose session is about to be minted, and has it confirmed as a write would be: a session opens what is in the
    /// database.
    ///
    /// # Errors
    /// Nobody confirmed; nothing was minted.
    pub(crate) async fn before_minting(&self, connected: &Connected, what: &str) -> anyhow::Result<()> {
        self.confirmed(connected, &MINTING, what).await
    }

    async fn confirmed(&self, connected: &Connected, deed: &ConfirmedAction, what: &str) -> anyhow::Result<()> {
        // Also with --quiet: what a write went to belongs into every log.
        self.printer.line(&format!("{} {}: {}", deed.doing, plain(connected.line()), plain(what)));
        let Some(environment) = &connected.environment else { return Ok(()) };
        let answer = match &self.global.confirm {
            Some(name) => Some(name.clone()),
            None => {
                self.ask(&format!("This is not the local database. Type `{}` to go on:", plain(environment))).await?
            }
        };
        confirm(environment, answer.as_deref(), deed)
    }

    /// Waits for the answer in a thread of its own, so that a signal is heard and ends the command.
    pub(crate) async fn ask(&self, question: &str) -> anyhow::Result<Option<String>> {
        stop::at_once(async {
            if !self.printer.question(question) {
                return Ok(None);
            }
            let answer = tokio::task::spawn_blocking(printer::answer).await??;
            self.printer.answered();
            Ok(answer)
        })
        .await
    }
}

/// What a write to this database must be confirmed with.
pub(crate) fn environment(settings: &Settings, url: &DatabaseUrl) -> String {
    settings.tenancy().database.environment.clone().unwrap_or_else(|| url.host().to_owned())
}

/// What is confirmed, in the forms that messages need.
struct ConfirmedAction {
    doing: &'static str,
    to_do: &'static str,
    done: &'static str,
}

const WRITING: ConfirmedAction = ConfirmedAction { doing: "writing to", to_do: "to write to it", done: "written" };
#[cfg(feature = "jwt")]
const MINTING: ConfirmedAction =
    ConfirmedAction { doing: "minting a session for", to_do: "to mint a session for it", done: "minted" };

/// The rule behind the question.
fn confirm(environment: &str, answer: Option<&str>, deed: &ConfirmedAction) -> anyhow::Result<()> {
    let (hint, done) = (format!("{}, name it: --confirm {environment}", deed.to_do), deed.done);
    match answer {
        Some(name) if name == environment => Ok(()),
        Some(name) => Err(CommandError::refused(
            format!("`{name}` was confirmed, but this database is `{environment}`; nothing was {done}"),
            hint,
        )),
        None => Err(CommandError::refused(
            format!("`{environment}` is not the local database, and nobody confirmed; nothing was {done}"),
            hint,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{WRITING, confirm};

    #[test]
    fn only_the_exact_name_confirms() {
        assert!(confirm("production", Some("production"), &WRITING).is_ok());
        assert!(confirm("production", Some("Production"), &WRITING).is_err());
        assert!(confirm("production", Some(""), &WRITING).is_err());
        assert!(confirm("production", None, &WRITING).is_err());
    }
}

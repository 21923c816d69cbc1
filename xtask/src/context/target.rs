//! The database that a command works on.

use local_db::{ClusterChange, LocalDb, LocalOptions, Role, StartOptions};
use tenancy_config::settings::WithoutUrl;
use tenancy_config::{CommandRef, DatabaseChoice, DatabaseUrl, SettingOrigin, Settings, Trust, environment, trust};
use tenant_rls::{ConnectOptions, Database, Pooler};

use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::{Context, project_root};

/// A connected database and where its URL came from.
pub(crate) struct Connected {
    pub(crate) database: Database,
    pub(crate) origin: SettingOrigin,
    /// The name that confirms a write; `None` for the project's local database.
    pub(super) environment: Option<String>,
    /// URLs of other places that the settings have too, and that nothing reads.
    pub(super) unused_urls: Vec<String>,
}

impl Connected {
    /// Whether it is the project's local database, which `db up` made.
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

impl Context {
    /// The project's local database, running or not.
    ///
    /// # Errors
    /// `TENANCY_TRUST` is not text.
    pub(crate) fn local(&self, options: LocalOptions) -> Result<LocalDb, CommandFailure> {
        Ok(LocalDb::at(&project_root::find(environment::checked, &self.cwd), self.local_options(options)?))
    }

    /// The options with the users that `TENANCY_TRUST` names.
    ///
    /// # Errors
    /// `TENANCY_TRUST` is not text.
    pub(crate) fn local_options(&self, options: LocalOptions) -> Result<LocalOptions, CommandFailure> {
        Ok(LocalOptions { trust: self.trust()?, ..options })
    }

    /// Whose files are trusted.
    ///
    /// # Errors
    /// `TENANCY_TRUST` is not text.
    pub(crate) fn trust(&self) -> Result<Trust, CommandFailure> {
        Ok(Trust::new(environment::text(trust::VARIABLE)?.as_deref(), &self.cwd))
    }

    /// Connects to the database that the settings name. If they name none, it starts the local database and says so.
    ///
    /// # Errors
    /// The settings, the local server or the connection failed.
    pub(crate) async fn connect(&self, settings: &Settings) -> Result<Connected, CommandFailure> {
        self.connect_with(settings, ConnectOptions::default().max_connections).await
    }

    /// Connects for a command that uses so many connections at once.
    ///
    /// # Errors
    /// The settings, the local server or the connection failed.
    pub(crate) async fn connect_with(
        &self,
        settings: &Settings,
        max_connections: u32,
    ) -> Result<Connected, CommandFailure> {
        let local = self.local(LocalOptions::default())?;
        let (url, origin) = match settings.database() {
            DatabaseChoice::Url { url, origin } => (url.clone(), origin.clone()),
            DatabaseChoice::Local => {
                let why = if self.global.local { "as --local says" } else { "no database URL is set" };
                self.printer.note(&format!("{why}: using the project's local database"));
                let running = local.up(&mut self.notes(), StartOptions::default()).await?;
                if running.change() == ClusterChange::Created {
                    let seed = CommandRef::DbSeed;
                    self.printer.note(&format!("it was made just now and has no rows; `{seed}` fills it"));
                }
                (running.url(Role::Owner)?, SettingOrigin::LocalDatabase)
            }
        };
        self.connect_to(settings, &local, &url, origin, max_connections).await
    }

    /// Connects to the database that the user named: a command on policies never takes the local one by itself.
    ///
    /// # Errors
    /// Neither a URL nor `--local` was given, or the settings, the local server or the connection failed.
    pub(crate) async fn connect_by_choice(&self, settings: &Settings) -> Result<Connected, CommandFailure> {
        settings.target(WithoutUrl::Nothing).map_err(tenant_rls::Error::from)?;
        self.connect(settings).await
    }

    /// Connects for DDL, past a transaction pooler: behind one, a session belongs to no client.
    ///
    /// # Errors
    /// Neither a URL nor `--local` was given; a pooler stands between and no direct URL is given, or it leads to another
    /// database; or the settings, the local server or the connection failed.
    pub(crate) async fn connect_for_ddl(&self, settings: &Settings) -> Result<Connected, CommandFailure> {
        let connected = self.connect_by_choice(settings).await?;
        // This comes first, as the settings may name two databases.
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
    ) -> Result<Connected, CommandFailure> {
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
        Ok(Connected { database, origin, environment, unused_urls: unused_urls(settings) })
    }

    /// Commands on the local database refuse a URL instead of ignoring it.
    ///
    /// # Errors
    /// `--database-url` was given.
    pub(crate) fn refuse_a_url(&self, command: &str) -> Result<(), CommandFailure> {
        if self.global.flags().database_url.is_none() {
            return Ok(());
        }
        let hint = "leave --database-url out; the local database is the only one that this command touches";
        Err(CommandError::usage(format!("`{command}` works on the project's local database and takes no URL"), hint))
    }
}

/// What is to be said of the URLs that lead to another place and are not read.
pub(crate) fn unused_urls(settings: &Settings) -> Vec<String> {
    let said = |(url, origin): &(DatabaseUrl, SettingOrigin)| {
        let (host, port, database) = url.place();
        format!(
            "{origin} leads to {database} at {host}:{port} and is not read: if the application reads it first, say so \
             in tenancy.toml ([database] url_variables)"
        )
    };
    settings.unused_urls().iter().map(said).collect()
}

/// The name that confirms a write to this database.
pub(crate) fn environment(settings: &Settings, url: &DatabaseUrl) -> String {
    settings.tenancy().database.environment.clone().unwrap_or_else(|| url.host().to_owned())
}

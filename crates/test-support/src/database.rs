//! A database for each test: a clone of a template that was built once.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::time::{SystemTime, UNIX_EPOCH};

use local_db::{Result, Role, schema};
use sqlx::PgConnection;
use tenancy_config::{DatabaseUrl, Ident};
use tenant_rls::{DirectConnection, Error as SqlError, Template};

use crate::shared_server::SharedServer;

/// A database of one test. It is dropped some time after this guard, at the latest with the server.
#[derive(Debug)]
pub struct TestDb {
    server: &'static SharedServer,
    name: String,
}

impl TestDb {
    /// Makes a database as a copy of a template; `None` is PostgreSQL's own empty template.
    pub(crate) async fn clone_of(template: Option<&str>) -> Result<Self> {
        let server = SharedServer::join().await?;
        let name = unique_name();
        let mut session = server.session().await?;
        schema::create_database(&mut session, &name, template).await?;
        session.close().await;
        Ok(Self { server, name })
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL for a role.
    pub fn url(&self, role: Role) -> DatabaseUrl {
        self.server.url(role, &self.name).expect("a URL of our own making is one")
    }

    /// A session of the superuser, who is not filtered.
    ///
    /// # Panics
    /// If the server refuses it.
    pub async fn superuser(&self) -> DirectConnection {
        connect(&self.url(Role::Superuser)).await
    }

    /// A session of the owner of the tables.
    ///
    /// # Panics
    /// If the server refuses it.
    pub async fn owner(&self) -> DirectConnection {
        connect(&self.url(Role::Owner)).await
    }

    /// Returns when a session of this database waits for a lock that a test holds.
    ///
    /// # Panics
    /// If no session waits within a minute.
    pub async fn until_waiting(&self) {
        let mut observer = self.superuser().await;
        let waited = observer.run_script("waiting until one waits", include_str!("until_waiting.sql")).await;
        if let Err(error) = waited {
            panic!("{error}");
        }
        observer.close().await;
    }

    /// A session of the application's ordinary login, with which isolation is tested.
    ///
    /// # Panics
    /// If the server refuses it.
    pub async fn app_user(&self) -> DirectConnection {
        connect(&self.url(Role::AppUser)).await
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        // We do not wait for it: a database that is not dropped when the process ends goes with the server.
        if let Ok(url) = self.server.url(Role::Superuser, "postgres") {
            let _ = sweeper(url).send(std::mem::take(&mut self.name));
        }
    }
}

pub(crate) async fn connect(url: &DatabaseUrl) -> DirectConnection {
    match DirectConnection::as_application(url, "tests").await {
        Ok(session) => session,
        Err(error) => panic!("{error}"),
    }
}

/// The templates that this process knows to exist.
static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Builds a template database unless it exists, and returns its name. Other processes that need the same one wait.
pub(crate) async fn template(
    purpose: &str,
    key: u64,
    build: impl AsyncFnOnce(&DatabaseUrl, &DatabaseUrl) -> Result<()>,
) -> Result<String> {
    let name = format!("template_{purpose}_{key:016x}");
    let built = || BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if built().contains(&name) {
        return Ok(name);
    }
    let server = SharedServer::join().await?;
    let mut session = server.session().await?;
    // The lock ends with the session, even if its holder is killed.
    let lock = sqlx::query("SELECT pg_advisory_lock(hashtext($1))").bind(&name);
    lock.execute(session.connection()).await.map_err(SqlError::query("waiting for the template"))?;
    if !exists(session.connection(), &name).await? {
        let unfinished = format!("{name}_new");
        drop_database(&mut session, &unfinished).await?;
        schema::create_database(&mut session, &unfinished, None).await?;
        build(&server.url(Role::Superuser, &unfinished)?, &server.url(Role::Owner, &unfinished)?).await?;
        let rename = Template::new(r#"ALTER DATABASE :"unfinished" RENAME TO :"name""#)
            .ident("unfinished", &Ident::new(unfinished)?)
            .ident("name", &Ident::new(name.as_str())?)
            .build();
        session.run_script("naming the template", rename).await?;
    }
    session.close().await;
    built().insert(name.clone());
    Ok(name)
}

async fn exists(session: &mut PgConnection, name: &str) -> Result<bool> {
    let query = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)").bind(name);
    Ok(query.fetch_one(session).await.map_err(SqlError::query("looking for the template"))?)
}

async fn drop_database(session: &mut DirectConnection, name: &str) -> Result<()> {
    let sql =
        Template::new(r#"DROP DATABASE IF EXISTS :"name" WITH (FORCE)"#).ident("name", &Ident::new(name)?).build();
    Ok(session.run_script("dropping a database", sql).await?)
}

/// The thread of this process that drops the databases of finished tests, one after the other.
fn sweeper(superuser: DatabaseUrl) -> &'static mpsc::Sender<String> {
    static SWEEPER: OnceLock<mpsc::Sender<String>> = OnceLock::new();
    SWEEPER.get_or_init(|| {
        let (sender, names) = mpsc::channel::<String>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut session =
                    DirectConnection::as_application(&superuser, "tests").await.map_err(std::io::Error::other)?;
                while let Ok(name) = names.recv() {
                    // A database that cannot be dropped goes with the server.
                    let _ = drop_database(&mut session, &name).await;
                }
                std::io::Result::Ok(())
            })
        });
        sender
    })
}

/// A name that no other test of the run has; the process id alone may be used again.
pub(crate) fn unique_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("test_{}_{count}_{now:x}", std::process::id())
}

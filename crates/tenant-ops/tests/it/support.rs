//! What the tests share: logins, scripts, and the findings of a refusal.

use local_db::Role;
use tenancy_config::UserError;
use tenancy_config::{DatabaseUrl, Exit, Tenancy};
use tenant_ops::{Error, TrustFinding};
use tenant_rls::{ConnectOptions, Database, DirectConnection};
use test_support::{TestDb, TestServer};

/// Whatever one can log in to: a database of the shared server, or a server of the test's own.
pub(crate) trait Logins {
    fn login(&self, role: Role) -> DatabaseUrl;
}

impl Logins for TestDb {
    fn login(&self, role: Role) -> DatabaseUrl {
        self.url(role)
    }
}

impl Logins for TestServer {
    fn login(&self, role: Role) -> DatabaseUrl {
        self.url(role)
    }
}

pub(crate) async fn connect(db: &impl Logins, role: Role) -> Database {
    Database::connect(&db.login(role), &ConnectOptions::default()).await.unwrap()
}

pub(crate) async fn script(db: &impl Logins, role: Role, sql: &'static str) {
    let mut session = DirectConnection::connect(&db.login(role), "tests").await.unwrap();
    session.run_script("preparing the test", sql).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    session.close().await;
}

pub(crate) async fn number(db: &TestDb, sql: &'static str) -> i64 {
    let mut superuser = db.superuser().await;
    let number = sqlx::query_scalar(sql).fetch_one(superuser.connection()).await.unwrap();
    superuser.close().await;
    number
}

/// A database in which the owner installed the book-keeping.
pub(crate) async fn installed() -> TestDb {
    let db = test_support::database().await;
    install(&db, Role::Owner).await.unwrap();
    db
}

pub(crate) async fn install(db: &impl Logins, role: Role) -> Result<(), Error> {
    let database = connect(db, role).await;
    let done = tenant_ops::install(&database, &Tenancy::default()).await;
    database.close().await;
    done
}

/// What the error says is wrong; it refuses for safety and says what to do.
pub(crate) fn findings(refused: Result<(), Error>) -> Vec<TrustFinding> {
    let error = refused.expect_err("it cannot be relied on");
    assert_eq!(error.exit(), Exit::Refused, "{error}");
    assert!(error.hint().is_some_and(|hint| !hint.to_string().is_empty()), "{error}");
    match error {
        Error::Untrusted { findings } => findings,
        other => panic!("{other}"),
    }
}

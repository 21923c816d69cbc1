//! Four tenants, two of them in use, and a seed of them.

use std::path::PathBuf;

use local_db::Role;
use seed_tenant_defaults::{
    CheckedList, Defaults, Error, SeedEvent, SeedOptions, SeedReport, TenantResult, TenantSelection,
    seed_tenant_defaults,
};
use tempfile::TempDir;
use tenancy_config::Tenancy;
use tenancy_config::UserError;
use tenant_rls::{ConnectOptions, Database};
use test_support::TestDb;
use tokio::sync::watch;

/// The tables under strict policies, and the tenants acme, globex, initech (suspended) and hooli (decommissioned).
pub(crate) async fn tenants() -> TestDb {
    let db = test_support::database().await;
    let mut owner = db.owner().await;
    let protect = include_str!("../../../../sql/bench/protect_settings.sql");
    owner.run_script("protecting the settings", protect).await.unwrap();
    owner.run_script("making tenants", include_str!("tenants.sql")).await.unwrap();
    db
}

/// As `app_user`, with the connections that a run needs.
pub(crate) async fn connect(db: &TestDb) -> Database {
    let options = ConnectOptions { max_connections: 10, ..ConnectOptions::default() };
    Database::connect(&db.url(Role::AppUser), &options).await.unwrap()
}

/// A run to its end.
pub(crate) async fn seed(db: &TestDb, options: &SeedOptions) -> Result<SeedReport, Error> {
    seed_with(db, &Defaults::default(), options).await
}

pub(crate) async fn seed_with(db: &TestDb, defaults: &Defaults, options: &SeedOptions) -> Result<SeedReport, Error> {
    let (_go, stop) = watch::channel(false);
    run(db, defaults, options, stop, &mut |_| ()).await
}

pub(crate) async fn run(
    db: &TestDb,
    defaults: &Defaults,
    options: &SeedOptions,
    stop: watch::Receiver<bool>,
    progress: &mut (dyn FnMut(SeedEvent<'_>) + Send),
) -> Result<SeedReport, Error> {
    let database = connect(db).await;
    let report = seed_tenant_defaults(&database, &Tenancy::default(), defaults, options, stop, progress).await;
    database.close().await;
    report
}

pub(crate) fn one(tenant: &str) -> SeedOptions {
    SeedOptions::new(TenantSelection::One { tenant: tenant.to_owned(), organization_name: None })
}

/// A CSV file that lives as long as the test.
pub(crate) struct Csv(TempDir);

impl Csv {
    pub(crate) fn new(text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tenants.csv"), text).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("tenants.csv")
    }

    pub(crate) fn options(&self) -> SeedOptions {
        SeedOptions::new(TenantSelection::List(CheckedList::check(&self.path()).unwrap()))
    }

    /// A message without the folder.
    pub(crate) fn message(&self, error: &Error) -> String {
        let text = error.to_string().replace(&format!("{}/", self.0.path().display()), "");
        error.hint().map_or(text.clone(), |hint| format!("{text}\nhint: {hint}"))
    }
}

/// So many new tenants, one a line.
pub(crate) fn new_tenants(number: usize) -> Csv {
    let lines: String = (1..=number).map(|n| format!("tenant-{n},Tenant {n}\n")).collect();
    Csv::new(format!("tenant,organization_name\n{lines}"))
}

pub(crate) async fn number(db: &TestDb, sql: &'static str) -> i64 {
    let mut session = db.superuser().await;
    let number = sqlx::query_scalar(sql).fetch_one(session.connection()).await.unwrap();
    session.close().await;
    number
}

pub(crate) async fn text(db: &TestDb, sql: &'static str) -> String {
    let mut session = db.superuser().await;
    let text = sqlx::query_scalar(sql).fetch_one(session.connection()).await.unwrap();
    session.close().await;
    text
}

/// Tenants that lack a row of theirs, and rows too many.
pub(crate) const UNEVEN: &str = r#"
    SELECT count(*) FILTER (WHERE o <> 1 OR s <> 1) FROM (
        SELECT (SELECT count(*) FROM organization_settings WHERE "tenantId" = t.id) AS o,
               (SELECT count(*) FROM security_settings WHERE "tenantId" = t.id) AS s
        FROM "Tenant" AS t WHERE t.status = 'ACTIVE') AS settings"#;

/// `acme created, globex failed: why`, in the order of the file or the alphabet.
pub(crate) fn told(report: &SeedReport) -> Vec<String> {
    let line = |line: &seed_tenant_defaults::TenantLine| {
        let at = line.line.map_or_else(String::new, |at| format!("{at} "));
        let made = if line.made { "made, " } else { "" };
        match (line.reason(), line.result) {
            (Some(reason), TenantResult::Failed) => format!("{at}{} failed: {reason}", line.tenant),
            (_, result) => format!("{at}{} {made}{}", line.tenant, result.as_str()),
        }
    };
    report.lines.iter().map(line).collect()
}

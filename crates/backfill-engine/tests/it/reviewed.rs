//! A database whose bookings were reviewed, and the file that people fill in.

use std::path::{Path, PathBuf};

use backfill_engine::{Apply, ApplyReport, BackfillEvent, BackfillOptions, CheckedReview, Error, RefusalKind};
use local_db::Role;
use sqlx::Row;
use tempfile::TempDir;
use tenancy_config::Tenancy;
use test_support::TestDb;
use tokio::sync::watch;

use crate::support::{backfill, connect, fast, rows, script};

/// A review, record by record, with what people write into it.
pub(crate) struct Reviewed {
    pub(crate) db: TestDb,
    folder: TempDir,
    /// The settings that it is applied with.
    pub(crate) tenancy: Tenancy,
    pub(crate) header: Vec<String>,
    pub(crate) records: Vec<Vec<String>>,
}

impl Reviewed {
    /// Five bookings that nobody can decide but people: `undecided.sql`.
    pub(crate) async fn bookings() -> Self {
        let db = test_support::database().await;
        script(&mut db.superuser().await, include_str!("undecided.sql")).await;
        Self::of(db).await
    }

    /// Whatever bookings are left in this database.
    pub(crate) async fn of(db: TestDb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("review.csv");
        backfill(&db, Role::Owner, &BackfillOptions { review: Some(path.clone()), ..fast() }).await.unwrap();
        let mut csv = csv::ReaderBuilder::new().has_headers(false).from_path(path).unwrap();
        let mut records = csv.records().map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
        let header = records.next().unwrap();
        let records = records.collect();
        Self { db, folder, tenancy: Tenancy::default(), header, records }
    }

    fn column(&self, name: &str) -> usize {
        self.header.iter().position(|column| column == name).unwrap()
    }

    /// The record of a row.
    pub(crate) fn record(&mut self, id: &str) -> &mut Vec<String> {
        let at = self.column("id");
        self.records.iter_mut().find(|record| record[at] == id).unwrap()
    }

    /// Decides a row.
    pub(crate) fn decide(&mut self, id: &str, tenant: &str) {
        let at = self.column("decision");
        tenant.clone_into(&mut self.record(id)[at]);
    }

    /// Changes a cell.
    pub(crate) fn set(&mut self, id: &str, column: &str, text: &str) {
        let at = self.column(column);
        text.clone_into(&mut self.record(id)[at]);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The file as a program that knows CSV writes it.
    pub(crate) fn text(&self, delimiter: u8, ending: csv::Terminator) -> Vec<u8> {
        let mut csv = csv::WriterBuilder::new().delimiter(delimiter).terminator(ending).from_writer(Vec::new());
        for record in std::iter::once(&self.header).chain(&self.records) {
            csv.write_record(record).unwrap();
        }
        csv.into_inner().unwrap()
    }

    /// Applies the file as it was filled in.
    pub(crate) async fn apply(&self) -> ApplyReport {
        self.apply_text(&self.text(b',', csv::Terminator::Any(b'\n'))).await.unwrap()
    }

    pub(crate) async fn apply_text(&self, text: &[u8]) -> Result<ApplyReport, Error> {
        let path = self.path("filled in.csv");
        std::fs::write(&path, text).unwrap();
        self.apply_file(&path, None, false).await
    }

    pub(crate) async fn apply_file(
        &self,
        path: &Path,
        refused: Option<&Path>,
        dry_run: bool,
    ) -> Result<ApplyReport, Error> {
        self.apply_as(Role::Owner, path, refused, dry_run, &mut |_| {}).await
    }

    pub(crate) async fn apply_as(
        &self,
        role: Role,
        path: &Path,
        refused: Option<&Path>,
        dry_run: bool,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<ApplyReport, Error> {
        let database = connect(&self.db, role).await;
        let (_go, stop) = watch::channel(false);
        let review = CheckedReview::check(path)?;
        let apply =
            Apply { database: &database, tenancy: &self.tenancy, review: &review, refused, dry_run, holder: "a test" };
        let report = apply.run(stop, progress).await;
        database.close().await;
        report
    }

    /// `b_1:t_a b_2:- …`
    pub(crate) async fn tenants(&self) -> String {
        let all = r#"SELECT id || ':' || coalesce("tenantId", '-') FROM bookings ORDER BY id"#;
        let found = rows(&mut self.db.superuser().await, all).await;
        found.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join(" ")
    }
}

/// Line, kind and row of what was refused.
pub(crate) fn refused(report: &ApplyReport) -> Vec<(u64, RefusalKind, &str)> {
    let of = |refusal: &backfill_engine::Refusal| (refusal.line, refusal.cause.kind());
    report.refusals.iter().map(|r| (of(r).0, of(r).1, r.id.as_deref().unwrap_or("?"))).collect()
}

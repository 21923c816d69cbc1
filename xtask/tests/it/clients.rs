//! The npm package in `clients/node`, as applications use it: packed, installed from its tarball beside the libraries, and run as an
//! ordinary login, directly and behind PgBouncer. Without npm these tests say that they tried nothing; where `CI` is set they fail.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use local_db::Role;
use tempfile::TempDir;
use test_support::{TestDb, TestPooler};

use crate::npm::{copy, installed, or_skipped, run};

/// The sessions of the server that all scopes behind the pooler share.
const SESSIONS: u32 = 5;

fn node() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("clients/node")
}

/// The tarball, which is packed once by each run.
fn tarball() -> Option<&'static Path> {
    static PACKED: OnceLock<Option<(TempDir, PathBuf)>> = OnceLock::new();
    let packed = PACKED.get_or_init(|| or_skipped("the npm client", pack()));
    packed.as_ref().map(|(_, tarball)| tarball.as_path())
}

fn pack() -> Result<(TempDir, PathBuf), String> {
    let folder = installed("package", &[node()])?;
    copy(&node().join("src"), &folder.join("src"));
    let destination = tempfile::tempdir().unwrap();
    run(&folder, "npm", &["pack", "--pack-destination", destination.path().to_str().unwrap()], &[])?;
    let packed = std::fs::read_dir(destination.path()).unwrap().next().unwrap().unwrap().path();
    Ok((destination, packed))
}

/// An application: folders of `clients/node/tests`, with its locked libraries and the tarball.
fn application(name: &str, folders: &[&str], tarball: &Path) -> PathBuf {
    let folders: Vec<PathBuf> = folders.iter().map(|folder| node().join("tests").join(folder)).collect();
    let folder = installed(name, &folders).unwrap();
    let install = ["install", "--no-save", "--ignore-scripts", "--offline", tarball.to_str().unwrap()];
    run(&folder, "npm", &install, &[]).unwrap();
    folder
}

async fn database() -> TestDb {
    let db = test_support::empty_database().await;
    let mut owner = db.owner().await;
    let schema = include_str!("../../../clients/node/tests/schema.sql");
    owner.run_script("creating the tables of the application", schema).await.unwrap();
    owner.close().await;
    db
}

/// Compiles an application, and runs its tests on a database of their own.
async fn tried(folder: &Path) {
    let db = database().await;
    let pooler = TestPooler::before(&db, SESSIONS).await;
    let pooled = pooler.as_ref().map_or(String::new(), |pooler| pooler.silent_url(Role::AppUser).expose().to_owned());
    let env = [
        ("APP_URL", db.url(Role::AppUser).expose().to_owned()),
        ("POOLED_APP_URL", pooled),
        ("SUPERUSER_URL", db.url(Role::Superuser).expose().to_owned()),
    ];
    run(folder, "npx", &["--no-install", "tsc"], &[]).unwrap();
    let tests = std::fs::read_dir(folder.join("build")).unwrap().map(|entry| entry.unwrap().path());
    let tests: Vec<String> = tests.map(|path| path.to_string_lossy().into_owned()).collect();
    let tests = tests.iter().map(String::as_str).filter(|path| path.ends_with(".test.js"));
    let arguments: Vec<&str> = ["--test", "--test-concurrency=1"].into_iter().chain(tests).collect();
    assert!(arguments.len() > 2, "no tests in {}", folder.display());
    let said = run(folder, "node", &arguments, &env).unwrap_or_else(|error| panic!("{error}"));
    assert!(said.contains("# fail 0"), "{said}");
    assert!(!said.contains("# pass 0"), "{said}");
    // `CLIENT_COST=1` measures, as docs/clients.md says.
    if tenancy_config::environment::path("CLIENT_COST").is_some() {
        let said = run(folder, "node", &["build/cost.js"], &env).unwrap();
        let _ = writeln!(std::io::stderr(), "{said}");
    }
}

#[tokio::test]
async fn node_postgres_drizzle_and_kysely_reach_the_rows_of_their_scope_only() {
    let Some(tarball) = tarball() else { return };
    tried(&application("sql", &["shared", "sql"], tarball)).await;
}

#[tokio::test]
async fn the_tarball_works_in_an_empty_folder() {
    let Some(tarball) = tarball() else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("package.json"), "{}").unwrap();
    let alone = ["install", "--ignore-scripts", "--offline", "--no-audit", "--no-fund", tarball.to_str().unwrap()];
    run(folder.path(), "npm", &alone, &[]).unwrap();
    let packages = std::fs::read_dir(folder.path().join("node_modules")).unwrap();
    let packages = packages.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(packages.filter(|name| !name.starts_with('.')).collect::<Vec<_>>(), ["rowfence"]);
    let without_libraries = "for (const part of ['', '/pg', '/prisma']) await import('rowfence' + part)";
    run(folder.path(), "node", &["--input-type=module", "--eval", without_libraries], &[]).unwrap();

    // The others import their libraries, which an application has.
    let folder = application("tarball", &["shared", "sql"], tarball);
    std::fs::copy(node().join("tests/use.mjs"), folder.join("use.mjs")).unwrap();
    let db = database().await;
    run(&folder, "node", &["use.mjs"], &[("APP_URL", db.url(Role::AppUser).expose().to_owned())]).unwrap();
}

#[tokio::test]
async fn prisma_7_reaches_the_rows_of_its_scope_only() {
    let Some(tarball) = tarball() else { return };
    prisma("prisma-7", tarball).await;
}

#[tokio::test]
async fn prisma_6_reaches_the_rows_of_its_scope_only() {
    let Some(tarball) = tarball() else { return };
    prisma("prisma-6", tarball).await;
}

async fn prisma(name: &str, tarball: &Path) {
    let folder = application(name, &["shared", "prisma", name], tarball);
    run(&folder, "npx", &["--no-install", "prisma", "generate", "--schema", "."], &[]).unwrap();
    tried(&folder).await;
}

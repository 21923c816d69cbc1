//! The npm package in `clients/node`, as applications use it: packed, installed from its tarball beside the libraries, and run as an
//! ordinary login, directly and behind PgBouncer. Without npm these tests say that they tried nothing; where `CI` is set they fail.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use local_db::Role;
use tempfile::TempDir;
use test_support::{TestDb, TestPooler};

/// The sessions of the server that all scopes behind the pooler share.
const SESSIONS: u32 = 5;

fn node() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("clients/node")
}

/// Runs a program of Node in a folder. Its output is the error.
fn run(folder: &Path, program: &str, arguments: &[&str], env: &[(&str, String)]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).envs(env.iter().cloned());
    // `prisma generate` downloads engines that a client with a driver adapter does not use; a file that is there replaces them.
    for engine in ["PRISMA_SCHEMA_ENGINE_BINARY", "PRISMA_QUERY_ENGINE_LIBRARY"] {
        command.env(engine, "/bin/sh");
    }
    command.env("CHECKPOINT_DISABLE", "1").env("PRISMA_HIDE_UPDATE_MESSAGE", "1");
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    if output.status.success() { Ok(said) } else { Err(format!("{program} {}:\n{said}", arguments.join(" "))) }
}

/// Copies the files of a folder, not its folders.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// A copy of a folder with its locked packages, which the next run finds again.
fn installed(name: &str, folders: &[PathBuf]) -> Result<PathBuf, String> {
    let fresh = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    folders.iter().for_each(|folder| copy(folder, fresh.path()));
    let lock = std::fs::read(fresh.path().join("package-lock.json")).unwrap();
    let mut hasher = DefaultHasher::new();
    lock.hash(&mut hasher);
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("client-{name}-{:016x}", hasher.finish()));
    if !kept.is_dir() {
        run(fresh.path(), "npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], &[])?;
        // The folder is filled under another name, so that one of this name is complete; another process may be faster.
        let _ = std::fs::rename(fresh.path(), &kept);
    }
    // What an earlier run built might be of files that are gone.
    for made in ["src", "dist", "build", "generated"] {
        let _ = std::fs::remove_dir_all(kept.join(made));
    }
    folders.iter().for_each(|folder| copy(folder, &kept));
    Ok(kept)
}

/// The tarball, which is packed once by each run.
fn tarball() -> Option<&'static Path> {
    static PACKED: OnceLock<Option<(TempDir, PathBuf)>> = OnceLock::new();
    let packed = PACKED.get_or_init(|| match pack() {
        Ok(packed) => Some(packed),
        Err(error) if tenancy_config::environment::path("CI").is_some() => panic!("{error}"),
        Err(error) if Command::new("npm").arg("--version").output().is_ok_and(|output| output.status.success()) => {
            panic!("{error}")
        }
        Err(error) => {
            // Past the capture of the test harness: that nothing was tried must be seen.
            let _ = writeln!(std::io::stderr(), "SKIPPED, the clients of npm were not tried: {error}");
            None
        }
    });
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

//! Rules that the compiler does not know: which crate may use which, what only one crate may do, and how files begin.
//! `docs/ARCHITECTURE.md` gives the reasons. The rules about licences of dependencies are in `deny.toml`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use tenancy_config::environment;

/// The crates, lowest layer first. A crate uses only crates of lower layers: no job depends on another, and nothing
/// depends on the command line. A crate that is not named here is a job.
const LAYERS: [&[&str]; 7] = [
    // `xtask-start` builds the program and becomes it. It depends on nothing, so that it is built at once.
    &["prisma-schema", "tenancy-config", "xtask-start"],
    &["tenant-rls"],
    &["local-db", "tenant-inventory", "tenant-ops"],
    &["backfill-engine", "rls-verify", "tenant-audit", "test-support"],
    // The jobs.
    &[],
    // `bench` measures jobs, and `rls-predict` tries in a transaction what one of them does. No job depends on either.
    &["bench", "rls-predict"],
    &["xtask"],
];

/// Libraries that draw, print or parse arguments. Only the command line uses them.
const ONLY_XTASK: [&str; 7] = ["anyhow", "clap", "comfy-table", "indicatif", "insta", "maud", "terminal_size"];

/// Other clients of PostgreSQL. Each would bypass the scopes of `tenant-rls`.
const OTHER_CLIENTS: [&str; 5] = ["postgres", "tokio-postgres", "deadpool-postgres", "diesel", "sea-orm"];

/// The dependency graph for this system. Packages for other systems may not have been downloaded.
fn metadata() -> Metadata {
    with_features(CargoOpt::SomeFeatures(Vec::new()))
}

fn with_features(features: CargoOpt) -> Metadata {
    let rustc = environment::path("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("-vV").output().expect("rustc runs");
    let version = String::from_utf8(version.stdout).expect("rustc writes UTF-8");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc tells its host");
    let options = ["--locked", "--offline", "--filter-platform", host].map(str::to_owned);
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .features(features)
        .other_options(options)
        .exec()
        .expect("cargo metadata")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace").to_owned()
}

/// The layer of the jobs.
const JOBS: usize = 4;

/// The layer of a crate of this workspace.
fn layer(name: &str) -> Option<usize> {
    let named = LAYERS.iter().position(|layer| layer.contains(&name));
    named.or_else(|| root().join("crates").join(name).is_dir().then_some(JOBS))
}

/// The dependencies of a crate itself; its tests may use more.
fn built_with(package: &Package) -> impl Iterator<Item = &str> {
    package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development).map(|d| d.name.as_str())
}

/// The files below a folder whose names end with `ending`, without those that builds and editors leave there.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of this repository") {
            let path = entry.expect("a file of this repository").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no {ending} in {folder}");
    found
}

fn sources() -> Vec<PathBuf> {
    [files("crates", ".rs"), files("xtask", ".rs")].concat()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn dependencies_point_down() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let own = layer(&package.name).unwrap_or_else(|| panic!("{} has no layer in this test", package.name));
        for used in built_with(package) {
            assert!(layer(used).is_none_or(|layer| layer < own), "{} must not use {used}", package.name);
        }
    }
}

#[test]
fn only_tests_use_what_supports_tests() {
    for package in metadata().workspace_packages() {
        assert!(!built_with(package).any(|used| used == "test-support"), "{} is built with it", package.name);
    }
}

#[test]
fn only_the_command_line_draws_and_parses_arguments() {
    for package in metadata().workspace_packages().into_iter().filter(|package| package.name.as_str() != "xtask") {
        let wrong = built_with(package).find(|used| ONLY_XTASK.contains(used));
        assert_eq!(wrong, None, "{} takes typed options and returns a report", package.name);
    }
}

#[test]
fn the_command_line_does_not_speak_sql() {
    let metadata = metadata();
    let xtask = metadata.workspace_packages().into_iter().find(|package| package.name.as_str() == "xtask");
    assert!(!built_with(xtask.expect("this crate")).any(|used| used == "sqlx"));
}

#[test]
fn there_is_one_way_to_the_database() {
    let metadata = metadata();
    let other = metadata.packages.iter().find(|package| OTHER_CLIENTS.contains(&package.name.as_str()));
    assert_eq!(other.map(|package| package.name.as_str()), None, "use tenant-rls");
}

/// All packages that the program is linked with, itself included.
fn linked(metadata: &Metadata) -> BTreeSet<&str> {
    let named = |id: &PackageId| metadata.packages.iter().find(|package| package.id == *id).expect("a package");
    let nodes = &metadata.resolve.as_ref().expect("a graph").nodes;
    let start = nodes.iter().find(|node| named(&node.id).name.as_str() == "xtask").expect("this crate");
    let (mut found, mut open) = (BTreeSet::new(), vec![start]);
    while let Some(node) = open.pop() {
        if found.insert(named(&node.id).name.as_str()) {
            let kinds = |dep: &cargo_metadata::NodeDep| {
                dep.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
            };
            let used: Vec<_> = node.deps.iter().filter(|dep| kinds(dep)).map(|dep| &dep.pkg).collect();
            open.extend(nodes.iter().filter(|node| used.contains(&&node.id)));
        }
    }
    found
}

#[test]
fn a_build_without_jwt_has_nothing_that_mints_a_session() {
    let with = metadata();
    assert!(linked(&with).contains("dev-jwt"), "the graph is not read as it should be");
    let without = with_features(CargoOpt::NoDefaultFeatures);
    let linked = linked(&without);
    assert!(linked.contains("tenant-rls"));
    assert!(linked.is_disjoint(&["dev-jwt", "aes", "aes-gcm", "cbc", "ctr"].into()), "{linked:?}");
}

/// `tenant-rls` makes the connections. The reader of the environment lifts the ban on reading it, in a crate that has
/// no driver.
#[test]
fn only_the_two_replacements_lift_the_bans() {
    let lint = ["clippy::disallowed", "_"].concat();
    let mut lifting: Vec<_> = sources().into_iter().filter(|path| text(path).contains(&lint)).collect();
    lifting.sort();
    let allowed = ["crates/tenancy-config/src/environment.rs", "crates/tenant-rls/src/lib.rs"];
    assert_eq!(lifting, allowed.map(|path| root().join(path)));
    let metadata = metadata();
    let config = metadata.workspace_packages().into_iter().find(|package| package.name.as_str() == "tenancy-config");
    assert!(!built_with(config.expect("this crate")).any(|used| used == "sqlx"));
}

/// clippy's ban does not apply in `tenant-rls`, which lifts it for its connections.
#[test]
fn the_environment_is_read_in_one_place() {
    let readers = ["var(", "var_os(", "vars(", "vars_os(", "{"].map(|end| ["env", "::", end].concat());
    let reads = |path: &PathBuf| readers.iter().any(|reader| text(path).contains(reader));
    let reading: Vec<_> = sources().into_iter().filter(reads).collect();
    assert_eq!(reading, [root().join("crates/tenancy-config/src/environment.rs")]);
}

/// Files that write elsewhere, into folders that nobody else sees: a server's own folder, and those of tests and
/// measurements.
const OTHER_WRITERS: [&str; 7] = [
    "crates/bench/src/",
    "crates/dev-jwt/src/node.rs",
    "crates/local-db/src/cluster/home.rs",
    "crates/local-db/src/disk.rs",
    "crates/local-db/src/server/",
    "crates/tenancy-config/src/files",
    "crates/test-support/src/",
];

/// A file must be written whole or not at all, must not replace a link or a device, and must belong to its owner only
/// if it holds a session.
#[test]
fn files_are_written_in_one_place() {
    let ways =
        ["fs::write(", "File::create", "File::options", "OpenOptions", "NamedTempFile", "fs::rename", "fs::copy"];
    expect_none(&ways, &OTHER_WRITERS, "use tenancy_config::files");
}

/// A program that opens the file would run a cell that begins like a formula.
#[test]
fn csv_is_written_in_one_place() {
    expect_none(&["csv::Writer"], &["crates/tenancy-config/src/csv.rs"], "use tenancy_config::csv::CsvWriter");
}

/// Text for a stream must be `Harmless`, and only the printer writes that.
#[test]
fn streams_are_written_in_one_place() {
    let ways = ["io::stdout", "io::stderr", "MultiProgress", "Term::"];
    let allowed = ["xtask/src/terminal/printer.rs", "crates/test-support/src/", "crates/xtask-start/"];
    expect_none(&ways, &allowed, "use Printer");
    expect_none(&["Harmless("], &["xtask/src/terminal/harmless.rs"], "use one of the constructors");
}

/// Fails if code that is not a test uses one of these.
fn expect_none(ways: &[&str], allowed: &[&str], instead: &str) {
    for path in sources() {
        let name = path.strip_prefix(root()).expect("a file of this repository").to_string_lossy().into_owned();
        let is_test = name.contains("/tests/") || name.contains("/benches/") || name.ends_with("/tests.rs");
        if is_test || allowed.iter().any(|allowed| name.starts_with(allowed)) {
            continue;
        }
        let text = text(&path);
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let whole_word = |at: usize| !code[..at].ends_with(char::is_alphanumeric);
        let found = ways.iter().find(|way| code.match_indices(**way).any(|(at, _)| whole_word(at)));
        assert_eq!(found, None, "{name}: {instead}");
    }
}

/// If two columns of one type swap their places in a statement, a position silently means the other one.
#[test]
fn no_row_is_read_by_the_position_of_a_column() {
    for path in files("crates", ".rs") {
        if path.components().any(|part| part.as_os_str() == "src") {
            let text = text(&path);
            assert_eq!(read_by_position(&text), None, "{}: read a row by the names of its columns", path.display());
        }
    }
}

#[test]
fn each_way_to_read_a_row_by_position_is_found() {
    for code in [
        "row.get(0)",
        "first.try_get(1)",
        "row\n    .get::<Option<Vec<i64>>, _>(2)",
        "row.get(\n    3,",
        "row.try_get_raw(4)",
        "let count = |at: usize| from_bigint(row.get(at));",
    ] {
        assert!(read_by_position(&format!("use sqlx::{{PgConnection, Row as _}};\n{code}")).is_some(), "{code}");
        assert_eq!(read_by_position(code), None, "a list, not a row: {code}");
    }
    assert!(read_by_position("sqlx::query_as(statement)").is_some());
    for code in ["row.get::<i64, _>(\"id\")", "|name: &str| from_bigint(row.get(name))", "self.target(0)"] {
        assert_eq!(read_by_position(&format!("use sqlx::Row;\n{code}")), None, "{code}");
    }
}

/// The first place where code reads a row by a number. The methods of a row are there only where sqlx's trait is imported; without
/// that import, `get(1)` is of a list. `query_as` reads tuples, as the workspace has no macros of sqlx.
fn read_by_position(code: &str) -> Option<&str> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let is_number = |argument: &str| {
        let name = argument.split(|c| !word(c)).next().unwrap_or_default();
        name.starts_with(|c: char| c.is_ascii_digit()) || !name.is_empty() && code.contains(&format!("|{name}: usize|"))
    };
    let by_number = |at: usize| {
        let behind = code[at + 1..].trim_start_matches(word);
        let arguments = match behind.strip_prefix("::<") {
            Some(types) => types.split_once(">(")?.1,
            None => behind.strip_prefix('(')?,
        };
        is_number(arguments.trim_start()).then(|| &code[at..code.len() - arguments.len()])
    };
    let mut imports = code.split("use sqlx::").skip(1).filter_map(|rest| rest.split_once(';'));
    let has_rows = imports.any(|(names, _)| names.split(|c| !word(c)).any(|name| name == "Row"));
    let mut calls = [".get", ".try_get"].into_iter().flat_map(|call| code.match_indices(call)).filter(|_| has_rows);
    let found = calls.find_map(|(at, _)| by_number(at));
    found.or_else(|| code.match_indices("query_as").next().map(|(_, name)| name))
}

/// The jobs that seed a tenant or mint a session use the tenant that this variable names. Anywhere else it could
/// silently narrow a repair.
#[test]
fn only_seeding_and_sessions_read_tenant_id() {
    let name = ["TENANT", "_ID\""].concat();
    let code = sources().into_iter().filter(|path| !path.components().any(|part| part.as_os_str() == "tests"));
    let mut reading: Vec<_> = code.filter(|path| text(path).contains(&name)).collect();
    reading.sort();
    let allowed = [
        "crates/tenancy-config/src/settings/sources.rs",
        "xtask/src/commands/jwt/settings.rs",
        "xtask/src/commands/seed_tenant_defaults/mod.rs",
    ];
    assert_eq!(reading, allowed.map(|path| root().join(path)));
}

#[test]
fn every_crate_has_the_workspaces_lints_licence_and_rust_version() {
    for package in metadata().workspace_packages() {
        assert!(text(package.manifest_path.as_std_path()).contains("[lints]\nworkspace = true"), "{}", package.name);
        assert_eq!(package.license.as_deref(), Some("MIT OR Apache-2.0"), "{}", package.name);
        assert!(package.rust_version.is_some() && package.publish == Some(vec![]), "{}", package.name);
        assert!(package.description.is_some(), "{} has no description", package.name);
    }
}

#[test]
fn every_module_says_what_lives_there() {
    for path in sources() {
        assert!(text(&path).starts_with("//! "), "{} begins without a `//!` line", path.display());
    }
}

#[test]
fn every_statement_file_says_what_it_is_for() {
    for path in files("sql", ".sql") {
        assert!(text(&path).starts_with("-- "), "{} begins without a `--` line", path.display());
    }
}

/// If these pages say that a test proves something, the test must exist, even after it was renamed.
#[test]
fn every_test_that_a_page_names_exists() {
    let code: String = sources().iter().map(|path| text(path)).collect();
    for page in ["docs/ARCHITECTURE.md", "docs/security.md"] {
        let page_text = text(&root().join(page));
        let quoted = page_text.split('`').skip(1).step_by(2);
        let named = |word: &&str| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            word.chars().all(plain) && word.matches('_').count() >= 4
        };
        let names: Vec<&str> = quoted.filter(named).collect();
        assert!(names.len() > 20, "{page} names {} tests", names.len());
        for name in names {
            assert!(code.contains(&format!("fn {name}(")), "{page} names a test `{name}`, and there is none");
        }
    }
}

/// A page must not send its reader to a file that has moved.
#[test]
fn every_file_that_a_page_names_exists() {
    let mut pages = files("docs", ".md");
    pages.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(|page| root().join(page)));
    let of_repository = |word: &&str| ["crates/", "xtask/", "sql/", "docs/"].iter().any(|top| word.starts_with(top));
    // `NAME` stands for what the reader adds.
    let is_path =
        |word: &&str| !word.contains("NAME") && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    let mut named = 0;
    for page in pages {
        let page_text = text(&page);
        for path in page_text.split('`').skip(1).step_by(2).filter(of_repository).filter(is_path) {
            assert!(root().join(path).exists(), "{} names {path}, and there is none", page.display());
            named += 1;
        }
    }
    assert!(named > 50, "the pages name {named} files");
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// A link must not send its reader to a heading that was renamed.
#[test]
fn every_heading_that_a_page_links_to_exists() {
    let mut pages = files("docs", ".md");
    pages.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|page| root().join(page)));
    let mut linked = 0;
    for page in pages {
        let page_text = text(&page);
        for link in page_text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let Some((file, wanted)) = link.split_once('#').filter(|_| !link.contains("://")) else { continue };
            let target = if file.is_empty() { page.clone() } else { page.parent().expect("a folder").join(file) };
            let there = text(&target)
                .lines()
                .filter(|line| line.starts_with('#'))
                .any(|line| anchor(line.trim_start_matches('#')) == wanted);
            assert!(there, "{} links to {link}, and there is no such heading", page.display());
            linked += 1;
        }
    }
    assert!(linked > 20, "the pages link to {linked} headings");
}

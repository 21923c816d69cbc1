//! No file of a crate is in a circle with another, so that a file can be read, moved and tested without the files that
//! use it. Names are followed through re-exports to the file that defines them, so that a circle through `lib.rs` is
//! found too.
//!
//! The test sees paths: in imports, types, expressions, patterns, attributes and the arguments of macros. A path counts
//! up to the item, whose methods may be in another file. Methods that are called on a value whose type is inferred are
//! not seen. Test code is left out: it may use everything. `known.rs` lists the circles that still exist. If a circle
//! is not listed there, the test prints its edges.

mod examples;
mod graph;
mod known;
mod names;
mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use graph::{Graph, circles, edges, shortest};
use known::KNOWN;
use source::Crate;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace").to_owned()
}

/// What each file uses, in all crates. No crate reads another's files, so this is one graph.
fn workspace() -> Graph {
    let root = root();
    let folder = |path: &str| {
        let entries = std::fs::read_dir(root.join(path)).into_iter().flatten();
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("a file of this repository").file_name();
        entries.map(move |entry| format!("{path}/{}", name(entry).to_string_lossy())).collect::<Vec<_>>()
    };
    let mut graph = Graph::new();
    for package in folder("crates").into_iter().chain(["xtask".to_owned()]) {
        let programs = folder(&format!("{package}/src/bin"));
        let usual = ["lib.rs", "main.rs"].map(|name| format!("{package}/src/{name}"));
        let roots: Vec<_> = usual.into_iter().chain(programs).filter(|path| root.join(path).is_file()).collect();
        assert!(!roots.is_empty(), "{package} has no src/lib.rs and no src/main.rs");
        for file in roots {
            let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
            graph.extend(edges(&Crate::read(&file, &read)));
        }
    }
    graph
}

#[test]
fn no_file_is_in_a_circle_with_another() {
    let graph = workspace();
    let found = circles(&graph);
    let listed: Vec<BTreeSet<&str>> = KNOWN.iter().map(|circle| circle.iter().copied().collect()).collect();
    let said = differences(&graph, &found, &listed);
    assert!(said.is_empty(), "\nThe list in xtask/tests/circles/known.rs would be:\n{}\n\n{}", as_list(&found), {
        said.join("\n\n")
    });
}

/// The differences between the code and the list, as text for people.
fn differences(graph: &Graph, found: &[BTreeSet<&str>], listed: &[BTreeSet<&str>]) -> Vec<String> {
    let mut said = Vec::new();
    for circle in found.iter().filter(|circle| !listed.contains(circle)) {
        let before: BTreeSet<&str> = listed.iter().filter(|old| !old.is_disjoint(circle)).flatten().copied().collect();
        let new: BTreeSet<&str> = circle.difference(&before).copied().collect();
        if listed.iter().any(|old| circle.is_subset(old)) {
            said.push(format!("A circle is smaller than its list, {} files: shorten the list.", circle.len()));
        } else if before.is_empty() || new.is_empty() {
            said.push(format!("A circle that is not listed, {} files: {ADVICE}.\n{}", circle.len(), {
                told(graph, circle, circle)
            }));
        } else {
            let files = new.iter().copied().collect::<Vec<_>>().join(", ");
            said.push(format!("A circle has grown, by {files}: {ADVICE}.\n{}", told(graph, circle, &new)));
        }
    }
    let still: BTreeSet<&str> = found.iter().flatten().copied().collect();
    let gone: Vec<_> = listed.iter().flatten().filter(|file| !still.contains(*file)).copied().collect();
    if !gone.is_empty() {
        said.push(format!("No longer in a circle, so take them off the list:\n  {}", gone.join("\n  ")));
    }
    said
}

const ADVICE: &str = "what both sides use belongs in a file below both";

/// The shortest ways around through these files of a circle, and then all edges of these files in it.
fn told(graph: &Graph, circle: &BTreeSet<&str>, files: &BTreeSet<&str>) -> String {
    let short = |file: &str| file.split_once("/src/").map_or(file, |(_, rest)| rest).to_owned();
    let names = |from: &str, to: &str| graph[from][to].iter().map(String::as_str).collect::<Vec<_>>();
    let some = |names: Vec<&str>| match names[..] {
        [a, b, c, _, ..] => format!("{a}, {b}, {c}, …"),
        _ => names.join(", "),
    };
    let mut lines = vec!["  in short:".to_owned()];
    for around in shortest(graph, circle, files) {
        let mut line = format!("    {}", short(around[0]));
        for pair in around.windows(2) {
            line += &format!(" -> {} ({})", short(pair[1]), some(names(pair[0], pair[1])));
        }
        lines.push(line);
    }
    lines.push("  every edge:".to_owned());
    for from in circle {
        let seen = |to: &&String| circle.contains(to.as_str()) && (files.contains(from) || files.contains(to.as_str()));
        let to: Vec<_> = graph[*from]
            .keys()
            .filter(seen)
            .map(|to| format!("{} ({})", short(to), names(from, to).join(", ")))
            .collect();
        if !to.is_empty() {
            lines.push(format!("    {from} -> {}", to.join(", ")));
        }
    }
    lines.join("\n")
}

/// The text of the constant for `known.rs`; `cargo fmt` formats it.
fn as_list(circles: &[BTreeSet<&str>]) -> String {
    let file = |file: &&str| format!("        {file:?},\n");
    let circle = |circle: &BTreeSet<&str>| format!("    &[\n{}    ],\n", circle.iter().map(file).collect::<String>());
    format!("pub(crate) const KNOWN: &[&[&str]] = &[\n{}];", circles.iter().map(circle).collect::<String>())
}

//! Computes which file uses which, and the circles among them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::names::Target;
use crate::source::Crate;

/// For each file, the files whose names it uses, and these names.
pub(crate) type Graph = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The edges of a crate. Declaring or importing a module is not a use; only naming something in it is. A re-export is
/// not a use either: it says where something can be found, and the file that follows it has the edge.
pub(crate) fn edges(source: &Crate) -> Graph {
    let mut graph = Graph::new();
    for (number, module) in source.modules.iter().enumerate() {
        let imports = module.imports.iter().filter(|import| !import.is_reexport).map(|import| &import.path);
        let used = graph.entry(module.file.clone()).or_default();
        for target in module.paths.iter().chain(imports).flat_map(|path| source.follow(number, path)) {
            match target {
                Target::Item { file, name } if file != module.file => {
                    used.entry(file).or_default().insert(name);
                }
                Target::Item { .. } | Target::Module(_) => {}
            }
        }
    }
    graph
}

/// The files that reach each other, in groups of more than one.
pub(crate) fn circles(graph: &Graph) -> Vec<BTreeSet<&str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        graph.keys().map(|file| (file.as_str(), reach(graph, file))).collect();
    let mut circles = BTreeSet::new();
    for (file, there) in &reached {
        let circle: BTreeSet<&str> = there.iter().copied().filter(|other| reached[other].contains(file)).collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

fn reach<'a>(graph: &'a Graph, from: &'a str) -> BTreeSet<&'a str> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        open.extend(graph[file].keys().map(String::as_str).filter(|to| seen.insert(*to)));
    }
    seen
}

/// Ways around a circle, each the shortest through some file, until each of these files is on one. A way begins and
/// ends with the same file.
pub(crate) fn shortest<'a>(
    graph: &'a Graph,
    circle: &BTreeSet<&'a str>,
    files: &BTreeSet<&'a str>,
) -> Vec<Vec<&'a str>> {
    let mut ways: Vec<Vec<&str>> = files.iter().map(|file| way_around(graph, circle, file)).collect();
    ways.sort_by_key(Vec::len);
    let mut covered = BTreeSet::new();
    ways.retain(|way| way.iter().filter(|file| covered.insert(**file)).count() > 0);
    ways
}

fn way_around<'a>(graph: &'a Graph, circle: &BTreeSet<&'a str>, start: &'a str) -> Vec<&'a str> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(file) = open.pop_front() {
        for to in graph[file].keys().map(String::as_str).filter(|to| circle.contains(to)) {
            if !before.contains_key(to) {
                before.insert(to, file);
                open.push_back(to);
            }
        }
    }
    let mut way = vec![start, before[start]];
    while way.last() != Some(&start) {
        way.push(before[way[way.len() - 1]]);
    }
    way.reverse();
    way
}

//! Finds the modules and items that a path names.

use std::collections::BTreeSet;

use crate::source::{Crate, Import};

/// What a name means. It may mean several things, because modules and functions have separate names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Module(usize),
    Item { file: String, name: String },
}

/// The names that are being looked up; imports may lead back to themselves.
type Open = BTreeSet<(usize, String)>;

impl Crate {
    /// What a path in this module leads to; nothing if it leads out of the crate.
    pub(crate) fn follow(&self, module: usize, path: &[String]) -> BTreeSet<Target> {
        self.walk(module, path, &mut Open::new())
    }

    fn walk(&self, module: usize, path: &[String], open: &mut Open) -> BTreeSet<Target> {
        let Some((first, mut rest)) = path.split_first() else { return BTreeSet::new() };
        let mut at = match first.as_str() {
            "crate" => [Target::Module(0)].into(),
            "self" => [Target::Module(module)].into(),
            "super" => self.modules[module].parent.into_iter().map(Target::Module).collect(),
            name => self.look_up(module, name, open),
        };
        while let Some((name, after)) = rest.split_first() {
            let modules: Vec<usize> = at.iter().filter_map(Target::module).collect();
            if modules.is_empty() {
                // It is a variant or a function of the type.
                return at;
            }
            let next = modules.iter().flat_map(|module| match (name.as_str(), self.modules[*module].parent) {
                ("self", _) => [Target::Module(*module)].into(),
                ("super", parent) => parent.into_iter().map(Target::Module).collect(),
                (name, _) => self.look_up(*module, name, open),
            });
            at = next.collect();
            rest = after;
        }
        at
    }

    fn look_up(&self, number: usize, name: &str, open: &mut Open) -> BTreeSet<Target> {
        let mut found = BTreeSet::new();
        if !open.insert((number, name.to_owned())) {
            return found;
        }
        let module = &self.modules[number];
        if module.items.contains(name) {
            found.insert(Target::Item { file: module.file.clone(), name: name.to_owned() });
        }
        found.extend(module.children.get(name).copied().map(Target::Module));
        for import in module.imports.iter().filter(|import| import.name.as_deref() == Some(name)) {
            found.extend(self.walk(number, &import.path, open));
        }
        // An explicit import wins over a glob.
        if found.is_empty() {
            for Import { path, .. } in module.imports.iter().filter(|import| import.name.is_none()) {
                let from = self.walk(number, path, open);
                found.extend(from.iter().filter_map(Target::module).flat_map(|from| self.look_up(from, name, open)));
            }
        }
        open.remove(&(number, name.to_owned()));
        found
    }
}

impl Target {
    fn module(&self) -> Option<usize> {
        match self {
            Self::Module(number) => Some(*number),
            Self::Item { .. } => None,
        }
    }
}

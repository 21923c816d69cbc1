//! The modules of a crate, with what each defines, imports and names.

use std::collections::{BTreeMap, BTreeSet};

use syn::buffer::{Cursor, TokenBuffer};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, Meta, Token, UseTree, Visibility};

/// The modules of a crate; the first is its root.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    pub(crate) modules: Vec<Module>,
}

#[derive(Debug, Default)]
pub(crate) struct Module {
    /// The file. For an inline module, it is the file that contains it.
    pub(crate) file: String,
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<String, usize>,
    pub(crate) items: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
    /// Every path that is not an import, as it is written.
    pub(crate) paths: BTreeSet<Vec<String>>,
}

#[derive(Debug)]
pub(crate) struct Import {
    /// The imported name; `None` for a glob.
    pub(crate) name: Option<String>,
    pub(crate) path: Vec<String>,
    pub(crate) is_reexport: bool,
}

impl Crate {
    /// Reads the crate whose root is this file.
    pub(crate) fn read(root: &str, read: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut this = Self::default();
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
        this.file(root, folder, None, read);
        this
    }

    fn file(
        &mut self,
        file: &str,
        folder: &str,
        parent: Option<usize>,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> usize {
        let text = read(file).unwrap_or_else(|| panic!("{file} cannot be read"));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        self.module(file, folder, parent, &parsed.items, read)
    }

    fn module(
        &mut self,
        file: &str,
        folder: &str,
        parent: Option<usize>,
        items: &[Item],
        read: &dyn Fn(&str) -> Option<String>,
    ) -> usize {
        let number = self.modules.len();
        let mut module = Module { file: file.to_owned(), parent, ..Module::default() };
        module.items.extend(items.iter().filter(|item| !is_test(attributes(item))).filter_map(defined));
        items.iter().for_each(|item| module.visit_item(item));
        self.modules.push(module);
        for item in items {
            let Item::Mod(child) = item else { continue };
            if is_test(&child.attrs) {
                continue;
            }
            let name = plain(&child.ident);
            assert!(!child.attrs.iter().any(|a| a.path().is_ident("path")), "{file}: #[path] is not followed");
            let below = format!("{folder}/{name}");
            let child = if let Some((_, items)) = &child.content {
                self.module(file, &below, Some(number), items, read)
            } else {
                let places = [format!("{below}.rs"), format!("{below}/mod.rs")];
                let place = places.iter().find(|place| read(place).is_some());
                self.file(place.unwrap_or_else(|| panic!("{file}: no file of {name}")), &below, Some(number), read)
            };
            self.modules[number].children.insert(name, child);
        }
        number
    }
}

impl Module {
    fn import(&mut self, tree: &UseTree, before: &[String], is_reexport: bool) {
        let with = |name: &syn::Ident| {
            let itself = if name == "self" && !before.is_empty() { None } else { Some(plain(name)) };
            before.iter().cloned().chain(itself).collect::<Vec<_>>()
        };
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &with(&path.ident), is_reexport),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, before, is_reexport)),
            UseTree::Name(name) => {
                let path = with(&name.ident);
                self.imports.push(Import { name: path.last().cloned(), path, is_reexport });
            }
            UseTree::Rename(rename) => {
                let name = Some(plain(&rename.rename));
                self.imports.push(Import { name, path: with(&rename.ident), is_reexport });
            }
            UseTree::Glob(_) => self.imports.push(Import { name: None, path: before.to_vec(), is_reexport }),
        }
    }

    /// Finds the paths among tokens that need not be expressions: the arguments of a macro or an attribute.
    fn tokens(&mut self, mut at: Cursor<'_>, texts_are_paths: bool) {
        let mut path: Vec<String> = Vec::new();
        let (mut colons, mut is_member) = (0, false);
        while !at.eof() {
            let next = if let Some((name, next)) = at.ident() {
                // After one colon a new path begins; after a dot there is a field or a method.
                if colons < 2 {
                    self.paths.insert(std::mem::take(&mut path));
                }
                if !is_member {
                    path.push(plain(&name));
                }
                (colons, is_member) = (0, false);
                next
            } else if let Some((sign, next)) = at.punct() {
                colons = if sign.as_char() == ':' { colons + 1 } else { 0 };
                is_member = sign.as_char() == '.' && !is_member;
                if colons == 0 {
                    self.paths.insert(std::mem::take(&mut path));
                }
                next
            } else if let Some((inside, _, _, next)) = at.any_group() {
                self.tokens(inside, texts_are_paths);
                (colons, is_member) = (0, false);
                next
            } else if let Some((literal, next)) = at.literal() {
                if texts_are_paths && let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    self.paths
                        .extend(text.parse::<syn::Path>().ok().filter(|p| p.segments.len() > 1).map(|p| names(&p)));
                }
                (colons, is_member) = (0, false);
                next
            } else {
                break;
            };
            at = next;
        }
        self.paths.insert(path);
    }
}

impl Visit<'_> for Module {
    fn visit_item(&mut self, item: &Item) {
        if !is_test(attributes(item)) && !matches!(item, Item::Mod(_)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            _ => return visit::visit_impl_item(self, item),
        };
        if !is_test(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    /// An import inside a function counts for its whole module.
    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
        }
    }

    fn visit_path(&mut self, path: &syn::Path) {
        if path.leading_colon.is_none() {
            self.paths.insert(names(path));
        }
        visit::visit_path(self, path);
    }

    /// A visibility such as `pub(in path)` is not a use of the module that it names.
    fn visit_visibility(&mut self, _: &Visibility) {}

    /// A constant in a pattern looks like a variable.
    fn visit_pat_ident(&mut self, pattern: &syn::PatIdent) {
        if pattern.ident.to_string().starts_with(char::is_uppercase) {
            self.paths.insert(vec![plain(&pattern.ident)]);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(TokenBuffer::new2(call.tokens.clone()).begin(), false);
    }

    /// `serde` takes paths as string literals.
    fn visit_meta_list(&mut self, list: &syn::MetaList) {
        self.tokens(TokenBuffer::new2(list.tokens.clone()).begin(), true);
    }
}

fn plain(name: &syn::Ident) -> String {
    let name = name.to_string();
    name.strip_prefix("r#").unwrap_or(&name).to_owned()
}

fn names(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| plain(&segment.ident)).collect()
}

fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(plain(name))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(syn::ItemConst { attrs, .. })
        | Item::Enum(syn::ItemEnum { attrs, .. })
        | Item::Fn(syn::ItemFn { attrs, .. })
        | Item::Impl(syn::ItemImpl { attrs, .. })
        | Item::Macro(syn::ItemMacro { attrs, .. })
        | Item::Mod(syn::ItemMod { attrs, .. })
        | Item::Static(syn::ItemStatic { attrs, .. })
        | Item::Struct(syn::ItemStruct { attrs, .. })
        | Item::Trait(syn::ItemTrait { attrs, .. })
        | Item::Type(syn::ItemType { attrs, .. })
        | Item::Union(syn::ItemUnion { attrs, .. })
        | Item::Use(syn::ItemUse { attrs, .. }) => attrs,
        _ => &[],
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    fn asks_for_test(condition: &Meta) -> bool {
        let all = |list: &syn::MetaList| {
            let parts = list.parse_args_with(syn::punctuated::Punctuated::<Meta, Token![,]>::parse_terminated);
            parts.is_ok_and(|parts| parts.iter().any(asks_for_test))
        };
        match condition {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) => list.path.is_ident("all") && all(list),
            Meta::NameValue(_) => false,
        }
    }
    let is_test = |attribute: &Attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args().is_ok_and(|condition| asks_for_test(&condition))
    };
    attributes.iter().any(is_test)
}

//! Small crates that show what is found and what is not.

use std::collections::{BTreeMap, BTreeSet};

use crate::differences;
use crate::graph::{Graph, circles, edges};
use crate::source::Crate;

fn read(files: &[(&str, &str)]) -> Graph {
    let files: BTreeMap<_, _> = files.iter().map(|(name, text)| (format!("src/{name}"), *text)).collect();
    edges(&Crate::read("src/lib.rs", &|path| files.get(path).map(|text| (*text).to_owned())))
}

/// Checks which file uses which, by what names, as `from -> to (name)`, and then how many files are in a circle.
#[track_caller]
fn expect(files: &[(&str, &str)], used: &[&str], in_circles: usize) {
    let graph = read(files);
    let mut found = Vec::new();
    for (from, to) in &graph {
        for (to, names) in to {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            found.push(format!("{from} -> {to} ({})", names.join(", ")).replace("src/", ""));
        }
    }
    assert_eq!(found, used);
    assert_eq!(circles(&graph).iter().map(|circle| circle.len()).sum::<usize>(), in_circles);
}

#[test]
fn imports_that_lead_back_are_a_circle() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "use super::c::{self, C}; pub struct B(C);"),
        ("c.rs", "use crate::a::A as Other; pub struct C(Option<Box<Other>>);"),
    ];
    expect(&files, &["a.rs -> b.rs (B)", "b.rs -> c.rs (C)", "c.rs -> a.rs (A)"], 3);
}

#[test]
fn a_circle_is_found_behind_a_re_export() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use a::A; pub use b::inner::B;"),
        ("a.rs", "use crate::B; pub struct A(B);"),
        ("b/mod.rs", "pub mod inner;"),
        ("b/inner.rs", "pub struct B; impl B { fn f(_: crate::A) {} }"),
    ];
    expect(&files, &["a.rs -> b/inner.rs (B)", "b/inner.rs -> a.rs (A)"], 2);
}

#[test]
fn a_circle_is_found_behind_globs() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use a::*; pub use b::*;"),
        ("a.rs", "use crate::*; pub struct A(B);"),
        ("b.rs", "use super::*; use Kind::*; pub enum Kind { One } pub struct B; fn f() { let _: A; }"),
    ];
    expect(&files, &["a.rs -> b.rs (B)", "b.rs -> a.rs (A)"], 2);
}

#[test]
fn a_child_that_uses_its_parent_is_in_a_circle_with_it() {
    let files = [
        ("lib.rs", "mod a;"),
        ("a/mod.rs", "mod child; pub struct A; pub fn f() { child::g(); }"),
        ("a/child.rs", "use super::A; pub fn g() -> A { A }"),
    ];
    expect(&files, &["a/child.rs -> a/mod.rs (A)", "a/mod.rs -> a/child.rs (g)"], 2);
}

#[test]
fn to_declare_re_export_or_import_a_module_is_no_use() {
    let files = [
        ("lib.rs", "mod a; pub use a::A; pub(crate) use a::child;"),
        ("a/mod.rs", "pub mod child; mod other; pub use child::{B, other_name as name}; use other::{}; pub struct A;"),
        ("a/child.rs", "use super::A; use crate::a; pub(in crate::a) struct B(A); pub fn other_name() {}"),
        ("a/other.rs", "use crate::child as c;"),
    ];
    expect(&files, &["a/child.rs -> a/mod.rs (A)"], 0);
}

#[test]
fn what_a_re_exporting_file_uses_itself_counts() {
    let files = [("lib.rs", "mod a; pub use a::A; fn f(_: A) {}"), ("a.rs", "pub struct A; fn g() { crate::h() }")];
    expect(&files, &["lib.rs -> a.rs (A)"], 0);
    let files = [files[0], ("a.rs", "pub struct A; fn g() { crate::f(A) }")];
    expect(&files, &["a.rs -> lib.rs (f)", "lib.rs -> a.rs (A)"], 2);
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        (
            "a.rs",
            r#"
                use crate::{b, c};
                #[serde(default = "crate::b::serde")]
                #[arg(value_parser = b::attribute)]
                struct S<T: b::Bound>(T, <T as b::Cast>::Out);
                impl b::Trait for S {
                    fn f(&self) {
                        format!("{}", vec![b::argument(c.b::<u8>)]);
                        if let b::Pattern::Variant { .. } = b::Type::function() {}
                        use crate::c::In;
                    }
                }
                mod inner { fn g() { super::super::b::inner() } }
                static S: u8 = self::b::CONSTANT;
            "#,
        ),
        (
            "b.rs",
            "pub struct Type; pub enum Pattern {} pub trait Bound {} pub trait Cast {} pub trait Trait {}
            pub fn serde() {} pub fn attribute() {} pub fn argument() {} pub fn inner() {} pub fn unused() {}
            pub const CONSTANT: u8 = 0;",
        ),
        ("c.rs", "pub struct In; pub fn b() {}"),
    ];
    let names = "Bound, CONSTANT, Cast, Pattern, Trait, Type, argument, attribute, inner, serde";
    expect(&files, &[&format!("a.rs -> b.rs ({names})"), "a.rs -> c.rs (In)"], 0);
}

#[test]
fn tests_and_other_crates_are_left_out() {
    let files = [
        ("lib.rs", "mod a; mod b; mod url; #[cfg(test)] mod helper;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        (
            "b.rs",
            "pub struct B; #[cfg(test)] use crate::a::A; #[cfg(test)] mod tests { use crate::a::A; }
            #[cfg(all(test, unix))] fn f(_: crate::a::A) {}
            impl B { #[cfg(test)] fn f(_: crate::a::A) {} #[cfg(feature = \"x\")] fn g(_: crate::url::U) {} }",
        ),
        ("url.rs", "use url::Url; use ::b::B; pub struct U(Url, ::a::A, std::a::A);"),
    ];
    expect(&files, &["a.rs -> b.rs (B)", "b.rs -> url.rs (U)"], 0);
}

#[test]
fn the_list_and_the_code_must_agree() {
    let graph = read(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "use crate::a::A; use crate::c::C; pub struct B(A, C);"),
        ("c.rs", "use crate::a::A; pub struct C(A);"),
    ]);
    let found = circles(&graph);
    let said = |listed: &[&[&str]]| {
        let listed: Vec<BTreeSet<&str>> = listed.iter().map(|circle| circle.iter().copied().collect()).collect();
        differences(&graph, &found, &listed).join("\n")
    };
    let (a, b, c, d) = ("src/a.rs", "src/b.rs", "src/c.rs", "src/d.rs");
    assert_eq!(said(&[&[a, b, c]]), "");
    let new = said(&[]);
    assert!(new.starts_with("A circle that is not listed, 3 files"), "{new}");
    assert!(new.contains("\n    src/a.rs -> src/b.rs (B) -> src/a.rs (A)\n"), "{new}");
    assert!(new.contains("\n    src/b.rs -> src/a.rs (A), src/c.rs (C)\n"), "{new}");
    let grown = said(&[&[a, b]]);
    assert!(grown.starts_with("A circle has grown, by src/c.rs: "), "{grown}");
    assert!(grown.ends_with("\n    src/b.rs -> src/c.rs (C)\n    src/c.rs -> src/a.rs (A)"), "{grown}");
    let smaller = said(&[&[a, b, c, d]]);
    assert!(smaller.starts_with("A circle is smaller than its list, 3 files"), "{smaller}");
    assert!(smaller.ends_with("take them off the list:\n  src/d.rs"), "{smaller}");
    assert!(said(&[&[a, b, c], &["x.rs", "y.rs"]]).ends_with("take them off the list:\n  x.rs\n  y.rs"));
}

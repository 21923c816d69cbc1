//! Documents drawn at random, for the tests of the renderers.

use proptest::prelude::*;
use tenancy_config::CommandRef;
use tenancy_config::hint::{Hint, Piece};

use crate::document::block::{Block, Cell, Column, Document, List, Pairs, Table, Value, code};

/// Words that a table or a page could read as its own markup, and those that act on a terminal.
const HOSTILE: [&str; 22] = [
    "<script>alert(1)</script>",
    "</td>",
    "\"onload=\"x",
    "&lt;",
    "<!--",
    "|",
    "||a",
    "`",
    "```",
    "*b*",
    "__b__",
    "[a](http://b)",
    "![a](b)",
    "# a",
    "- a",
    "1. a",
    "===",
    "~~~",
    "\\",
    "\u{1b}[2J",
    "a\nb",
    "$x$",
];

/// A word of up to 30 columns.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zäß0-9.,日本_-]{1,12}",
        1 => prop::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
    ]
}

/// Some words with spaces between them.
pub(super) fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(word(), 1..12).prop_map(|words| words.join(" "))
}

fn hint() -> impl Strategy<Value = Hint> {
    prop_oneof![
        words().prop_map(Hint::from),
        (words(), word()).prop_map(|(text, table)| {
            Hint::from(text).then(" ").then_quoted(CommandRef::BackfillRun { table }).then(" x")
        }),
    ]
}

fn hints() -> impl Strategy<Value = Vec<Hint>> {
    prop::collection::vec(hint(), 1..4)
}

fn table() -> impl Strategy<Value = Block> {
    (1_usize..8, 0_usize..4, prop::option::of(hint())).prop_flat_map(|(columns, rows, note)| {
        let column = (words(), any::<bool>()).prop_map(|(heading, is_number)| Column { heading, is_number });
        let cell = (words(), 0_usize..3).prop_map(|(text, depth)| Cell { text, depth });
        let rows = prop::collection::vec(prop::collection::vec(cell, columns), rows);
        (prop::collection::vec(column, columns), rows, Just(note))
            .prop_map(|(columns, rows, note)| Block::Table(Table { columns, rows, note }))
    })
}

fn block() -> impl Strategy<Value = Block> {
    let pairs = (prop::option::of(hint()), prop::collection::vec(("[a-z]{1,12}", hints().prop_map(Value)), 1..4));
    prop_oneof![
        hint().prop_map(Block::Heading),
        hints().prop_map(Block::Paragraph),
        pairs.prop_map(|(title, rows)| Block::Pairs(Pairs { title, rows })),
        (hint(), hints(), any::<bool>()).prop_map(|(title, items, steps)| Block::List(List { title, items, steps })),
        table(),
    ]
}

/// A document of every kind of block but code, whose lines are never broken.
pub(super) fn document() -> impl Strategy<Value = Document> {
    prop::collection::vec(block(), 1..5).prop_map(Document::new)
}

/// The same with a block of code.
pub(super) fn document_with_code() -> impl Strategy<Value = Document> {
    (document(), words()).prop_map(|(mut document, text)| {
        document.push(code("sql", text));
        document
    })
}

/// A document of the same blocks in which every text is `x`, and every command the same.
pub(super) fn without_texts(document: &Document) -> Document {
    let hint = |hint: &Hint| {
        hint.pieces().iter().fold(Hint::default(), |out, piece| match piece {
            Piece::Text(_) => out.then("x"),
            Piece::Quoted(_) | Piece::Bare(_) => out.then_quoted(CommandRef::Audit),
        })
    };
    let hints = |list: &[Hint]| list.iter().map(hint).collect::<Vec<_>>();
    let blank = |block: &Block| match block {
        Block::Heading(text) => Block::Heading(hint(text)),
        Block::Paragraph(lines) => Block::Paragraph(hints(lines)),
        Block::Code(of) => code(of.language, "x"),
        Block::List(list) => Block::List(List { title: hint(&list.title), items: hints(&list.items), ..*list }),
        Block::Pairs(Pairs { title, rows }) => {
            let rows = rows.iter().map(|(_, value)| ("x".to_owned(), Value(hints(&value.0)))).collect();
            Block::Pairs(Pairs { title: title.as_ref().map(hint), rows })
        }
        Block::Table(Table { columns, rows, note }) => {
            let column = |column: &Column| Column { heading: "x".to_owned(), ..*column };
            let row = |row: &Vec<Cell>| row.iter().map(|cell| Cell { text: "x".to_owned(), ..*cell }).collect();
            Block::Table(Table {
                columns: columns.iter().map(column).collect(),
                rows: rows.iter().map(row).collect(),
                note: note.as_ref().map(hint),
            })
        }
    };
    document.blocks().iter().map(blank).collect()
}

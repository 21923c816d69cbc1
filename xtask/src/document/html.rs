//! A document as one page of HTML that needs no other file. maud escapes every text in it.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use tenancy_config::hint::{Hint, Piece};
use tenancy_config::plain::{lines, one_line, plain};

use crate::document::block::{Block, Cell, Document, List, Pairs, Table};

/// The look of the page: plain, on paper as well as in the dark.
const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}\
th,td{padding:.25rem .75rem;border-bottom:1px solid #8886;text-align:left;vertical-align:top}\
.number{text-align:right;font-variant-numeric:tabular-nums}\
.nested{padding-left:2rem}\
pre{padding:1rem;border:1px solid #8886;overflow-x:auto}";

/// The page. `title` is the report's name.
pub(crate) fn render(document: &Document, title: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                @for block in document.blocks() { (rendered(block)) "\n" }
            }
        }
    };
    page.into_string() + "\n"
}

fn rendered(block: &Block) -> Markup {
    match block {
        Block::Heading(text) => html! { h2 { (inline(text)) } },
        Block::Paragraph(lines) => html! { p { (broken(lines)) } },
        Block::Pairs(pairs) => rendered_pairs(pairs),
        Block::Table(table) => rendered_table(table),
        Block::List(list) => rendered_list(list),
        Block::Code(code) => html! { pre { code { (lines(&code.text)) } } },
    }
}

fn rendered_list(List { title, items, .. }: &List) -> Markup {
    html! {
        p { (inline(title)) }
        ul { @for item in items { li { (inline(item)) } } }
    }
}

fn rendered_pairs(Pairs { title, rows }: &Pairs) -> Markup {
    html! {
        @if let Some(title) = title { h2 { (inline(title)) } }
        table {
            @for (name, value) in rows { tr { th { (one_line(name)) } td { (broken(&value.0)) } } }
        }
    }
}

fn rendered_table(Table { columns, rows, note }: &Table) -> Markup {
    html! {
        table {
            thead { tr { @for column in columns { th class=[column.is_number.then_some("number")] { (one_line(&column.heading)) } } } }
            tbody {
                @for row in rows {
                    tr { @for (column, cell) in columns.iter().zip(row) { (rendered_cell(cell, column.is_number)) } }
                }
            }
        }
        @if let Some(note) = note { p { (inline(note)) } }
    }
}

fn rendered_cell(cell: &Cell, is_number: bool) -> Markup {
    let class = if is_number { Some("number") } else { (cell.depth > 0).then_some("nested") };
    html! { td class=[class] { (one_line(&cell.text)) } }
}

/// Sentences, each of which begins a line.
fn broken(lines: &[Hint]) -> Markup {
    html! {
        @for (at, line) in lines.iter().enumerate() {
            @if at > 0 { br; }
            (inline(line))
        }
    }
}

fn inline(hint: &Hint) -> Markup {
    html! {
        @for piece in hint.pieces() {
            @match piece {
                Piece::Text(text) => (one_line(text)),
                Piece::Quoted(command) | Piece::Bare(command) => code { (plain(command)) },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::block::{Document, List, Table, code, lines, number, text};
    use crate::document::examples;

    /// The tags of a page, without what stands between them.
    fn tags(page: &str) -> Vec<&str> {
        page.split('<').skip(1).map(|piece| piece.split_once('>').map_or(piece, |(tag, _)| tag)).collect()
    }

    #[test]
    fn a_page_needs_no_other_file() {
        let rows = [[Cell::from("a<b>"), "1,000".into()], [Cell::nested(1, "by \"client\""), "5".into()]];
        let page = Document::new([
            lines(["done", "in 5 s"]),
            Table::new([text("table"), number("rows")], rows).into(),
            List::new("Refused:", ["a & b"]).into(),
            code("sql", "SELECT 1 < 2;\n"),
        ]);
        let page = render(&page, "audit");
        insta::assert_snapshot!(page);
        assert!(!page.contains("http"), "{page}");
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(document in examples::document_with_code()) {
            let (page, blank) = (render(&document, "t"), render(&examples::without_texts(&document), "t"));
            prop_assert_eq!(tags(&page), tags(&blank), "{}", page);
            prop_assert_eq!(page.matches('>').count(), blank.matches('>').count(), "{}", page);
        }
    }
}

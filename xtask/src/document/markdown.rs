//! A document as Markdown, as GitHub reads it. Nothing that a text holds is markup.

use tenancy_config::hint::{Hint, Piece};
use tenancy_config::plain::{lines, one_line, plain};

use crate::document::block::{Block, Cell, Code, Document, List, Pairs, Table, Value};

/// The blocks, with an empty line between them. Headings have one `#` more than `above`.
pub(crate) fn render(document: &Document, above: usize) -> String {
    document.blocks().iter().map(|block| rendered(block, above)).collect::<Vec<_>>().join("\n")
}

fn rendered(block: &Block, above: usize) -> String {
    match block {
        Block::Heading(text) => heading(text, above),
        // Markdown joins lines that follow each other, unless the first ends with two spaces.
        Block::Paragraph(lines) => lines.iter().map(text).collect::<Vec<_>>().join("  \n") + "\n",
        Block::Pairs(pairs) => rendered_pairs(pairs, above),
        Block::Table(table) => rendered_table(table),
        Block::List(list) => rendered_list(list),
        Block::Code(code) => rendered_code(code),
    }
}

fn heading(title: &Hint, above: usize) -> String {
    format!("{} {}\n", "#".repeat(above + 1), inline(title))
}

fn rendered_list(list: &List) -> String {
    let items: String = list.items.iter().map(|item| format!("- {}\n", text(item))).collect();
    format!("{}\n\n{items}", text(&list.title))
}

fn rendered_pairs(pairs: &Pairs, above: usize) -> String {
    let title = pairs.title.as_ref().map(|title| heading(title, above) + "\n").unwrap_or_default();
    let value = |value: &Value| value.0.iter().map(inline).collect::<Vec<_>>().join("<br>");
    let rows = pairs.rows.iter().map(|(name, of)| row([escaped(&plain(name)), value(of)]));
    title + &row(["", ""]) + &row(["---", "---"]) + &rows.collect::<String>()
}

fn rendered_table(table: &Table) -> String {
    let headings = row(table.columns.iter().map(|column| escaped(&one_line(&column.heading))));
    let rule = row(table.columns.iter().map(|column| if column.is_number { "---:" } else { "---" }));
    let rows: String = table.rows.iter().map(|cells| row(cells.iter().map(cell))).collect();
    let note = table.note.as_ref().map(|note| format!("\n{}\n", text(note))).unwrap_or_default();
    headings + &rule + &rows + &note
}

fn row(cells: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|cell| cell.as_ref().to_owned()).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn cell(cell: &Cell) -> String {
    let dashes = if cell.depth > 0 { format!("{} ", "–".repeat(cell.depth)) } else { String::new() };
    format!("{dashes}{}", escaped(one_line(&cell.text).trim()))
}

/// A fence that is longer than each row of backticks in the text.
fn rendered_code(code: &Code) -> String {
    let fence = "`".repeat(longest_row_of_backticks(&code.text).max(2) + 1);
    format!("{fence}{}\n{}\n{fence}\n", code.language, lines(code.text.trim_end_matches('\n')))
}

fn longest_row_of_backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A text that begins a line.
fn text(hint: &Hint) -> String {
    let shown = inline(hint);
    let shown = shown.trim_start();
    let digits = shown.len() - shown.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    match shown[digits..].chars().next() {
        // An item of a list, a heading that is underlined, a line across the page.
        Some('-' | '+' | '=') if digits == 0 => format!("\\{shown}"),
        Some('.' | ')') if digits > 0 => format!("{}\\{}", &shown[..digits], &shown[digits..]),
        _ => shown.to_owned(),
    }
}

/// A text in the middle of a line.
fn inline(hint: &Hint) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => escaped(&one_line(text)),
        Piece::Quoted(command) | Piece::Bare(command) => code_span(&plain(command)),
    };
    hint.pieces().iter().map(piece).collect()
}

/// A command in the middle of a text. With characters that Markdown or HTML could read as theirs it is a text like any other.
fn code_span(command: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || " -_./,:=@+%^'".contains(c);
    if command.chars().all(is_plain) { format!("`{command}`") } else { escaped(command) }
}

/// Text that Markdown shows as it is.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_word = false;
    while let Some(c) = chars.next() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Inside a word it marks nothing, and names have many of them.
            '_' if in_word && chars.peek().is_some_and(|next| next.is_alphanumeric()) => out.push(c),
            '|' | '*' | '_' | '`' | '[' | ']' | '#' | '~' | '\\' | '$' => out.extend(['\\', c]),
            c => out.push(c),
        }
        in_word = c.is_alphanumeric();
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser};

    use super::*;
    use crate::document::block::{lines, paragraph};
    use crate::document::examples;

    fn read(text: &str) -> Vec<Event<'_>> {
        Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).collect()
    }

    /// The markup of a page, without what stands in it.
    fn markup(text: &str) -> Vec<Event<'_>> {
        read(text).into_iter().filter(|event| !matches!(event, Event::Text(_) | Event::Code(_))).collect()
    }

    /// The first text of a page as a reader sees it.
    fn seen(text: &str) -> String {
        let texts = read(text).into_iter().filter_map(|event| match event {
            Event::Text(text) => Some(text.to_string()),
            _ => None,
        });
        texts.collect()
    }

    #[test]
    fn lines_of_a_paragraph_stay_lines() {
        let page = render(&Document::new([lines(["one_name", "- two", "3. three"])]), 1);
        assert_eq!(page, "one_name  \n\\- two  \n3\\. three\n");
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(document in examples::document_with_code()) {
            let (page, blank) = (render(&document, 2), render(&examples::without_texts(&document), 2));
            prop_assert_eq!(markup(&page), markup(&blank), "{}", page);
        }

        #[test]
        fn what_is_read_is_what_was_written(text in examples::words()) {
            let page = render(&Document::new([paragraph(text.clone())]), 1);
            let (seen, written) = (seen(&page), plain(text));
            prop_assert_eq!(seen.trim(), written.trim(), "{}", page);
        }
    }
}

//! A document as a terminal shows it, and as it is written into a file or a pipe.

use comfy_table::{
    Cell as Drawn, CellAlignment, ColumnConstraint, ContentArrangement, ContentLineStyle, LineStyle, TableStyle,
};
use tenancy_config::hint::Hint;
use tenancy_config::plain::{one_line, plain};
use unicode_width::UnicodeWidthStr as _;

use crate::document::block::{Block, Cell, Column, Document, List, Pairs, Table};
use crate::terminal::width::Width;

/// Columns two spaces apart under one thin line.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());

/// The lines of the document, with an empty one between blocks.
pub(crate) fn render(document: &Document, width: Width) -> String {
    document.blocks().iter().map(|block| rendered(block, width)).collect::<Vec<_>>().join("\n")
}

fn rendered(block: &Block, width: Width) -> String {
    match block {
        Block::Heading(text) => wrapped(text, width, "", ""),
        Block::Paragraph(lines) => lines.iter().map(|line| wrapped(line, width, "", "")).collect(),
        Block::Pairs(pairs) => rendered_pairs(pairs, width),
        Block::Table(table) => rendered_table(table, width),
        Block::List(list) => rendered_list(list, width),
        Block::Code(code) => code.text.trim_end_matches('\n').to_owned() + "\n",
    }
}

fn rendered_list(list: &List, width: Width) -> String {
    let (first, further) = if list.steps { ("  - ", "    ") } else { ("  ", "    ") };
    let items: String = list.items.iter().map(|item| wrapped(item, width, first, further)).collect();
    wrapped(&list.title, width, "", "") + &items
}

fn rendered_pairs(pairs: &Pairs, width: Width) -> String {
    let title = pairs.title.as_ref().map(|title| wrapped(title, width, "", "")).unwrap_or_default();
    let indent = if pairs.title.is_some() { "  " } else { "" };
    let names: Vec<String> = pairs.rows.iter().map(|(name, _)| plain(name)).collect();
    let widest = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let further = " ".repeat(indent.len() + widest + 2);
    let row = |(name, value): (&String, &Vec<Hint>)| {
        let first = format!("{indent}{name}{}", " ".repeat(widest - name.width() + 2));
        let mut starts = std::iter::once(first.as_str()).chain(std::iter::repeat(further.as_str()));
        value.iter().map(|line| wrapped(line, width, starts.next().unwrap_or_default(), &further)).collect::<String>()
    };
    title + &names.iter().zip(pairs.rows.iter().map(|(_, value)| &value.0)).map(row).collect::<String>()
}

fn rendered_table(table: &Table, width: Width) -> String {
    let note = table.note.as_ref().map(|note| wrapped(note, width, "", "")).unwrap_or_default();
    let rows = if least_width(table) <= width.limit() { columns(table, width) } else { records(table, width) };
    rows + &note
}

/// The least width at which no word in the table is broken.
fn least_width(table: &Table) -> usize {
    let longest = |text: &str| one_line(text).split(' ').map(|word| word.width()).max().unwrap_or(0);
    let column = |(at, column): (usize, &Column)| {
        let cells = table.rows.iter().filter_map(|row| row.get(at));
        let cells = cells.map(|cell| 2 * cell.depth + longest(&cell.text)).max().unwrap_or(0);
        cells.max(longest(&column.heading)) + 2
    };
    table.columns.iter().enumerate().map(column).sum()
}

/// The rows of a table that has too many columns for the terminal: the first cell, and below it the others with their headings.
fn records(table: &Table, width: Width) -> String {
    let named = |(column, cell): (&Column, &Cell)| match column.heading.as_str() {
        "" => cell.text.clone(),
        heading => format!("{heading}: {}", cell.text),
    };
    let record = |row: &Vec<Cell>| {
        let cells = table.columns.iter().zip(row).skip(1).filter(|(_, cell)| !cell.text.is_empty());
        let (first, rest) = (row.first().map(shown).unwrap_or_default(), cells.map(named).collect::<Vec<_>>());
        let rest = (!rest.is_empty()).then(|| wrapped(&rest.join("; ").into(), width, "    ", "    "));
        wrapped(&first.into(), width, "", "  ") + &rest.unwrap_or_default()
    };
    table.rows.iter().map(record).collect()
}

fn columns(table: &Table, width: Width) -> String {
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(STYLE);
    drawn.set_header(table.columns.iter().map(|column| Drawn::new(one_line(&column.heading))));
    for row in &table.rows {
        drawn.add_row(row.iter().map(|cell| Drawn::new_owned(shown(cell))));
    }
    let last = table.columns.len().saturating_sub(1);
    for (at, column) in drawn.column_iter_mut().enumerate() {
        // Together with the junction of the line these are two spaces between columns.
        column.set_padding((0, u16::from(at < last)));
        if table.columns.get(at).is_some_and(|column| column.is_number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    if let Width::Columns(columns) = width {
        drawn.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
        keep_numbers_whole(&mut drawn, table, columns);
    }
    let mut out: String = drawn.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    if out.is_empty() {
        out.push('\n');
    }
    out
}

/// Lets only the other columns shrink, if these leave them half of the width.
fn keep_numbers_whole(drawn: &mut comfy_table::Table, table: &Table, columns: u16) {
    let widths = drawn.column_max_content_widths();
    let numbers = || (0..widths.len()).filter(|at| table.columns.get(*at).is_some_and(|column| column.is_number));
    let needed: u32 = numbers().map(|at| u32::from(widths[at]) + 2).sum();
    let others = widths.len() - numbers().count();
    if needed <= u32::from(columns / 2) && others > 0 {
        for at in numbers() {
            if let Some(column) = drawn.column_mut(at) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
    }
}

fn shown(cell: &Cell) -> String {
    format!("{}{}", "  ".repeat(cell.depth), one_line(&cell.text))
}

/// The text as lines, the first of which begins with `first` and the others with `further`. Only spaces are line breaks: a word that
/// is wider than the line stays whole.
fn wrapped(text: &Hint, width: Width, first: &str, further: &str) -> String {
    let (text, limit) = (plain(text), width.limit());
    let mut out = first.to_owned();
    let (mut at, mut begins) = (first.width(), true);
    for word in text.split(' ') {
        let space = usize::from(!begins);
        if !begins && at + space + word.width() > limit {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(further);
            at = further.width();
        } else {
            out.push_str(&" ".repeat(space));
            at += space;
        }
        out.push_str(word);
        at += word.width();
        begins = false;
    }
    out.truncate(out.trim_end_matches(' ').len());
    out + "\n"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::block::{Value, lines, number, paragraph, text};
    use crate::document::examples;

    fn drawn(block: impl Into<Block>, width: Width) -> String {
        render(&Document::new([block.into()]), width)
    }

    fn unlimited(block: impl Into<Block>) -> String {
        drawn(block, Width::Unlimited)
    }

    #[test]
    fn a_table_aligns_numbers_right_and_ends_no_line_with_spaces() {
        let rows = [[Cell::from("public.bookings"), "1,005".into()], [Cell::nested(1, "by client"), "5".into()]];
        insta::assert_snapshot!(unlimited(Table::new([text("table"), number("rows")], rows)), @r"
        table             rows
        ──────────────────────
        public.bookings  1,005
          by client          5
        ");
    }

    #[test]
    fn a_name_makes_no_row_of_its_own() {
        let drawn = unlimited(Table::new([text("table"), number("rows")], [["x\n::error::", "5"]]));
        assert_eq!(drawn, "table         rows\n──────────────────\nx\\n::error::     5\n");
    }

    #[test]
    fn values_of_several_lines_stay_in_their_column() {
        let pairs = Pairs::new([("a", Value::list(["1", "2\n3"])), ("long", "4\n5".into())]);
        assert_eq!(unlimited(pairs), "a     1\n      2\\n3\nlong  4\\n5\n");
    }

    #[test]
    fn a_narrow_terminal_breaks_lines_at_spaces_and_cells_within_their_columns() {
        let long = "It has rows without a tenant, which nobody would see under row level security any more";
        let mut document = Document::new([paragraph(long)]);
        document
            .push(Table::new([text("table"), number("rows"), text("in the way")], [["bookings", "1,000,000", long]]));
        document.push(List::steps("Next:", [long]));
        document.push(Pairs::new([("why", long)]).titled("Tables"));
        insta::assert_snapshot!(render(&document, Width::Columns(60)));
    }

    #[test]
    fn a_table_of_too_many_columns_is_shown_row_by_row() {
        let attempts = (1..=12).map(|number| format!("attempt {number}"));
        let columns = ["table".to_owned()].into_iter().chain(attempts).map(|heading| text(&heading));
        let cells = |table| std::iter::once(Cell::from(table)).chain((0..12).map(|_| "ok".into()));
        let table = Table::new(columns, [cells("public.bookings"), cells("public.invoices")]);
        insta::assert_snapshot!(drawn(table.clone(), Width::Columns(60)), @r"
        public.bookings
            attempt 1: ok; attempt 2: ok; attempt 3: ok; attempt 4:
            ok; attempt 5: ok; attempt 6: ok; attempt 7: ok; attempt
            8: ok; attempt 9: ok; attempt 10: ok; attempt 11: ok;
            attempt 12: ok
        public.invoices
            attempt 1: ok; attempt 2: ok; attempt 3: ok; attempt 4:
            ok; attempt 5: ok; attempt 6: ok; attempt 7: ok; attempt
            8: ok; attempt 9: ok; attempt 10: ok; attempt 11: ok;
            attempt 12: ok
        ");
        assert!(drawn(table, Width::Columns(160)).starts_with("table            attempt 1  attempt 2"));
    }

    #[test]
    fn a_word_that_is_too_long_stays_whole_in_a_line_of_its_own() {
        let word = "x".repeat(80);
        assert_eq!(drawn(lines([format!("a {word} b")]), Width::Columns(60)), format!("a\n{word}\nb\n"));
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(document in examples::document(), width in 60_u16..=200) {
            let shown = render(&document, Width::Columns(width));
            for line in shown.lines() {
                prop_assert!(line.width() <= width.into(), "{} of {width}: {line}\n{shown}", line.width());
            }
        }

        #[test]
        fn a_pipe_gets_each_sentence_in_one_line(text in examples::words()) {
            let (shown, written) = (unlimited(paragraph(text.clone())), plain(text));
            prop_assert_eq!(shown.trim_end(), written.trim_end());
        }
    }
}

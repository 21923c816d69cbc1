//! Splitting a line of CSV into cells, strictly. What other readers accept is an error here, with its cell: a quote in the wrong
//! place shifts every later cell, and a name would go to the wrong tenant.

use std::borrow::Cow;

/// Longest cell, in characters.
const LONGEST: usize = 1_000;

/// What is wrong, and in which cell of the line (from 1).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CellError {
    pub(crate) cell: usize,
    pub(crate) what: Cow<'static, str>,
    /// The line ended in the middle of a quoted cell.
    pub(crate) open: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Bare,
    Quoted,
    /// Behind a quote in a quoted cell: its end, or the first of two that mean one.
    Closed,
}

/// The cells of a line without its line break.
pub(crate) fn split(line: &str) -> Result<Vec<String>, CellError> {
    let mut cells: Vec<String> = Vec::new();
    let (mut cell, mut length, mut at) = (String::new(), 0, At::Start);
    let wrong = |cells: &Vec<String>, what| Err(CellError { cell: cells.len() + 1, what, open: false });
    for c in line.chars() {
        match (at, c) {
            (At::Start | At::Bare | At::Closed, ',') => {
                cells.push(std::mem::take(&mut cell));
                (length, at) = (0, At::Start);
                continue;
            }
            (At::Start, '"') => at = At::Quoted,
            (At::Quoted, '"') => at = At::Closed,
            (At::Closed, '"') => (at, length) = (At::Quoted, push(&mut cell, c, length)),
            (At::Bare, '"') => return wrong(&cells, "a quote stands in the middle of the cell".into()),
            (At::Closed, _) => return wrong(&cells, "text stands behind the closing quote".into()),
            (_, c) if c.is_control() => {
                return wrong(&cells, format!("it holds the control character U+{:04X}", u32::from(c)).into());
            }
            (At::Quoted, _) => length = push(&mut cell, c, length),
            (At::Start | At::Bare, _) => (at, length) = (At::Bare, push(&mut cell, c, length)),
        }
        if length > LONGEST {
            return wrong(&cells, "it is longer than 1,000 characters".into());
        }
    }
    if at == At::Quoted {
        return Err(CellError {
            cell: cells.len() + 1,
            what: "its quote is not closed on this line".into(),
            open: true,
        });
    }
    cells.push(cell);
    Ok(cells)
}

fn push(cell: &mut String, c: char, length: usize) -> usize {
    cell.push(c);
    length + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_split_at_commas_outside_of_quotes() {
        for (line, cells) in [
            ("a,b", vec!["a", "b"]),
            ("a,", vec!["a", ""]),
            (r#""a, b","c ""d""""#, vec!["a, b", r#"c "d""#]),
            (r#""","#, vec!["", ""]),
            ("ä ,  ß", vec!["ä ", "  ß"]),
        ] {
            assert_eq!(split(line).unwrap(), cells, "{line}");
        }
    }

    #[test]
    fn a_thousand_characters_fit_whatever_their_bytes() {
        assert!(split(&"ß".repeat(LONGEST)).is_ok());
        assert_eq!(split(&format!("a,{}", "ß".repeat(LONGEST + 1))).unwrap_err().cell, 2);
    }

    #[test]
    fn what_was_split_is_what_the_csv_crate_reads() {
        let line = r#"acme,"Acme, ""the"" Corp",,"x""#;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
        let record = reader.records().next().unwrap().unwrap();
        assert_eq!(split(line).unwrap(), record.iter().collect::<Vec<_>>());
    }
}

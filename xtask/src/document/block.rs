//! What a report is made of. A view makes a document of its typed report; only the renderers beside this file know how it is shown.
//!
//! Texts in it are as they are: each renderer makes them harmless where it is shown.

use std::fmt::Display;

use tenancy_config::hint::Hint;

/// A report, as blocks one below the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Document(Vec<Block>);

/// A part of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    /// The title of what follows.
    Heading(Hint),
    /// Sentences, each of which begins a line.
    Paragraph(Vec<Hint>),
    /// Names and their values.
    Pairs(Pairs),
    /// Columns and rows.
    Table(Table),
    /// Items below each other.
    List(List),
    /// Text that is shown exactly as it is, with its line breaks: a script, a URL, a cookie.
    Code(Code),
}

impl Document {
    /// A document of these blocks.
    pub(crate) fn new(blocks: impl IntoIterator<Item = Block>) -> Self {
        Self(blocks.into_iter().collect())
    }

    /// Adds a block.
    pub(crate) fn push(&mut self, block: impl Into<Block>) {
        self.0.push(block.into());
    }

    /// The blocks, in order.
    pub(crate) fn blocks(&self) -> &[Block] {
        &self.0
    }
}

impl FromIterator<Block> for Document {
    fn from_iter<T: IntoIterator<Item = Block>>(blocks: T) -> Self {
        Self::new(blocks)
    }
}

impl Extend<Block> for Document {
    fn extend<T: IntoIterator<Item = Block>>(&mut self, blocks: T) {
        self.0.extend(blocks);
    }
}

impl IntoIterator for Document {
    type Item = Block;
    type IntoIter = std::vec::IntoIter<Block>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A heading.
pub(crate) fn heading(text: impl Into<Hint>) -> Block {
    Block::Heading(text.into())
}

/// A paragraph of one sentence or more.
pub(crate) fn paragraph(text: impl Into<Hint>) -> Block {
    Block::Paragraph(vec![text.into()])
}

/// A paragraph in which each sentence begins a line.
pub(crate) fn lines<T: Into<Hint>>(lines: impl IntoIterator<Item = T>) -> Block {
    Block::Paragraph(lines.into_iter().map(Into::into).collect())
}

/// Text that is shown as it is, in this language (`sql`), or in none.
pub(crate) fn code(language: &'static str, text: impl Into<String>) -> Block {
    Block::Code(Code { language, text: text.into() })
}

/// Text that is shown as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    /// As Markdown names it; empty for none.
    pub(crate) language: &'static str,
    /// One line or more.
    pub(crate) text: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// Each row has a cell for each of them.
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// A sentence right below the table.
    pub(crate) note: Option<Hint>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) heading: String,
    /// Numbers are aligned on the right, and never broken while there is room for them.
    pub(crate) is_number: bool,
}

/// A column of text.
pub(crate) fn text(heading: &str) -> Column {
    Column { heading: heading.to_owned(), is_number: false }
}

/// A column of numbers.
pub(crate) fn number(heading: &str) -> Column {
    Column { heading: heading.to_owned(), is_number: true }
}

/// A cell of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    /// How deep it is below the rows before it: a part of what they count.
    pub(crate) depth: usize,
}

impl Cell {
    /// A cell that is a part of a row before it.
    pub(crate) fn nested(depth: usize, text: impl Into<String>) -> Self {
        Self { text: text.into(), depth }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), depth: 0 }
    }
}

impl Table {
    /// A table with these columns and rows.
    pub(crate) fn new<C: Into<Cell>>(
        columns: impl IntoIterator<Item = Column>,
        rows: impl IntoIterator<Item = impl IntoIterator<Item = C>>,
    ) -> Self {
        let rows = rows.into_iter().map(|row| row.into_iter().map(Into::into).collect()).collect();
        Self { columns: columns.into_iter().collect(), rows, note: None }
    }

    /// The same table with a sentence right below it.
    pub(crate) fn with_note(self, note: impl Into<Hint>) -> Self {
        Self { note: Some(note.into()), ..self }
    }
}

impl From<Table> for Block {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

/// Names and their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pairs {
    pub(crate) title: Option<Hint>,
    pub(crate) rows: Vec<(String, Value)>,
}

/// The value of a pair: one line or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value(pub(crate) Vec<Hint>);

impl Value {
    /// A line for each value.
    pub(crate) fn list(values: impl IntoIterator<Item = impl Display>) -> Self {
        Self(values.into_iter().map(|value| value.to_string().into()).collect())
    }
}

impl<T: Into<Hint>> From<T> for Value {
    fn from(value: T) -> Self {
        Self(vec![value.into()])
    }
}

impl Pairs {
    /// Pairs without a title.
    pub(crate) fn new<N: Into<String>, V: Into<Value>>(rows: impl IntoIterator<Item = (N, V)>) -> Self {
        Self { title: None, rows: rows.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }

    /// The same pairs below a title.
    pub(crate) fn titled(self, title: impl Into<Hint>) -> Self {
        Self { title: Some(title.into()), ..self }
    }
}

impl From<Pairs> for Block {
    fn from(pairs: Pairs) -> Self {
        Self::Pairs(pairs)
    }
}

/// Items below each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) title: Hint,
    pub(crate) items: Vec<Hint>,
    /// Whether each item is something to do or to look at; a terminal shows these with a dash.
    pub(crate) steps: bool,
}

impl List {
    /// Findings, names or reasons.
    pub(crate) fn new<T: Into<Hint>>(title: impl Into<Hint>, items: impl IntoIterator<Item = T>) -> Self {
        Self { title: title.into(), items: items.into_iter().map(Into::into).collect(), steps: false }
    }

    /// What to do next or to look at.
    pub(crate) fn steps<T: Into<Hint>>(title: impl Into<Hint>, items: impl IntoIterator<Item = T>) -> Self {
        Self { steps: true, ..Self::new(title, items) }
    }

    /// The block; `None` for a list without items.
    pub(crate) fn unless_empty(self) -> Option<Block> {
        (!self.items.is_empty()).then_some(Block::List(self))
    }
}

impl From<List> for Block {
    fn from(list: List) -> Self {
        Self::List(list)
    }
}

//! Something that is wrong, and where; with its sentence, as reports write it.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;

use super::breach::Breach;

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The table; none for what concerns all.
    pub table: Option<TableName>,
    /// What is wrong.
    pub breach: Breach,
}

/// As serde writes it: the tag and its fields, and the sentence.
#[derive(Serialize)]
struct FindingOut<'a> {
    table: Option<&'a TableName>,
    #[serde(flatten)]
    breach: &'a Breach,
    sentence: String,
}

impl Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { table, breach } = self;
        FindingOut { table: table.as_ref(), breach, sentence: breach.to_string() }.serialize(serializer)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.table {
            Some(table) => write!(f, "{table}: {}", self.breach),
            None => self.breach.fmt(f),
        }
    }
}

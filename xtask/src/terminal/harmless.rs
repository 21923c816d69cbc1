//! The gate before every stream and every report: it makes text that a terminal, a CI log or a reader of JSON only shows. The
//! printer writes nothing else.

use std::fmt;
use std::io;

use clap::error::ContextValue;
use serde::Serialize;
use tenancy_config::csv::CsvWriter;
use tenancy_config::plain::{is_unseen, lines, one_line};

use crate::terminal::secrets::Secrets;

/// Text that has no effect where it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Harmless(String);

impl Harmless {
    /// A report with its line breaks. Values are put into it through [`plain`](tenancy_config::plain::plain) or as cells of a table.
    pub(crate) fn text(text: &str) -> Self {
        Self(lines(text).split_inclusive('\n').map(without_commands).collect())
    }

    /// A message, as one line.
    pub(crate) fn message(text: &str) -> Self {
        Self(without_commands(&one_line(text)))
    }

    /// A value as JSON, over several lines for people.
    ///
    /// # Errors
    /// The value has no JSON form, such as a map whose keys are not text.
    pub(crate) fn json(value: &impl Serialize) -> serde_json::Result<Self> {
        Ok(Self(seen_json(&serde_json::to_string_pretty(value)?) + "\n"))
    }

    /// A value as JSON in one line.
    ///
    /// # Errors
    /// The value has no JSON form, such as a map whose keys are not text.
    pub(crate) fn json_line(value: &impl Serialize) -> serde_json::Result<Self> {
        Ok(Self(seen_json(&serde_json::to_string(value)?)))
    }

    /// A section of `tenancy.toml`. Strings in it have the same escapes as JSON.
    pub(crate) fn toml(text: &str) -> Self {
        let escape = |c: char| {
            if u32::from(c) > 0xffff { format!("\\U{:08x}", u32::from(c)) } else { format!("\\u{:04x}", u32::from(c)) }
        };
        let seen = |c: char| if c != '\n' && is_unseen(c) { escape(c) } else { c.to_string() };
        let seen: String = text.chars().map(seen).collect();
        Self(seen.split_inclusive('\n').map(|line| without_commands_by(line, "\\u0023", "\\u003a")).collect())
    }

    /// Records of CSV.
    ///
    /// # Errors
    /// It cannot be written to memory.
    pub(crate) fn csv<T: AsRef<str>>(
        records: impl IntoIterator<Item = impl IntoIterator<Item = T>>,
    ) -> io::Result<Self> {
        let mut writer = CsvWriter::new(Vec::new());
        for record in records {
            writer.record(record)?;
        }
        Ok(Self::text(&String::from_utf8_lossy(&writer.into_inner()?)))
    }

    /// Help: our own text, with the colours of the definition of the command line.
    pub(crate) fn help(error: &clap::Error, colours: bool) -> Self {
        let text = error.render();
        Self(if colours { text.ansi().to_string() } else { text.to_string() })
    }

    /// An error of the command line: the usage, and the argument as one line without its secrets.
    pub(crate) fn usage_error(mut error: clap::Error, secrets: &Secrets) -> Self {
        let shown = |text: &str| one_line(&secrets.hidden(text)).into_owned();
        let context: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
        for (kind, value) in context {
            let value = match value {
                ContextValue::String(text) => ContextValue::String(shown(&text)),
                ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(|text| shown(text)).collect()),
                ContextValue::StyledStrs(texts) => {
                    ContextValue::StyledStrs(texts.iter().map(|text| shown(&text.to_string()).into()).collect())
                }
                other => other,
            };
            error.insert(kind, value);
        }
        let text = secrets.hidden(error.render().to_string().trim_end());
        Self::text(text.strip_prefix("error: ").unwrap_or(&text))
    }

    /// The one command of a GitHub workflow that we write into a log.
    pub(crate) fn workflow_error(title: &str, message: &str) -> Self {
        let [title, message] = [title, message].map(|text| without_commands(&one_line(&text.replace("\r\n", "\n"))));
        Self(format!("::error title={}::{}", property(&title), data(&message)))
    }

    /// Puts a label before it.
    pub(crate) fn labelled(self, label: impl fmt::Display) -> Self {
        Self(format!("{label} {}", self.0))
    }

    /// Adds the lines of another text.
    pub(crate) fn then(self, next: Self) -> Self {
        Self(self.0 + "\n" + &next.0)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A line without commands of CI systems: GitHub reads `::error::` where a line begins and `##[error]` anywhere, Azure
/// `##vso[…]`, TeamCity `##teamcity[…]`.
fn without_commands(line: &str) -> String {
    without_commands_by(line, "\\u{23}", "\\u{3a}")
}

fn without_commands_by(line: &str, hash: &str, colon: &str) -> String {
    let begins = line.len() - line.trim_start().len();
    let mut out = match line[begins..].strip_prefix("::") {
        Some(rest) => format!("{}{colon}:{rest}", &line[..begins]),
        None => line.to_owned(),
    };
    for at in hash_commands(&out) {
        out.replace_range(at..=at, hash);
    }
    out
}

/// The positions where `##[` or `##name[` begins, the last one first.
fn hash_commands(text: &str) -> Vec<usize> {
    let is_command =
        |at: &usize| text[at + 2..].trim_start_matches(|c: char| c.is_ascii_alphanumeric()).starts_with('[');
    text.rmatch_indices("##").map(|(at, _)| at).filter(is_command).collect()
}

/// The same JSON with escapes. In what serde writes, such characters occur only in strings.
fn seen_json(json: &str) -> String {
    let commands = hash_commands(json);
    let mut out = String::with_capacity(json.len());
    for (at, c) in json.char_indices() {
        if (c != '\n' && is_unseen(c)) || commands.contains(&at) {
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

/// A message in the escapes of the runner.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property, in which `:` and `,` are escaped as well.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_line_begins_a_command_and_none_stands_in_the_middle() {
        for (text, shown) in [
            ("::error::x", "\\u{3a}:error::x"),
            ("a\n  ::set-env::\n", "a\n  \\u{3a}:set-env::\n"),
            ("a\u{a0}\n\u{a0}::x", "a\u{a0}\n\u{a0}\\u{3a}:x"),
            ("x ##[error]y ##vso[task] ###[a]", "x \\u{23}#[error]y \\u{23}#vso[task] #\\u{23}#[a]"),
            ("a::b, ## heading, ##", "a::b, ## heading, ##"),
            ("a\u{1b}[31m\r\n", "a\\u{1b}[31m\\r\n"),
        ] {
            assert_eq!(Harmless::text(text).as_str(), shown);
        }
    }

    #[test]
    fn a_message_cannot_look_like_two() {
        assert_eq!(Harmless::message("no\nhint: run it").as_str(), "no\\nhint: run it");
    }

    #[test]
    fn a_name_cannot_end_the_workflow_command_that_it_stands_in() {
        let command = Harmless::workflow_error("a:b,c\n::error::x", "100%\n##[error]more");
        assert_eq!(command.as_str(), "::error title=a%3Ab%2Cc\\n%3A%3Aerror%3A%3Ax::100%25\\n\\u{23}#[error]more");
    }

    /// Names, and fragments of commands that streams obey.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), r"(::|##|[ \n\[\]#:va-c\x1b\x7f\u{202e}\u{9b}\u{e0041}]){0,12}"]
    }

    fn obeyed(line: &str) -> bool {
        line.trim_start().starts_with("::") || !hash_commands(line).is_empty()
    }

    proptest! {
        #[test]
        fn nothing_that_is_printed_is_obeyed(text in text()) {
            for shown in [Harmless::text(&text), Harmless::message(&text), Harmless::csv([[&text]]).unwrap()] {
                prop_assert!(!shown.as_str().contains(|c| c != '\n' && is_unseen(c)));
                prop_assert!(!shown.as_str().split('\n').any(obeyed), "{:?}", shown);
            }
            prop_assert_eq!(Harmless::workflow_error(&text, &text).as_str().matches('\n').count(), 0);
        }

        #[test]
        fn json_means_what_it_meant(text in text()) {
            let shown = Harmless::json(&[&text]).unwrap();
            prop_assert!(!shown.as_str().contains(|c| c != '\n' && is_unseen(c)));
            prop_assert!(!shown.as_str().split('\n').any(obeyed));
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(shown.as_str()).unwrap(), [text]);
        }

        #[test]
        fn csv_means_what_it_meant(text in text()) {
            let shown = Harmless::csv([[&text, "x"]]).unwrap();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(shown.as_str().as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(tenancy_config::csv::text_of(&record[0]), text);
        }
    }
}

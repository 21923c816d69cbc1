//! PostgreSQL's own log: as text with any prefix, and as `csvlog`. (`jsonlog` is read as JSON.)

use std::borrow::Cow;

use crate::kind::Kind;
use crate::patterns::{BY_POLICY, NO_RIGHT, SQLSTATE};
use crate::time;

/// What stands before the message of a record, in every `log_line_prefix`. The rest of a record follows in lines of its own.
const SEVERITIES: [&str; 14] = [
    "ERROR",
    "FATAL",
    "PANIC",
    "LOG",
    "WARNING",
    "NOTICE",
    "INFO",
    "DEBUG",
    "DETAIL",
    "HINT",
    "CONTEXT",
    "STATEMENT",
    "QUERY",
    "LOCATION",
];

/// What the message is about, before the name.
const OBJECTS: [&str; 9] = [
    "table ",
    "view ",
    "materialized view ",
    "foreign table ",
    "sequence ",
    "schema ",
    "function ",
    "relation ",
    "column ",
];

/// What a message of the server tells, and of which table.
pub(crate) fn tells(message: &str) -> Option<(Kind, &str)> {
    if let Some(object) = message.strip_prefix(NO_RIGHT) {
        let name = OBJECTS.iter().find_map(|object_type| object.strip_prefix(object_type)).unwrap_or(object);
        return Some((Kind::PermissionDenied, name.trim_end()));
    }
    let (_, after) = message.split_once(BY_POLICY)?;
    let (_, name) = after.split_once("for table \"")?;
    // A quotation mark in a name is not escaped.
    Some((Kind::RefusedByPolicy, name.rsplit_once('"').map_or(name, |(name, _)| name)))
}

/// The message of an error in a line of text; `None` for every other line, such as the statement of an error.
pub(crate) fn error_in(line: &str) -> Option<(&str, &str)> {
    let severity = |at: usize| {
        let before = line[..at].trim_end_matches(|c: char| c.is_ascii_digit());
        SEVERITIES.iter().find(|severity| before.ends_with(**severity)).copied()
    };
    let found = line.match_indices(":  ").find_map(|(at, _)| Some((at, severity(at)?)));
    let (at, "ERROR") = found? else { return None };
    // What goes on with the line before is indented, behind the prefix of a platform too.
    if line[..at].starts_with('\t') || line[..at].contains(" \t") {
        return None;
    }
    let message = &line[at + 3..];
    // `log_error_verbosity = verbose`
    let message = message.strip_prefix(SQLSTATE).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(message);
    Some((&line[..at], message))
}

/// Whether a line begins a record of `csvlog`.
pub(crate) fn begins_csv(line: &[u8]) -> bool {
    if line.get(4) != Some(&b'-') || line.get(10) != Some(&b' ') {
        return false;
    }
    let Some(comma) = memchr::memchr(b',', &line[..line.len().min(48)]) else { return false };
    // Date, time and zone, and nothing else.
    let field = &line[..comma];
    memchr::memchr_iter(b' ', field).count() == 2 && !field.contains(&b'[') && time::find(field).is_some()
}

/// The fields of a record of `csvlog` that matter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CsvRecord<'a> {
    pub(crate) time: Cow<'a, str>,
    pub(crate) sqlstate: Cow<'a, str>,
    pub(crate) message: Cow<'a, str>,
}

/// The record that a line begins. Only its statement may go on in further lines.
pub(crate) fn csv_record(line: &str) -> Option<CsvRecord<'_>> {
    let mut fields = CsvFields(line);
    let time = fields.next()?;
    let severity = fields.nth(10)?;
    let (sqlstate, message) = (fields.next()?, fields.next()?);
    (severity == "ERROR" || sqlstate == SQLSTATE).then_some(CsvRecord { time, sqlstate, message })
}

/// The fields of a line of CSV.
struct CsvFields<'a>(&'a str);

impl<'a> Iterator for CsvFields<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let Some(quoted) = self.0.strip_prefix('"') else {
            let (field, rest) = self.0.split_once(',')?;
            self.0 = rest;
            return Some(Cow::Borrowed(field));
        };
        let mut from = 0;
        let end = loop {
            let at = from + quoted[from..].find('"')?;
            if quoted[at + 1..].starts_with('"') {
                from = at + 2;
            } else {
                break at;
            }
        };
        let (field, rest) = (&quoted[..end], &quoted[end + 1..]);
        self.0 = rest.strip_prefix(',').unwrap_or(rest);
        Some(if field.contains('"') { Cow::Owned(field.replace("\"\"", "\"")) } else { Cow::Borrowed(field) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "new row violates row-level security policy for table \"bookings\"";

    #[test]
    fn errors_are_found_behind_the_usual_prefixes_and_in_no_statement() {
        for prefix in [
            "2026-01-31 12:00:00.000 UTC [7] ",
            "2026-01-31 12:00:00 UTC:10.0.0.1(5432):app_user@app:[7]:",
            "2026-01-31 12:00:00 UTC [7]: [3-1] user=app_user,db=app,app=[x],client=::1 ",
            "Jan 31 12:00:00 host postgres[7]: [5-1] 2026-01-31 12:00:00 UTC app_user@app ",
            "1769860800.000 7 42501 ",
            "",
        ] {
            for verbose in ["", "42501: "] {
                let line = format!("{prefix}ERROR:  {verbose}{POLICY}");
                assert_eq!(error_in(&line), Some((&line[..prefix.len() + 5], POLICY)), "{line}");
            }
            for other in
                ["STATEMENT:  select 'ERROR:  ", "LOG:  ERROR:  ", "DETAIL:  ERROR:  ", "FATAL:  ", "DEBUG1:  "]
            {
                assert_eq!(error_in(&format!("{prefix}{other}{POLICY}")), None, "{other}");
            }
        }
        assert_eq!(error_in("ERROR: one space"), None);
    }

    #[test]
    fn a_message_tells_its_table() {
        let cases = [
            (POLICY, Some((Kind::RefusedByPolicy, "bookings"))),
            (
                "new row violates row-level security policy (USING expression) for table \"a \"b\"\"",
                Some((Kind::RefusedByPolicy, "a \"b\"")),
            ),
            ("new row violates row-level security policy \"p\" for table \"t\"", Some((Kind::RefusedByPolicy, "t"))),
            (
                "query would be affected by row-level security policy for table \"t\"",
                Some((Kind::RefusedByPolicy, "t")),
            ),
            ("permission denied for table invoices", Some((Kind::PermissionDenied, "invoices"))),
            ("permission denied for materialized view m", Some((Kind::PermissionDenied, "m"))),
            ("permission denied to create role", None),
            ("row-level security policy is fine", None),
        ];
        for (message, told) in cases {
            assert_eq!(tells(message), told, "{message}");
        }
    }

    #[test]
    fn csv_gives_the_message_also_where_the_statement_goes_on_in_the_next_line() {
        let line = "2026-01-31 12:00:00.000 UTC,\"app,user\",\"app\",7,\"[local]\",65.7,3,\"INSERT\",2026-01-31 11:00:00 UTC,4/2,0,ERROR,42501,\"new row violates row-level security policy for table \"\"bookings\"\"\",,,,,,\"INSERT INTO";
        assert!(begins_csv(line.as_bytes()));
        let record = csv_record(line).unwrap();
        assert_eq!((record.time.as_ref(), record.sqlstate.as_ref()), ("2026-01-31 12:00:00.000 UTC", "42501"));
        assert_eq!(record.message, POLICY);
        assert!(!begins_csv(b"2026-01-31 12:00:00.000 UTC [7] ERROR:  x, y"));
        assert!(!begins_csv(b"2026-01-31 12:00:00"));
    }
}

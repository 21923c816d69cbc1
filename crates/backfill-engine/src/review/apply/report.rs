//! The report of an applied review.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use tenancy_config::TableName;

use crate::review::refusal::{RefusalCause, RefusalKind, kind_reason_and_cause};

/// The most refused lines that the report names.
const NAMED: usize = 1_000;

/// The report. The JSON shape is `backfill-apply/1`.
#[derive(Debug, Clone, Serialize)]
pub struct ApplyReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The run in `tenant_ops.run`; none for a dry run, or where nothing was written.
    pub run: Option<i64>,
    /// The table; none where nothing was decided.
    pub table: Option<TableName>,
    /// The role that wrote.
    pub role: Option<String>,
    /// Nothing was kept.
    pub dry_run: bool,
    /// The operator stopped it; the same command goes on.
    pub stopped: bool,
    /// Lines that were read, without the header and empty ones.
    pub lines: u64,
    /// Rows that got the tenant which people decided.
    pub applied: u64,
    /// Rows that had got this tenant in an earlier run, by the same decision.
    pub already_applied: u64,
    /// Lines whose decision is empty.
    pub undecided: u64,
    /// Lines that were not applied.
    pub refused: u64,
    /// Refused lines by kind.
    pub refused_by_kind: BTreeMap<RefusalKind, u64>,
    /// The first 1,000 refused lines; the file of `--refused` has all of them.
    pub refusals: Vec<Refusal>,
    /// The file with the refused lines, if one was asked for and written.
    pub refused_file: Option<PathBuf>,
}

/// A line that was not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The line of the file in which it begins, from 1.
    pub line: u64,
    /// The row's key; none where the line cannot be read.
    pub id: Option<String>,
    /// Why. JSON has its kind and its sentence too, in `kind` and `reason`.
    #[serde(flatten, serialize_with = "kind_reason_and_cause")]
    pub cause: RefusalCause,
}

impl ApplyReport {
    pub(crate) fn new(dry_run: bool) -> Self {
        Self {
            schema: "backfill-apply/1",
            run: None,
            table: None,
            role: None,
            dry_run,
            stopped: false,
            lines: 0,
            applied: 0,
            already_applied: 0,
            undecided: 0,
            refused: 0,
            refused_by_kind: BTreeMap::new(),
            refusals: Vec::new(),
            refused_file: None,
        }
    }

    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.refused += 1;
        *self.refused_by_kind.entry(refusal.cause.kind()).or_default() += 1;
        if self.refusals.len() < NAMED {
            self.refusals.push(refusal);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::review::refusal::LineFault;

    #[test]
    fn a_refused_line_has_its_kind_its_sentence_and_its_fields() {
        let text = |text: &str| text.to_owned();
        let malformed = |fault| RefusalCause::Malformed { fault };
        let first = TableName::parse("t", "public").unwrap();
        for (cause, kind, says, json) in [
            (
                malformed(LineFault::TooLong),
                "malformed",
                "it is longer than 1 MiB; its quote may not be closed",
                json!({"reason": "malformed", "fault": {"fault": "too_long"}}),
            ),
            (
                malformed(LineFault::OpenQuote),
                "malformed",
                "its quote is not closed",
                json!({"reason": "malformed", "fault": {"fault": "open_quote"}}),
            ),
            (
                malformed(LineFault::CarriageReturn),
                "malformed",
                "it holds a carriage return outside of quotes",
                json!({"reason": "malformed", "fault": {"fault": "carriage_return"}}),
            ),
            (
                malformed(LineFault::NotUtf8),
                "malformed",
                "it is not UTF-8",
                json!({"reason": "malformed", "fault": {"fault": "not_utf8"}}),
            ),
            (
                malformed(LineFault::Cells { cells: 2, header: 5 }),
                "malformed",
                "it has 2 cells, and the header has 5",
                json!({"reason": "malformed", "fault": {"fault": "cells", "cells": 2, "header": 5}}),
            ),
            (
                malformed(LineFault::Empty { column: "id" }),
                "malformed",
                "its `id` is empty",
                json!({"reason": "malformed", "fault": {"fault": "empty", "column": "id"}}),
            ),
            (
                malformed(LineFault::NoCsv { message: text("m") }),
                "malformed",
                "m",
                json!({"reason": "malformed", "fault": {"fault": "no_csv", "message": "m"}}),
            ),
            (
                RefusalCause::OtherTable { table: text("x"), first },
                "other_table",
                "it is about x, and this file is about public.t",
                json!({"reason": "other_table", "table": "x", "first": "public.t"}),
            ),
            (
                RefusalCause::Duplicate,
                "duplicate",
                "another line of this file decides the same row",
                json!({"reason": "duplicate"}),
            ),
            (
                RefusalCause::UnknownTenant { message: text("m") },
                "unknown_tenant",
                "m",
                json!({"reason": "unknown_tenant", "message": "m"}),
            ),
            (
                RefusalCause::TenantDeleted,
                "unknown_tenant",
                "the tenant was just deleted",
                json!({"reason": "tenant_deleted"}),
            ),
            (RefusalCause::Gone, "gone", "there is no row with this id", json!({"reason": "gone"})),
            (
                RefusalCause::Assigned { tenant: text("") },
                "assigned",
                "the row has the empty string for a tenant",
                json!({"reason": "assigned", "tenant": ""}),
            ),
            (
                RefusalCause::Assigned { tenant: text("a") },
                "assigned",
                "the row has the tenant `a` by now",
                json!({"reason": "assigned", "tenant": "a"}),
            ),
            (
                RefusalCause::Changed,
                "changed",
                "the row, or one that it points to, has changed since the review was written",
                json!({"reason": "changed"}),
            ),
            (
                RefusalCause::Held,
                "held",
                "another transaction holds the row; apply the line again",
                json!({"reason": "held"}),
            ),
            (RefusalCause::Table { message: text("m") }, "table", "m", json!({"reason": "table", "message": "m"})),
        ] {
            let refusal = serde_json::to_value(Refusal { line: 2, id: Some(text("r")), cause }).unwrap();
            let expected = json!({"line": 2, "id": "r", "kind": kind, "reason": says, "cause": json});
            assert_eq!(refusal, expected);
        }
    }
}

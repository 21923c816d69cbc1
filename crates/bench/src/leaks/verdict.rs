//! What a report of `rls verify` says, and what it names.
//!
//! It reads the report's JSON, as programs do, and nothing of its types: what is judged here must not judge itself.

use serde::Serialize;
use serde_json::Value;

/// What a report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolVerdict {
    /// Each tenant reaches its own rows alone.
    Proven,
    /// Somebody reaches another tenant's rows.
    Disproven,
    /// It could not be decided.
    Unproven,
    /// There is no report.
    Failed,
}

/// A report of `rls verify`, as JSON.
#[derive(Debug, Clone)]
pub struct ToolReport(Value);

impl ToolReport {
    /// What a report says as JSON.
    ///
    /// # Errors
    /// The report is not JSON.
    pub fn of(report: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_value(report).map(Self)
    }

    /// The verdict. A report without a claim, as `rls-verify/1` is, has findings or none.
    pub fn verdict(&self) -> ToolVerdict {
        match self.0.pointer("/claim/verdict").and_then(Value::as_str) {
            Some("proven") => ToolVerdict::Proven,
            Some("unproven") => ToolVerdict::Unproven,
            Some(_) => ToolVerdict::Disproven,
            None if self.0["findings"].as_array().is_some_and(Vec::is_empty) => ToolVerdict::Proven,
            None => ToolVerdict::Disproven,
        }
    }

    /// What is wrong or missing, as the report says it: a line each.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        collect(&self.0, false, &mut lines);
        lines
    }

    /// Whether a line names the object, as a word of its own.
    pub fn names(&self, object: &str) -> bool {
        self.lines().iter().any(|line| has_word(line, object))
    }
}

/// The texts of all findings, of what is missing, and of evidence that does not hold.
fn collect(value: &Value, of_interest: bool, lines: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, of_interest, lines)),
        Value::Object(fields) => {
            let is = |field: &str, values: &[&str]| {
                fields.get(field).and_then(Value::as_str).is_some_and(|is| values.contains(&is))
            };
            if of_interest || is("evidence", &["broken", "not_tried"]) || is("access", &["open"]) {
                let mut texts = Vec::new();
                fields.values().for_each(|field| flatten(field, &mut texts));
                lines.push(texts.join(" "));
                return;
            }
            for (name, field) in fields {
                if name != "notes" {
                    collect(field, matches!(name.as_str(), "findings" | "missing"), lines);
                }
            }
        }
        Value::String(text) if of_interest => lines.push(text.clone()),
        _ => {}
    }
}

fn flatten(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| flatten(item, texts)),
        Value::Object(fields) => fields.values().for_each(|field| flatten(field, texts)),
        _ => {}
    }
}

/// Whether the text has the word, not as a part of a longer name.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(part);
        let after = text[at + word.len()..].chars().next().is_some_and(part);
        !before && !after
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_is_a_word_of_its_own_in_a_finding() {
        let report = json!({"tables": [{"table": "public.v"}], "notes": [{"what": "the view public.w"}],
                            "findings": [{"table": null, "what": "public.v12 reads past the policies"}]});
        let said = ToolReport::of(&report).unwrap();
        assert_eq!(said.verdict(), ToolVerdict::Disproven);
        assert!(said.names("v12") && !said.names("v1") && !said.names("v") && !said.names("w"));
    }

    #[test]
    fn a_claim_decides_and_what_is_missing_is_named() {
        let report = json!({"findings": [], "claim": {"verdict": "unproven", "covered": ["public.a"],
                            "missing": [{"missing": "untried", "table": "public.b"}]},
                            "objects": [{"object": "the view public.c", "evidence": "not_tried"}, {"object": "public.d", "evidence": "held"}]});
        let said = ToolReport::of(&report).unwrap();
        assert_eq!(said.verdict(), ToolVerdict::Unproven);
        assert!(said.names("b") && said.names("c") && !said.names("a") && !said.names("d"));
        let proven = ToolReport::of(&json!({"findings": [], "claim": {"verdict": "proven"}})).unwrap();
        assert_eq!(proven.verdict(), ToolVerdict::Proven);
    }
}

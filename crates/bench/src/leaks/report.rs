//! What `bench leaks` found.

use std::fmt;

use serde::Serialize;

use super::corpus::Expected;
use super::verdict::ToolVerdict;

/// The report of [`leaks`](crate::leaks()); its JSON is `bench-leaks/1`.
#[derive(Debug, Clone, Serialize)]
pub struct LeaksReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The server's major version.
    pub server: u32,
    /// Each case.
    pub cases: Vec<CaseReport>,
    /// What the other tool found in the database in which nothing is wrong, if there is that tool.
    pub other_tool: Option<OtherTool>,
    /// How long it took.
    pub seconds: f64,
}

/// A tool whose score stands beside ours.
#[derive(Debug, Clone, Serialize)]
pub struct OtherTool {
    /// Its name and version.
    pub name: String,
    /// Findings in the database before anything is planted. They count neither for nor against it.
    pub before: usize,
}

/// One case.
#[derive(Debug, Clone, Serialize)]
pub struct CaseReport {
    /// Its family.
    pub family: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What must come.
    pub expected: Expected,
    /// One of these must be named.
    pub names: &'static [String],
    /// What `rls verify` says.
    pub verdict: ToolVerdict,
    /// Whether a finding names what it must.
    pub named: bool,
    /// How it ended.
    pub outcome: CaseResult,
    /// What `rls verify` found or lacks, or the error that ended it.
    pub lines: Vec<String>,
    /// What the proof saw, where it does not show what the case says.
    pub broken: Option<String>,
    /// Why no statement of the login shows the leak, where that is so.
    pub no_proof: Option<&'static str>,
    /// Whether the other tool named it, or for a clean case, whether it found something.
    pub other_tool: Option<bool>,
    /// How long `rls verify` took.
    pub seconds: f64,
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseResult {
    /// As it must.
    Right,
    /// Isolation was not proven, and nothing names what was planted.
    Unnamed,
    /// It was called proven.
    Missed,
    /// Nothing is wrong, and it was not proven.
    FalseAlarm,
    /// There is no report.
    Failed,
    /// The case itself is wrong: it could not be planted, or its proof does not show what it says.
    Invalid,
}

impl fmt::Display for CaseResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Right => "right",
            Self::Unnamed => "not proven, and not named",
            Self::Missed => "missed: called proven",
            Self::FalseAlarm => "false alarm",
            Self::Failed => "verify failed",
            Self::Invalid => "the case is wrong",
        })
    }
}

/// The numbers of one family, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Score {
    /// Leaks, and what must be unproven.
    pub planted: usize,
    /// Those that were found and named.
    pub found: usize,
    /// Databases in which nothing is wrong.
    pub clean: usize,
    /// Those that were not proven.
    pub false_alarms: usize,
    /// What the other tool found of the planted ones.
    pub other_found: usize,
    /// Its findings in databases in which nothing is wrong.
    pub other_false_alarms: usize,
}

impl LeaksReport {
    /// The numbers of a family; of all where none is named.
    pub fn score(&self, family: Option<&str>) -> Score {
        let mut score = Score::default();
        for case in self.cases.iter().filter(|case| family.is_none_or(|family| case.family == family)) {
            let (right, other) = (case.outcome == CaseResult::Right, case.other_tool == Some(true));
            if case.expected == Expected::Clean {
                score.clean += 1;
                score.false_alarms += usize::from(!right);
                score.other_false_alarms += usize::from(other);
            } else {
                score.planted += 1;
                score.found += usize::from(right);
                score.other_found += usize::from(other);
            }
        }
        score
    }

    /// The families, in their order.
    pub fn families(&self) -> Vec<&'static str> {
        let mut families: Vec<&'static str> = self.cases.iter().map(|case| case.family).collect();
        families.dedup();
        families
    }

    /// Whether each leak was found and named, and no clean database was doubted.
    pub fn is_right(&self) -> bool {
        self.cases.iter().all(|case| case.outcome == CaseResult::Right)
    }

    /// Whether each case is what it says.
    pub fn is_valid(&self) -> bool {
        self.cases.iter().all(|case| case.outcome != CaseResult::Invalid)
    }
}

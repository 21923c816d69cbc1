//! What only people know, and the questions about it. Each has an option for scripts.

/// What somebody said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// The table with one row for each tenant.
    pub tenant_table: Option<String>,
    /// The state of a tenant that is in use.
    pub active: Option<String>,
    /// The role that the application logs in as.
    pub app_role: Option<String>,
    /// The session variable.
    pub variable: Option<String>,
    /// Questions that nobody answers: what they are about stays undecided in the file.
    pub unanswered: Vec<Question>,
}

/// A question, with what the database suggests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Which table has the tenants.
    TenantTable {
        /// The tables, each with its reasons.
        candidates: Vec<String>,
    },
    /// Which state of a tenant means that it is in use.
    Active {
        /// The column.
        column: String,
        /// The states that are there.
        states: Vec<String>,
    },
    /// Which role the application logs in as.
    AppRole {
        /// Roles that may be.
        candidates: Vec<String>,
    },
    /// Which session variable names the tenant.
    Variable {
        /// Those that policies read.
        candidates: Vec<String>,
    },
}

impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TenantTable { candidates } => {
                write!(f, "Which table has one row for each tenant: {}?", candidates.join("; "))
            }
            Self::Active { column, states } => {
                write!(
                    f,
                    "Which value of {column} does a tenant in use have: {}? (empty: not known)",
                    states.join(", ")
                )
            }
            Self::AppRole { candidates } if candidates.is_empty() => {
                f.write_str("Which role does the application log in as? (empty: not known)")
            }
            Self::AppRole { candidates } => {
                write!(f, "Which role does the application log in as: {}? (empty: not known)", candidates.join(", "))
            }
            Self::Variable { candidates } => {
                write!(f, "Which setting names the tenant to policies: {}?", candidates.join(", "))
            }
        }
    }
}

impl Answers {
    /// Puts an answer in its place. An empty one leaves the question undecided.
    pub fn give(&mut self, question: Question, answer: Option<String>) {
        let Some(answer) = answer.filter(|answer| !answer.is_empty()) else {
            self.unanswered.push(question);
            return;
        };
        let place = match question {
            Question::TenantTable { .. } => &mut self.tenant_table,
            Question::Active { .. } => &mut self.active,
            Question::AppRole { .. } => &mut self.app_role,
            Question::Variable { .. } => &mut self.variable,
        };
        *place = Some(answer);
    }
}

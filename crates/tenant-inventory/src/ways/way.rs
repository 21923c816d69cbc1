//! A way past the policies, as values. `words.rs` makes the sentences.

use serde::Serialize;
use tenancy_config::TableName;

use super::logins::Unfiltered;
use super::object::{Privilege, WayObject};
use super::roles::RoleStep;

/// Something that reaches rows of tenants without the policy that holds for the login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// What it is.
    #[serde(flatten)]
    pub object: WayObject,
    /// As whom the rows are reached.
    pub acts_as: Actor,
    /// The tables and partitions that are reached, by name.
    pub tables: Vec<TableName>,
    /// What lies between the object and the first of the tables, nearest to the object first.
    pub chain: Vec<String>,
    /// How the application's login takes it, or why it cannot.
    pub reach: Reach,
    /// What is known of it from the catalog alone.
    pub verdict: WayVerdict,
    /// A statement that closes it.
    pub closing: Option<String>,
    /// What a review of it is pinned to.
    pub review: Reviewable,
}

/// As whom rows are reached, and why no policy of the login's filters that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// The role.
    pub role: String,
    /// Why not.
    #[serde(flatten)]
    pub why: Unfiltered,
}

/// How the application's login takes a way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Reach {
    /// It has these rights on it.
    Uses {
        /// The role that has them: the login, or one that it can become.
        role: String,
        /// The rights.
        privileges: Vec<Privilege>,
    },
    /// It calls the function.
    Calls {
        /// The role that may.
        role: String,
    },
    /// It may execute the function and does not see its schema; this object calls it.
    Through {
        /// The role that may execute it.
        role: String,
        /// What calls it.
        object: String,
    },
    /// It writes to a table, and that fires it.
    Fires {
        /// The role that may write.
        role: String,
        /// The table or view that it writes to.
        table: TableName,
        /// What lies between that and the table of the trigger or rule.
        chain: Vec<String>,
    },
    /// It changes definitions, such as that of a temporary table, and that fires it.
    ChangesDefinitions {
        /// The role that may.
        role: String,
    },
    /// It makes a table of its own, and a trigger on it that calls the function.
    Attaches {
        /// The role that may.
        role: String,
    },
    /// It acts as the role.
    Acts {
        /// How it becomes the role; no step where it is the role, or has its rights anyway.
        steps: Vec<RoleStep>,
    },
    /// It cannot.
    Cannot {
        /// Why not.
        why: Barrier,
    },
}

/// Why the login cannot take a way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "barrier", rename_all = "snake_case")]
pub enum Barrier {
    /// It has no right on the object, or does not see its schema.
    NoRight,
    /// It may not execute the function.
    NoExecute,
    /// Nothing that it may write to fires it.
    NotFired,
    /// No user mapping lets it through to the other server.
    NoMapping,
    /// It may not delete or change what the key references.
    CannotChangeParent,
    /// Another foreign key references the same row together with its tenant.
    KeptByKey {
        /// The constraint.
        name: String,
    },
    /// It cannot make what the right is for.
    CannotMake,
    /// What the view shows cannot be written through it.
    NotUpdatable,
    /// `tenancy.toml` declares that the rows of the table need not be kept apart.
    DeclaredExempt {
        /// The reason there.
        why: String,
    },
}

/// What is known of a way from the catalog alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum WayVerdict {
    /// It leads past the policies.
    Open,
    /// The login cannot take it.
    Closed,
    /// The owner is held by FORCE, and can switch it off.
    CanSwitchOff,
    /// The view may keep tenants apart itself: it is to be read as the login.
    NeedsAttempt {
        /// Its tenant column.
        column: String,
    },
    /// It leads from one tenant to another where a row references a row of another tenant.
    NeedsData,
    /// Where it leads cannot be read.
    NeedsReview {
        /// Why not.
        #[serde(flatten)]
        why: Unreadable,
    },
}

/// Why it cannot be read where a function or a foreign table leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "unreadable", rename_all = "snake_case")]
pub enum Unreadable {
    /// It is written in a language that is not read.
    Language {
        /// The language.
        language: String,
    },
    /// An extension brought it.
    Extension {
        /// Name and version of the extension.
        extension: String,
    },
    /// Its text cannot be told apart into names and strings.
    Text,
    /// A cast, a domain or an operator calls, without a name, what cannot be read or reaches a table.
    HiddenCall {
        /// What it is.
        object: String,
    },
    /// Its rows are on another server.
    OtherServer,
    /// It is said to tell nothing of its arguments, by an error or otherwise.
    Leakproof,
    /// Policies limit which rows of the table it deletes or changes, and what they say is not read.
    Policies {
        /// The table.
        table: String,
    },
    /// It runs a statement whose text is not known, or one that reaches further than the names in it.
    Statement {
        /// The word that says so.
        word: String,
    },
}

/// What a review of a way is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "review", rename_all = "snake_case")]
pub enum Reviewable {
    /// The first 16 hexadecimal digits of a SHA-256 of its definition, owner, settings, rights and of what it calls.
    Hash {
        /// The digits.
        hash: String,
    },
    /// A function without a pinned `search_path`: what it names is decided by whoever calls it.
    NoPinnedPath,
    /// A role, a key or a right that no key acts on is not something to review.
    NotCode,
}

/// How bad it is that a way is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It needs that somebody else writes, or shows only whether a key exists.
    Low,
    /// Rows of other tenants are read or written.
    High,
}

impl Way {
    /// The hash that a review of it is pinned to; none where it cannot be reviewed.
    pub fn review_hash(&self) -> Option<&str> {
        match &self.review {
            Reviewable::Hash { hash } => Some(hash),
            Reviewable::NoPinnedPath | Reviewable::NotCode => None,
        }
    }

    /// Whether a review can vouch for it.
    ///
    /// # Errors
    /// The reason why not.
    pub fn may_be_reviewed(&self) -> Result<(), &Reviewable> {
        self.review_hash().map(|_| ()).ok_or(&self.review)
    }

    /// The signature of the function that it is, or that its trigger calls.
    pub fn function(&self) -> Option<&str> {
        match &self.object {
            WayObject::Function { signature, .. }
            | WayObject::Leakproof { signature }
            | WayObject::CallersName { signature, .. }
            | WayObject::OwnTenant { signature, .. } => Some(signature),
            WayObject::Trigger { function, .. } | WayObject::CascadedTrigger { function, .. } => Some(function),
            _ => None,
        }
    }

    /// The name under which `tenancy.toml` declares a review of it.
    pub fn review_name(&self) -> String {
        self.object.review_name()
    }

    /// How bad it is that it is open.
    pub fn severity(&self) -> Severity {
        match &self.object {
            WayObject::Right { privilege: Privilege::Trigger | Privilege::References, .. } => Severity::Low,
            _ => Severity::High,
        }
    }

    /// Whether the login can take it, as far as the catalog says.
    pub fn is_reachable(&self) -> bool {
        !matches!(self.reach, Reach::Cannot { .. })
    }
}

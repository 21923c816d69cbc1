//! What is wrong with the book-keeping, and the statement that corrects it.

use std::fmt;

use tenant_rls::quoted_role;

/// Something in the schema `tenant_ops`, or about who may use it, that this program did not make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustFinding {
    /// The schema belongs to a role that this login may not act as.
    NotOurs {
        /// Whose it is.
        owner: String,
        /// This login.
        login: String,
    },
    /// The schema belongs to a role that has nothing else here. A superuser may act as any role, which proves nothing.
    Stranger {
        /// Whose it is.
        owner: String,
    },
    /// The application's login owns the schema, or may act as the role that does.
    OfApplication {
        /// Whose it is.
        owner: String,
        /// The application's login.
        app: String,
    },
    /// An object that belongs to another role than the schema.
    OtherOwner {
        /// Its kind and name.
        object: String,
        /// Whose it is.
        owner: String,
        /// Whose the schema is.
        expected: String,
    },
    /// Something that this program does not make.
    Unexpected {
        /// Its kind and name.
        object: String,
        /// Its definition, as the catalog prints it.
        definition: String,
    },
    /// Something that is not as this program made it.
    Changed {
        /// Its kind and name.
        object: String,
        /// Its definition, as the catalog prints it.
        definition: String,
        /// The definition that it was given.
        expected: String,
    },
    /// Something that this program made is gone.
    Missing {
        /// Its kind and name.
        object: String,
    },
    /// A role has a right that it was not given by this program.
    Right {
        /// The role; none is PUBLIC.
        role: Option<String>,
        /// Such as `DELETE` and `UPDATE (state)`.
        rights: Vec<String>,
        /// On what.
        object: String,
        /// What follows them in the statement that takes them away.
        revoke: String,
    },
    /// Somebody may act as a role of this tool.
    Member {
        /// The role of this tool.
        role: String,
        /// Who may act as it.
        member: String,
        /// What the member was granted: the role, or the role between it and its operators.
        granted: String,
    },
}

/// One finding for all rights of a role on an object.
pub(crate) fn by_object(findings: Vec<TrustFinding>) -> Vec<TrustFinding> {
    let mut merged: Vec<TrustFinding> = Vec::with_capacity(findings.len());
    for finding in findings {
        match (merged.last_mut(), finding) {
            (
                Some(TrustFinding::Right { rights, revoke: last, .. }),
                TrustFinding::Right { rights: more, revoke, .. },
            ) if *last == revoke => rights.extend(more),
            (_, finding) => merged.push(finding),
        }
    }
    merged
}

impl TrustFinding {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NotOurs { owner, login } => format!(
                "log in as {owner}; or, unless {owner} is a superuser, let this login act as it: GRANT {} TO {}; if {owner} was not to \
                 make the schema, find out what it put there, and drop it: DROP SCHEMA tenant_ops CASCADE",
                quoted_role(owner),
                quoted_role(login)
            ),
            Self::Stranger { owner } => format!(
                "if {owner} keeps this schema, log in as it or as a member of it; else find out what it put there, and drop it: DROP SCHEMA \
                 tenant_ops CASCADE"
            ),
            Self::OfApplication { owner, app } if owner == app => {
                "the application must not be able to change the journal; find out who made the schema, and drop it: DROP SCHEMA tenant_ops CASCADE".to_owned()
            }
            Self::OfApplication { owner, app } => {
                format!("the application must not be able to change the journal: REVOKE {} FROM {}", quoted_role(owner), quoted_role(app))
            }
            Self::OtherOwner { object, expected, .. } => {
                format!("if it is this tool's, give it to the owner of the schema: ALTER … OWNER TO {}; else drop the {object}", quoted_role(expected))
            }
            Self::Unexpected { object, .. } => format!("find out who made it and what it did, then drop the {object}"),
            Self::Changed { object, .. } => {
                format!("find out who changed it, then change the {object} back, or move the schema away (ALTER SCHEMA tenant_ops RENAME TO …) and begin with a new one")
            }
            Self::Missing { .. } => {
                "restore it from a backup, or move the schema away (ALTER SCHEMA tenant_ops RENAME TO …) and begin with a new one".to_owned()
            }
            Self::Right { rights, revoke, .. } => format!("REVOKE {} {revoke};", rights.join(", ")),
            Self::Member { granted, member, .. } => {
                format!("REVOKE {} FROM {}; or give this database roles of its own in tenancy.toml", quoted_role(granted), quoted_role(member))
            }
        }
    }
}

impl fmt::Display for TrustFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs { owner, login } => write!(f, "it belongs to {owner}, and {login} may not act as that role"),
            Self::Stranger { owner } => {
                write!(f, "it belongs to {owner}, which owns neither the database nor its tenant table")
            }
            Self::OfApplication { owner, app } if owner == app => {
                write!(f, "it belongs to {app}, the application's login")
            }
            Self::OfApplication { owner, app } => {
                write!(f, "it belongs to {owner}, and {app}, the application's login, may act as that role")
            }
            Self::OtherOwner { object, owner, expected } => {
                write!(f, "the {object} belongs to {owner}, and the schema to {expected}")
            }
            Self::Unexpected { object, definition } if definition.is_empty() => write!(f, "there is a {object}"),
            Self::Unexpected { object, definition } => write!(f, "there is a {object}: {definition}"),
            Self::Changed { object, definition, expected } => {
                write!(f, "the {object} was changed: it is `{definition}`, and was `{expected}`")
            }
            Self::Missing { object } => write!(f, "the {object} is missing"),
            Self::Right { role, rights, object, .. } => {
                write!(f, "{} has {} on the {object}", role.as_deref().unwrap_or("everybody"), rights.join(", "))
            }
            Self::Member { role, member, .. } => write!(f, "{member} may act as {role}"),
        }
    }
}

//! What can go wrong in minting and reading sessions, and what to do about it.

use tenancy_config::{CommandRef, Exit, Hint, NameError, UserError};

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no session. A token that is not valid is no error: the [`DecodedSession`](crate::DecodedSession) says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database refused a statement, or a tenant is unknown.
    #[error(transparent)]
    Database(#[from] tenant_rls::Error),
    /// There is a secret, and it is empty.
    #[error("the secret is empty: with it, anybody could mint a session")]
    EmptySecret,
    /// The system has no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// Claims that no token can carry.
    #[error("these claims cannot be minted: {why}")]
    Claims {
        /// What is wrong with them.
        why: String,
    },
    /// A role sees every user, and none has this email.
    #[error("no user has the email `{email}`{}", similar_clause(.similar))]
    UnknownEmail {
        /// What was asked for.
        email: String,
        /// Emails that differ in capitals only.
        similar: Vec<String>,
    },
    /// No scope shows such a user; there may be one all the same.
    #[error(
        "as {role}, no user with the email `{email}` is to be seen in the scopes of {asked} {}{}",
        tenants(*.asked),
        similar_clause(.similar)
    )]
    NotSeen {
        /// What was asked for.
        email: String,
        /// The filtered role.
        role: String,
        /// The number of tenants in whose scopes it was looked for.
        asked: usize,
        /// Emails that differ in capitals only.
        similar: Vec<String>,
    },
    /// To look in the scope of each tenant would take too long, and to look in some of them would be a guess.
    #[error(
        "as {role}, users are seen only in the scope of their tenant, and there are more than {limit} tenants to ask"
    )]
    TooManyTenants {
        /// The filtered role.
        role: String,
        /// The most tenants in whose scopes it looks.
        limit: u32,
    },
    /// Emails are unique in a tenant only.
    #[error("`{email}` is the email of {} users: of {}", .homes.len(), .homes.join(", of "))]
    SeveralUsers {
        /// What was asked for.
        email: String,
        /// The tenants that they belong to.
        homes: Vec<String>,
    },
    /// The user is a member of no tenant.
    #[error("{email} is a member of no tenant{}", .ghosts.first().map(|_| " that exists").unwrap_or_default())]
    NoMembership {
        /// The user's email.
        email: String,
        /// Tenants that memberships name and that do not exist.
        ghosts: Vec<String>,
    },
    /// The user is no member of the tenant that was asked for.
    #[error("{email} is no member of `{tenant}`; a member of: {}", .candidates.join(", "))]
    NotAMember {
        /// The user's email.
        email: String,
        /// The tenant that was asked for.
        tenant: String,
        /// The slugs of those that they are members of.
        candidates: Vec<String>,
    },
    /// Nothing names the tenant, and the application is strict about it.
    #[error("{email} has no default membership, and MULTI_TENANCY_STRICT forbids to take the first of: {}", .candidates.join(", "))]
    Unresolved {
        /// The user's email.
        email: String,
        /// The slugs of those that they are members of.
        candidates: Vec<String>,
    },
    /// A tenant that is out of use.
    #[error("the tenant `{tenant}` is {status}: the application lets nobody in")]
    Inactive {
        /// Its slug.
        tenant: String,
        /// Its state.
        status: String,
        /// The slugs of others that the user may take.
        others: Vec<String>,
    },
    /// The real libraries could not be installed.
    #[error("npm could not bring the real libraries: {why}")]
    Node {
        /// What npm or the system said.
        why: String,
    },
}

fn similar_clause(similar: &[String]) -> String {
    if similar.is_empty() { String::new() } else { format!("; there is {}", similar.join(", ")) }
}

fn tenants(asked: usize) -> &'static str {
    if asked == 1 { "tenant" } else { "tenants" }
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        let hint = match self {
            Self::Database(error) => return error.hint(),
            Self::EmptySecret => "give the application and this command the same one: openssl rand -base64 32",
            Self::Random(_) | Self::Claims { .. } => return None,
            Self::UnknownEmail { similar, .. } if !similar.is_empty() => {
                "the application compares emails exactly, capitals included"
            }
            Self::UnknownEmail { .. } => {
                let doctor = Hint::from("is this the right database? ").then_quoted(CommandRef::Doctor);
                return Some(doctor.then(" tells which one it is"));
            }
            Self::NotSeen { similar, .. } if !similar.is_empty() => {
                "the application compares emails exactly, capitals included"
            }
            Self::NotSeen { .. } => {
                "row level security may hide the user, above all one without a tenant; connect as a role that sees every \
                 user (superuser or BYPASSRLS) to know"
            }
            Self::TooManyTenants { .. } => {
                "name the user's tenant with --tenant, or connect as a role that sees every user (superuser or BYPASSRLS)"
            }
            Self::SeveralUsers { .. } => "emails are unique in one tenant only: name it with --tenant",
            Self::NoMembership { .. } => {
                "a session needs a tenant: add a row to tenant_memberships, or take another user"
            }
            Self::NotAMember { .. } | Self::Unresolved { .. } => "name one of them with --tenant",
            Self::Inactive { others, .. } => {
                let other = others.first().map(|slug| format!("--tenant {slug} takes another; ")).unwrap_or_default();
                return Some(
                    format!("{other}--include-inactive mints it all the same, to see how the application refuses")
                        .into(),
                );
            }
            Self::Node { .. } => "they need Node 20 or newer, npm, and its registry or its cache",
        };
        Some(hint.into())
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::EmptySecret | Self::NotSeen { .. } | Self::TooManyTenants { .. } | Self::Inactive { .. } => {
                Exit::Refused
            }
            Self::Random(_) | Self::Node { .. } => Exit::Failed,
            Self::Claims { .. }
            | Self::UnknownEmail { .. }
            | Self::SeveralUsers { .. }
            | Self::NoMembership { .. }
            | Self::NotAMember { .. }
            | Self::Unresolved { .. } => Exit::Usage,
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Database(error.into())
    }
}

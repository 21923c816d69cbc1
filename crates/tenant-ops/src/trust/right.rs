//! Rights on what is in the schema `tenant_ops`, as the catalog has them.

use tenant_rls::Sql;

/// A right of somebody who is not the owner.
#[derive(Debug)]
pub(crate) struct Right {
    pub(crate) kind: String,
    pub(crate) object: String,
    pub(crate) column: Option<String>,
    pub(crate) privilege: String,
    pub(crate) role: Option<String>,
    /// The role is the one that batches run as.
    pub(crate) maintenance: bool,
    /// The application's login has the right by it.
    pub(crate) of_application: bool,
    /// With its column, as a statement names it.
    pub(crate) statement_right: String,
    /// What follows that in the statement that takes it away.
    pub(crate) statement_rest: String,
}

impl Right {
    /// The statement that takes it away.
    pub(crate) fn taking_away(self) -> Sql {
        Sql::from_catalog(format!("REVOKE {} {}", self.statement_right, self.statement_rest))
    }
}

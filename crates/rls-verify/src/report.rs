//! What was tried, what was expected, what was seen.

use serde::Serialize;
use tenancy_config::TableName;
use tenant_inventory::Phase;

/// The proof by trying; its JSON is `rls-verify/1`.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The database's name.
    pub database: String,
    /// The application's login, as which the attempts were made.
    pub app_login: String,
    /// Whether writes were tried too, in transactions that were taken back.
    pub wrote: bool,
    /// The tables and partitions.
    pub tables: Vec<TableProof>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What lets other logins past the policies, and not the application's.
    pub notes: Vec<Finding>,
}

/// The attempts on one table.
#[derive(Debug, Clone, Serialize)]
pub struct TableProof {
    /// The table, or a partition of one.
    pub table: TableName,
    /// How far its rollout is.
    pub phase: Phase,
    /// The attempts.
    pub attempts: Vec<Attempt>,
}

/// One attempt.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    /// What was tried.
    pub what: AttemptKind,
    /// The login.
    pub login: String,
    /// How it went.
    pub result: Evidence,
    /// What was expected and seen instead, or why it was not tried.
    pub detail: Option<String>,
}

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptKind {
    /// A tenant's own rows are seen.
    ReadOwn,
    /// Another tenant's rows are not.
    ReadOther,
    /// Without a tenant no tenant's rows are seen.
    ReadUnset,
    /// Nor with an empty one.
    ReadEmpty,
    /// Nor with one that does not exist.
    ReadUnknown,
    /// Rows of the platform are seen where no tenant is set, in tables that are declared to have them.
    ReadPlatform,
    /// A row of one's own can be inserted.
    InsertOwn,
    /// A row of another tenant's cannot.
    InsertOther,
    /// Nor any where no tenant is set.
    InsertUnset,
    /// A row cannot be given to another tenant.
    UpdateAway,
    /// Another tenant's row cannot be changed.
    UpdateOther,
    /// Nor deleted.
    DeleteOther,
    /// A tenant writes no row without a tenant: it inserts none, gives none away to nobody, and changes and deletes none of the platform's.
    WriteWithoutTenant,
}

impl AttemptKind {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Self; 13] = [
        Self::ReadOwn,
        Self::ReadOther,
        Self::ReadUnset,
        Self::ReadEmpty,
        Self::ReadUnknown,
        Self::ReadPlatform,
        Self::InsertOwn,
        Self::InsertOther,
        Self::InsertUnset,
        Self::UpdateAway,
        Self::UpdateOther,
        Self::DeleteOther,
        Self::WriteWithoutTenant,
    ];

    /// The attempt in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::ReadOwn => "reading own rows",
            Self::ReadOther => "reading another tenant's rows",
            Self::ReadUnset => "reading where no tenant is set",
            Self::ReadEmpty => "reading where the tenant is empty",
            Self::ReadUnknown => "reading as a tenant that does not exist",
            Self::ReadPlatform => "reading the platform's rows where no tenant is set",
            Self::InsertOwn => "inserting an own row",
            Self::InsertOther => "inserting a row of another tenant",
            Self::InsertUnset => "inserting where no tenant is set",
            Self::UpdateAway => "giving an own row to another tenant",
            Self::UpdateOther => "changing another tenant's row",
            Self::DeleteOther => "deleting another tenant's row",
            Self::WriteWithoutTenant => "writing a row without a tenant",
        }
    }
}

/// How an attempt went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// As it must.
    AsExpected,
    /// Another tenant's data was reached.
    Leak,
    /// A tenant's own data was not.
    Hidden,
    /// It could not be tried.
    NotTried,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The table; none for what concerns all.
    pub table: Option<TableName>,
    /// What is wrong, and through which policy, view or role.
    pub what: String,
}

impl VerifyReport {
    /// Tables on which reading another tenant's rows could not be tried: for these the catalog alone speaks.
    pub fn untried(&self) -> usize {
        let tried = |table: &&TableProof| {
            let mut attempts = table.attempts.iter();
            attempts.any(|attempt| attempt.what == AttemptKind::ReadOther && attempt.result != Evidence::NotTried)
        };
        self.tables.len() - self.tables.iter().filter(tried).count()
    }

    /// Whether everything was as it must be.
    pub fn is_proven(&self) -> bool {
        self.findings.is_empty()
    }
}

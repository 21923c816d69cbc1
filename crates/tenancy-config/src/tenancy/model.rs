//! What a `tenancy.toml` can say; a new key is added here. [`Tenancy::default`] is the application that this workspace
//! was written for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::auth::{AuthSection, JobSection};
use super::log::LogSection;
use super::platform_rows::PlatformRows;
use crate::name::TableName;

/// The names of a database's tenant tables, and how the tables are related.
///
/// If the file leaves out a part, that part is the default application's. `[tables]` is one part.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenancy {
    /// Names of tenant columns. The first of them that a table has is its tenant column.
    pub columns: Vec<String>,
    /// The database itself.
    pub database: DatabaseSection,
    /// The table of the tenants.
    pub tenant: TenantSection,
    /// How a session says which tenant it acts for.
    pub session: SessionSection,
    /// The roles.
    pub roles: RolesSection,
    /// The login with which the application signs users in, if it has one of its own.
    #[serde(default)] // the default application has none
    pub auth: Option<AuthSection>,
    /// The logins of jobs that work on rows of every tenant at once, by the name of the job.
    #[serde(default)] // the default application has none
    pub jobs: BTreeMap<String, JobSection>,
    /// How the application writes its log.
    pub log: LogSection,
    /// Tables that must exist, as `table` or `schema.table`, with their rules. Other tables are found by their tenant
    /// column.
    pub tables: BTreeMap<String, TableRules>,
    /// Views, functions and rights that lead past the policies and that somebody has reviewed, by name; a function by its
    /// signature, such as `public.total(text)`, a right as `DELETE on public.users`.
    #[serde(default)] // the default application has none
    pub reviewed: BTreeMap<String, ReviewRule>,
}

/// `[reviewed."NAME"]`: somebody has read a view or a function, and vouches that it keeps tenants apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewRule {
    /// Why it may lead past the policies. Reports repeat it.
    pub why: String,
    /// The hash of what was reviewed, as `rls verify` prints it. If the object changes, the review no longer holds.
    pub hash: String,
}

/// `[database]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSection {
    /// The name that must be typed before a write to any database but the local one, such as `production`.
    pub environment: Option<String>,
    /// The schema of tables that are named without one.
    pub schema: String,
    /// Roles whose tables are trusted, in addition to the owners of the database and of the tenant table. The code of a
    /// table's owner runs as whoever reads the table.
    pub owners: Vec<String>,
    /// The variables that may hold the database's URL, in the order in which the application reads them. The first that
    /// is set counts.
    pub url_variables: Vec<String>,
    /// The same for the URL of this database without a pooler.
    pub direct_url_variables: Vec<String>,
}

/// `[tenant]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenantSection {
    /// The table with one row for each tenant.
    pub table: String,
    /// Its primary key, which the tenant columns reference.
    pub key: String,
    /// Its unique, readable name.
    pub slug: String,
    /// Its display name.
    pub name: String,
    /// Its state column, if tenants have a state.
    #[serde(default)] // without the key there is none, also where the default application has one
    pub status: Option<String>,
    /// The state of a tenant that is in use.
    pub active: String,
    /// What a foreign key that a rollout adds does with a tenant's rows if the tenant is deleted. Without it, such a key
    /// does what the schema's other keys to the tenant table do, or nothing if they differ.
    #[serde(default)] // without the key the schema decides, also for the default application
    pub on_delete: Option<OnDelete>,
}

/// What a foreign key does if the row that it references is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDelete {
    /// The deletion fails at the end of the statement, or of the transaction if the key is deferred.
    NoAction,
    /// The deletion fails at once.
    Restrict,
    /// The rows are deleted too.
    Cascade,
}

/// `[session]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionSection {
    /// The session variable from which policies read the tenant's id. A customized option has a dot in its name.
    pub variable: String,
    /// Where the session variable holds JSON, as PostgREST and Supabase set it: the names that lead to the tenant's id in it. Without it, the
    /// variable is the id.
    pub claim: Vec<String>,
    /// The name of the policy, the same on each table.
    pub policy: String,
    /// What the application itself asks of the session of a user.
    pub checks: SessionChecks,
}

/// `[session.checks]`: what the application refuses beside what its library refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own, as the file has them")]
pub struct SessionChecks {
    /// A user must be a member of the session's tenant.
    pub members_only: bool,
    /// The session's tenant must be in use.
    pub active_tenants_only: bool,
    /// The claim `sessionVersion` must be the user's.
    pub session_version: bool,
    /// The application lowercases an email before it looks for it.
    pub lowercase_emails: bool,
    /// The claim `sessionIpHash` must be there.
    pub ip_hash: bool,
}

/// `[roles]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolesSection {
    /// The role that the application logs in as. Policies filter it.
    pub app: String,
    /// The role that backfills act as (NOLOGIN).
    pub maintenance: String,
    /// The role that audits act as if policies filter all others (NOLOGIN).
    pub auditor: String,
}

/// `[tables.NAME]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableRules {
    /// The tenant column, if it is not one of [`Tenancy::columns`].
    pub column: Option<String>,
    /// Whether rows without a tenant are intended and belong to the whole platform, and why.
    pub platform_rows: PlatformRows,
    /// Why every tenant may read the rows without a tenant, which none may write.
    pub shared_rows: Option<String>,
    /// What a foreign key to the tenant table does that a rollout adds, if it is not what `[tenant]` says.
    pub on_delete: Option<OnDelete>,
    /// Why rows of this table may reference rows of other tenants. If a reason is given, such rows do not stop a
    /// rollout.
    pub cross_tenant_references: Option<String>,
    /// Why the rows of this table need no tenant. If a reason is given, the table is neither rolled out nor verified.
    pub exempt: Option<String>,
    /// The row through which a row of this table belongs to a tenant. The table has no tenant column then.
    pub through: Option<ThroughRule>,
    /// The tenant column that a rollout adds to this table, which has none yet.
    pub add_column: Option<AddColumnRule>,
    /// Policies of this table that are not the rollout's and are intended, by name, each with the reason.
    pub allow_policies: BTreeMap<String, String>,
    /// Triggers of this table that may fire when a row gets its tenant. A backfill refuses to run if any other would
    /// fire.
    pub allow_triggers: Vec<String>,
    /// Rules ON UPDATE of this table that may act when a row gets its tenant. A backfill refuses to run if there is any
    /// other.
    pub allow_rules: Vec<String>,
    /// What a row's tenant is read from, best source first.
    pub sources: Vec<SourceRule>,
    /// What decides if sources name several tenants, best first.
    #[serde(alias = "evidence")] // its name until 0.1
    pub tie_breakers: Vec<TieBreakerRule>,
}

/// Where a row without a tenant column hangs: the tenant is the one of the row that a column points to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThroughRule {
    /// The column that points to the other table, by a foreign key.
    pub column: String,
    /// The other table, which has a tenant column.
    pub table: String,
    /// The column of the other table that the foreign key references. Without it, that is whatever the key says.
    pub key: Option<String>,
    /// How the policy asks for the other row. Without it, the size of the other table decides.
    pub form: Option<ThroughForm>,
}

/// The tenant column that a rollout adds to a table without one. Its rows get the tenant of the row that a column points to,
/// which is a source of the table too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddColumnRule {
    /// The column that points to the other table, by a foreign key.
    pub through: String,
    /// The other table, which has a tenant column or gets one too.
    pub table: String,
    /// The primary key of the other table.
    #[serde(default = "default_key")]
    pub key: String,
}

/// How a policy asks whether the row that a column points to is the tenant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThroughForm {
    /// The keys of the tenant's rows are read once for a statement. It is fast where a tenant has few of them.
    Array,
    /// The row is looked up for each row that is read. It is slow where a statement reads many rows.
    Exists,
}

impl ThroughForm {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Array, Self::Exists];

    /// As `tenancy.toml` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::Exists => "exists",
        }
    }
}

/// One place that a row's tenant is read from: the row that a column points to, or all such rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRule {
    /// Its name in reports.
    pub name: String,
    /// The column that points to the other table. It needs no foreign key.
    pub column: String,
    /// The other table.
    pub table: String,
    /// The column of the other table that `column` refers to.
    #[serde(default = "default_key")]
    pub key: String,
    /// The other table's tenant column, if it is not one of [`Tenancy::columns`].
    pub tenant: Option<String>,
    /// Whether many rows may have that `key`, each of which names a tenant. The column needs an index.
    #[serde(default)]
    pub all: bool,
    /// Tables on the way from `column` to the other table, in order. They need no tenant column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<HopRule>,
    /// What other columns of the row must hold, as text, for the source to be asked: of a polymorphic pair, the kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, String>,
}

/// A table on the way to a source. Its row is the one whose `key` equals the column before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HopRule {
    /// The table.
    pub table: String,
    /// Its column that the one before refers to.
    #[serde(default = "default_key")]
    pub key: String,
    /// Its column that points on.
    pub column: String,
}

/// Decides between the tenants that sources name: for the one that has a row with equal columns, if exactly one has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TieBreakerRule {
    /// Its name in reports.
    pub name: String,
    /// The table with such rows. It may be the same table.
    pub table: String,
    /// The columns that must be equal: this table's, then the other table's.
    pub equal: BTreeMap<String, String>,
    /// The other table's tenant column, if it is not one of [`Tenancy::columns`].
    pub tenant: Option<String>,
}

pub(super) fn default_key() -> String {
    "id".to_owned()
}

impl TableRules {
    /// Adds a source, unless one is declared of its column.
    fn add_source(&mut self, source: SourceRule) {
        if self.sources.iter().all(|known| known.column != source.column) {
            self.sources.push(source);
        }
    }
}

impl From<AddColumnRule> for SourceRule {
    /// The row that a row follows, as a source.
    fn from(rule: AddColumnRule) -> Self {
        let AddColumnRule { through, table, key } = rule;
        Self { key, ..Self::new(&through, &through, &table) }
    }
}

impl SourceRule {
    /// A source by the one row of `table` whose `id` is in `column`.
    pub fn new(name: &str, column: &str, table: &str) -> Self {
        Self {
            name: name.to_owned(),
            column: column.to_owned(),
            table: table.to_owned(),
            key: default_key(),
            tenant: None,
            all: false,
            through: Vec::new(),
            when: BTreeMap::new(),
        }
    }
}

impl Tenancy {
    /// The rules of a table, which is given with its schema; the file may name it with or without.
    pub fn rules(&self, table: &TableName) -> Option<&TableRules> {
        let schema = &self.database.schema;
        let named = |name: &str| TableName::parse(name, schema).is_ok_and(|parsed| parsed == *table);
        self.tables.iter().find(|(name, _)| named(name)).map(|(_, rules)| rules)
    }

    /// The same tenancy in which a rollout adds a tenant column to this table. `others` are sources beside the row that it follows, as far as
    /// nothing is declared of their columns.
    pub fn adding_column(mut self, table: &TableName, rule: AddColumnRule, others: Vec<SourceRule>) -> Self {
        let schema = self.database.schema.clone();
        let named = |name: &String| TableName::parse(name, &schema).is_ok_and(|parsed| parsed == *table);
        let name = self.tables.keys().find(|name| named(name)).cloned().unwrap_or_else(|| table.to_string());
        let rules = self.tables.entry(name).or_default();
        for source in std::iter::once(SourceRule::from(rule.clone())).chain(others) {
            rules.add_source(source);
        }
        rules.add_column = Some(rule);
        self
    }

    /// The same tenancy in which columns that are to be added are sources too.
    pub(super) fn with_added_sources(mut self) -> Self {
        for rules in self.tables.values_mut() {
            let Some(rule) = &rules.add_column else { continue };
            let source = SourceRule::from(rule.clone());
            rules.add_source(source);
        }
        self
    }
}

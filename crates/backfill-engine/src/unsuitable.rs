//! Why a table cannot be backfilled, as values.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;

/// Why a table cannot be backfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Unsuitable {
    /// `tenancy.toml` says that its rows without a tenant are meant.
    Meant {
        /// The key there; none where either of the two may be it.
        declared: Option<MeantRows>,
        /// The declared reason.
        why: Option<String>,
    },
    /// Its tenant column can hold no slug and no name.
    NoText {
        /// The tenant column.
        column: String,
    },
    /// Values are to become NULL, and its tenant column is NOT NULL.
    NotNull {
        /// The tenant column.
        column: String,
    },
    /// It is partitioned by its tenant column.
    PartitionedByTenant {
        /// The tenant column.
        column: String,
    },
    /// One of its partitions is on another server.
    ForeignPartition {
        /// The partition.
        partition: TableName,
    },
    /// Its tenant column has a type that is not handled.
    Type {
        /// The type.
        #[serde(rename = "type")]
        type_name: String,
    },
    /// Its tenant column and the key of the tenant table are of different kinds.
    TypesDiffer {
        /// The type of the tenant column.
        column: String,
        /// The tenant table.
        tenants: TableName,
        /// The type of its key; none where that is missing.
        key: Option<String>,
    },
    /// It has no primary key.
    NoKey,
    /// A column of its primary key has a name that cannot be written into a statement.
    KeyName {
        /// What is wrong with the name.
        message: String,
    },
    /// What a run writes would change the answers of a tie-breaker.
    TieBreaker {
        /// The tie-breaker.
        tie_breaker: String,
        /// What it must do.
        must: TieBreakerDuty,
    },
    /// What a run writes would change the answers of a source.
    AsksItself {
        /// The source.
        source: String,
    },
    /// A source refers to another table by a column that nothing makes unique.
    NotByKey {
        /// The source.
        source: String,
        /// The other table.
        table: TableName,
        /// The column there.
        column: String,
    },
    /// A source or a tie-breaker compares columns of types that cannot be compared.
    NotComparable(Box<UnequalTypes>),
    /// The way of a source leads over a table of a role that is not trusted.
    OverStranger {
        /// The source.
        source: String,
        /// The table on the way.
        table: TableName,
        /// Its owner.
        owner: String,
    },
    /// A trigger gives a membership another tenant than it was made for.
    TriggerChangesTenant {
        /// The tenant for which it was made.
        tenant: String,
    },
    /// It is to be the table of the memberships, and does not point to users.
    NoUsers,
}

/// Two columns that a source or a tie-breaker compares although no values of them can be equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnequalTypes {
    /// The source or the tie-breaker.
    pub rule: String,
    /// The column whose values it looks for.
    pub column: String,
    /// Its type.
    pub column_type: String,
    /// The table in which it looks for them.
    pub table: TableName,
    /// The column there.
    pub key: String,
    /// The type of that.
    pub key_type: String,
}

/// What in `tenancy.toml` says that rows without a tenant are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MeantRows {
    /// They belong to the whole platform.
    PlatformRows,
    /// Every tenant reads them.
    SharedRows,
}

/// What a tie-breaker in the table itself must do, so that its answers stay the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "must", rename_all = "snake_case")]
pub enum TieBreakerDuty {
    /// It compares a column with itself.
    CompareWithItself {
        /// The column that it compares.
        column: String,
        /// The column with which it compares that now.
        with: String,
    },
    /// It compares a column that decides, too.
    CompareToo {
        /// The column.
        column: String,
    },
    /// It stands last.
    StandLast,
}

impl fmt::Display for Unsuitable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Meant { declared, why } => {
                f.write_str("tenancy.toml says that its rows without a tenant are meant (")?;
                match declared {
                    Some(MeantRows::PlatformRows) => f.write_str("platform_rows")?,
                    Some(MeantRows::SharedRows) => f.write_str("shared_rows")?,
                    None => f.write_str("platform_rows or shared_rows")?,
                }
                why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))?;
                f.write_str(")")
            }
            Self::NoText { column } => {
                write!(f, "its tenant column {column} is no text, and can hold neither a slug nor a name")
            }
            Self::NotNull { column } => {
                write!(f, "its tenant column {column} is NOT NULL, so that no value can become NULL")
            }
            Self::PartitionedByTenant { column } => write!(
                f,
                "it is partitioned by {column}, so that a row without a tenant stands in a partition of which its tenant is not; \
                 move such rows out by hand"
            ),
            Self::ForeignPartition { partition } => write!(f, "its partition {partition} is a foreign table"),
            Self::Type { type_name } => write!(f, "its tenant column has the type {type_name}"),
            Self::TypesDiffer { column, tenants, key } => {
                let key = key.as_deref().unwrap_or("missing");
                write!(f, "its tenant column is {column} and the key of {tenants} is {key}")
            }
            Self::NoKey => f.write_str("it has no primary key, by which a row could be named in journal and review"),
            Self::KeyName { message } => f.write_str(message),
            Self::TieBreaker { tie_breaker, must } => write!(
                f,
                "the tie-breaker `{tie_breaker}` is in the table itself and {must}: what a run writes would change its answers"
            ),
            Self::AsksItself { source } => write!(
                f,
                "the source `{source}` asks all rows of the table itself: those that the run writes would change its answers"
            ),
            Self::NotByKey { source, table, column } => write!(
                f,
                "the source `{source}` refers to {table} by `{column}`, which nothing there makes unique; `all = true` asks all such rows"
            ),
            Self::NotComparable(types) => types.fmt(f),
            Self::OverStranger { source, table, owner } => write!(
                f,
                "the way of the source `{source}` leads over {table}, which belongs to {owner}, and nobody said to rely on that role"
            ),
            Self::TriggerChangesTenant { tenant } => {
                write!(f, "a trigger gives a membership of the tenant {tenant} another tenant")
            }
            Self::NoUsers => {
                f.write_str("no foreign key of it points to exactly one table of users with a tenant column")
            }
        }
    }
}

impl fmt::Display for UnequalTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, column, column_type, table, key, key_type } = self;
        write!(
            f,
            "`{rule}` compares {column}, which is {column_type}, with {key} of {table}, which is {key_type}: no value can be equal"
        )
    }
}

impl fmt::Display for TieBreakerDuty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CompareWithItself { column, with } => {
                write!(f, "cannot compare {column} with {with}, only with itself")
            }
            Self::CompareToo { column } => write!(f, "must also compare {column}, which decides too"),
            Self::StandLast => f.write_str("must stand last"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_reason_has_its_tag_its_fields_and_its_sentence() {
        let table = || TableName::parse("t", "public").unwrap();
        let text = |text: &str| text.to_owned();
        let column = || text("tenant_id");
        let tie_breaker = |must| Unsuitable::TieBreaker { tie_breaker: text("b"), must };
        for (why, says, json) in [
            (
                Unsuitable::Meant { declared: Some(MeantRows::SharedRows), why: Some(text("all")) },
                "tenancy.toml says that its rows without a tenant are meant (shared_rows: all)",
                json!({"reason": "meant", "declared": "shared_rows", "why": "all"}),
            ),
            (
                Unsuitable::Meant { declared: None, why: None },
                "tenancy.toml says that its rows without a tenant are meant (platform_rows or shared_rows)",
                json!({"reason": "meant", "declared": null, "why": null}),
            ),
            (
                Unsuitable::NoText { column: column() },
                "its tenant column tenant_id is no text, and can hold neither a slug nor a name",
                json!({"reason": "no_text", "column": "tenant_id"}),
            ),
            (
                Unsuitable::NotNull { column: column() },
                "its tenant column tenant_id is NOT NULL, so that no value can become NULL",
                json!({"reason": "not_null", "column": "tenant_id"}),
            ),
            (
                Unsuitable::PartitionedByTenant { column: column() },
                "it is partitioned by tenant_id, so that a row without a tenant stands in a partition of which its tenant is not; \
                 move such rows out by hand",
                json!({"reason": "partitioned_by_tenant", "column": "tenant_id"}),
            ),
            (
                Unsuitable::ForeignPartition { partition: table() },
                "its partition public.t is a foreign table",
                json!({"reason": "foreign_partition", "partition": "public.t"}),
            ),
            (
                Unsuitable::Type { type_name: text("jsonb") },
                "its tenant column has the type jsonb",
                json!({"reason": "type", "type": "jsonb"}),
            ),
            (
                Unsuitable::TypesDiffer { column: text("uuid"), tenants: table(), key: None },
                "its tenant column is uuid and the key of public.t is missing",
                json!({"reason": "types_differ", "column": "uuid", "tenants": "public.t", "key": null}),
            ),
            (
                Unsuitable::NoKey,
                "it has no primary key, by which a row could be named in journal and review",
                json!({"reason": "no_key"}),
            ),
            (Unsuitable::KeyName { message: text("m") }, "m", json!({"reason": "key_name", "message": "m"})),
            (
                tie_breaker(TieBreakerDuty::CompareWithItself { column: text("a"), with: text("c") }),
                "the tie-breaker `b` is in the table itself and cannot compare a with c, only with itself: what a run writes \
                 would change its answers",
                json!({"reason": "tie_breaker", "tie_breaker": "b",
                       "must": {"must": "compare_with_itself", "column": "a", "with": "c"}}),
            ),
            (
                tie_breaker(TieBreakerDuty::CompareToo { column: text("a") }),
                "the tie-breaker `b` is in the table itself and must also compare a, which decides too: what a run writes \
                 would change its answers",
                json!({"reason": "tie_breaker", "tie_breaker": "b", "must": {"must": "compare_too", "column": "a"}}),
            ),
            (
                tie_breaker(TieBreakerDuty::StandLast),
                "the tie-breaker `b` is in the table itself and must stand last: what a run writes would change its answers",
                json!({"reason": "tie_breaker", "tie_breaker": "b", "must": {"must": "stand_last"}}),
            ),
            (
                Unsuitable::AsksItself { source: text("s") },
                "the source `s` asks all rows of the table itself: those that the run writes would change its answers",
                json!({"reason": "asks_itself", "source": "s"}),
            ),
            (
                Unsuitable::NotByKey { source: text("s"), table: table(), column: text("slug") },
                "the source `s` refers to public.t by `slug`, which nothing there makes unique; `all = true` asks all such rows",
                json!({"reason": "not_by_key", "source": "s", "table": "public.t", "column": "slug"}),
            ),
            (
                Unsuitable::NotComparable(Box::new(UnequalTypes {
                    rule: text("s"),
                    column: text("entity_id"),
                    column_type: text("uuid"),
                    table: table(),
                    key: text("id"),
                    key_type: text("bigint"),
                })),
                "`s` compares entity_id, which is uuid, with id of public.t, which is bigint: no value can be equal",
                json!({"reason": "not_comparable", "rule": "s", "column": "entity_id", "column_type": "uuid", "table": "public.t",
                       "key": "id", "key_type": "bigint"}),
            ),
            (
                Unsuitable::OverStranger { source: text("s"), table: table(), owner: text("o") },
                "the way of the source `s` leads over public.t, which belongs to o, and nobody said to rely on that role",
                json!({"reason": "over_stranger", "source": "s", "table": "public.t", "owner": "o"}),
            ),
            (
                Unsuitable::TriggerChangesTenant { tenant: text("a") },
                "a trigger gives a membership of the tenant a another tenant",
                json!({"reason": "trigger_changes_tenant", "tenant": "a"}),
            ),
            (
                Unsuitable::NoUsers,
                "no foreign key of it points to exactly one table of users with a tenant column",
                json!({"reason": "no_users"}),
            ),
        ] {
            assert_eq!((why.to_string().as_str(), serde_json::to_value(&why).unwrap()), (says, json));
        }
    }
}

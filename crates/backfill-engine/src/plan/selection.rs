//! Which rows a plan is about: those without a tenant, those whose tenant does not exist, or those with certain values.

use serde::Serialize;
use tenant_rls::{Sql, Template};

use crate::fragments::call;
use crate::plan::BackfillPlan;

/// The rows that a plan is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    /// Their tenant column is NULL.
    WithoutTenant,
    /// It is NULL, or names a tenant that does not exist.
    WithoutOrGone,
    /// It is one of these values, none of which is the key of a tenant.
    Values(Vec<String>),
}

/// The rows that a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// Rows without a tenant.
    WithoutTenant,
    /// Rows without a tenant, and rows whose tenant does not exist.
    WithoutOrGone,
    /// Rows with certain values that are no tenant's key.
    Values,
}

impl Selection {
    pub(crate) fn kind(&self) -> RowKind {
        match self {
            Self::WithoutTenant => RowKind::WithoutTenant,
            Self::WithoutOrGone => RowKind::WithoutOrGone,
            Self::Values(_) => RowKind::Values,
        }
    }

    /// Whether every row of it is without a tenant, so that the maintenance role may write it.
    pub(crate) fn only_without(&self) -> bool {
        *self == Self::WithoutTenant
    }
}

/// An array of texts.
pub(crate) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Sql {
    let literal = |text: &'a str| Template::new(":'text'").literal("text", text).build();
    call("ARRAY[:list]::pg_catalog.text[]", texts.into_iter().map(literal))
}

impl BackfillPlan {
    /// Whether row `t` is one of the rows that the plan is about.
    pub(crate) fn open(&self) -> Sql {
        let without = || column(self, "t.:\"column\" IS NULL");
        match &self.selection {
            Selection::WithoutTenant => without(),
            Selection::WithoutOrGone => Template::new("(:without OR :gone)")
                .fragment("without", without())
                .fragment("gone", self.gone())
                .build(),
            Selection::Values(values) => {
                Template::new("(t.:\"column\"::pg_catalog.text OPERATOR(pg_catalog.=) ANY (:values) AND :gone)")
                    .ident("column", &self.column)
                    .fragment("values", texts(values.iter().map(String::as_str)))
                    .fragment("gone", self.gone())
                    .build()
            }
        }
    }

    /// Whether the tenant of row `t` does not exist.
    fn gone(&self) -> Sql {
        Template::new(include_str!("../../../../sql/backfill-engine/fragments/tenant_is_gone.sql"))
            .table("tenants", &self.tenants)
            .ident("tenant_key", &self.tenant_key)
            .ident("column", &self.column)
            .build()
    }

    /// What row `t` has in its tenant column, as the journal keeps it.
    pub(crate) fn before(&self) -> Sql {
        if self.selection.only_without() {
            return Sql::from_static("NULL::pg_catalog.text");
        }
        column(self, "t.:\"column\"::pg_catalog.text")
    }

    /// Whether row `t` still has what it had when its group `of_tenant` was locked.
    pub(crate) fn still(&self) -> Sql {
        if self.selection.only_without() {
            return column(self, "t.:\"column\" IS NULL");
        }
        column(self, include_str!("../../../../sql/backfill-engine/fragments/still_as_before.sql"))
    }

    /// What the rows of the group `of_tenant` are given; the empty string stands for NULL.
    pub(crate) fn given_value(&self) -> Sql {
        let text = match self.selection {
            Selection::Values(_) => {
                "CASE WHEN of_tenant.tenant OPERATOR(pg_catalog.<>) '' THEN of_tenant.tenant:::type END"
            }
            _ => "of_tenant.tenant:::type",
        };
        Template::new(text).fragment("type", Sql::from_static(self.column_type.cast())).build()
    }

    /// Whether row `t` has what the entry `e` of the journal says.
    pub(crate) fn kept(&self) -> Sql {
        let text = match self.selection {
            Selection::Values(_) => include_str!("../../../../sql/backfill-engine/fragments/has_what_was_mapped.sql"),
            _ => "t.:\"column\"::pg_catalog.text OPERATOR(pg_catalog.=) e.tenant_id",
        };
        column(self, text)
    }
}

fn column(plan: &BackfillPlan, text: &'static str) -> Sql {
    Template::new(text).ident("column", &plan.column).build()
}

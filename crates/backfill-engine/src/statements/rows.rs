//! Which rows a plan is about, and what they had and get, as pieces of its statements.

use tenant_rls::{Sql, Template};

use crate::fragments::texts;
use crate::plan::BackfillPlan;
use crate::plan::selection::Selection;

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
            .fragment("cast", self.cast_to_compare())
            .build()
    }

    /// The cast under which the tenant column is compared with the key of the tenant table.
    pub(crate) fn cast_to_compare(&self) -> Sql {
        Sql::from_static(if self.holds_keys_as_texts() { "::pg_catalog.text" } else { "" })
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

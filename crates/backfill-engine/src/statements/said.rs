//! The answer of one source, as SQL: a tenant, or an array of tenants.

use tenant_rls::{Sql, Template};

/// The answer of one source for a row.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) value: Sql,
    /// The value is an array of tenants, sorted and without duplicates; NULL if there is none.
    pub(super) many: bool,
}

impl Said {
    fn with(&self, text: &'static str) -> Sql {
        Template::new(text).fragment("said", self.value.clone()).build()
    }

    pub(super) fn lowest(&self) -> Sql {
        if self.many { self.with(":said[1]") } else { self.value.clone() }
    }

    pub(super) fn highest(&self) -> Sql {
        if self.many { self.with(":said[pg_catalog.cardinality(:said)]") } else { self.value.clone() }
    }

    /// The tenant, if the source names exactly one.
    pub(super) fn alone(&self) -> Sql {
        if self.many {
            self.with("CASE WHEN pg_catalog.cardinality(:said) OPERATOR(pg_catalog.=) 1 THEN :said[1] END")
        } else {
            self.value.clone()
        }
    }

    pub(super) fn candidates(&self) -> Sql {
        if self.many { self.with("SELECT pg_catalog.unnest(:said)") } else { self.with("SELECT :said") }
    }

    pub(super) fn text(&self) -> Sql {
        if self.many {
            self.with("pg_catalog.array_to_string(:said, ' | ')")
        } else {
            self.with(":said::pg_catalog.text")
        }
    }
}

//! The primary key of a table, and the text by which journal, review and people name a row. The text is the value of a
//! single column, or a JSON array of the values of several.

use tenancy_config::Ident;
use tenant_rls::{Sql, Template};

/// A primary key.
#[derive(Debug, Clone)]
pub(crate) struct RowKey {
    columns: Vec<(Ident, Sql)>,
}

impl RowKey {
    /// A key of these columns, with their types as the catalog prints them.
    pub(crate) fn new(columns: Vec<(Ident, String)>) -> Self {
        Self { columns: columns.into_iter().map(|(name, kind)| (name, Sql::type_from_catalog(&kind))).collect() }
    }

    /// Its columns.
    pub(crate) fn columns(&self) -> impl Iterator<Item = Ident> {
        self.columns.iter().map(|(name, _)| name.clone())
    }

    /// The first of them.
    pub(crate) fn first(&self) -> Ident {
        self.columns.first().map(|(name, _)| name.clone()).expect("a key has a column")
    }

    /// The text that names row `t`.
    pub(crate) fn text(&self) -> Sql {
        let columns = || self.columns.iter().map(|(name, _)| Template::new("t.:\"key\"").ident("key", name).build());
        let (text, columns) = match self.columns.len() {
            1 => (":columns::pg_catalog.text", Sql::join(columns(), "")),
            _ => ("pg_catalog.jsonb_build_array(:columns)::pg_catalog.text", Sql::join(columns(), ", ")),
        };
        Template::new(text).fragment("columns", columns).build()
    }

    /// Whether row `t` is the one that `k.row_key` names.
    pub(crate) fn is_named(&self) -> Sql {
        let one = |(at, (name, kind)): (usize, &(Ident, Sql))| {
            Template::new("t.:\"key\" OPERATOR(pg_catalog.=) :value")
                .ident("key", name)
                .fragment("value", self.value(at, kind, "k.row_key"))
                .build()
        };
        Sql::join(self.columns.iter().enumerate().map(one), " AND ")
    }

    /// Whether row `t` is one of those that the array `keys` names. A single column is compared with an array, as the
    /// planner then uses the index whatever number of rows it expects.
    pub(crate) fn is_one_of(&self, keys: &Sql) -> Sql {
        if let [(name, kind)] = self.columns.as_slice() {
            let template = Template::new("t.:\"key\" OPERATOR(pg_catalog.=) ANY (:keys::pg_catalog.text[]:::kind[])");
            return template.ident("key", name).fragment("keys", keys.clone()).fragment("kind", kind.clone()).build();
        }
        let names = self.columns.iter().map(|(name, _)| Template::new("t.:\"key\"").ident("key", name).build());
        let values = self.columns.iter().enumerate().map(|(at, (_, kind))| self.value(at, kind, "k.row_key"));
        Template::new(include_str!("../../../../sql/backfill-engine/fragments/key_is_one_of.sql"))
            .fragment("names", Sql::join(names, ", "))
            .fragment("keys", keys.clone())
            .fragment("values", Sql::join(values, ", "))
            .build()
    }

    /// The value of one column in a text that names a row.
    fn value(&self, at: usize, kind: &Sql, text: &'static str) -> Sql {
        let value = Template::new(if self.columns.len() == 1 {
            ":text:::kind"
        } else {
            "(:text::pg_catalog.jsonb OPERATOR(pg_catalog.->>) :at):::kind"
        });
        let value = if self.columns.len() == 1 { value } else { value.fragment("at", crate::fragments::number(at)) };
        value.fragment("text", Sql::from_static(text)).fragment("kind", kind.clone()).build()
    }
}
